"""Comparison with won deals: who matches, in which order criteria fall, and the places."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from math import nan

import numpy as np
import pytest

from projections.cohort.comparison import RELAXED, Compared, Comparison, Criterion, compare
from projections.cohort.courses import UNKNOWN, Course, Traits
from projections.cohort.features import NAMES
from tests.projections.cohort.portfolios import course

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BOUNDARY = EPOCH + timedelta(days=200)
SIZE, METHOD, BUSINESS, STATE = RELAXED


def one(
    day: float = 30,
    *,
    codes: tuple[int, int, int, int] = (0, 0, 0, 0),
    amount: float = 1000,
    currency: str = "EUR",
    values: Mapping[str, float] | None = None,
) -> Compared:
    measured = np.zeros(len(NAMES))
    for name, value in (values or {}).items():
        measured[NAMES.index(name)] = value
    at = EPOCH + timedelta(days=day)
    return Compared("ours", EPOCH, at, currency, Traits(*codes, amount), measured)


def won(count: int, **how: object) -> list[Course]:
    """Deals won on day 100, each with as many contacts as its number."""
    rows = [(0, {}), (30, {"contacts": 0.0})]
    found = [course(f"w-{how}-{i}", True, rows, **how) for i in range(count)]  # type: ignore[arg-type]
    for number, deal in enumerate(found):
        deal.measured[1, NAMES.index("contacts")] = number
    return found


def place(found: Comparison, name: str) -> tuple[float, float, float, int]:
    [at] = [one for one in found.places if one.measure == name]
    return (at.value, at.median, at.percentile, at.count)


def test_ten_that_match_in_everything_are_compared() -> None:
    found = compare(one(values={"contacts": 3}), BOUNDARY, won(10))
    assert (found.won, found.matched_on, found.relaxed) == (10, RELAXED, ())
    assert place(found, "contacts") == (3, 4.5, 35, 10)


@pytest.mark.parametrize(
    ("contacts", "percentile"), [(-1, 0), (0, 5), (4.5, 50), (9, 95), (12, 100)]
)
def test_the_percentile_is_the_mid_rank(contacts: float, percentile: float) -> None:
    found = compare(one(values={"contacts": contacts}), BOUNDARY, won(10))
    assert place(found, "contacts")[2] == percentile


def test_nine_are_too_few() -> None:
    found = compare(one(), BOUNDARY, won(9))
    assert (found.won, found.matched_on, found.relaxed, found.places) == (9, (), RELAXED, ())


@pytest.mark.parametrize(
    ("codes", "dropped"),
    [
        ((0, 1, 0, 0), (SIZE, METHOD)),
        ((1, 0, 0, 0), (SIZE, METHOD, BUSINESS)),
        ((0, 0, 1, 1), RELAXED),
        ((0, 0, 0, 5), ()),
    ],
)
def test_criteria_are_dropped_in_their_order_until_ten_match(
    codes: tuple[int, int, int, int], dropped: tuple[Criterion, ...]
) -> None:
    found = compare(one(codes=codes), BOUNDARY, won(10))
    assert (found.relaxed, found.matched_on) == (dropped, RELAXED[len(dropped) :])


def test_no_more_is_dropped_than_needed() -> None:
    others = won(30, codes=(0, 1, 0, 0))
    found = compare(one(), BOUNDARY, [*won(10), *others])
    assert (found.won, found.relaxed) == (10, ())


def test_where_stages_tell_no_phase_the_stage_counts() -> None:
    others = won(10, codes=(0, 0, UNKNOWN, 2))
    assert compare(one(codes=(0, 0, UNKNOWN, 2)), BOUNDARY, others).relaxed == ()
    assert compare(one(codes=(0, 0, UNKNOWN, 1)), BOUNDARY, others).relaxed == RELAXED


def test_size_is_by_thirds_of_the_won_deals_in_the_currency() -> None:
    small, middle, large = (won(10, amount=amount) for amount in (10, 100, 1000))
    others = [*small, *middle, *large, *won(50, amount=7, currency="JPY")]
    for amount, band in ((5, small), (10, small), (60, middle), (5000, large)):
        found = compare(one(amount=amount), BOUNDARY, others)
        assert (found.won, found.relaxed) == (len(band), ())
    assert compare(one(amount=10, currency="USD"), BOUNDARY, others).relaxed == (SIZE,)


def test_deals_without_an_amount_are_a_size_of_their_own() -> None:
    others = [*won(10, amount=nan), *won(30)]
    found = compare(one(amount=nan), BOUNDARY, others)
    assert (found.won, found.relaxed) == (10, ())


def test_others_stand_as_they_did_at_the_same_age() -> None:
    early = compare(one(day=29), BOUNDARY, won(10))
    assert place(early, "contacts")[1] == 0
    assert place(compare(one(day=31), BOUNDARY, won(10)), "contacts")[1] == 4.5


def test_who_was_won_before_that_age_is_not_compared() -> None:
    assert compare(one(day=100), BOUNDARY, won(10)).won == 0
    assert compare(one(day=99), BOUNDARY, won(10)).won == 10


def test_lost_deals_and_those_decided_later_have_no_part() -> None:
    lost = [course(f"l-{i}", False, [(0, {})]) for i in range(20)]
    later = won(20, closed=200)
    assert compare(one(), BOUNDARY, [*won(9), *lost, *later]).won == 9


def test_a_deal_is_not_compared_with_itself() -> None:
    others = won(9)
    again = course("ours", True, [(0, {})])
    assert compare(one(), BOUNDARY, [*others, again]).won == 9


def test_what_is_not_known_has_no_place() -> None:
    others = won(12)
    for deal in others[:3]:
        deal.measured[:, NAMES.index("position")] = nan
    found = compare(one(values={"tender": nan}), BOUNDARY, others)
    assert {"tender", "position"}.isdisjoint(at.measure for at in found.places)
    for deal in others[:1]:
        deal.measured[:, NAMES.index("position")] = 1
    found = compare(one(values={"position": 1}), BOUNDARY, others)
    assert place(found, "position")[2:] == (95, 10)
