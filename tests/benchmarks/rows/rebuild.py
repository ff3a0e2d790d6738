"""Rebuilding the read models from the log, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from unittest.mock import patch

from msgspec.structs import replace
from sqlalchemy import Column, MetaData, Table

from projections import deals as deals_model
from projections.engine import rebuilding
from projections.engine.models import MODELS
from projections.models import ReadModel
from projections.tables import deals as deals_table
from projections.views import Views, open_views
from projections.views.postgres import SchemaViews
from store.location import Location
from store.log import DealLog
from store.postgres.connections import connect
from store.tail import Tail
from tests.benchmarks import floors, postgres_floors, stock_views
from tests.benchmarks.evidence import Evidence, count_rows, rows_digest
from tests.benchmarks.harness import FLOOR, OURS, STOCK, WITHOUT, Check, Row, Timer, Variant
from tests.benchmarks.postgres_stores import PostgresStores
from tests.benchmarks.stock import open_stock
from tests.benchmarks.stores import PER_TRANSACTION, Stores, clock

_OURS = (
    "`rebuild` of the product, without comparing, by one process: every event read from the log, "
    "each deal folded, rows computed and written to a new {place}, indexes made, {ended}."
)
_ON_SQLITE = _OURS.format(place="file", ended="the file synced, the link turned to it")
_ON_POSTGRES = _OURS.format(
    place="schema by `COPY`", ended="the pointer turned to it, the schema before it dropped"
)
_FLOOR = (
    "One scan of a log of the same events with nothing encrypted, in the order of positions, "
    "`msgspec` decoding, a plain fold of each deal with the same `evolve`; then "
)
_FLOOR_ON_SQLITE = (
    _FLOOR + "`sqlite3` `executemany` of the same rows, ready-made, into tables whose indexes are "
    "made afterwards, in one transaction, with the same settings as ours (no journal on the disk, "
    "one sync in the end). It computes no row."
)
_FLOOR_ON_POSTGRES = (
    _FLOOR + "`psycopg` `COPY` of the same rows, ready-made, into tables whose indexes are made "
    "afterwards, in one transaction. It computes no row."
)
_STOCK = (
    "Its projection runner does not run on SQLite, so the plainest loop instead: notifications in "
    "order, events made by its mapper, one upsert for each event into the same table, but without "
    "the columns and indexes that deals are searched by, committed with its tracking record"
)

EXPLAINED_DEALS = {
    OURS: _ON_SQLITE,
    FLOOR: _FLOOR_ON_SQLITE,
    STOCK: _STOCK
    + ", one transaction for each event, as the runner does it, each synced to the disk, as the "
    "library opens SQLite.",
}
EXPLAINED_BATCHED = {
    OURS: _ON_SQLITE,
    FLOOR: _FLOOR_ON_SQLITE,
    STOCK: _STOCK + f", but with {PER_TRANSACTION:,} events in a transaction. The library has no "
    "such way; this shows how much of the row above is commits.",
}


_EXPLAINED_TWO = {
    OURS: "`rebuild` with a second process that helps: each of the two takes ranges of deals, "
    "folds them and writes their rows; to a file in turns. Starting the second is in the time.",
    WITHOUT: "The same with one process, which folds and writes by itself.",
}


def all_models(stores: Stores) -> Row:
    """The row of all read models together, for a log of either order."""
    return Row(
        name="rebuild-all" if stores.deal_by_deal else "rebuild-all-daily",
        work="Rebuild all read models, events of "
        + ("one deal after the other" if stores.deal_by_deal else "all deals mingled by time"),
        unit="event",
        units=stores.events,
        variants={OURS: _ours(stores, MODELS), FLOOR: _floor(stores, MODELS)},
        explained={OURS: _ON_SQLITE, FLOOR: _FLOOR_ON_SQLITE},
        goals="≥ 0.4 of the floor",
    )


def two_workers(stores: Stores) -> Row:
    """The row of what a second process is worth."""
    return Row(
        name="rebuild-all-2",
        work="Rebuild all read models with two processes",
        unit="event",
        units=stores.events,
        variants={OURS: _ours(stores, MODELS, workers=2), WITHOUT: _ours(stores, MODELS)},
        explained=_EXPLAINED_TWO,
        goals="≥ 1.7 × without",
    )


def on_postgres(stores: PostgresStores) -> Row:
    """The row of all read models together, on PostgreSQL."""
    return Row(
        name="pg-rebuild-all",
        work="Rebuild all read models, on PostgreSQL",
        unit="event",
        units=stores.events,
        variants={OURS: _ours_on_postgres(stores), FLOOR: _floor_on_postgres(stores)},
        explained={OURS: _ON_POSTGRES, FLOOR: _FLOOR_ON_POSTGRES},
        goals="≥ 0.4 of the floor",
    )


def two_workers_on_postgres(stores: PostgresStores) -> Row:
    """The row of what a second process is worth on PostgreSQL."""
    ours, without = _ours_on_postgres(stores, workers=2), _ours_on_postgres(stores)
    return Row(
        name="pg-rebuild-all-2",
        work="Rebuild all read models with two processes, on PostgreSQL",
        unit="event",
        units=stores.events,
        variants={OURS: ours, WITHOUT: without},
        explained=_EXPLAINED_TWO,
        goals="≥ 1.7 × without",
    )


def deals_alone(stores: Stores) -> Row:
    """The row of the deals model, against the stock library's way."""
    return Row(
        name="rebuild-deals",
        work="Rebuild the deals model alone",
        unit="event",
        units=stores.events,
        variants=_deals_variants(stores) | {STOCK: _stock(stores)},
        explained=EXPLAINED_DEALS,
        goals="≥ 50 × stock",
    )


def deals_alone_batched(stores: Stores) -> Row:
    """The row of the deals model, against a stock library that could commit in batches."""
    return Row(
        name="rebuild-deals-batched",
        work="Rebuild the deals model alone, stock committing in batches",
        unit="event",
        units=stores.events,
        variants=_deals_variants(stores) | {STOCK: _stock_batched(stores)},
        explained=EXPLAINED_BATCHED,
    )


def _deals_variants(stores: Stores) -> dict[str, Variant]:
    """Both write the teams of the deals too, which the stock library's table is without."""
    return {
        OURS: _ours(stores, [deals_model], leave_out=FOUND_BY, compared=["deals"]),
        FLOOR: _floor(stores, [deals_model], leave_out=FOUND_BY, compared=["deals"]),
    }


FOUND_BY = ("number", "folded", "words")
"""Columns of deals that the stock library's table is without, with the indexes on them: they are
what deals are searched by, and would make it slower."""


def _described(models: Sequence[ReadModel]) -> list[Table]:
    return [table for model in models for table in model.TABLES]


def _tables(models: Sequence[ReadModel]) -> list[str]:
    return [table.name for table in _described(models)]


@contextmanager
def _only(models: Sequence[ReadModel]) -> Iterator[None]:
    """The engine with some of its models, which it otherwise builds together where none is."""
    with patch.object(rebuilding, "MODELS", models):
        yield


def _ours(
    stores: Stores,
    models: Sequence[ReadModel],
    workers: int = 1,
    leave_out: Sequence[str] = (),
    compared: Sequence[str] = (),
) -> Variant:
    location = Location.beside(stores.log)
    names = compared or _tables(models)

    def run(folder: Path, timer: Timer) -> Check:
        at = replace(location, views=folder / "ours.views.db")
        with _only(models):
            rebuilt = _rebuilt(at, workers, timer)
        return lambda: Evidence(rebuilt, rows=rows_digest(at.views, names, leave_out))

    return run


def _rebuilt(at: Location, workers: int, timer: Timer) -> int:
    """Rebuild, timed. Answers how many events were read."""
    with (
        closing(DealLog.open(at, clock)) as log,
        closing(open_views(at)) as views,
        timer.running(),
    ):
        return rebuilding.rebuild(views, Tail(log), workers=workers).events


def _floor(
    stores: Stores,
    models: Sequence[ReadModel],
    leave_out: Sequence[str] = (),
    compared: Sequence[str] = (),
) -> Variant:
    log_path, names = stores.plain, compared or _tables(models)
    tables = floors.read_tables(stores.views, _described(models))

    def run(folder: Path, timer: Timer) -> Check:
        path = folder / "floor.views.db"
        with closing(floors.connect(log_path)) as log, timer.running():
            deals = floors.fold_all(log)
            floors.write_tables(path, tables)
        return lambda: Evidence(
            sum(version for version, _ in deals.values()),
            rows=rows_digest(path, names, leave_out),
        )

    return run


def _ours_on_postgres(stores: PostgresStores, workers: int = 1) -> Variant:
    location = stores.views

    def run(_: Path, timer: Timer) -> Check:
        events = _rebuilt(location, workers, timer)
        return lambda: Evidence(events, rows=_digest_on_postgres(stores))

    return run


def _digest_on_postgres(stores: PostgresStores) -> str:
    return postgres_floors.rows_digest(
        stores.database, answering(open_views(stores.views)), _tables(MODELS)
    )


def answering(views: Views) -> str:
    """The schema of the read models that answer."""
    assert isinstance(views, SchemaViews)
    number = views.pointed_at()
    assert number is not None
    return views.schema(number)


def _floor_on_postgres(stores: PostgresStores) -> Variant:
    schema = answering(open_views(stores.views))
    tables = postgres_floors.read_tables(stores.database, schema, _described(MODELS))

    def run(_: Path, timer: Timer) -> Check:
        with (
            stores.schema("floor") as into,
            connect(stores.plain) as log,
            connect(into) as views,
        ):
            with timer.running():
                deals = postgres_floors.fold_all(log)
                postgres_floors.write_tables(views, tables)
            digest = postgres_floors.rows_digest(into, "floor", _tables(MODELS))
        return lambda: Evidence(sum(version for version, _ in deals.values()), rows=digest)

    return run


def _stock_table() -> list[str]:
    """The statements that make the table of deals for the stock library."""
    columns = [
        Column(column.name, column.type, nullable=column.nullable)
        for column in deals_table.columns
        if column.name not in FOUND_BY
    ]
    table = floors.described(Table("deals", MetaData(), *columns), floors.SQLITE)
    whole = floors.described(deals_table, floors.SQLITE)
    indexes = [
        one
        for one in whole.indexes
        if one.startswith("CREATE") and "INDEX" in one and not any(name in one for name in FOUND_BY)
    ]
    return [table.create, *indexes]


def _stock(stores: Stores) -> Variant:
    stock_path = stores.stock

    def run(folder: Path, timer: Timer) -> Check:
        path = folder / "stock.views.db"
        view = stock_views.DealsView(path, _stock_table())
        with closing(open_stock(stock_path)) as app, closing(view), timer.running():
            stock_views.run(app, view)
        return lambda: Evidence(
            count_rows(stock_path, "stored_events"), rows=rows_digest(path, ["deals"])
        )

    return run


def _stock_batched(stores: Stores) -> Variant:
    stock_path = stores.stock

    def run(folder: Path, timer: Timer) -> Check:
        path = folder / "stock.views.db"
        view = stock_views.BatchedDealsView(path, _stock_table())
        with closing(open_stock(stock_path)) as app, closing(view), timer.running():
            stock_views.run_batched(app, view, PER_TRANSACTION)
        return lambda: Evidence(
            count_rows(stock_path, "stored_events"), rows=rows_digest(path, ["deals"])
        )

    return run
