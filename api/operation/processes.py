"""Several processes that serve one socket, kept running by the one that started them.

One that is gone is started again, after a pause that grows while it keeps going. On SIGTERM or
Ctrl-C each ends as one alone does; on a second signal all are killed.
"""

import logging
import multiprocessing
import os
import signal
import socket
import time
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess
from tempfile import TemporaryDirectory
from types import FrameType

import msgspec
from prometheus_client.multiprocess import mark_process_dead

from api.operation.levels import LogFormat, LogLevel
from api.operation.logs import configure
from api.operation.metrics import SHARED_FOLDER
from api.operation.server import end_with, run
from api.settings import Settings

_LOOK_SECONDS = 0.2
_LIVED_SECONDS = 10.0
"""One that was there so long is started again at once."""
_LONGEST_PAUSE_SECONDS = 30.0

_log = logging.getLogger("dealstate.processes")


class Served(msgspec.Struct, frozen=True):
    """What each process needs to know."""

    settings: Settings
    behind_proxy: str | None
    log_format: LogFormat
    log_level: LogLevel


class _Place:
    """One of the processes, and those that take its place."""

    def __init__(self, start: Callable[[], SpawnProcess]) -> None:
        self._start = start
        self._pause_seconds = 0.5
        self._starts_at: float | None = None
        self._begin()

    def _begin(self) -> None:
        self.process = self._start()
        self._started_at = time.monotonic()

    def look(self) -> None:
        """Start another one where this one is gone, after a pause."""
        now = time.monotonic()
        if self.process.is_alive():
            return
        if self._starts_at is None:
            lived = now - self._started_at
            doubled = min(self._pause_seconds * 2, _LONGEST_PAUSE_SECONDS)
            self._pause_seconds = 0.5 if lived > _LIVED_SECONDS else doubled
            self._starts_at = now + self._pause_seconds
            assert self.process.pid is not None
            mark_process_dead(self.process.pid)  # type: ignore[no-untyped-call]
            _log.error("process %d ended with %s", self.process.pid, self.process.exitcode)
        elif now >= self._starts_at:
            self._starts_at = None
            self._begin()


def serve_by(count: int, served: Served, listening: socket.socket) -> int:
    """Serve by so many processes until told to end. Answers with the exit code."""
    signals: list[int] = []

    def told(number: int, _: FrameType | None) -> None:
        signals.append(number)

    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, told)
    context = multiprocessing.get_context("spawn")

    def start(number: int) -> SpawnProcess:
        given = (served, listening, number)
        process = context.Process(target=_serve_one, args=given, name="dealstate")
        process.start()
        return process

    with TemporaryDirectory(prefix="dealstate-metrics-") as folder:
        os.environ[SHARED_FOLDER] = folder
        places = [_Place(partial(start, number)) for number in range(count)]
        while not signals:
            wait([place.process.sentinel for place in places if place.process.is_alive()], 0.2)
            if not signals:
                _look_after(places)
        listening.close()
        return _end([place.process for place in places], signals)


def _look_after(places: list[_Place]) -> None:
    for place in places:
        place.look()
    time.sleep(_LOOK_SECONDS / 4)


def _end(processes: list[SpawnProcess], signals: list[int]) -> int:
    for one in processes:
        one.terminate()
    while any(one.is_alive() for one in processes):
        if len(signals) > 1:
            for one in processes:
                one.kill()
            return 128 + signals[1]
        for one in processes:
            one.join(_LOOK_SECONDS / len(processes))
    # One that had gone before it was told did not fail to end.
    return 0


def _serve_one(served: Served, listening: socket.socket, number: int) -> None:
    """What each process does."""
    from api.app import create_app

    parent = multiprocessing.parent_process()
    if parent is not None:
        end_with(parent)
    configure(served.log_format, served.log_level)
    run(
        served.settings,
        create_app(served.settings),
        listening,
        served.behind_proxy,
        number=number,
    )
