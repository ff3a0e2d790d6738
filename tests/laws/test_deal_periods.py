"""Laws of deal periods: they answer every question of (as of, known at) as the fold does."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from domain.deal import DealEvent, replay, standing
from domain.values import END_OF_TIME, START_OF_TIME
from projections import periods
from projections.frames import Batch, DealFold, Timeline, frames_of
from projections.instants import FOREVER, instant_of, micros
from projections.pipeline import holds_at
from projections.reported import reported
from projections.rows import reported_row
from projections.tables import deal_periods
from projections.views import Views
from tests.laws import deals
from tests.projections.histories import around, handovers, histories
from tests.projections.stores import make_tables
from tests.scenario import BOOK

Row = dict[str, Any]
SPAN = ("deal_id", "occurred_from", "occurred_until", "known_from", "known_until")

any_histories = st.one_of(histories(of=handovers), histories(), deals.histories())


@pytest.fixture(scope="module")
def views(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Views]:
    views = Views(tmp_path_factory.mktemp("periods") / "views.db")
    make_tables(views)
    yield views
    views.close()


def rows_of(views: Views, events: Sequence[DealEvent]) -> list[Row]:
    fold = DealFold.of("d-1", events, BOOK)
    with views.writing() as connection:
        periods.apply(connection, Batch((), (fold,)))
        return [dict(row) for row in connection.execute(select(deal_periods)).mappings()]


def facts_in(row: Row) -> Row:
    return {name: value for name, value in row.items() if name not in SPAN}


def facts_by_fold(events: Sequence[DealEvent], as_of: datetime, known_at: datetime) -> list[Row]:
    last = max((event.occurred_at for event in standing(events, as_of, known_at)), default=as_of)
    facts = reported(replay(events, as_of, known_at), BOOK, last)
    return [] if facts is None else [reported_row(facts)]


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
    views: Views, events: tuple[DealEvent, ...]
) -> None:
    rows = rows_of(views, events)
    for as_of in boundaries([event.occurred_at for event in events]):
        for known_at in boundaries([event.known_at for event in events]):
            found = [facts_in(row) for row in rows if holds(row, as_of, known_at)]
            assert found == facts_by_fold(events, as_of, known_at), (as_of, known_at)


@given(events=any_histories, data=st.data())
def test_the_database_finds_the_same_period(
    views: Views, events: tuple[DealEvent, ...], data: st.DataObject
) -> None:
    rows_of(views, events)
    as_of = data.draw(st.sampled_from(boundaries([event.occurred_at for event in events])))
    known_at = data.draw(st.sampled_from(boundaries([event.known_at for event in events])))
    with views.reading() as connection:
        rows = connection.execute(select(deal_periods).where(holds_at(as_of, known_at))).mappings()
        assert [facts_in(dict(row)) for row in rows] == facts_by_fold(events, as_of, known_at)


@given(events=any_histories)
def test_periods_are_not_empty_and_as_long_as_can_be(
    views: Views, events: tuple[DealEvent, ...]
) -> None:
    rows = rows_of(views, events)
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


@given(events=any_histories, data=st.data())
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
