"""Erasure of keys: first doomed, then destroyed, and remembered by keyed hashes alone.

Theory of operation. What was erased is remembered as HMAC-SHA256 under a key of
the key store, in one table, from the moment an erasure begins. A key whose name
is in there is neither made nor handed out, so begun is as good as done for
everyone who asks. Until an erasure is finished its names are kept in the clear,
so that after a crash it can be found and finished. Finishing deletes the keys
and the names in one transaction.
"""

import sqlite3
from collections.abc import Collection, Iterable
from datetime import datetime

import msgspec

from store.keys.tables import rows_with
from store.keys.wrapping import damaged
from store.times import written


class PendingErasure(msgspec.Struct, frozen=True):
    """An erasure that has begun and is not finished."""

    subject: str
    """Who is to be forgotten, as whoever began it calls them."""
    names: tuple[str, ...]
    """Of keys, sorted."""


def pending(cursor: sqlite3.Cursor) -> tuple[PendingErasure, ...]:
    """The erasures that are not finished, oldest first."""
    rows = cursor.execute("SELECT pending FROM erasures WHERE pending NOT NULL ORDER BY id")
    return tuple(_read(text) for (text,) in rows.fetchall())


def begin(
    cursor: sqlite3.Cursor, erasure: PendingErasure, digests: Iterable[bytes], now: datetime
) -> None:
    """Keep the erasure; one of the same subject that is not finished takes up the names."""
    remember(cursor, digests)
    row = _row_of(cursor, erasure.subject)
    if row is None:
        cursor.execute(
            "INSERT INTO erasures(pending, began_at) VALUES (?, ?)", (_text(erasure), written(now))
        )
        return
    number, known = row
    both = PendingErasure(known.subject, tuple(sorted({*known.names, *erasure.names})))
    cursor.execute("UPDATE erasures SET pending = ? WHERE id = ?", (_text(both), number))


def take(cursor: sqlite3.Cursor, subject: str, now: datetime) -> PendingErasure | None:
    """Mark the erasure of `subject` as finished and forget its names; what it was."""
    row = _row_of(cursor, subject)
    if row is None:
        return None
    number, erasure = row
    cursor.execute(
        "UPDATE erasures SET pending = NULL, finished_at = ? WHERE id = ?", (written(now), number)
    )
    return erasure


def trace_of(subject: str) -> bytes:
    """How the stored text of a pending erasure of `subject` starts, and that of no other."""
    return _text(PendingErasure(subject, ())).partition(',"names"')[0].encode() + b","


def destroy(cursor: sqlite3.Cursor, digests: Collection[bytes]) -> list[bytes]:
    """Delete the keys of these digests; the wrapped keys, to look for what is left of them."""
    query = "SELECT id, wrapped FROM keys WHERE digest IN"
    rows = list(rows_with(cursor, query, list(digests)))
    cursor.executemany("DELETE FROM keys WHERE id = ?", ((number,) for number, _ in rows))
    return [wrapped for _, wrapped in rows]


def remember(cursor: sqlite3.Cursor, digests: Iterable[bytes]) -> None:
    """From now on these are erased."""
    cursor.executemany("INSERT OR IGNORE INTO erased VALUES (?)", ((digest,) for digest in digests))


def erased_among(cursor: sqlite3.Cursor, digests: Collection[bytes]) -> set[bytes]:
    """Those that are erased."""
    query = "SELECT digest FROM erased WHERE digest IN"
    return {digest for (digest,) in rows_with(cursor, query, list(digests))}


def all_erased(cursor: sqlite3.Cursor, most: int) -> frozenset[bytes] | None:
    """Everything that is erased; None where that is more than so many."""
    rows = cursor.execute("SELECT digest FROM erased LIMIT ?", (most + 1,)).fetchall()
    return None if len(rows) > most else frozenset(digest for (digest,) in rows)


def _row_of(cursor: sqlite3.Cursor, subject: str) -> tuple[int, PendingErasure] | None:
    rows = cursor.execute("SELECT id, pending FROM erasures WHERE pending NOT NULL").fetchall()
    for number, text in rows:
        erasure = _read(text)
        if erasure.subject == subject:
            return number, erasure
    return None


def _read(text: str) -> PendingErasure:
    try:
        return msgspec.json.decode(text, type=PendingErasure)
    except (TypeError, ValueError):
        # The text names whom it is about, so it is not shown.
        raise damaged("an erasure that is not finished cannot be read") from None


def _text(erasure: PendingErasure) -> str:
    return msgspec.json.encode(erasure).decode()
