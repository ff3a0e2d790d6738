"""Rebuilding the read models from the log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from unittest.mock import patch

from projections import deals as deals_model
from projections import engine, rebuild
from projections.engine import MODELS, ReadModel
from projections.views import Views
from tests.benchmarks import floors, stock_views
from tests.benchmarks.evidence import Evidence, count_rows, rows_digest
from tests.benchmarks.harness import FLOOR, OURS, STOCK, Check, Row, Timer, Variant
from tests.benchmarks.stock import open_stock
from tests.benchmarks.stores import PER_TRANSACTION, Stores, open_log

_OURS = (
    "`rebuild` of the product, without comparing: every event read from the log, each deal folded "
    "into frames, rows computed and written to a new file, which is copied over the live one."
)
_FLOOR = (
    "One scan of a log of the same events with nothing encrypted, in the order of positions, "
    "`msgspec` decoding, a plain fold of each "
    "deal with the same `evolve`; then `sqlite3` `executemany` of the same rows, ready-made, "
    "into tables whose indexes are made afterwards, in one transaction, in WAL mode with "
    "`synchronous=NORMAL` as the read models have it. It computes no row and copies no file."
)
_STOCK = (
    "Its projection runner does not run on SQLite, so the plainest loop instead: notifications in "
    "order, events made by its mapper, one upsert into the same table for each event, committed "
    "with its tracking record"
)

EXPLAINED_ALL = {OURS: _OURS, FLOOR: _FLOOR}
EXPLAINED_DEALS = {
    OURS: _OURS,
    FLOOR: _FLOOR,
    STOCK: _STOCK
    + ", one transaction for each event, as the runner does it, each synced to the disk, as the "
    "library opens SQLite.",
}
EXPLAINED_BATCHED = {
    OURS: _OURS,
    FLOOR: _FLOOR,
    STOCK: _STOCK + f", but with {PER_TRANSACTION:,} events in a transaction. The library has no "
    "such way; this shows how much of the row above is commits.",
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
        explained=EXPLAINED_ALL,
        goals="≥ 0.4 of the floor",
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
    return {OURS: _ours(stores, [deals_model]), FLOOR: _floor(stores, [deals_model])}


def _tables(models: Sequence[ReadModel]) -> list[str]:
    return [table.name for model in models for table in model.TABLES]


@contextmanager
def _only(models: Sequence[ReadModel]) -> Iterator[None]:
    """The engine with some of its models, which it otherwise always builds together."""
    with patch.object(engine, "MODELS", models), patch.object(rebuild, "MODELS", models):
        yield


def _ours(stores: Stores, models: Sequence[ReadModel]) -> Variant:
    log_path = stores.log

    def run(folder: Path, timer: Timer) -> Check:
        path = folder / "ours.views.db"
        with (
            closing(open_log(log_path)) as log,
            closing(Views(path)) as views,
            _only(models),
            timer.running(),
        ):
            rebuilt = rebuild.rebuild(views, log)
        return lambda: Evidence(rebuilt.events, rows=rows_digest(path, _tables(models)))

    return run


def _floor(stores: Stores, models: Sequence[ReadModel]) -> Variant:
    log_path = stores.plain
    tables = floors.read_tables(stores.views, _tables(models))

    def run(folder: Path, timer: Timer) -> Check:
        path = folder / "floor.views.db"
        with (
            closing(floors.connect(log_path)) as log,
            closing(floors.connect(path, "NORMAL")) as views,
            timer.running(),
        ):
            deals = floors.fold_all(log)
            floors.write_tables(views, tables)
        return lambda: Evidence(
            sum(version for version, _ in deals.values()), rows=rows_digest(path, _tables(models))
        )

    return run


def _stock(stores: Stores) -> Variant:
    stock_path = stores.stock
    [table] = floors.read_tables(stores.views, ["deals"])

    def run(folder: Path, timer: Timer) -> Check:
        path = folder / "stock.views.db"
        view = stock_views.DealsView(path, [table.create, *table.indexes])
        with closing(open_stock(stock_path)) as app, closing(view), timer.running():
            stock_views.run(app, view)
        return lambda: Evidence(
            count_rows(stock_path, "stored_events"), rows=rows_digest(path, ["deals"])
        )

    return run


def _stock_batched(stores: Stores) -> Variant:
    stock_path = stores.stock
    [table] = floors.read_tables(stores.views, ["deals"])

    def run(folder: Path, timer: Timer) -> Check:
        path = folder / "stock.views.db"
        view = stock_views.BatchedDealsView(path, [table.create, *table.indexes])
        with closing(open_stock(stock_path)) as app, closing(view), timer.running():
            stock_views.run_batched(app, view, PER_TRANSACTION)
        return lambda: Evidence(
            count_rows(stock_path, "stored_events"), rows=rows_digest(path, ["deals"])
        )

    return run
