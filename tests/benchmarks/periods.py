"""Deal periods of many deals in a store of their own, with their columnar copy."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import date, timedelta
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from msgspec.structs import replace
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Date,
    Table,
    case,
    cast,
    column,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy import table as table_named

from domain.history import StreamKind, stream_of
from domain.lifecycle import Status
from projections import periods
from projections.columns import Columns
from projections.instants import FOREVER
from projections.models import Row as PeriodRow
from projections.models import Told
from projections.tables import checkpoints, deal_marks, deal_periods, metadata
from projections.views import Generation, Views, open_views
from store.location import Location
from store.postgres.address import Database
from store.postgres.connections import connect
from tests.benchmarks.portfolio import PROCESSES, MadeDeal, portfolio

EVENTS_OF_A_DEAL = 10
YEARS = 4
"""In which the deals are opened."""
CHANGED = 100
"""One deal in so many has changed since the copy was made, where some have."""
COPIES = 20
"""Most deals are copies that the database makes of one in so many, since that is faster."""

_MODELS_EVENTS = 60_000
_LONGEST = 13
_BATCH = 20_000
_DAY = 86_400_000_000
_MOVED = (
    *("occurred_from", "known_from", "occurred_until", "known_until"),
    *("opened_at", "closed_at"),
)
_AMOUNTS = ("amount_minor", "listed_minor", "quoted_minor")
_DECIDED = (Status.WON.value, Status.LOST.value)
_SCHEMAS = "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'as\\_of%'"

_AT = {name: index for index, name in enumerate(deal_periods.columns.keys())}


class Periods:
    """Deal periods of many deals, and their columnar copy; no log is behind them.

    The deals have the shape of short ones of the portfolio, about ten events each, moved in
    time, with amounts, regions and owners of their own. What is decided has a quote.
    """

    def __init__(self, folder: Path, deals: int, beside: Database | None = None) -> None:
        self.folder = folder
        self._copies = min(COPIES, deals)
        self.deals = deals // self._copies * self._copies
        self.beside = beside
        """A database on the server to be used; None for files."""
        folder.mkdir(exist_ok=True)

    @cached_property
    def location(self) -> Location:
        """Of the tables, which are filled when first asked for, and copied."""
        location = Location.beside(self.folder / "periods.db")
        if self.beside is not None:
            database = replace(self.beside, schema="as_of", home=str(self.folder))
            location = Location.around(database)
        with closing(open_views(location)) as views, closing(Columns(location.views)) as columns:
            _fill(views, self.deals // self._copies, self._copies)
            columns.maintain(views.reading)
        return location

    @cached_property
    def changed_location(self) -> Location:
        """The same location, where some deals count as changed since the copy was made."""
        location = self.location
        behind = deal_marks.c.position + self.deals * EVENTS_OF_A_DEAL
        some = deal_marks.c.position % (CHANGED * EVENTS_OF_A_DEAL) == 0
        with closing(open_views(location)) as views, views.writing() as connection:
            connection.execute(update(deal_marks).where(some).values(position=behind))
            last = select(func.max(deal_marks.c.position)).scalar_subquery()
            connection.execute(update(checkpoints).values(position=last))
        return location

    def drop(self) -> None:
        """Remove what is on a server."""
        if self.beside is not None:
            with connect(self.beside) as connection:
                for (name,) in connection.execute(_SCHEMAS).fetchall():
                    connection.execute(f'DROP SCHEMA "{name}" CASCADE')


def _fill(views: Views, deals: int, copies: int) -> None:
    days = max(1, YEARS * 365 // copies)
    with views.building() as building:
        built = building.start()
        with built.writing() as connection:
            built.make_tables(connection)
            _add(built, connection, deal_periods, made_periods(deals, days))
            marks = ((deal_id, n * EVENTS_OF_A_DEAL) for n, deal_id in _deal_ids(deals))
            _add(built, connection, deal_marks, marks)
            for table in (deal_periods, deal_marks):
                first = f"CREATE TEMPORARY TABLE first_{table.name} AS SELECT * FROM {table.name}"
                connection.exec_driver_sql(first)
                for number in range(1, copies):
                    behind = number * deals * EVENTS_OF_A_DEAL
                    _Copies(number, number * days, behind).add(connection, table)
            position = copies * deals * EVENTS_OF_A_DEAL
            _add(
                built,
                connection,
                checkpoints,
                [(periods.NAME, periods.VERSION, position, "", 0, "")],
            )
            built.make_indexes(connection, metadata.sorted_tables)
            built.plan(connection)
        building.replace(building.finished(built))


def _add(
    built: Generation, connection: Connection, table: Table, rows: Iterable[PeriodRow]
) -> None:
    for some in batches(iter(rows)):
        built.add_rows(connection, table, some)


def batches(rows: Iterator[Any]) -> Iterator[list[Any]]:
    """Some thousands at a time."""
    while some := list(islice(rows, _BATCH)):
        yield some


class _Copies(NamedTuple):
    """Copies of the first deals, later by some days, made inside the database."""

    number: int
    """From 1 to 255."""
    days: int
    positions: int
    """By which the positions of their events are behind those of the first deals."""

    def add(self, connection: Connection, table: Table) -> None:
        first = table_named(f"first_{table.name}", *(column(c.name) for c in table.columns))
        dialect = connection.dialect.name
        values = [self._value(one, dialect).label(one.name) for one in first.columns]
        connection.execute(insert(table).from_select(table.columns.keys(), select(*values)))

    def _value(self, one: ColumnElement[Any], dialect: str) -> ColumnElement[Any]:
        name = str(one.key)
        if name == "deal_id":
            return literal(f"{self.number:02x}").concat(func.substr(one, 3))
        if name == "position":
            return one + self.positions
        if name in _MOVED:
            return case((one == FOREVER, one), else_=one + literal(self.days * _DAY, BigInteger))
        if name == "expected_close" and dialect == "sqlite":
            return func.date(one, f"+{self.days} days")
        if name == "expected_close":
            return func.to_char(cast(one, Date) + self.days, "YYYY-MM-DD")
        return one


def made_periods(deals: int, days: int) -> Iterator[PeriodRow]:
    """Rows of deal periods, deal after deal, moved by as many days at most."""
    models = [_model(deal) for deal in portfolio(_MODELS_EVENTS) if len(deal.drafts) <= _LONGEST]
    rng = random.Random(7)
    regions = sorted({row[_AT["region"]] for rows in models for row in rows})
    owners = sorted({row[_AT["owner"]] for rows in models for row in rows})
    for number, deal_id in _deal_ids(deals):
        shift = rng.randrange(days * _DAY // 1_000_000) * 1_000_000
        own = {"deal_id": deal_id, "region": rng.choice(regions), "owner": rng.choice(owners)}
        more = rng.randrange(1, 100_000_000)
        for model in models[number % len(models)]:
            yield _moved(model, shift, more, own)


def _deal_ids(deals: int) -> Iterator[tuple[int, str]]:
    """Ids that begin with 00, which those of the copies do not, and their numbers from 1."""
    rng = random.Random(8)
    for number in range(1, deals + 1):
        yield number, "00" + str(UUID(int=rng.getrandbits(128), version=4))[2:]


def _model(deal: MadeDeal) -> list[PeriodRow]:
    events = tuple(deal.events)
    stream = stream_of(StreamKind.DEAL, deal.deal_id)
    told = Told(stream, events, tuple(range(1, len(events) + 1)), PROCESSES)
    return [_quoted(row) for row in periods.rows(told)[deal_periods]]


def _quoted(model: PeriodRow) -> PeriodRow:
    """Deals are quoted at nine tenths of the list when they are decided."""
    row = list(model)
    amount = row[_AT["amount_minor"]]
    if row[_AT["status"]] in _DECIDED and amount is not None:
        row[_AT["listed_minor"]], row[_AT["quoted_minor"]] = amount, amount * 9 // 10
    return tuple(row)


def _moved(model: PeriodRow, shift: int, more: int, own: dict[str, str]) -> PeriodRow:
    row = list(model)
    for name in _MOVED:
        if row[_AT[name]] not in (None, FOREVER):
            row[_AT[name]] += shift
    if row[_AT["expected_close"]] is not None:
        day = date.fromisoformat(row[_AT["expected_close"]]) + timedelta(shift // _DAY)
        row[_AT["expected_close"]] = day.isoformat()
    for name in _AMOUNTS:
        if row[_AT[name]] is not None:
            row[_AT[name]] += more
    for name, value in own.items():
        row[_AT[name]] = value
    return tuple(row)
