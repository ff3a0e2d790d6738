"""The moment that is asked for, on both axes of time."""

from datetime import datetime

import msgspec


class Instants(msgspec.Struct, frozen=True):
    """At which moment of both axes. None: now, and all that is known."""

    as_of: datetime | None = None
    known_at: datetime | None = None


class NothingThen(LookupError):
    """At the moment asked for there was no such deal, or nobody knew of it."""
