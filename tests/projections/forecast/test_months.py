"""Months and days of a time zone, as the database numbers them."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.values import END_OF_TIME, START_OF_TIME
from projections.columns.coding import Dictionary, day_number
from projections.columns.relation import Relation
from projections.conversion import day_in
from projections.forecast.months import (
    close_label,
    close_number,
    close_of,
    close_order,
    first_of,
    last_of,
    local_days,
    month_number,
    on_day,
)
from projections.instants import micros

# With summer time at midnight, half an hour, and a day that was left out.
LEFT_OUT = datetime(2011, 12, 29, tzinfo=UTC)
ZONES = ["UTC", "Europe/Berlin", "America/Havana", "Australia/Lord_Howe", "Pacific/Apia"]


def relation() -> Relation:
    from contextlib import nullcontext

    return Relation(duckdb.connect(":memory:"), {"periods": "SELECT 1"}, Dictionary(), nullcontext)


@given(
    moments=st.lists(
        st.datetimes(timezones=st.just(UTC))
        | st.sampled_from([START_OF_TIME, END_OF_TIME])
        | st.integers(0, 72).map(lambda hours: LEFT_OUT + timedelta(hours=hours)),
        min_size=1,
        max_size=4,
    ),
    zone=st.sampled_from(ZONES).map(ZoneInfo),
)
def test_each_moment_falls_on_its_day(moments: list[datetime], zone: ZoneInfo) -> None:
    asked = relation()
    given_ = ", ".join(f"({number}, {micros(at)})" for number, at in enumerate(moments))
    table = f"SELECT * FROM (VALUES {given_}) AS given (number, moment)"
    rows = asked.rows(
        f"SELECT number, day FROM moments JOIN local_days ON {on_day('moment')} ORDER BY number",
        moments=table,
        local_days=local_days(asked, table, zone),
    )
    assert rows == [(n, day_number(day_in(at, zone))) for n, at in enumerate(moments)]


@example(day=date(2026, 3, 31), today=date(2026, 3, 31))
@example(day=date(2026, 3, 30), today=date(2026, 3, 31))
@given(day=st.none() | st.dates(), today=st.dates())
def test_a_deal_should_close_in_a_month_or_is_overdue_or_undated(
    day: date | None, today: date
) -> None:
    number = "NULL" if day is None else f"({day_number(day)})"
    [[found]] = relation().rows(f"SELECT {close_of(number, today)}")
    label = close_label(found)
    if day is None:
        assert label == "undated"
    else:
        assert label == ("overdue" if day < today else day.isoformat()[:7])
    assert close_number(label) == found


@given(st.dates())
def test_a_month_has_its_first_and_last_day(day: date) -> None:
    number = month_number(day)
    assert first_of(number) == day.replace(day=1)
    assert last_of(number).month == day.month
    assert last_of(number) == date.max or (last_of(number) + timedelta(days=1)).day == 1


@pytest.mark.parametrize("text", ["", "2026", "2026-13", "2026-3", "Overdue", "2026-03-01", "x"])
def test_what_is_no_month_has_no_number(text: str) -> None:
    assert close_number(text) is None


def test_the_overdue_come_first_and_the_undated_last() -> None:
    labels = ["undated", "2026-10", "overdue", "2026-09", "0900-01"]
    assert sorted(labels, key=close_order) == [
        "overdue",
        "0900-01",
        "2026-09",
        "2026-10",
        "undated",
    ]
