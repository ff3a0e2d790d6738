"""The raw floors on PostgreSQL: psycopg, msgspec and a loop, with nothing around them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
import psycopg
from psycopg.sql import SQL, Identifier
from sqlalchemy import Table as Described
from sqlalchemy.dialects import postgresql

from domain.deal import Deal
from store.postgres.address import Database
from store.postgres.connections import connect
from tests.benchmarks.evidence import digest, digest_in_any_order
from tests.benchmarks.floors import SCAN, Table, described, folded

_READ_AT_ONCE = 5_000
_POSTGRESQL = postgresql.dialect()  # type: ignore[no-untyped-call]


def fold_all(connection: psycopg.Connection[Any]) -> dict[str, tuple[int, Deal]]:
    """One scan of the log, each event decoded and folded into its deal, behind its version."""
    with connection.transaction(), connection.cursor("scan", binary=True) as cursor:
        cursor.itersize = _READ_AT_ONCE
        return folded(cursor.execute(SCAN))


def read_tables(database: Database, schema: str, tables: Iterable[Described]) -> list[Table]:
    """Tables in a schema, with their indexes and rows."""
    with connect(database, schema) as connection:
        return [
            msgspec.structs.replace(
                described(table, _POSTGRESQL),
                rows=connection.execute(_select(table.name)).fetchall(),
            )
            for table in tables
        ]


def write_tables(connection: psycopg.Connection[Any], tables: Iterable[Table]) -> None:
    """Make the tables, copy all rows, make the indexes, in one transaction."""
    with connection.transaction(), connection.cursor() as cursor:
        for table in tables:
            cursor.execute(table.create.encode())
            with cursor.copy(SQL("COPY {} FROM STDIN").format(Identifier(table.name))) as copy:
                for row in table.rows:
                    copy.write_row(row)
            for index in table.indexes:
                cursor.execute(index.encode())


def rows_digest(database: Database, schema: str, names: Iterable[str]) -> str:
    """Digest of all rows of some tables, in order of their columns."""
    with connect(database, schema) as connection:
        return digest(
            (name, digest_in_any_order(connection.execute(_select(name)))) for name in names
        )


def _select(table: str) -> Any:
    return SQL("SELECT * FROM {}").format(Identifier(table))
