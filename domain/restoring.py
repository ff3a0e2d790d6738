"""That a store goes on from a backup that is older than what was recorded.

Streams `store:<store id>`, beside all deals: the log tells of itself.
"""

from datetime import date
from typing import Annotated

import msgspec

from domain.history import Fact

EventCount = Annotated[int, msgspec.Meta(ge=0)]


class StoreRestored(Fact, tag="store-restored", frozen=True):
    """A backup was put in place, though events were recorded after it that it does not hold."""

    events_kept: EventCount
    """How many events the backup holds: those before this one."""
    events_known: EventCount | None
    """How many are known to have been recorded; null: the replaced log could not be read."""
    backup_of: date
    """The day on which the backup was made, in UTC."""


def describe(fact: StoreRestored) -> str:
    """What happened, in a phrase."""
    since = f"restored the backup of {fact.backup_of}"
    if fact.events_known is None:
        return f"{since} with {fact.events_kept} events; how many were lost is not known"
    first = fact.events_kept + 1
    return f"{since}; the former events {first} to {fact.events_known} are gone"
