"""Stores of made-up deals on PostgreSQL to be written to: made once, and copied for each run.

A copy is a database of its own, made from the filled one as a template, with the
keys beside it where the log is ours. Its pages are on the disk before a run begins.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from contextlib import closing
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from tempfile import mkdtemp

from msgspec.structs import replace
from psycopg.sql import SQL, Composable, Identifier

from domain.deal import Deal, evolve
from store.location import Location
from store.log import DealLog
from store.opening import open_keys
from store.postgres.address import Database
from store.postgres.connections import connect
from store.recorder import Row
from tests.benchmarks.evidence import Evidence, digest, state_of, stock_state_of
from tests.benchmarks.portfolio import MadeDeal, chunks
from tests.benchmarks.postgres_stores import FindServer
from tests.benchmarks.stock import StockDeal, StockDeals, stock_events
from tests.benchmarks.stores import PER_TRANSACTION, clock, get, opened

STOCK_EVENTS_PER_SAVE = 500
"""The library saves by psycopg's pipeline mode, in which a save of 1,000 events has hung."""

_DROP = SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
_CREATE = SQL("CREATE DATABASE {}")
_NOTHING = SQL("")
_SELECT_ROWS = """
SELECT originator_id, originator_version, topic, state FROM stored_events
ORDER BY originator_id, originator_version
"""


class PostgresCopies:
    """The same deals in a log of ours and in one of the stock library, each made when asked for."""

    def __init__(self, folder: Path, deals: Sequence[MadeDeal], server: FindServer) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.deals = deals
        self._server = server
        self._made: set[str] = set()

    @property
    def events(self) -> int:
        return sum(len(deal.drafts) for deal in self.deals)

    @property
    def groups(self) -> list[list[MadeDeal]]:
        """The deals of each transaction of a bulk append."""
        return list(chunks(self.deals, PER_TRANSACTION))

    @cached_property
    def log(self) -> Database:
        database = self._new("ours", Path(mkdtemp(dir=self.folder)))
        with closing(create_log(database)) as log:
            for group in self.groups:
                log.append([deal.batch for deal in group])
        _settle(database)
        return database

    @cached_property
    def stock(self) -> Database:
        database = self._new("stock", self.folder)
        with closing(open_stock(database)) as app:
            save(app, [[event for deal in self.deals for event in stock_events(deal)]])
        _settle(database)
        return database

    def empty(self, folder: Path) -> Database:
        """A new database for one run; the one of the run before goes away."""
        return self._new("run", folder)

    def copy(self, filled: Database, folder: Path) -> Database:
        """A copy of a filled database, and of the keys of its log, for one run."""
        copy = self._new("run", folder, SQL(" TEMPLATE {}").format(Identifier(filled.name)))
        for file in Path(filled.home).glob(f"{filled.stem}.key*"):
            shutil.copy(file, folder / (copy.stem + file.name.removeprefix(filled.stem)))
        return copy

    def _new(self, what: str, home: Path, made_from: Composable = _NOTHING) -> Database:
        """A database of a name that is the same in each run, in place of the one before."""
        digest = sha256(str(self.folder.absolute()).encode()).hexdigest()[:12]
        name = f"bench_{what}_{digest}"
        self._made.add(name)
        with connect(self._server()) as connection:
            connection.execute(_DROP.format(Identifier(name)))
            connection.execute(_CREATE.format(Identifier(name)) + made_from)
            connection.execute("CHECKPOINT")
        return replace(self._server(), name=name, home=str(home))

    def drop(self) -> None:
        """Remove the databases that were made."""
        with connect(self._server()) as connection:
            for name in self._made:
                connection.execute(_DROP.format(Identifier(name)))


def _settle(database: Database) -> None:
    """Do what the server would else do in the background while copies are measured."""
    with connect(database) as connection:
        connection.execute("VACUUM (ANALYZE)")


def open_log(database: Database) -> DealLog:
    """A log of ours whose clock stands still."""
    return DealLog.open(Location.around(database), clock)


def create_log(database: Database) -> DealLog:
    """A new log of ours whose clock stands still."""
    return DealLog.create(Location.around(database), clock)


def open_stock(
    database: Database, cached_aggregates: int = 0, *, create: bool = True
) -> StockDeals:
    """The stock library's application with its PostgreSQL recorder and its own settings.

    It makes its tables, unless they are there: many at once disturb each other at that.
    """
    env = {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": database.name,
        "POSTGRES_HOST": database.host,
        "POSTGRES_PORT": database.port or "5432",
        "POSTGRES_USER": database.user,
        "POSTGRES_PASSWORD": database.password,
        "CREATE_TABLE": "y" if create else "n",
    }
    if cached_aggregates:
        env["AGGREGATE_CACHE_MAXSIZE"] = str(cached_aggregates)
    return StockDeals(env)


def save(app: StockDeals, groups: Iterable[Sequence[StockDeal.Event]]) -> None:
    """Save events with the stock library, no more at once than it can be trusted with."""
    for events in groups:
        for start in range(0, len(events), STOCK_EVENTS_PER_SAVE):
            app.save(*events[start : start + STOCK_EVENTS_PER_SAVE])


def stored_rows(database: Database) -> list[Row]:
    """All rows of a log, by stream and version."""
    with connect(database) as connection, connection.cursor(binary=True) as cursor:
        return cursor.execute(_SELECT_ROWS).fetchall()


def our_evidence(database: Database, deals: Iterable[MadeDeal]) -> Evidence:
    """Of a log of ours, by what our log gives."""
    with closing(open_log(database)) as log:
        histories = [(deal.deal_id, log.history(deal.deal_id)) for deal in deals]
    states = digest(
        state_of(deal_id, history.version, history.deal) for deal_id, history in histories
    )
    return _evidence(database, database, states)


def floor_evidence(database: Database, deals: Iterable[MadeDeal], keys: Database) -> Evidence:
    """Of the tables of a log alone, by what their rows come to, with the keys of another one."""
    states: dict[str, tuple[int, Deal]] = {}
    with open_keys(Location.around(keys), clock) as ring:
        for event in opened(stored_rows(database), ring):
            _, deal = states.get(event.stream, (0, Deal()))
            states[event.stream] = (event.version, evolve(deal, event))
    return _evidence(
        database, keys, digest(state_of(deal.deal_id, *states[deal.stream]) for deal in deals)
    )


def _evidence(database: Database, keys: Database, states: str) -> Evidence:
    rows = stored_rows(database)
    with open_keys(Location.around(keys), clock) as ring:
        shown = digest(
            (*row[:3], len(row[3]), event)
            for row, event in zip(rows, opened(rows, ring), strict=True)
        )
    return Evidence(len(rows), states, shown)


def stock_evidence(database: Database, deals: Iterable[MadeDeal]) -> Evidence:
    """Of a store of the stock library."""
    with closing(open_stock(database)) as app:
        states = digest(stock_state_of(get(app, deal.deal_id)) for deal in deals)
    with connect(database) as connection:
        row = connection.execute("SELECT count(*) FROM public.stockdeals_events").fetchone()
    assert row is not None
    return Evidence(row[0], states)
