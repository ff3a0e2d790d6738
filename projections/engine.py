"""Catch-up: read models pull the log's feed and commit their checkpoint with their rows.

They see what is public and nothing else, so they need no key, and erasing
somebody leaves nothing to look for in them.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Any, Protocol

import msgspec
from sqlalchemy import Connection, Table, insert, inspect, select, update

from domain.access import PUBLIC_ONLY, Sensitivity
from domain.history import Recorded, StreamKind
from domain.process import ProcessBook
from projections import audit, deals, periods
from projections.frames import Batch, DealFold
from projections.instants import micros
from projections.tables import checkpoints, metadata
from projections.views import Views
from store.log import Positioned

BATCH_EVENTS = 5_000


class Feed(Protocol):
    """What the read models need of the log."""

    def feed(self, after: int, limit: int) -> Sequence[Positioned]: ...
    def head(self) -> int: ...
    def events_of(
        self, streams: Sequence[str], visible: Collection[Sensitivity]
    ) -> dict[str, tuple[Recorded[Any], ...]]: ...
    def processes(self) -> ProcessBook: ...


class ReadModel(Protocol):
    """One read model. A change of its rows or their meaning raises VERSION."""

    @property
    def NAME(self) -> str: ...  # noqa: N802
    @property
    def VERSION(self) -> int: ...  # noqa: N802
    @property
    def TABLES(self) -> tuple[Table, ...]: ...  # noqa: N802
    def apply(self, connection: Connection, batch: Batch) -> None: ...


MODELS: tuple[ReadModel, ...] = (audit, deals, periods)

Progress = Callable[[int, int], None]
"""Called with (events done, events in all)."""


class Checkpoint(msgspec.Struct, frozen=True):
    """Up to which position a model has read the log."""

    model: str
    version: int
    position: int


def catch_up(
    views: Views,
    log: Feed,
    until: int | None = None,
    progress: Progress | None = None,
    batch_events: int = BATCH_EVENTS,
) -> int:
    """Apply the events behind the checkpoint, up to `until` (default: all). Answers how many.

    Safe to run from several threads and processes at once: each batch takes the
    write lock before it reads the checkpoint.
    """
    head = log.head() if until is None else until
    if is_current(views, log, head):
        return 0
    applied = 0
    while True:
        with views.writing() as connection:
            position = prepare(connection, log)
            events = log.feed(after=position, limit=min(batch_events, max(head - position, 0)))
            if not events:
                return applied
            _apply(connection, log, events)
        applied += len(events)
        if progress is not None:
            progress(events[-1].position, head)


def is_current(views: Views, log: Feed, head: int) -> bool:
    """Whether every model, in its present version, has read up to `head`."""
    with views.reading() as connection:
        if not inspect(connection).has_table(checkpoints.name):
            return False
        return _position(connection, log) == head


def prepare(connection: Connection, log: Feed) -> int:
    """Make the tables where they are missing or of another version. Answers the checkpoint.

    The read models of another log are thrown away too, and those of a log that
    was restored from a backup: they tell of events that are not there.
    """
    metadata.create_all(connection, tables=[checkpoints])
    position = _position(connection, log)
    if position is not None:
        return position
    metadata.drop_all(connection)
    metadata.create_all(connection)
    connection.execute(
        insert(checkpoints),
        [
            {"model": m.NAME, "model_version": m.VERSION, "position": 0, "last_event": ""}
            for m in MODELS
        ],
    )
    return 0


def _position(connection: Connection, log: Feed) -> int | None:
    """The checkpoint that all models share, None where they must be built anew."""
    rows = connection.execute(select(checkpoints)).all()
    if {(row.model, row.model_version) for row in rows} != {(m.NAME, m.VERSION) for m in MODELS}:
        return None
    found = {(int(row.position), str(row.last_event)) for row in rows}
    if len(found) != 1:
        return None
    position, last_event = found.pop()
    return position if _name_at(log, position) == last_event else None


def _name_at(log: Feed, position: int) -> str | None:
    """Names the event at a position, None where the log has none: it tells one log from another."""
    if position == 0:
        return ""
    found = log.feed(after=position - 1, limit=1)
    return _name(found[0].event) if found else None


def _name(event: Recorded[Any]) -> str:
    return f"{event.stream}@{event.version} {micros(event.recorded_at)}"


def _apply(connection: Connection, log: Feed, events: Sequence[Positioned]) -> None:
    batch = Batch(tuple(events), _folds(log, events))
    for model in MODELS:
        model.apply(connection, batch)
    last = events[-1]
    connection.execute(
        update(checkpoints).values(position=last.position, last_event=_name(last.event))
    )


def _folds(log: Feed, events: Sequence[Positioned]) -> tuple[DealFold, ...]:
    """The deals that the events touch, as of the last of these events.

    What was appended behind them is left to its own batch, so that the rows at a
    checkpoint are the same whenever they are made.
    """
    versions = {
        positioned.event.stream: positioned.event.version
        for positioned in events
        if positioned.event.kind == StreamKind.DEAL
    }
    if not versions:
        return ()
    processes = log.processes()
    histories = log.events_of(list(versions), PUBLIC_ONLY)
    return tuple(
        DealFold.of(stream.partition(":")[2], histories[stream][:version], processes)
        for stream, version in versions.items()
    )


def read_checkpoints(connection: Connection) -> list[Checkpoint]:
    """Where each model stands."""
    if not inspect(connection).has_table(checkpoints.name):
        return []
    return [
        Checkpoint(row.model, row.model_version, row.position)
        for row in connection.execute(select(checkpoints).order_by(checkpoints.c.model))
    ]
