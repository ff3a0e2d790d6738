"""Which program sends, where several are at work on one store: one at a time.

On PostgreSQL it is an advisory lock of a session that is kept for nothing else. It ends with
the session: at once when the program is killed, and within seconds when its machine vanishes,
since the server probes the connection. Who writes asks in the same transaction whether the
session still has it. On SQLite it is the lock of a file beside the outbox, which the system
gives up with the process.
"""

from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

from store.keys.holding import Held, held
from store.outbox.outbox import Execute
from store.postgres.address import Database
from store.postgres.connections import Connection, connect, is_dead
from store.postgres.errors import translated
from store.postgres.tables import lock_id

VANISHED_SECONDS = 6
"""A session whose machine does not answer ends on the server after this time."""

_SESSION_SETTINGS = (
    "SET idle_session_timeout = 0",
    "SET tcp_keepalives_idle = 2",
    "SET tcp_keepalives_interval = 2",
    "SET tcp_keepalives_count = 2",
    f"SET tcp_user_timeout = '{VANISHED_SECONDS}s'",
)
_HELD = (
    "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1"
    " AND pid = ? AND ((classid::bigint << 32) | objid::bigint) = ?"
)


class LeaseLost(Exception):
    """Another program may be sending by now."""


class Lease(Protocol):
    """The right of one program to send. `take` and `close` are for one thread."""

    def take(self) -> bool:
        """Take it, if it is free. Answers whether this program has it. Raises StoreError."""

    def check(self, execute: Execute) -> None:
        """Raise LeaseLost, in the transaction that is to write, where it is gone."""

    def close(self) -> None:
        """Give it back."""


class FileLease:
    """A lock on a file beside the outbox."""

    def __init__(self, outbox: Path) -> None:
        self._path = outbox.with_name(f"{outbox.name}.sending")
        self._held: ExitStack | None = None

    def take(self) -> bool:
        if self._held is None:
            stack = ExitStack()
            try:
                stack.enter_context(held(self._path, 0))
            except Held:
                return False
            self._held = stack
        return True

    def check(self, execute: Execute) -> None:
        if self._held is None:
            raise LeaseLost

    def close(self) -> None:
        stack, self._held = self._held, None
        if stack is not None:
            stack.close()


class SessionLease:
    """An advisory lock of one session on PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = lock_id("lease of webhooks", database.schema)
        self._session: Connection | None = None
        self._pid: int | None = None

    def take(self) -> bool:
        if self._session is not None and is_dead(self._session):
            self.close()
        if self._pid is not None:
            return True
        try:
            with translated(self._database):
                return self._try(self._session or self._begin())
        except BaseException:
            self.close()
            raise

    def _begin(self) -> Connection:
        self._session = connect(self._database)
        for setting in _SESSION_SETTINGS:
            self._session.execute(setting)
        return self._session

    def _try(self, session: Connection) -> bool:
        row = session.execute("SELECT pg_try_advisory_lock(%s)", (self._lock,)).fetchone()
        if row is not None and row[0]:
            self._pid = session.info.backend_pid
        return self._pid is not None

    def check(self, execute: Execute) -> None:
        pid = self._pid
        if pid is None or not execute(_HELD, (pid, self._lock)):
            raise LeaseLost

    def close(self) -> None:
        self._pid = None
        session, self._session = self._session, None
        if session is not None:
            session.close()
