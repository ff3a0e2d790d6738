"""What a read model could not take in: deals named as others are, and all told as left out."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from api.queries.proofs import reference_of
from domain.access import PUBLIC_ONLY
from projections import audit, deals, periods
from projections.deals import DealNotFound
from projections.engine.standing import count_parked, read_parked
from projections.models import ReadModel
from projections.readable import Readable
from store.errors import UnreadableEvent

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from api.workspace import Workspace


def left_out_of_listings(
    store: "Workspace", connection: "Connection", readable: Readable
) -> list[str]:
    """What a listing of deals has to say of those that are not in it, and may be read."""
    return _left_out(store, connection, readable, deals)


def left_out_of_pipeline(
    store: "Workspace", connection: "Connection", readable: Readable
) -> list[str]:
    """What a pipeline has to say of the deals that are not in it, and may be read."""
    return _left_out(store, connection, readable, periods)


def left_out_of_trail(connection: "Connection") -> list[str]:
    """What an audit trail over all streams has to say of the entries that are not in it.

    Of a stream with an event that cannot be read, the other events have their entries.
    """
    count = count_parked(connection, audit.NAME)
    if not count:
        return []
    some, them = ("1 stream", "it") if count == 1 else (f"{count:,} streams", "them")
    why = f"since the read model {audit.NAME} failed on {them}; dealstate status tells how"
    return [f"entries of {some} are left out, {why}"]


def _left_out(
    store: "Workspace", connection: "Connection", readable: Readable, model: ReadModel
) -> list[str]:
    if readable.all:
        count = count_parked(connection, model.NAME)
    else:
        parked = read_parked(connection, model.NAME)
        count = sum(_may_be_read(store, one.stream, readable) for one in parked)
    if not count:
        return []
    some, them = ("1 deal is", "it") if count == 1 else (f"{count:,} deals are", "them")
    why = f"since the read model {model.NAME} failed on {them}; dealstate status tells how"
    return [f"{some} left out, {why}"]


def _may_be_read(store: "Workspace", stream: str, readable: Readable) -> bool:
    """By the log: what is parked may have no rows. Nobody's where the log cannot tell whose."""
    try:
        history = store.log.history(stream.partition(":")[2], PUBLIC_ONLY)
    except UnreadableEvent:
        return False
    life = history.deal.life
    return readable.holds(life.owner, life.team_ids)


def named_among(store: "Workspace", streams: Sequence[str], wanted: str) -> str | None:
    """The one of these streams that is named by itself, its id, its reference or name.

    Read from the log, for what is parked may be in no listing. Raises DealNotFound
    where there are several.
    """
    for stream in streams:
        if wanted in {stream, stream.partition(":")[2]}:
            return stream
    called = {stream: reference_of(store, stream) or "" for stream in streams}
    for matches in (str.__eq__, str.startswith):
        found = [stream for stream, name in called.items() if matches(name, wanted)]
        if len(found) == 1:
            return found[0]
        if found:
            raise DealNotFound(wanted, [(s.partition(":")[2], called[s]) for s in found])
    return None
