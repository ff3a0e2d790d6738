"""Deal periods of histories that can be drawn on paper: when it held against when it was known."""

from typing import Any

import msgspec
import pytest

from domain.competition.facts import CompetitorMoved
from domain.corrections import EventWithdrawn
from domain.deal import DealFact
from domain.history import Draft
from domain.lifecycle.facts import NoteAdded, OwnerChanged, TeamMemberAssigned
from domain.process import (
    Criterion,
    Evidence,
    Origin,
    ProbabilityHolds,
    ProcessBook,
    Words,
)
from projections.frames import DealFold
from projections.instants import FOREVER, micros
from projections.periods import periods_of
from projections.tables import deal_periods
from tests.projections.histories import EPOCH
from tests.projections.stores import draft, events_of
from tests.scenario import BOOK, LONGER, SHORT, opened

Rectangle = tuple[Any, float | None, float | None, float | None, float | None]

DAY_MICROS = 86_400_000_000
FACTS = deal_periods.c.keys()[5:]
"""The columns behind the id and the two spans."""


def days(instant: int) -> float | None:
    """Days after the epoch of the tests; None for ever."""
    return None if instant == FOREVER else (instant - micros(EPOCH)) / DAY_MICROS


def fold_of(*drafts: Draft[DealFact], book: ProcessBook = BOOK) -> DealFold:
    return DealFold("d-1", events_of(*drafts), book)


def rectangles(
    *drafts: Draft[DealFact], of: str = "owner", book: ProcessBook = BOOK
) -> list[Rectangle]:
    """One of the facts, held from, held until, known from, known until: in order."""
    found = [
        (
            dict(zip(FACTS, period.facts, strict=True))[of],
            days(period.occurred_from),
            days(period.occurred_until),
            days(period.known_from),
            days(period.known_until),
        )
        for period in periods_of(fold_of(*drafts, book=book))
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


# Most of a deal's events bear on nothing that is reported, unless a gate decides.


def test_only_what_bears_on_a_row_is_folded() -> None:
    note: Draft[DealFact] = draft(NoteAdded("…"), 3, 3)
    manager: Draft[DealFact] = draft(TeamMemberAssigned("mei", "manager"), 1, 1)
    fold = fold_of(OPENED, manager, owner("bo", 2, 2), note)
    assert [event.version for event in fold.bearing] == [1, 2, 3], "a row shows the manager"
    assert fold.last_at == note.occurred_at
    by_milestone: Draft[DealFact] = draft(opened(process=LONGER.ref), 0, 0)
    assert [event.version for event in fold_of(by_milestone, note).bearing] == [1, 2]


def test_a_gate_that_time_closes_is_judged_when_something_else_happens() -> None:
    first, *others = SHORT.stages
    moves = Criterion(
        "moves", Words("Watched"), Origin.OURS, Evidence.AUTO, "competitor-moves-recent"
    )
    watched = msgspec.structs.replace(
        SHORT,
        version=3,
        stages=(msgspec.structs.replace(first, gate=(moves,)), *others),
        probability_holds=ProbabilityHolds.MILESTONE,
    )
    found = rectangles(
        draft(opened(process=watched.ref), 0, 0),
        draft(CompetitorMoved("acme", "…"), 1, 1),
        draft(NoteAdded("…"), 31, 31),
        draft(NoteAdded("…"), 32, 32),
        of="probability",
        book=BOOK.with_(watched),
    )
    assert [one for one in found if one[4] is None] == [
        (0, 0, 1, 1, None),
        (10, 1, 32, 32, None),
        (0, 32, None, 32, None),
    ]


@pytest.mark.parametrize(
    ("drafts", "in_one_order"),
    [
        ((OPENED, owner("bo", 5, 5), owner("mei", 5, 5), owner("ann", 6, 5)), True),
        ((OPENED, draft(NoteAdded("…"), 7, 9), owner("bo", 5, 5)), True),
        ((OPENED, owner("bo", 5, 5), owner("mei", 4, 6)), False),
        ((OPENED, owner("bo", 5, 7), owner("mei", 6, 6)), False),
        ((OPENED, owner("bo", 5, 5), withdrawn(2, 8)), False),
        ((OPENED, draft(NoteAdded("…"), 5, 5), withdrawn(2, 8)), False),
        ((), True),
    ],
)
def test_which_deals_came_in_one_order(
    drafts: tuple[Draft[DealFact], ...], in_one_order: bool
) -> None:
    assert fold_of(*drafts).in_one_order == in_one_order
