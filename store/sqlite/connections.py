"""Connections to the file of a log on SQLite, and what must hold for each of them.

Every connection is in WAL mode with `synchronous=FULL`, so that a commit that
returned survives a power failure; both are set and read back. The file is
marked as a log of ours in its header. The library's pool hands connections
out; its locks between readers and writers are not used, since under them a
reader waits for a writer.
"""

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

from eventsourcing.persistence import (
    ConnectionPoolClosedError,
    ConnectionUnavailableError,
    IntegrityError,
)
from eventsourcing.sqlite import (
    SQLiteConnection,
    SQLiteConnectionPool,
    SQLiteCursor,
    SQLiteDatastore,
)

from store.errors import StoreBusy, StoreError, StoreFull, StoreUnavailable

APPLICATION_ID = 0x4465616C
"""Marks the file as a log of dealstate, in the SQLite header ("Deal")."""

LOG_SCHEMA = 2
"""Version of the tables, in the SQLite header as `user_version`."""

BUSY_TIMEOUT_SECONDS = 30.0
BULK_CACHE_KIB = 16_384
"""Of a connection that appends in bulk: room for the pages that it touches again and again.

SQLite's own 2 MB serve reading and single appends faster: what the system has in memory is
copied into pages that are in the processor's cache, not into new ones.
"""

POOL_SIZE = 16

_WAL = "wal"
_SYNCHRONOUS_FULL = 2


def create_log(path: Path, statements: Iterable[tuple[str, Sequence[str]]]) -> None:
    """Make a new log. An empty file that a crash left behind is taken over.

    `statements` are those that make and fill its tables, with their parameters.

    Raises StoreError when there is a log or anything else already.
    """
    check_new(path)
    with translated(path), closing(_connect(path, "rwc")) as connection:
        _refuse_unless_empty(connection, path)
        make_durable(connection, path)
        connection.execute("BEGIN IMMEDIATE")
        _refuse_unless_empty(connection, path)
        for statement, parameters in statements:
            connection.execute(statement, parameters)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {LOG_SCHEMA}")
        connection.execute("COMMIT")


def check_new(path: Path) -> None:
    """Raise StoreError where a new log cannot be made, for want of a folder or since one is there.

    Changes nothing.
    """
    if not path.parent.is_dir():
        raise StoreError(f"there is no folder {path.parent}", "Make it, or name another place.")
    if path.exists():
        with translated(path), closing(_connect(path, "ro")) as connection:
            _refuse_unless_empty(connection, path)


def open_log(path: Path) -> sqlite3.Connection:
    """A connection to an existing log. Raises StoreError when there is none, or it is not ours."""
    if not path.is_file():
        raise StoreError(f"there is no log at {path}", "Make one with `dealstate init`.")
    _refuse_unless_writable(path)
    with translated(path):
        connection = _connect(path, "rw")
        try:
            _refuse_unless_ours(connection, path)
            make_durable(connection, path)
            # What is overwritten (fingerprints of erased people) leaves nothing in the file.
            connection.execute("PRAGMA secure_delete = ON")
        except BaseException:
            connection.close()
            raise
    return connection


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=BUSY_TIMEOUT_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )


def _pragma(connection: sqlite3.Connection, name: str) -> Any:
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


def _refuse_unless_empty(connection: sqlite3.Connection, path: Path) -> None:
    if _pragma(connection, "application_id") == APPLICATION_ID:
        raise StoreError(f"{path} is a log already", "Use it as it is, or name another file.")
    if connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
        raise StoreError(f"{path} is a database of another kind", "Name another file.")


def _refuse_unless_ours(connection: sqlite3.Connection, path: Path) -> None:
    if _pragma(connection, "application_id") != APPLICATION_ID:
        raise StoreError(
            f"{path} is not a log of dealstate", "Name its log, or make one with `dealstate init`."
        )
    schema = _pragma(connection, "user_version")
    if schema > LOG_SCHEMA:
        raise StoreError(
            f"{path} was written by a newer release (tables {schema}, this one knows {LOG_SCHEMA})",
            "Upgrade dealstate.",
        )
    if schema < LOG_SCHEMA:
        raise StoreError(
            f"{path} was written before the first release (tables {schema})",
            "Make a new store and record or import the data again.",
        )


def _refuse_unless_writable(path: Path) -> None:
    """Left to itself, SQLite opens what it may not write, and fails in the middle of something."""
    effective = os.access in os.supports_effective_ids
    for place in (path, path.absolute().parent):
        if not os.access(place, os.W_OK, effective_ids=effective):
            raise StoreUnavailable(
                f"{place} cannot be written by this user",
                "Give the user the right to write the file and its folder.",
            )


def make_durable(connection: sqlite3.Connection, path: Path) -> None:
    """Make each commit survive a power failure. Raises StoreError where SQLite cannot."""
    journal = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    connection.execute("PRAGMA synchronous = FULL")
    # On macOS an ordinary sync does not reach the disk; elsewhere these two change nothing.
    connection.execute("PRAGMA fullfsync = ON")
    connection.execute("PRAGMA checkpoint_fullfsync = ON")
    if journal != _WAL or _pragma(connection, "synchronous") != _SYNCHRONOUS_FULL:
        raise StoreError(
            f"{path} cannot be written durably (journal mode {journal})",
            "Keep the log on a local disk, where SQLite can use its write-ahead log.",
        )


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """SQLite's errors as ours; broken uniqueness as the library's IntegrityError."""
    try:
        yield
    except sqlite3.Error as error:
        raise _translation(error, path) from error


def _translation(error: sqlite3.Error, path: Path) -> Exception:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    if code in {sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY}:
        return IntegrityError(str(error))
    match code & 0xFF:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return StoreBusy(
                f"{path} has been locked for {BUSY_TIMEOUT_SECONDS:.0f} seconds",
                "Another program is writing to it; try again when it is done.",
            )
        case sqlite3.SQLITE_FULL:
            return StoreFull(f"there is no room to write {path}", "Free some space and try again.")
        case sqlite3.SQLITE_NOTADB:
            return StoreError(f"{path} is not a database", "Name a log of dealstate.")
        case sqlite3.SQLITE_CORRUPT:
            return StoreError(f"{path} is damaged: {error}", "Restore a backup.")
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_IOERR:
            return StoreUnavailable(
                f"{path} cannot be read or written: {error}", "Check the disk and its permissions."
            )
        case _:
            return StoreError(f"{path}: {error}", "Restore a backup if this persists.")


class LogConnectionPool(SQLiteConnectionPool):
    """The library's pool, of connections to a log."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            db_name=str(path),
            pool_size=POOL_SIZE,
            max_overflow=POOL_SIZE,
            pool_timeout=BUSY_TIMEOUT_SECONDS,
        )
        self.path = path

    def _create_connection(self) -> SQLiteConnection:
        return SQLiteConnection(open_log(self.path), max_age=None)

    def close(self) -> None:
        """Close all connections; those in use when they are given back.

        The library closes those too, while another thread is in the middle of a
        statement, which then reads what was freed and ends the process (SIGSEGV).
        """
        with self._put_condition:
            self._in_use.clear()
            super().close()


class LogDatastore(SQLiteDatastore):
    """Transactions on one log. Reads never wait; writers of one process take turns."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), originator_id_type="text")
        self.path = path
        self.pool = LogConnectionPool(path)
        self._turn = Lock()
        self._file = _identity(path)
        self._glancing = Lock()
        self._glance: sqlite3.Connection | None = None

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Cursor]:
        """A cursor for single statements."""
        connection = self._borrow()
        try:
            cursor = connection.cursor().sqlite_cursor
            yield cursor
            cursor.close()
        except sqlite3.Error as error:
            raise _translation(error, self.path) from error
        finally:
            self._give_back(connection)

    def glance(self, statement: str) -> Any:
        """The first column of the first row; None where it would take waiting for somebody.

        It has a connection of its own, kept open, which waits for no lock.
        """
        if not self._glancing.acquire(blocking=False):
            return None
        try:
            if self._glance is None:
                self._glance = open_log(self.path)
                self._glance.execute("PRAGMA busy_timeout = 0")
            return self._glance.execute(statement).fetchone()[0]
        except (sqlite3.Error, StoreError):
            return None
        finally:
            self._glancing.release()

    def close(self) -> None:
        with self._glancing:
            if self._glance is not None:
                self._glance.close()
                self._glance = None
        super().close()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Cursor]:
        """A write transaction: all or nothing, durable when this returns."""
        if not self._turn.acquire(timeout=BUSY_TIMEOUT_SECONDS):
            raise StoreBusy(
                f"{self.path} has been written for {BUSY_TIMEOUT_SECONDS:.0f} seconds",
                "Another thread is writing to it; try again when it is done.",
            )
        try:
            connection = self._borrow()
            try:
                self._require_in_place()
                cursor = connection.cursor().sqlite_cursor
                cursor.execute("BEGIN IMMEDIATE")
                yield cursor
                cursor.execute("COMMIT")
                cursor.close()
                self._require_in_place()
            except BaseException as error:
                _undo(connection)
                if isinstance(error, sqlite3.Error):
                    raise _translation(error, self.path) from error
                raise
            finally:
                self._give_back(connection)
        finally:
            self._turn.release()

    def purge(self) -> None:
        """Empty the write-ahead log, where overwritten pages stand in their earlier form.

        Raises StoreBusy while another reader needs it.
        """
        with self.reading() as cursor:
            (busy, _, _) = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise StoreBusy(
                f"the write-ahead log of {self.path} is in use", "Try again in a moment."
            )

    @contextmanager
    def transaction(self, *, commit: bool) -> Iterator[SQLiteCursor]:
        """The library's way in."""
        with self.writing() if commit else self.reading() as cursor:
            cursor.row_factory = sqlite3.Row
            yield SQLiteCursor(cursor)

    def _require_in_place(self) -> None:
        """What is written to a file that was removed or replaced is lost when that is closed.

        The file is looked at again after a commit: what was recorded is acknowledged only where it
        can be found again. Raises StoreUnavailable.
        """
        if _identity(self.path) != self._file:
            raise StoreUnavailable(
                f"{self.path} was removed or replaced while it was in use",
                "Put it back where it was; where another file takes its place, start again.",
            )

    def _borrow(self) -> SQLiteConnection:
        try:
            return self.pool.get_connection()
        except ConnectionPoolClosedError:
            raise StoreError(f"{self.path} was closed", "Open the log again.") from None
        except ConnectionUnavailableError as error:
            raise StoreBusy(
                f"all {2 * POOL_SIZE} connections to {self.path} are in use",
                "Try again, or use fewer threads.",
            ) from error

    def _give_back(self, connection: SQLiteConnection) -> None:
        try:
            self.pool.put_connection(connection)
        except ConnectionPoolClosedError:
            connection.close()


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file is at the path, None where there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116 (half the time, before and after each commit)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _undo(connection: SQLiteConnection) -> None:
    """Roll back; a connection that cannot is given up, which rolls back too."""
    try:
        connection.rollback()
    except sqlite3.Error:
        connection.close()
