"""The outbox in a schema of its own, on PostgreSQL."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import RLock
from typing import Any

from psycopg.sql import SQL, Identifier, Literal

from store.errors import StoreError, StoreUnavailable
from store.outbox.outbox import TABLES, Execute, Value
from store.postgres.address import Database
from store.postgres.connections import Connection, connect, is_dead
from store.postgres.errors import translated
from store.postgres.tables import lock_id

MARK = "dealstate outbox 1"
"""The comment on the schema, with the version of its tables."""

_MARK_OF = "SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = %s"


class OutboxSchema:
    """The tables of an outbox in a database, which are made when they are first used."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._schema = f"{database.schema}_outbox"
        self._lock = RLock()
        self._session: Connection | None = None
        self._is_closed = False

    @contextmanager
    def transaction(self) -> Iterator[Execute]:
        with self._lock, translated(self._database):
            try:
                session = self._opened()
                with session.transaction():
                    yield _executing(session)
            except BaseException:
                self._give_up()
                raise

    def _give_up(self) -> None:
        """What failed is rolled back, with a session that nobody uses again."""
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def _opened(self) -> Connection:
        if self._session is not None and is_dead(self._session):
            self._give_up()
        if self._is_closed:
            raise StoreUnavailable(f"{self._schema} was closed", "Open the store once more.")
        if self._session is None:
            session = connect(self._database, self._schema)
            try:
                self._prepare(session)
            except BaseException:
                session.close()
                raise
            self._session = session
        return self._session

    def _prepare(self, session: Connection) -> None:
        found = session.execute(_MARK_OF, (self._schema,)).fetchone()
        if found is None:
            self._make(session)
        elif found[0] != MARK:
            raise StoreError(
                f"the schema {self._schema} is of another kind or of a newer release",
                "Rename it, or upgrade dealstate.",
            )

    def _make(self, session: Connection) -> None:
        """Of programs that start together one makes it, and the others find it."""
        name = Identifier(self._schema)
        lock = lock_id("making the outbox", self._database.schema)
        with session.transaction():
            session.execute("SELECT pg_advisory_xact_lock(%s)", (lock,))
            if session.execute(_MARK_OF, (self._schema,)).fetchone() is not None:
                return
            session.execute(SQL("CREATE SCHEMA {}").format(name))
            session.execute(SQL("COMMENT ON SCHEMA {} IS {}").format(name, Literal(MARK)))
            for statement in TABLES:
                session.execute(statement)

    def close(self) -> None:
        with self._lock:
            self._is_closed = True
            self._give_up()


def _executing(session: Connection) -> Execute:
    def execute(statement: str, values: Sequence[Value]) -> list[tuple[Any, ...]]:
        cursor = session.execute(statement.replace("?", "%s"), values)
        return cursor.fetchall() if cursor.description is not None else []

    return execute
