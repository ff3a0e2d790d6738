"""A process that stands still at a named point of a write: `python -m tests.contract.crashing`.

It takes the URL of a store, the point, and how many events to append; says `here`
at the point, and waits to be killed.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from enum import StrEnum
from typing import Any

from store.events.writing import Batch
from store.location import Location
from store.log import DealLog
from store.notary import Notary
from tests.contract.asking import notes
from tests.shared_data import REPOSITORY

PATIENCE_SECONDS = 60


class Point(StrEnum):
    """Where the process stands still."""

    BEFORE_COMMIT = "the events are written and not committed"
    BEFORE_TILES = "they are committed; on PostgreSQL the tiles they fill are not written"
    BEFORE_CHECKPOINT = "all of that is done, and nothing is signed"
    BEFORE_KEEPING = "a checkpoint is signed and not written"
    BEFORE_KEPT = "the checkpoint is written and not committed"


def main(url: str, point: str, count: str) -> None:
    """Append so many events, make a checkpoint, and never come to its end."""
    with DealLog.open(Location.parse(url)) as log:
        if point == Point.BEFORE_COMMIT:
            _hold_commits(log)
        if point == Point.BEFORE_TILES and log.location.database is not None:
            setattr(log.records, "_fill_tiles", _stand_still)  # noqa: B010
        log.append([Batch("deal:a", log.records.version("deal:a"), notes(int(count)))])
        if point in {Point.BEFORE_TILES, Point.BEFORE_CHECKPOINT}:
            _stand_still()
        if point == Point.BEFORE_KEEPING:
            setattr(log.records, "keep_checkpoint", _stand_still)  # noqa: B010
        if point == Point.BEFORE_KEPT:
            _hold_commits(log)
        Notary(log.records, log.keys, log.now).checkpoint()


def _stand_still(*_: object) -> None:
    sys.stdout.write("here\n")
    sys.stdout.flush()
    time.sleep(PATIENCE_SECONDS)


def _hold_commits(log: DealLog) -> None:
    """From now on nothing is committed that is written."""
    records: Any = log.records
    if log.location.database is None:
        records.datastore.writing = _held(records.datastore.writing)
        return
    datastore, line = records.datastore, records._together
    datastore.transaction, write = _held(datastore.transaction), line._write

    # What is one statement there is committed with it, unless it is in a transaction.
    def write_held(some: Any) -> Any:
        with datastore.transaction(0):
            return write(some)

    line._write = write_held


def _held(
    transaction: Callable[..., AbstractContextManager[Any]],
) -> Callable[..., AbstractContextManager[Any]]:
    @contextmanager
    def held(*args: Any) -> Iterator[Any]:
        with transaction(*args) as cursor:
            yield cursor
            _stand_still()

    return held


def kill_at(location: Location, point: Point, count: int) -> None:
    """Have a process append so many events, and kill it at this point."""
    command = [sys.executable, "-m", "tests.contract.crashing", str(location), point, str(count)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as worker:
        try:
            assert worker.stdout is not None
            assert worker.stdout.readline() == "here\n"
        finally:
            worker.kill()


if __name__ == "__main__":
    main(*sys.argv[1:])
