"""What is kept of models and courses between runs: one file of SQLite beside the read models.

All of it can be made again, and the file can be removed at any time. SQLite lets one process write
at a time, each change at once or not at all, and reads no more than is asked for. What cannot be
read counts as not kept; a damaged file, or one of another log, release or number of deals, is
thrown away by whoever writes next.
"""

import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from projections.cohort.courses import Course
from projections.cohort.features import NAMES, VERSION
from projections.cohort.model import Cohort
from projections.cohort.portfolio import Portfolio
from store.errors import StoreUnavailable

FORM = 1
"""Of the tables, and of what they hold."""

_TABLES = (
    "CREATE TABLE stamp (content BLOB NOT NULL, position INTEGER NOT NULL, name TEXT NOT NULL)",
    """CREATE TABLE models (
        boundary TEXT PRIMARY KEY, content BLOB NOT NULL, fingerprint TEXT NOT NULL,
        checked INTEGER NOT NULL, keys BLOB NOT NULL)""",
    "CREATE TABLE courses (key TEXT PRIMARY KEY, content BLOB NOT NULL)",
    "CREATE TABLE known (deal_id TEXT PRIMARY KEY, content BLOB NOT NULL)",
)
_NAMES = ("stamp", "models", "courses", "known")
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_BUSY_SECONDS = 30.0
_AT_ONCE = 500


class KeptModel(msgspec.Struct, frozen=True):
    """What was made of the deals decided before one boundary."""

    cohort: Cohort
    fingerprint: str
    """Of the keys of their courses."""
    checked: int
    """Position of the log up to which that holds."""


class Known(msgspec.Struct, frozen=True):
    """Which courses a deal has."""

    position: int
    """Of its last event when this was found out."""
    final: int
    """From this moment on, in microseconds, its course is that of `key`."""
    key: str
    earlier: dict[int, str] = {}
    """By limit before it: the key there, as far as somebody asked."""

    def at(self, limit: int) -> str | None:
        """The key at a limit; None: the history has to be read."""
        return self.key if limit >= self.final else self.earlier.get(limit)


class Changes(msgspec.Struct):
    """What is to be kept."""

    models: dict[str, tuple[KeptModel, Sequence[str]]] = {}
    """By boundary; with the keys of the courses."""
    courses: dict[str, Course | None] = {}
    known: dict[str, Known] = {}
    checked: dict[str, int] = {}
    """By boundary of a model that is kept: the position up to which it holds."""

    def __bool__(self) -> bool:
        return any((self.models, self.courses, self.known, self.checked))


class Cache:
    """The file of one store, in the folder of `beside`, the file or link of its views.

    Not safe to use from several threads at once.
    """

    def __init__(self, beside: Path) -> None:
        stem = beside.name.removesuffix(".db").removesuffix(".views")
        self.path = beside.absolute().with_name(f"{stem}.cohort.db")
        self._reading: sqlite3.Connection | None = None
        self._stamp = b""
        self._portfolio: Portfolio | None = None

    def open(self, portfolio: Portfolio, least: int, most: int) -> None:
        """Use it for the models of this portfolio, of `least` to `most` deals."""
        self._portfolio = portfolio
        self._stamp = msgspec.json.encode([FORM, VERSION, NAMES, least, most])
        self._read_anew()

    def close(self) -> None:
        if self._reading is not None:
            self._reading.close()
            self._reading = None

    # Reading.

    def model(self, boundary: str) -> KeptModel | None:
        """That of a boundary."""
        what = "SELECT content, fingerprint, checked FROM models WHERE boundary = ?"
        for content, fingerprint, checked in self._rows(what, [boundary]):
            with suppress(msgspec.DecodeError):
                cohort = msgspec.json.decode(content, type=Cohort)
                if cohort.model is None or cohort.model.fits:
                    return KeptModel(cohort, fingerprint, checked)
        return None

    def keys(self, boundary: str) -> list[str] | None:
        """Those of the courses that a model was made of; None where they are not kept."""
        for [packed] in self._rows("SELECT keys FROM models WHERE boundary = ?", [boundary]):
            with suppress(zlib.error, msgspec.DecodeError):
                return msgspec.msgpack.decode(zlib.decompress(packed), type=list[str])
        return None

    def known(self, deal_ids: Iterable[str]) -> dict[str, Known]:
        """What is known of these deals, by id."""
        found = {}
        for deal_id, content in self._among("SELECT * FROM known WHERE deal_id", deal_ids):
            with suppress(msgspec.DecodeError):
                found[deal_id] = msgspec.msgpack.decode(content, type=Known)
        return found

    def having(self, keys: Iterable[str]) -> set[str]:
        """Those of the keys whose courses are kept."""
        return {key for [key] in self._among("SELECT key FROM courses WHERE key", keys)}

    def courses(self, keys: Iterable[str]) -> dict[str, Course | None]:
        """The courses of these keys, as far as they are kept."""
        found: dict[str, Course | None] = {}
        for key, content in self._among("SELECT * FROM courses WHERE key", keys):
            with suppress(zlib.error, msgspec.DecodeError, ValueError, TypeError):
                packed = msgspec.msgpack.decode(zlib.decompress(content))
                found[key] = None if packed is None else Course.unpacked(packed)
        return found

    def _among(self, question: str, names: Iterable[str]) -> Iterator[Any]:
        rest = iter(names)
        while some := list(islice(rest, _AT_ONCE)):
            yield from self._rows(f"{question} IN ({', '.join('?' * len(some))})", some)

    def _rows(self, statement: str, values: Sequence[Any] = ()) -> list[Any]:
        if self._reading is None:
            return []
        try:
            return self._reading.execute(statement, values).fetchall()
        except sqlite3.Error:
            return []

    def _read_anew(self) -> None:
        self.close()
        with suppress(sqlite3.Error):
            connection = self._connected("ro")
            with suppress(sqlite3.Error):
                if self._fits(connection):
                    self._reading = connection
            if self._reading is None:
                connection.close()

    # Writing.

    def write(self, changes: Changes) -> None:
        """Keep this too. Raises StoreUnavailable."""
        assert self._portfolio is not None
        head = self._portfolio.head()
        name = self._portfolio.named(head)
        if name is None:
            return
        try:
            try:
                self._write(changes, head, name)
            except sqlite3.DatabaseError as error:
                if error.sqlite_errorcode not in _DAMAGED:
                    raise
                self._remove()
                self._write(changes, head, name)
        except (sqlite3.Error, OSError) as error:
            raise StoreUnavailable(
                f"the models cannot be kept in {self.path}: {error}",
                "Check the disk and its permissions.",
            ) from error
        if self._reading is None:
            self._read_anew()

    def _write(self, changes: Changes, head: int, name: str) -> None:
        with closing(self._connected("rwc")) as connection, _at_once(connection):
            if not self._fits(connection):
                for table in _NAMES:
                    connection.execute(f"DROP TABLE IF EXISTS {table}")
                for statement in _TABLES:
                    connection.execute(statement)
                stamp = (self._stamp, head, name)
                connection.execute("INSERT INTO stamp VALUES (?, ?, ?)", stamp)
            moved = "UPDATE stamp SET position = ?1, name = ?2 WHERE position < ?1"
            connection.execute(moved, (head, name))
            for statement, rows in _statements(changes):
                connection.executemany(statement, rows)

    def _fits(self, connection: sqlite3.Connection) -> bool:
        """Whether it holds models like these, of this log."""
        try:
            stamps = connection.execute("SELECT content, position, name FROM stamp").fetchall()
        except sqlite3.OperationalError:
            return False
        assert self._portfolio is not None
        return len(stamps) == 1 and all(
            content == self._stamp and self._portfolio.named(position) == name
            for content, position, name in stamps
        )

    def _connected(self, mode: str) -> sqlite3.Connection:
        uri = f"{self.path.as_uri()}?mode={mode}"
        return sqlite3.connect(
            uri, _BUSY_SECONDS, uri=True, isolation_level=None, check_same_thread=False
        )

    def _remove(self) -> None:
        self.close()
        for ending in ("-journal", ""):
            self.path.with_name(f"{self.path.name}{ending}").unlink(missing_ok=True)


@contextmanager
def _at_once(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    with connection:
        yield


def _statements(changes: Changes) -> Iterator[tuple[str, list[tuple[Any, ...]]]]:
    """Each with the rows to run it with."""
    pack = msgspec.msgpack.encode
    courses = [
        (key, zlib.compress(pack(one.packed() if one else None), 1))
        for key, one in changes.courses.items()
    ]
    known = [(deal_id, pack(one)) for deal_id, one in changes.known.items()]
    models = [
        (at, msgspec.json.encode(m.cohort), m.fingerprint, m.checked, zlib.compress(pack(keys)))
        for at, (m, keys) in changes.models.items()
    ]
    yield "INSERT OR REPLACE INTO courses VALUES (?, ?)", courses
    yield "INSERT OR REPLACE INTO known VALUES (?, ?)", known
    yield "INSERT OR REPLACE INTO models VALUES (?, ?, ?, ?, ?)", models
    checked = [(position, at) for at, position in changes.checked.items()]
    yield "UPDATE models SET checked = ? WHERE boundary = ?", checked
