"""The day of an instant in a time zone, worked out inside the database.

The database knows no time zones of its own here: it is told when the clocks of this one changed.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import chain
from zoneinfo import ZoneInfo

from projections.instants import micros

_DAY_MICROS = 86_400_000_000
_BEFORE_ALL = 1_000_000
"""Days before 1970 of which no instant is: division rounds towards it, and not towards zero."""

_FIRST_YEAR, _LAST_YEAR = 1840, 9997
"""Before and after it no clocks change."""


def day_in(column: str, zone: ZoneInfo, first: datetime, last: datetime) -> str:
    """An expression for the day, since 1970-01-01, of an instant in microseconds.

    It holds for instants from `first` until `last`.
    """
    years = range(max(first.year, _FIRST_YEAR), min(last.year, _LAST_YEAR) + 1)
    offset = _offset(zone, datetime(max(first.year, _FIRST_YEAR), 1, 1, tzinfo=UTC))
    changes = list(chain.from_iterable(_changes(zone, year) for year in years))
    later = " ".join(f"WHEN {column} >= {at} THEN {to}" for at, to in reversed(changes))
    shift = f"CASE {later} ELSE {offset} END" if later else str(offset)
    return f"(({column} + {shift} + {_BEFORE_ALL * _DAY_MICROS}) // {_DAY_MICROS} - {_BEFORE_ALL})"


@lru_cache(maxsize=4096)
def _changes(zone: ZoneInfo, year: int) -> tuple[tuple[int, int], ...]:
    """When in a year the offset from UTC changed, and to how much. Both in microseconds."""
    return tuple(_changed(zone, datetime(year, 1, 1, tzinfo=UTC)))


def _changed(zone: ZoneInfo, at: datetime) -> Iterator[tuple[int, int]]:
    end = at.replace(year=at.year + 1)
    while at < end:
        following = at + timedelta(days=1)
        if _offset(zone, at) != _offset(zone, following):
            changed = _changed_within(zone, at, following)
            yield micros(changed), _offset(zone, changed)
        at = following


def _changed_within(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The first second with the offset that holds at `after`."""
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        if _offset(zone, middle) == _offset(zone, after):
            after = middle
        else:
            before = middle
    return after


def _offset(zone: ZoneInfo, at: datetime) -> int:
    """Of the clocks of a zone from UTC, in microseconds."""
    offset = at.astimezone(zone).utcoffset()
    assert offset is not None
    return offset // timedelta(microseconds=1)
