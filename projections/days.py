"""Days of a time zone, counted inside the database: whole numbers since 1970-01-01.

Between two changes of a zone's clock a day is a division. So the changes are looked up once, and
a column of instants is taken to its days by comparing it with them.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

from projections.instants import instant_of

_DAY = 86_400_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC).toordinal()
_SHIFT = 1_000_000
"""Days that are added before a division and taken off behind it, which cuts towards zero."""
_FIRST_YEAR, _LAST_YEAR = 1840, 9997
"""No zone changed its clock before; and the last year cannot be told in every zone."""
_MICROSECOND = timedelta(microseconds=1)

Step: TypeAlias = tuple[int, int]
"""From where on, and the value that holds from there."""


def stepped(column: str, first: int, steps: Sequence[Step]) -> str:
    """In SQL, the value of the last step that a column has reached; `first` before all of them.

    The steps ascend.
    """
    if not steps:
        return str(first)
    middle = len(steps) // 2
    at, value = steps[middle]
    before = stepped(column, first, steps[:middle])
    behind = stepped(column, value, steps[middle + 1 :])
    return f"CASE WHEN {column} < {at} THEN {before} ELSE {behind} END"


class Days(NamedTuple):
    """The days of a time zone, for instants between two years."""

    zone: ZoneInfo
    first_offset: int
    """Microseconds that the clock is ahead of UTC at first."""
    offsets: tuple[Step, ...]

    @classmethod
    def between(cls, zone: ZoneInfo, first: int, last: int) -> "Days":
        """For instants, in microseconds, from `first` to `last`."""
        years = [min(max(instant_of(at).year, _FIRST_YEAR), _LAST_YEAR) for at in (first, last)]
        return cls(zone, *_offsets(zone, years[0] - 1, years[1] + 1))

    def of(self, at: int) -> int:
        """The day of an instant."""
        try:
            return instant_of(at).astimezone(self.zone).toordinal() - _EPOCH
        except OverflowError:
            return at // _DAY

    def sql(self, column: str) -> str:
        """The day of a column of instants."""
        offset = stepped(column, self.first_offset, self.offsets)
        return f"(({column} + {_SHIFT * _DAY} + ({offset})) // {_DAY} - {_SHIFT})"


@lru_cache(maxsize=64)
def _offsets(zone: ZoneInfo, first: int, last: int) -> tuple[int, tuple[Step, ...]]:
    """How far ahead of UTC a zone's clock is at the beginning of a year, and where that changes."""
    start = datetime(first, 1, 1, tzinfo=UTC)
    return _offset(zone, start), tuple(_changes(zone, start, datetime(last, 12, 31, tzinfo=UTC)))


def _changes(zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[Step]:
    at, offset = start, _offset(zone, start)
    while at < end:
        later = at + timedelta(days=1)
        new = _offset(zone, later)
        if new != offset:
            yield _since(zone, at, later), new
        at, offset = later, new


def _since(zone: ZoneInfo, before: datetime, behind: datetime) -> int:
    """The instant between two from which on the clock is as at the later one."""
    new = _offset(zone, behind)
    while behind - before > _MICROSECOND:
        middle = before + (behind - before) // 2
        before, behind = (before, middle) if _offset(zone, middle) == new else (middle, behind)
    return (behind - datetime(1970, 1, 1, tzinfo=UTC)) // _MICROSECOND


def _offset(zone: ZoneInfo, at: datetime) -> int:
    offset = at.astimezone(zone).utcoffset()
    assert offset is not None
    return offset // _MICROSECOND
