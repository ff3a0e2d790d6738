"""Which worker keeps which models up to date, where several work on one store.

Theory of operation. Leases save work and nothing else. Every batch locks the
checkpoints of its models in its own transaction and reads them there, so two
workers on the same model write one after the other and nothing is taken in twice
or missed; they would only fold every event twice.

On PostgreSQL a lease is an advisory lock of a session that the worker keeps for
nothing else. It ends with the session: at once when the worker is killed, and
within seconds when its machine vanishes, since the server probes the connection.
A worker takes all models that are free, and does not give some of them to one
that comes later: the models that one worker holds share the fold of each deal, so
apart they cost more. Who comes later stands by.

On SQLite there is one writer at a time, and no lease.
"""

from collections.abc import Sequence
from typing import Protocol

from sqlalchemy import Connection

from projections.models import ReadModel
from store.location import Location
from store.postgres.address import Database
from store.postgres.connections import Connection as Session
from store.postgres.connections import connect, is_dead
from store.postgres.errors import translated
from store.postgres.tables import lock_id

VANISHED_SECONDS = 6
"""A session whose machine does not answer ends on the server after this time: two seconds of
silence, then two probes two seconds apart."""

_SESSION_SETTINGS = (
    "SET idle_session_timeout = 0",
    # They do nothing on a socket of the same machine, where the server notices at once.
    "SET tcp_keepalives_idle = 2",
    "SET tcp_keepalives_interval = 2",
    "SET tcp_keepalives_count = 2",
    f"SET tcp_user_timeout = '{VANISHED_SECONDS}s'",
)
_TAKE_FREE = (
    "SELECT name FROM unnest(%s::text[], %s::bigint[]) AS wanted(name, lock)"
    " WHERE pg_try_advisory_lock(lock)"
)
_HELD = (
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1"
    " AND pid = %s AND ((classid::bigint << 32) | objid::bigint) = ANY(%s)"
)


class LeaseLost(Exception):
    """The session that held the leases has ended, so another worker may have the models."""


class Leases(Protocol):
    """The right of one worker to keep models up to date. For one thread."""

    def take(self) -> Sequence[ReadModel]:
        """Take what is free. Answers all that this worker has. Raises StoreError."""

    def check(self, connection: Connection) -> None:
        """Raise LeaseLost, in the transaction that is to write, where the leases are gone."""

    def close(self) -> None:
        """Give them back."""


def open_leases(location: Location, models: Sequence[ReadModel]) -> Leases:
    """Leases for these models, none of them taken yet."""
    if location.database is None:
        return AllModels(models)
    return SessionLeases(location.database, models)


class AllModels:
    """Where the database orders the writers: every worker has every model."""

    def __init__(self, models: Sequence[ReadModel]) -> None:
        self._models = models

    def take(self) -> Sequence[ReadModel]:
        return self._models

    def check(self, connection: Connection) -> None:
        pass

    def close(self) -> None:
        pass


class SessionLeases:
    """Advisory locks of one session on PostgreSQL."""

    def __init__(self, database: Database, models: Sequence[ReadModel]) -> None:
        self._database = database
        self._models = models
        self._locks = {
            model.NAME: lock_id(f"lease of {model.NAME}", database.schema) for model in models
        }
        self._session: Session | None = None
        self._held: frozenset[str] = frozenset()

    def take(self) -> Sequence[ReadModel]:
        if self._session is not None and is_dead(self._session):
            self.close()
        if self._session is None or len(self._held) < len(self._models):
            try:
                with translated(self._database):
                    self._take_free(self._session or self._begin())
            except BaseException:
                self.close()
                raise
        return [model for model in self._models if model.NAME in self._held]

    def _begin(self) -> Session:
        self._session = connect(self._database)
        for setting in _SESSION_SETTINGS:
            self._session.execute(setting)
        return self._session

    def _take_free(self, session: Session) -> None:
        missing = {name: lock for name, lock in self._locks.items() if name not in self._held}
        with session.transaction():
            # Of workers that start together one gets all models, not each some.
            session.execute(
                "SELECT pg_advisory_xact_lock(%s)", (lock_id("leases", self._database.schema),)
            )
            taken = session.execute(_TAKE_FREE, (list(missing), list(missing.values())))
            self._held |= {name for (name,) in taken}

    def check(self, connection: Connection) -> None:
        if self._session is None:
            raise LeaseLost
        locks = [self._locks[name] for name in sorted(self._held)]
        pid = self._session.info.backend_pid
        held = connection.exec_driver_sql(_HELD, (pid, locks)).scalar_one()
        if held < len(locks):
            self.close()
            raise LeaseLost

    def close(self) -> None:
        self._held = frozenset()
        if self._session is not None:
            self._session.close()
            self._session = None
