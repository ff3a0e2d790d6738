"""Whoever waits on a server that goes away waits for it to come back, and misses nothing."""

import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from store.errors import StoreError, StoreUnavailable
from store.events.writing import Batch
from store.location import Location
from store.log import DealLog
from store.postgres import waking
from store.postgres.connections import connect
from store.postgres.waking import ListeningWaker
from tests.contract.asking import notes
from tests.postgresql import Server, new_database

PATIENCE_SECONDS = 30.0
QUIET_SECONDS = 0.3

END_LISTENER = """
SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity
WHERE datname = current_database() AND query LIKE 'LISTEN %'
"""


@pytest.fixture
def waiting(log: DealLog) -> Iterator[ListeningWaker]:
    """A waker on the log, which nothing has ended yet."""
    assert log.location.database is not None
    with closing(ListeningWaker(log.location.database)) as waiting:
        assert not waiting.wait(QUIET_SECONDS)
        yield waiting


def quieten(waiting: ListeningWaker) -> None:
    give_up = time.monotonic() + PATIENCE_SECONDS
    while waiting.wait(QUIET_SECONDS):
        assert time.monotonic() < give_up, "it does not become quiet"


def test_what_is_appended_while_nobody_listens_ends_a_wait(
    log: DealLog, waiting: ListeningWaker
) -> None:
    with connect(waiting._database) as connection:
        assert len(connection.execute(END_LISTENER).fetchall()) == 1
    log.append([Batch("deal:d-1", 0, notes(1))])
    assert waiting.wait(PATIENCE_SECONDS)
    quieten(waiting)
    assert waiting._connection is not None
    log.append([Batch("deal:d-1", 1, notes(1))])
    assert waiting.wait(PATIENCE_SECONDS)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_server_that_comes_back_ends_a_wait(
    own_server: Server, tmp_path: Path, how: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waking, "RETRY_SECONDS", 0.05)
    database = replace(new_database(own_server.database), home=str(tmp_path))
    with (
        DealLog.create(Location.around(database)) as log,
        closing(ListeningWaker(database)) as waiting,
        ThreadPoolExecutor(1) as threads,
    ):
        assert not waiting.wait(0)
        own_server.stop(how)
        quieten(waiting)
        with pytest.raises(StoreUnavailable):
            log.head()
        wait = threads.submit(waiting.wait, PATIENCE_SECONDS)
        time.sleep(QUIET_SECONDS)
        assert not wait.done()
        own_server.start()
        assert wait.result()
        assert not waiting.wait(QUIET_SECONDS)
        log.append([Batch("deal:d-1", 0, notes(1))])
        assert waiting.wait(PATIENCE_SECONDS)


def test_a_wait_for_a_server_that_is_gone_is_ended_by_another_thread(
    own_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waking, "RETRY_SECONDS", PATIENCE_SECONDS)
    database = replace(new_database(own_server.database), home=str(tmp_path))
    with (
        DealLog.create(Location.around(database)),
        closing(ListeningWaker(database)) as waiting,
        ThreadPoolExecutor(1) as threads,
    ):
        own_server.stop(signal.SIGKILL)
        quieten(waiting)
        began_at = time.monotonic()
        wait = threads.submit(waiting.wait, PATIENCE_SECONDS)
        waiting.wake()
        assert wait.result()
        assert time.monotonic() - began_at < PATIENCE_SECONDS


def test_nobody_listens_to_a_log_that_is_not_there(location: Location) -> None:
    assert location.database is not None
    with pytest.raises(StoreError, match="there is no log at"):
        ListeningWaker(location.database)


def test_a_server_that_is_gone_without_a_word_is_noticed(waiting: ListeningWaker) -> None:
    assert waiting._connection is not None
    known = waiting._connection.info.get_parameters()
    assert (known["keepalives_idle"], known["keepalives_interval"]) == ("10", "5")


def test_the_url_says_otherwise_when_a_server_is_taken_for_gone(log: DealLog) -> None:
    assert log.location.database is not None
    database = replace(log.location.database, options=(("keepalives_idle", "60"),))
    with closing(ListeningWaker(database)) as waiting:
        assert waiting._connection is not None
        assert waiting._connection.info.get_parameters()["keepalives_idle"] == "60"
