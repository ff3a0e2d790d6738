"""The boundaries between which one model holds: the first moment of each month, in a time zone."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_INSTANT = timedelta(microseconds=1)


def boundary_at(moment: datetime, zone: ZoneInfo) -> datetime:
    """The last boundary at or before a moment, in UTC."""
    local = moment.astimezone(zone)
    return datetime(local.year, local.month, 1, tzinfo=zone).astimezone(UTC)


def just_before(boundary: datetime) -> datetime:
    """The last instant before a boundary: what occurred and was known by then counts."""
    return boundary - _INSTANT
