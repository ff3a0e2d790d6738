"""Who was shown what is secret: the entries of the trail that say so."""

from api.queries.trails import TrailQuery, trail_of_all
from api.queries.users import names_of, user_id_of
from api.wire.trails import AuditEntry, AuditTrail
from api.workspace import Workspace
from domain.access import PUBLIC_ONLY
from domain.history import StreamKind, stream_of


def accesses_to_all(store: Workspace, query: TrailQuery) -> AuditTrail:
    """Accesses to all deals, in the order in which they were recorded. They hold no secret."""
    return trail_of_all(store, PUBLIC_ONLY, query)


def accesses_to_deal(store: Workspace, deal_id: str, query: TrailQuery) -> AuditTrail:
    """Accesses to one deal, in the same order; none for a deal that is not there.

    Exports of everything, which show the deal too, are not among them.
    """
    names = names_of(store)
    user = user_id_of(query.actor, names) if query.actor else None
    stream = stream_of(StreamKind.ACCESS, deal_id)
    positions = store.log.positions(stream)
    found = [
        event
        for event in store.log.events_in(stream, PUBLIC_ONLY)
        if positions[event.version] > query.cursor
        and (user is None or event.actor == user)
        and (query.recorded_from is None or event.recorded_at >= query.recorded_from)
        and (query.recorded_until is None or event.recorded_at <= query.recorded_until)
    ]
    shown = found[: query.limit]
    entries = [AuditEntry.of_event(one, positions[one.version], names) for one in shown]
    cursor = str(entries[-1].position) if len(found) > query.limit else None
    return AuditTrail(entries, cursor, without_key=0, caveats=[])
