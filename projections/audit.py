"""Audit trail: every event of a deal, an actor or a period, withdrawn ones too.

The table is only an index of the log; what an entry says is read from the log
when it is asked for.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from itertools import accumulate
from typing import Any

import msgspec
from sqlalchemy import Connection, insert, select

from domain.corrections import EventWithdrawn
from domain.deal import DealEvent, describe
from domain.history import Fact
from projections.changes import Change, changes
from projections.frames import Batch, Frame, Timeline, frames_of
from projections.instants import micros
from projections.tables import entries

NAME = "audit"
VERSION = 1
TABLES = (entries,)


def apply(connection: Connection, batch: Batch) -> None:
    """Index the events of the batch."""
    rows = [
        {
            "position": positioned.position,
            "stream": event.stream,
            "version": event.version,
            "type": event.type,
            "actor": event.actor,
            "source": event.source,
            "occurred_at": micros(event.occurred_at),
            "known_at": micros(event.known_at),
            "recorded_at": micros(event.recorded_at),
            "command_id": event.command_id,
            "inferred": event.inferred,
        }
        for positioned in batch.events
        for event in [positioned.event]
    ]
    connection.execute(insert(entries), rows)


class AuditEntry(msgspec.Struct, frozen=True):
    """One event as the audit shows it."""

    version: int
    position: int
    """In the log, from 1."""
    type: str
    occurred_at: datetime
    known_at: datetime
    recorded_at: datetime
    actor: str
    source: str
    command_id: str
    correlation_id: str
    inferred: bool
    what: str
    changes: list[Change]
    withdrawn_by: int | None
    """Version of the withdrawal that took the event out."""
    withdraws: list[int]
    late: bool
    """Entered after events that occurred later."""
    fact: Fact


def trail(events: Sequence[DealEvent], positions: dict[int, int]) -> list[AuditEntry]:
    """The trail of one deal in order of version. `positions`: version to position in the log."""
    withdrawn_by: dict[int, int] = {}
    for event in events:
        if isinstance(event.fact, EventWithdrawn):
            for version in event.fact.versions:
                withdrawn_by.setdefault(version, event.version)
    frames = {frame.event.version: frame for frame in frames_of(events)}
    frames |= _as_recorded(events, withdrawn_by)
    latest = accumulate((event.occurred_at for event in events), max)
    return [
        _entry(
            frames[event.version],
            positions[event.version],
            withdrawn_by.get(event.version),
            event.occurred_at < latest_so_far,
        )
        for event, latest_so_far in zip(events, latest, strict=True)
    ]


def _as_recorded(events: Sequence[DealEvent], versions: Collection[int]) -> dict[int, Frame]:
    """The frames of withdrawn events, by version: as they stood when they were recorded."""
    timeline = Timeline()
    found = {}
    for event in events[: max(versions, default=0)]:
        timeline.learn([event])
        if event.version in versions:
            found[event.version] = timeline.frame(event)
    return found


def _entry(frame: Frame, position: int, withdrawn_by: int | None, late: bool) -> AuditEntry:
    event = frame.event
    return AuditEntry(
        version=event.version,
        position=position,
        type=event.type,
        occurred_at=event.occurred_at,
        known_at=event.known_at,
        recorded_at=event.recorded_at,
        actor=event.actor,
        source=event.source,
        command_id=event.command_id,
        correlation_id=event.correlation_id,
        inferred=event.inferred,
        what=describe(event, frame.before),
        changes=changes(frame),
        withdrawn_by=withdrawn_by,
        withdraws=list(event.fact.versions) if isinstance(event.fact, EventWithdrawn) else [],
        late=late,
        fact=event.fact,
    )


class EntryQuery(msgspec.Struct, frozen=True):
    """Which entries over all streams: of an actor, of a span of recording, behind a position."""

    actor: str | None = None
    recorded_from: datetime | None = None
    recorded_until: datetime | None = None
    after: int = 0
    limit: int = 100


def find_entries(connection: Connection, query: EntryQuery) -> list[dict[str, Any]]:
    """Rows of the index, in the order of the log."""
    entry = entries.c
    statement = select(entries).where(entry.position > query.after)
    if query.actor is not None:
        statement = statement.where(entry.actor == query.actor)
    if query.recorded_from is not None:
        statement = statement.where(entry.recorded_at >= micros(query.recorded_from))
    if query.recorded_until is not None:
        statement = statement.where(entry.recorded_at <= micros(query.recorded_until))
    statement = statement.order_by(entry.position).limit(query.limit)
    return [dict(row) for row in connection.execute(statement).mappings()]
