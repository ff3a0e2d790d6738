"""The file that holds the read models, and its transactions."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from sqlalchemy import URL, Connection, create_engine, event
from sqlalchemy.exc import DBAPIError

from store.errors import StoreBusy, StoreError, StoreFull, StoreUnavailable

APPLICATION_ID = 0x44656156
"""Marks the file as read models of dealstate, in the SQLite header ("DeaV")."""

BUSY_TIMEOUT_SECONDS = 30
_PAUSE_SECONDS = 0.01


class Views:
    """Connections to the read models. Disposable: deleting the file loses nothing.

    An `exclusive` file has one connection, which no other thread or process
    can share; it fails at once where another holds the file.

    Opening a transaction raises StoreError where the file is damaged or of another
    kind, StoreBusy, StoreFull or StoreUnavailable.
    """

    def __init__(self, path: Path, *, exclusive: bool = False) -> None:
        self.path = path
        self._exclusive = exclusive
        self._timeout_seconds = 0 if exclusive else BUSY_TIMEOUT_SECONDS
        self.engine = create_engine(
            URL.create("sqlite", database=str(path)),
            isolation_level="AUTOCOMMIT",
            connect_args={"timeout": self._timeout_seconds},
            **({"pool_size": 1, "max_overflow": 0} if exclusive else {}),
        )
        event.listen(self.engine, "connect", self._configure)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One consistent snapshot."""
        with self._transaction("BEGIN") as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction, with the write lock taken at once; waits for other writers."""
        with self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection

    @contextmanager
    def driver(self) -> Iterator[sqlite3.Connection]:
        """The connection of SQLite itself, outside of a transaction."""
        with translated(self.path), self.engine.connect() as connection:
            yield cast("sqlite3.Connection", connection.connection.dbapi_connection)

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[Connection]:
        # What was not committed is rolled back when the connection goes back to its pool.
        with translated(self.path), self.engine.connect() as connection:
            connection.exec_driver_sql(begin)
            yield connection
            connection.exec_driver_sql("COMMIT")

    def _configure(self, connection: sqlite3.Connection, _: Any) -> None:
        if self._exclusive:
            connection.execute("PRAGMA main.locking_mode = EXCLUSIVE")
        give_up_at = time.monotonic() + self._timeout_seconds
        while not _prepared(connection, self.path):
            if time.monotonic() >= give_up_at:
                raise StoreBusy(*_locked(self.path))
            time.sleep(_PAUSE_SECONDS)
        # What is lost in a power cut is read from the log again, so NORMAL is enough.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_SECONDS * 1000}")

    def close(self) -> None:
        self.engine.dispose()


def _prepared(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether the file is marked and keeps a write-ahead log; False while others make it so.

    SQLite does not wait where several turn the log on at the same moment.
    """
    try:
        _mark(connection, path)
        connection.execute("PRAGMA journal_mode = WAL")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
            raise
        connection.rollback()
        return False
    return True


def _mark(connection: sqlite3.Connection, path: Path) -> None:
    """Mark a new file as ours. Raises StoreError for a file that is not."""
    connection.execute("BEGIN")
    (marked_as,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    connection.execute("COMMIT")
    if marked_as == APPLICATION_ID:
        return
    if marked_as or tables:
        raise StoreError(
            f"{path} is a database of another kind, not the read models of dealstate",
            "Move it away, or delete it if nothing needs it; the read models are made anew.",
        )
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """SQLite's errors on the read models as those of a store."""
    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        translation = _translation(cause, path)
        if translation is None:
            raise
        raise translation from error


def _translation(error: BaseException | None, path: Path) -> StoreError | None:
    match getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF:
        case sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_CORRUPT:
            return StoreError(
                f"{path} is damaged, or not a database: {error}",
                "Delete it; the read models are made anew from the log, and nothing is lost.",
            )
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return StoreBusy(*_locked(path))
        case sqlite3.SQLITE_FULL:
            return StoreFull(f"there is no room to write {path}", "Free some space and try again.")
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_IOERR:
            return StoreUnavailable(
                f"{path} cannot be read or written: {error}", "Check the disk and its permissions."
            )
        case _:
            return None


def _locked(path: Path) -> tuple[str, str]:
    return f"{path} is locked by another program", "Try again when that program is done."
