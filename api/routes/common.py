"""What the routes share: the store, the parameters of time, answers and how they are described."""

import asyncio
import re
import time
from collections.abc import Callable, Sequence
from itertools import dropwhile
from typing import Annotated, Any, TypeVar
from urllib.parse import unquote, urlencode

import msgspec
from fastapi import Depends, Header, Path, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from api.queries.instants import Instants
from api.queries.views import LONGEST_NAME, View, open_view, require_reader
from api.queries.waiting import may_know_of
from api.routes.answering import ANSWERS as ANSWERS
from api.routes.answering import Answer as Answer
from api.routes.answering import ProblemAnswer as ProblemAnswer
from api.routes.faults import HeaderFault as HeaderFault
from api.routes.faults import ParameterFault as ParameterFault
from api.routes.selecting import DESCRIPTION, LONGEST
from api.times import DayMeans, TimeError, parse_instant
from api.wire.problems import Problem
from api.workspace import Awaited, NotRecorded, Workspace
from domain.access import NO_DEAL, Action, Principal, may, require
from domain.refusals import NotAllowed
from projections.deals import DealNotFound

A = TypeVar("A", bound=msgspec.Struct)


WAIT_FOR, POSITION = "Dealstate-Wait-For", "Dealstate-Position"

WAIT_SECONDS = 3.0
"""For an event that is not in the log yet."""
LOOK_SECONDS = 0.05
MOST_AWAITED = 20
"""Events that one request may name."""
_BARE_PERCENT = re.compile("%(?![0-9A-Fa-f]{2})")


# Where it does nothing that waits, a dependency is asynchronous: others take a thread. And it asks
# the request for the store and the caller: a dependency of its own takes longer than most do.


async def _store(request: Request) -> Workspace:
    store: Workspace = request.app.state.store
    return store


Store = Annotated[Workspace, Depends(_store)]


async def _caller(request: Request) -> Principal:
    """Whom the door has let in; a route before the door has no caller."""
    caller: Principal = request.state.caller
    return caller


Caller = Annotated[Principal, Depends(_caller)]
"""Who asks. Every route that shows a deal, or the trail, answers to them."""


def takes(*actions: Action) -> Any:
    """For routes that concern no single deal: whoever may do one of the actions may ask.

    Without actions, whoever holds any role.
    """

    async def allowed(request: Request) -> None:
        caller: Principal = request.state.caller
        if actions and not any(may(caller, one, NO_DEAL).allowed for one in actions):
            require(caller, actions[0], NO_DEAL)
        if not caller.roles:
            raise NotAllowed(f"{caller.id} has no role, and may do nothing", "Have one granted.")

    return Depends(allowed)


async def _reader(request: Request) -> None:
    require_reader(request.state.caller)


READS_DEALS = Depends(_reader)
"""For routes over all deals that the caller may read: who reads none is refused."""


def waits(kind: type["Parameters"] | None = None) -> Any:
    """For routes that read: the request can name events that its answer has to include.

    `kind` are the parameters of the route. What cannot be used of them is told before the
    events are waited for.
    """

    async def recorded(
        request: Request,
        wait_for: Annotated[
            str | None,
            Header(
                alias=WAIT_FOR,
                description="Events that the answer has to include, as in deal:d-1@7: at most"
                f" {MOST_AWAITED}, with commas between. Commas and percent signs in an event, and"
                " other characters than ASCII, are percent-encoded.",
                json_schema_extra={"maxLength": _LONGEST_WAIT_FOR},
            ),
        ] = None,
    ) -> None:
        if kind is not None:
            require_once(request)
        if wait_for is None:
            return
        store: Workspace = request.app.state.store
        awaited = _awaited(request.headers.getlist(WAIT_FOR))
        if kind is None or await run_in_threadpool(_usable, kind, request, store):
            await _wait(store, request.state.caller, awaited)

    return Depends(recorded)


def require_once(request: Request) -> None:
    """No parameter is a list: of several values all but one would count for nothing.

    Raises ParameterFault.
    """
    for name in request.query_params:
        if len(request.query_params.getlist(name)) > 1:
            raise ParameterFault(name, "it is given more than once")


def _awaited(given: Sequence[str]) -> list[Awaited]:
    """The events that the header names, a list (RFC 9110, 5.6.1). Raises HeaderFault."""
    text = ",".join(given)
    if len(text) > _LONGEST_WAIT_FOR:
        raise HeaderFault(f"{WAIT_FOR}: it has more than {_LONGEST_WAIT_FOR:,} characters")
    named = [one for one in (part.strip(" \t") for part in text.split(",")) if one]
    if len(named) > MOST_AWAITED:
        raise HeaderFault(f"{WAIT_FOR}: it names more than {MOST_AWAITED} events")
    try:
        return [Awaited.parse(_decoded(one)) for one in named or [""]]
    except ValueError as error:
        raise HeaderFault(f"{WAIT_FOR}: {error}") from None


def _decoded(text: str) -> str:
    """What is percent-encoded. Raises ValueError."""
    if _BARE_PERCENT.search(text):
        raise ValueError("write the percent sign in an event as %25")
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise ValueError("what is percent-encoded in an event is not UTF-8") from None


def _usable(kind: type["Parameters"], request: Request, store: Workspace) -> bool:
    """Whether the parameters can be used. Raises ParameterFault, CursorError.

    Those that are not of their kind are told by the route itself, which is not reached else.
    """
    try:
        parameters = kind.model_validate(dict(request.query_params))
    except ValidationError:
        return False
    parameters.check(store)
    return True


async def _wait(store: Workspace, caller: Principal, awaited: Sequence[Awaited]) -> None:
    """Hold the request until the log has the events. Raises NotRecorded.

    An event that the caller may not know of is none: it is waited for in vain, as one is that
    does not exist.
    """
    give_up = time.monotonic() + WAIT_SECONDS
    while awaited := await run_in_threadpool(_missing, store, caller, awaited):
        if time.monotonic() >= give_up:
            raise NotRecorded(awaited[0])
        await asyncio.sleep(LOOK_SECONDS)


def _missing(store: Workspace, caller: Principal, awaited: Sequence[Awaited]) -> list[Awaited]:
    """The first that is not there, and those behind it, which were not looked for yet."""
    return list(dropwhile(lambda one: _is_there(store, caller, one), awaited))


def _is_there(store: Workspace, caller: Principal, awaited: Awaited) -> bool:
    return store.has(awaited) and may_know_of(store, caller, awaited)


DealId = Annotated[str, Path(description="Id of the deal.", max_length=LONGEST_NAME)]


def _readable(store: Store, caller: Caller, deal_id: DealId) -> View:
    require_reader(caller)
    try:
        return open_view(store, caller, Action.READ, deal_id)
    except NotAllowed:
        # Who may not read a deal is not told that there is one.
        raise DealNotFound(deal_id, []) from None


ReadableDeal = Annotated[View, Depends(_readable)]
"""The deal of the path, as far as the caller may read it."""


LONGEST_PARAMETER = 4_000
"""Characters of a parameter that has no limit of its own; cursors hold names."""

LARGEST = 2**53 - 1
"""The largest number that every reader of JSON reads exactly."""

_LONGEST_WAIT_FOR = 6_000


class Parameters(BaseModel):
    """Query parameters of a route. Others than these are refused, and each counts once."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_max_length=LONGEST_PARAMETER)

    wanted: str | None = Field(None, alias="fields", max_length=LONGEST, description=DESCRIPTION)

    def check(self, store: Workspace) -> None:
        """What can be said of them without looking into the store's deals.

        Raises ParameterFault, CursorError.
        """


class AtParameters(Parameters):
    """Both axes of time."""

    as_of: str | None = Field(
        None, description="What was true then: a day (its end), a date and time, or now."
    )
    known_at: str | None = Field(None, description="What was known then; without it, all that is.")

    def check(self, store: Workspace) -> None:
        self.instants(store)

    def instants(self, store: Workspace) -> Instants:
        return Instants(
            instant(store, "as_of", self.as_of), instant(store, "known_at", self.known_at)
        )


def instant(
    store: Workspace, parameter: str, text: str | None, day_means: DayMeans = DayMeans.END
) -> Any:
    """The moment that a parameter names. Raises ParameterFault."""
    if text is None:
        return None
    try:
        return parse_instant(text, store.zone, store.now(), day_means)
    except TimeError as error:
        raise ParameterFault(parameter, str(error)) from None


def positioned(store: Workspace, ask: Callable[[], A]) -> tuple[A, dict[str, str]]:
    """What read models answer, and the header that says up to which event at least."""
    position = store.tail.head()
    return ask(), {POSITION: str(position)}


def answers(
    shape: type[msgspec.Struct],
    what: str,
    *,
    has_position: bool = False,
    also: Sequence[str] = (),
) -> dict[int | str, dict[str, Any]]:
    """What a route answers with, for its description; `also` as text of these media types."""
    found = _content(shape, what, Answer.media_type)
    found["content"].update({media_type: {"schema": {"type": "string"}} for media_type in also})
    headers = {"headers": {POSITION: _POSITION}} if has_position else {}
    return {
        200: {**found, **headers},
        "default": _content(Problem, "A problem.", ProblemAnswer.media_type),
    }


_POSITION = {
    "description": "Position in the log: every event up to it is in the answer, and whichever were"
    " recorded since.",
    "schema": {"type": "integer", "minimum": 0},
}


def _content(shape: type[msgspec.Struct], what: str, media_type: str | None) -> dict[str, Any]:
    assert media_type is not None
    ANSWERS[shape.__name__] = shape
    schema = {"$ref": f"#/components/schemas/{shape.__name__}"}
    content = {media_type: {"schema": schema}}
    return {"description": what, "content": content, "x-shape": shape.__name__}


def next_link(request: Request, cursor: str | None) -> dict[str, str]:
    """The header that leads to the part of a listing that follows (RFC 8288)."""
    if cursor is None:
        return {}
    kept = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
    query = urlencode([*kept, ("cursor", cursor)])
    return {"Link": f'<{request.url.path}?{query}>; rel="next"'}
