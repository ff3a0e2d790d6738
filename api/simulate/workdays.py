"""When people work: office hours and days, holidays among them, in a zone of their own."""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from random import Random
from zoneinfo import ZoneInfo

OFFICE_OPENS = time(8, 30)
OFFICE_CLOSES = time(18, 0)

# Month and day of the first and the last day off.
_DAYS_OFF: dict[str, tuple[tuple[int, int, int, int], ...]] = {
    "german": ((1, 1, 1, 6), (5, 1, 5, 1), (10, 3, 10, 3), (12, 24, 12, 31)),
    "nordic": ((1, 1, 1, 6), (5, 1, 5, 1), (6, 20, 6, 22), (12, 23, 12, 31)),
    "american": ((1, 1, 1, 1), (7, 3, 7, 5), (11, 25, 11, 28), (12, 24, 12, 27)),
    "chinese": ((1, 1, 1, 1), (5, 1, 5, 4), (10, 1, 10, 7)),
}

_SPRING_FESTIVALS = (
    "2010-02-14 2011-02-03 2012-01-23 2013-02-10 2014-01-31 2015-02-19 2016-02-08 2017-01-28 "
    "2018-02-16 2019-02-05 2020-01-25 2021-02-12 2022-02-01 2023-01-22 2024-02-10 2025-01-29 "
    "2026-02-17 2027-02-06 2028-01-26 2029-02-13 2030-02-03 2031-01-23 2032-02-11 2033-01-31 "
    "2034-02-19 2035-02-08"
)
_SPRING_FESTIVAL_DAYS = frozenset(
    date.fromisoformat(new_year) + timedelta(days=offset)
    for new_year in _SPRING_FESTIVALS.split()
    for offset in range(-1, 7)
)


class Workdays:
    """The working time of one culture in one zone. All moments are in UTC."""

    def __init__(self, culture: str, zone: str) -> None:
        self._off = _DAYS_OFF[culture]
        self._spring_festival = _SPRING_FESTIVAL_DAYS if culture == "chinese" else frozenset()
        self._zone = ZoneInfo(zone)
        self._known: dict[date, bool] = {}

    def works(self, day: date) -> bool:
        known = self._known.get(day)
        if known is None:
            known = self._known[day] = day.weekday() < 5 and not self._is_holiday(day)
        return known

    def _is_holiday(self, day: date) -> bool:
        here = (day.month, day.day)
        fixed = any((a, b) <= here <= (c, d) for a, b, c, d in self._off)
        return fixed or day in self._spring_festival

    def from_day(self, day: date) -> date:
        """The first working day that is not before `day`."""
        while not self.works(day):
            day += timedelta(days=1)
        return day

    def until_day(self, day: date) -> date:
        """The last working day that is not after `day`."""
        while not self.works(day):
            day -= timedelta(days=1)
        return day

    def local(self, moment: datetime) -> datetime:
        return moment.astimezone(self._zone)

    def day(self, moment: datetime) -> date:
        """The local date of a moment."""
        return moment.astimezone(self._zone).date()

    def at(self, day: date, clock: time) -> datetime:
        return datetime.combine(day, clock, tzinfo=self._zone).astimezone(UTC)

    def meeting(self, day: date, rng: Random) -> datetime:
        """A moment in office hours, on `day` or the first working day after it."""
        start = time(
            rng.choice((9, 9, 10, 10, 10, 11, 13, 14, 14, 15, 16)), rng.randrange(0, 60, 5)
        )
        return self.at(self.from_day(day), start)

    def morning(self, day: date, rng: Random) -> datetime:
        """Early on `day` or on the first working day after it."""
        start = time(rng.choice((8, 9, 9)), rng.randrange(30, 60), rng.randrange(60))
        return self.at(self.from_day(day), start)

    def in_office_hours(self, moment: datetime) -> datetime:
        """The moment itself, or when the office next opens."""
        local = moment.astimezone(self._zone)
        day = local.date()
        if self.works(day) and OFFICE_OPENS <= local.time() < OFFICE_CLOSES:
            return moment
        if local.time() >= OFFICE_CLOSES or not self.works(day):
            day += timedelta(days=1)
        return self.at(self.from_day(day), OFFICE_OPENS)


@cache
def workdays(culture: str, zone: str) -> Workdays:
    """The working time of one culture in one zone; one object for each, as it learns its days."""
    return Workdays(culture, zone)


def month_end(day: date) -> date:
    """The last day of the month of `day`."""
    after = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    return after - timedelta(days=1)


def quarter_end(day: date) -> date:
    """The last day of the quarter of `day`."""
    return month_end(date(day.year, (day.month + 2) // 3 * 3, 1))


def months_before(day: date, months: int) -> date:
    """The same day `months` months earlier, or the last day of that month."""
    index = day.year * 12 + day.month - 1 - months
    first = date(index // 12, index % 12 + 1, 1)
    return first.replace(day=min(day.day, month_end(first).day))
