"""How soon the read models show what commands do, while commands come at a fixed rate."""

from __future__ import annotations

import subprocess
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, NamedTuple

import msgspec

from projections.engine.keeping_up import catch_up, position
from projections.views import Views, open_views
from store.location import Location
from store.log import DealLog
from store.tail import Tail
from tests.benchmarks import alone
from tests.benchmarks.alone import Issued
from tests.benchmarks.evidence import Evidence
from tests.benchmarks.harness import OURS, Check, Row, Timer
from tests.benchmarks.postgres_stores import PostgresStores
from tests.benchmarks.stores import Stores, clock, copy_log

PER_SECOND = 200
LOOK_SECONDS = 0.005
PATIENCE_SECONDS = 60

Seen = list[tuple[float, int]]
"""When the read models were seen to have read how far, in order."""

FreshLog = Callable[[Path], AbstractContextManager[Location]]


def on_sqlite(stores: Stores, seconds: int) -> Row:
    """The row of a log in a file; every run works on a copy."""

    @contextmanager
    def fresh(folder: Path) -> Iterator[Location]:
        yield Location.beside(copy_log(stores.log, folder))

    return _row("lag", "", fresh, seconds)


def on_postgres(stores: PostgresStores, seconds: int) -> Row:
    """The row of a log on PostgreSQL; every run fills a new one."""
    return _row("pg-lag", ", on PostgreSQL", stores.fresh_log, seconds)


def _row(name: str, where: str, fresh: FreshLog, seconds: int) -> Row:
    return Row(
        name=name,
        work=f"Lag of the read models under {PER_SECOND} commands a second{where}",
        unit="command",
        units=PER_SECOND * seconds,
        variants={OURS: lambda folder, timer: _lag(fresh, seconds, folder, timer)},
        explained={
            OURS: f"One process gives a command every {1000 // PER_SECOND} ms for {seconds} s, "
            "each on another deal of 25 events, whether the ones before are done or not; those "
            "that are late are given at once, and none is left out. Another process is the worker "
            "that keeps all read models up. A third one looks every "
            f"{LOOK_SECONDS * 1000:.0f} ms how far they are, over a connection of its own. Lag is "
            "the time from the commit of a command to the first look that finds its event in all "
            "read models."
        },
        goals="p99 ≤ 250 ms",
    )


def _lag(fresh: FreshLog, seconds: int, folder: Path, timer: Timer) -> Check:
    with (
        fresh(folder) as location,
        closing(DealLog.open(location, clock)) as log,
        closing(open_views(location)) as views,
    ):
        tail = Tail(log)
        catch_up(views, tail)
        with _started("work", location), timer.running():
            issued, seen = _watched(views, tail, location, seconds)
        reached = position(views, tail)
    lags = lags_of(issued, seen)
    timer.each_seconds, timer.seconds = lags, sum(lags)
    timer.notes.append(_kept(issued))
    assert reached == issued[-1].position
    return lambda: Evidence(len(lags))


def _watched(
    views: Views, tail: Tail, location: Location, seconds: int
) -> tuple[list[Issued], Seen]:
    """Have commands given, and look how far the read models are until they have read them all."""
    seen: Seen = [(time.monotonic(), position(views, tail) or 0)]
    with _started("issue", location, PER_SECOND, seconds) as issuing:
        while issuing.process.poll() is None or seen[-1][1] < tail.head():
            time.sleep(LOOK_SECONDS)
            reached = position(views, tail) or 0
            now = time.monotonic()
            if reached > seen[-1][1]:
                seen.append((now, reached))
            assert now - seen[-1][0] < PATIENCE_SECONDS, "the worker does not get on"
        issuing.printed.seek(0)
        return msgspec.json.decode(issuing.printed.read(), type=list[Issued]), seen


def lags_of(issued: list[Issued], seen: Seen) -> list[float]:
    """From the commit of each command to when its event was first seen, in seconds."""
    reached = [at for _, at in seen]
    return [seen[bisect_left(reached, one.position)][0] - one.committed for one in issued]


def _kept(issued: list[Issued]) -> str:
    rate = (len(issued) - 1) / (issued[-1].committed - issued[0].committed)
    late = max(one.committed - one.due for one in issued)
    return (
        f"{rate:.1f} commands a second were carried out; "
        f"the latest was {late * 1000:.0f} ms behind its time."
    )


class Started(NamedTuple):
    """A process, and a file with what it prints, which never fills up as a pipe does."""

    process: subprocess.Popen[bytes]
    printed: IO[bytes]


@contextmanager
def _started(name: str, location: Location, *arguments: int) -> Iterator[Started]:
    """A process that does what is named, ended with its standard input."""
    command = alone.command(name, location, *arguments)
    with (
        TemporaryFile() as printed,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=printed) as process,
    ):
        try:
            yield Started(process, printed)
            assert process.stdin is not None
            process.stdin.close()
            assert process.wait(PATIENCE_SECONDS) == 0
        finally:
            process.kill()
