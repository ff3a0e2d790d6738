"""Live read models equal rebuilt ones, whoever is killed; a rebuild under load misses nothing."""

import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread

import pytest
from msgspec.structs import replace

from projections.engine.keeping_up import catch_up
from projections.engine.rebuilding import rebuild
from projections.views import open_views
from store.errors import StoreBusy
from store.location import Location
from store.log import DealLog
from store.tail import Tail
from tests.conftest import NewLocation
from tests.drills.reading import look
from tests.postgresql import Server, data_folder
from tests.projections.stores import generations
from tests.shared_data import REPOSITORY

PATIENCE_SECONDS = 60


class Process:
    """A worker, and what it has said."""

    def __init__(self, location: Location, *task: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.drills.worker", str(location), *task],
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._lines: SimpleQueue[str] = SimpleQueue()
        self._listening = Thread(target=self._listen, daemon=True)
        self._listening.start()
        self.steps = 0

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)

    def has_done(self, steps: int) -> None:
        """Wait until it has done so many steps more, and not in vain for any of them."""
        give_up = time.monotonic() + PATIENCE_SECONDS
        while steps:
            try:
                line = self._lines.get(timeout=0.1)
            except Empty:
                assert self._process.poll() is None, self.kill()
                assert time.monotonic() < give_up, "it stands still"
                continue
            if not line.startswith("waits"):
                steps -= 1
                self.steps += 1
                give_up = time.monotonic() + PATIENCE_SECONDS

    def kill(self) -> str:
        """End it. Answers what it died of before, if it did."""
        died_alone = self._process.poll() is not None
        self._process.kill()
        errors = self._process.communicate()[1]
        self._listening.join()
        return errors if died_alone else ""


@contextmanager
def running(location: Location, *tasks: tuple[str, ...]) -> Iterator[list[Process]]:
    """Processes at work; none is left running, and none has died of anything else."""
    started = [Process(location, *task) for task in tasks]
    try:
        yield started
    finally:
        died_of = [one.kill() for one in started]
    assert died_of == [""] * len(started)


def check(location: Location) -> None:
    """The live read models are as rebuilt ones, and nothing is left behind."""
    give_up = time.monotonic() + PATIENCE_SECONDS
    with DealLog.open(location) as log, closing(open_views(location)) as views:
        tail = Tail(log)
        while True:
            try:
                catch_up(views, tail)
                with views.reading() as connection:
                    assert look(connection, tail, 0) >= 1
                rebuilt = rebuild(views, tail, check=True)
            except StoreBusy:  # who was killed is not gone yet
                assert time.monotonic() < give_up
                time.sleep(0.02)
                continue
            assert rebuilt.differences == []
            if len(generations(views)) == 1:
                return
            assert time.monotonic() < give_up


# Killed processes.


def kill_followers(location: Location, times: int) -> None:
    """Kill who catches up and who rebuilds, at random moments, while another one writes."""
    DealLog.create(location).close()
    dice = random.Random(times)
    with running(location, ("write", "w", "200")) as (writer,):
        writer.has_done(20)
        for number in range(times):
            tasks = [("follow",), ("follow",), ("build", "1")]
            started = [Process(location, *task) for task in tasks]
            try:
                started[number % 2].has_done(1)
                time.sleep(dice.random() * 0.3)
            finally:
                died_of = [one.kill() for one in started]
            assert died_of == [""] * len(started)
            writer.has_done(1)
            check(location)
    check(location)


def test_read_models_outlive_those_who_keep_them(new_location: NewLocation) -> None:
    kill_followers(new_location(), 2)


@pytest.mark.drill
def test_read_models_outlive_those_who_keep_them_again_and_again(
    new_location: NewLocation,
) -> None:
    kill_followers(new_location(), 100)


# A killed server.


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    """A server for one test alone."""
    with Server(data_folder(tmp_path)).alone() as server:
        yield server


def kill_server(server: Server, home: Path, times: int) -> None:
    """Kill the server at random moments, under a writer, two who catch up and one who rebuilds."""
    location = Location.around(replace(server.database, schema="deals", home=str(home)))
    DealLog.create(location).close()
    dice = random.Random(times)
    tasks = [("write", "w", "200"), ("follow",), ("follow",), ("build", "1")]
    for _ in range(times):
        with running(location, *tasks) as (writer, follower, *_):
            writer.has_done(10)
            follower.has_done(2)
            time.sleep(dice.random() * 0.3)
            server.stop(signal.SIGKILL)
            server.start()
            writer.has_done(1)
            follower.has_done(1)
        check(location)


def test_read_models_outlive_their_server(own_server: Server, tmp_path: Path) -> None:
    kill_server(own_server, tmp_path, 2)


@pytest.mark.drill
def test_read_models_outlive_their_server_again_and_again(
    own_server: Server, tmp_path: Path
) -> None:
    kill_server(own_server, tmp_path, 100)


# Load.


def rebuild_under_load(location: Location, rebuilds: int, workers: int) -> None:
    """Rebuild while two write 100 commands a second each, one follows and two read."""
    DealLog.create(location).close()
    with DealLog.open(location) as log, closing(open_views(location)) as views:
        catch_up(views, Tail(log))
    tasks = [("write", "a", "100"), ("write", "b", "100"), ("follow",), ("read",), ("read",)]
    with running(location, *tasks, ("build", str(workers))) as started:
        *_, one, other, building = started
        building.has_done(rebuilds)
        one.has_done(5)
        other.has_done(5)
    check(location)


def test_a_rebuild_under_load_misses_nothing(new_location: NewLocation) -> None:
    rebuild_under_load(new_location(), 3, 1)


@pytest.mark.drill
@pytest.mark.parametrize("workers", [1, 2])
def test_many_rebuilds_under_load_miss_nothing(new_location: NewLocation, workers: int) -> None:
    rebuild_under_load(new_location(), 60, workers)
