"""Read models in SQLite files, one for each generation, and a link to the one that answers.

`deals.views.db` links to `deals.views.3.db`. Each file has a lock file beside it,
which every process that has the file open holds together with the others, so
that nobody removes it meanwhile: SQLite makes the files of a write-ahead log by
name, and would make new ones for a database that was removed.
"""

import errno
import json
import os
import re
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event, text

from projections.models import Row
from projections.views.files import (
    APPLICATION_ID,
    SUFFIXES,
    Damaged,
    Inode,
    beside,
    demand,
    hold,
    inode_of,
    is_whole,
    note_tables,
    open_lock,
    reachable,
    remove,
    removed_meanwhile,
    taken,
    translated,
    uri,
)
from projections.views.generation import BadRows, Generation, Replaced
from projections.views.views import Building, NotBuilt, Views
from store.errors import StoreBusy, StoreError

BUSY_TIMEOUT_SECONDS = 30
_NUMBERED = r"\.([1-9][0-9]*)\.db(\.lock|-wal|-shm|-journal)?"
_CACHE_KIBIBYTES = 2_000
_ROOM_KIBIBYTES = 64 * 1024
"""A thousand deals among a million are replaced five times as fast with such a cache."""

_FOR_USE = (
    # What is lost in a power cut is read from the log again, so NORMAL is enough.
    "PRAGMA synchronous = NORMAL",
    f"PRAGMA cache_size = -{_CACHE_KIBIBYTES}",
)
FOR_BUILDING = (
    # What is not finished is thrown away.
    "PRAGMA journal_mode = MEMORY",
    "PRAGMA synchronous = OFF",
    f"PRAGMA cache_size = -{_ROOM_KIBIBYTES}",
    # One more to sort for indexes: each thread fills as much memory as the cache has.
    "PRAGMA threads = 1",
)

# What the driver raises for values that the database cannot hold.
_NOT_A_VALUE = (
    OverflowError,
    UnicodeError,
    sqlite3.DataError,
    sqlite3.IntegrityError,
    sqlite3.InterfaceError,
    sqlite3.ProgrammingError,
)


class FileGeneration(Generation):
    """A generation in a file."""

    ONE_WRITER = True

    def __init__(
        self,
        number: int,
        path: Path,
        inode: Inode | None,
        *,
        held: int | None = None,
        link: Path | None = None,
        for_building: bool = False,
    ) -> None:
        """`held` is its lock file, `link` what points to it while it answers."""
        self.path = path
        self.inode = inode
        """Which file it is: connections to one of the same name made later would not go with
        those to this one. None when whoever comes next is to look at the file anew."""
        self._link = link
        self._held = held
        self._for_building = for_building
        super().__init__(number, self._engine())

    def _engine(self) -> Engine:
        file = quote(str(self.path.absolute()))
        engine = create_engine(
            URL.create("sqlite", database=f"file:{file}", query={"mode": "rw", "uri": "true"}),
            isolation_level="AUTOCOMMIT",
            connect_args={"timeout": BUSY_TIMEOUT_SECONDS, "cached_statements": 512},
            pool_size=16,
            max_overflow=64,
            pool_use_lifo=True,
        )
        event.listen(engine, "do_connect", self._demand)
        event.listen(engine, "connect", self._configure)
        return engine

    def _configure(self, connection: sqlite3.Connection, _: Any) -> None:
        for setting in FOR_BUILDING if self._for_building else _FOR_USE:
            connection.execute(setting)
        if not self._for_building:
            # SQLite opens the files of the log beside it by their names now, not later.
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        try:
            self._demand()
        except BaseException:
            connection.close()
            raise

    def _demand(self, *_: object) -> None:
        """The file that was found is still there."""
        if inode_of(self.path) != self.inode:
            raise Replaced if self._link is not None else removed_meanwhile(self.path)

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        try:
            with self.used(), translated(self.path), self.engine.connect() as connection:
                yield connection
        except Damaged:
            self.inode = None
            raise

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        # What was not committed is rolled back when the connection goes back to its pool.
        with self._connection() as connection:
            connection.exec_driver_sql("BEGIN")
            yield connection
            connection.exec_driver_sql("COMMIT")

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        with self._connection() as connection, self._room(driver(connection)):
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection
            connection.exec_driver_sql("COMMIT")

    @contextmanager
    def _room(self, connection: sqlite3.Connection) -> Iterator[None]:
        """A large cache until the end of a transaction: there may be very many connections."""
        connection.execute(f"PRAGMA cache_size = -{_ROOM_KIBIBYTES}")
        try:
            yield
        finally:
            if not self._for_building:
                with suppress(sqlite3.Error):  # what went wrong before is told
                    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIBIBYTES}")

    def lock(self, connection: Connection, models: Collection[str]) -> None:
        """Whoever writes to the file is alone already."""
        if self._link is not None:
            try:
                answering = os.readlink(self._link)  # noqa: PTH115 (as in `pointed_at`)
            except OSError:
                raise Replaced from None
            if answering != self.path.name or inode_of(self.path) != self.inode:
                raise Replaced

    def add_rows(self, connection: Connection, table: Table, rows: Sequence[Row]) -> None:
        marks = ",".join("?" * len(table.columns))
        statement = f"INSERT INTO {table.name} VALUES ({marks})"  # noqa: S608 (our own names)
        try:
            driver(connection).executemany(statement, rows)
        except _NOT_A_VALUE as error:
            raise BadRows(f"{type(error).__name__}: {error}") from error

    def delete_rows(
        self, connection: Connection, table: Table, column: str, values: Collection[str | int]
    ) -> None:
        statement = f"DELETE FROM {table.name} WHERE {column} IN (SELECT value FROM json_each(?))"  # noqa: S608
        driver(connection).execute(statement, (json.dumps(list(values)),))

    @contextmanager
    def beside(self, other: Generation) -> Iterator[tuple[Connection, str, str]]:
        assert isinstance(other, FileGeneration)
        with other.used(), self._connection() as connection:
            connection.exec_driver_sql("ATTACH DATABASE ? AS other", (str(other.path.absolute()),))
            try:
                connection.exec_driver_sql("BEGIN")
                yield connection, "main", "other"
                connection.exec_driver_sql("COMMIT")
            finally:
                driver(connection).rollback()
                connection.exec_driver_sql("DETACH DATABASE other")

    def plan(self, connection: Connection) -> None:
        connection.execute(text("PRAGMA analysis_limit = 1000"))
        connection.execute(text("ANALYZE"))

    def size_bytes(self) -> int:
        size = 0
        for file in (self.path, beside(self.path, "-wal")):
            with reachable(file), suppress(FileNotFoundError):
                size += file.stat().st_size
        return size

    def close(self) -> None:
        super().close()
        if self._held is not None:
            os.close(self._held)
            self._held = None


def driver(connection: Connection) -> sqlite3.Connection:
    """The connection of SQLite itself."""
    return cast("sqlite3.Connection", connection.connection.dbapi_connection)


class FileViews(Views):
    """Read models in files beside each other, found by one path, which is a link."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self._names = re.compile(re.escape(path.stem) + _NUMBERED)

    def __str__(self) -> str:
        return str(self.path)

    def pointed_at(self) -> int | None:
        found = self._pointed()
        if found is None:
            return None
        number, inode = found
        opened = self._open
        if isinstance(opened, FileGeneration) and opened.number == number and opened.inode != inode:
            self.forget(opened)  # somebody deleted it, and it was made anew
        return number

    def _pointed(self) -> tuple[int, Inode] | None:
        """The generation that answers, and which file it is."""
        number = self._linked()
        while number is not None:
            inode = inode_of(self.file(number))
            if inode is not None:
                return number, inode
            # Gone, or replaced by another one and removed since the link was read.
            earlier, number = number, self._linked()
            if number == earlier:
                break
        return None

    def _linked(self) -> int | None:
        """The number of the file that the link names, which need not be there."""
        with reachable(self.path):
            try:
                name = os.readlink(self.path)  # noqa: PTH115 (a third of the time of Path.readlink)
            except FileNotFoundError:
                return None
            except OSError as error:
                if error.errno != errno.EINVAL:
                    raise
                is_whole(self.path)  # or a database of another kind, which is not replaced
                return None
        found = self._names.fullmatch(name)
        if found is None or found[2]:
            raise StoreError(
                f"{self.path} is a link to {name}, which are not read models of dealstate",
                "Delete the link; the read models are made anew from the log.",
            )
        return int(found[1])

    def file(self, number: int) -> Path:
        """The file of a generation."""
        return self.path.with_name(f"{self.path.stem}.{number}.db")

    def _opened(self, number: int) -> FileGeneration:
        path = self.file(number)
        held = hold(path)
        try:
            found = self._pointed()
            if found is None or found[0] != number:
                raise Replaced
            if not is_whole(path):
                raise NotBuilt
        except BaseException:
            os.close(held)
            raise
        return FileGeneration(number, path, found[1], held=held, link=self.path)

    def unfinished(self, number: int) -> FileGeneration:
        path = self.file(number)
        return FileGeneration(number, path, inode_of(path), for_building=True)

    @contextmanager
    def building(self) -> Iterator["FileBuilding"]:
        lock = open_lock(beside(self.path.with_suffix(""), ".lock"))
        try:
            if not taken(lock):
                raise StoreBusy(
                    f"{self.path} is being built: another rebuild is running",
                    "Wait until it is done.",
                )
            self._sweep()
            building = FileBuilding(self)
            try:
                yield building
            finally:
                building.close()
                with suppress(NotBuilt):
                    self.current()  # lets go of the one that was replaced
                self._sweep()
        finally:
            os.close(lock)

    def _sweep(self) -> None:
        """Remove generations that do not answer and that nobody has open."""
        kept = self.pointed_at()
        for number in self.numbers():
            if number != kept:
                remove(self.file(number))

    def numbers(self) -> list[int]:
        """Of all generations there are files of, and of what others gave such a name."""
        with reachable(self.path.parent):
            names = os.listdir(self.path.parent)  # noqa: PTH208 (names are what is asked for)
        found = (self._names.fullmatch(name) for name in names)
        return sorted({int(name[1]) for name in found if name is not None})

    def new_number(self) -> int:
        """One that no file has. Nor the link, which would point to it before it is finished."""
        return max([*self.numbers(), self._linked() or 0]) + 1


class FileBuilding(Building):
    """A new file, which the link is turned to in the end."""

    def __init__(self, views: FileViews) -> None:
        self._views = views
        self._generations: list[FileGeneration] = []

    def start(self) -> FileGeneration:
        number = self._views.new_number()
        path = self._views.file(number)
        held = hold(path)
        try:
            with translated(path), closing(sqlite3.connect(path)) as connection:
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            generation = FileGeneration(number, path, inode_of(path), held=held, for_building=True)
        except BaseException:
            os.close(held)
            raise
        self._generations.append(generation)
        return generation

    def finished(self, built: Generation) -> FileGeneration:
        assert isinstance(built, FileGeneration)
        held = hold(built.path)
        finished = FileGeneration(built.number, built.path, built.inode, held=held)
        self._generations.append(finished)
        built.close()
        demand(built.path, built.inode)
        with (
            translated(built.path),
            closing(sqlite3.connect(uri(built.path, "mode=rw"), uri=True)) as connection,
        ):
            note_tables(connection)
            connection.execute("PRAGMA journal_mode = WAL")
        with reachable(built.path):
            sync(built.path)
        return finished

    def replace(self, finished: Generation, within: Connection | None = None) -> None:
        assert isinstance(finished, FileGeneration)
        demand(finished.path, finished.inode)
        path = self._views.path
        link = beside(path, ".new")
        with reachable(path):
            link.unlink(missing_ok=True)
            link.symlink_to(finished.path.name)
            was_a_file = path.is_file() and not path.is_symlink()
            link.replace(path)
            sync(path.parent)
            if was_a_file:
                for suffix in SUFFIXES[1:]:
                    beside(path, suffix).unlink(missing_ok=True)

    def close(self) -> None:
        for generation in self._generations:
            generation.close()


def sync(path: Path) -> None:
    """Have the disk hold what was written to a file or folder. Nobody may have it open."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
