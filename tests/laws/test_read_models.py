"""Law: read models that were caught up live equal those made anew, whatever the interleaving."""

from __future__ import annotations

from contextlib import suppress
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, assert_never

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
from projections.engine import catch_up, read_checkpoints
from projections.rebuild import rebuild
from projections.views import Views
from tests.laws.pools import STAGES
from tests.projections.histories import amounts, facts, openings
from tests.projections.stores import (
    LogUpTo,
    Rows,
    append,
    draft,
    intent,
    opened_store,
    register,
    rows_of,
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


class Rebuild(msgspec.Struct, frozen=True):
    check: bool


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
readings = st.one_of(
    st.builds(CatchUp, st.integers(1, 4), st.integers(0, 3)),
    st.builds(Rebuild, st.booleans()),
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
        case CatchUp(batch_events, short_of_head):
            catch_up(views, log, max(log.head() - short_of_head, 0), batch_events=batch_events)
        case Rebuild(check):
            rebuilt = rebuild(views, log, check=check)
            assert rebuilt.swapped
            assert rebuilt.differences == ([] if check else None)
        case _:
            assert_never(step)


def made_anew(log: DealLog, head: int, folder: Path) -> Rows:
    """The rows of a log that had ended at `head`, made in one go."""
    views = Views(folder / "anew.db")
    try:
        catch_up(views, LogUpTo(log, head), batch_events=10_000)
        return rows_of(views)
    finally:
        views.close()
        (folder / "anew.db").unlink()


def position_of(views: Views) -> int:
    with views.reading() as connection:
        return max((c.position for c in read_checkpoints(connection)), default=0)


# Each example makes several stores on disk.
@settings(max_examples=settings().max_examples // 5)
@given(steps=st.lists(st.one_of(writes, writes, readings), max_size=8))
def test_live_rows_equal_rows_made_anew(steps: list[Step]) -> None:
    with TemporaryDirectory() as folder, opened_store(Path(folder)) as (log, views):
        for step in [*steps, CatchUp(3, 1), CatchUp(2, 0)]:
            take(step, log, views)
            if isinstance(step, CatchUp):
                head = position_of(views)
                assert rows_of(views) == made_anew(log, head, Path(folder))
        assert position_of(views) == log.head()
        assert rebuild(views, log, check=True).differences == []
