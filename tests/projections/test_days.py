"""Days of time zones, counted in the database, against those that Python counts."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.values import END_OF_TIME, START_OF_TIME
from projections.days import Days, stepped
from projections.instants import instant_of, micros

NAMES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",
    "Asia/Shanghai",
    "Asia/Kathmandu",
    "Africa/Casablanca",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Antarctica/Troll",
)
DATABASE = duckdb.connect()
EPOCH = datetime(1970, 1, 1, tzinfo=UTC).toordinal()


def asked(days: Days, instants: list[int]) -> list[int]:
    """The days of instants, by the database."""
    given = ", ".join(f"({at}, {number})" for number, at in enumerate(instants))
    rows = DATABASE.execute(
        f"SELECT {days.sql('moment')} FROM (VALUES {given}) AS t(moment, number) ORDER BY number"
    ).fetchall()
    return [row[0] for row in rows]


def counted(zone: ZoneInfo, at: int) -> int:
    return instant_of(at).astimezone(zone).toordinal() - EPOCH


moments = st.integers(
    micros(datetime(1905, 1, 2, tzinfo=UTC)), micros(datetime(2060, 1, 1, tzinfo=UTC))
)


@given(name=st.sampled_from(NAMES), given=st.lists(moments, min_size=1, max_size=20))
def test_the_database_counts_the_days_that_python_counts(name: str, given: list[int]) -> None:
    zone = ZoneInfo(name)
    days = Days.between(zone, min(given), max(given))
    assert asked(days, given) == [counted(zone, at) for at in given] == list(map(days.of, given))


@pytest.mark.parametrize("name", NAMES)
def test_every_change_of_the_clock_is_known_to_the_microsecond(name: str) -> None:
    zone = ZoneInfo(name)
    first, last = micros(datetime(1990, 1, 1, tzinfo=UTC)), micros(datetime(2030, 1, 1, tzinfo=UTC))
    days = Days.between(zone, first, last)
    for at, offset in days.offsets:
        behind = instant_of(at).astimezone(zone).utcoffset()
        before = instant_of(at - 1).astimezone(zone).utcoffset()
        assert behind is not None
        assert behind != before
        assert behind.total_seconds() * 1_000_000 == offset
    around = [at + step for at, _ in days.offsets for step in (-1, 0, 1)]
    midnights = [
        micros(datetime(2026, month, 15, tzinfo=zone).astimezone(UTC)) + step
        for month in range(1, 13)
        for step in (-1, 0)
    ]
    some = [*around, *midnights]
    assert asked(days, some) == [counted(zone, at) for at in some]


def test_a_day_that_a_zone_left_out_is_no_day() -> None:
    """Samoa went over the date line: behind 29 December 2011 came the 31st."""
    zone = ZoneInfo("Pacific/Apia")
    midnight = micros(datetime(2011, 12, 30, 10, tzinfo=UTC))
    days = Days.between(zone, midnight, midnight)
    [before, behind] = asked(days, [midnight - 1, midnight])
    assert behind - before == 2


def test_the_ends_of_time_have_days() -> None:
    for name in NAMES:
        for first, last in ((START_OF_TIME, START_OF_TIME), (END_OF_TIME, END_OF_TIME)):
            days = Days.between(ZoneInfo(name), micros(first), micros(last))
            [counted] = asked(days, [micros(first)])
            assert abs(counted - (first.toordinal() - EPOCH)) <= 1
            assert abs(days.of(micros(first)) - (first.toordinal() - EPOCH)) <= 1


def test_steps_hold_from_where_they_begin() -> None:
    steps = [(10, 1), (20, 2), (30, 3)]
    rows = DATABASE.execute(
        f"SELECT {stepped('x', 0, steps)} FROM (SELECT unnest([-5, 9, 10, 19, 20, 29, 30]) AS x)"
    ).fetchall()
    assert [row[0] for row in rows] == [0, 0, 1, 1, 2, 2, 3]
    assert stepped("x", 7, []) == "7"
