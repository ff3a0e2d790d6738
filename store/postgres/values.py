"""Rows as PostgreSQL takes them in arrays, and results of one value."""

from collections.abc import Sequence
from typing import Any

from store.postgres.connections import Cursor


def in_columns(rows: Sequence[tuple[Any, ...]], count: int) -> list[list[Any]]:
    """The columns of rows that have so many each."""
    return [[row[at] for row in rows] for at in range(count)]


def one_number(result: Cursor) -> int:
    """The one number that a statement gives."""
    row = result.fetchone()
    assert row is not None
    number: int = row[0]
    return number
