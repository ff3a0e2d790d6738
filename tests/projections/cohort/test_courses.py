"""Courses: rows along a decided deal's way, as known at a limit."""

from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest

from domain.competition.facts import CompetitorIdentified
from domain.corrections import DealMerged
from domain.deal import DealEvent, DealFact
from domain.lifecycle.facts import (
    LostOutcome,
    NoteAdded,
    OpportunityLost,
    OpportunityReopened,
    OpportunityWon,
)
from projections.cohort.courses import STEP, Course, course_of, outcome_of
from projections.cohort.features import NAMES
from projections.instants import micros
from tests.projections.cohort.portfolios import NOW, PROCESSES, events_of
from tests.projections.histories import EPOCH
from tests.projections.stores import draft
from tests.projections.stores import events_of as recorded
from tests.scenario import BOOK, opened, usd


def day(number: float) -> datetime:
    return EPOCH + timedelta(days=number)


LOST = OpportunityLost(LostOutcome.NO_DECISION)
FAR = day(1000)


def events(*facts: tuple[DealFact, float]) -> tuple[DealEvent, ...]:
    """Facts with the day on which each occurred; all known as they occurred."""
    return recorded(*(draft(fact, at, at) for fact, at in facts))


def course(*facts: tuple[DealFact, float]) -> Course | None:
    outcome = outcome_of(events(*facts), FAR)
    return None if outcome is None else course_of(outcome, BOOK)


def days(found: Course | None) -> list[float]:
    """The days of its rows."""
    assert found is not None
    return [(moment - micros(day(0))) / 86_400_000_000 for moment in found.moments.tolist()]


def test_silence_has_a_row_every_two_weeks() -> None:
    assert days(course((opened(), 0), (LOST, 40))) == [0, 14, 28]


def test_of_one_day_the_last_state_counts() -> None:
    seen = CompetitorIdentified("c-1", "Globex")
    found = course((opened(), 0), (seen, 3), (NoteAdded("x"), 3.1), (LOST, 10))
    assert days(found) == [0, pytest.approx(3.1)]
    assert found is not None
    assert found.measured[:, NAMES.index("competitors")].tolist() == [0, 1]


def test_what_happened_on_the_last_day_before_the_outcome_counts() -> None:
    assert days(course((opened(), 0), (NoteAdded("x"), 5), (LOST, 5.1))) == [0, 5]


def test_no_row_is_of_a_decided_deal() -> None:
    reopened = OpportunityReopened("contact", "they called")
    found = course((opened(), 0), (LOST, 10), (reopened, 60), (OpportunityWon(usd("5")), 65))
    assert days(found) == [0, 60]
    assert found is not None
    assert found.won


def test_voided_and_merged_deals_have_no_outcome() -> None:
    assert course((opened(), 0), (OpportunityLost(LostOutcome.VOIDED), 9)) is None
    assert course((opened(), 0), (DealMerged("d-2", "twice"), 9)) is None
    assert course((opened(), 0)) is None


def test_a_deal_reopened_by_then_is_not_decided() -> None:
    told = events((opened(), 0), (LOST, 10), (OpportunityReopened("contact", "x"), 30))
    assert outcome_of(told, day(29)) is not None
    assert outcome_of(told, day(30)) is None


def test_an_outcome_counts_once_it_is_known() -> None:
    told = recorded(draft(opened(), 0, 0), draft(LOST, 10, 20))
    assert outcome_of(told, day(19)) is None
    assert outcome_of(told, day(20)) is not None


def test_what_is_learned_late_is_in_the_course_from_when_it_is_known() -> None:
    seen = CompetitorIdentified("c-1", "Globex")
    told = recorded(
        draft(opened(), 0, 0),
        draft(LOST, 10, 10),
        draft(seen, 5, 50),
    )
    counts = []
    for limit in (day(49), day(50)):
        outcome = outcome_of(told, limit)
        assert outcome is not None
        found = course_of(outcome, BOOK)
        assert found is not None
        counts.append(found.measured[-1, NAMES.index("competitors")])
    assert counts == [0, 1]


def test_what_happens_after_the_outcome_leaves_the_key_and_the_course_alone() -> None:
    told = events((opened(), 0), (LOST, 10), (NoteAdded("pity"), 20))
    before, after = outcome_of(told, day(15)), outcome_of(told, day(25))
    assert before is not None
    assert after is not None
    assert before.key == after.key
    assert before.events == after.events


def test_packing_keeps_everything() -> None:
    outcome = next(one for n in range(9) if (one := outcome_of(events_of(n), NOW)))
    found = course_of(outcome, PROCESSES)
    assert found is not None
    again = Course.unpacked(found.packed())
    for name in Course.__struct_fields__:
        assert np.array_equal(
            getattr(again, name),
            getattr(found, name),
            **({"equal_nan": True} if name in ("measured", "amounts") else {}),
        )


def test_rows_of_simulated_deals_are_in_order_and_never_far_apart() -> None:
    for number in range(9):
        outcome = outcome_of(events_of(number), NOW)
        found = course_of(outcome, PROCESSES) if outcome else None
        if found is not None:
            moments = found.moments.tolist()
            gaps = [later - earlier for earlier, later in pairwise([*moments, found.closed_at])]
            assert all(
                0 < gap <= (STEP + timedelta(days=1)) // timedelta(microseconds=1) for gap in gaps
            )


def test_the_row_at_a_moment_is_the_last_before_it() -> None:
    found = course((opened(), 0), (LOST, 40))
    assert found is not None
    at = [found.row_at(micros(day(d))) for d in (-1, 0, 13, 14, 39, 40)]
    assert at == [None, 0, 0, 1, 2, None]
