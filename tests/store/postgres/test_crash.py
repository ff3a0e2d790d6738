"""Writers and servers are killed at any moment: nothing acknowledged is lost, nothing doubled."""

import signal
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest
from msgspec.structs import replace

from store.errors import StoreError, StoreUnavailable
from store.events.writing import Batch
from store.location import Location
from store.log import DealLog
from store.postgres.connections import connect
from store.postgres.recorder import FEW_ROWS, LogRecorder
from store.seals import merkle, tiles
from store.seals.merkle import leaf_hash
from store.seals.tiles import MissingHashes
from tests.contract.asking import notes
from tests.postgresql import Server, new_database
from tests.store.postgres.worker import held_up

WRITERS = 4
PATIENCE_SECONDS = 30


@pytest.mark.parametrize("count", [1, 300])
def test_a_writer_killed_between_insert_and_commit_leaves_nothing(
    log: DealLog, recorder: LogRecorder, count: int
) -> None:
    log.append([Batch("deal:d-1", 0, notes(2))])
    with (
        held_up(recorder.datastore.database, count) as worker,
        ThreadPoolExecutor(1) as threads,
    ):
        assert log.head() == 2
        waiting = threads.submit(log.append, [Batch("deal:d-1", 2, notes(1))])
        with pytest.raises(TimeoutError):
            waiting.result(timeout=0.3)
        worker.kill()
        killed_at = time.monotonic()
        assert waiting.result(PATIENCE_SECONDS) == 3
        assert time.monotonic() - killed_at < PATIENCE_SECONDS
    assert [found.event.stream for found in log.feed(0, 10)] == ["deal:d-1"] * 3


def test_tiles_that_a_crash_kept_from_being_written_are_made_by_who_reads_them(
    log: DealLog, recorder: LogRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [(f"deal:{number}", 1, "note-added@1", b"%d" % number) for number in range(1_000)]
    leaves = [leaf_hash(row[3]) for row in rows]
    recorder.append(rows[:600])
    assert recorder.tile(1, 0) == b"".join(
        merkle.perfect_root(b"".join(leaves[start : start + 256])) for start in (0, 256)
    )
    monkeypatch.setattr(recorder, "_fill_tiles", lambda: None)
    for start in range(600, 1_000, FEW_ROWS):
        recorder.append(rows[start : start + FEW_ROWS])
    assert recorder.tile(0, 2) is None
    assert recorder.edge() == (1_000 - 512, 513, 1_000)
    whole = merkle.root(1_000, lambda nodes: [_node(leaves, node) for node in nodes])
    assert tiles.root(log.records, 1_000) == whole
    assert recorder.tile(0, 2) == b"".join(leaves[512:768])
    assert recorder.leaves(512, 520) == leaves[512:520]
    assert recorder.leaves(768, 1_000) == leaves[768:]
    assert recorder.edge() == (1_000 - 768, 769, 1_000)


@pytest.mark.parametrize(
    "failure", [StoreUnavailable("the server went away", "Wait."), MissingHashes("a tile is gone")]
)
def test_an_append_is_done_though_its_tile_cannot_be_written(
    recorder: LogRecorder, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    def fail(*_: object) -> bool:
        raise failure

    rows = [("deal:a", 1 + at, "note-added@1", b"%d" % at) for at in range(300)]
    recorder.append(rows[:250])
    with monkeypatch.context() as patch:
        patch.setattr("store.postgres.recorder.write_tiles", fail)
        assert recorder.append(rows[250:]) == 300
        assert recorder.edge() == (300, 1, 300)
    assert recorder.tile(0, 0) == b"".join(leaf_hash(row[3]) for row in rows[:256])
    assert recorder.edge() == (44, 257, 300)


def test_many_events_take_along_the_tiles_that_are_missing(
    recorder: LogRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [("deal:a", 1 + at, "note-added@1", b"%d" % at) for at in range(1_000)]
    recorder.append(rows[:250])
    with monkeypatch.context() as patch:
        patch.setattr(recorder, "_fill_tiles", lambda: None)
        recorder.append(rows[250:300])
        assert recorder.edge() == (300, 1, 300)
        recorder.append(rows[300:])
        assert recorder.edge() == (1_000 - 768, 769, 1_000)
    leaves = [leaf_hash(row[3]) for row in rows]
    assert [recorder.tile(0, at) for at in range(3)] == [
        b"".join(leaves[start : start + 256]) for start in range(0, 768, 256)
    ]
    assert recorder.leaves(768, 1_000) == leaves[768:]


def test_a_tile_whose_leaves_are_gone_stays_missing(recorder: LogRecorder) -> None:
    rows = [("deal:a", 1 + at, "note-added@1", b"%d" % at) for at in range(260)]
    recorder.append(rows[:250])
    with connect(recorder.datastore.database) as connection:
        connection.execute("DELETE FROM edge WHERE position = 7")
    assert recorder.append(rows[250:]) == 260
    assert (recorder.tile(0, 0), recorder.edge().leaves) == (None, 259)
    with pytest.raises(MissingHashes):
        tiles.root(recorder, 260)


def _node(leaves: Sequence[bytes], node: merkle.Node) -> bytes:
    first = node.number << node.height
    return merkle.perfect_root(b"".join(leaves[first : first + (1 << node.height)]))


def write_until_stopped(log: DealLog, name: str, stop: Event) -> int:
    """Append again and again. Answers how many events were acknowledged."""
    acknowledged = 0
    while not stop.is_set():
        try:
            log.append([Batch(f"deal:{name}", acknowledged, notes(1))])
        except StoreError:
            return acknowledged
        acknowledged += 1
    return acknowledged


def crash(server: Server, log: DealLog, how: signal.Signals, number: int, seconds: float) -> None:
    """Kill the server while writers append; start it, and see that all is there."""
    head, stop = log.head(), Event()
    names = [f"w{number}-{writer}" for writer in range(WRITERS)]
    with ThreadPoolExecutor(WRITERS) as threads:
        writers = [threads.submit(write_until_stopped, log, name, stop) for name in names]
        time.sleep(seconds)
        server.stop(how)
        stop.set()
        acknowledged = [writer.result(PATIENCE_SECONDS) for writer in writers]
    with pytest.raises(StoreError, match="cannot be reached"):
        log.head()
    server.start()
    started_at = time.monotonic()
    feed = log.feed(head, 100_000)
    positions = [log.positions(f"deal:{name}") for name in names]
    assert time.monotonic() - started_at < PATIENCE_SECONDS
    assert [found.position for found in feed] == list(range(head + 1, head + len(feed) + 1))
    versions = [list(range(1, len(some) + 1)) for some in positions]
    assert [sorted(some) for some in positions] == versions
    assert sum(len(some) for some in positions) == len(feed) == log.head() - head
    for at_least, some in zip(acknowledged, positions, strict=True):
        assert len(some) in {at_least, at_least + 1}
    assert sum(acknowledged) > 0


def crash_again_and_again(server: Server, home: Path, times: int) -> None:
    database = replace(new_database(server.database), home=str(home))
    with DealLog.create(Location.around(database)) as log:
        for number in range(times):
            how = (signal.SIGKILL, signal.SIGQUIT)[number % 2]
            crash(server, log, how, number, 0.2 + number % 7 / 10)
        size = log.head()
        leaves = [leaf_hash(row[4]) for row in log.records.feed(0, size)]
        whole = merkle.root(size, lambda nodes: [_node(leaves, node) for node in nodes])
        assert tiles.root(log.records, size) == whole


def test_a_server_that_is_killed_loses_nothing_acknowledged(
    own_server: Server, tmp_path: Path
) -> None:
    crash_again_and_again(own_server, tmp_path, 2)


@pytest.mark.drill
def test_a_server_killed_again_and_again_loses_nothing_acknowledged(
    own_server: Server, tmp_path: Path
) -> None:
    crash_again_and_again(own_server, tmp_path, 20)
