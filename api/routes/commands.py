"""Commands on deals over HTTP: a typed route for each, from the commands of the domain."""

from collections.abc import Callable, Iterable
from http import HTTPStatus
from itertools import groupby
from operator import attrgetter
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.routing import Match
from starlette.types import Scope

from api.commands import facts_of, summary
from api.examples import example
from api.problems import Failure
from api.queries.views import LONGEST_NAME
from api.recording import (
    ON_A_DEAL,
    Carried,
    UnusableId,
    open_for_caller,
    record_for_caller,
)
from api.routes.common import (
    Answer,
    Caller,
    DealId,
    ParameterFault,
    Store,
    require_once,
)
from api.routes.conditions import (
    CommandId,
    RequestFault,
    accepts,
    body_of,
    recorded,
    records,
    version_for,
)
from api.times import TimeError, parse_occurrence
from api.wire.recorded import DealRecording
from api.workspace import Workspace
from domain.access import NO_DEAL, Principal, may_somewhere, require
from domain.deal import DealCommand
from domain.history import stored_name
from domain.intent import Command, Intent, command_name
from domain.lifecycle.commands import OpenOpportunity
from domain.refusals import UnknownProcess

DEALS = "/v1/deals"

router = APIRouter()

SOURCE = "http"
"""`Intent.source` of what comes in over HTTP."""


def _may_give(kind: type[Command]) -> Any:
    """Whoever could not give such a command on any deal is refused before one is looked for."""

    async def allowed(request: Request) -> None:
        caller: Principal = request.state.caller
        if not may_somewhere(caller, kind.right):
            require(caller, kind.right, NO_DEAL)
        require_once(request)

    return Depends(allowed)


class _Group(APIRouter):
    """The routes of one part of the domain: passed by where the path ends as none of them does."""

    def __init__(self, ends: Iterable[str]) -> None:
        super().__init__(prefix=DEALS, tags=["commands"], default_response_class=Answer)
        self._ends = frozenset(ends)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["path"].rpartition("/")[2] not in self._ends:
            return Match.NONE, {}
        return super().matches(scope)


class RecordingParameters(BaseModel):
    """When it happened. An answer to a write is whole: it takes no `fields`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    occurred_at: str = Field(
        "now",
        max_length=100,
        description="When it happened: a date and time, a day (its end; today means now), or now."
        " Part of what is repeated under a key: today's date means another moment tomorrow.",
    )

    def intent(self, store: Workspace, caller: Principal, command_id: str) -> Intent:
        """The circumstances of the command. Raises ParameterFault."""
        now = store.now()
        try:
            occurred_at = parse_occurrence(self.occurred_at, store.zone, now)
        except TimeError as error:
            raise ParameterFault("occurred_at", str(error)) from None
        return Intent(command_id, caller, SOURCE, now=now, occurred_at=occurred_at)


class OpeningParameters(RecordingParameters):
    """When it happened, and under which id."""

    id: str | None = Field(
        None,
        max_length=LONGEST_NAME,
        description="The id to give the deal; without it, one that follows from who asks and the"
        " key.",
    )


def open_a_deal(
    *,
    store: Store,
    caller: Caller,
    command_id: CommandId,
    parameters: Annotated[OpeningParameters, Query()],
    command: Annotated[OpenOpportunity, body_of(OpenOpportunity)],
) -> Answer:
    intent = parameters.intent(store, caller, command_id)
    try:
        carried = open_for_caller(store, parameters.id, command, intent)
    except UnusableId as error:
        raise ParameterFault("id", str(error)) from None
    except UnknownProcess as error:
        raise _unknown_process(error) from None
    location = {"Location": f"{DEALS}/{quote(carried.deal_id, safe='')}"}
    status = HTTPStatus.CREATED if carried.handled.events else HTTPStatus.OK
    return _answer(carried, status, location)


def _recording_of(kind: type[Command]) -> Callable[..., Answer]:
    """The route of one command. What replaces has to name the version that it rests on."""

    def record(
        *,
        store: Store,
        caller: Caller,
        command_id: CommandId,
        parameters: Annotated[RecordingParameters, Query()],
        deal_id: DealId,
        command: Annotated[DealCommand, body_of(kind)],
        version: Annotated[int | None, version_for(kind)],
    ) -> Answer:
        intent = parameters.intent(store, caller, command_id)
        try:
            carried = record_for_caller(store, deal_id, command, intent, version)
        except UnknownProcess as error:
            raise _unknown_process(error) from None
        return _answer(carried)

    return record


def _unknown_process(refusal: UnknownProcess) -> RequestFault:
    """Named in a body; in a path it is not found."""
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    return RequestFault(Failure(refusal.code, status, refusal.message, refusal.satisfied_by))


def _answer(
    carried: Carried,
    status: HTTPStatus = HTTPStatus.OK,
    headers: dict[str, str] | None = None,
) -> Answer:
    handled = carried.handled
    told = DealRecording.of(carried.deal_id, handled.stream, handled.version, carried.events)
    return recorded(told, handled, status=status, headers=headers)


def _words(kind: type[Command]) -> str:
    """What the command is for, and what it is recorded as."""
    leads_to = ", ".join(f"`{stored_name(fact)}`" for fact in facts_of(kind))
    replaces = " It replaces, and takes `If-Match`." if kind.replaces else ""
    return f"{summary(kind)}\n\nRecorded as {leads_to}.{replaces}"


def _add(
    to: APIRouter, path: str, endpoint: Callable[..., Answer], kind: type[Command], **more: Any
) -> None:
    name = command_name(kind)
    to.add_api_route(
        path,
        endpoint,
        methods=["POST"],
        name=name.replace("-", "_"),
        summary=name.replace("-", " ").capitalize(),
        description=_words(kind),
        openapi_extra=accepts(kind, example(kind)),
        dependencies=[_may_give(kind)],
        **more,
    )


_LOCATION = {"description": "Address of the deal.", "schema": {"type": "string"}}

_opened = {
    **records(DealRecording, "It was there already, as it is asked for; nothing changed."),
    **records(DealRecording, "The deal was opened.", HTTPStatus.CREATED),
}
for _status in (HTTPStatus.OK, HTTPStatus.CREATED):
    _opened[_status]["headers"]["Location"] = _LOCATION
_opening = _Group([DEALS.rpartition("/")[2]])
_add(
    _opening,
    "",
    open_a_deal,
    OpenOpportunity,
    status_code=HTTPStatus.CREATED,
    responses=_opened,
)
router.include_router(_opening)
for _, _kinds in groupby(ON_A_DEAL.values(), key=attrgetter("__module__")):
    _part = {command_name(_kind): _kind for _kind in _kinds}
    _group = _Group(_part)
    for _name, _kind in _part.items():
        _add(
            _group,
            f"/{{deal_id}}/{_name}",
            _recording_of(_kind),
            _kind,
            responses=records(DealRecording, "It was recorded."),
        )
    router.include_router(_group)
