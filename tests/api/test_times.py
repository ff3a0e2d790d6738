"""Times as people type them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from api.times import (
    DayMeans,
    TimeError,
    parse_instant,
    parse_occurrence,
    parse_zone,
    shown,
    shown_day,
)
from store.times import written

UTC_ZONE = ZoneInfo("UTC")
BERLIN = ZoneInfo("Europe/Berlin")
SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 21, 22, 5, 0, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("now", BERLIN, "2026-11-21T22:05:00.000001Z"),
        (" Now ", BERLIN, "2026-11-21T22:05:00.000001Z"),
        ("2017-06-30", UTC_ZONE, "2017-06-30T23:59:59.999999Z"),
        ("2017-06-30", BERLIN, "2017-06-30T21:59:59.999999Z"),
        ("2017-06-30", SHANGHAI, "2017-06-30T15:59:59.999999Z"),
        ("2017-06-30T14:05", BERLIN, "2017-06-30T12:05:00.000000Z"),
        ("2017-06-30 14:05:06", BERLIN, "2017-06-30T12:05:06.000000Z"),
        ("2017-06-30T14:05:06.5", UTC_ZONE, "2017-06-30T14:05:06.500000Z"),
        ("2017-06-30T14:05:06.123456Z", BERLIN, "2017-06-30T14:05:06.123456Z"),
        ("2017-06-30t14:05z".upper(), BERLIN, "2017-06-30T14:05:00.000000Z"),
        ("2017-06-30T14:05+02:00", UTC_ZONE, "2017-06-30T12:05:00.000000Z"),
        ("2017-06-30T14:05 -0930", UTC_ZONE, "2017-06-30T23:35:00.000000Z"),
        ("2021-03-28T01:59", BERLIN, "2021-03-28T00:59:00.000000Z"),
        ("2021-10-31T02:30+01:00", BERLIN, "2021-10-31T01:30:00.000000Z"),
        ("9999-12-31", UTC_ZONE, "9999-12-31T23:59:59.999999Z"),
        ("0001-01-01", UTC_ZONE, "0001-01-01T23:59:59.999999Z"),
        ("2024-02-29", UTC_ZONE, "2024-02-29T23:59:59.999999Z"),
    ],
)
def test_times(text: str, zone: ZoneInfo, expected: str) -> None:
    assert written(parse_instant(text, zone, NOW)) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is not a time"),
        ("tomorrow", "is not a time"),
        ("30/06/2017", "Write a day as 2017-06-30"),
        ("2017-6-30", "is not a time"),
        ("20170630", "is not a time"),
        ("2017-W26-5", "is not a time"),
        ("2017-02-30", "day is out of range for month"),
        ("2017-13-01", "month must be in 1..12"),
        ("0000-01-01", "is not a time"),
        ("2017-06-30T25:00", "hour must be in 0..23"),
        ("2017-06-30T14", "is not a time"),
        ("2017-06-30T14:05+99:00", "is not a time"),
        ("2017-06-30T14:05 02:00", "as %2B in a URL"),
        ("0001-01-01T00:00+14:00", "is not a time"),
        ("9999-12-31T23:00-12:00", "is not a time"),
        ("\uff12\uff10\uff11\uff17-06-30", "is not a time"),
        ("2017-06-30T14:05:06.1234567", "is not a time"),
        ("2017-06-30\x00", "is not a time"),
    ],
)
def test_what_is_no_time(text: str, reason: str) -> None:
    with pytest.raises(TimeError) as raised:
        parse_instant(text, UTC_ZONE, NOW)
    assert reason in str(raised.value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("2021-03-28T02:30", "is skipped by the clocks in Europe/Berlin"),
        ("2021-10-31T02:30", "comes twice in Europe/Berlin"),
    ],
)
def test_hours_that_the_clocks_skip_or_repeat_need_an_offset(text: str, reason: str) -> None:
    with pytest.raises(TimeError, match="Give its offset") as raised:
        parse_instant(text, BERLIN, NOW)
    assert reason in str(raised.value)


def test_a_day_can_mean_its_start() -> None:
    start = parse_instant("2017-06-30", BERLIN, NOW, DayMeans.START)
    assert written(start) == "2017-06-29T22:00:00.000000Z"


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("2026-11-21", UTC_ZONE, NOW),
        ("2026-11-22", SHANGHAI, NOW),
        ("2026-11-21", SHANGHAI, datetime(2026, 11, 21, 15, 59, 59, 999999, tzinfo=UTC)),
        ("2026-11-20", UTC_ZONE, datetime(2026, 11, 20, 23, 59, 59, 999999, tzinfo=UTC)),
        ("now", UTC_ZONE, NOW),
    ],
)
def test_what_happened_today_happened_now(text: str, zone: ZoneInfo, expected: datetime) -> None:
    assert parse_occurrence(text, zone, NOW) == expected


@pytest.mark.parametrize("name", ["", "Mars", "Asia", "../UTC", "/etc/passwd", "a\0b", "x" * 5000])
def test_what_is_no_time_zone(name: str) -> None:
    with pytest.raises(TimeError, match="there is no time zone"):
        parse_zone(name)


def test_a_time_zone() -> None:
    assert parse_zone("Europe/Berlin") == BERLIN


def test_shown_in_a_zone_the_end_of_a_day_is_the_day() -> None:
    end = parse_instant("2017-06-30", BERLIN, NOW)
    assert shown(end, BERLIN) == "2017-06-30"
    assert shown(end, UTC_ZONE) == "2017-06-30 21:59"
    assert shown(NOW, SHANGHAI) == "2026-11-22 06:05"
    assert shown_day(NOW, SHANGHAI) == "2026-11-22"


def test_written_times_have_six_digits_in_every_year() -> None:
    assert written(datetime(7, 1, 2, tzinfo=UTC)) == "0007-01-02T00:00:00.000000Z"
    assert written(datetime(2026, 1, 1, 1, tzinfo=BERLIN)) == "2026-01-01T00:00:00.000000Z"
