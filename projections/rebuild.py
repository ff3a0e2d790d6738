"""Rebuild: fold everything anew beside the live read models, compare, swap at once.

The new read models are built in a file of their own while the old ones keep
answering. The swap copies that file over the live one in one transaction, so a
reader sees the old or the new, never a mixture. Whoever rebuilds holds the new
file alone, on one connection; what a killed rebuild left behind is cleared.
"""

import sqlite3
import time
from itertools import islice
from pathlib import Path

import msgspec
from sqlalchemy import Connection

from projections import engine
from projections.engine import MODELS, Feed, Progress, catch_up
from projections.tables import metadata
from projections.views import BUSY_TIMEOUT_SECONDS, Views
from store.errors import StoreBusy

DIFFERENCES_SHOWN = 5


class Difference(msgspec.Struct, frozen=True):
    """Rows of one table that live and rebuilt read models do not share."""

    table: str
    only_live: int
    only_rebuilt: int
    examples: list[str]


class Rebuilt(msgspec.Struct, frozen=True):
    """What a rebuild did. `differences` is None where nothing was compared."""

    events: int
    rows: dict[str, int]
    differences: list[Difference] | None
    swapped: bool


def rebuild(
    views: Views, log: Feed, *, check: bool = False, progress: Progress | None = None
) -> Rebuilt:
    """Build all read models anew and put them in place of the live ones.

    With `check` the live rows are first brought up to date and compared with
    the rebuilt ones; where they differ nothing is swapped. Raises StoreBusy when
    another rebuild is running, StoreError when the live file is damaged.
    """
    with views.reading():
        pass  # a damaged file is told before the work, not after it
    fresh = Views(views.path.with_name(views.path.name + ".rebuild"), exclusive=True)
    try:
        _clear(fresh)
    except BaseException:
        fresh.close()
        raise
    try:
        catch_up(fresh, log, progress=progress)
        catch_up(fresh, log, progress=progress)  # what was appended meanwhile
        differences = _compare_at_one_position(views, fresh, log) if check else None
        with fresh.reading() as connection:
            rows = _row_counts(connection)
            events = max((c.position for c in engine.read_checkpoints(connection)), default=0)
        swapped = not differences
        if swapped:
            _swap(fresh, views)
            catch_up(views, log)
        return Rebuilt(events, rows, differences, swapped)
    finally:
        fresh.close()
        _remove(fresh.path)


def _clear(fresh: Views) -> None:
    try:
        with fresh.writing() as connection:
            metadata.drop_all(connection)
    except StoreBusy as error:
        raise StoreBusy(
            f"{fresh.path} is in use: another rebuild is running", "Wait until it is done."
        ) from error


def _compare_at_one_position(views: Views, fresh: Views, log: Feed) -> list[Difference]:
    """Bring both to the same position of the log, and compare one snapshot of each."""
    catch_up(views, log)
    while True:
        with fresh.driver() as both:
            both.execute("ATTACH DATABASE ? AS live", (str(views.path),))
            try:
                both.execute("BEGIN")
                live, rebuilt = (_position(both, schema) for schema in ("live", "main"))
                if live == rebuilt:
                    tables = [table.name for model in MODELS for table in model.TABLES]
                    return [found for table in tables if (found := _difference(both, table))]
            finally:
                both.rollback()
                both.execute("DETACH DATABASE live")
        catch_up(fresh, log, until=live)
        catch_up(views, log, until=rebuilt)


def _position(connection: sqlite3.Connection, schema: str) -> int:
    query = f"SELECT min(position) FROM {schema}.checkpoints"  # noqa: S608 (our own names)
    return int(connection.execute(query).fetchone()[0])


def _difference(both: sqlite3.Connection, table: str) -> Difference | None:
    only: list[int] = []
    examples: list[str] = []
    for name, one, other in (("live", "live", "main"), ("rebuilt", "main", "live")):
        rows = both.execute(
            f"SELECT * FROM {one}.{table} EXCEPT SELECT * FROM {other}.{table}"  # noqa: S608
        )
        shown = [f"{name}: {row}" for row in islice(rows, DIFFERENCES_SHOWN)]
        only.append(len(shown) + sum(1 for _ in rows))
        examples += shown
    return Difference(table, only[0], only[1], examples) if examples else None


def _row_counts(connection: Connection) -> dict[str, int]:
    return {
        table.name: connection.exec_driver_sql(
            f"SELECT count(*) FROM {table.name}"  # noqa: S608 (our own table names)
        ).scalar_one()
        for model in MODELS
        for table in model.TABLES
    }


def _swap(fresh: Views, views: Views) -> None:
    """Copy one database over the other, as one transaction of SQLite's online backup."""
    give_up_at = time.monotonic() + BUSY_TIMEOUT_SECONDS

    def waiting(status: int, remaining: int, total: int) -> None:
        # The backup itself would wait for the write lock for ever.
        if status == sqlite3.SQLITE_BUSY and time.monotonic() > give_up_at:
            raise StoreBusy(
                f"{views.path} has been locked for {BUSY_TIMEOUT_SECONDS} seconds",
                "Another program is writing to it; rebuild again when it is done.",
            )

    with fresh.driver() as source, views.driver() as target:
        source.backup(target, progress=waiting)


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
