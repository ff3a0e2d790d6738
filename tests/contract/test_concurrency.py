"""Writers at the same time, in threads and in processes, lose nothing and double nothing."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from domain.lifecycle.commands import AddNote, SetWinPlan
from domain.refusals import VersionConflict
from store.events.writing import Batch
from store.handled import Handled
from store.location import Location
from store.log import DealLog
from tests.contract.asking import OPEN, OPENED, draft, intent, notes
from tests.contract.worker import PATIENCE_SECONDS, acknowledged

THREADS = 8
EACH = 20


T = TypeVar("T")


def at_once(work: Callable[[int], T]) -> list[T]:
    """The results of threads that start together, each given its number."""
    barrier = Barrier(THREADS)

    def run(number: int) -> T:
        barrier.wait()
        return work(number)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS)))


def versions(log: DealLog, stream: str) -> list[int]:
    return [event.version for event in log.events_in(stream)]


def test_threads_on_one_deal(log: DealLog) -> None:
    log.handle("d-1", OPEN, intent("open"))

    def work(thread: int) -> list[int]:
        return [
            log.handle("d-1", AddNote(f"{thread} {number}"), intent(f"{thread}-{number}")).version
            for number in range(EACH)
        ]

    given = [version for some in at_once(work) for version in some]
    last = 1 + THREADS * EACH
    assert sorted(given) == list(range(2, last + 1))
    assert versions(log, "deal:d-1") == list(range(1, last + 1))
    assert [found.position for found in log.feed(0, 1_000)] == list(range(1, last + 1))
    assert log.history("d-1").events == log.events_in("deal:d-1")


def test_threads_on_deals_of_their_own(log: DealLog) -> None:
    def work(thread: int) -> None:
        log.handle(f"d-{thread}", OPEN, intent(f"open-{thread}"))
        for number in range(EACH):
            log.append([Batch(f"deal:d-{thread}", number + 1, notes(1))])

    at_once(work)
    assert log.head() == THREADS * (EACH + 1)
    for thread in range(THREADS):
        assert versions(log, f"deal:d-{thread}") == list(range(1, EACH + 2))


def test_of_threads_that_name_one_version_one_wins(log: DealLog) -> None:
    log.handle("d-1", OPEN, intent("open"))

    def work(thread: int) -> bool:
        try:
            log.handle("d-1", AddNote(f"{thread}"), intent(f"c-{thread}"), expected_version=1)
        except VersionConflict:
            return False
        return True

    assert sorted(at_once(work)) == [False] * (THREADS - 1) + [True]
    assert versions(log, "deal:d-1") == [1, 2]


def test_of_appends_to_one_version_one_wins(log: DealLog) -> None:
    def work(thread: int) -> bool:
        try:
            own = Batch(f"deal:own-{thread}", 0, notes(3))
            log.append([own, Batch("deal:d-1", 0, [draft(OPENED)])])
        except VersionConflict:
            return False
        return True

    assert sorted(at_once(work)) == [False] * (THREADS - 1) + [True]
    assert log.head() == 4


def test_the_same_command_in_many_threads_has_one_effect_and_one_reply(log: DealLog) -> None:
    log.handle("d-1", OPEN, intent("open"))

    def work(_: int) -> Handled:
        return log.handle("d-1", SetWinPlan("Win"), intent("same"))

    replies = at_once(work)
    assert sorted(reply.repeated for reply in replies) == [
        False,
        *[True] * (THREADS - 1),
    ]
    assert {(reply.version, reply.events) for reply in replies} == {
        (2, log.events_in("deal:d-1")[1:])
    }
    assert log.head() == 2


def test_a_reader_never_misses_an_event_while_others_write(log: DealLog) -> None:
    log.handle("d-1", OPEN, intent("open"))
    last = 1 + (THREADS - 1) * EACH

    def work(thread: int) -> list[int]:
        if thread:
            for number in range(EACH):
                log.handle("d-1", AddNote(f"{thread} {number}"), intent(f"{thread}-{number}"))
            return []
        seen: list[int] = []
        give_up = time.monotonic() + PATIENCE_SECONDS
        while len(seen) < last and time.monotonic() < give_up:
            seen += [found.position for found in log.feed(len(seen), 7)]
        return seen

    assert at_once(work)[0] == list(range(1, last + 1))


def test_processes_on_one_deal(location: Location) -> None:
    with DealLog.create(location) as log:
        log.handle("d-1", OPEN, intent("open"))
        tasks = [("add_notes", "d-1", name, "60") for name in ("ann", "bo", "cy")]
        given = [int(line) for lines in acknowledged(location, *tasks) for line in lines]
        assert sorted(given) == list(range(2, 182))
        assert versions(log, "deal:d-1") == list(range(1, 182))
        assert [found.position for found in log.feed(0, 1_000)] == list(range(1, 182))
        assert log.history("d-1").version == 181


def test_processes_with_the_same_commands_have_one_effect_and_one_reply(
    location: Location,
) -> None:
    with DealLog.create(location) as log:
        log.handle("d-1", OPEN, intent("open"))
        first, second = acknowledged(location, *[("repeat_notes", "d-1", "60")] * 2)
        for one, other in zip(first, second, strict=True):
            assert one.split()[0] == other.split()[0]
            assert sorted([one.split()[1], other.split()[1]]) == ["False", "True"]
        assert versions(log, "deal:d-1") == list(range(1, 62))


def test_of_processes_that_name_one_version_one_wins(location: Location) -> None:
    with DealLog.create(location) as log:
        log.handle("d-1", OPEN, intent("open"))
        tasks = [("name_versions", "d-1", name, "40") for name in ("ann", "bo")]
        won = [int(line) for lines in acknowledged(location, *tasks) for line in lines]
        assert sorted(won) == list(range(1, 41))
        assert versions(log, "deal:d-1") == list(range(1, 42))
