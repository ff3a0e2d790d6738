"""Whoever waits is woken by an append, and by the end; whatever fails meanwhile."""

import asyncio
import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.feed import following
from api.feed.following import Follower
from domain.lifecycle.commands import AddNote, OpenOpportunity
from store.errors import StoreUnavailable
from store.location import Location
from store.log import DealLog
from store.waking import Waker, waker
from tests.contract.asking import intent


@pytest.fixture
def log(tmp_path: Path) -> Iterator[DealLog]:
    with DealLog.create(Location.beside(tmp_path / "deals.db")) as log:
        log.handle("d-1", OpenOpportunity("Press", "ann", "USD"), intent("open"))
        yield log


def note(log: DealLog, number: int) -> None:
    log.handle("d-1", AddNote(f"note {number}"), intent(f"n-{number}"))


def soon(do: threading.Thread) -> None:
    threading.Timer(0.1, do.start).start()


def test_an_append_wakes_all_who_wait(log: DealLog) -> None:
    follower = Follower(log)

    async def wait() -> list[bool]:
        waiting = [asyncio.create_task(follower.beyond(1, 20)) for _ in range(50)]
        await asyncio.sleep(0.1)
        await asyncio.to_thread(note, log, 1)
        return await asyncio.gather(*waiting)

    assert asyncio.run(wait()) == [True] * 50
    follower.close()


def test_who_waits_in_vain_is_told_so(log: DealLog) -> None:
    follower = Follower(log)
    assert asyncio.run(follower.beyond(0, 20))
    follower.close()
    follower = Follower(log)
    assert not asyncio.run(follower.beyond(1, 0.1))
    follower.close()


def test_the_end_wakes_all_who_wait(log: DealLog) -> None:
    ends = threading.Event()
    follower = Follower(log, ends.is_set)

    async def wait() -> bool:
        asyncio.get_running_loop().call_later(0.1, ends.set)
        return await follower.beyond(1, 20)

    began = time.monotonic()
    assert not asyncio.run(wait())
    assert time.monotonic() - began < 10
    assert follower.is_ending
    follower.close()


def test_the_rows_read_last_are_those_of_the_log(
    log: DealLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "KEPT_ROWS", 4)
    follower = Follower(log)

    async def read() -> None:
        for number in range(12):
            await asyncio.to_thread(note, log, number)
            await follower.beyond(number + 1, 20)

    asyncio.run(read())
    follower.close()
    for after in range(14):
        for limit in (1, 2, 100):
            found, stored = follower.rows(after, limit), log.records.feed(after, limit)
            assert found == stored[: len(found)]
            assert bool(found) == bool(stored)


def test_it_goes_on_when_what_wakes_it_has_failed(
    log: DealLog, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(following, "_PAUSE_SECONDS", 0.01)
    failures: list[None] = []

    def fails_at_first() -> Waker:
        failures.append(None)
        if len(failures) <= 3:
            raise StoreUnavailable("the store is away", "Wait.")
        return waker(log.location)

    follower = Follower(log, waking=fails_at_first)
    with caplog.at_level(logging.INFO, "dealstate.feed"):
        assert asyncio.run(follower.beyond(0, 20))
    follower.close()
    told = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    assert len(told) == 1
    assert told[0].startswith("cannot follow the log: the store is away")


def test_an_event_that_nobody_told_of_is_found(
    log: DealLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Deaf:
        def wait(self, timeout_seconds: float) -> bool:
            time.sleep(min(timeout_seconds, 0.05))
            return False

        def wake(self) -> None: ...

        def close(self) -> None: ...

    monkeypatch.setattr(following, "LOOK_SECONDS", 0.05)
    follower = Follower(log, waking=Deaf)
    soon(threading.Thread(target=note, args=(log, 1)))
    assert asyncio.run(follower.beyond(1, 20))
    follower.close()
