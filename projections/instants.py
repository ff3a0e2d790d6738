"""Instants as whole microseconds since 1970-01-01 UTC: how read models store and compare time."""

from datetime import UTC, datetime, timedelta

from domain.values import END_OF_TIME

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DAY = 86_400_000_000


def micros(instant: datetime) -> int:
    """Exact: no floating point between."""
    return (instant - _EPOCH) // _MICROSECOND


def instant_of(value: int) -> datetime:
    """The inverse of `micros`."""
    return _EPOCH + timedelta(microseconds=value)


def days_between(earlier: datetime, later: datetime) -> int:
    """Calendar days in UTC: none within one day, one over midnight; none backwards."""
    return micros(later) // _DAY - micros(earlier) // _DAY if later >= earlier else 0


FOREVER = micros(END_OF_TIME)
"""End of an interval that is still open."""
