"""The door: who asks is known before anything is looked at. Deny by default.

Every address takes a caller but those that are listed here, also one that leads nowhere:
so a new route cannot be forgotten, and nobody learns which ones there are.
"""

import logging
from http import HTTPStatus

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from api.auth.bearer import UnusableHeader
from api.auth.callers import Authenticate
from api.auth.refused import IssuerUnavailable, NotAuthenticated, TooManyAttempts
from api.problems import MEANINGS, Failure
from api.routes.common import ProblemAnswer
from api.routes.failures import known_answer, problem_answer
from store.errors import StoreError

OPEN = frozenset(
    {"/livez", "/readyz", "/docs", "/docs/problems", "/docs/style.css", "/openapi.json"}
)
"""What takes no caller: it tells nothing of what the store holds."""

_log = logging.getLogger("dealstate.auth")


class Door:
    """Lets in whom `app.state.authenticate` knows, as `state.caller` of the request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or (scope["type"] == "http" and scope["path"] in OPEN):
            await self._app(scope, receive, send)
            return
        assert scope["type"] == "http", "nothing else is served"
        authenticate: Authenticate = scope["app"].state.authenticate
        client = scope.get("client")
        address = client[0] if client else ""
        headers = Headers(scope=scope).getlist("authorization")
        try:
            caller = await run_in_threadpool(authenticate, headers, address)
        except Exception as error:
            answer = _refusal(error, address)
            if answer is None:
                raise
            await answer(scope, receive, send)
            return
        scope.setdefault("state", {})["caller"] = caller
        await self._app(scope, receive, send)


def _refusal(error: Exception, address: str) -> ProblemAnswer | None:
    """What somebody is told who is not let in; None for a fault of the program.

    The words are those of RFC 6750, section 3.1. Which part of a token is wrong is not told.
    """
    match error:
        case NotAuthenticated(has_token=False):
            return _told("not-authenticated", HTTPStatus.UNAUTHORIZED, _challenge())
        case NotAuthenticated(reason=reason):
            _log.warning("refused a token from %r: %s", address, reason)
            told = _challenge("invalid_token")
            return _told("not-authenticated", HTTPStatus.UNAUTHORIZED, told)
        case UnusableHeader():
            failure = Failure("invalid-header", HTTPStatus.BAD_REQUEST, str(error))
            return problem_answer(failure, headers=_challenge("invalid_request"))
        case TooManyAttempts(seconds=seconds):
            wait = {"Retry-After": str(seconds)}
            return _told("too-many-attempts", HTTPStatus.TOO_MANY_REQUESTS, wait)
        case IssuerUnavailable():
            code, wait = "identity-provider-unavailable", {"Retry-After": "10"}
            return _told(code, HTTPStatus.SERVICE_UNAVAILABLE, wait)
        case StoreError():
            return known_answer(error)
        case _:
            return None


def _told(code: str, status: HTTPStatus, headers: dict[str, str]) -> ProblemAnswer:
    return problem_answer(Failure(code, status, MEANINGS[code]), headers=headers)


def _challenge(error: str | None = None) -> dict[str, str]:
    more = f', error="{error}"' if error else ""
    return {"WWW-Authenticate": f'Bearer realm="dealstate"{more}'}
