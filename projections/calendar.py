"""The calendar that figures go by: fiscal years, quarters and months in the time zone of business.

A fiscal year is named by the calendar year in which it ends, as accountants mostly do; where it
begins with January that is the year itself. Months are those of the calendar, whatever the year.
"""

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from domain.values import end_of_day

_YEAR = re.compile(r"(?:FY)?(\d{4})", re.ASCII)
_QUARTER = re.compile(r"(?:FY)?(\d{4})-?Q([1-4])", re.ASCII)
_MONTH = re.compile(r"(\d{4})-(\d{2})", re.ASCII)
_DAYS = re.compile(r"(\d{4}-\d{2}-\d{2})\.\.(\d{4}-\d{2}-\d{2})", re.ASCII)

_FIRST_YEAR, _LAST_YEAR = 1900, 9998


class PeriodError(ValueError):
    """A text names no period. The message says what would."""


class Grain(StrEnum):
    """How long the periods of a table are."""

    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"

    @property
    def months(self) -> int:
        return {Grain.MONTH: 1, Grain.QUARTER: 3, Grain.YEAR: 12}[self]


class Period(NamedTuple):
    """Whole days, the first and the last included, and their instants in UTC."""

    label: str
    first: date
    last: date
    start: datetime
    """The last instant before the first day: as of it nothing of the period has happened."""
    end: datetime
    """The last instant of the last day: as of it all of the period has happened."""

    def holds(self, moment: datetime) -> bool:
        return self.start < moment <= self.end


class Calendar(NamedTuple):
    """A fiscal calendar in a time zone."""

    zone: ZoneInfo
    first_month: int = 1
    """The month, from 1, with which the fiscal year begins."""

    def period(self, text: str) -> Period:
        """The period that a text names. Raises PeriodError.

        `2026` and `2026-Q1` are of the fiscal year, `2026-03` of the calendar,
        `2026-01-15..2026-02-14` days, both included.
        """
        text = text.strip()
        try:
            if found := _YEAR.fullmatch(text):
                return self._months(self._year_start(int(found[1])), Grain.YEAR)
            if found := _QUARTER.fullmatch(text):
                months = 3 * (int(found[2]) - 1)
                return self._months(_later(self._year_start(int(found[1])), months), Grain.QUARTER)
            if found := _MONTH.fullmatch(text):
                return self._months(date(_year(int(found[1])), int(found[2]), 1), Grain.MONTH)
            if found := _DAYS.fullmatch(text):
                return self.days(date.fromisoformat(found[1]), date.fromisoformat(found[2]))
        except PeriodError:
            raise
        except ValueError as error:
            raise PeriodError(f"{text!r} is no period: {error}. {_FORMS}") from None
        raise PeriodError(f"{text!r} is no period. {_FORMS}")

    def days(self, first: date, last: date) -> Period:
        """Days, both included. Raises PeriodError."""
        _year(first.year)
        _year(last.year)
        if last < first:
            raise PeriodError(f"{last} is before {first}. {_FORMS}")
        return self._of(f"{first}..{last}", first, last)

    def holding(self, moment: datetime, grain: Grain) -> Period:
        """The period of that length that a moment lies in. Raises PeriodError far off in time."""
        day = moment.astimezone(self.zone).date()
        _year(day.year)
        since_start = (day.month - (self.first_month if grain is not Grain.MONTH else 1)) % 12
        back = since_start % grain.months
        return self._months(_later(date(day.year, day.month, 1), -back), grain)

    def covering(self, first: date, last: date, grain: Grain) -> Iterator[Period]:
        """The periods of that length which hold some of these days, in order."""
        period = self.holding(end_of_day(first, self.zone), grain)
        while period.first <= last:
            yield period
            period = self._months(period.last + timedelta(days=1), grain)

    def _year_start(self, year: int) -> date:
        return date(_year(year) - (self.first_month > 1), self.first_month, 1)

    def _months(self, first: date, grain: Grain) -> Period:
        last = _later(first, grain.months) - timedelta(days=1)
        return self._of(self._label(first, last, grain), first, last)

    def _label(self, first: date, last: date, grain: Grain) -> str:
        if grain is Grain.MONTH:
            return f"{first:%Y-%m}"
        year_end = last if grain is Grain.YEAR else _later(first, (self._months_left(first)))
        year = f"{'FY' if self.first_month > 1 else ''}{year_end.year:04}"
        if grain is Grain.YEAR:
            return year
        return f"{year}-Q{(first.month - self.first_month) % 12 // 3 + 1}"

    def _months_left(self, first: date) -> int:
        """From a month to the last of its fiscal year."""
        return 11 - (first.month - self.first_month) % 12

    def _of(self, label: str, first: date, last: date) -> Period:
        before = end_of_day(first - timedelta(days=1), self.zone)
        return Period(label, first, last, before, end_of_day(last, self.zone))


_FORMS = (
    "Write a year (2026), a quarter (2026-Q1), a month (2026-03) or days (2026-01-01..2026-03-31)."
)


def _year(year: int) -> int:
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        raise PeriodError(f"the year {year} is not between {_FIRST_YEAR} and {_LAST_YEAR}")
    return year


def _later(first: date, months: int) -> date:
    """The first day of a month so many months later."""
    count = first.year * 12 + first.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)
