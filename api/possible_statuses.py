"""Which problems an operation may answer with, for the OpenAPI document.

They follow from what the operation takes. What can come of any request whatever, such as a
fault of the server (500), stays with `default`.
"""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from api.routes.common import WAIT_FOR, ProblemAnswer
from api.routes.conditions import KEY, MATCH

_TEXT, _SECONDS = {"type": "string"}, {"type": "integer", "minimum": 0}
_RETRY = {"Retry-After": {"description": "Seconds to wait for.", "schema": _SECONDS}}
RATES = {
    "RateLimit-Policy": {
        "description": "How many requests a user may send in which time, where that is limited.",
        "schema": {"type": "string", "examples": ['"user";q=200;w=4']},
    },
    "RateLimit": {
        "description": "How many the user may send now, and after how many seconds one more.",
        "schema": {"type": "string", "examples": ['"user";r=199;t=0']},
    },
}
"""Headers of every answer to somebody who is let in, of draft-ietf-httpapi-ratelimit-headers."""

LINK = {
    "description": "Where there is more: the next page, with rel=next (RFC 8288).",
    "schema": {"type": "string", "examples": ['</v1/deals?limit=50&cursor=WyI>; rel="next"']},
}

_CHALLENGE = {"WWW-Authenticate": {"description": "As in RFC 6750.", "schema": _TEXT}}

PROBLEMS: Mapping[HTTPStatus, tuple[str, Mapping[str, Any]]] = {
    HTTPStatus.BAD_REQUEST: ("A header cannot be read, or the body is no JSON.", {}),
    HTTPStatus.UNAUTHORIZED: ("Nobody is known to ask.", _CHALLENGE),
    HTTPStatus.FORBIDDEN: ("Who asks may not do this.", {}),
    HTTPStatus.NOT_FOUND: ("There is none of that id, or who asks may not know of it.", {}),
    HTTPStatus.CONFLICT: ("What is on record stands against it; the problem says what.", {}),
    HTTPStatus.PRECONDITION_FAILED: ("It is at another version by now.", {}),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ("The body is larger than may be sent.", {}),
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: ("The body is not sent as what the route takes.", {}),
    HTTPStatus.UNPROCESSABLE_ENTITY: (
        "A parameter or a field cannot be; the problem says why.",
        {},
    ),
    HTTPStatus.PRECONDITION_REQUIRED: ("What replaces has to send `If-Match`.", {}),
    HTTPStatus.TOO_MANY_REQUESTS: ("Whoever asks sends too much.", _RETRY),
    HTTPStatus.SERVICE_UNAVAILABLE: ("The server or its store cannot answer now.", _RETRY),
    HTTPStatus.GATEWAY_TIMEOUT: ("The event that was to be waited for did not come.", {}),
    HTTPStatus.INSUFFICIENT_STORAGE: ("There is no room left to write.", {}),
}
"""What each status means, and its headers."""


def components() -> dict[str, Any]:
    """The problems as `components.responses`, by the names of their statuses."""
    schema = {"$ref": "#/components/schemas/Problem"}
    content = {str(ProblemAnswer.media_type): {"schema": schema}}
    return {
        _name(status): {
            "description": words,
            **({"headers": dict(headers)} if headers else {}),
            "content": content,
        }
        for status, (words, headers) in PROBLEMS.items()
    }


def tell_statuses(path: str, method: str, operation: Mapping[str, Any], *, is_open: bool) -> None:
    """Name the problems in the responses of an operation, and the headers of its success."""
    responses = operation["responses"]
    parameters = {one["name"] for one in operation.get("parameters", [])}
    for status, told in responses.items():
        if status != "default" and not is_open:
            told.setdefault("headers", {}).update(RATES)
        if status == "200" and method == "get" and "cursor" in parameters:
            told.setdefault("headers", {}).setdefault("Link", LINK)
    default = responses.pop("default")
    for status in sorted(set(_possible(path, method, operation, is_open=is_open))):
        reference = f"#/components/responses/{_name(status)}"
        responses.setdefault(str(status.value), {"$ref": reference})
    responses["default"] = default


def _possible(
    path: str, method: str, operation: Mapping[str, Any], *, is_open: bool
) -> Iterator[HTTPStatus]:
    required = {one["name"]: one.get("required", False) for one in operation.get("parameters", [])}
    places = {one["in"] for one in operation.get("parameters", [])}
    yield HTTPStatus.UNPROCESSABLE_ENTITY
    yield HTTPStatus.SERVICE_UNAVAILABLE
    if not is_open:
        yield from (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS)
    if not is_open or "header" in places:
        yield HTTPStatus.BAD_REQUEST
    if "path" in places or path in _OF_NOTHING_NAMED:
        yield HTTPStatus.NOT_FOUND
    if "requestBody" in operation:
        yield from (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    if KEY in required:
        yield from (HTTPStatus.CONFLICT, HTTPStatus.INSUFFICIENT_STORAGE)
    if MATCH in required:
        yield HTTPStatus.PRECONDITION_FAILED
        if required[MATCH]:
            yield HTTPStatus.PRECONDITION_REQUIRED
    if WAIT_FOR in required:
        yield HTTPStatus.GATEWAY_TIMEOUT


_OF_NOTHING_NAMED = {"/v1/session", "/v1/checkpoints/latest"}
"""What may not be there, though no path names it."""


def _name(status: HTTPStatus) -> str:
    return status.name.title().replace("_", "")
