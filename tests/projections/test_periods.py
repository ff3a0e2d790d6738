"""Deal periods of histories that can be drawn on paper: when it held against when it was known."""

from domain.corrections import EventWithdrawn
from domain.deal import DealFact
from domain.history import Draft
from domain.lifecycle.facts import NoteAdded, OwnerChanged
from projections.instants import FOREVER, micros
from projections.periods import periods_of
from tests.projections.histories import EPOCH
from tests.projections.stores import draft, events_of
from tests.scenario import BOOK, opened

Rectangle = tuple[str, float | None, float | None, float | None, float | None]

DAY_MICROS = 86_400_000_000


def days(instant: int) -> float | None:
    """Days after the epoch of the tests; None for ever."""
    return None if instant == FOREVER else (instant - micros(EPOCH)) / DAY_MICROS


def rectangles(*drafts: Draft[DealFact]) -> list[Rectangle]:
    """Owner, held from, held until, known from, known until: in order."""
    found = [
        (
            period.segment.facts.owner,
            days(period.segment.occurred_from),
            days(period.segment.occurred_until),
            days(period.known_from),
            days(period.known_until),
        )
        for period in periods_of(events_of(*drafts), BOOK)
    ]
    return sorted(found, key=lambda one: (one[3], one[1]))


def owner(name: str, day: float, known_on: float) -> Draft[DealFact]:
    return draft(OwnerChanged(name), day, known_on)


OPENED: Draft[DealFact] = draft(opened(), 0, 0)


def withdrawn(version: int, known_on: float, day: float = 9) -> Draft[DealFact]:
    return draft(EventWithdrawn((version,), "an error"), day, known_on)


def test_what_never_changes_is_one_period() -> None:
    note: Draft[DealFact] = draft(NoteAdded("…"), 3, 3)
    assert rectangles(OPENED, note, owner("ann", 4, 4)) == [("ann", 0, None, 0, None)]


def test_a_change_ends_what_was_thought_to_go_on() -> None:
    assert rectangles(OPENED, owner("bo", 5, 5)) == [
        ("ann", 0, None, 0, 5),
        ("ann", 0, 5, 5, None),
        ("bo", 5, None, 5, None),
    ]


def test_a_change_known_late() -> None:
    assert rectangles(OPENED, owner("bo", 5, 8)) == [
        ("ann", 0, None, 0, 8),
        ("ann", 0, 5, 8, None),
        ("bo", 5, None, 8, None),
    ]


def test_a_late_entry_splits_a_period_and_leaves_its_neighbours() -> None:
    assert rectangles(OPENED, owner("bo", 2, 2), owner("mei", 6, 6), owner("zoe", 4, 8)) == [
        ("ann", 0, None, 0, 2),
        ("ann", 0, 2, 2, None),
        ("bo", 2, None, 2, 6),
        ("bo", 2, 6, 6, 8),
        ("mei", 6, None, 6, None),
        ("bo", 2, 4, 8, None),
        ("zoe", 4, 6, 8, None),
    ]


def test_a_withdrawal_joins_what_it_had_parted() -> None:
    assert rectangles(OPENED, owner("bo", 5, 5), withdrawn(2, 8)) == [
        ("ann", 0, None, 0, 5),
        ("ann", 0, 5, 5, 8),
        ("bo", 5, None, 5, 8),
        ("ann", 0, None, 8, None),
    ]


def test_a_withdrawal_counts_from_when_it_was_known_whatever_its_own_time() -> None:
    early = rectangles(OPENED, owner("bo", 5, 5), withdrawn(2, known_on=8, day=0))
    assert early == rectangles(OPENED, owner("bo", 5, 5), withdrawn(2, known_on=8, day=20))


def test_a_withdrawal_between_neighbours() -> None:
    assert rectangles(OPENED, owner("bo", 2, 2), owner("ann", 4, 4), withdrawn(2, 6)) == [
        ("ann", 0, None, 0, 2),
        ("ann", 0, 2, 2, 6),
        ("bo", 2, None, 2, 4),
        ("bo", 2, 4, 4, 6),
        ("ann", 4, None, 4, 6),
        ("ann", 0, None, 6, None),
    ]


def test_what_is_withdrawn_before_it_is_known_is_never_seen() -> None:
    assert rectangles(OPENED, owner("bo", 5, 9), withdrawn(2, 8)) == [("ann", 0, None, 0, None)]


def test_known_at_one_moment_is_one_step() -> None:
    assert rectangles(OPENED, owner("bo", 5, 7), owner("mei", 6, 7)) == [
        ("ann", 0, None, 0, 7),
        ("ann", 0, 5, 7, None),
        ("bo", 5, 6, 7, None),
        ("mei", 6, None, 7, None),
    ]


def test_at_one_instant_the_later_version_counts() -> None:
    assert rectangles(OPENED, owner("bo", 5, 5), owner("mei", 5, 5)) == [
        ("ann", 0, None, 0, 5),
        ("ann", 0, 5, 5, None),
        ("mei", 5, None, 5, None),
    ]


def test_there_is_no_period_before_the_opening_is_known() -> None:
    late_opening: Draft[DealFact] = draft(opened(), 0, 7)
    assert rectangles(late_opening, owner("bo", 2, 3)) == [
        ("ann", 0, 2, 7, None),
        ("bo", 2, None, 7, None),
    ]


def test_a_deal_that_was_never_opened_has_no_periods() -> None:
    assert rectangles(owner("bo", 2, 3)) == []
    assert rectangles() == []
