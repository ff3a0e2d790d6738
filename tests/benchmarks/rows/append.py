"""Bulk append of imported events, one process."""

from contextlib import closing
from pathlib import Path

from tests.benchmarks import floors
from tests.benchmarks.evidence import Evidence, count_rows
from tests.benchmarks.harness import FLOOR, OURS, STOCK, Check, Row, Timer
from tests.benchmarks.stock import open_stock, stock_events
from tests.benchmarks.stores import (
    PER_TRANSACTION,
    Stores,
    create_log,
    floor_states,
    opened_digest,
    our_states,
    rows_of,
    stock_states,
)

EXPLAINED = {
    OURS: "`DealLog.append` of drafts that an importer would hand over: envelope, canonical bytes, "
    "the check that they can be read back, new keys made durable, personal and secret fields "
    "encrypted, versions without gaps, insert, leaves. One transaction for each "
    f"group of deals with at least {PER_TRANSACTION:,} events.",
    FLOOR: "`sqlite3` `executemany` of the same rows, their bytes ready, into the same tables and "
    "indexes in WAL mode with `synchronous=FULL`, in the same transactions. It encodes, encrypts "
    "and checks nothing, and hashes nothing.",
    STOCK: "`Application.save` of equivalent events, made beforehand, with the library's JSON "
    "transcoder and SQLite recorder, in the same transactions.",
}


def bulk_append(stores: Stores) -> Row:
    """The row; every run fills a new file."""
    groups = stores.groups
    batches = [[deal.batch for deal in group] for group in groups]
    rows = [rows_of(stores.log, group) for group in groups]
    events = [[event for deal in group for event in stock_events(deal)] for group in groups]

    def ours(folder: Path, timer: Timer) -> Check:
        path = folder / "ours.db"
        with closing(create_log(path)) as log, timer.running():
            for group in batches:
                log.append(group)
        return lambda: Evidence(
            count_rows(path, "stored_events"),
            our_states(path, stores.deals),
            opened_digest(path, path),
        )

    def floor(folder: Path, timer: Timer) -> Check:
        path = folder / "floor.db"
        with closing(floors.create_log(path)) as connection, timer.running():
            floors.insert_all(connection, rows)
        return lambda: Evidence(
            count_rows(path, "stored_events"),
            floor_states(path, stores.deals, stores.log),
            opened_digest(path, stores.log),
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
