"""No reader ever misses an event, whatever happens between insert and commit."""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Event
from typing import Protocol

import pytest

from store.postgres.address import Database
from store.postgres.connections import connect
from store.postgres.recorder import LogFactory, LogRecorder

WRITERS = 4
PATIENCE_SECONDS = 30

BeforeCommit = Callable[[], object]


class RolledBack(Exception):
    """Raised before a commit to prevent it."""


class Way(Protocol):
    """A way to write and to read in order."""

    def write(self, name: str, before_commit: BeforeCommit) -> None:
        """Write one event, and commit it unless `before_commit` raises."""

    def read(self, after: int) -> Sequence[tuple[int, str]]:
        """Position and name of what is behind a position, in order."""


class Ours:
    """The log."""

    def __init__(self, recorder: LogRecorder) -> None:
        self._recorder = recorder

    def write(self, name: str, before_commit: BeforeCommit) -> None:
        with self._recorder.transaction() as append:
            append([(f"deal:{name}", 1, "note-added@1", b"{}")])
            before_commit()

    def read(self, after: int) -> Sequence[tuple[int, str]]:
        return [(row[0], row[1].removeprefix("deal:")) for row in self._recorder.feed(after, 7)]


class BySerial:
    """Numbers from a sequence, given before the commit; read as all above the last one seen."""

    def __init__(self, database: Database) -> None:
        self._database = database
        with connect(database) as connection:
            connection.execute("CREATE TABLE plain (id bigserial PRIMARY KEY, name text)")

    def write(self, name: str, before_commit: BeforeCommit) -> None:
        with connect(self._database) as connection, connection.transaction():
            connection.execute("INSERT INTO plain (name) VALUES (%s)", (name,))
            before_commit()

    def read(self, after: int) -> Sequence[tuple[int, str]]:
        with connect(self._database) as connection:
            return connection.execute(
                "SELECT id, name FROM plain WHERE id > %s ORDER BY id LIMIT 7", (after,)
            ).fetchall()


def tail(way: Way, done: Event) -> Iterator[tuple[int, str]]:
    """What a reader sees who goes on behind the last position, until all is done and read."""
    after = 0
    while True:
        all_written = done.is_set()
        found = way.read(after)
        yield from found
        if found:
            after = found[-1][0]
        elif all_written:
            return


def overtaken(way: Way) -> list[str]:
    """What a reader sees of two writers, the first of whom commits once the second has had time."""
    inserted, go_on, done = Event(), Event(), Event()

    def hold() -> None:
        inserted.set()
        assert go_on.wait(PATIENCE_SECONDS)

    with ThreadPoolExecutor(3) as threads:
        first = threads.submit(way.write, "first", hold)
        assert inserted.wait(PATIENCE_SECONDS)
        second = threads.submit(way.write, "second", lambda: None)
        reader = threads.submit(lambda: [name for _, name in tail(way, done)])
        with suppress(TimeoutError):
            second.result(timeout=0.5)
        time.sleep(0.1)
        go_on.set()
        first.result(PATIENCE_SECONDS)
        second.result(PATIENCE_SECONDS)
        done.set()
        return reader.result(PATIENCE_SECONDS)


def test_a_writer_who_commits_late_is_not_missed(recorder: LogRecorder) -> None:
    assert overtaken(Ours(recorder)) == ["first", "second"]


def test_one_would_be_missed_by_numbers_from_a_sequence(recorder: LogRecorder) -> None:
    assert overtaken(BySerial(recorder.datastore.database)) == ["second"]


def at_random(recorder: LogRecorder, database: Database, each: int, seed: int) -> None:
    """Writers with delays before commit, and rollbacks; one reader who never misses any."""
    done = Event()

    def write(writer: int) -> list[str]:
        factory = LogFactory(database)
        way, dice, written = Ours(factory.application_recorder()), random.Random(seed + writer), []

        def before_commit() -> None:
            if dice.random() < 0.5:
                time.sleep(dice.expovariate(500))
            if dice.random() < 0.2:
                raise RolledBack

        for number in range(each):
            name = f"{writer}-{number}"
            with suppress(RolledBack):
                way.write(name, before_commit)
                written.append(name)
        factory.close()
        return written

    with ThreadPoolExecutor(WRITERS + 1) as threads:
        reader = threads.submit(lambda: list(tail(Ours(recorder), done)))
        writers = [threads.submit(write, writer) for writer in range(WRITERS)]
        try:
            written = [name for writer in writers for name in writer.result()]
        finally:
            done.set()
        seen = reader.result(PATIENCE_SECONDS)
    assert [position for position, _ in seen] == list(range(1, len(written) + 1))
    assert sorted(name for _, name in seen) == sorted(written)
    assert 0 < len(written) < WRITERS * each
    again = Event()
    again.set()
    assert list(tail(Ours(recorder), again)) == seen


def test_a_reader_sees_every_committed_event_once(recorder: LogRecorder) -> None:
    at_random(recorder, recorder.datastore.database, each=40, seed=1)


@pytest.mark.drill
@pytest.mark.parametrize("seed", range(5))
def test_a_reader_sees_every_committed_event_once_for_long(
    recorder: LogRecorder, seed: int
) -> None:
    at_random(recorder, recorder.datastore.database, each=2_000, seed=seed)


def test_a_transaction_begun_after_another_committed_follows_it(recorder: LogRecorder) -> None:
    """Many rows and few ones, and commands that changed nothing, in one order."""
    rows = [(f"deal:{number}", 1, "note-added@1", b"{}") for number in range(500)]
    heads = [recorder.append(rows[:1]), recorder.append(rows[1:300]), recorder.append([])]
    heads += [recorder.append(rows[300:302]), recorder.append(rows[302:])]
    assert heads == [1, 300, 300, 302, 500]
    assert [(row[0], *row[1:3]) for row in recorder.feed(0, 1_000)] == [
        (number + 1, f"deal:{number}", 1) for number in range(500)
    ]
