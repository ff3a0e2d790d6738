"""Writing to the tables of a log past all rules, as whoever has its file or its database can."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any, ClassVar, Protocol

from store.log import DealLog
from store.seals.merkle import leaf_hash
from store.seals.tiles import TILE_WIDTH, new_tiles

Event = tuple[int, str, int, str, bytes]
Rows = Sequence[tuple[Any, ...]]


class Execute(Protocol):
    """Runs a statement; question marks stand for values."""

    def __call__(self, statement: str, values: Sequence[Any] = ()) -> Rows: ...


Fill = Callable[[str, Sequence[Sequence[Any]]], object]
"""Runs a statement once for each row."""


@contextmanager
def raw(log: DealLog) -> Iterator["RawLog"]:
    """The tables of a log. What was written is there when this ends."""
    if log.location.database is not None:
        from store.postgres.connections import connect

        with closing(connect(log.location.database)) as postgres:

            def ask(statement: str, values: Sequence[Any] = ()) -> Rows:
                cursor = postgres.execute(statement.replace("?", "%s").encode(), values)
                return cursor.fetchall() if cursor.description else ()

            def fill(statement: str, rows: Sequence[Sequence[Any]]) -> None:
                with postgres.cursor() as cursor:
                    cursor.executemany(statement.replace("?", "%s").encode(), rows)

            postgres.execute("SET synchronous_commit = off")
            yield RawLog(ask, fill)
        return
    with closing(sqlite3.connect(log.location.log, isolation_level=None)) as sqlite:
        sqlite.execute("PRAGMA synchronous = OFF")

        def execute(statement: str, values: Sequence[Any] = ()) -> Rows:
            return sqlite.execute(statement, values).fetchall()

        yield RawLog(execute, sqlite.executemany)


class RawLog:
    """The tables of one log."""

    tables: ClassVar[dict[str, Sequence[str]]] = {
        "stored_events": ("position", "originator_id", "originator_version", "topic", "state"),
        "tiles": ("level", "number", "hashes"),
        "edge": ("position", "hash"),
        "checkpoints": ("size", "note", "made_at"),
    }

    def __init__(self, execute: Execute, fill: Fill) -> None:
        self.execute = execute
        self.fill = fill

    def events(self) -> list[Event]:
        found = self.execute(
            "SELECT position, originator_id, originator_version, topic, state"
            " FROM stored_events ORDER BY position"
        )
        return [(*row[:4], bytes(row[4])) for row in found]

    def write(self, events: Sequence[Event]) -> None:
        """Put these events in place of all; the hashes stay."""
        self._fill("stored_events", events)

    def insert(self, event: Event) -> None:
        """Add an event and nothing else."""
        self.execute("INSERT INTO stored_events VALUES (?, ?, ?, ?, ?)", event)

    def seal(self) -> None:
        """Make the hashes anew from the events, as if these had been recorded."""
        leaves = [leaf_hash(state) for *_, state in self.events()]
        edge = len(leaves) - len(leaves) % TILE_WIDTH
        stored = [(one.level, one.number, one.hashes) for one in new_tiles(_NOTHING, 0, leaves)]
        self._fill("tiles", stored)
        self._fill("edge", [(at + 1, leaves[at]) for at in range(edge, len(leaves))])

    def seal_leaves(self) -> None:
        """Make the leaves anew, and leave the tiles above as they are."""
        above = self.execute("SELECT level, number, hashes FROM tiles WHERE level > 0")
        self.seal()
        self.execute("DELETE FROM tiles WHERE level > 0")
        for row in above:
            self.execute("INSERT INTO tiles VALUES (?, ?, ?)", row)

    def _fill(self, table: str, rows: Sequence[Sequence[Any]]) -> None:
        columns = self.tables[table]
        marks = ", ".join("?" * len(columns))
        self.execute("BEGIN")
        self.execute(f"DELETE FROM {table}")
        self.fill(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)
        self.execute("COMMIT")

    @contextmanager
    def undone(self) -> Iterator[None]:
        """Whatever is written inside is as before afterwards."""
        before = {
            table: self.execute(f"SELECT {', '.join(columns)} FROM {table}")
            for table, columns in self.tables.items()
        }
        try:
            yield
        finally:
            for table, rows in before.items():
                self._fill(table, rows)


class _Nothing:
    def tile(self, level: int, number: int) -> bytes | None:
        raise AssertionError("nothing was there before")

    def leaves(self, first: int, last: int) -> Sequence[bytes]:
        raise AssertionError("nothing was there before")


_NOTHING = _Nothing()


def numbered(events: Sequence[Event]) -> list[Event]:
    """The events at positions without gaps."""
    return [(position, *event[1:]) for position, event in enumerate(events, start=1)]


def flipped(content: bytes, at: int, bit: int) -> bytes:
    """The bytes with one bit turned over."""
    return content[:at] + bytes([content[at] ^ 1 << bit]) + content[at + 1 :]
