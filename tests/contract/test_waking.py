"""Whoever waits for appends is woken by each of them, soon, by whichever process, and not else."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from threading import Timer

import pytest

from domain.lifecycle.commands import AddNote
from domain.refusals import VersionConflict
from store.events.writing import Batch
from store.location import Location
from store.log import DealLog
from store.waking import Waker, waker
from tests.conftest import NewLocation
from tests.contract.asking import OPEN, intent, notes
from tests.contract.worker import workers

PATIENCE_SECONDS = 30.0
"""A wait that should end ends long before."""
QUIET_SECONDS = 0.3
MANY = 100
"""So many events in one append take another way than few."""


@pytest.fixture
def waiting(log: DealLog) -> Iterator[Waker]:
    """A waker on the log, which nothing has ended yet."""
    with closing(waker(log.location)) as waiting:
        quieten(waiting)
        yield waiting


def quieten(waiting: Waker) -> None:
    """Wait until nothing comes any more. One append may end more than one wait."""
    give_up = time.monotonic() + PATIENCE_SECONDS
    while waiting.wait(QUIET_SECONDS):
        assert time.monotonic() < give_up, "it does not become quiet"


@pytest.mark.parametrize("count", [1, MANY])
def test_an_append_ends_the_next_wait(log: DealLog, waiting: Waker, count: int) -> None:
    log.append([Batch("deal:d-1", 0, notes(count))])
    assert waiting.wait(PATIENCE_SECONDS)
    quieten(waiting)
    log.append_alone(lambda: [Batch("deal:d-1", count, notes(count))])
    assert waiting.wait(PATIENCE_SECONDS)


def test_a_command_ends_a_wait_that_has_begun(log: DealLog, waiting: Waker) -> None:
    with ThreadPoolExecutor(1) as threads:
        wait = threads.submit(waiting.wait, PATIENCE_SECONDS)
        time.sleep(QUIET_SECONDS)
        assert not wait.done()
        log.handle("d-1", OPEN, intent("open"))
        assert wait.result()
    assert log.head() == 1


def test_a_wait_ends_in_time_without_an_append(log: DealLog, waiting: Waker) -> None:
    began_at = time.monotonic()
    assert not waiting.wait(QUIET_SECONDS)
    assert QUIET_SECONDS <= time.monotonic() - began_at < PATIENCE_SECONDS
    log.history("d-1")
    with pytest.raises(VersionConflict):
        log.append([Batch("deal:d-1", 7, notes(1))])
    with suppress(ZeroDivisionError):
        log.append_alone(lambda: [Batch("deal:d-1", 0, notes(1 // 0))])
    assert not waiting.wait(QUIET_SECONDS)
    assert not waiting.wait(0)


def test_an_append_of_another_process_ends_a_wait(log: DealLog, waiting: Waker) -> None:
    log.handle("d-1", OPEN, intent("open"))
    quieten(waiting)
    with ThreadPoolExecutor(1) as threads:
        wait = threads.submit(waiting.wait, PATIENCE_SECONDS)
        with workers(log.location, ("add_notes", "d-1", "other", "1")) as (other,):
            assert other.stdout is not None
            assert other.stdout.readline() == "2\n"
            assert wait.result()


def test_an_append_to_another_log_ends_no_wait(
    log: DealLog, waiting: Waker, new_location: NewLocation
) -> None:
    with DealLog.create(new_location()) as other:
        other.append([Batch("deal:d-1", 0, notes(1))])
        other.append([Batch("deal:d-2", 0, notes(MANY))])
        assert not waiting.wait(QUIET_SECONDS)


def test_another_thread_ends_the_present_wait_or_the_next_one(waiting: Waker) -> None:
    waiting.wake()
    waiting.wake()
    assert waiting.wait(PATIENCE_SECONDS)
    assert not waiting.wait(0)
    timer = Timer(QUIET_SECONDS, waiting.wake)
    timer.start()
    assert waiting.wait(PATIENCE_SECONDS)
    timer.join()


def test_a_reader_who_waits_between_reads_misses_nothing(location: Location) -> None:
    count = 200
    with DealLog.create(location) as log, closing(waker(location)) as waiting:
        log.handle("d-1", OPEN, intent("open"))
        with (
            workers(location, ("add_notes", "d-1", "other", str(count // 2))),
            ThreadPoolExecutor(1) as threads,
        ):
            own = threads.submit(add_notes, log, count // 2)
            head = log.head()
            while head < count + 1:
                assert waiting.wait(PATIENCE_SECONDS), f"it stands at {head}"
                head = log.head()
            own.result()
        assert [one.position for one in log.feed(0, 1_000)] == list(range(1, count + 2))


def add_notes(log: DealLog, count: int) -> None:
    """Notes one after the other, with pauses, so that the reader waits for some of them."""
    for number in range(count):
        log.handle("d-1", AddNote(f"own {number}"), intent(f"own-{number}"))
        time.sleep(0.002 * (number % 3))


def test_each_reader_of_a_log_is_woken(log: DealLog, waiting: Waker) -> None:
    with closing(waker(log.location)) as another:
        quieten(another)
        log.append([Batch("deal:d-1", 0, notes(1))])
        assert waiting.wait(PATIENCE_SECONDS)
        assert another.wait(PATIENCE_SECONDS)
    quieten(waiting)
    log.append([Batch("deal:d-1", 1, notes(1))])
    assert waiting.wait(PATIENCE_SECONDS)
