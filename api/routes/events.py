"""The feed over HTTP: pages of events, and server-sent events."""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any, ClassVar

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from pydantic import Field

from api.around.door import refusal, who_asks
from api.auth.refused import IssuerUnavailable, NotAuthenticated, TooManyAttempts
from api.feed.places import NoStreamLeft, TooManyStreams
from api.feed.service import FeedService
from api.feed.sse import MEDIA_TYPE, EventStream, blocks
from api.problems import MEANINGS, Failure
from api.queries.events import EventQuery, Part, Who, known_types, require_feed_reader, type_named
from api.routes.common import (
    ANSWERS,
    POSITION,
    Answer,
    Caller,
    HeaderFault,
    ParameterFault,
    Parameters,
    answers,
    waits,
)
from api.routes.failures import problem_answer
from api.wire.events import BATCH, CloudEvent
from api.workspace import Workspace
from domain.access import Principal
from domain.history import StreamKind

router = APIRouter(prefix="/v1/events", tags=["events"], default_response_class=Answer)

LAST_EVENT_ID = "Last-Event-ID"
_LARGEST_POSITION = 2**63 - 1
_LONGEST_STREAM = 300
_LONGEST_WAIT_SECONDS = 20
_LOOK_SECONDS = 1.0


async def _feed(request: Request) -> FeedService:
    service: FeedService = request.app.state.feed
    return service


FeedOfStore = Annotated[FeedService, Depends(_feed)]


class ChoosingParameters(Parameters):
    """Which events."""

    wanted: ClassVar[None] = None  # type: ignore[misc]  # CloudEvents are handed out whole.

    types: str | None = Field(
        None,
        max_length=2_000,
        description="Only events of these types, with commas between, as in"
        " stage-advanced,opportunity-won.",
    )
    stream: str | None = Field(
        None,
        max_length=_LONGEST_STREAM,
        description="Only events of this stream, by kind and id, as in deal:d-1.",
    )

    def check(self, store: Workspace) -> None:
        self.query(0)

    def query(self, after: int, limit: int = 100) -> EventQuery:
        """Raises ParameterFault."""
        return EventQuery(after, limit, _types(self.types), _stream(self.stream))


class EventParameters(ChoosingParameters):
    """Which events, from where, and whether to wait for some."""

    after: int = Field(
        0, ge=0, le=_LARGEST_POSITION, description="Events behind this position of the feed."
    )
    limit: int = Field(100, ge=1, le=1_000, description="At most so many.")
    wait_seconds: int = Field(
        0,
        ge=0,
        le=_LONGEST_WAIT_SECONDS,
        description="Where there is none, wait so long for one.",
    )


class StreamParameters(ChoosingParameters):
    """Which events, and from where."""

    after: int | None = Field(
        None,
        ge=0,
        le=_LARGEST_POSITION,
        description="Events behind this position of the feed; without it, those from now on.",
    )


def _types(given: str | None) -> frozenset[str]:
    if given is None:
        return frozenset()
    named = frozenset(type_named(one.strip()) for one in given.split(","))
    for one in sorted(named - known_types()):
        raise ParameterFault("types", f"there is no type of event {one!r}")
    return named


def _stream(given: str | None) -> str | None:
    if given is None:
        return None
    kind, _, identifier = given.partition(":")
    if kind not in set(StreamKind) or not identifier or "\0" in given:
        kinds = ", ".join(StreamKind)
        raise ParameterFault("stream", f"it is a kind ({kinds}), a colon and an id, as in deal:d-1")
    return given


_POSITION_HEADER = {
    "description": "Position of the feed: every event up to it that was asked for and may be read"
    " is in this answer or before it. Hand it back as `after`.",
    "schema": {"type": "integer", "minimum": 0},
}
_LINK_HEADER = {
    "description": "Where there is more: the next page, with rel=next.",
    "schema": {"type": "string"},
}


def _told(what: str, content: Mapping[str, Any], **headers: Any) -> dict[int | str, dict[str, Any]]:
    """What a route answers with that hands out events."""
    ANSWERS[CloudEvent.__name__] = CloudEvent
    found = answers(CloudEvent, what)
    found[200] = {"description": what, "content": dict(content), "headers": headers}
    return found


_EVENT = {"$ref": f"#/components/schemas/{CloudEvent.__name__}"}
_PAGE = _told(
    "Events in the order of the feed, in the JSON batch format of CloudEvents.",
    {BATCH: {"schema": {"type": "array", "items": _EVENT}}},
    **{POSITION: _POSITION_HEADER, "Link": _LINK_HEADER},
)
_SENT_EVENT = {
    "type": "object",
    "description": "Each event of the stream.",
    "properties": {name: {"type": "string"} for name in ("id", "event", "data")},
    "required": ["id", "event", "data"],
}
_STREAM = _told(
    "Server-sent events: `id` is the position, `data` a CloudEvent.",
    {MEDIA_TYPE: {"schema": _SENT_EVENT}},
)


@router.get("", responses=_PAGE, dependencies=[waits(EventParameters)])
async def list_events(
    request: Request,
    service: FeedOfStore,
    caller: Caller,
    parameters: Annotated[EventParameters, Query()],
) -> Response:
    """Events that the caller may read, as CloudEvents, in the one order of the log."""
    require_feed_reader(caller)
    query = parameters.query(parameters.after, parameters.limit)
    await _require_reached("after", query.after, service)
    try:
        part = await service.part(_who(request), query)
        if not part.events and not part.has_more and parameters.wait_seconds:
            part = await _awaited(request, service, query, part, parameters.wait_seconds)
    except (NotAuthenticated, TooManyAttempts, IssuerUnavailable) as error:
        return _refused(request, error)
    except (TooManyStreams, NoStreamLeft) as error:
        return _full(error)
    headers = {POSITION: str(part.position)}
    if part.has_more:
        following = request.url.include_query_params(after=part.position)
        headers["Link"] = f'<{following.path}?{following.query}>; rel="next"'
    return Response(part.batch(), media_type=BATCH, headers=headers)


async def _awaited(
    request: Request, service: FeedService, query: EventQuery, part: Part, wait_seconds: int
) -> Part:
    """The part of the feed, once there is an event in it or the time is over."""
    loop = asyncio.get_running_loop()
    give_up = loop.time() + wait_seconds
    give_back = service.places.take(_caller(request).id)
    try:
        while not part.events and not part.has_more and not service.is_ending:
            left = give_up - loop.time()
            if left <= 0:
                break
            if not await service.follower.beyond(part.position, min(left, _LOOK_SECONDS)):
                continue
            behind = EventQuery(part.position, query.limit, query.types, query.stream)
            part = await service.part(_who(request), behind, waited=True)
    finally:
        give_back()
    return part


@router.get("/stream", responses=_STREAM, dependencies=[waits(StreamParameters)])
async def stream_events(
    request: Request,
    service: FeedOfStore,
    caller: Caller,
    parameters: Annotated[StreamParameters, Query()],
    last_event_id: Annotated[
        str | None,
        Header(
            alias=LAST_EVENT_ID,
            description="The `id` that was received last; it counts instead of `after`.",
            json_schema_extra={"maxLength": 20},
        ),
    ] = None,
) -> Response:
    """Events that the caller may read, as they are recorded, as server-sent events."""
    require_feed_reader(caller)
    query = parameters.query(0)
    after = await _begin(request, service, parameters.after, last_event_id)
    try:
        give_back = service.places.take(caller.id)
    except (TooManyStreams, NoStreamLeft) as error:
        return _full(error)
    behind = EventQuery(after, query.limit, query.types, query.stream)
    sent = blocks(service, _who(request), behind)
    return EventStream(sent, give_back)


async def _begin(
    request: Request, service: FeedService, after: int | None, last_event_id: str | None
) -> int:
    """The position that a stream begins behind. Raises HeaderFault, ParameterFault."""
    # A browser that received no id sends an empty one.
    if last_event_id:
        position = _position(request.headers.getlist(LAST_EVENT_ID))
        try:
            await _require_reached("", position, service)
        except ParameterFault as fault:
            raise HeaderFault(f"{LAST_EVENT_ID}: {fault.detail}") from None
        return position
    if after is None:
        return await service.head()
    await _require_reached("after", after, service)
    return after


def _position(given: list[str]) -> int:
    """Raises HeaderFault."""
    text = given[0]
    fits = text.isascii() and text.isdecimal() and len(text) <= len(str(_LARGEST_POSITION))
    if len(given) > 1 or not fits:
        raise HeaderFault(f"{LAST_EVENT_ID}: it is not the id of an event of this stream")
    return int(text)


async def _require_reached(parameter: str, position: int, service: FeedService) -> None:
    """Refuse a position of another log: what gets it here later would never be read.

    Raises ParameterFault.
    """
    if position and position > (head := await service.head()):
        raise ParameterFault(
            parameter, f"the feed ends at {head}; a restored store may end before it did"
        )


def _caller(request: Request) -> Principal:
    caller: Principal = request.state.caller
    return caller


def _who(request: Request) -> Who:
    """Who asks, as of whenever that is asked: keys and sessions end while a request goes on."""

    def now() -> Principal:
        return who_asks(request.scope, _address(request))[0]

    return now


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _refused(request: Request, error: Exception) -> Response:
    answer = refusal(error, _address(request))
    assert answer is not None
    return answer


def _full(error: TooManyStreams | NoStreamLeft) -> Response:
    if isinstance(error, TooManyStreams):
        code, status = "too-many-streams", HTTPStatus.TOO_MANY_REQUESTS
    else:
        code, status = "too-busy", HTTPStatus.SERVICE_UNAVAILABLE
    return problem_answer(Failure(code, status, MEANINGS[code]), headers={"Retry-After": "10"})
