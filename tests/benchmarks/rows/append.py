"""Bulk append of imported events, one process."""

from contextlib import closing
from pathlib import Path

from tests.benchmarks import floors
from tests.benchmarks.evidence import Evidence, count_rows, rows_digest
from tests.benchmarks.harness import FLOOR, OURS, STOCK, Check, Row, Timer
from tests.benchmarks.stock import open_stock, stock_events
from tests.benchmarks.stores import (
    PER_TRANSACTION,
    Stores,
    create_log,
    floor_states,
    our_states,
    rows_of,
    stock_states,
)

EXPLAINED = {
    OURS: "`DealLog.append` of drafts that an importer would hand over: envelope, canonical bytes, "
    "the check that they can be read back, versions without gaps, insert. One transaction for each "
    f"group of deals with at least {PER_TRANSACTION:,} events.",
    FLOOR: "`sqlite3` `executemany` of the same rows, their bytes ready, into the same tables and "
    "indexes in WAL mode with `synchronous=FULL`, in the same transactions. It encodes and checks "
    "nothing.",
    STOCK: "`Application.save` of equivalent events, made beforehand, with the library's JSON "
    "transcoder and SQLite recorder, in the same transactions.",
}


def bulk_append(stores: Stores) -> Row:
    """The row; every run fills a new file."""
    groups = stores.groups
    batches = [[deal.batch for deal in group] for group in groups]
    rows = [rows_of(group) for group in groups]
    events = [[event for deal in group for event in stock_events(deal)] for group in groups]

    def ours(folder: Path, timer: Timer) -> Check:
        path = folder / "ours.db"
        with closing(create_log(path)) as log, timer.running():
            for group in batches:
                log.append(group)
        return lambda: Evidence(
            count_rows(path, "stored_events"),
            our_states(path, stores.deals),
            rows_digest(path, ["stored_events"]),
        )

    def floor(folder: Path, timer: Timer) -> Check:
        path = folder / "floor.db"
        with closing(floors.create_log(path)) as connection, timer.running():
            floors.insert_all(connection, rows)
        return lambda: Evidence(
            count_rows(path, "stored_events"),
            floor_states(path, stores.deals),
            rows_digest(path, ["stored_events"]),
        )

    def stock(folder: Path, timer: Timer) -> Check:
        path = folder / "stock.db"
        with closing(open_stock(path)) as app, timer.running():
            for group in events:
                app.save(*group)
        return lambda: Evidence(count_rows(path, "stored_events"), stock_states(path, stores.deals))

    return Row(
        name="append",
        work="Bulk append of imported events, one process",
        unit="event",
        units=stores.events,
        variants={OURS: ours, FLOOR: floor, STOCK: stock},
        explained=EXPLAINED,
        goals="≥ 0.5 of the floor",
    )
