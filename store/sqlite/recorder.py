"""The tables of the log on SQLite, and every statement on them.

See `store.recorder.Recorder` for what the methods promise.

Positions in the feed are a column of their own, counted 1, 2, 3… without gaps
in the order of commits: SQLite has one writer at a time, gives out the next
number inside the append's transaction, takes it back when that fails, and
nothing is ever deleted. Being declared, they outlive VACUUM.

The hash of an event's bytes is its leaf in the Merkle log. It is written in the
transaction of the append, apart from the event: into the tile of 256 leaves that
it fills, or into the table of the edge, from which it moves when its tile is full.
"""

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from eventsourcing.persistence import IntegrityError, Notification, StoredEvent
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteCursor, SQLiteFactory
from eventsourcing.utils import Environment, EnvType

from store.errors import LogDamaged
from store.recorder import (
    Append,
    CheckpointRow,
    CommandRow,
    Edge,
    Place,
    PlacedRow,
    Row,
    Standing,
    merged,
)
from store.seals.merkle import leaf_hash
from store.seals.tiles import TILE_WIDTH
from store.sqlite import statements as sql
from store.sqlite.connections import BULK_CACHE_KIB, LogDatastore, create_log
from store.sqlite.hashes import Hashes, seal
from store.sqlite.notices import tell

_BULK_ROWS = 1_000
_STREAMS_PER_STATEMENT = 500
_COMMANDS_PER_PAGE = 5_000
_LARGEST_POSITION = 2**63 - 1


def create(path: Path, properties: Mapping[str, str]) -> None:
    """Make the file and tables of a new log. Raises StoreError where something is there."""
    tables = [(table, ()) for table in sql.TABLES]
    create_log(path, [*tables, *((sql.INSERT_PROPERTY, item) for item in properties.items())])


class LogRecorder(SQLiteApplicationRecorder):
    """A `store.recorder.Recorder`; the library's own calls go through the same rows."""

    datastore: LogDatastore

    @contextmanager
    def transaction(self) -> Iterator[Append]:
        with self.datastore.writing() as cursor:

            def append(rows: Iterable[Row], command: CommandRow | None = None) -> int:
                if command is not None:
                    cursor.execute(sql.INSERT_COMMAND, command)
                return _insert(cursor, rows)

            yield append
        tell(self.datastore.path)

    def append(self, rows: Iterable[Row], command: CommandRow | None = None) -> int:
        with self.transaction() as append:
            return append(rows, command)

    def command(self, principal: str, command_id: str) -> CommandRow | None:
        with self.datastore.reading() as cursor:
            row = cursor.execute(sql.SELECT_COMMAND, (principal, command_id)).fetchone()
        return None if row is None else CommandRow(*row)

    def standing(
        self,
        principal: str,
        command_id: str,
        stream: str,
        after: int,
        *,
        kinds: Collection[str],
        known: int,
    ) -> Standing:
        with self.datastore.reading() as cursor:
            row = cursor.execute(sql.SELECT_COMMAND, (principal, command_id)).fetchone()
            rows = cursor.execute(sql.SELECT_STREAM, (stream, after)).fetchall()
            head = _number(cursor.execute(sql.SELECT_LAST_POSITION))
            changed = 0 < known < head and _holds(cursor, kinds, known)
        command = None if row is None else CommandRow(*row)
        return Standing(command, stream, after, rows, head, known, changed)

    def commands(self, after: tuple[str, str] = ("", "")) -> Iterator[CommandRow]:
        last = after
        while True:
            with self.datastore.reading() as cursor:
                found = cursor.execute(sql.SELECT_COMMANDS, (*last, _COMMANDS_PER_PAGE)).fetchall()
            if not found:
                return
            yield from (CommandRow(*row) for row in found)
            last = found[-1][:2]

    def clear_fingerprints(
        self, events: Iterable[tuple[str, int]], streams: Iterable[str] = ()
    ) -> int:
        quiet = ((stream,) for stream in streams)
        with self.datastore.writing() as cursor:
            cleared = cursor.executemany(sql.CLEAR_FINGERPRINT, events).rowcount
            return cleared + cursor.executemany(sql.CLEAR_QUIET, quiet).rowcount

    def rows(self, stream: str, after: int = 0) -> list[Row]:
        with self.datastore.reading() as cursor:
            return cursor.execute(sql.SELECT_STREAM, (stream, after)).fetchall()

    def event(self, stream: str, version: int) -> tuple[int, bytes] | None:
        with self.datastore.reading() as cursor:
            found: tuple[int, bytes] | None = cursor.execute(
                sql.SELECT_EVENT, (stream, version)
            ).fetchone()
            return found

    def rows_of(self, streams: Iterable[str]) -> Iterator[Row]:
        names = sorted(set(streams))
        for start in range(0, len(names), _STREAMS_PER_STATEMENT):
            some = names[start : start + _STREAMS_PER_STATEMENT]
            statement = sql.SELECT_STREAMS.format(_marks(some))
            with self.datastore.reading() as cursor:
                found = cursor.execute(statement, some).fetchall()
            yield from found

    def feed(self, after: int, limit: int) -> list[tuple[int, str, int, str, bytes]]:
        with self.datastore.reading() as cursor:
            return cursor.execute(sql.SELECT_FEED, (after, limit)).fetchall()

    def places(self, after: int, limit: int) -> list[Place]:
        with self.datastore.reading() as cursor:
            return [Place(*row) for row in cursor.execute(sql.SELECT_PLACES, (after, limit))]

    def placed(self, streams: Iterable[str]) -> Iterator[PlacedRow]:
        names = sorted(set(streams))
        for start in range(0, len(names), _STREAMS_PER_STATEMENT):
            some = names[start : start + _STREAMS_PER_STATEMENT]
            statement = sql.SELECT_PLACED.format(_marks(some))
            with self.datastore.reading() as cursor:
                found = cursor.execute(statement, some).fetchall()
            yield from found

    def scan(self, behind: tuple[str, int], before: str, limit: int) -> list[PlacedRow]:
        with self.datastore.reading() as cursor:
            return cursor.execute(sql.SCAN, (*behind, before, limit)).fetchall()

    def streams_at(self, positions: Collection[int]) -> list[str]:
        statement = sql.SELECT_STREAMS_AT.format(_marks(list(positions)))
        with self.datastore.reading() as cursor:
            return [name for (name,) in cursor.execute(statement, list(positions))]

    def version(self, stream: str) -> int:
        with self.datastore.reading() as cursor:
            return _number(cursor.execute(sql.SELECT_HEAD, (stream,)))

    def positions(self, stream: str) -> dict[int, int]:
        with self.datastore.reading() as cursor:
            return dict(cursor.execute(sql.SELECT_POSITIONS, (stream,)).fetchall())

    def names(self, kind: str) -> list[str]:
        with self.datastore.reading() as cursor:
            return [name for (name,) in cursor.execute(sql.SELECT_NAMES, (kind, kind))]

    def count(self, kind: str) -> int:
        with self.datastore.reading() as cursor:
            return _number(cursor.execute(sql.COUNT_KIND, (kind, kind)))

    def holds(self, kinds: Collection[str], after: int) -> bool:
        with self.datastore.reading() as cursor:
            return _holds(cursor, kinds, after)

    def head(self) -> int:
        with self.datastore.reading() as cursor:
            return _number(cursor.execute(sql.SELECT_LAST_POSITION))

    def head_at_hand(self) -> int | None:
        found = self.datastore.glance(sql.SELECT_LAST_POSITION)
        return None if found is None else int(found)

    def tile(self, level: int, number: int) -> bytes | None:
        with self.datastore.reading() as cursor:
            return Hashes(cursor).tile(level, number)

    def leaves(self, first: int, last: int) -> Sequence[bytes]:
        with self.datastore.reading() as cursor:
            return Hashes(cursor).leaves(first, last)

    def edge(self) -> Edge:
        with self.datastore.reading() as cursor:
            return Edge(*cursor.execute(sql.SELECT_EDGE_EXTENT).fetchone())

    def keep_checkpoint(self, checkpoint: CheckpointRow) -> None:
        with self.datastore.writing() as cursor:
            row = cursor.execute(sql.SELECT_CHECKPOINT, (checkpoint.size,)).fetchone()
            kept = None if row is None else CheckpointRow(*row)
            cursor.execute(sql.INSERT_CHECKPOINT, merged(kept, checkpoint))

    def checkpoint(self, size: int) -> CheckpointRow | None:
        return self._checkpoint(sql.SELECT_CHECKPOINT, (size,))

    def last_checkpoint(self) -> CheckpointRow | None:
        return self._checkpoint(sql.SELECT_LAST_CHECKPOINT, ())

    def _checkpoint(self, statement: str, values: Sequence[int]) -> CheckpointRow | None:
        with self.datastore.reading() as cursor:
            row = cursor.execute(statement, values).fetchone()
        return None if row is None else CheckpointRow(*row)

    def checkpoints(self) -> list[CheckpointRow]:
        with self.datastore.reading() as cursor:
            return [CheckpointRow(*row) for row in cursor.execute(sql.SELECT_CHECKPOINTS)]

    def properties(self) -> dict[str, str]:
        with self.datastore.reading() as cursor:
            return dict(cursor.execute(sql.SELECT_PROPERTIES).fetchall())

    def require_up_to_date(self) -> None:
        """There is one version of the tables, and others are refused."""

    def foreign(self) -> list[str]:
        with self.datastore.reading() as cursor:
            found = _schema(cursor)
        with closing(sqlite3.connect(":memory:")) as plain:
            for table in sql.TABLES:
                plain.execute(table)
            ours = _schema(plain.cursor())
        return [
            *(f"the {kind} {name} is not one of the log" for kind, name in found.keys() - ours),
            *(f"the {kind} {name} is gone" for kind, name in ours.keys() - found),
            *(
                f"the {kind} {name} is another one than the log was made with"
                for kind, name in found.keys() & ours
                if found[kind, name] != ours[kind, name]
            ),
        ]

    def size_bytes(self) -> int:
        path = self.datastore.path
        files = [path, *(path.with_name(path.name + end) for end in ("-wal", "-shm"))]
        return sum(file.stat().st_size for file in files if file.exists())

    def purge(self) -> None:
        self.datastore.purge()

    # What the library calls; the rest of its calls work on these tables as they are.

    def _insert_events(
        self, c: SQLiteCursor, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int]:
        if kwargs:
            raise TypeError(f"the log keeps events only, not {', '.join(kwargs)}")
        rows = [
            (str(e.originator_id), e.originator_version, e.topic, e.state) for e in stored_events
        ]
        last = _insert(c.sqlite_cursor, rows)
        return range(last - len(rows) + 1, last + 1)

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        after = 0 if start is None else start - inclusive_of_start
        upto = _LARGEST_POSITION if stop is None else stop
        chosen = f"AND topic IN ({_marks(topics)})" if topics else ""
        statement = sql.SELECT_NOTIFICATIONS.format(chosen)
        with self.datastore.reading() as cursor:
            found = cursor.execute(statement, (after, upto, *topics, limit)).fetchall()
        return [
            Notification(stream, version, topic, state, position)
            for position, stream, version, topic, state in found
        ]


def _insert(cursor: sqlite3.Cursor, rows: Iterable[Row]) -> int:
    """Insert rows, and their leaves into the Merkle log. Answers the last position."""
    ends: tuple[int, int] = cursor.execute(sql.SELECT_ENDS).fetchone()
    before, edge = ends
    _check_edge(before, edge)
    checked = list(_without_gaps(cursor, rows))
    last = before + len(checked)
    if len(checked) >= _BULK_ROWS:
        cursor.execute(f"PRAGMA cache_size = -{BULK_CACHE_KIB}")
    cursor.executemany(sql.INSERT_EVENT, checked)
    # A trigger that is not ours can swallow rows without a word.
    if _number(cursor.execute(sql.SELECT_LAST_POSITION)) != last:
        raise LogDamaged("the log did not take in every event it was given")
    seal(cursor, before, [leaf_hash(state) for _, _, _, state in checked])
    return last


def _check_edge(head: int, edge: int) -> None:
    """Raise LogDamaged where events and leaves do not end at the same position."""
    if edge != (head if head % TILE_WIDTH else 0):
        raise LogDamaged(
            f"the last event stands at position {head}, and the last hash that is not in a full"
            f" tile at position {edge or 'none'}"
        )


def _schema(cursor: sqlite3.Cursor) -> dict[tuple[str, str], str]:
    """By kind and name, how everything in the file was made; statistics aside."""
    return {
        (kind, name): " ".join((statement or "").split())
        for kind, name, statement in cursor.execute(sql.SELECT_SCHEMA)
    }


def _without_gaps(reader: sqlite3.Cursor, rows: Iterable[Row]) -> Iterator[Row]:
    """Versions that exist already are refused by the table, versions too high only here."""
    last: dict[str, int] = {}
    for row in rows:
        stream, version, _, _ = row
        before = last.get(stream)
        if before is None and version > 1:
            if reader.execute(sql.SELECT_VERSION, (stream, version - 1)).fetchone() is None:
                raise IntegrityError(f"{stream} has no version {version - 1}")
        elif version != (before or 0) + 1:
            raise IntegrityError(f"version {version} of {stream} does not follow {before or 0}")
        last[stream] = version
        yield row


def _holds(cursor: sqlite3.Cursor, kinds: Collection[str], after: int) -> bool:
    statement = sql.EXISTS_OF_KIND.format(" OR ".join(sql.OF_KIND for _ in kinds))
    bounds = [bound for kind in kinds for bound in (kind, kind)]
    return bool(_number(cursor.execute(statement, (after, *bounds))))


def _number(result: sqlite3.Cursor) -> int:
    """The one number that a statement gives, 0 where it gives none."""
    return result.fetchone()[0] or 0


def _marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))


class LogFactory(SQLiteFactory):
    """Builds the recorder of a log for the library's Application."""

    application_recorder_class = LogRecorder

    def __init__(self, env: Environment | EnvType | None) -> None:
        super().__init__(env)
        self.datastore = LogDatastore(Path(self.env[self.SQLITE_DBNAME]))

    def env_create_table(self) -> bool:
        """The tables are made with the file, by `create`, and never later."""
        return False
