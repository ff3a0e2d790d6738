"""Laws of deal periods: they answer every question of (as of, known at) as the fold does."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, cast

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, create_engine, delete, insert, select

from domain.corrections import EventWithdrawn
from domain.deal import Deal, DealEvent, DealFact, evolve, replay, standing
from domain.history import Draft, Fact, stored_name
from domain.process import ProbabilityHolds, ProcessBook
from domain.values import END_OF_TIME, START_OF_TIME
from projections import deals as deals_model
from projections import periods
from projections.frames import DealFold, Timeline, frames_of
from projections.instants import FOREVER, instant_of, micros
from projections.models import Told
from projections.pipeline import holds_at
from projections.reported import UNREPORTED, reported
from projections.rows import ReportedRows, reported_row
from projections.tables import deal_marks, deal_periods
from projections.tables import deals as deals_table
from tests.laws import deals
from tests.projections.histories import around, handovers, histories
from tests.scenario import BOOK, STREAM, day

Row = dict[str, Any]
SPAN = ("deal_id", "occurred_from", "occurred_until", "known_from", "known_until")

WITHOUT_MILESTONES = ProcessBook(
    msgspec.structs.replace(process, probability_holds=ProbabilityHolds.ENTRY) for process in BOOK
)

any_order = st.one_of(histories(of=handovers), histories(), deals.histories())


@st.composite
def one_order(draw: st.DrawFn) -> tuple[DealEvent, ...]:
    """Events that became known in the order in which they occurred, none withdrawn."""
    events = [event for event in draw(any_order) if not isinstance(event.fact, EventWithdrawn)]
    times = zip(
        sorted(event.occurred_at for event in events),
        sorted(event.known_at for event in events),
        strict=True,
    )
    return tuple(
        msgspec.structs.replace(event, version=version, occurred_at=at, known_at=known_at)
        for version, (event, (at, known_at)) in enumerate(zip(events, times, strict=True), start=1)
    )


any_histories = st.one_of(any_order, one_order())


def told(events: Sequence[DealEvent]) -> Told:
    return Told("deal:d-1", tuple(events), tuple(range(1, len(events) + 1)), BOOK)


@pytest.fixture(scope="module")
def database() -> Iterator[Connection]:
    with create_engine("sqlite://").connect() as connection:
        deal_periods.create(connection)
        yield connection


def rows_of(events: Sequence[DealEvent]) -> list[Row]:
    names = deal_periods.c.keys()
    rows = periods.rows(told(events))[deal_periods] if events else ()
    return [dict(zip(names, row, strict=True)) for row in rows]


def facts_in(row: Row) -> Row:
    return {name: value for name, value in row.items() if name not in SPAN}


def facts_by_fold(events: Sequence[DealEvent], as_of: datetime, known_at: datetime) -> list[Row]:
    last = max((event.occurred_at for event in standing(events, as_of, known_at)), default=as_of)
    facts = reported(replay(events, as_of, known_at), BOOK, last)
    names = [name for name in deal_periods.c.keys() if name not in SPAN]  # noqa: SIM118
    return [] if facts is None else [dict(zip(names, reported_row(facts), strict=True))]


def holds(row: Row, as_of: datetime, known_at: datetime) -> bool:
    at, known = (min(micros(instant), FOREVER - 1) for instant in (as_of, known_at))
    return bool(
        row["occurred_from"] <= at < row["occurred_until"]
        and row["known_from"] <= known < row["known_until"]
    )


def boundaries(instants: Sequence[datetime]) -> list[datetime]:
    return [START_OF_TIME, *around(instants), END_OF_TIME]


# The law that all answers about the past rest on is tried harder than the others.
@settings(max_examples=settings().max_examples * 4)
@given(events=any_histories)
def test_the_period_that_holds_a_point_equals_the_fold_there(
    events: tuple[DealEvent, ...],
) -> None:
    rows = rows_of(events)
    for as_of in boundaries([event.occurred_at for event in events]):
        for known_at in boundaries([event.known_at for event in events]):
            found = [facts_in(row) for row in rows if holds(row, as_of, known_at)]
            assert found == facts_by_fold(events, as_of, known_at), (as_of, known_at)


@given(events=any_histories, data=st.data())
def test_the_database_finds_the_same_period(
    database: Connection, events: tuple[DealEvent, ...], data: st.DataObject
) -> None:
    database.execute(delete(deal_periods))
    if rows := rows_of(events):
        database.execute(insert(deal_periods), rows)
    as_of = data.draw(st.sampled_from(boundaries([event.occurred_at for event in events])))
    known_at = data.draw(st.sampled_from(boundaries([event.known_at for event in events])))
    found = database.execute(select(deal_periods).where(holds_at(as_of, known_at))).mappings()
    assert [facts_in(dict(row)) for row in found] == facts_by_fold(events, as_of, known_at)


@given(events=any_histories)
def test_periods_are_not_empty_and_as_long_as_can_be(events: tuple[DealEvent, ...]) -> None:
    rows = rows_of(events)
    occurred = {event.occurred_at for event in events} | {END_OF_TIME}
    learned = {event.known_at for event in events} | {END_OF_TIME}
    for row in rows:
        assert {instant_of(row["occurred_from"]), instant_of(row["occurred_until"])} <= occurred
        assert {instant_of(row["known_from"]), instant_of(row["known_until"])} <= learned
        assert row["occurred_from"] < row["occurred_until"]
        assert row["known_from"] < row["known_until"]
    by_end = {(row["occurred_until"], *known(row)): facts_in(row) for row in rows}
    for row in rows:
        assert by_end.get((row["occurred_from"], *known(row))) != facts_in(row)
    same = Counter(
        (row["occurred_from"], row["occurred_until"], row["known_until"], repr(facts_in(row)))
        for row in rows
    )
    for row in rows:
        span = (row["occurred_from"], row["occurred_until"], row["known_from"])
        assert same[(*span, repr(facts_in(row)))] == 0, "known on without a break, in two rows"


def known(row: Row) -> tuple[int, int]:
    return row["known_from"], row["known_until"]


@given(events=one_order())
def test_both_ways_of_learning_lead_to_the_same_periods(events: tuple[DealEvent, ...]) -> None:
    fold = DealFold("d-1", events, BOOK)
    assert fold.in_one_order
    quick, thorough = periods.as_it_occurred(fold), periods.in_any_order(fold)
    assert periods.periods_from(quick) == periods.periods_from(thorough)


@given(events=any_histories)
def test_the_row_of_a_deal_is_that_of_the_plain_fold(events: tuple[DealEvent, ...]) -> None:
    fold, deal = DealFold("d-1", events, BOOK), replay(events)
    last_at = max((event.occurred_at for event in standing(events)), default=None)
    assert fold.last_at == last_at
    facts = reported(deal, BOOK, last_at or day(0))
    rows = [deals_model._row(fold, deal, facts, last_at)] if facts and last_at else []
    found = deals_model.rows(told(events)).get(deals_table, ()) if events else ()
    # Behind them are the columns by which deals are found.
    assert [row[: len(rows[0])] for row in found if rows] == rows
    assert len(found) == len(rows)


@given(events=any_histories)
def test_a_mark_is_the_position_of_the_last_event(events: tuple[DealEvent, ...]) -> None:
    if events:
        assert periods.rows(told(events))[deal_marks] == [("d-1", len(events))]


@pytest.mark.parametrize("fact_type", sorted(UNREPORTED, key=stored_name))
@settings(max_examples=settings().max_examples // 5)
@given(events=deals.histories(), data=st.data())
def test_what_is_not_reported_changes_no_row(
    fact_type: type[Fact], events: tuple[DealEvent, ...], data: st.DataObject
) -> None:
    fact = cast("DealFact", data.draw(deals._FACTS[fact_type]))
    event = Draft(fact, day(9), "ann", "cli", "c", "c").recorded(STREAM, len(events) + 1, day(9))
    before = replay(events)
    assert shown(evolve(before, event)) == shown(before)


def shown(deal: Deal) -> Any:
    """All columns of the deal's row, under processes whose gates decide on nothing."""
    facts = reported(deal, WITHOUT_MILESTONES, day(9))
    return facts and deals_model._row(DealFold("d-1", (), BOOK), deal, facts, day(9))


@given(events=any_histories, data=st.data())
def test_rows_of_one_state_after_another_are_those_of_each(
    events: tuple[DealEvent, ...], data: st.DataObject
) -> None:
    """In any order of the states, as late events bring it about."""
    frames = frames_of(events)
    rows = ReportedRows(BOOK)
    for frame in data.draw(st.lists(st.sampled_from(frames))) if frames else ():
        at = frame.event.occurred_at
        facts = reported(frame.after, BOOK, at)
        assert rows.of(frame.after, at) == (facts and reported_row(facts))


@given(events=any_order, data=st.data())
def test_a_timeline_holds_the_frames_of_what_it_has_learned(
    events: tuple[DealEvent, ...], data: st.DataObject
) -> None:
    order = data.draw(st.permutations(events))
    timeline, learned, frames = Timeline(), [], frames_of(())
    while order:
        some, order = order[:2], order[2:]
        learned += some
        before, frames = frames, frames_of(learned)
        start = timeline.learn(some)
        assert timeline.frames == frames
        same = min(len(before), len(frames)) if start is None else start
        assert before[:same] == frames[:same]
        if start is None:
            assert before == frames
    for frame in frames:
        assert timeline.frame(frame.event) == frame
