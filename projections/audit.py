"""Audit trail: every event of a deal, an actor or a period, withdrawn ones too.

The table is only an index of the log; what an entry says is read from the log
when it is asked for.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from itertools import accumulate
from typing import Any

import msgspec
from sqlalchemy import Connection, select, tuple_

from domain.corrections import EventWithdrawn
from domain.deal import DealEvent, describe
from domain.history import Fact, stored_name
from projections.changes import Change, changes
from projections.frames import Frame, Timeline, frames_of
from projections.instants import FOREVER, micros
from projections.models import Rows, Told
from projections.planning import within
from projections.tables import OF_ACCESSES, entries, stream_counts

NAME = "audit"
VERSION = 3
TABLES = (entries, stream_counts)
REPLACED_BY = None


def rows(told: Told) -> Rows:
    """The new events of a stream."""
    return {
        entries: [
            (
                position,
                event.stream,
                event.version,
                stored_name(type(event.fact)),
                event.actor,
                event.source,
                occurred_at := micros(event.occurred_at),
                # Most are known when they occur.
                occurred_at if event.known_at == event.occurred_at else micros(event.known_at),
                micros(event.recorded_at),
                event.command_id,
                event.inferred,
            )
            for position, event in zip(
                told.positions[told.new :], told.events[told.new :], strict=True
            )
        ]
    }


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


def trail(
    events: Sequence[DealEvent], positions: dict[int, int], broken_at: int | None = None
) -> list[AuditEntry]:
    """The trail of one deal in order of version. `positions`: version to position in the log.

    `broken_at` is the first version, if any, that is not among the events since it cannot be
    read. Behind it nobody knows the deal's state, so entries do not say what they changed.
    """
    withdrawn_by: dict[int, int] = {}
    for event in events:
        if isinstance(event.fact, EventWithdrawn):
            for version in event.fact.versions:
                withdrawn_by.setdefault(version, event.version)
    whole = [event for event in events if broken_at is None or event.version < broken_at]
    frames = {frame.event.version: frame for frame in frames_of(whole)}
    frames |= _as_recorded(whole, withdrawn_by)
    latest = accumulate((event.occurred_at for event in events), max)
    return [
        _entry(
            event,
            _told(event, frames.get(event.version), broken_at),
            positions[event.version],
            withdrawn_by.get(event.version),
            event.occurred_at < latest_so_far,
        )
        for event, latest_so_far in zip(events, latest, strict=True)
    ]


def _told(event: DealEvent, frame: Frame | None, broken_at: int | None) -> tuple[str, list[Change]]:
    """What happened in words, and what it changed."""
    if frame is None:
        return f"{event.type}; what it changed is not known: version {broken_at} is unreadable", []
    return describe(event, frame.before), changes(frame)


def _as_recorded(events: Sequence[DealEvent], versions: Collection[int]) -> dict[int, Frame]:
    """The frames of withdrawn events, by version: as they stood when they were recorded."""
    timeline = Timeline()
    found = {}
    for event in events[: max(versions, default=0)]:
        timeline.learn([event])
        if event.version in versions:
            found[event.version] = timeline.frame(event)
    return found


def _entry(
    event: DealEvent,
    told: tuple[str, list[Change]],
    position: int,
    withdrawn_by: int | None,
    late: bool,
) -> AuditEntry:
    what, changed = told
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
        what=what,
        changes=changed,
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
    accesses: bool = False
    """Only those that say who was shown secrets."""


def find_entries(connection: Connection, query: EntryQuery) -> list[dict[str, Any]]:
    """Rows of the index, in the order of the log.

    Those of an actor or of a span of recording, and accesses, come in the order of recording,
    which is another one only where a clock was set: so an index has them in their order.
    """
    entry = entries.c
    asked = (query.actor, query.recorded_from, query.recorded_until)
    narrowed = query.accesses or any(one is not None for one in asked)
    order = (entry.recorded_at, entry.position) if narrowed else (entry.position,)
    statement = select(entries).limit(query.limit)
    if query.accesses:
        # With a bound that all are within, their index is searched and no other one is read.
        statement = statement.where(OF_ACCESSES, entry.recorded_at > -FOREVER)
    if query.after and narrowed:
        # The last entry up to there, since the one that was shown may have been parked meanwhile.
        last = select(*order).where(entry.position <= query.after)
        found = connection.execute(last.order_by(entry.position.desc()).limit(1)).first()
        behind = (found[0], found[1]) if found is not None else (-FOREVER, 0)
        statement = statement.where(tuple_(*order) > tuple_(*behind))
    elif query.after:
        statement = statement.where(entry.position > query.after)
    if query.actor is not None:
        # Those of one actor may all stand behind those of all others.
        on_postgresql = connection.dialect.name == "postgresql"
        by_actor, first = within(entry.actor, query.actor, on_postgresql=on_postgresql)
        statement = statement.where(by_actor).order_by(*first)
    statement = statement.order_by(*order)
    if query.recorded_from is not None:
        statement = statement.where(entry.recorded_at >= micros(query.recorded_from))
    if query.recorded_until is not None:
        statement = statement.where(entry.recorded_at <= micros(query.recorded_until))
    return [dict(row) for row in connection.execute(statement).mappings()]
