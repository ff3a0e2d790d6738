"""Read models on PostgreSQL, in a schema for each generation, beside the schema of the log.

`dealstate_views` holds the pointer, `dealstate_views_3` a generation. Whoever
asks reads the pointer and touches the generation in one statement; from then on
it cannot be dropped until the transaction ends, for whoever drops it locks the
same table first.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import psycopg
from psycopg.sql import SQL, Composable, Identifier
from sqlalchemy import Connection, Table, create_engine, event
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from projections.models import Row
from projections.views.generation import BadRows, Generation, Replaced
from projections.views.schemas import GONE, Schemas, size_bytes, tables_in
from projections.views.views import Building, Views
from store.errors import StoreBusy, StoreError
from store.postgres.address import Database
from store.postgres.connections import connect, is_dead
from store.postgres.errors import translation
from store.postgres.tables import lock_id

_LONGEST_SCHEMA_BYTES = 45
"""So that the names of generations are not cut off, which are longer by what is added here."""
_CONNECTIONS = 16

_NOTICE_WHO_VANISHED = (
    # Who vanishes with its machine in the middle of it holds nobody up for long.
    "SET tcp_keepalives_idle = 2",
    "SET tcp_keepalives_interval = 2",
    "SET tcp_keepalives_count = 2",
    "SET tcp_user_timeout = '6s'",
)
# Who writes folds in between, on a slow machine for minutes, and the server is not to take that for
# standing still. One that hangs keeps its row locks so long, which holds up others of its models.
_PATIENTLY = "SET LOCAL idle_in_transaction_session_timeout = '10min'"

# What is raised for values that the database cannot hold.
_NOT_A_VALUE = (psycopg.DataError, psycopg.IntegrityError, OverflowError, UnicodeError)


class SchemaGeneration(Generation):
    """A generation in a schema."""

    ONE_WRITER = False

    def __init__(
        self, number: int, database: Database, schema: str, *, for_building: bool = False
    ) -> None:
        self.schema = schema
        self._database = database
        self._for_building = for_building
        self._schemas = Schemas(database)
        self._touch = _for_sqlalchemy(self._schemas.touch)
        engine = create_engine(
            "postgresql+psycopg://",
            creator=self._connect,
            isolation_level="AUTOCOMMIT",
            pool_size=_CONNECTIONS,
            max_overflow=0,
        )
        event.listen(engine, "checkout", _refuse_dead)
        super().__init__(number, engine)

    def _connect(self) -> psycopg.Connection[Any]:
        connection = connect(self._database, search_path=self.schema)
        # What is lost in a power cut is read from the log again.
        connection.execute("SET synchronous_commit = off")
        for setting in _NOTICE_WHO_VANISHED:
            connection.execute(setting)
        if self._for_building:
            connection.execute("SET statement_timeout = 0")
        return connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        with self._transaction("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY") as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        with self._transaction("BEGIN", _PATIENTLY) as connection:
            yield connection

    @contextmanager
    def _transaction(self, *begin: str) -> Iterator[Connection]:
        with self.used(), translated(self._database), self.engine.connect() as connection:
            for statement in begin:
                connection.exec_driver_sql(statement)
            self._check(connection)
            with self._dropped():
                yield connection
            connection.exec_driver_sql("COMMIT")

    def _check(self, connection: Connection) -> None:
        """Hold the tables. Raises Replaced where the pointer points elsewhere by now.

        Of one that is being built: raises StoreError where another one is being built by now.
        """
        if self._for_building:
            self._schemas.check(driver(connection), self.number)
            return
        try:
            number, _ = connection.exec_driver_sql(self._touch).one()
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) in GONE:
                raise Replaced from error
            raise
        if number != self.number:
            raise Replaced

    @contextmanager
    def _dropped(self) -> Iterator[None]:
        """Whoever takes the place of a builder drops what that one was at."""
        try:
            yield
        except (DBAPIError, psycopg.Error) as error:
            cause = error.orig if isinstance(error, DBAPIError) else error
            if self._for_building and getattr(cause, "sqlstate", None) in GONE:
                raise self._schemas.lost() from error
            raise

    def lock(self, connection: Connection, models: Collection[str]) -> None:
        driver(connection).execute(
            "SELECT 1 FROM checkpoints WHERE model = ANY(%s) ORDER BY model FOR UPDATE",
            (list(models),),
        )
        if not self._for_building:
            # Whoever held the lock until now may have turned the pointer.
            self._check(connection)

    def add_rows(self, connection: Connection, table: Table, rows: Sequence[Row]) -> None:
        try:
            with driver(connection).cursor().copy(f"COPY {table.name} FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        except (*_NOT_A_VALUE, psycopg.ProgrammingError) as error:
            if isinstance(error, psycopg.ProgrammingError) and error.sqlstate is not None:
                raise  # the server's word on the statement, not the driver's on a value
            raise BadRows(f"{type(error).__name__}: {error}") from error

    def delete_rows(
        self, connection: Connection, table: Table, column: str, values: Collection[str | int]
    ) -> None:
        statement = SQL("DELETE FROM {} WHERE {} = ANY(%s)").format(
            Identifier(table.name), Identifier(column)
        )
        driver(connection).execute(statement, (list(values),))

    @contextmanager
    def beside(self, other: Generation) -> Iterator[tuple[Connection, str, str]]:
        assert isinstance(other, SchemaGeneration)
        begin = "BEGIN ISOLATION LEVEL REPEATABLE READ"
        with self._transaction(begin, _PATIENTLY) as connection:
            other._hold(driver(connection))
            yield connection, self._qualifier, other._qualifier

    def _hold(self, session: psycopg.Connection[Any]) -> None:
        """Nobody can drop it until the transaction of the session ends. Raises Replaced."""
        try:
            session.execute(SQL("SELECT 1 FROM {}").format(Identifier(self.schema, "identity")))
        except psycopg.Error as error:
            if error.sqlstate in GONE:
                raise Replaced from error
            raise

    @property
    def _qualifier(self) -> str:
        return _for_sqlalchemy(Identifier(self.schema))

    def plan(self, connection: Connection) -> None:
        for name in tables_in(driver(connection), self.schema):
            driver(connection).execute(SQL("ANALYZE {}").format(Identifier(name)))

    def size_bytes(self) -> int:
        with self.reading() as connection:
            return size_bytes(driver(connection), self.schema)


def _refuse_dead(connection: psycopg.Connection[Any], *_: object) -> None:
    """Have the pool take another connection where the server has closed this one meanwhile."""
    if is_dead(connection):
        raise DisconnectionError


def _for_sqlalchemy(part: Composable) -> str:
    """As part of a statement that is given to SQLAlchemy, where % stands for a parameter."""
    return part.as_string().replace("%", "%%")


def driver(connection: Connection) -> psycopg.Connection[Any]:
    """The connection of psycopg itself."""
    return cast("psycopg.Connection[Any]", connection.connection.dbapi_connection)


class SchemaViews(Views):
    """Read models in schemas of the log's database."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        if len(database.schema.encode()) > _LONGEST_SCHEMA_BYTES:
            raise StoreError(
                f"the name of the schema {database.schema!r} leaves no room for its read models",
                f"Use one of at most {_LONGEST_SCHEMA_BYTES} bytes.",
            )
        self.database = database
        self.schemas = Schemas(database)

    def __str__(self) -> str:
        return str(self.database)

    def pointed_at(self) -> int | None:
        with self._opening:
            if self._open is not None:
                return self._open.number  # its transactions look at the pointer themselves
        with translated(self.database), connect(self.database) as connection:
            return self.schemas.answering(connection)

    def schema(self, number: int) -> str:
        """Of a generation."""
        return self.schemas.name(number)

    def numbers(self, connection: psycopg.Connection[Any]) -> list[int]:
        """Of all generations there are schemas of."""
        return self.schemas.numbers(connection)

    def _opened(self, number: int) -> SchemaGeneration:
        return SchemaGeneration(number, self.database, self.schema(number))

    def unfinished(self, number: int) -> SchemaGeneration:
        schema = self.schema(number)
        return SchemaGeneration(number, self.database, schema, for_building=True)

    @contextmanager
    def building(self) -> Iterator["SchemaBuilding"]:
        lock = lock_id("views", self.database.schema)
        with translated(self.database), connect(self.database) as connection:
            for setting in ("SET idle_session_timeout = 0", *_NOTICE_WHO_VANISHED):
                connection.execute(setting)
            (taken,) = connection.execute(
                "SELECT pg_try_advisory_lock(%s)", (lock,)
            ).fetchone() or (False,)
            if not taken:
                raise StoreBusy(
                    f"the read models of {self.database} are being built: another rebuild is"
                    " running",
                    "Wait until it is done.",
                )
            building = SchemaBuilding(self, connection)
            self.schemas.sweep(connection)
            try:
                yield building
            finally:
                building.close()
                # Whoever lost the lock leaves that to the next one, and has done what it has done.
                if not is_dead(connection):
                    self.schemas.sweep(connection)
                    # The server would let go of it only some time after the connection is closed.
                    connection.execute("SELECT pg_advisory_unlock(%s)", (lock,))


class SchemaBuilding(Building):
    """A new schema, which the pointer is turned to in the end."""

    def __init__(self, views: SchemaViews, session: psycopg.Connection[Any]) -> None:
        """`session` holds the lock. Whoever built before cannot go on from now on."""
        self._views = views
        self._session = session
        self._generations: list[SchemaGeneration] = []
        self._number = views.schemas.take_number(session)

    def start(self) -> SchemaGeneration:
        """For one generation, as the right to build has one number."""
        generation = self._views.unfinished(self._number)
        self._views.schemas.create(self._session, generation.schema)
        self._generations.append(generation)
        return generation

    def finished(self, built: Generation) -> Generation:
        return built

    def replace(self, finished: Generation, within: Connection | None = None) -> None:
        if within is None:
            with finished.writing() as connection:
                self.replace(finished, connection)
        else:
            self._views.schemas.turn(driver(within), finished.number)

    def close(self) -> None:
        for generation in self._generations:
            generation.close()


@contextmanager
def translated(database: Database) -> Iterator[None]:
    """psycopg's errors on the read models as those of a store."""
    try:
        yield
    except PoolTimeout as error:
        raise StoreBusy(
            f"all {_CONNECTIONS} connections to the read models of {database} are in use",
            "Try again, or use fewer threads.",
        ) from error
    except DBAPIError as error:
        if not isinstance(error.orig, psycopg.Error):
            raise
        raise _translation(error.orig, database) from error
    except psycopg.Error as error:
        raise _translation(error, database) from error


def _translation(error: psycopg.Error, database: Database) -> Exception:
    if error.sqlstate not in GONE:
        return translation(error, database)
    return StoreError(
        f"the read models of {database} are incomplete: {error.diag.message_primary}",
        "Make them anew with `dealstate rebuild`.",
    )
