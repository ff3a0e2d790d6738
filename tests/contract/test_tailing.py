"""A reader who follows the log sees every event once, in one order, whoever writes and how."""

import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Event

import pytest

from domain.lifecycle.commands import AddNote
from domain.refusals import VersionConflict
from store.events.writing import Batch
from store.fsck.check import check
from store.location import Location
from store.log import DealLog
from store.seals.merkle import leaf_hash
from store.seals.tiles import TILE_WIDTH
from tests.contract.asking import OPEN, intent, notes

WRITERS = 4
MANY = 100
"""So many events in one append take another way than few."""
PATIENCE_SECONDS = 60

Seen = tuple[int, str, int]


class GivenUp(Exception):
    """Raised before a commit to prevent it."""


def tail(log: DealLog, done: Event) -> Iterator[Seen]:
    """Position, stream and version of all events, until all is written and read."""
    after = 0
    while True:
        all_written = done.is_set()
        found = log.feed(after, 17)
        yield from ((one.position, one.event.stream, one.event.version) for one in found)
        if found:
            after = found[-1].position
        elif all_written:
            return


def write(location: Location, writer: int, rounds: int, seed: int) -> list[tuple[str, int]]:
    """Commands and appends on a deal of one's own; answers what was committed, in order."""
    dice, name = random.Random(seed + writer), f"d-{writer}"
    with DealLog.open(location) as log:
        version = log.handle(name, OPEN, intent(f"open-{writer}")).version

        def stall_or_give_up() -> list[Batch]:
            time.sleep(dice.expovariate(500))
            if dice.random() < 0.3:
                raise GivenUp
            return [Batch(f"deal:{name}", version, notes(2))]

        for number in range(rounds):
            way = dice.choice(("handle", "append", "many", "alone", "conflict"))
            if way == "handle":
                note = AddNote(f"{writer} {number}")
                version = log.handle(name, note, intent(f"{writer}-{number}")).version
            elif way == "alone":
                with suppress(GivenUp):
                    log.append_alone(stall_or_give_up)
                    version += 2
            elif way == "conflict":
                with pytest.raises(VersionConflict):
                    log.append([Batch(f"deal:{name}", version + 1, notes(1))])
            else:
                count = MANY if way == "many" else 3
                log.append([Batch(f"deal:{name}", version, notes(count))])
                version += count
    return [(f"deal:{name}", one) for one in range(1, version + 1)]


def follow(location: Location, rounds: int, seed: int) -> None:
    """Four writers, each with the log opened anew, and a reader."""
    done = Event()
    with DealLog.create(location) as log, ThreadPoolExecutor(WRITERS + 1) as threads:
        reader = threads.submit(lambda: list(tail(log, done)))
        writers = [threads.submit(write, location, one, rounds, seed) for one in range(WRITERS)]
        try:
            written = [writer.result(PATIENCE_SECONDS * rounds) for writer in writers]
        finally:
            done.set()
        seen = reader.result(PATIENCE_SECONDS)
        assert [position for position, _, _ in seen] == list(range(1, log.head() + 1))
        for own in written:
            assert [one[1:] for one in seen if one[1] == own[0][0]] == own
        assert len(seen) == sum(len(own) for own in written)
        assert list(tail(log, done)) == seen
        assert check(log.records, log.keys).sound


def test_a_reader_who_follows_the_log_misses_nothing(location: Location) -> None:
    follow(location, rounds=15, seed=1)


def test_leaves_are_read_whole_while_they_move_into_their_tiles(location: Location) -> None:
    done = Event()
    with DealLog.create(location) as log, DealLog.open(location) as other:

        def read() -> int:
            """Read the last leaves again and again; answers in how many tiles they were."""
            seen = set()
            while not done.is_set():
                last = other.head()
                first = max(last - 1, 0) // TILE_WIDTH * TILE_WIDTH
                stored = [leaf_hash(row[4]) for row in other.records.feed(first, last - first)]
                assert other.records.leaves(first, last) == stored
                seen.add(first)
            return len(seen)

        with ThreadPoolExecutor(1) as threads:
            reader = threads.submit(read)
            try:
                for version in range(0, 4 * TILE_WIDTH, 32):
                    log.append([Batch("deal:a", version, notes(32))])
            finally:
                done.set()
            assert reader.result(PATIENCE_SECONDS) > 1


@pytest.mark.drill
@pytest.mark.parametrize("seed", range(5))
def test_a_reader_who_follows_the_log_for_long_misses_nothing(
    location: Location, seed: int
) -> None:
    follow(location, rounds=300, seed=seed)
