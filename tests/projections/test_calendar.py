"""Fiscal periods: what texts name, where they begin and end, and that they leave no gap."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.calendar import Calendar, Grain, PeriodError

BERLIN = Calendar(ZoneInfo("Europe/Berlin"))
FROM_FEBRUARY = Calendar(ZoneInfo("UTC"), 2)

calendars = st.builds(
    Calendar,
    st.sampled_from(["UTC", "Europe/Berlin", "America/Sao_Paulo", "Asia/Shanghai"]).map(ZoneInfo),
    st.integers(1, 12),
)
moments = st.integers(-20 * 365 * 86_400, 180 * 365 * 86_400).map(
    lambda seconds: datetime.fromtimestamp(seconds, UTC)
)
grains = st.sampled_from(Grain)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2026", date(2026, 1, 1), date(2026, 12, 31)),
        ("2026-Q1", date(2026, 1, 1), date(2026, 3, 31)),
        ("2026Q4", date(2026, 10, 1), date(2026, 12, 31)),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("2026-01-15..2026-02-14", date(2026, 1, 15), date(2026, 2, 14)),
    ],
)
def test_a_text_names_whole_days(text: str, first: date, last: date) -> None:
    period = BERLIN.period(text)

    assert (period.first, period.last) == (first, last)


def test_a_period_begins_with_the_last_instant_before_its_first_day() -> None:
    march = BERLIN.period("2026-03")

    assert march.start == datetime(2026, 2, 28, 22, 59, 59, 999999, tzinfo=UTC)
    assert march.end == datetime(2026, 3, 31, 21, 59, 59, 999999, tzinfo=UTC)
    assert not march.holds(march.start)
    assert march.holds(march.start + timedelta(microseconds=1))
    assert march.holds(march.end)
    assert not march.holds(march.end + timedelta(microseconds=1))


def test_a_fiscal_year_is_named_by_the_year_in_which_it_ends() -> None:
    year, quarter = FROM_FEBRUARY.period("2026"), FROM_FEBRUARY.period("FY2026-Q4")

    assert (year.label, year.first, year.last) == ("FY2026", date(2025, 2, 1), date(2026, 1, 31))
    assert (quarter.label, quarter.first) == ("FY2026-Q4", date(2025, 11, 1))
    assert FROM_FEBRUARY.period("2026-03").label == "2026-03"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Q1",
        "2026-Q5",
        "2026-13",
        "26",
        "0000",
        "9999",
        "2026-02-30..2026-03-01",
        "2026-3",
        "\uff12\uff10\uff12\uff16",
    ],
)
def test_another_text_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(PeriodError):
        BERLIN.period(text)


def test_days_that_end_before_they_begin_are_refused() -> None:
    with pytest.raises(PeriodError, match="2026-01-01 is before 2026-01-02"):
        BERLIN.period("2026-01-02..2026-01-01")


@given(calendars, moments, grains)
def test_a_moment_lies_in_one_period_of_each_length(
    calendar: Calendar, moment: datetime, grain: Grain
) -> None:
    period = calendar.holding(moment, grain)

    assert period.holds(moment)
    assert calendar.period(period.label) == period
    before, after = (
        calendar.holding(period.start, grain),
        calendar.holding(period.end + timedelta(microseconds=1), grain),
    )
    assert (before.end, after.start) == (period.start, period.end)


@given(calendars, moments, st.integers(0, 900), grains)
def test_periods_cover_days_without_gaps(
    calendar: Calendar, moment: datetime, days: int, grain: Grain
) -> None:
    first, last = moment.date(), moment.date() + timedelta(days=days)

    periods = list(calendar.covering(first, last, grain))

    assert periods[0].first <= first
    assert periods[-1].first <= last <= periods[-1].last
    for one, following in pairwise(periods):
        assert following.first == one.last + timedelta(days=1)
        assert following.start == one.end


@given(calendars, st.integers(1950, 2150))
def test_a_year_is_its_quarters_and_its_months(calendar: Calendar, number: int) -> None:
    year = calendar.period(str(number))

    for grain, count in ((Grain.QUARTER, 4), (Grain.MONTH, 12)):
        parts = list(calendar.covering(year.first, year.last, grain))
        assert len(parts) == count
        assert (parts[0].start, parts[-1].end) == (year.start, year.end)
