"""The clock of this machine, and times as they are written beside the events.

These are in UTC with six digits, `2026-11-21T22:05:00.000000Z`.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias

Clock: TypeAlias = Callable[[], datetime]


def utc_now() -> datetime:
    """What the clock of this machine shows."""
    return datetime.now(UTC)


def written(moment: datetime) -> str:
    """The moment in the one form that is written."""
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return f"{moment.isoformat(timespec='microseconds')[:-6]}Z"
