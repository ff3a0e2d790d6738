"""A process of its own that works on read models: `python -m tests.projections.worker URL TASK`.

It says `ready`, waits for a line, does its task and prints the answer.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from domain.history import StreamKind
from projections import engine, periods
from projections import rebuild as rebuilding
from projections.audit import trail
from projections.engine import catch_up
from projections.replay import replay
from projections.views import Views
from store.location import Location
from store.log import DealLog
from tests.projections.stores import rows_of
from tests.shared_data import REPOSITORY

BATCH_EVENTS = 7


def catch_up_in_batches(views: Views, log: DealLog) -> object:
    return catch_up(views, log, batch_events=BATCH_EVENTS)


def die_with_rows_written(views: Views, log: DealLog) -> object:
    """Killed in the second batch, when its rows are written and its checkpoint is not."""
    with _dying_at_call(2, periods, "apply"):
        return catch_up_in_batches(views, log)


def die_before_the_commit(views: Views, log: DealLog) -> object:
    """Killed in the second batch, when its rows and its checkpoint are written."""
    with _dying_at_call(2, engine, "_apply"):
        return catch_up_in_batches(views, log)


def die_before_the_swap(views: Views, log: DealLog) -> object:
    """Killed when the read models were compared, and nothing is swapped."""
    with _dying_at_call(1, rebuilding, "_compare_at_one_position"):
        return rebuilding.rebuild(views, log, check=True)


def tell_all(views: Views, log: DealLog) -> object:
    """A digest of every row, every move and every entry, made anew by this process."""
    with TemporaryDirectory() as folder:
        anew = Views(Path(folder) / "views.db")
        catch_up(anew, log)
        told: list[object] = [rows_of(anew)]
        anew.close()
    for stream in log.streams(StreamKind.DEAL):
        events = log.history(stream.partition(":")[2]).events
        told += [replay(events, log.processes()), trail(events, log.positions(stream))]
    return sha256(repr(told).encode()).hexdigest()


TASKS = {
    task.__name__: task
    for task in (
        tell_all,
        catch_up_in_batches,
        die_with_rows_written,
        die_before_the_commit,
        die_before_the_swap,
    )
}


@contextmanager
def _dying_at_call(number: int, module: object, function: str) -> Iterator[None]:
    """Kill this process, as a power cut would, behind a call of `function`."""
    original = getattr(module, function)
    calls = 0

    def dying(*arguments: Any) -> None:
        nonlocal calls
        calls += 1
        original(*arguments)
        if calls == number:
            os.kill(os.getpid(), signal.SIGKILL)

    with patch.object(module, function, dying):
        yield


def run(
    location: Location, *tasks: str, surroundings: Mapping[str, str] | None = None
) -> list[tuple[int, str]]:
    """Exit code and answer of each task; all begin at the same moment."""
    workers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.projections.worker", str(location), task],
            cwd=REPOSITORY,
            env={**os.environ, **(surroundings or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for task in tasks
    ]
    try:
        for worker in workers:
            assert worker.stdout is not None
            assert worker.stdout.readline() == "ready\n"
        for worker in workers:
            assert worker.stdin is not None
            worker.stdin.write("go\n")
            worker.stdin.flush()
        answers = [worker.communicate()[0].strip() for worker in workers]
    finally:
        for worker in workers:
            worker.kill()
            worker.communicate()
    return [(worker.returncode, answer) for worker, answer in zip(workers, answers, strict=True)]


def main(url: str, task: str) -> None:
    location = Location.parse(url)
    with DealLog.open(location) as log:
        views = Views(location.views)
        _say("ready")
        sys.stdin.readline()
        _say(TASKS[task](views, log))
        views.close()


def _say(something: object) -> None:
    sys.stdout.write(f"{something}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
