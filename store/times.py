"""Times as they are written beside the events: UTC, six digits, `2026-11-21T22:05:00.000000Z`."""

from datetime import UTC, datetime


def written(moment: datetime) -> str:
    """The moment in the one form that is written."""
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return f"{moment.isoformat(timespec='microseconds')[:-6]}Z"
