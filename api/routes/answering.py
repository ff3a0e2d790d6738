"""Answers: as they are encoded, as much of them as is wanted, and not again where they are known.

Theory of operation. What a request wants of an answer (`fields`) is read before it is looked up,
by `selects`, which every route has; the answer itself picks it out as it is sent. There it also
gets its tag, a hash of what is sent, so the tag tells no more than the answer does; whoever sends
it back is answered 304 while the answer is still that one.

Most answers bear the moment that they speak of, which without `as_of` is now: of two answers that
differ in that alone, one can be had for the other. So the moment is left out of the hash, and the
tag is weak. One deal, as it is to be written to, has the version in front of the hash and is a
strong one, for `If-Match`, which takes no other (RFC 9110, section 13.1.1). Its past has not.
"""

from base64 import urlsafe_b64encode
from collections.abc import Collection
from copy import deepcopy
from hashlib import blake2b
from http import HTTPStatus
from typing import Any

import msgspec
from fastapi import Depends, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from api.routes.faults import HeaderFault, ParameterFault
from api.routes.selecting import (
    DESCRIPTION,
    FIELDS,
    LONGEST,
    Selection,
    picked,
    selected,
)

TAG, KNOWN_TAGS = "ETag", "If-None-Match"

_STATE, _SHAPE = "selection", "x-shape"
_DONE = (HTTPStatus.OK, HTTPStatus.CREATED)
_MOMENTS = ("as_of", "known_at")
_HASH_BYTES = 12
_LONGEST_TAGS = 2_000


async def _selects(request: Request) -> None:
    route = request.scope.get("route")
    shape = answered_with(route)
    takes_fields = shape is not None and (request.method == "GET" or _declares_fields(route))
    if getattr(route, "include_in_schema", False) and not _models(route):
        _require_no_more(request, {FIELDS} if takes_fields else set())
    if shape is not None and takes_fields:
        _require_short_tags(request)
        setattr(request.state, _STATE, selected(request, shape))


def _require_no_more(request: Request, known: Collection[str]) -> None:
    """Refuse other parameters of a route that has no type for them, as those types do.

    Raises ParameterFault.
    """
    for name in request.query_params:
        if name not in known:
            raise ParameterFault(name, "there is no such parameter")


def _require_short_tags(request: Request) -> None:
    """Raises HeaderFault."""
    if len(",".join(request.headers.getlist(KNOWN_TAGS))) > _LONGEST_TAGS:
        raise HeaderFault(f"{KNOWN_TAGS}: it has more than {_LONGEST_TAGS:,} characters")


SELECTS = Depends(_selects)
"""For all routes: what is wanted of the answer is checked before anything is looked up."""


def _declares_fields(route: Any) -> bool:
    """Whether a route that is posted to and stores nothing takes `fields` as its parameter."""
    return any(one.alias == FIELDS for kind in _models(route) for one in kind.model_fields.values())


def _models(route: Any) -> list[type[BaseModel]]:
    """The types of a route's parameters."""
    kinds = [one.field_info.annotation for one in route.dependant.query_params]
    return [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]


def answered_with(route: Any) -> type[msgspec.Struct] | None:
    """The shape that a route answers with, where that is one of the wire."""
    told: dict[Any, Any] = getattr(route, "responses", None) or {}
    shapes = (told.get(status, {}).get(_SHAPE) for status in _DONE)
    return next((ANSWERS[shape] for shape in shapes if shape is not None), None)


ANSWERS: dict[str, type[msgspec.Struct]] = {}
"""The shapes that routes answer with, by the name of their schema."""


class Answer(JSONResponse):
    """An answer of the wire, encoded as it is."""

    content: Any

    def render(self, content: msgspec.Struct) -> bytes:
        self.content = content
        return msgspec.json.encode(content)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.status_code in _DONE:
            selection: Selection | None = scope.get("state", {}).get(_STATE)
            if selection:
                self.body = picked(bytes(self.body), selection)
                self.headers["content-length"] = str(len(self.body))
            if scope["method"] == "GET" and self.status_code == HTTPStatus.OK:
                tag = _tag(bytes(self.body), self.content, self.headers.get(TAG))
                self.headers[TAG] = tag
                if is_known(tag, Headers(scope=scope)):
                    await unchanged(self.headers)(scope, receive, send)
                    return
        await super().__call__(scope, receive, send)


class ProblemAnswer(Answer):
    """A problem. Whoever counts requests finds its code in the state of the request."""

    media_type = "application/problem+json"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("state", {})["problem"] = self.content.code
        await super().__call__(scope, receive, send)


def _tag(body: bytes, content: Any, version: str | None) -> str:
    """The tag of an answer; behind the version of what it shows, where its route tells one."""
    for name in _MOMENTS:
        moment = getattr(content, name, None)
        if isinstance(moment, str):
            body = body.replace(b'"%s"' % moment.encode(), b'"\0"')
    if version is None:
        return f"W/{tag_of(body)}"
    return f'"{version.strip(chr(34))}.{tag_of(body)[1:]}'


def tag_of(body: bytes) -> str:
    """A strong tag of exactly these bytes."""
    found = urlsafe_b64encode(blake2b(body, digest_size=_HASH_BYTES).digest()).decode()
    return f'"{found}"'


def is_known(tag: str, headers: Headers) -> bool:
    """Whether the request tells that it has the answer of that tag already."""
    given = ",".join(headers.getlist(KNOWN_TAGS))
    known = {one.strip().removeprefix("W/") for one in given.split(",")}
    return tag.removeprefix("W/") in known or "*" in known


def unchanged(headers: Any) -> Response:
    """What somebody is told who has the answer already."""
    kept = {name: value for name, value in headers.items() if not name.startswith("content-")}
    return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=kept)


# The description.

_FIELDS_PARAMETER = {
    "name": FIELDS,
    "in": "query",
    "required": False,
    "description": DESCRIPTION,
    "schema": {"type": "string", "maxLength": LONGEST},
}
_KNOWN_TAGS_PARAMETER = {
    "name": KNOWN_TAGS,
    "in": "header",
    "required": False,
    "description": "Tags of answers that are there already, as `ETag` had them: where the answer is"
    " still one of them, it is 304 without a body.",
    "schema": {"type": "string", "maxLength": _LONGEST_TAGS},
}
_TAG_HEADER = {
    "description": "Changes with the answer, for `If-None-Match`. The moment of asking is not part"
    " of it. Of one deal, asked for without a moment, it begins with the version, and is good for"
    " `If-Match` too.",
    "schema": {"type": "string"},
}


def describe_answers(document: dict[str, Any]) -> dict[tuple[str, str], type[msgspec.Struct]]:
    """Tell what every answer of the wire to GET takes, and that it has a tag.

    What the routes have said of their shapes for this is taken out, and answered with: the shape
    of each operation that has one, by path and method.
    """
    shapes = {}
    for path, methods in document["paths"].items():
        told = methods.get("get", {}).get("responses", {})
        if _SHAPE in told.get("200", {}):
            given = methods["get"].setdefault("parameters", [])
            if not any(one["name"] == FIELDS for one in given):
                given.append(deepcopy(_FIELDS_PARAMETER))
            given.append(deepcopy(_KNOWN_TAGS_PARAMETER))
            told["200"].setdefault("headers", {}).setdefault(TAG, _TAG_HEADER)
            told["304"] = {"description": "The answer is one that the request has a tag of."}
        for method, operation in methods.items():
            for one in operation["responses"].values():
                shape = one.pop(_SHAPE, None)
                if shape is not None and shape != "Problem":
                    shapes[path, method] = ANSWERS[shape]
    return shapes
