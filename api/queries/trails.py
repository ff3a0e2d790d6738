"""The audit trail: of one deal, as far as its view shows it, and over all streams."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

import msgspec

from api.queries.parked import left_out_of_trail
from api.queries.users import names_of, user_id_of
from api.queries.views import View
from api.wire.trails import AuditEntry, AuditTrail
from api.wire.values import Names
from api.workspace import Workspace
from domain.access import NO_DEAL, Action, Principal, Sensitivity, may
from domain.history import StreamKind
from projections import audit
from store.errors import EventWithoutKey, UnreadableEvent
from store.seals.notes import encode_base64

if TYPE_CHECKING:
    from domain.deal import DealEvent


class TrailQuery(msgspec.Struct, frozen=True):
    """Which entries: by whom, recorded from and until when (both inclusive)."""

    actor: str | None = None
    recorded_from: datetime | None = None
    recorded_until: datetime | None = None
    limit: int = 100
    cursor: int = 0
    """Entries behind this position in the log."""
    accesses: bool = False
    """Only those that say who was shown secrets."""


def trail_of_deal(view: View, query: TrailQuery) -> AuditTrail:
    """The trail of one deal. Raises DealNotFound."""
    names = names_of(view.store)
    actor = user_id_of(query.actor, names) if query.actor else None
    found = [
        entry
        for entry in audit.trail(view.events(), view.store.log.positions(view.stream))
        if entry.position > query.cursor
        and (actor is None or entry.actor == actor)
        and (query.recorded_from is None or entry.recorded_at >= query.recorded_from)
        and (query.recorded_until is None or entry.recorded_at <= query.recorded_until)
    ]
    entries = [AuditEntry.of(view.stream, entry, names) for entry in found[: query.limit]]
    cursor = str(entries[-1].position) if len(found) > query.limit else None
    return AuditTrail(entries, cursor, without_key=0, caveats=[])


def entries_of_events(view: View, versions: Sequence[int]) -> list[AuditEntry]:
    """What the trail says of some events of a deal."""
    if not versions:
        return []
    trail = audit.trail(view.events(), view.store.log.positions(view.stream))
    names = names_of(view.store)
    return [AuditEntry.of(view.stream, trail[version - 1], names) for version in versions]


def trail_of_all(
    store: Workspace, visible: frozenset[Sensitivity], query: TrailQuery
) -> AuditTrail:
    """The trail over all streams, in the order of the log."""
    with store.fresh() as connection:
        names = names_of(store)
        rows = audit.find_entries(
            connection,
            audit.EntryQuery(
                actor=user_id_of(query.actor, names) if query.actor else None,
                recorded_from=query.recorded_from,
                recorded_until=query.recorded_until,
                after=query.cursor,
                limit=query.limit + 1,
                accesses=query.accesses,
            ),
        )
        left_out = left_out_of_trail(connection)
    trail = _read_entries(store, visible, rows[: query.limit], names)
    caveats = [*left_out, *trail.caveats]
    cursor = str(trail.entries[-1].position) if len(rows) > query.limit else None
    return msgspec.structs.replace(trail, cursor=cursor, caveats=caveats)


def with_leaves(store: Workspace, principal: Principal, trail: AuditTrail) -> AuditTrail:
    """The trail with the leaf of each entry in the Merkle log, for those who may audit."""
    if not may(principal, Action.AUDIT, NO_DEAL).allowed:
        return trail
    leaves = store.notary.leaves(entry.position for entry in trail.entries)
    entries = [
        msgspec.structs.replace(entry, leaf=encode_base64(leaves[entry.position]))
        for entry in trail.entries
    ]
    return msgspec.structs.replace(trail, entries=entries)


def _read_entries(
    store: Workspace,
    visible: frozenset[Sensitivity],
    rows: Sequence[Mapping[str, Any]],
    names: Names,
) -> AuditTrail:
    """What the entries of the index say, read from the log as far as it can be read."""
    entries: dict[int, AuditEntry] = {}
    unread: dict[tuple[str, int], UnreadableEvent] = {}

    def skip(error: UnreadableEvent) -> None:
        unread[error.stream, error.version] = error

    streams = dict.fromkeys(row["stream"] for row in rows)
    events_of = store.log.events_of(streams, visible, skip)
    broken = {at: error for at, error in unread.items() if not isinstance(error, EventWithoutKey)}
    for stream, events in events_of.items():
        positions = store.log.positions(stream)
        if stream.startswith(f"{StreamKind.DEAL}:"):
            of_deal = cast("Sequence[DealEvent]", events)
            first = min((version for name, version in broken if name == stream), default=None)
            trail = audit.trail(of_deal, positions, first)
            told = [AuditEntry.of(stream, entry, names) for entry in trail]
        else:
            told = [AuditEntry.of_event(e, positions[e.version], names) for e in events]
        entries.update((entry.position, entry) for entry in told)
    return AuditTrail(
        [entries.get(row["position"]) or AuditEntry.of_row(row, names) for row in rows],
        cursor=None,
        without_key=_among(rows, unread.keys() - broken),
        caveats=_unreadable(_among(rows, broken)),
    )


def _among(rows: Sequence[Mapping[str, Any]], places: Collection[tuple[str, int]]) -> int:
    return sum((row["stream"], row["version"]) in places for row in rows)


def _unreadable(count: int) -> list[str]:
    if not count:
        return []
    some = "1 entry is of an event" if count == 1 else f"{count:,} entries are of events"
    return [f"{some} that cannot be read; dealstate audit fsck tells why"]
