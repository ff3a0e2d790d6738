"""Stores of made-up deals on PostgreSQL, each in a database of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg
from msgspec.structs import replace
from psycopg.sql import SQL, Identifier

from projections.engine.keeping_up import catch_up
from projections.views import open_views
from store.location import Location
from store.log import DealLog
from store.postgres.address import Database
from store.postgres.connections import connect
from store.tail import Tail
from tests.benchmarks import floors
from tests.benchmarks.stores import Stores, clock
from tests.postgresql import Server, data_folder

FindServer = Callable[[], Database]
"""A database on the server to be used, which is started when first asked for."""

_FLOOR_LOG = """
CREATE TABLE stored_events (
    position bigint PRIMARY KEY, originator_id text COLLATE "C" NOT NULL,
    originator_version bigint NOT NULL, topic text NOT NULL, state bytea NOT NULL
)
"""

_FRESH_SCHEMAS = "SELECT nspname FROM pg_namespace WHERE nspname ~ '^fresh(_|$)'"


class OwnServer:
    """A server for one run, started when first asked for; its data stay where `kept`."""

    def __init__(self, folder: Path, *, kept: bool) -> None:
        self._folder = folder
        self._kept = kept
        self._running: Server | None = None

    def __call__(self) -> Database:
        if self._running is None:
            server = Server(data_folder(self._folder.absolute()))
            server.start()
            self._running = server
        return self._running.database

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if self._running is not None and self._kept:
            self._running.stop()
        elif self._running is not None:
            self._running.remove()


class PostgresStores:
    """The deals of other stores in a log on PostgreSQL, with its read models."""

    def __init__(self, stores: Stores, server: FindServer) -> None:
        self.stores = stores
        self._server = server

    @property
    def events(self) -> int:
        return self.stores.events

    @cached_property
    def database(self) -> Database:
        """With the log in its schema, and what the floor reads in another one."""
        folder = self.stores.folder.absolute()
        beside = self._server()
        name = f"bench_{folder.name}_{sha256(str(folder).encode()).hexdigest()[:12]}"
        database = replace(beside, name=name)
        with connect(beside) as connection:
            named = "SELECT 1 FROM pg_database WHERE datname = %s"
            if connection.execute(named, (database.name,)).fetchone() is None:
                connection.execute(SQL("CREATE DATABASE {}").format(Identifier(database.name)))
        return replace(database, home=str(folder))

    @cached_property
    def location(self) -> Location:
        """Of the log, filled."""
        location = Location.around(self.database)
        create = not location.keys.exists()
        with closing((DealLog.create if create else DealLog.open)(location, clock)) as log:
            self.stores.fill(log)
        return location

    def log(self) -> DealLog:
        """The log, opened."""
        return DealLog.open(self.location, clock)

    @cached_property
    def views(self) -> Location:
        """The read models of the log, up to date."""
        with closing(self.log()) as log, closing(open_views(log.location)) as views:
            catch_up(views, Tail(log))
        return self.location

    @cached_property
    def plain(self) -> Database:
        """The same log with nothing encrypted, as the floor reads it."""
        database = replace(self.database, schema="plain")
        with connect(self.database) as connection:
            found = connection.execute("SELECT to_regclass('plain.stored_events')").fetchone()
            if found is None or found[0] is None:
                self._copy(connection)
        return database

    def _copy(self, connection: psycopg.Connection[Any]) -> None:
        with connection.transaction():
            connection.execute("CREATE SCHEMA plain")
            connection.execute("SET LOCAL search_path TO plain")
            connection.execute(_FLOOR_LOG)
            with (
                closing(floors.connect(self.stores.plain)) as source,
                connection.cursor().copy("COPY stored_events FROM STDIN") as copy,
            ):
                for row in source.execute(
                    "SELECT position, originator_id, originator_version, topic, state"
                    " FROM stored_events ORDER BY position"
                ):
                    copy.write_row(row)

    @contextmanager
    def schema(self, name: str) -> Iterator[Database]:
        """A schema of one run, empty; dropped in the end."""
        database = replace(self.database, schema=name)
        with connect(self.database) as connection:
            drop = SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(Identifier(name))
            connection.execute(drop)
            connection.execute(SQL("CREATE SCHEMA {}").format(Identifier(name)))
            try:
                yield database
            finally:
                connection.execute(drop)

    @contextmanager
    def fresh_log(self, folder: Path) -> Iterator[Location]:
        """The log once more, for one run, which may write to it; dropped in the end."""
        location = Location.around(replace(self.database, schema="fresh", home=str(folder)))
        try:
            with closing(DealLog.create(location, clock)) as log:
                self.stores.fill(log)
            yield location
        finally:
            with connect(self.database) as connection:
                found = connection.execute(_FRESH_SCHEMAS).fetchall()
                for (name,) in found:
                    connection.execute(SQL("DROP SCHEMA {} CASCADE").format(Identifier(name)))

    def drop(self) -> None:
        """Remove the database, where it was made."""
        if "database" in vars(self):
            with connect(self._server()) as connection:
                drop = SQL("DROP DATABASE {} WITH (FORCE)")
                connection.execute(drop.format(Identifier(self.database.name)))
