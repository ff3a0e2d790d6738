"""Every answer that is not a success is a problem (RFC 9457), without internals."""

import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Match

from api.cursors import CursorError
from api.problem_pages import address_of
from api.problems import MEANINGS, Failure, failure_of
from api.queries.instants import NothingThen
from api.queries.users import UnknownUser
from api.routes.common import HeaderFault, ParameterFault, ProblemAnswer
from api.routes.conditions import RequestFault, malformed
from api.times import TimeError
from api.wire.problems import ParameterProblem, Problem
from api.workspace import NotRecorded
from domain.refusals import Refusal
from projections.accounts import AccountNotFound
from projections.deals import DealNotFound
from store.errors import StoreError

_log = logging.getLogger("dealstate.http")

_METHODS = ("DELETE", "GET", "PATCH", "POST", "PUT")

_OF_STATUS = {
    HTTPStatus.NOT_FOUND: "not-found",
    HTTPStatus.METHOD_NOT_ALLOWED: "method-not-allowed",
    HTTPStatus.BAD_REQUEST: "malformed-json",
}


def problem_answer(
    failure: Failure,
    errors: list[ParameterProblem] | None = None,
    headers: dict[str, str] | None = None,
) -> ProblemAnswer:
    """The answer that tells a failure."""
    problem = Problem(
        type=address_of(failure.code),
        title=failure.status.phrase,
        status=failure.status.value,
        detail=failure.detail,
        code=failure.code,
        satisfied_by=failure.advice,
        errors=errors or [],
    )
    return ProblemAnswer(problem, status_code=failure.status, headers=headers)


async def _known(_: Request, error: Exception) -> ProblemAnswer:
    return known_answer(error)


def known_answer(error: Exception) -> ProblemAnswer:
    """The answer that tells what `failure_of` knows of."""
    failure = failure_of(error)
    assert failure is not None
    if isinstance(error, DealNotFound):
        detail = f"There is no deal with the id {error.wanted!r}."
        failure = Failure(failure.code, failure.status, detail)
    if isinstance(error, StoreError):
        # Its words name files of this machine; they are for the log.
        _log.error("%s: %s", failure.code, error)
        failure = Failure(failure.code, failure.status, MEANINGS[failure.code])
    busy = failure.status is HTTPStatus.SERVICE_UNAVAILABLE
    return problem_answer(failure, headers={"Retry-After": "5"} if busy else None)


async def _parameter(_: Request, error: Exception) -> ProblemAnswer:
    assert isinstance(error, ParameterFault)
    return _invalid([ParameterProblem(error.parameter, error.detail)])


async def _unusable(_: Request, error: Exception) -> ProblemAnswer:
    assert isinstance(error, RequestFault)
    return problem_answer(error.failure, error.errors)


async def _invalid_request(_: Request, error: Exception) -> ProblemAnswer:
    assert isinstance(error, RequestValidationError)
    for one in error.errors():
        if one["type"] == "json_invalid":
            return problem_answer(malformed(str(one["ctx"]["error"])))
    return _invalid([_told(one) for one in error.errors()])


def _told(error: dict[str, Any]) -> ParameterProblem:
    place = [str(part) for part in error["loc"][1:]] or ["request"]
    if error["type"] == "extra_forbidden":
        return ParameterProblem(".".join(place), "there is no such parameter")
    return ParameterProblem(".".join(place), error["msg"].removeprefix("Value error, "))


def _invalid(errors: list[ParameterProblem]) -> ProblemAnswer:
    detail = "; ".join(f"{error.parameter}: {error.detail}" for error in errors)
    failure = Failure("invalid-parameter", HTTPStatus.UNPROCESSABLE_ENTITY, detail)
    return problem_answer(failure, errors)


async def _header(_: Request, error: Exception) -> ProblemAnswer:
    return problem_answer(Failure("invalid-header", HTTPStatus.BAD_REQUEST, str(error)))


async def _http(request: Request, error: Exception) -> ProblemAnswer:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    code = _OF_STATUS.get(status, "invalid-parameter")
    detail = MEANINGS[code]
    headers = dict(error.headers) if error.headers else {}
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        headers = {"Allow": ", ".join(_methods(request))}
    return problem_answer(Failure(code, status, detail), headers=headers)


def _methods(request: Request) -> list[str]:
    """The methods that an address takes; each may have a route of its own."""
    scope, routes = request.scope, request.app.routes
    found = [
        method
        for method in _METHODS
        if any(route.matches({**scope, "method": method})[0] is Match.FULL for route in routes)
    ]
    return ["HEAD", *found] if "GET" in found else found


async def _unexpected(request: Request, error: Exception) -> ProblemAnswer:
    _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    failure = Failure(
        "internal-error", HTTPStatus.INTERNAL_SERVER_ERROR, MEANINGS["internal-error"]
    )
    return problem_answer(failure)


_KNOWN = (
    AccountNotFound,
    Refusal,
    DealNotFound,
    NothingThen,
    NotRecorded,
    UnknownUser,
    TimeError,
    CursorError,
    StoreError,
)


def handle_failures(app: FastAPI) -> None:
    """Tell every failure of the service as a problem."""
    for error_type in _KNOWN:
        app.add_exception_handler(error_type, _known)
    app.add_exception_handler(ParameterFault, _parameter)
    app.add_exception_handler(HeaderFault, _header)
    app.add_exception_handler(RequestFault, _unusable)
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)
