"""The tables of the log on SQLite, and every statement on them.

Positions in the feed are a column of their own, counted 1, 2, 3… without gaps
in the order of commits: SQLite has one writer at a time, gives out the next
number inside the append's transaction, takes it back when that fails, and
nothing is ever deleted. Being declared, they outlive VACUUM.
"""

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from eventsourcing.persistence import IntegrityError, Notification, StoredEvent
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteCursor, SQLiteFactory
from eventsourcing.utils import Environment, EnvType

from store.codec import Row
from store.connections import LogDatastore, create_log

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
    fingerprint BLOB NOT NULL,
    stream TEXT NOT NULL,
    first_version INTEGER NOT NULL,
    last_version INTEGER NOT NULL,
    recorded_at TEXT NOT NULL,
    PRIMARY KEY (principal, command_id)
) STRICT, WITHOUT ROWID
"""

_INSERT_EVENT = """
INSERT INTO stored_events (originator_id, originator_version, topic, state) VALUES (?, ?, ?, ?)
"""
_INSERT_COMMAND = "INSERT INTO commands VALUES (?, ?, ?, ?, ?, ?, ?)"
_SELECT_COMMAND = "SELECT * FROM commands WHERE principal = ? AND command_id = ?"
_SELECT_VERSION = """
SELECT 1 FROM stored_events WHERE originator_id = ? AND originator_version = ?
"""
_SELECT_HEAD = "SELECT max(originator_version) FROM stored_events WHERE originator_id = ?"
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

_SELECT_NOTIFICATIONS = """
SELECT position, originator_id, originator_version, topic, state FROM stored_events
WHERE position > ? AND position <= ? {} ORDER BY position LIMIT ?
"""

_STREAMS_PER_STATEMENT = 500
_LARGEST_POSITION = 2**63 - 1


class CommandRow(NamedTuple):
    """What one command of a principal led to: versions first to last of a stream.

    Where it changed nothing, `first_version` is `last_version` + 1, and
    `last_version` the version it was decided on.
    """

    principal: str
    command_id: str
    fingerprint: bytes
    stream: str
    first_version: int
    last_version: int
    recorded_at: str


class Append(Protocol):
    """Appends rows, and the command that led to them; see `LogRecorder.append`."""

    def __call__(self, rows: Iterable[Row], command: CommandRow | None = None) -> int: ...


def create(path: Path) -> None:
    """Make the file and tables of a new log. Raises StoreError where something is there."""
    create_log(path, (EVENTS, COMMANDS))


class LogRecorder(SQLiteApplicationRecorder):
    """Writes and reads rows of the log; the library's own calls go through the same ones."""

    datastore: LogDatastore

    @contextmanager
    def transaction(self) -> Iterator[Append]:
        """The log to ourselves: what is read inside stays true until the append in it."""
        with self.datastore.writing() as cursor:

            def append(rows: Iterable[Row], command: CommandRow | None = None) -> int:
                if command is not None:
                    cursor.execute(_INSERT_COMMAND, command)
                return _insert(cursor, rows)

            yield append

    def append(self, rows: Iterable[Row], command: CommandRow | None = None) -> int:
        """Append all rows, and the command that led to them, in one transaction.

        Returns the position of the last row in the feed; the head without rows.
        Raises IntegrityError, and appends nothing, when a stream's versions would
        not follow the last one without gap, or the command is known already.
        """
        with self.transaction() as append:
            return append(rows, command)

    def command(self, principal: str, command_id: str) -> CommandRow | None:
        """What a command led to earlier, None when it is new."""
        with self.datastore.reading() as cursor:
            row = cursor.execute(_SELECT_COMMAND, (principal, command_id)).fetchone()
        return None if row is None else CommandRow(*row)

    def rows(self, stream: str, after: int = 0) -> list[Row]:
        """The rows of one stream with versions above `after`, in order."""
        with self.datastore.reading() as cursor:
            return cursor.execute(_SELECT_STREAM, (stream, after)).fetchall()

    def rows_of(self, streams: Iterable[str]) -> Iterator[Row]:
        """The rows of many streams, each stream's together and in order of version."""
        names = sorted(set(streams))
        for start in range(0, len(names), _STREAMS_PER_STATEMENT):
            some = names[start : start + _STREAMS_PER_STATEMENT]
            statement = _SELECT_STREAMS.format(_marks(some))
            with self.datastore.reading() as cursor:
                found = cursor.execute(statement, some).fetchall()
            yield from found

    def feed(self, after: int, limit: int) -> list[tuple[int, str, int, str, bytes]]:
        """Position and row of at most `limit` events behind position `after`, in order."""
        with self.datastore.reading() as cursor:
            return cursor.execute(_SELECT_FEED, (after, limit)).fetchall()

    def version(self, stream: str) -> int:
        """The last version of a stream, 0 when it has none."""
        with self.datastore.reading() as cursor:
            return _number(cursor.execute(_SELECT_HEAD, (stream,)))

    def positions(self, stream: str) -> dict[int, int]:
        """The position in the feed of each version of a stream."""
        with self.datastore.reading() as cursor:
            return dict(cursor.execute(_SELECT_POSITIONS, (stream,)).fetchall())

    def names(self, kind: str) -> list[str]:
        """The streams of a kind, in the order in which they began."""
        with self.datastore.reading() as cursor:
            return [name for (name,) in cursor.execute(_SELECT_NAMES, (kind, kind))]

    def count(self, kind: str) -> int:
        """How many events the streams of a kind hold together."""
        with self.datastore.reading() as cursor:
            return _number(cursor.execute(_COUNT_KIND, (kind, kind)))

    def holds(self, kinds: Collection[str], after: int) -> bool:
        """Whether streams of these kinds have events behind position `after`."""
        statement = _EXISTS_OF_KIND.format(" OR ".join(_OF_KIND for _ in kinds))
        bounds = [bound for kind in kinds for bound in (kind, kind)]
        with self.datastore.reading() as cursor:
            return bool(_number(cursor.execute(statement, (after, *bounds))))

    def head(self) -> int:
        """The last position of the feed, 0 when the log is empty."""
        with self.datastore.reading() as cursor:
            return _number(cursor.execute(_SELECT_LAST_POSITION))

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


def _insert(cursor: sqlite3.Cursor, rows: Iterable[Row]) -> int:
    with closing(cursor.connection.cursor()) as reader:
        cursor.executemany(_INSERT_EVENT, _without_gaps(reader, rows))
    return _number(cursor.execute(_SELECT_LAST_POSITION))


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
