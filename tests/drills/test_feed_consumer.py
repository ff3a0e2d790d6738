"""A consumer of the feed that is killed and goes on sees every event once, in order.

Several write at once meanwhile, and any of several servers may be asked: what counts is the one
order of the log.
"""

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest

from api.auth.keys import make_key
from domain.access import Role
from domain.lifecycle.commands import AddNote, OpenOpportunity
from domain.organisation import GrantMembership, IssueApiKey, RegisterUser
from domain.refusals import Refusal
from store.location import Location
from store.log import DealLog
from tests.api.feed.streaming import served
from tests.conftest import NewLocation
from tests.contract.asking import intent
from tests.drills.test_read_models import running
from tests.shared_data import REPOSITORY

PATIENCE_SECONDS = 60


def auditor(log: DealLog) -> str:
    """A key of somebody who reads everything."""
    made = make_key()
    log.configure(RegisterUser("aud", "Aud"), intent("register"))
    log.configure(GrantMembership("aud", Role.AUDITOR), intent("grant"))
    log.configure(IssueApiKey("aud", made.id, made.digest, "feed"), intent("issue"))
    return made.token


class Consumer:
    """Processes the events of some servers, over and over, into a file."""

    def __init__(self, kept: Path, token: str, ports: list[int]) -> None:
        self.kept = kept
        self._asked = [token, *map(str, ports)]

    @contextmanager
    def running(self, mode: str) -> Iterator[None]:
        command = [sys.executable, "-m", "tests.drills.consumer", str(self.kept), mode]
        with subprocess.Popen(
            [*command, *self._asked], cwd=REPOSITORY, stderr=subprocess.PIPE
        ) as process:
            try:
                yield
            finally:
                died_of = process.stderr.read() if process.poll() is not None else b""  # type: ignore[union-attr]
                process.kill()
        assert died_of == b""

    def processed(self) -> list[tuple[int, str]]:
        """What it has processed, in order; a line that is cut off does not count."""
        content = self.kept.read_bytes() if self.kept.exists() else b""
        lines = content[: content.rfind(b"\n") + 1].decode().splitlines()
        return [(int(line.split()[0]), line.split()[1]) for line in lines]

    def has_processed(self, events: int) -> None:
        """Wait until it has processed so many."""
        give_up = time.monotonic() + PATIENCE_SECONDS
        while len(self.processed()) < events:
            assert time.monotonic() < give_up, "it stands still"
            time.sleep(0.01)


def kill_again_and_again(consumer: Consumer, times: int, seed: int) -> None:
    """Kill it at random moments, mostly while it is at work."""
    dice = random.Random(seed)
    for number in range(times):
        before = len(consumer.processed())
        with consumer.running(("stream", "pages")[number % 2]):
            if dice.random() < 0.9:
                consumer.has_processed(before + 1)
            time.sleep(dice.random() * 0.15)


def check(consumer: Consumer, log: DealLog) -> None:
    """Have it read to the end: it saw every event of the log once, in order."""
    head = log.head()
    with consumer.running("pages"):
        consumer.has_processed(head)
    places = log.records.places(0, head + 1)
    assert consumer.processed() == [(at, f"{stream}@{version}") for at, stream, version in places]


@contextmanager
def writing(location: Location, writers: int) -> Iterator[None]:
    """Threads that write, each with a log of its own, as processes have them."""
    enough = Event()

    def write(name: str) -> None:
        number = 0
        with DealLog.open(location) as log:
            while not enough.wait(0.002):
                number += 1
                deal, asked = f"{name}-{number // 5}", intent(f"{name}-{number}")
                try:
                    log.handle(deal, AddNote(f"note {number}"), asked)
                except Refusal:
                    log.handle(deal, OpenOpportunity("Press", "ann", "USD"), asked)

    threads = [Thread(target=write, args=(f"w{number}",)) for number in range(writers)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        enough.set()
        for thread in threads:
            thread.join()


def test_a_killed_consumer_sees_every_event_once_in_order(
    new_location: NewLocation, tmp_path: Path
) -> None:
    location = new_location()
    with DealLog.create(location) as log, served(location) as service:
        consumer = Consumer(tmp_path / "processed", auditor(log), [service.port])
        with writing(location, 3):
            kill_again_and_again(consumer, 4, seed=4)
        check(consumer, log)


@contextmanager
def serving_alone(location: Location) -> Iterator[int]:
    """The port of a server in a process of its own."""
    start = "from api.cli.entry import main; main()"
    command = [sys.executable, "-c", start, "--db", str(location), "serve", "--port", "0"]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            told = next(line for line in server.stdout if line.startswith("Serving "))
            yield int(told.partition(" at http://127.0.0.1:")[2].partition("/")[0])
        finally:
            server.kill()


@pytest.mark.drill
@pytest.mark.parametrize("seed", range(3))
def test_a_consumer_of_two_servers_is_killed_a_hundred_times(
    new_location: NewLocation, tmp_path: Path, seed: int
) -> None:
    location = new_location()
    with DealLog.create(location) as log, ExitStack() as stack:
        token = auditor(log)
        ports = [stack.enter_context(serving_alone(location)) for _ in range(2)]
        consumer = Consumer(tmp_path / "processed", token, ports)
        tasks = [("write", name, "60") for name in ("a", "b", "c")]
        with running(location, *tasks):
            kill_again_and_again(consumer, 100, seed)
        check(consumer, log)
