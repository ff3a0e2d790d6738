"""Dates and times as other systems write them.

A date without a time means the end of that day; the time of day it is given
depends on the zone. A time without an offset needs a zone to mean anything.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec

from domain.values import end_of_day

if TYPE_CHECKING:
    from collections.abc import Sequence

ZONE_IF_NOT_GIVEN = ZoneInfo("UTC")
EARLIEST_YEAR = 1900

_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_ISO_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*")
_COMPACT_OFFSET = re.compile(r"(:\d\d(?:\.\d+)?[+-]\d\d)(\d\d)$")
TIME_OF_DAY = re.compile(r"%[HIMpSfXcsT]")


class NoTimeZone(ValueError):
    """A time has no offset, and nobody said in which zone it is meant."""


class Moment(msgspec.Struct, frozen=True, gc=False):
    """A point in time, in UTC. `day` is set where only the date is known: then `at` is its end."""

    at: datetime
    day: date | None = None


class Calendar:
    """Reads the dates of one source.

    `formats` are those of `strptime`; dates and times of ISO 8601 are read
    without. `zone` is that of times without an offset and of the days.
    """

    def __init__(self, formats: Sequence[str] = (), zone: ZoneInfo | None = None) -> None:
        self._formats = tuple(formats)
        self._zone = zone
        self.zone = zone or ZONE_IF_NOT_GIVEN
        self.moment = lru_cache(maxsize=10_000)(self._moment)

    def day(self, text: str) -> date:
        """The date in `text`. Raises ValueError with the reason, NoTimeZone among them."""
        moment = self.moment(text)
        return moment.day or moment.at.astimezone(self.zone).date()

    def day_of(self, at: datetime) -> date:
        """The date of a point in time, here."""
        return at.astimezone(self.zone).date()

    def _moment(self, text: str) -> Moment:
        """The point in time in `text`. Raises ValueError with the reason, NoTimeZone among them."""
        found = self._parsed(text)
        if found.year < EARLIEST_YEAR:
            raise ValueError(f"{text!r} lies before {EARLIEST_YEAR}")
        try:
            return self._placed(found, text)
        except OverflowError:
            raise ValueError(f"{text!r} lies too far in the future") from None

    def _placed(self, found: date | datetime, text: str) -> Moment:
        if not isinstance(found, datetime):
            return Moment(end_of_day(found, self.zone), found)
        if found.tzinfo is None:
            if self._zone is None:
                raise NoTimeZone(f"{text!r} has no offset to UTC")
            found = found.replace(tzinfo=self._zone)
        return Moment(found.astimezone(UTC))

    def _parsed(self, text: str) -> date | datetime:
        try:
            if _ISO_DATE.fullmatch(text):
                return date.fromisoformat(text)
            if _ISO_TIME.fullmatch(text):
                return datetime.fromisoformat(_with_colon(text))
        except ValueError as error:
            raise ValueError(f"{text!r} is no date: {error}") from None
        for form in self._formats:
            try:
                found = datetime.strptime(text, form)  # noqa: DTZ007 (the zone comes after)
            except ValueError:
                continue
            return found if TIME_OF_DAY.search(form) else found.date()
        forms = ", ".join(("YYYY-MM-DD", *self._formats))
        raise ValueError(f"{text!r} is no date in any of the forms {forms}")


def _with_colon(text: str) -> str:
    """An offset of four digits as Python 3.11 and later read it in every case."""
    return _COMPACT_OFFSET.sub(r"\1:\2", text)
