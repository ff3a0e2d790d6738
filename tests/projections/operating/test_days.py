"""The day of an instant, as the database works it out."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.instants import micros
from projections.operating.days import day_in

ZONES = ("UTC", "Asia/Shanghai", "America/New_York", "Pacific/Apia", "Africa/Casablanca")

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def within(first: datetime, last: datetime) -> st.SearchStrategy[datetime]:
    ends = micros(first), micros(last)
    return st.integers(*ends).map(lambda at: EPOCH + timedelta(microseconds=at))


recent = within(datetime(1960, 1, 1, tzinfo=UTC), datetime(2037, 12, 31, tzinfo=UTC))
whenever = within(datetime(2, 1, 1, tzinfo=UTC), datetime(9997, 12, 31, tzinfo=UTC))


def told(moments: list[datetime], zone: ZoneInfo, first: datetime, last: datetime) -> list[date]:
    values = ", ".join(f"({at}, {micros(moment)})" for at, moment in enumerate(moments))
    rows = duckdb.execute(
        f"SELECT {day_in('t', zone, first, last)} FROM (VALUES {values}) AS _(n, t) ORDER BY n"
    ).fetchall()
    return [date(1970, 1, 1) + timedelta(days=row[0]) for row in rows]


@pytest.mark.parametrize("name", ZONES)
@given(moments=st.lists(recent, min_size=1, max_size=20))
def test_a_day_is_that_of_the_zone(name: str, moments: list[datetime]) -> None:
    zone = ZoneInfo(name)
    days = [moment.astimezone(zone).date() for moment in moments]
    assert told(moments, zone, min(moments), max(moments)) == days


@given(moment=whenever)
def test_days_far_off_are_those_of_the_calendar(moment: datetime) -> None:
    zone = ZoneInfo("America/New_York")
    [day] = told([moment], zone, moment, moment)
    assert day == moment.astimezone(zone).date()


@pytest.mark.parametrize("name", ZONES)
def test_days_change_at_midnight_and_where_clocks_change(name: str) -> None:
    zone = ZoneInfo(name)
    step = timedelta(microseconds=1)
    hours = [datetime(2011, 12, 28, tzinfo=UTC) + timedelta(hours=n) for n in range(100)]
    hours += [datetime(2026, 3, 7, tzinfo=UTC) + timedelta(hours=n) for n in range(60)]
    moments = [hour + by for hour in hours for by in (-step, timedelta(), step)]
    days = [moment.astimezone(zone).date() for moment in moments]
    assert told(moments, zone, min(moments), max(moments)) == days
