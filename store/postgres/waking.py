"""Waits until somebody has appended to a log on PostgreSQL.

Each append notifies a channel of its schema in its own transaction, so the
notification comes after the commit, and none comes of what was rolled back. The
waker listens on a connection of its own. When that breaks, notifications may have
been lost: the wait ends, and the next one first listens anew and ends too.
"""

import select
import socket
import time
from collections.abc import Mapping
from contextlib import suppress

import psycopg
from msgspec.structs import replace
from psycopg.sql import SQL, Identifier

from store.errors import StoreBusy, StoreUnavailable
from store.postgres.address import Database
from store.postgres.connections import Connection, open_log
from store.postgres.errors import translated
from store.postgres.tables import channel

RETRY_SECONDS = 1.0
"""Between two attempts to reach a server that cannot be reached."""

# A server that is gone without a word is noticed within half a minute.
_KEEPALIVES: Mapping[str, str] = {
    "keepalives": "1",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
}


class ListeningWaker:
    """A `store.waking.Waker` by LISTEN and NOTIFY."""

    def __init__(self, database: Database) -> None:
        options = {**_KEEPALIVES, **dict(database.options)}
        self._database = replace(database, options=tuple(sorted(options.items())))
        self._connection: Connection | None = self._listening()
        self._woken, self._waking = socket.socketpair()
        self._woken.setblocking(False)
        self._waking.setblocking(False)

    def _listening(self) -> Connection:
        """A connection on which appends are told. Raises StoreError."""
        connection = open_log(self._database)
        try:
            with translated(self._database):
                name = Identifier(channel(self._database.schema))
                connection.execute(SQL("LISTEN {}").format(name))
        except BaseException:
            connection.close()
            raise
        return connection

    def wait(self, timeout_seconds: float) -> bool:
        """See `Waker.wait`. An attempt to reach the server may make it last longer."""
        give_up = time.monotonic() + timeout_seconds
        while True:
            left = max(0.0, give_up - time.monotonic())
            if self._connection is not None:
                return self._wait_for(self._connection, left)
            if self._listens_again() or self._is_woken(min(left, RETRY_SECONDS)):
                return True
            if left <= RETRY_SECONDS:
                return False

    def _wait_for(self, connection: Connection, seconds: float) -> bool:
        poll = select.poll()
        poll.register(connection.fileno(), select.POLLIN)
        poll.register(self._woken, select.POLLIN)
        is_due = bool(poll.poll(seconds * 1_000))
        self._is_woken(0)
        try:
            connection.pgconn.consume_input()
            while connection.pgconn.notifies() is not None:
                pass
        except psycopg.OperationalError:
            connection.close()
            self._connection = None
        return is_due

    def _listens_again(self) -> bool:
        try:
            self._connection = self._listening()
        except (StoreUnavailable, StoreBusy):
            return False
        return True

    def _is_woken(self, seconds: float) -> bool:
        """Whether `wake` was called, or is within some seconds; forgets it."""
        poll = select.poll()
        poll.register(self._woken, select.POLLIN)
        if not poll.poll(seconds * 1_000):
            return False
        self._woken.recv(65_536)
        return True

    def wake(self) -> None:
        # Where it is full, what lies there already ends the wait.
        with suppress(BlockingIOError):
            self._waking.send(b"!")

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._woken.close()
        self._waking.close()
