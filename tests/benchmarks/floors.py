"""The raw floors: sqlite3, msgspec and a loop, with nothing around them.

What they leave out is what the product is for: checks, locks, positions,
idempotency, versions in order, leaves, errors with advice. What they read holds
nothing encrypted, so nothing is decrypted either (see `plain.py`). What they do is as fast as
plain Python does it: one connection, prepared statements, decoders made
beforehand, bytes and rows ready to be written where writing is measured.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Dialect
from sqlalchemy import Table as Described
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from domain.deal import Deal, DealEvent, DealFact, evolve
from domain.history import Recorded
from projections.views.sqlite import FOR_BUILDING, sync
from store.recorder import Row
from store.sqlite.statements import COMMANDS, EVENTS

INSERT = """
INSERT INTO stored_events (originator_id, originator_version, topic, state) VALUES (?, ?, ?, ?)
"""
_SELECT_STREAM = """
SELECT state FROM stored_events WHERE originator_id = ? ORDER BY originator_version
"""
SCAN = "SELECT state FROM stored_events ORDER BY position"

SQLITE = sqlite.dialect()

decode: Callable[[bytes], DealEvent] = msgspec.json.Decoder(Recorded[DealFact]).decode


def connect(path: Path, synchronous: str = "FULL") -> sqlite3.Connection:
    """A connection in WAL mode; FULL is what the log has, NORMAL what the read models have."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {synchronous}")
    return connection


def connect_to_build(path: Path) -> sqlite3.Connection:
    """A connection to a new file, with the settings that read models are built with."""
    connection = sqlite3.connect(path, isolation_level=None)
    for setting in FOR_BUILDING:
        connection.execute(setting)
    return connection


def create_log(path: Path) -> sqlite3.Connection:
    """An empty file with the tables and indexes of our log."""
    connection = connect(path)
    for statement in (EVENTS, COMMANDS):
        connection.execute(statement)
    return connection


def insert_all(connection: sqlite3.Connection, groups: Iterable[Sequence[Row]]) -> None:
    """One transaction and one executemany for each group of rows."""
    for rows in groups:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(INSERT, rows)
        connection.execute("COMMIT")


def insert_each(connection: sqlite3.Connection, rows: Iterable[Row]) -> None:
    """One transaction for each row."""
    for row in rows:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(INSERT, row)
        connection.execute("COMMIT")


def load(connection: sqlite3.Connection, stream: str) -> tuple[int, Deal]:
    """Select, decode, fold in the order of versions. Answers the last version and the state."""
    version, deal = 0, Deal()
    for (state,) in connection.execute(_SELECT_STREAM, (stream,)):
        event = decode(state)
        version, deal = event.version, evolve(deal, event)
    return version, deal


def fold_all(connection: sqlite3.Connection) -> dict[str, tuple[int, Deal]]:
    """One scan of the log, each event decoded and folded into its deal, behind its version."""
    return folded(connection.execute(SCAN))


def folded(rows: Iterable[tuple[bytes]]) -> dict[str, tuple[int, Deal]]:
    """Bytes of events, in order, decoded and folded."""
    deals: dict[str, tuple[int, Deal]] = {}
    empty = (0, Deal())
    for (state,) in rows:
        event = decode(state)
        _, deal = deals.get(event.stream, empty)
        deals[event.stream] = (event.version, evolve(deal, event))
    return deals


class Table(msgspec.Struct, frozen=True):
    """A table of the read models with all its rows, to be written again."""

    name: str
    create: str
    indexes: Sequence[str]
    """The statements that make its indexes, once it has its rows."""
    rows: Sequence[tuple[Any, ...]]


def described(table: Described, dialect: Dialect) -> Table:
    """A table without rows, as a database of this dialect makes it."""
    indexes = sorted(table.indexes, key=lambda index: str(index.name))
    made_by = [str(CreateIndex(index).compile(dialect=dialect)) for index in indexes]
    create = str(CreateTable(table).compile(dialect=dialect))
    return Table(table.name, create, [*made_by, *table.info.get(dialect.name, ())], ())


def read_tables(path: Path, tables: Iterable[Described]) -> list[Table]:
    """Tables of an SQLite file, with their indexes and rows."""
    with closing(sqlite3.connect(path)) as connection:
        return [
            msgspec.structs.replace(
                described(table, SQLITE),
                rows=connection.execute(f"SELECT * FROM {table.name}").fetchall(),
            )
            for table in tables
        ]


def write_tables(path: Path, tables: Iterable[Table]) -> None:
    """Fill a new file, and have the disk hold it."""
    with closing(connect_to_build(path)) as connection:
        _write(connection, tables)
    sync(path)


def _write(connection: sqlite3.Connection, tables: Iterable[Table]) -> None:
    """Make the tables, write all rows, make the indexes, in one transaction."""
    connection.execute("BEGIN IMMEDIATE")
    for table in tables:
        connection.execute(table.create)
        if table.rows:
            marks = ",".join("?" * len(table.rows[0]))
            connection.executemany(f"INSERT INTO {table.name} VALUES ({marks})", table.rows)
        for index in table.indexes:
            connection.execute(index)
    connection.execute("COMMIT")
