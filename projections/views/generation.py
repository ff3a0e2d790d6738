"""One generation of the read models: a set of their tables, and its transactions."""

import secrets
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from threading import Lock
from typing import ClassVar

from sqlalchemy import Connection, Engine, Table, insert
from sqlalchemy.schema import CreateIndex, CreateTable

from projections.models import Row
from projections.tables import identity, metadata


class Replaced(Exception):
    """Another generation has taken the place of this one."""


class BadRows(Exception):
    """The database cannot hold a row. Nothing of the transaction may be kept."""


class Generation(ABC):
    """One set of tables. Safe to use from many threads; closed when it was retired and is free."""

    ONE_WRITER: ClassVar[bool]
    """Whether writers have to take turns."""

    def __init__(self, number: int, engine: Engine) -> None:
        self.number = number
        self.engine = engine
        self._lock = Lock()
        self._users = 0
        self._retired = False

    @contextmanager
    def used(self) -> Iterator[None]:
        """Keeps it open. Raises Replaced where it has been closed."""
        with self._lock:
            if self._retired:
                raise Replaced
            self._users += 1
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
                free = self._is_free()
            if free:
                self.close()

    def _is_free(self) -> bool:
        return self._retired and not self._users

    def retire(self) -> None:
        """Close it as soon as nobody uses it."""
        with self._lock:
            self._retired = True
            free = self._is_free()
        if free:
            self.close()

    @abstractmethod
    def reading(self) -> AbstractContextManager[Connection]:
        """One consistent snapshot. Raises Replaced."""

    @abstractmethod
    def writing(self) -> AbstractContextManager[Connection]:
        """One transaction that is committed at the end. Raises Replaced."""

    @abstractmethod
    def lock(self, connection: Connection, models: Collection[str]) -> None:
        """Nobody else writes rows of these models until the transaction ends.

        Raises Replaced where another generation answers by now: who wrote here would not find it.
        """

    @abstractmethod
    def add_rows(self, connection: Connection, table: Table, rows: Sequence[Row]) -> None:
        """Add rows, which have a value for each column. Raises BadRows."""

    @abstractmethod
    def delete_rows(
        self, connection: Connection, table: Table, column: str, values: Collection[str | int]
    ) -> None:
        """Delete the rows whose column has one of these values."""

    @abstractmethod
    def beside(self, other: "Generation") -> AbstractContextManager[tuple[Connection, str, str]]:
        """One transaction over this generation and another one.

        Gives the connection, and what the names of tables of this one and of the other
        are qualified with. Raises Replaced.
        """

    @abstractmethod
    def plan(self, connection: Connection) -> None:
        """Have the database look at its tables, so that it plans well."""

    @abstractmethod
    def size_bytes(self) -> int:
        """What it takes on the disk."""

    def close(self) -> None:
        """Close its connections."""
        self.engine.dispose()

    def make_tables(self, connection: Connection) -> None:
        """Make all tables, empty and without indexes."""
        for table in metadata.sorted_tables:
            connection.execute(CreateTable(table))
        connection.execute(insert(identity), {"set_id": secrets.token_hex(16)})

    def make_indexes(self, connection: Connection, tables: Iterable[Table]) -> None:
        """Make the indexes of tables."""
        for table in tables:
            for index in sorted(table.indexes, key=lambda index: str(index.name)):
                connection.execute(CreateIndex(index))
            for statement in table.info.get(connection.dialect.name, ()):
                connection.exec_driver_sql(statement)
