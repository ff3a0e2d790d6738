"""Wrapping every key of a store anew, under another key-encryption key."""

import sqlite3
from collections.abc import Callable, Iterator
from typing import TypeAlias

import msgspec

from store.keys import signing
from store.keys.wrapping import Wrapping

Progress: TypeAlias = Callable[[int, int], None]

DATA = "data"
STORE = "store"

_ROWS_AT_ONCE = 500


class _Table(msgspec.Struct, frozen=True):
    """Where wrapped keys are: how to count, read and replace them."""

    purpose: str
    count: str
    read: str
    replace: str


_TABLES = (
    _Table(
        STORE,
        "SELECT count(*) FROM store_keys",
        "SELECT rowid, name, wrapped FROM store_keys WHERE rowid > ? ORDER BY rowid LIMIT ?",
        "UPDATE store_keys SET wrapped = ? WHERE rowid = ?",
    ),
    _Table(
        signing.PURPOSE,
        "SELECT count(*) FROM signing_keys",
        "SELECT id, public, wrapped FROM signing_keys WHERE id > ? ORDER BY id LIMIT ?",
        "UPDATE signing_keys SET wrapped = ? WHERE id = ?",
    ),
    _Table(
        DATA,
        "SELECT count(*) FROM keys",
        "SELECT id, digest, wrapped FROM keys WHERE id > ? ORDER BY id LIMIT ?",
        "UPDATE keys SET wrapped = ? WHERE id = ?",
    ),
)


def silent(done: int, total: int) -> None:
    """Progress that nobody watches."""


def wrap_anew(
    cursor: sqlite3.Cursor,
    old: Wrapping,
    new: Wrapping,
    progress: Progress,
) -> None:
    """Replace each wrapped key, within the caller's transaction.

    `progress` is told how many are done, of how many. Raises KeysDamaged.
    """
    total = sum(cursor.execute(table.count).fetchone()[0] for table in _TABLES)
    done = 0
    progress(done, total)
    for table in _TABLES:
        for rows in _slices(cursor, table):
            replaced = [
                (_anew(table.purpose, name, wrapped, old, new), row) for row, name, wrapped in rows
            ]
            cursor.executemany(table.replace, replaced)
            done += len(rows)
            progress(done, total)


def _slices(
    cursor: sqlite3.Cursor, table: _Table
) -> Iterator[list[tuple[int, bytes | str, bytes]]]:
    rows = cursor.execute(table.read, (0, _ROWS_AT_ONCE)).fetchall()
    while rows:
        yield rows
        rows = cursor.execute(table.read, (rows[-1][0], _ROWS_AT_ONCE)).fetchall()


def _anew(purpose: str, name: bytes | str, wrapped: bytes, old: Wrapping, new: Wrapping) -> bytes:
    text = name if isinstance(name, str) else name.hex()
    return new.wrap(purpose, text, old.unwrap(purpose, text, wrapped))
