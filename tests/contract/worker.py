"""A process of its own that writes to a store: `python -m tests.contract.worker URL TASK …`.

It says `ready`, waits for a line, does its task and prints a line for each
thing that the log acknowledged.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from domain.lifecycle.commands import AddNote
from domain.refusals import VersionConflict
from store.events.writing import Batch
from store.location import Location
from store.log import DealLog
from tests.contract.asking import intent, notes
from tests.shared_data import REPOSITORY

STREAMS_PER_APPEND = 20
EVENTS_PER_STREAM = 10
PATIENCE_SECONDS = 60


def add_notes(log: DealLog, deal_id: str, name: str, count: str) -> Iterator[object]:
    """Notes one after the other, each under an id of its own: gives the versions."""
    for number in range(int(count)):
        yield log.handle(deal_id, AddNote(f"{name} {number}"), intent(f"{name}-{number}")).version


def repeat_notes(log: DealLog, deal_id: str, count: str) -> Iterator[object]:
    """The notes that every other worker of this task writes too: gives version and repetition."""
    for number in range(int(count)):
        handled = log.handle(deal_id, AddNote(f"same {number}"), intent(f"same-{number}"))
        yield f"{handled.version} {handled.repeated}"


def name_versions(log: DealLog, deal_id: str, name: str, last: str) -> Iterator[object]:
    """A note on every version up to `last`, as all others try it: gives the versions won."""
    for version in range(1, int(last) + 1):
        while log.history(deal_id).version < version:
            pass
        try:
            log.handle(deal_id, AddNote(f"{name} {version}"), intent(f"{name}-{version}"), version)
        except VersionConflict:
            continue
        yield version


def append_until_killed(log: DealLog, name: str) -> Iterator[object]:
    """New streams, many in one transaction, without end: gives the number of the append."""
    number = 0
    while True:
        number += 1
        log.append(
            [
                Batch(f"deal:{name}-{number}-{stream}", 0, notes(EVENTS_PER_STREAM))
                for stream in range(STREAMS_PER_APPEND)
            ]
        )
        yield number


TASKS = {
    task.__name__: task for task in (add_notes, repeat_notes, name_versions, append_until_killed)
}


def main(url: str, task: str, *arguments: str) -> None:
    """Do one task on the store at `url`."""
    with DealLog.open(Location.parse(url)) as log:
        _say("ready")
        sys.stdin.readline()
        for acknowledged in TASKS[task](log, *arguments):
            _say(acknowledged)


def _say(what: object) -> None:
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


Worker = subprocess.Popen[str]


@contextmanager
def workers(location: Location, *tasks: tuple[str, ...]) -> Iterator[list[Worker]]:
    """Processes that begin their tasks at the same moment; none is left running."""
    started = [_start(location, task) for task in tasks]
    try:
        for worker in started:
            assert worker.stdout is not None
            assert worker.stdout.readline() == "ready\n"
        for worker in started:
            assert worker.stdin is not None
            worker.stdin.write("go\n")
            worker.stdin.flush()
        yield started
    finally:
        for worker in started:
            worker.kill()
            worker.communicate()


def _start(location: Location, task: tuple[str, ...]) -> Worker:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.contract.worker", str(location), *task],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def acknowledged(location: Location, *tasks: tuple[str, ...]) -> list[list[str]]:
    """What each of the tasks printed, once all are done."""
    with workers(location, *tasks) as started:
        outputs = [
            worker.communicate(timeout=PATIENCE_SECONDS)[0].splitlines() for worker in started
        ]
        assert [worker.returncode for worker in started] == [0] * len(started)
    return outputs


if __name__ == "__main__":
    main(*sys.argv[1:])
