"""The file of a key store: a small SQLite database of its own, apart from the log.

Theory of operation. The file is made with mode 0600 before SQLite first opens
it; SQLite gives its journal the mode of the file. It uses a rollback journal,
not a write-ahead log, so that after each commit one file holds everything and
nothing else does. `synchronous=EXTRA` makes a commit survive a power failure,
with the entry in the folder; `secure_delete` writes zeros over what is deleted.
All of it is set on each connection and read back.

Names of keys are stored only as keyed hashes, so a key store does not tell of
whom a store speaks. Only an erasure that has begun and is not finished keeps
its names, since a crash must not lose them.
"""

import os
import sqlite3
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from store.errors import StoreBusy, StoreError, StoreFull, StoreUnavailable
from store.keys.durability import sync_folder
from store.keys.wrapping import damaged

APPLICATION_ID = 0x4465614B
"""Marks the file as a key store of dealstate, in the SQLite header ("DeaK")."""

KEYS_SCHEMA = 1
"""Version of the tables, in the SQLite header as `user_version`."""

BUSY_TIMEOUT_SECONDS = 30.0

# In `keys`, `digest` is the keyed hash of the name and `kind` the word before its colon.
_TABLES = (
    "CREATE TABLE properties(name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    "CREATE TABLE store_keys(name TEXT PRIMARY KEY, wrapped BLOB NOT NULL)",
    """CREATE TABLE keys(
        id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, kind TEXT NOT NULL,
        wrapped BLOB NOT NULL)""",
    """CREATE TABLE signing_keys(
        id INTEGER PRIMARY KEY, public BLOB NOT NULL UNIQUE, name TEXT NOT NULL,
        since TEXT NOT NULL, until TEXT, wrapped BLOB NOT NULL)""",
    "CREATE TABLE erased(digest BLOB PRIMARY KEY) WITHOUT ROWID",
    "CREATE TABLE lost(digest BLOB PRIMARY KEY) WITHOUT ROWID",
    """CREATE TABLE erasures(
        id INTEGER PRIMARY KEY, pending TEXT, began_at TEXT NOT NULL, finished_at TEXT)""",
)

# Pragma, value to set, value to read back. The last but one matters on macOS alone, where an
# ordinary sync does not reach the disk; the last keeps what is sorted out of temporary files.
_SETTINGS = (
    ("journal_mode", "DELETE", "delete"),
    ("synchronous", "EXTRA", 3),
    ("secure_delete", "ON", 1),
    ("fullfsync", "ON", 1),
    ("temp_store", "MEMORY", 2),
)
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_ADVICE = "Restore the key store from its backup, or name the right file."

PROPERTIES = frozenset({"store_id", "encryption", "created_at", "generation"})
"""What every key store says of itself. `unscrubbed` is there while erased bytes may be left."""


def create_tables(path: Path, fill: Callable[[sqlite3.Cursor], None]) -> None:
    """Make the file and, in one transaction, its tables and first rows; durable on return.

    An empty file that a crash left behind is taken over. Raises StoreError when
    anything else is there.
    """
    if not path.absolute().parent.is_dir():
        raise StoreError(f"there is no folder {path.parent}", "Make it, or name another place.")
    make_private(path)
    with translated(path), closing(_connect(path)) as connection:
        cursor = connection.cursor()
        _configure(cursor, path)
        with transaction(cursor):
            _refuse_unless_empty(cursor, path)
            for statement in _TABLES:
                cursor.execute(statement)
            fill(cursor)
            cursor.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            cursor.execute(f"PRAGMA user_version = {KEYS_SCHEMA}")
    sync_folder(path)


def make_private(path: Path) -> None:
    """Make an empty file that only its owner may read; one that is there and empty will do."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        if not path.is_file():
            raise StoreError(f"{path} is not a file", "Name another place.") from None
        if path.stat().st_size == 0:
            path.chmod(0o600)
    except OSError as error:
        raise StoreUnavailable(
            f"{path} cannot be made: {error.strerror}", "Check the folder and its permissions."
        ) from error


def open_tables(path: Path) -> sqlite3.Connection:
    """A connection to an existing key store.

    Raises StoreError when there is none, others may read it, or it is of another kind.
    """
    _refuse_unless_private(path)
    with translated(path):
        connection = _connect(path)
        try:
            cursor = connection.cursor()
            _refuse_unless_ours(cursor, path)
            _configure(cursor, path)
        except BaseException:
            connection.close()
            raise
    return connection


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        timeout=BUSY_TIMEOUT_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )


def _configure(cursor: sqlite3.Cursor, path: Path) -> None:
    for name, value, expected in _SETTINGS:
        cursor.execute(f"PRAGMA {name} = {value}").fetchall()
        actual = pragma(cursor, name)
        if actual != expected:
            raise StoreError(
                f"{path} cannot be kept safely ({name} is {actual})",
                "Keep the key store on a local disk, where no other program holds it open.",
            )


def pragma(cursor: sqlite3.Cursor, name: str) -> Any:
    return cursor.execute(f"PRAGMA {name}").fetchone()[0]


def _refuse_unless_empty(cursor: sqlite3.Cursor, path: Path) -> None:
    if pragma(cursor, "application_id") == APPLICATION_ID:
        raise StoreError(f"{path} is a key store already", "Use it as it is, or name another file.")
    if cursor.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
        raise StoreError(f"{path} is a database of another kind", "Name another file.")


def _refuse_unless_ours(cursor: sqlite3.Cursor, path: Path) -> None:
    if pragma(cursor, "application_id") != APPLICATION_ID:
        raise StoreError(f"{path} is not a key store of dealstate", _ADVICE)
    schema = pragma(cursor, "user_version")
    if schema > KEYS_SCHEMA:
        raise StoreError(
            f"{path} was written by a newer release"
            f" (tables {schema}, this one knows {KEYS_SCHEMA})",
            "Upgrade dealstate.",
        )
    if schema < KEYS_SCHEMA:
        raise StoreError(f"{path} has tables of unknown version {schema}", _ADVICE)


def _refuse_unless_private(path: Path) -> None:
    try:
        found = path.is_file()
    except PermissionError as error:
        raise StoreUnavailable(
            f"{path} cannot be reached: {error.strerror}", "Check the permissions of its folder."
        ) from error
    if not found:
        raise StoreError(
            f"there is no key store at {path}",
            "Restore it from its backup; without it the personal and secret fields cannot be read.",
        )
    if path.stat().st_mode & _OTHERS:
        raise StoreError(
            f"others than its owner may read the key store {path}",
            f"Take the right from them: chmod 600 {path}",
        )
    effective = os.access in os.supports_effective_ids
    for place in (path, path.absolute().parent):
        if not os.access(place, os.W_OK, effective_ids=effective):
            raise StoreUnavailable(
                f"{place} cannot be written by this user",
                "Give the user the right to write the file and its folder.",
            )


@contextmanager
def transaction(cursor: sqlite3.Cursor, kind: str = "IMMEDIATE") -> Iterator[None]:
    """All or nothing; durable when this returns, in a file that can be found again.

    Raises StoreUnavailable where the file was removed while it was in use.
    """
    cursor.execute(f"BEGIN {kind}")
    try:
        yield
        cursor.execute("COMMIT")
        _require_in_place(cursor)
    except BaseException:
        if cursor.connection.in_transaction:
            cursor.connection.rollback()
        raise


def _require_in_place(cursor: sqlite3.Cursor) -> None:
    ((_, _, path),) = cursor.execute("PRAGMA database_list").fetchall()
    if path and not Path(path).is_file():
        raise StoreUnavailable(
            f"{path} was removed while it was in use", "Put it back where it was."
        )


def read_properties(cursor: sqlite3.Cursor) -> dict[str, str]:
    """What the key store says of itself. Raises KeysDamaged."""
    found = dict(cursor.execute("SELECT name, value FROM properties").fetchall())
    missing = sorted(PROPERTIES - found.keys())
    if missing or not found["generation"].isdecimal():
        raise damaged(f"it does not say its {' and '.join(missing or ['generation'])}")
    return found


def set_property(cursor: sqlite3.Cursor, name: str, value: str) -> None:
    cursor.execute("REPLACE INTO properties VALUES (?, ?)", (name, value))


def rows_with(
    cursor: sqlite3.Cursor, query: str, digests: Sequence[bytes]
) -> Iterator[tuple[Any, ...]]:
    """The rows of `query`, whose last condition is `IN`, for any number of digests."""
    for first in range(0, len(digests), 500):
        some = digests[first : first + 500]
        yield from cursor.execute(f"{query} ({', '.join('?' * len(some))})", some).fetchall()


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """SQLite's errors as ours."""
    try:
        yield
    except sqlite3.Error as error:
        raise translation(error, path) from error


def translation(error: sqlite3.Error, path: Path) -> StoreError:
    """The error of ours that says what one of SQLite means."""
    match getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return StoreBusy(
                f"{path} has been locked for {BUSY_TIMEOUT_SECONDS:.0f} seconds",
                "Another program is writing to it; try again when it is done.",
            )
        case sqlite3.SQLITE_FULL:
            return StoreFull(f"there is no room to write {path}", "Free some space and try again.")
        case sqlite3.SQLITE_NOTADB:
            return StoreError(f"{path} is not a database", _ADVICE)
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_IOERR:
            return StoreUnavailable(
                f"{path} cannot be read or written: {error}", "Check the disk and its permissions."
            )
        case _:
            return damaged(f"{path}: {error}")
