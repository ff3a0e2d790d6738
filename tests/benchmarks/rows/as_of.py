"""The pipeline as of any date over many deals, beside what one would ask without read models."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    case,
    create_engine,
    func,
    insert,
    select,
)

from domain.lifecycle import Status
from projections.columns import Columns
from projections.instants import FOREVER, micros
from projections.pipeline import Pipeline, snapshot
from projections.tables import deal_periods
from projections.views import open_views
from store.postgres.address import Database
from store.postgres.connections import connect
from tests.benchmarks.evidence import Evidence, digest
from tests.benchmarks.harness import OURS, WITHOUT, Check, Row, Timer, Variant
from tests.benchmarks.periods import YEARS, Periods, batches
from tests.benchmarks.portfolio import FIRST_OPENING, RECORDED_AT

QUERIES = 2
"""Snapshots in one run, each as of another date."""

SINGLE_QUERIES = 60
"""Snapshots besides, of which the time of each is taken."""

HINDSIGHT = timedelta(days=14)
THREE = ("stage", "region", "product")

_COPIED = ("status", *THREE, "currency", "amount_minor")

history = Table(
    "history",
    MetaData(),
    Column("deal_id", String, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    *(Column(name, String) for name in ("status", "stage", "region", "product", "currency")),
    Column("amount_minor", BigInteger().with_variant(Integer, "sqlite")),
    Index("history_by_deal", "deal_id", "changed_at"),
)
"""One row for each change of a deal, as the record says now."""


class Remembered(Periods):
    """The same, with a plain table of their history."""

    @cached_property
    def history(self) -> Callable[[], Engine]:
        """Opens the plain table, which is filled when first asked for."""
        location = self.location
        with closing(open_views(location)) as views, views.reading() as connection:
            engine = self._engine()
            with engine.begin() as plain:
                history.create(plain)
                for rows in batches(_history(connection)):
                    plain.execute(insert(history), rows)
            engine.dispose()
        return self._engine

    def _engine(self) -> Engine:
        if self.beside is None:
            return create_engine(f"sqlite:///{self.folder / 'history.db'}")
        database = self.beside
        return create_engine("postgresql+psycopg://", creator=lambda: _connection(database))

    def drop(self) -> None:
        """Remove what is on a server."""
        if self.beside is not None:
            with connect(self.beside) as connection:
                connection.execute("DROP TABLE IF EXISTS public.history")
        super().drop()


def _connection(database: Database) -> Any:
    connection = connect(database, search_path="public")
    # Enough for the deals of the window not to be sorted on the disk.
    connection.execute("SET work_mem = '256MB'")
    connection.execute("SET statement_timeout = 0")
    connection.autocommit = False
    return connection


def _history(connection: Connection) -> Iterator[dict[str, Any]]:
    period = deal_periods.c
    columns = [period.deal_id, period.occurred_from.label("changed_at")]
    statement = select(*columns, *(period[name] for name in _COPIED)).where(
        period.known_until == FOREVER
    )
    result = connection.execute(statement.execution_options(yield_per=20_000))
    for row in result.mappings():
        yield dict(row)


# The rows.


def now_known(subject: Remembered, by: Sequence[str]) -> Row:
    """The row of snapshots as the record says now, by some dimensions, beside a window query."""
    dimensions = "one dimension" if len(by) == 1 else f"{len(by)} dimensions"
    dates = _dates(QUERIES, seed=1)
    return Row(
        name=f"{_prefix(subject)}as-of-{len(by)}",
        work=f"Pipeline as of any date by {dimensions}, {_size(subject)}",
        unit="snapshot",
        units=QUERIES,
        variants={
            OURS: _snapshots(subject, by, dates, timedelta.max),
            WITHOUT: _window_queries(subject, by, dates),
        },
        explained={OURS: _explained(by, "now"), WITHOUT: _EXPLAINED_WINDOW},
        goals={1: "p99 ≤ 50 ms, ≥ 50 ×, at 1 M deals", 3: "p99 ≤ 100 ms, ≥ 50 ×, at 1 M deals"}[
            len(by)
        ],
    )


def then_known(subject: Periods) -> Row:
    """The row of snapshots as the record said soon after the date asked for."""
    return Row(
        name=f"{_prefix(subject)}as-of-then",
        work=f"Pipeline as of any date by one dimension, as known {HINDSIGHT.days} days later, "
        f"{_size(subject)}",
        unit="snapshot",
        units=QUERIES,
        variants={OURS: _snapshots(subject, ("stage",), _dates(QUERIES, seed=1), HINDSIGHT)},
        explained={OURS: _explained(("stage",), f"{HINDSIGHT.days} days after each date")},
        goals="≤ 1 s at 1 M deals",
    )


def _prefix(subject: Periods) -> str:
    return "" if subject.beside is None else "pg-"


def _size(subject: Periods) -> str:
    where = "SQLite" if subject.beside is None else "PostgreSQL"
    return f"{subject.deals:,} deals on {where}"


def _explained(by: Sequence[str], known: str) -> str:
    return (
        f"`snapshot` by {', '.join(by)} on an open connection, as known {known}, from the columnar "
        f"copy where the deals are many enough for one; p50 and p99 are of {SINGLE_QUERIES} other "
        "dates in each run, spread over the years of the deals. The periods are made up, about ten "
        "events a deal; the copy is up to date."
    )


_EXPLAINED_WINDOW = (
    "A plain table with one row for each change of a deal, indexed by deal and time; the last row "
    "of each deal up to the date by `row_number`, then counts and amounts by group. It knows what "
    "the record says now and nothing of what it said before."
)


def _dates(count: int, seed: int) -> list[datetime]:
    rng = random.Random(seed)
    seconds = (YEARS + 1) * 365 * 86_400
    return [FIRST_OPENING + timedelta(seconds=rng.randrange(seconds)) for _ in range(count)]


def _known_at(as_of: datetime, later: timedelta) -> datetime:
    return as_of + later if later < RECORDED_AT - as_of else RECORDED_AT


def _snapshots(
    subject: Periods, by: Sequence[str], dates: Sequence[datetime], later: timedelta
) -> Variant:
    def run(_: Path, timer: Timer) -> Check:
        with _asking(subject) as ask:
            ask(dates[0], by, later)  # opens the copy
            with timer.running():
                taken = [ask(as_of, by, later) for as_of in dates]
            for as_of in _dates(SINGLE_QUERIES, seed=2):
                with timer.one():
                    ask(as_of, by, later)
        return lambda: _evidence([_answers(pipeline, by) for pipeline in taken])

    return run


Ask = Callable[[datetime, Sequence[str], timedelta], Pipeline]


@contextmanager
def _asking(subject: Periods) -> Iterator[Ask]:
    location = subject.location
    with closing(open_views(location)) as views, closing(Columns(location.views)) as columns:

        def ask(as_of: datetime, by: Sequence[str], later: timedelta) -> Pipeline:
            with views.reading() as connection:
                return snapshot(connection, as_of, _known_at(as_of, later), by, copy=columns)

        yield ask


Answer = tuple[Any, ...]
"""A group, its counts of open, won and lost deals, and the open amount in minor units."""


def _answers(pipeline: Pipeline, by: Sequence[str]) -> list[Answer]:
    found: list[Answer] = []
    for row in pipeline.rows:
        group = (*(row.group[name] for name in by), row.currency)
        found.append((*group, row.open, row.won, row.lost, int(row.open_amount.scaleb(2))))
    return sorted(found, key=repr)


def _window_queries(subject: Remembered, by: Sequence[str], dates: Sequence[datetime]) -> Variant:
    def run(_: Path, timer: Timer) -> Check:
        engine = subject.history()
        with engine.connect() as connection, timer.running():
            taken = [connection.execute(_window_query(by, as_of)).all() for as_of in dates]
        engine.dispose()
        return lambda: _evidence([sorted(map(_plain, rows), key=repr) for rows in taken])

    return run


def _plain(row: Sequence[Any]) -> Answer:
    return (*row[:-4], *map(int, row[-4:]))


def _window_query(by: Sequence[str], as_of: datetime) -> Any:
    change = history.c
    latest = func.row_number().over(partition_by=change.deal_id, order_by=change.changed_at.desc())
    ranked = (
        select(history, latest.label("number")).where(change.changed_at <= micros(as_of)).subquery()
    )
    keys = [ranked.c[name] for name in (*by, "currency")]
    counts = [
        func.sum(case((ranked.c.status == status.value, 1), else_=0))
        for status in (Status.OPEN, Status.WON, Status.LOST)
    ]
    amount = case((ranked.c.status == Status.OPEN.value, ranked.c.amount_minor))
    return (
        select(*keys, *counts, func.coalesce(func.sum(amount), 0))
        .where(ranked.c.number == 1, ranked.c.status != Status.MERGED.value)
        .group_by(*keys)
    )


def _evidence(answers: Sequence[Sequence[Answer]]) -> Evidence:
    deals = sum(sum(answer[-4:-1]) for one in answers for answer in one)
    return Evidence(deals, digest(one for answer in answers for one in answer))
