"""The files of read models: whose they are, who has them open, and what goes wrong with them."""

import errno
import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TypeAlias
from urllib.parse import quote

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from projections.tables import metadata
from store.errors import StoreBusy, StoreError, StoreFull, StoreUnavailable

APPLICATION_ID = 0x44656156
"""Marks the file as read models of dealstate, in the SQLite header ("DeaV")."""

SUFFIXES = ("", "-wal", "-shm", "-journal")
"""What the names of a database's files end in."""

Inode: TypeAlias = tuple[int, int]
"""Device and inode: which file it is, whatever its name."""

_PAUSE_SECONDS = 0.01
_MADE_ANEW = "Delete it; the read models are made anew from the log, and nothing is lost."


class Damaged(StoreError):
    """The file is not what was written to it."""

    def __init__(self, message: str) -> None:
        super().__init__(message, _MADE_ANEW)


def beside(path: Path, suffix: str) -> Path:
    """The path whose name goes on with a suffix."""
    return path.with_name(path.name + suffix)


def inode_of(path: Path) -> Inode | None:
    """Which file is there; None where there is none, or an empty one. Raises StoreUnavailable."""
    with reachable(path):
        try:
            found = os.stat(path)  # noqa: PTH116 (asked before each transaction)
        except FileNotFoundError:
            return None
    return (found.st_dev, found.st_ino) if found.st_size else None


# Whose they are.


def uri(path: Path, query: str) -> str:
    """A file as SQLite is asked for it with settings."""
    return f"file:{quote(str(path.absolute()))}?{query}"


def is_whole(path: Path) -> bool:
    """Whether a file has all tables that were made in it.

    Raises StoreError for one that is damaged, or a database of another kind.
    """
    with translated(path), closing(sqlite3.connect(uri(path, "mode=ro"), uri=True)) as connection:
        (marked_as,) = connection.execute("PRAGMA application_id").fetchone()
        (made,) = connection.execute("PRAGMA user_version").fetchone()
        objects, tables = connection.execute(
            "SELECT count(*), count(*) FILTER (WHERE type = 'table') FROM sqlite_schema"
        ).fetchone()
    if marked_as != APPLICATION_ID and (marked_as or objects):
        raise StoreError(
            f"{path} is a database of another kind, not the read models of dealstate",
            "Move it away, or delete it if nothing needs it; the read models are made anew.",
        )
    return int(marked_as) == APPLICATION_ID and int(tables) >= max(int(made), 1)


def note_tables(connection: sqlite3.Connection) -> None:
    """Write down how many tables there are, for `is_whole`.

    Their names would be those of one release, and others may find the file.
    """
    (tables,) = connection.execute(
        "SELECT count(*) FROM sqlite_schema WHERE type = 'table'"
    ).fetchone()
    connection.execute(f"PRAGMA user_version = {tables}")


def _lacks_something(path: Path) -> bool:
    """Whether tables or columns of this release are missing."""
    with suppress(sqlite3.Error, StoreError):
        if not is_whole(path):
            return True
        with closing(sqlite3.connect(uri(path, "mode=ro"), timeout=0, uri=True)) as connection:
            found = set(
                connection.execute(
                    "SELECT t.name, c.name FROM sqlite_schema t, pragma_table_info(t.name) c"
                )
            )
        wanted = {(of.name, column.name) for of in metadata.sorted_tables for column in of.columns}
        return not wanted <= found
    return False


def _is_ours(path: Path) -> bool:
    """Whether a file may be removed: others may have chosen a name like those of ours."""
    has_lock = _lock_path(path).exists()  # which is made before the file, and removed behind it
    try:
        if path.stat().st_size == 0:
            return has_lock
        # Not opened by us: closing it would take away the locks that SQLite holds on it in
        # this process. Immutable, so that SQLite makes no files beside it.
        asked = uri(path, "mode=ro&immutable=1")
        with closing(sqlite3.connect(asked, uri=True)) as connection:
            (marked_as,) = connection.execute("PRAGMA application_id").fetchone()
            return int(marked_as) == APPLICATION_ID
    except FileNotFoundError:
        return has_lock
    except (OSError, sqlite3.Error):
        return False


# Who has them open.


def hold(path: Path) -> int:
    """The lock of a file, held together with others while the file is open. Raises StoreError."""
    held = open_lock(_lock_path(path))
    fcntl.flock(held, fcntl.LOCK_SH)
    return held


def _lock_path(path: Path) -> Path:
    return beside(path, ".lock")


def open_lock(path: Path) -> int:
    """A descriptor of a lock file, which is made where it is missing. Raises StoreError."""
    with reachable(path):
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def taken(lock: int, attempts: int = 5) -> bool:
    """Whether a lock was taken, for us alone.

    A process that was just killed lets go a moment later.
    """
    for attempt in range(attempts):
        with suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        if attempt + 1 < attempts:
            time.sleep(_PAUSE_SECONDS)
    return False


def remove(path: Path) -> None:
    """Remove a file of read models, where nobody has it open; leave one that is not ours."""
    if not _is_ours(path):
        return
    held = open_lock(_lock_path(path))
    try:
        if taken(held, attempts=1):
            with reachable(path):
                for suffix in SUFFIXES:
                    beside(path, suffix).unlink(missing_ok=True)
                _lock_path(path).unlink(missing_ok=True)
    finally:
        os.close(held)


def demand(path: Path, inode: Inode | None) -> None:
    """Raise StoreBusy where a file that is being built is not there any more, or is another."""
    if inode_of(path) != inode:
        raise removed_meanwhile(path)


def removed_meanwhile(path: Path) -> StoreBusy:
    """What is said to whoever builds a file that was removed."""
    return StoreBusy(f"{path} was removed while it was built", "Rebuild the read models again.")


# What goes wrong.


@contextmanager
def reachable(path: Path) -> Iterator[None]:
    """The system's errors on a file or folder as those of a store."""
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise _full(path) from error
        raise _unavailable(path, error) from error


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """SQLite's errors on the read models as those of a store."""
    try:
        yield
    except PoolTimeout as error:
        raise StoreBusy(
            f"all connections to {path} are in use", "Try again, or use fewer threads."
        ) from error
    except (DBAPIError, sqlite3.Error) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        translation = _translation(cause, path)
        if translation is None:
            raise
        raise translation from error


def _translation(error: BaseException | None, path: Path) -> StoreError | None:
    match getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF:
        case sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_CORRUPT:
            return Damaged(f"{path} is damaged, or not a database: {error}")
        case sqlite3.SQLITE_ERROR if _lacks_something(path):
            return Damaged(f"{path} is damaged: {error}")
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return StoreBusy(
                f"{path} is locked by another program", "Try again when that program is done."
            )
        case sqlite3.SQLITE_FULL:
            return _full(path)
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_IOERR:
            return _unavailable(path, error)
        case _:
            return None


def _full(path: Path) -> StoreFull:
    return StoreFull(f"there is no room to write {path}", "Free some space and try again.")


def _unavailable(path: Path, error: object) -> StoreUnavailable:
    return StoreUnavailable(
        f"{path} cannot be read or written: {error}", "Check the disk and its permissions."
    )
