"""The documentation of the HTTP service: the same for everybody, as long as the release runs."""

import json
from collections.abc import Callable
from functools import cache

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.pages import reference
from api.problem_pages import ProblemPage, address_of, problem_pages
from api.routes.answering import TAG, is_known, tag_of, unchanged

router = APIRouter(include_in_schema=False)

KEPT = {"Cache-Control": "public, max-age=300"}
"""It holds nothing of anybody, and changes with the release alone."""


def _sent(request: Request, content: str, media_type: str = "text/html") -> Response:
    """The content, or that the browser has it already."""
    body = content.encode()
    headers = {**KEPT, TAG: f"W/{tag_of(body)}"}
    found = Response(body, media_type=media_type, headers=headers)
    return unchanged(found.headers) if is_known(headers[TAG], request.headers) else found


@router.get("/docs/style.css")
def style(request: Request) -> Response:
    """The look of the pages."""
    return _sent(request, reference.STYLE, "text/css")


@router.get("/docs")
def routes_and_schemas(request: Request) -> Response:
    """Every route with its parameters, every schema with its fields."""
    app = request.app
    if not hasattr(app.state, "reference"):
        app.state.reference = reference.service(app.openapi())
    return _sent(request, app.state.reference)


@router.get("/openapi.json")
def description(request: Request) -> Response:
    """The OpenAPI document."""
    app = request.app
    if not hasattr(app.state, "description"):
        text = json.dumps(app.openapi(), ensure_ascii=False, separators=(",", ":"))
        app.state.description = text
    return _sent(request, app.state.description, "application/json")


@cache
def _problems() -> str:
    return reference.problems(problem_pages().values())


@router.get("/docs/problems")
def problems(request: Request) -> Response:
    """Every code that a problem can have."""
    return _sent(request, _problems())


def _telling(page: ProblemPage) -> Callable[[Request], Response]:
    shown = reference.problem(page)

    def tell_of_the_problem(request: Request) -> Response:
        return _sent(request, shown)

    return tell_of_the_problem


# An address for each code, so that no other address below is open to everybody.
for _code, _page in problem_pages().items():
    router.add_api_route(address_of(_code), _telling(_page), name=f"problem_{_code}")
