"""The outbox: durable cursors, deliveries and attempts, in few and small transactions.

Theory of operation. One program at a time writes (store/outbox/leases.py), in three kinds of
transaction, so a crash between any two loses nothing and at worst sends something twice:

- `put` takes in a stretch of the feed: what is to be sent of it, and the cursor behind it.
- `record` keeps what became of an attempt, after it was made.
- `drop` takes out what is owed no more, since its reader may not read it.

A delivery is named by its position in the feed, so it is put in once, however often the same
stretch is read. Only a replay puts one in again, in its place. Statements are those that both
databases understand, with `?` for a value; times are microseconds since 1970.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeAlias

from store.outbox.rows import Attempt, Cursor, Delivery, Owed, Replay, Standing, State

Value: TypeAlias = int | str | None
Execute: TypeAlias = Callable[[str, Sequence[Value]], list[tuple[Any, ...]]]

OUTBOX_SCHEMA = 1
CLOCK_TOLERANCE = timedelta(minutes=2)
LIVE = 0

TABLES = (
    """CREATE TABLE IF NOT EXISTS cursors(
        webhook TEXT NOT NULL, request BIGINT NOT NULL, position BIGINT NOT NULL,
        name TEXT NOT NULL, until BIGINT, PRIMARY KEY (webhook, request))""",
    """CREATE TABLE IF NOT EXISTS deliveries(
        webhook TEXT NOT NULL, position BIGINT NOT NULL, message TEXT NOT NULL,
        state TEXT NOT NULL, tries INTEGER NOT NULL, attempts INTEGER NOT NULL,
        next_at BIGINT, last_at BIGINT, status INTEGER, error TEXT,
        PRIMARY KEY (webhook, position))""",
    """CREATE INDEX IF NOT EXISTS deliveries_by_state
        ON deliveries(webhook, state, position)""",
    """CREATE TABLE IF NOT EXISTS attempts(
        webhook TEXT NOT NULL, position BIGINT NOT NULL, number INTEGER NOT NULL,
        at BIGINT NOT NULL, status INTEGER, error TEXT, milliseconds INTEGER NOT NULL,
        PRIMARY KEY (webhook, position, number))""",
)

_COLUMNS = "webhook, position, message, state, tries, attempts, next_at, last_at, status, error"
_PUT = """
INSERT INTO deliveries(webhook, position, message, state, tries, attempts, next_at)
VALUES (?, ?, ?, 'pending', 0, 0, ?) ON CONFLICT (webhook, position) DO
"""
_ONCE = f"{_PUT} NOTHING"
_AGAIN = f"""{_PUT} UPDATE SET
    message = excluded.message, state = 'pending', tries = 0, next_at = excluded.next_at"""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class OutboxTables(Protocol):
    """Where the tables of `TABLES` are. Safe to use from many threads."""

    def transaction(self) -> AbstractContextManager[Execute]:
        """All or nothing, and durable when it has ended. Raises StoreError."""

    def close(self) -> None: ...


Check: TypeAlias = Callable[[Execute], None]
"""Raises where whoever writes may not do so any more, in the transaction that writes."""


def unchecked(_: Execute) -> None:
    """For who is the only one."""


class Outbox:
    """The outbox of one store. Safe to use from many threads."""

    def __init__(self, tables: OutboxTables) -> None:
        self._tables = tables

    def close(self) -> None:
        self._tables.close()

    # What the feed leads to.

    def cursors(self, webhook: str) -> list[Cursor]:
        """The cursor that follows the log, where it has begun, and those of replays."""
        query = (
            "SELECT webhook, request, position, name, until FROM cursors WHERE webhook = ?"
            " ORDER BY request"
        )
        with self._tables.transaction() as execute:
            return [Cursor(*row) for row in execute(query, (webhook,))]

    def begin(self, cursor: Cursor, check: Check = unchecked) -> None:
        """Follow the log for a webhook, from the position of the cursor.

        Whatever there was of the webhook, which belongs to another log, is taken out.
        """
        with self._tables.transaction() as execute:
            check(execute)
            for table in ("cursors", "deliveries", "attempts"):
                execute(f"DELETE FROM {table} WHERE webhook = ?", (cursor.webhook,))  # noqa: S608
            _set_cursor(execute, cursor)

    def put(
        self,
        cursor: Cursor,
        owed: Iterable[Owed],
        replays: Iterable[Replay],
        now: datetime,
        check: Check = unchecked,
    ) -> None:
        """Take in a stretch of the feed: what of it is to be sent, and the cursor behind it."""
        statement = _AGAIN if cursor.request else _ONCE
        with self._tables.transaction() as execute:
            check(execute)
            for one in owed:
                values = (cursor.webhook, one.position, one.message, _stored(now))
                execute(statement, values)
            for replay in replays:
                begun = Cursor(
                    cursor.webhook, replay.request, replay.after, replay.name, replay.until
                )
                _set_cursor(execute, begun)
            _set_cursor(execute, cursor)

    # What is due.

    def first_owed(self, webhook: str, limit: int) -> list[Delivery]:
        """Deliveries that were not tried yet since they were put in, in the order of the feed."""
        query = (
            f"SELECT {_COLUMNS} FROM deliveries"  # noqa: S608
            " WHERE webhook = ? AND state = 'pending' AND tries = 0 ORDER BY position LIMIT ?"
        )
        return self._found(query, (webhook, limit))

    def due(self, webhook: str, now: datetime, limit: int) -> list[Delivery]:
        """Deliveries that are to be tried once more now, the longest due first.

        One that was tried in what is now the future is due: the clock was set back since.
        """
        query = (
            f"SELECT {_COLUMNS} FROM deliveries"  # noqa: S608
            " WHERE webhook = ? AND state = 'pending' AND tries > 0"
            " AND (next_at <= ? OR last_at > ?) ORDER BY next_at, position LIMIT ?"
        )
        ahead = _stored(now + CLOCK_TOLERANCE)
        return self._found(query, (webhook, _stored(now), ahead, limit))

    def next_due(self, webhooks: Iterable[str]) -> datetime | None:
        """When the next delivery of these webhooks is to be tried once more."""
        query = (
            "SELECT min(next_at) FROM deliveries"
            " WHERE webhook = ? AND state = 'pending' AND tries > 0"
        )
        with self._tables.transaction() as execute:
            found = [execute(query, (webhook,))[0][0] for webhook in webhooks]
        return _moment(min((one for one in found if one is not None), default=None))

    # What became of it.

    def record(self, after: Delivery, attempt: Attempt, check: Check = unchecked) -> None:
        """Keep what became of an attempt, and how the delivery stands after it."""
        update = (
            "UPDATE deliveries SET state = ?, tries = ?, attempts = ?, next_at = ?, last_at = ?,"
            " status = ?, error = ? WHERE webhook = ? AND position = ?"
        )
        values = (
            after.state.value,
            after.tries,
            after.attempts,
            _stored(after.next_at),
            _stored(after.last_at),
            after.status,
            after.error,
            after.webhook,
            after.position,
        )
        insert = "INSERT INTO attempts VALUES (?, ?, ?, ?, ?, ?, ?)"
        made = (
            after.webhook,
            after.position,
            attempt.number,
            _stored(attempt.at),
            attempt.status,
            attempt.error,
            attempt.milliseconds,
        )
        with self._tables.transaction() as execute:
            check(execute)
            execute(update, values)
            execute(insert, made)

    def drop(self, delivery: Delivery, check: Check = unchecked) -> None:
        """Take out what is not owed: its reader may not read it, or not any more."""
        place = (delivery.webhook, delivery.position)
        with self._tables.transaction() as execute:
            check(execute)
            for table in ("deliveries", "attempts"):
                execute(f"DELETE FROM {table} WHERE webhook = ? AND position = ?", place)  # noqa: S608

    def prune(self, state: State, before: datetime, limit: int, check: Check = unchecked) -> int:
        """Take out at most `limit` deliveries in a state that were last tried before a moment.

        Answers how many.
        """
        query = (
            "SELECT webhook, position FROM deliveries WHERE state = ? AND last_at < ?"
            " ORDER BY webhook, position LIMIT ?"
        )
        with self._tables.transaction() as execute:
            check(execute)
            found = execute(query, (state.value, _stored(before), limit))
            for place in found:
                for table in ("deliveries", "attempts"):
                    execute(f"DELETE FROM {table} WHERE webhook = ? AND position = ?", place)  # noqa: S608
        return len(found)

    # What is shown.

    def delivery(self, webhook: str, position: int) -> Delivery | None:
        """The delivery of the event at a position; None where there is none."""
        query = f"SELECT {_COLUMNS} FROM deliveries WHERE webhook = ? AND position = ?"  # noqa: S608
        found = self._found(query, (webhook, position))
        return found[0] if found else None

    def deliveries(
        self, webhook: str, state: State | None, before: int | None, limit: int
    ) -> list[Delivery]:
        """The newest deliveries of events at positions before one, the newest first."""
        among = "" if state is None else " AND state = ?"
        behind = "" if before is None else " AND position < ?"
        query = (
            f"SELECT {_COLUMNS} FROM deliveries WHERE webhook = ?{among}{behind}"  # noqa: S608
            " ORDER BY position DESC LIMIT ?"
        )
        values = [webhook, *([] if state is None else [state.value])]
        return self._found(query, [*values, *([] if before is None else [before]), limit])

    def attempts(self, webhook: str, position: int) -> list[Attempt]:
        """Every attempt on a delivery that is kept, the first one first."""
        query = (
            "SELECT number, at, status, error, milliseconds FROM attempts"
            " WHERE webhook = ? AND position = ? ORDER BY number"
        )
        with self._tables.transaction() as execute:
            return [
                Attempt(number, _known(at), status, error, milliseconds)
                for number, at, status, error, milliseconds in execute(query, (webhook, position))
            ]

    def standing(self, webhook: str) -> Standing:
        """How a webhook is doing."""
        counts = (
            "SELECT state, count(*) FROM deliveries WHERE webhook = ? AND state <> 'delivered'"
            " GROUP BY state"
        )
        with self._tables.transaction() as execute:
            reached = execute(
                "SELECT position FROM cursors WHERE webhook = ? AND request = 0", (webhook,)
            )
            by_state: dict[str, int] = dict(execute(counts, (webhook,)))
        position = reached[0][0] if reached else None
        return Standing(position, by_state.get("pending", 0), by_state.get("dead", 0))

    def _found(self, query: str, values: Sequence[Value]) -> list[Delivery]:
        with self._tables.transaction() as execute:
            return [_delivery(row) for row in execute(query, values)]


def _set_cursor(execute: Execute, cursor: Cursor) -> None:
    """A replay that has read all is done with."""
    if cursor.is_done:
        execute(
            "DELETE FROM cursors WHERE webhook = ? AND request = ?",
            (cursor.webhook, cursor.request),
        )
        return
    execute(
        "INSERT INTO cursors(webhook, request, position, name, until) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (webhook, request) DO UPDATE SET"
        " position = excluded.position, name = excluded.name",
        (cursor.webhook, cursor.request, cursor.position, cursor.name, cursor.until),
    )


def _delivery(row: tuple[Any, ...]) -> Delivery:
    webhook, position, message, state, tries, attempts, next_at, last_at, status, error = row
    return Delivery(
        webhook,
        position,
        message,
        State(state),
        tries,
        attempts,
        _moment(next_at),
        _moment(last_at),
        status,
        error,
    )


def _stored(moment: datetime | None) -> int | None:
    return None if moment is None else (moment - _EPOCH) // _MICROSECOND


def _moment(stored: int | None) -> datetime | None:
    return None if stored is None else _known(stored)


def _known(stored: int) -> datetime:
    return _EPOCH + timedelta(microseconds=stored)
