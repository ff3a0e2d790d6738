"""A process of its own that works on read models: `python -m tests.projections.worker URL TASK …`.

It says `ready`, waits for a line, does its task and prints the answer.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from typing import Any
from unittest.mock import patch

from domain.history import StreamKind
from projections import deals
from projections.audit import trail
from projections.engine import applying, catching_up, filling, rebuilding
from projections.engine.keeping_up import catch_up
from projections.engine.rebuilding import rebuild
from projections.replay import replay
from projections.views import Generation, Views, open_views
from store.location import Location
from store.log import DealLog
from store.tail import Tail
from tests.projections.stores import rows_of, views_beside
from tests.shared_data import REPOSITORY

BATCH_EVENTS = 7
PATIENCE_SECONDS = 60

WHEN_CATCHING_UP = {
    "its rows are written": (2, catching_up, "apply"),
    "its checkpoint is written": (2, catching_up, "write_checkpoints"),
}
"""Where a process that catches up in batches is killed: in the second batch, when …"""

WHEN_BUILDING: dict[str, tuple[int, object, str]] = {
    "the tables are made": (1, Generation, "make_tables"),
    "some rows are written": (2, filling, "_fill"),
    "all rows are written": (1, rebuilding, "fill_all"),
    "the indexes are made": (1, Generation, "make_indexes"),
    "it has nearly caught up": (1, rebuilding, "_catch_up_nearly"),
    "it has caught up while others wait": (2, rebuilding, "catch_up_generation"),
    "it answers": (1, rebuilding, "_switch"),
}
"""Where a process that builds a generation is killed: when …"""


def catch_up_in_batches(views: Views, tail: Tail) -> object:
    return catch_up(views, tail, batch_events=BATCH_EVENTS)


def die_catching_up(views: Views, tail: Tail, when: str) -> object:
    with _dying_at_call(*WHEN_CATCHING_UP[when]):
        return catch_up_in_batches(views, tail)


def die_building(views: Views, tail: Tail, when: str) -> object:
    number, owner, function = WHEN_BUILDING[when]
    with patch.object(applying, "EVENTS_AT_ONCE", 5), _dying_at_call(number, owner, function):
        return rebuild(views, tail, workers=1)


def rebuild_again(views: Views, tail: Tail, times: str) -> object:
    """Rebuild several times over."""
    return [rebuild(views, tail, workers=1).switched for _ in range(int(times))]


def answer(views: Views, tail: Tail, *_: str) -> object:
    """Say how many deals there are, whenever a line comes in."""
    for line in sys.stdin:
        if line == "end\n":
            break
        _say(_count_deals(views, tail))
    return "ended"


def _count_deals(views: Views, tail: Tail) -> object:
    try:
        catch_up(views, tail)
        with views.reading() as connection:
            return connection.exec_driver_sql("SELECT count(*) FROM deals").scalar_one()
    except Exception as error:  # noqa: BLE001 - told to the test.
        return f"{type(error).__name__}: {error}"


def upgrade(views: Views, tail: Tail) -> object:
    """Catch up as a later release does, whose model of deals is another one."""
    with patch.object(deals, "VERSION", deals.VERSION + 1):
        return catch_up(views, tail)


def tell_all(_: Views, tail: Tail) -> object:
    """A digest of every row, every move and every entry, made anew by this process."""
    with views_beside(tail.location) as anew:
        catch_up(anew, tail)
        told: list[object] = [rows_of(anew)]
    with DealLog.open(tail.location) as log:
        for stream in log.streams(StreamKind.DEAL):
            events = log.history(stream.partition(":")[2]).events
            told += [replay(events, log.processes()), trail(events, log.positions(stream))]
    return sha256(repr(told).encode()).hexdigest()


TASKS: dict[str, Callable[..., object]] = {
    task.__name__: task
    for task in (
        answer,
        catch_up_in_batches,
        die_building,
        die_catching_up,
        rebuild_again,
        tell_all,
        upgrade,
    )
}


@contextmanager
def _dying_at_call(number: int, owner: object, function: str) -> Iterator[None]:
    """Kill this process, as a power cut would, behind a call of `function`."""
    original = getattr(owner, function)
    calls = 0

    def dying(*arguments: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        result = original(*arguments, **named)
        if calls == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    with patch.object(owner, function, dying):
        yield


Worker = subprocess.Popen[str]
Task = tuple[str, ...] | str


@contextmanager
def workers(
    location: Location, *tasks: Task, surroundings: Mapping[str, str] | None = None
) -> Iterator[list[Worker]]:
    """Processes that begin their tasks at the same moment; none is left running."""
    started = [_start(location, task, surroundings or {}) for task in tasks]
    try:
        for worker in started:
            assert worker.stdout is not None
            assert worker.stdout.readline() == "ready\n"
        for worker in started:
            say(worker, "go")
        yield started
    finally:
        for worker in started:
            worker.kill()
            worker.communicate()


def _start(location: Location, task: Task, surroundings: Mapping[str, str]) -> Worker:
    told = [task] if isinstance(task, str) else task
    return subprocess.Popen(
        [sys.executable, "-m", "tests.projections.worker", str(location), *told],
        cwd=REPOSITORY,
        env={**os.environ, **surroundings},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def say(worker: Worker, line: str) -> None:
    """A line for a worker to read."""
    assert worker.stdin is not None
    worker.stdin.write(f"{line}\n")
    worker.stdin.flush()


def ask(worker: Worker) -> str:
    """What a worker that answers says now."""
    assert worker.stdout is not None
    say(worker, "?")
    return worker.stdout.readline().strip()


def run(
    location: Location, *tasks: Task, surroundings: Mapping[str, str] | None = None
) -> list[tuple[int, str]]:
    """Exit code and answer of each task; all begin at the same moment."""
    with workers(location, *tasks, surroundings=surroundings) as started:
        answers = [worker.communicate(timeout=PATIENCE_SECONDS)[0].strip() for worker in started]
    return [(worker.returncode, answer) for worker, answer in zip(started, answers, strict=True)]


def main(url: str, task: str, *arguments: str) -> None:
    """Do one task on the store at `url`."""
    location = Location.parse(url)
    with DealLog.open(location) as log:
        views = open_views(location)
        _say("ready")
        sys.stdin.readline()
        _say(TASKS[task](views, Tail(log), *arguments))
        views.close()


def _say(something: object) -> None:
    sys.stdout.write(f"{something}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
