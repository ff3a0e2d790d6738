"""The Brier score and its parts, against their definitions."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.forecast.brier import FEWEST, MOST_VALUES, Said, bins_of, brier_of, wilson

deals = st.lists(st.tuples(st.integers(0, 100), st.booleans()), min_size=1, max_size=60)


def said_of(points: list[tuple[int, bool]]) -> list[Said]:
    """One row a deal, as unsorted and as often as they come."""
    return [Said(percent, 1, int(won)) for percent, won in points]


@given(deals)
def test_the_score_is_the_mean_squared_difference_and_its_parts_add_up_to_it(
    points: list[tuple[int, bool]],
) -> None:
    found = brier_of(said_of(points))
    assert found is not None
    count = len(points)
    assert found.score == sum((Fraction(p, 100) - won) ** 2 for p, won in points) / count
    assert found.score == found.reliability - found.resolution + found.uncertainty

    base = Fraction(sum(won for _, won in points), count)
    reliability = resolution = Fraction(0)
    for percent, _ in points:
        alike = [won for other, won in points if other == percent]
        share = Fraction(sum(alike), len(alike))
        reliability += (Fraction(percent, 100) - share) ** 2
        resolution += (share - base) ** 2
    assert (found.reliability, found.resolution) == (reliability / count, resolution / count)
    assert (found.base_rate, found.uncertainty) == (base, base * (1 - base))
    # Whoever says the base rate of every deal scores the uncertainty.
    assert found.uncertainty == sum((base - won) ** 2 for _, won in points) / count
    if found.uncertainty:
        assert found.skill == 1 - found.score / found.uncertainty
    else:
        assert found.skill is None


@given(deals)
def test_rows_that_are_alike_may_come_together_or_apart(points: list[tuple[int, bool]]) -> None:
    together = [
        Said(percent, sum(p == percent for p, _ in points), points.count((percent, True)))
        for percent in {percent for percent, _ in points}
    ]
    assert brier_of(together) == brier_of(said_of(points))
    assert bins_of(together) == bins_of(said_of(points))


@given(deals)
def test_every_deal_is_in_one_bin(points: list[tuple[int, bool]]) -> None:
    bins = bins_of(said_of(points))
    assert sum(one.deals for one in bins) == len(points)
    assert sum(one.won for one in bins) == sum(won for _, won in points)
    values = {percent for percent, _ in points}
    if len(values) <= MOST_VALUES:
        assert [one.low for one in bins] == [one.high for one in bins] == sorted(values)
    for one in bins:
        inside = [percent for percent, _ in points if one.low <= percent <= one.high]
        assert len(inside) == one.deals
        assert one.said == Fraction(sum(inside), 100 * len(inside))
        assert one.least <= one.share <= one.most


def test_tens_take_certainty_in_the_last() -> None:
    bins = bins_of([Said(percent, 1, 0) for percent in range(101)])
    assert [(one.low, one.high, one.deals) for one in bins] == [
        *((10 * n, 10 * n + 9, 10) for n in range(9)),
        (90, 100, 11),
    ]


def test_nobody_has_no_score() -> None:
    assert brier_of([]) is None
    assert brier_of([Said(50, 0, 0)]) is None
    assert bins_of([Said(50, 0, 0)]) == []


@pytest.mark.parametrize(("won", "count"), [(0, 1), (1, 1), (0, 30), (7, 30), (30, 30), (499, 900)])
def test_the_interval_is_that_of_wilson(won: int, count: int) -> None:
    from statsmodels.stats.proportion import proportion_confint

    expected = proportion_confint(won, count, method="wilson")
    assert wilson(won, count) == pytest.approx(expected, abs=1e-12)


def test_thirty_are_enough() -> None:
    assert FEWEST == 30
