"""Dates and times as other systems write them."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from api.exchange.moments import Calendar, Moment, NoTimeZone

NEW_YORK = ZoneInfo("America/New_York")
FORMS = ("%m/%d/%y %I:%M %p", "%m/%d/%y", "%m/%d/%Y", "%d.%m.%Y %H:%M")


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-02-23T20:55:00Z", utc(2026, 2, 23, 20, 55)),
        ("2026-02-23T20:55:00.000+0000", utc(2026, 2, 23, 20, 55)),
        ("2026-02-23T20:55:00.123456-05:00", utc(2026, 2, 24, 1, 55, 0, 123456)),
        ("2026-02-23 20:55:00", utc(2026, 2, 24, 1, 55)),
        ("2026-02-23T20:55", utc(2026, 2, 24, 1, 55)),
        ("02/23/26 08:55 PM", utc(2026, 2, 24, 1, 55)),
        ("23.07.2026 08:55", utc(2026, 7, 23, 12, 55)),
    ],
)
def test_times_are_read_and_brought_to_utc(text: str, at: datetime) -> None:
    assert Calendar(FORMS, NEW_YORK).moment(text) == Moment(at)


@pytest.mark.parametrize("text", ["2026-02-23", "02/23/26", "02/23/2026"])
def test_a_date_is_the_end_of_its_day_in_the_zone(text: str) -> None:
    day = date(2026, 2, 23)
    assert Calendar(FORMS).moment(text) == Moment(utc(2026, 2, 23, 23, 59, 59, 999999), day)
    there = Moment(utc(2026, 2, 24, 4, 59, 59, 999999), day)
    assert Calendar(FORMS, NEW_YORK).moment(text) == there


def test_a_time_without_offset_needs_a_zone() -> None:
    with pytest.raises(NoTimeZone, match="has no offset to UTC"):
        Calendar(FORMS).moment("02/23/26 08:55 PM")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("2017-02-30", "day is out of range for month"),
        ("2017-13-01", "month must be in 1..12"),
        ("2017-02-01T25:00:00Z", "hour must be in 0..23"),
        ("02/30/17", "is no date in any of the forms YYYY-MM-DD, %m/%d/%y %I:%M %p"),
        ("yesterday", "is no date in any of the forms"),
        ("", "is no date in any of the forms"),
        ("0217-03-01", "lies before 1900"),
        ("2017-03", "is no date in any of the forms"),
        ("20170301", "is no date in any of the forms"),
    ],
)
def test_what_is_no_date_is_told(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told.replace("(", r"\(").replace("..", r"\.\.")) as raised:
        Calendar(FORMS).moment(text)
    assert repr(text) in str(raised.value)


def test_a_time_behind_the_last_of_all_is_told() -> None:
    with pytest.raises(ValueError, match="too far in the future"):
        Calendar((), NEW_YORK).moment("9999-12-31 23:00")


def test_the_day_of_a_time_is_that_of_the_zone() -> None:
    assert Calendar((), NEW_YORK).day("2026-02-24T01:55:00Z") == date(2026, 2, 23)
    assert Calendar().day("2026-02-24T01:55:00Z") == date(2026, 2, 24)
