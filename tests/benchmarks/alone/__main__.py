"""What is measured in processes of their own: started by rows, told by arguments, not by hand.

python -m tests.benchmarks.alone rebuild sqlite:////tmp/deals.db /tmp/deals.views.db 2
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import msgspec
from msgspec.structs import replace

from domain.access import Principal, Role
from domain.history import StreamKind
from domain.intent import Intent
from domain.stages.commands import ReviseForecast
from domain.stages.facts import RevisionCause
from domain.values import Money
from projections.engine.rebuilding import rebuild
from projections.engine.working import Worker
from projections.views import open_views
from store.location import Location
from store.log import DealLog
from store.tail import Range, Tail
from tests.benchmarks.alone import Issued
from tests.benchmarks.portfolio import RECORDED_AT


def main(name: str, url: str, views: str, *arguments: str) -> None:
    """Do what is named, and print what came of it."""
    location = replace(Location.parse(url), views=Path(views))
    with closing(DealLog.open(location, lambda: RECORDED_AT)) as log:
        print(_DONE[name](log, *map(int, arguments)), flush=True)


def _rebuild(log: DealLog, workers: int) -> int:
    """Rebuild all read models; without `workers` by as many processes as it chooses."""
    with closing(open_views(log.location)) as views:
        return rebuild(views, Tail(log), workers=workers or None).events


def _scan(log: DealLog) -> int:
    """Read every event of every stream, a stream at a time, as an export does."""
    tail = Tail(log)
    return sum(len(stream.events) for stream in tail.scan(Range(), tail.head()))


def _work(log: DealLog) -> int:
    """Keep the read models up until there is nothing more to read on the standard input."""
    with closing(open_views(log.location)) as views:
        worker = Worker(views, Tail(log))
        # Its own thread waits for the end; the main one works, as in a process of its own.
        threading.Thread(target=_stop_with_input, args=[worker], daemon=True).start()
        worker.run()
    return 0


def _stop_with_input(worker: Worker) -> None:
    sys.stdin.read()
    worker.stop()


def _issue(log: DealLog, per_second: int, seconds: int) -> str:
    """Give commands at a fixed rate; those that are late are given at once, and none is left out.

    So a stall of the log is felt by all commands that were due meanwhile.
    """
    streams = log.streams(StreamKind.DEAL)
    for stream in streams:
        log.history(stream.partition(":")[2])
    position = log.head()
    issued = []
    start = time.monotonic()
    for number, (deal_id, revise, intent) in enumerate(_commands(streams, per_second * seconds)):
        due = start + number / per_second
        time.sleep(max(0, due - time.monotonic()))
        position += len(log.handle(deal_id, revise, intent).events)
        issued.append(Issued(due, time.monotonic(), position))
    return msgspec.json.encode(issued).decode()


def _commands(streams: list[str], count: int) -> Iterator[tuple[str, ReviseForecast, Intent]]:
    """Revisions of one deal after the other, each to another amount."""
    who = Principal("manager-1", frozenset({Role.OPERATOR}))
    for number in range(count):
        deal_id = streams[number % len(streams)].partition(":")[2]
        amount = Money.parse(f"{1_000_000 + number}.00", "EUR")
        close = RECORDED_AT.date() + timedelta(days=30 + number % 60)
        revise = ReviseForecast(
            amount, close, cause=RevisionCause.CUSTOMER, reason="They asked for a second line."
        )
        yield deal_id, revise, Intent(f"live/{number}", who, "api", RECORDED_AT, RECORDED_AT)


_DONE: dict[str, Callable[..., int | str]] = {
    "rebuild": _rebuild,
    "scan": _scan,
    "work": _work,
    "issue": _issue,
}


if __name__ == "__main__":
    main(*sys.argv[1:])
