"""What every request that records has in common: its key, the version it rests on, its body.

A route that records takes these as parameters, and answers by `recorded`:

    @router.post(
        "/{unit_id}",
        responses=records(Recording, "What was recorded."),
        openapi_extra=accepts(RegisterUnit, {"name": "Sales West"}),
        dependencies=[takes(Action.CONFIGURE)],
    )
    def register_the_unit(
        command: Annotated[RegisterUnit, body_of(RegisterUnit)],
        command_id: CommandId,
        version: IfMatch,
    ) -> Answer:
        ...
        return recorded(answer, handled)

All of them are checked before anything is looked up, so what is wrong with a request tells
nothing of what the store holds.
"""

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Any, TypeVar
from uuid import uuid4

import msgspec
from fastapi import Depends, Header, Request

from api.problems import Failure
from api.routes.common import Answer, HeaderFault, answers
from api.strict_json import JsonFault, decode_strictly, written
from api.wire.problems import ParameterProblem
from domain.intent import Command
from store.handled import Handled

B = TypeVar("B", bound=msgspec.Struct)

KEY, REPLAYED, MATCH = "Idempotency-Key", "Idempotency-Replayed", "If-Match"

REQUIRED = "x-required"
"""Marks the schema of a header that a route requires, where the route itself tells its lack."""

_KEY = re.compile(r"[!-~]{1,200}", re.ASCII)
_ETAG = re.compile(r'"(0|[1-9][0-9]{0,17})(?:\.[\w-]{1,64})?"', re.ASCII)
_ETAG_PATTERN = f"^{_ETAG.pattern}$"
_PLACE = re.compile(r"[.\[\]]+")
_FIELD = re.compile(r"Object (?:missing required|contains unknown) field `(.*)`")


class RequestFault(ValueError):
    """The request cannot be used; `failure` says why, `errors` which fields of its body."""

    def __init__(self, failure: Failure, errors: Sequence[ParameterProblem] = ()) -> None:
        super().__init__(failure.detail)
        self.failure = failure
        self.errors = list(errors)


# The key.


async def _command_id(
    request: Request,
    key: Annotated[
        str | None,
        Header(
            alias=KEY,
            description="Makes repeating safe: 1 to 200 printable ASCII characters without"
            " blanks, such as a UUID. The same request under the same key has one effect and"
            " one answer; another request under it is refused.",
            json_schema_extra={"pattern": "^[!-~]{1,200}$"},
        ),
    ] = None,
) -> str:
    return command_id_of(request.headers.getlist(KEY)) if key is not None else str(uuid4())


def command_id_of(given: Sequence[str]) -> str:
    """The command id that the header `Idempotency-Key` names. Raises HeaderFault."""
    if len(given) > 1:
        raise HeaderFault(f"{KEY}: it is given more than once")
    if not _KEY.fullmatch(given[0]):
        raise HeaderFault(f"{KEY}: it is not 1 to 200 printable ASCII characters without blanks")
    return given[0]


CommandId = Annotated[str, Depends(_command_id)]
"""`Intent.command_id`: the header `Idempotency-Key`, or a new id. It counts for its sender alone.

Raises HeaderFault for one that cannot be used.
"""


# The version.


def etag(version: int) -> str:
    """The value of the headers `ETag` and `If-Match` for a version of a stream."""
    return f'"{version}"'


def version_of(given: Sequence[str]) -> int:
    """The version that the header `If-Match` names. Raises HeaderFault.

    One strong tag, as `ETag` had it on a write (`"7"`) or on a read (`"7.` and a hash of what was
    shown). A list, a weak tag or `*` would not say what was seen.
    """
    found = _ETAG.fullmatch(given[0].strip()) if len(given) == 1 else None
    if found is None:
        raise HeaderFault(
            f'{MATCH}: it is not one version in quotation marks, as in "7"; the tag of an answer'
            " about the past, or about more than one thing, has none"
        )
    return int(found[1])


async def _if_match(
    request: Request,
    match: Annotated[
        str | None,
        Header(
            alias=MATCH,
            description='Record only if it is still at this version, as in "7": what `ETag` had.',
            json_schema_extra={"pattern": _ETAG_PATTERN},
        ),
    ] = None,
) -> int | None:
    return None if match is None else version_of(request.headers.getlist(MATCH))


async def _if_match_required(
    request: Request,
    match: Annotated[
        str | None,
        Header(
            alias=MATCH,
            description='Required, since this replaces: the version that was seen, as in "7",'
            " what `ETag` had. Only if it is still that one is anything recorded.",
            json_schema_extra={"pattern": _ETAG_PATTERN, REQUIRED: True},
        ),
    ] = None,
) -> int:
    if match is None:
        raise RequestFault(
            Failure(
                "precondition-required",
                HTTPStatus.PRECONDITION_REQUIRED,
                "This replaces what is on record, so it has to name the version that it rests on.",
                f'Read it, and send the version in the header {MATCH}, as in "7".',
            )
        )
    return version_of(request.headers.getlist(MATCH))


IfMatch = Annotated[int | None, Depends(_if_match)]
"""`expected_version`: what `If-Match` names, where it is given. For what adds to the record."""

IfMatchRequired = Annotated[int, Depends(_if_match_required)]
"""`expected_version`: what `If-Match` names. For what replaces; without it the answer is 428."""


def version_for(command: type[Command]) -> Any:
    """The same as a dependency, for a command that says whether it replaces."""
    return Depends(_if_match_required if command.replaces else _if_match)


# The body.


def body_of(kind: type[B]) -> Any:
    """A dependency: the body, decoded from JSON as `kind`, whose unknown fields are refused.

    `kind` is a command of the domain, or a struct with `forbid_unknown_fields`. Raises
    RequestFault: 415 for what is not sent as JSON, 400 for what is none, 422 with the field
    that cannot be. Goes with `accepts(kind, …)`, which describes it.
    """
    assert kind.__struct_config__.forbid_unknown_fields, f"{kind.__name__} would take anything"

    async def decoded(request: Request) -> B:
        require_json(request)
        return decode_body(kind, await request.body())

    return Depends(decoded)


async def _only_json(request: Request) -> None:
    require_json(request)
    try:
        written(await request.body())
    except JsonFault as error:
        raise RequestFault(malformed(str(error))) from None


ONLY_JSON = Depends(_only_json)
"""For a route whose body FastAPI decodes, which takes it in other encodings and under other names.

Raises RequestFault: 415 for what is not sent as JSON, 400 for what is none.
"""


def require_json(request: Request) -> None:
    """Raise RequestFault unless the body is sent as JSON: other kinds browsers send by themselves.

    Every write says so, also one whose body may be empty: a page elsewhere cannot send that
    header without asking first.
    """
    kind, _, parameters = request.headers.get("content-type", "").lower().partition(";")
    charset = parameters.strip().removeprefix("charset=").strip('"')
    coded = request.headers.get("content-encoding", "identity").lower()
    if kind.strip() == "application/json" and charset in {"", "utf-8"} and coded == "identity":
        return
    raise RequestFault(
        Failure(
            "unsupported-media-type",
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "The body is not sent as JSON in UTF-8, uncompressed.",
            "Send it with the header Content-Type: application/json.",
        )
    )


def decode_body(kind: type[B], content: bytes) -> B:
    """The body as `kind`. Raises RequestFault.

    Whether it is JSON at all is told before what its fields are.
    """
    try:
        return decode_strictly(kind, content)
    except msgspec.ValidationError as error:
        problem = _problem(str(error))
        told = f"{problem.parameter}: {problem.detail}"
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        raise RequestFault(Failure("invalid-parameter", status, told), [problem]) from None
    except JsonFault as error:
        raise RequestFault(malformed(str(error))) from None


def malformed(reason: str) -> Failure:
    """What somebody is told whose body is no JSON, or says the same thing twice."""
    return Failure(
        "malformed-json", HTTPStatus.BAD_REQUEST, f"The body cannot be read as JSON: {reason}."
    )


def _problem(message: str) -> ParameterProblem:
    """What msgspec says of a field, with the field in front: `amount.currency`, `lines.0.total`."""
    reason, _, path = message.rpartition(" - at `$")
    if not reason:
        reason, path = message, ""
    place = [part for part in _PLACE.split(path.rstrip("`")) if part]
    found = _FIELD.fullmatch(reason)
    if found is not None:
        place.append(found[1])
        reason = "it is required" if "missing" in reason else "there is no such field"
    return ParameterProblem(".".join(place) or "body", reason)


# The answer.


def recorded(
    answer: msgspec.Struct,
    handled: Handled,
    *,
    status: HTTPStatus = HTTPStatus.OK,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """What a write is answered with: its version as `ETag`, and whether it was repeated.

    `answer` follows from what was recorded then and from nothing that came later, so that it is
    the same for whoever repeats the request.
    """
    told = {"ETag": etag(handled.version), **(headers or {})}
    if handled.repeated:
        told[REPLAYED] = "true"
    return Answer(answer, status_code=status, headers=told)


# The description.


BODIES: dict[str, type[msgspec.Struct]] = {}
"""The types that routes take as bodies, by the name of their schema."""

_ETAG_HEADER = {
    "description": "Version of the stream once it was recorded, for `If-Match`.",
    "schema": {"type": "string", "examples": ['"7"']},
}
REPLAYED_HEADER = {
    "description": "Told where the key was used before: this is the answer it had then.",
    "schema": {"type": "string", "enum": ["true"]},
}


def accepts(kind: type[msgspec.Struct], example: Mapping[str, Any]) -> dict[str, Any]:
    """How the body is described (`openapi_extra` of the route), with an example."""
    BODIES[kind.__name__] = kind
    content = {"schema": {"$ref": f"#/components/schemas/{kind.__name__}"}, "example": example}
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


def records(
    shape: type[msgspec.Struct], what: str, status: HTTPStatus = HTTPStatus.OK
) -> dict[int | str, dict[str, Any]]:
    """What a route that records answers with, for its description (`responses` of the route)."""
    found = answers(shape, what)
    told = found.pop(200)
    told["headers"] = {"ETag": _ETAG_HEADER, REPLAYED: REPLAYED_HEADER}
    return {status.value: told, **found}
