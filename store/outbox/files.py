"""The outbox in a file of its own, on SQLite."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any

from store.errors import StoreBusy, StoreError, StoreFull, StoreUnavailable
from store.keys.tables import make_private
from store.outbox.outbox import OUTBOX_SCHEMA, TABLES, Execute, Value

APPLICATION_ID = 0x4465616F
"""Marks the file as an outbox of dealstate, in the SQLite header ("Deao")."""

BUSY_TIMEOUT_SECONDS = 10.0
_ADVICE = (
    "Move it away: a new one is made, and every webhook then sends again all that came since it"
    " was registered."
)


class OutboxFile:
    """The tables of an outbox in a file, which is made when it is first used."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = RLock()
        self._connection: sqlite3.Connection | None = None
        self._is_closed = False

    @contextmanager
    def transaction(self) -> Iterator[Execute]:
        with self._lock:
            try:
                connection = self._opened()
                connection.execute("BEGIN IMMEDIATE")
                yield _executing(connection)
                connection.execute("COMMIT")
            except sqlite3.Error as error:
                self._give_up()
                raise _translation(error, self._path) from error
            except BaseException:
                self._give_up()
                raise

    def _give_up(self) -> None:
        """What failed is rolled back, with a connection that nobody uses again."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _opened(self) -> sqlite3.Connection:
        if self._connection is not None:
            return self._connection
        if self._is_closed:
            raise StoreUnavailable(f"{self._path} was closed", "Open the store once more.")
        make_private(self._path)
        connection = sqlite3.connect(
            self._path,
            timeout=BUSY_TIMEOUT_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            _prepare(connection, self._path)
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        return connection

    def close(self) -> None:
        with self._lock:
            self._is_closed = True
            self._give_up()


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Durable like the log, and with its tables, which a crash may have kept from being made."""
    application = _pragma(connection, "application_id")
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if application != APPLICATION_ID and (application or tables):
        raise StoreError(f"{path} is a file of another kind", "Move it away.")
    if _pragma(connection, "user_version") > OUTBOX_SCHEMA:
        raise StoreError(f"{path} was written by a newer release", "Upgrade dealstate.")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("BEGIN IMMEDIATE")
    for statement in TABLES:
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {OUTBOX_SCHEMA}")
    connection.execute("COMMIT")


def _pragma(connection: sqlite3.Connection, name: str) -> Any:
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


def _executing(connection: sqlite3.Connection) -> Execute:
    def execute(statement: str, values: Sequence[Value]) -> list[tuple[Any, ...]]:
        return connection.execute(statement, tuple(values)).fetchall()

    return execute


def _translation(error: sqlite3.Error, path: Path) -> StoreError:
    match getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return StoreBusy(f"{path} is locked by another program", "Try again in a moment.")
        case sqlite3.SQLITE_FULL:
            return StoreFull(f"there is no room to write {path}", "Free some space and try again.")
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_IOERR:
            return StoreUnavailable(
                f"{path} cannot be read or written: {error}", "Check the disk and its permissions."
            )
        case _:
            return StoreError(f"{path} is damaged: {error}", _ADVICE)
