"""Law: read models that were caught up live equal those made anew, whatever the interleaving."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import count
from typing import TYPE_CHECKING, assert_never
from unittest.mock import patch

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.corrections import EventWithdrawn, WithdrawEvent
from domain.deal import DealCommand, DealFact
from domain.lifecycle.commands import (
    AddNote,
    ChangeOwner,
    LoseOpportunity,
    OpenOpportunity,
    ReopenOpportunity,
    WinOpportunity,
)
from domain.lifecycle.facts import LostOutcome, OpportunityOpened
from domain.refusals import Refusal
from domain.stages.commands import AdvanceStage, ReviseForecast
from projections import audit, deals, periods
from projections.engine.checkpoints import read_checkpoints
from projections.engine.keeping_up import catch_up
from projections.engine.models import MODELS
from projections.engine.rebuilding import rebuild
from projections.models import ReadModel, Rows, Told
from projections.views import NotBuilt, Views
from store.tail import Tail
from tests.conftest import NewLocation
from tests.laws.pools import STAGES
from tests.projections.histories import amounts, facts, openings
from tests.projections.stores import (
    Rows as AllRows,
)
from tests.projections.stores import (
    TailUpTo,
    append,
    draft,
    intent,
    opened_store,
    register,
    rows_of,
    views_beside,
)
from tests.scenario import SHORT, day

if TYPE_CHECKING:
    from store.log import DealLog


class Entry(msgspec.Struct, frozen=True):
    """A fact on a day, known on a day or when recorded; a number withdraws that version."""

    fact: DealFact | int
    day: int
    known_on: int | None


class Import(msgspec.Struct, frozen=True):
    deal_id: str
    opening: OpportunityOpened
    entries: list[Entry]


class Handle(msgspec.Struct, frozen=True):
    deal_id: str
    command: DealCommand
    day: int


class Register(msgspec.Struct, frozen=True):
    user: str
    name: str


class CatchUp(msgspec.Struct, frozen=True):
    batch_events: int
    short_of_head: int
    models: tuple[ReadModel, ...] = MODELS


class Rebuild(msgspec.Struct, frozen=True):
    check: bool
    models: tuple[ReadModel, ...] = MODELS


Step = Import | Handle | Register | CatchUp | Rebuild


deal_ids = st.sampled_from(["a", "b", "c"])
days = st.integers(0, 6)
entries = st.builds(Entry, facts() | st.integers(2, 9), days, st.none() | days)
commands: st.SearchStrategy[DealCommand] = st.one_of(
    st.just(OpenOpportunity("Press line", "ann", "USD", SHORT.ref)),
    st.builds(AdvanceStage, st.sampled_from(STAGES), st.just("in a hurry")),
    st.builds(ReviseForecast, amount=amounts("USD")),
    st.builds(ChangeOwner, st.sampled_from(["ann", "bo"])),
    st.just(WinOpportunity()),
    st.just(LoseOpportunity(LostOutcome.NO_DECISION)),
    st.just(ReopenOpportunity("they called")),
    st.just(AddNote("…")),
    st.builds(WithdrawEvent, st.integers(2, 5), st.just("an error")),
)
writes = st.one_of(
    st.builds(Import, deal_ids, openings(), st.lists(entries, max_size=5)),
    st.builds(Handle, deal_ids, commands, days),
    st.builds(Register, st.sampled_from(["ann", "bo"]), st.sampled_from(["Ann", "Anna"])),
)
some_models = st.sampled_from([(audit,), (deals, periods)])
readings = st.one_of(
    st.builds(CatchUp, st.integers(1, 4), st.integers(0, 3)),
    st.builds(CatchUp, st.integers(1, 4), st.integers(0, 3), some_models),
    st.builds(Rebuild, st.booleans()),
    st.builds(Rebuild, st.booleans(), some_models),
)
command_ids = map(str, count())


def take(step: Step, log: DealLog, views: Views) -> None:
    match step:
        case Import(deal_id, opening, some):
            first = [] if log.events_in(f"deal:{deal_id}") else [Entry(opening, 0, None)]
            append(
                log,
                deal_id,
                *(
                    draft(
                        EventWithdrawn((e.fact,), "an error")
                        if isinstance(e.fact, int)
                        else e.fact,
                        e.day,
                        e.known_on,
                    )
                    for e in [*first, *some]
                ),
            )
        case Handle(deal_id, command, on_day):
            with suppress(Refusal):
                log.handle(deal_id, command, intent(next(command_ids), day(on_day)))
        case Register(user, name):
            register(log, user, name)
        case CatchUp(batch_events, short_of_head, models):
            until = max(log.head() - short_of_head, 0)
            catch_up(views, Tail(log), until, batch_events=batch_events, models=models)
        case Rebuild(check, models):
            built = bool(positions_of(views))
            rebuilt = rebuild(views, Tail(log), models, check=check)
            assert rebuilt.switched
            assert rebuilt.differences == ([] if check and built else None)
        case _:
            assert_never(step)


def made_anew(log: DealLog, head: int) -> AllRows:
    """The rows of a log that had ended at `head`, made in one go."""
    with views_beside(log.location) as views:
        catch_up(views, TailUpTo(log, head))
        return rows_of(views)


def positions_of(views: Views) -> set[int]:
    """How far the models have read, nothing where there are none."""
    try:
        with views.reading() as connection:
            return {one.position for one in read_checkpoints(connection)}
    except NotBuilt:
        return set()


@contextmanager
def picky() -> Iterator[None]:
    """Models that fail for some states of a deal, each for others."""

    def failing(model: ReadModel, every: int) -> Callable[[Told], Rows]:
        original = model.rows

        def rows(told: Told) -> Rows:
            if told.kind == "deal" and len(told.events) % every == every - 1:
                raise ValueError(f"{len(told.events)} events")
            return original(told)

        return rows

    with ExitStack() as stack:
        for model, every in ((audit, 4), (deals, 3), (periods, 5)):
            stack.enter_context(patch.object(model, "rows", failing(model, every)))
        yield


def holds(new_location: NewLocation, steps: list[Step]) -> None:
    with opened_store(new_location()) as (log, views):
        for step in [*steps, CatchUp(3, 1), CatchUp(2, 0)]:
            take(step, log, views)
            if isinstance(step, CatchUp) and len(positions := positions_of(views)) == 1:
                assert rows_of(views) == made_anew(log, *positions)
        assert positions_of(views) == {log.head()}
        assert rebuild(views, Tail(log), check=True).differences == []


any_steps = st.lists(st.one_of(writes, writes, readings), max_size=6)


# Each example makes several stores.
@settings(max_examples=settings().max_examples // 10)
@given(steps=any_steps)
def test_live_rows_equal_rows_made_anew(new_location: NewLocation, steps: list[Step]) -> None:
    holds(new_location, steps)


@settings(max_examples=settings().max_examples // 20)
@given(steps=any_steps)
def test_also_where_models_fail_now_and_then(new_location: NewLocation, steps: list[Step]) -> None:
    with picky():
        holds(new_location, steps)
