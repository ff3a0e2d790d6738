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
from store.recorder import Append, CheckpointRow, CommandRow, Edge, Row, damaged_hashes, merged
from store.seals.merkle import HASH_BYTES, leaf_hash
from store.seals.tiles import TILE_WIDTH, new_tiles
from store.sqlite.connections import LogDatastore, create_log

EVENTS = """
CREATE TABLE stored_events (
    position INTEGER PRIMARY KEY,
    originator_id TEXT NOT NULL,
    originator_version INTEGER NOT NULL,
    topic TEXT NOT NULL,
    state BLOB NOT NULL,
    UNIQUE (originator_id, originator_version)
) STRICT
"""
COMMANDS = """
CREATE TABLE commands (
    principal TEXT NOT NULL,
    command_id TEXT NOT NULL,
    fingerprint BLOB,
    stream TEXT NOT NULL,
    first_version INTEGER NOT NULL,
    last_version INTEGER NOT NULL,
    recorded_at TEXT NOT NULL,
    PRIMARY KEY (principal, command_id)
) STRICT, WITHOUT ROWID
"""
TILES = """
CREATE TABLE tiles (
    level INTEGER NOT NULL,
    number INTEGER NOT NULL,
    hashes BLOB NOT NULL,
    PRIMARY KEY (level, number)
) STRICT, WITHOUT ROWID
"""
EDGE = "CREATE TABLE edge (position INTEGER PRIMARY KEY, hash BLOB NOT NULL) STRICT"
CHECKPOINTS = """
CREATE TABLE checkpoints (
    size INTEGER PRIMARY KEY,
    note TEXT NOT NULL,
    made_at TEXT NOT NULL
) STRICT
"""
PROPERTIES = "CREATE TABLE properties (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT"

TABLES = (EVENTS, COMMANDS, TILES, EDGE, CHECKPOINTS, PROPERTIES)

_INSERT_EVENT = """
INSERT INTO stored_events (originator_id, originator_version, topic, state) VALUES (?, ?, ?, ?)
"""
_INSERT_COMMAND = "INSERT INTO commands VALUES (?, ?, ?, ?, ?, ?, ?)"
_SELECT_COMMAND = "SELECT * FROM commands WHERE principal = ? AND command_id = ?"
_SELECT_COMMANDS = """
SELECT * FROM commands WHERE (principal, command_id) > (?, ?)
ORDER BY principal, command_id LIMIT ?
"""
_CLEAR_FINGERPRINT = """
UPDATE commands SET fingerprint = NULL
WHERE stream = ? AND ? BETWEEN first_version AND last_version AND fingerprint IS NOT NULL
"""
_CLEAR_QUIET = """
UPDATE commands SET fingerprint = NULL
WHERE stream = ? AND first_version > last_version AND fingerprint IS NOT NULL
"""
_SELECT_VERSION = """
SELECT 1 FROM stored_events WHERE originator_id = ? AND originator_version = ?
"""
_SELECT_HEAD = "SELECT max(originator_version) FROM stored_events WHERE originator_id = ?"
_SELECT_EVENT = """
SELECT position, state FROM stored_events WHERE originator_id = ? AND originator_version = ?
"""
_SELECT_STREAM = """
SELECT originator_id, originator_version, topic, state FROM stored_events
WHERE originator_id = ? AND originator_version > ? ORDER BY originator_version
"""
_SELECT_STREAMS = """
SELECT originator_id, originator_version, topic, state FROM stored_events
WHERE originator_id IN ({}) ORDER BY originator_id, originator_version
"""
_SELECT_FEED = """
SELECT position, originator_id, originator_version, topic, state FROM stored_events
WHERE position > ? ORDER BY position LIMIT ?
"""
_SELECT_POSITIONS = """
SELECT originator_version, position FROM stored_events WHERE originator_id = ?
"""
_SELECT_LAST_POSITION = "SELECT max(position) FROM stored_events"
# A kind's streams are those between `kind:` and `kind;`, the next character.
_SELECT_NAMES = """
SELECT originator_id FROM stored_events
WHERE originator_id >= ? || ':' AND originator_id < ? || ';' AND originator_version = 1
ORDER BY position
"""
_COUNT_KIND = """
SELECT count(*) FROM stored_events WHERE originator_id >= ? || ':' AND originator_id < ? || ';'
"""
# The plus keeps the index on streams out: few rows are new, and a kind's streams may be many.
_EXISTS_OF_KIND = """
SELECT EXISTS (SELECT 1 FROM stored_events WHERE position > ? AND ({}))
"""
_OF_KIND = "(+originator_id >= ? || ':' AND +originator_id < ? || ';')"

_SELECT_TILE = "SELECT hashes FROM tiles WHERE level = ? AND number = ?"
_INSERT_TILE = "INSERT OR REPLACE INTO tiles VALUES (?, ?, ?)"
_SELECT_EDGE = "SELECT hash FROM edge WHERE position > ? AND position <= ? ORDER BY position"
_SELECT_LAST_OF_EDGE = "SELECT max(position) FROM edge"
_SELECT_EDGE_EXTENT = """
SELECT count(*), coalesce(min(position), 0), coalesce(max(position), 0) FROM edge
"""
_INSERT_EDGE = "INSERT INTO edge VALUES (?, ?)"
_DELETE_EDGE = "DELETE FROM edge WHERE position <= ?"
_INSERT_CHECKPOINT = "INSERT OR REPLACE INTO checkpoints VALUES (?, ?, ?)"
_SELECT_CHECKPOINT = "SELECT * FROM checkpoints WHERE size = ?"
_SELECT_LAST_CHECKPOINT = "SELECT * FROM checkpoints ORDER BY size DESC LIMIT 1"
_SELECT_CHECKPOINTS = "SELECT * FROM checkpoints ORDER BY size"
_INSERT_PROPERTY = "INSERT INTO properties VALUES (?, ?)"
_SELECT_PROPERTIES = "SELECT * FROM properties"
_SELECT_SCHEMA = """
SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_stat%' ORDER BY type, name
"""

_SELECT_NOTIFICATIONS = """
SELECT position, originator_id, originator_version, topic, state FROM stored_events
WHERE position > ? AND position <= ? {} ORDER BY position LIMIT ?
"""

_STREAMS_PER_STATEMENT = 500
_COMMANDS_PER_PAGE = 5_000
_LARGEST_POSITION = 2**63 - 1


def create(path: Path, properties: Mapping[str, str]) -> None:
    """Make the file and tables of a new log. Raises StoreError where something is there."""
    tables = [(table, ()) for table in TABLES]
    create_log(path, [*tables, *((_INSERT_PROPERTY, item) for item in properties.items())])


class LogRecorder(SQLiteApplicationRecorder):
    """A `store.recorder.Recorder`; the library's own calls go through the same rows."""

    datastore: LogDatastore

    @contextmanager
    def transaction(self) -> Iterator[Append]:
        with self.datastore.writing() as cursor:

            def append(rows: Iterable[Row], command: CommandRow | None = None) -> int:
                if command is not None:
                    cursor.execute(_INSERT_COMMAND, command)
                return _insert(cursor, rows)

            yield append

    def append(self, rows: Iterable[Row], command: CommandRow | None = None) -> int:
        with self.transaction() as append:
            return append(rows, command)

    def command(self, principal: str, command_id: str) -> CommandRow | None:
        with self.datastore.reading() as cursor:
            row = cursor.execute(_SELECT_COMMAND, (principal, command_id)).fetchone()
        return None if row is None else CommandRow(*row)

    def commands(self) -> Iterator[CommandRow]:
        last = ("", "")
        while True:
            with self.datastore.reading() as cursor:
                found = cursor.execute(_SELECT_COMMANDS, (*last, _COMMANDS_PER_PAGE)).fetchall()
            if not found:
                return
            yield from (CommandRow(*row) for row in found)
            last = found[-1][:2]

    def clear_fingerprints(
        self, events: Iterable[tuple[str, int]], streams: Iterable[str] = ()
    ) -> int:
        quiet = ((stream,) for stream in streams)
        with self.datastore.writing() as cursor:
            cleared = cursor.executemany(_CLEAR_FINGERPRINT, events).rowcount
            return cleared + cursor.executemany(_CLEAR_QUIET, quiet).rowcount

    def rows(self, stream: str, after: int = 0) -> list[Row]:
        with self.datastore.reading() as cursor:
            return cursor.execute(_SELECT_STREAM, (stream, after)).fetchall()

    def event(self, stream: str, version: int) -> tuple[int, bytes] | None:
        with self.datastore.reading() as cursor:
            found: tuple[int, bytes] | None = cursor.execute(
                _SELECT_EVENT, (stream, version)
            ).fetchone()
            return found

    def rows_of(self, streams: Iterable[str]) -> Iterator[Row]:
        names = sorted(set(streams))
        for start in range(0, len(names), _STREAMS_PER_STATEMENT):
            some = names[start : start + _STREAMS_PER_STATEMENT]
            statement = _SELECT_STREAMS.format(_marks(some))
            with self.datastore.reading() as cursor:
                found = cursor.execute(statement, some).fetchall()
            yield from found

    def feed(self, after: int, limit: int) -> list[tuple[int, str, int, str, bytes]]:
        with self.datastore.reading() as cursor:
            return cursor.execute(_SELECT_FEED, (after, limit)).fetchall()

    def version(self, stream: str) -> int:
        with self.datastore.reading() as cursor:
            return _number(cursor.execute(_SELECT_HEAD, (stream,)))

    def positions(self, stream: str) -> dict[int, int]:
        with self.datastore.reading() as cursor:
            return dict(cursor.execute(_SELECT_POSITIONS, (stream,)).fetchall())

    def names(self, kind: str) -> list[str]:
        with self.datastore.reading() as cursor:
            return [name for (name,) in cursor.execute(_SELECT_NAMES, (kind, kind))]

    def count(self, kind: str) -> int:
        with self.datastore.reading() as cursor:
            return _number(cursor.execute(_COUNT_KIND, (kind, kind)))

    def holds(self, kinds: Collection[str], after: int) -> bool:
        statement = _EXISTS_OF_KIND.format(" OR ".join(_OF_KIND for _ in kinds))
        bounds = [bound for kind in kinds for bound in (kind, kind)]
        with self.datastore.reading() as cursor:
            return bool(_number(cursor.execute(statement, (after, *bounds))))

    def head(self) -> int:
        with self.datastore.reading() as cursor:
            return _number(cursor.execute(_SELECT_LAST_POSITION))

    def tile(self, level: int, number: int) -> bytes | None:
        with self.datastore.reading() as cursor:
            return _Hashes(cursor).tile(level, number)

    def leaves(self, first: int, last: int) -> Sequence[bytes]:
        with self.datastore.reading() as cursor:
            return _Hashes(cursor).leaves(first, last)

    def edge(self) -> Edge:
        with self.datastore.reading() as cursor:
            return Edge(*cursor.execute(_SELECT_EDGE_EXTENT).fetchone())

    def keep_checkpoint(self, checkpoint: CheckpointRow) -> None:
        with self.datastore.writing() as cursor:
            row = cursor.execute(_SELECT_CHECKPOINT, (checkpoint.size,)).fetchone()
            kept = None if row is None else CheckpointRow(*row)
            cursor.execute(_INSERT_CHECKPOINT, merged(kept, checkpoint))

    def checkpoint(self, size: int) -> CheckpointRow | None:
        return self._checkpoint(_SELECT_CHECKPOINT, (size,))

    def last_checkpoint(self) -> CheckpointRow | None:
        return self._checkpoint(_SELECT_LAST_CHECKPOINT, ())

    def _checkpoint(self, statement: str, values: Sequence[int]) -> CheckpointRow | None:
        with self.datastore.reading() as cursor:
            row = cursor.execute(statement, values).fetchone()
        return None if row is None else CheckpointRow(*row)

    def checkpoints(self) -> list[CheckpointRow]:
        with self.datastore.reading() as cursor:
            return [CheckpointRow(*row) for row in cursor.execute(_SELECT_CHECKPOINTS)]

    def properties(self) -> dict[str, str]:
        with self.datastore.reading() as cursor:
            return dict(cursor.execute(_SELECT_PROPERTIES).fetchall())

    def foreign(self) -> list[str]:
        with self.datastore.reading() as cursor:
            found = _schema(cursor)
        with closing(sqlite3.connect(":memory:")) as plain:
            for table in TABLES:
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
        statement = _SELECT_NOTIFICATIONS.format(chosen)
        with self.datastore.reading() as cursor:
            found = cursor.execute(statement, (after, upto, *topics, limit)).fetchall()
        return [
            Notification(stream, version, topic, state, position)
            for position, stream, version, topic, state in found
        ]


class _Hashes:
    """Reads the stored hashes, inside a transaction or outside of one."""

    def __init__(self, cursor: sqlite3.Cursor) -> None:
        self._cursor = cursor

    def tile(self, level: int, number: int) -> bytes | None:
        row = self._cursor.execute(_SELECT_TILE, (level, number)).fetchone()
        return None if row is None else bytes(row[0])

    def leaves(self, first: int, last: int) -> Sequence[bytes]:
        number = first // TILE_WIDTH
        tile = self.tile(0, number)
        if tile is None:
            found = [leaf for (leaf,) in self._cursor.execute(_SELECT_EDGE, (first, last))]
            # Between the two statements an append may have filled the tile and emptied the edge.
            tile = None if len(found) == last - first else self.tile(0, number)
            if tile is None:
                return found
        start = number * TILE_WIDTH
        return [
            tile[HASH_BYTES * place : HASH_BYTES * (place + 1)]
            for place in range(first - start, last - start)
        ]


def _insert(cursor: sqlite3.Cursor, rows: Iterable[Row]) -> int:
    """Insert rows, and their leaves into the Merkle log. Answers the last position."""
    before = _number(cursor.execute(_SELECT_LAST_POSITION))
    _check_edge(cursor, before)
    with closing(cursor.connection.cursor()) as reader:
        checked = list(_without_gaps(reader, rows))
    last = before + len(checked)
    cursor.executemany(_INSERT_EVENT, checked)
    # A trigger that is not ours can swallow rows without a word.
    if _number(cursor.execute(_SELECT_LAST_POSITION)) != last:
        raise LogDamaged("the log did not take in every event it was given")
    _seal(cursor, before, [leaf_hash(state) for _, _, _, state in checked])
    return last


def _check_edge(cursor: sqlite3.Cursor, head: int) -> None:
    """Raise LogDamaged where events and leaves do not end at the same position."""
    edge = _number(cursor.execute(_SELECT_LAST_OF_EDGE))
    if edge != (head if head % TILE_WIDTH else 0):
        raise LogDamaged(
            f"the last event stands at position {head}, and the last hash that is not in a full"
            f" tile at position {edge or 'none'}"
        )


def _schema(cursor: sqlite3.Cursor) -> dict[tuple[str, str], str]:
    """By kind and name, how everything in the file was made; statistics aside."""
    return {
        (kind, name): " ".join((statement or "").split())
        for kind, name, statement in cursor.execute(_SELECT_SCHEMA)
    }


def _seal(cursor: sqlite3.Cursor, before: int, leaves: Sequence[bytes]) -> None:
    """Add the leaves behind the first `before` ones."""
    head = before + len(leaves)
    edge = head - head % TILE_WIDTH
    if before < edge:
        with damaged_hashes():
            tiles = new_tiles(_Hashes(cursor), before, leaves)
        cursor.executemany(_INSERT_TILE, [(one.level, one.number, one.hashes) for one in tiles])
        cursor.execute(_DELETE_EDGE, (edge,))
    first = max(before, edge)
    cursor.executemany(_INSERT_EDGE, enumerate(leaves[first - before :], start=first + 1))


def _without_gaps(reader: sqlite3.Cursor, rows: Iterable[Row]) -> Iterator[Row]:
    """Versions that exist already are refused by the table, versions too high only here."""
    last: dict[str, int] = {}
    for row in rows:
        stream, version, _, _ = row
        before = last.get(stream)
        if before is None and version > 1:
            if reader.execute(_SELECT_VERSION, (stream, version - 1)).fetchone() is None:
                raise IntegrityError(f"{stream} has no version {version - 1}")
        elif version != (before or 0) + 1:
            raise IntegrityError(f"version {version} of {stream} does not follow {before or 0}")
        last[stream] = version
        yield row


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
