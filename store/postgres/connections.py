"""Connections to a log on PostgreSQL, and what must hold for each of them.

Every connection commits synchronously, on a server that syncs to its disk, so
that a commit that returned survives a power failure; both are read back. It is
in autocommit mode, reads what is committed (READ COMMITTED, stated and read
back), and waits neither for a lock nor in a transaction longer than the limits
below.

Connections are made when they are needed, in the thread that needs them, so
whatever is wrong is told to whoever asked, and kept for the next one. One that
the server has closed meanwhile, as when it was restarted, is noticed when it is
taken and replaced. Inside a transaction its thread reads over the connection of
the transaction, so a thread never waits for a second connection.
"""

import select
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore, Lock
from typing import Any, TypeAlias

import psycopg
from psycopg.pq import TransactionStatus

from store.errors import StoreBusy, StoreError
from store.postgres.address import Database
from store.postgres.errors import translated, translation, unreachable
from store.postgres.statements import SELECT_OBJECTS
from store.postgres.tables import (
    FIRST_SCHEMA_VERSION,
    MARK,
    SCHEMA_VERSION,
    changes,
    creation,
    lock_id,
    not_as_made,
)

CONNECTIONS = 16
"""At most, of one open log."""

BUSY_TIMEOUT_SECONDS = 30.0
CONNECT_TIMEOUT_SECONDS = 10
STATEMENT_TIMEOUT_SECONDS = 300
IDLE_TRANSACTION_TIMEOUT_SECONDS = 20
"""Less than others wait for the log, so whoever stands still with it is given up first."""

Cursor: TypeAlias = psycopg.Cursor[Any]
Connection: TypeAlias = psycopg.Connection[Any]

_SETTINGS = {
    "application_name": "dealstate",
    "synchronous_commit": "on",
    "default_transaction_isolation": "read committed",
    "default_transaction_read_only": "off",
    "lock_timeout": f"{BUSY_TIMEOUT_SECONDS:.0f}s",
    "statement_timeout": f"{STATEMENT_TIMEOUT_SECONDS}s",
    "idle_in_transaction_session_timeout": f"{IDLE_TRANSACTION_TIMEOUT_SECONDS}s",
}
_DURABLE = {
    "synchronous_commit": "on",
    "fsync": "on",
    "full_page_writes": "on",
    "default_transaction_isolation": "read committed",
    "server_encoding": "UTF8",
}
_SELECT_SETTINGS = "SELECT array(SELECT current_setting(name) FROM unnest(%s::text[]) AS name)"
_SELECT_SCHEMA = """
SELECT obj_description(oid, 'pg_namespace'),
    EXISTS (SELECT 1 FROM pg_class WHERE relnamespace = found.oid)
FROM pg_namespace AS found WHERE nspname = %s
"""


def connect(database: Database, search_path: str | None = None) -> Connection:
    """A connection on which commits are durable, whatever is in the database.

    Names are looked up in the schema of the log, or in the one of `search_path`.

    Raises StoreError where it cannot be made so.
    """
    options = dict(database.options)
    settings = " ".join(
        f"-c {name}={_escaped(value)}"
        for name, value in {
            **_SETTINGS,
            "search_path": _quoted(search_path or database.schema),
        }.items()
    )
    asked = {
        "dbname": database.name,
        "user": database.user,
        "password": database.password,
        "host": database.host,
        "port": database.port,
        "connect_timeout": str(CONNECT_TIMEOUT_SECONDS),
        **options,
        "client_encoding": "UTF8",
        "options": f"{options.get('options', '')} {settings}".strip(),
    }
    try:
        connection = psycopg.connect(
            **{name: value for name, value in asked.items() if value},  # type: ignore[arg-type]
            autocommit=True,
            prepare_threshold=0,
        )
    except psycopg.Error as error:
        raise unreachable(error, database) from None
    try:
        with translated(database):
            _refuse_unless_durable(connection, database)
    except BaseException:
        connection.close()
        raise
    return connection


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _escaped(value: str) -> str:
    """A value as it is written in libpq's `options`."""
    return value.replace("\\", "\\\\").replace(" ", "\\ ")


def _refuse_unless_durable(connection: Connection, database: Database) -> None:
    row = connection.execute(_SELECT_SETTINGS, (list(_DURABLE),)).fetchone()
    assert row is not None
    found = dict(zip(_DURABLE, row[0], strict=True))
    wrong = {name: value for name, value in found.items() if value != _DURABLE[name]}
    if wrong:
        told = ", ".join(f"{name} = {value}" for name, value in wrong.items())
        wanted = ", ".join(f"{name} = {_DURABLE[name]}" for name in wrong)
        raise StoreError(f"{database} cannot be written durably ({told})", f"Set {wanted}.")


def _schema(connection: Cursor | Connection, database: Database) -> tuple[int | None, bool]:
    """The version of the tables of the log, None where it is none, and whether any are there."""
    row = connection.execute(_SELECT_SCHEMA, (database.schema,)).fetchone()
    mark, in_use = row or (None, False)
    if mark is None or not mark.startswith(MARK):
        return None, in_use
    return int(mark.removeprefix(MARK)), in_use


def open_log(database: Database) -> Connection:
    """A connection to an existing log. Raises StoreError when there is none.

    Tables of an earlier version are brought up to date first, unless somebody changed them:
    then they stay as they are, to be looked into, and `require_up_to_date` says so.
    """
    connection = connect(database)
    try:
        with translated(database):
            schema, _ = _schema(connection, database)
            _refuse_unless_ours(schema, database)
            if schema != SCHEMA_VERSION:
                _bring_up_to_date(connection, database)
    except BaseException:
        connection.close()
        raise
    return connection


def _refuse_unless_ours(schema: int | None, database: Database) -> None:
    if schema is None:
        raise StoreError(f"there is no log at {database}", "Make one with `dealstate init`.")
    if schema > SCHEMA_VERSION:
        raise StoreError(
            f"{database} was written by a newer release"
            f" (tables {schema}, this one knows {SCHEMA_VERSION})",
            "Upgrade dealstate.",
        )
    if schema < FIRST_SCHEMA_VERSION:
        raise StoreError(f"{database} has tables of unknown version {schema}", "Restore a backup.")


def _bring_up_to_date(connection: Connection, database: Database) -> None:
    """Change the tables to those of the present version while nobody appends.

    Where they are not as the earlier version made them, nothing is changed: that would
    wipe out the traces of whoever did it.
    """
    with connection.transaction():
        lock = lock_id("log", database.schema)
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (lock,))
        # Of many who open it at once, one changes them, also one of a later release.
        schema, _ = _schema(connection, database)
        _refuse_unless_ours(schema, database)
        if schema != SCHEMA_VERSION and not foreign(connection, database):
            for statement in changes(database.schema):
                connection.execute(statement)


def foreign(cursor: Cursor | Connection, database: Database) -> list[str]:
    """What of the tables and functions is not as those of their version, a sentence each."""
    schema, _ = _schema(cursor, database)
    return not_as_made(schema or SCHEMA_VERSION, cursor.execute(SELECT_OBJECTS).fetchall())


def require_up_to_date(cursor: Cursor | Connection, database: Database) -> None:
    """Raise StoreError where the tables are of an earlier version, since somebody changed them."""
    schema, _ = _schema(cursor, database)
    if schema == SCHEMA_VERSION:
        return
    told = "; ".join(foreign(cursor, database))
    raise StoreError(
        f"the tables of {database} are those of an earlier release (version {schema}), and were"
        f" changed by somebody, so they are not brought up to date: {told}",
        "Run dealstate audit fsck, which tells more; then restore a backup, or put back what was"
        " changed.",
    )


def exists(database: Database) -> bool:
    """Whether there is a log. Raises StoreError where the database cannot be asked."""
    with connect(database) as connection, translated(database):
        return _schema(connection, database)[0] is not None


def check_new(database: Database) -> None:
    """Raise StoreError where a new log cannot be made. Changes nothing."""
    with connect(database) as connection, translated(database):
        _refuse_unless_empty(connection, database)


def create(database: Database, properties: dict[str, str]) -> None:
    """Make the schema and tables of a new log. Raises StoreError where something is there."""
    with connect(database) as connection, translated(database), connection.transaction():
        # Of many who make it at once, one does, and the others find it made.
        lock = lock_id("log", database.schema)
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (lock,))
        _refuse_unless_empty(connection, database)
        for statement in creation(database.schema):
            connection.execute(statement)
        for item in properties.items():
            connection.execute("INSERT INTO properties VALUES (%s, %s)", item)


def _refuse_unless_empty(connection: Connection, database: Database) -> None:
    schema, in_use = _schema(connection, database)
    if schema is not None:
        raise StoreError(f"{database} is a log already", "Use it as it is, or name another schema.")
    if in_use:
        raise StoreError(
            f"the schema of {database} is in use by something else", "Name another schema."
        )


class LogDatastore:
    """Statements and transactions on one log. Safe to use from many threads."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._free = BoundedSemaphore(CONNECTIONS)
        self._lock = Lock()
        self._idle: list[Connection] = []
        self._closed = False
        self._own = threading.local()

    @contextmanager
    def using(self) -> Iterator[Cursor]:
        """A cursor for single statements, each of them committed when it returns.

        Inside a transaction of this thread they are part of it.
        """
        own = getattr(self._own, "connection", None)
        if own is not None:
            with own.cursor(binary=True) as cursor:
                yield cursor
            return
        connection = self._borrow()
        try:
            with connection.cursor(binary=True) as cursor:
                yield cursor
        except psycopg.Error as error:
            raise translation(error, self.database) from error
        finally:
            self._give_back(connection)

    @contextmanager
    def transaction(self, lock: int) -> Iterator[Cursor]:
        """A transaction that nobody else has the same lock in: all or nothing.

        It is durable when this returns.
        """
        assert getattr(self._own, "connection", None) is None
        connection = self._borrow()
        try:
            with connection.transaction(), connection.cursor(binary=True) as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", (lock,))
                self._own.connection = connection
                yield cursor
        except psycopg.Error as error:
            raise translation(error, self.database) from error
        finally:
            self._own.connection = None
            self._give_back(connection)

    def close(self) -> None:
        """Close all connections; those in use when they are given back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _borrow(self) -> Connection:
        if self._closed:
            raise StoreError(f"{self.database} was closed", "Open the log again.")
        if not self._free.acquire(timeout=BUSY_TIMEOUT_SECONDS):
            raise StoreBusy(
                f"all {CONNECTIONS} connections to {self.database} are in use",
                "Try again, or use fewer threads.",
            )
        try:
            return self._idle_one() or open_log(self.database)
        except BaseException:
            self._free.release()
            raise

    def _idle_one(self) -> Connection | None:
        while True:
            with self._lock:
                if not self._idle:
                    return None
                connection = self._idle.pop()
            if not is_dead(connection):
                return connection
            connection.close()

    def _give_back(self, connection: Connection) -> None:
        usable = connection.pgconn.transaction_status == TransactionStatus.IDLE
        with self._lock:
            keep = usable and not self._closed
            if keep:
                self._idle.append(connection)
        if not keep:
            connection.close()
        self._free.release()


def is_dead(connection: Connection) -> bool:
    """Whether the server closed an idle connection: only then is there something to read."""
    if connection.closed:
        return True
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))
