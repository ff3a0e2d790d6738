"""Workers: they keep up, share a store, are replaced when killed, and outlast what fails."""

import logging
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest
from msgspec.structs import replace

from projections import deals
from projections.engine import working
from projections.engine.checkpoints import Checkpoint, read_checkpoints
from projections.engine.keeping_up import catch_up
from projections.engine.leases import (
    VANISHED_SECONDS,
    AllModels,
    LeaseLost,
    SessionLeases,
    open_leases,
)
from projections.engine.models import MODELS
from projections.engine.rebuilding import rebuild
from projections.engine.working import STOP_SECONDS, Worker
from projections.models import Rows, Told
from projections.views import NotBuilt, Views, open_views
from store.errors import StoreBusy
from store.location import Location
from store.log import DealLog
from store.postgres.address import Database
from store.postgres.connections import connect
from store.postgres.tables import lock_id
from store.tail import Tail
from store.waking import waker
from tests.projections.stores import append_deals, make_log, opened_store, rows_of
from tests.shared_data import REPOSITORY

PATIENCE_SECONDS = 20.0
MOVED_SECONDS = 10.0
"""The promise: so soon the models of a killed worker are another one's."""


def until(holds: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> float:
    """Wait for something. Answers how long it took."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < seconds, "it does not come about"
        time.sleep(0.005)
    return time.monotonic() - began


def checkpoints(views: Views) -> list[Checkpoint]:
    """Where the models stand, which this does not change."""
    try:
        with views.reading() as connection:
            return read_checkpoints(connection)
    except NotBuilt:
        return []


def positions(views: Views) -> set[int]:
    return {one.position for one in checkpoints(views)}


# One worker.


def test_it_keeps_up_and_stops(log: DealLog, views: Views, tail: Tail) -> None:
    append_deals(log, 3)
    with Worker(views, tail):
        until(lambda: positions(views) == {log.head()})
        append_deals(log, 3, 3)
        until(lambda: positions(views) == {log.head()})
        began = time.monotonic()
    assert time.monotonic() - began < STOP_SECONDS
    append_deals(log, 3, 6)
    time.sleep(0.2)
    assert log.head() not in positions(views)


class _Slow:
    """A model that takes its time."""

    NAME, VERSION, TABLES, REPLACED_BY = deals.NAME, deals.VERSION, deals.TABLES, deals.REPLACED_BY

    def rows(self, told: Told) -> Rows:
        time.sleep(0.01)
        return deals.rows(told)


def test_it_stops_between_two_batches(
    log: DealLog, views: Views, tail: Tail, monkeypatch: pytest.MonkeyPatch
) -> None:
    catch_up(views, tail)
    append_deals(log, 200)
    monkeypatch.setattr(working, "_BATCH_EVENTS", 3)
    worker = Worker(views, tail, [_Slow()]).start()
    until(lambda: max(positions(views)) > 3)
    began = time.monotonic()
    worker.stop()
    assert time.monotonic() - began < STOP_SECONDS
    assert worker.has_ended
    assert max(positions(views)) < log.head()


def test_what_fails_is_told_once_and_tried_again(
    log: DealLog, views: Views, tail: Tail, caplog: pytest.LogCaptureFixture
) -> None:
    failures = iter([StoreBusy("it is locked", "Wait."), StoreBusy("it is locked", "Wait.")])

    class Failing(AllModels):
        def take(self) -> Any:
            for failure in failures:
                raise failure
            return super().take()

    append_deals(log, 1)
    with caplog.at_level(logging.INFO), Worker(views, tail, leases=Failing(MODELS)):
        until(lambda: positions(views) == {log.head()})
        until(lambda: "goes on" in caplog.messages)
    assert caplog.messages.count(
        "cannot go on, and tries again: StoreBusy: it is locked. Wait."
    ) == 1  # fmt: skip


def test_a_fault_of_the_program_does_not_end_it(
    log: DealLog, views: Views, tail: Tail, caplog: pytest.LogCaptureFixture
) -> None:
    faults = iter([ZeroDivisionError("a fault")])

    def waking() -> Any:
        for fault in faults:
            raise fault
        return waker(tail.location)

    append_deals(log, 1)
    with Worker(views, tail, waking=waking):
        until(lambda: positions(views) == {log.head()})
    assert "ZeroDivisionError: a fault" in caplog.text
    assert "Traceback" in caplog.text


def test_maintenance_goes_on_beside_it_and_may_fail(
    views: Views, tail: Tail, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(working, "_MAINTAIN_SECONDS", 0.01)
    done = threading.Semaphore(0)

    def fail() -> None:
        done.release()
        raise ValueError("no room")

    with Worker(views, tail, maintain=[fail]):
        for _ in range(3):
            assert done.acquire(timeout=PATIENCE_SECONDS)
    assert caplog.text.count("maintenance failed, and is tried again: no room") == 1


def test_stopping_waits_for_maintenance_too(
    views: Views, tail: Tail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(working, "_MAINTAIN_SECONDS", 0.01)
    begun = threading.Event()
    done: list[bool] = []

    def maintain() -> None:
        begun.set()
        time.sleep(0.2)
        done.append(True)

    with Worker(views, tail, maintain=[maintain]) as worker:
        assert begun.wait(PATIENCE_SECONDS)
    assert (worker.has_ended, done) == (True, [True])


def test_what_does_not_end_is_not_waited_for_and_ends_in_silence(
    location: Location, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(working, "STOP_SECONDS", 0.05)
    begun, goes_on = threading.Event(), threading.Event()

    class Held(_Slow):
        def rows(self, told: Told) -> Rows:
            begun.set()
            assert goes_on.wait(PATIENCE_SECONDS)
            return deals.rows(told)

    with caplog.at_level(logging.WARNING), opened_store(location) as (log, views):
        catch_up(views, Tail(log))
        append_deals(log, 1)
        with Worker(views, Tail(log), [Held()]) as worker:
            assert begun.wait(PATIENCE_SECONDS)
        held = not worker.has_ended
        views.close()
        log.close()
        goes_on.set()
        until(lambda: worker.has_ended)
    assert held
    assert caplog.messages == []


def test_what_is_parked_is_told_once(
    log: DealLog,
    views: Views,
    tail: Tail,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    original = deals.rows

    def rows(told: Told) -> Rows:
        if told.identifier == "d-1":
            raise ValueError("not this one")
        return original(told)

    monkeypatch.setattr(deals, "rows", rows)
    with Worker(views, tail):
        until(lambda: bool(positions(views)))
        append_deals(log, 2)
        until(lambda: "parked" in caplog.text)
        append_deals(log, 1, 2)
        until(lambda: positions(views) == {log.head()})
    assert caplog.text.count("deal:d-1 is parked in deals: ValueError: not this one") == 1


# Leases, on PostgreSQL.


@pytest.fixture
def database(postgres: Database, tmp_path: Path) -> Database:
    """Where leases are taken: a schema of its own, without a log."""
    return replace(postgres, schema=f"s_{token_hex(6)}", home=str(tmp_path))


@pytest.fixture
def on_server(database: Database) -> Iterator[tuple[DealLog, Views]]:
    with opened_store(Location.around(database)) as store:
        yield store


def held(leases: SessionLeases) -> list[str]:
    return [model.NAME for model in leases.take()]


NAMES = [model.NAME for model in MODELS]


def test_the_first_has_all_and_the_next_takes_over(database: Database) -> None:
    with closing(SessionLeases(database, MODELS)) as second:
        with closing(SessionLeases(database, MODELS)) as first:
            assert (held(first), held(second)) == (NAMES, [])
            assert (held(first), held(second)) == (NAMES, [])
        until(lambda: held(second) == NAMES)


def test_workers_for_some_models_leave_the_others(database: Database) -> None:
    with (
        closing(SessionLeases(database, MODELS[:1])) as some,
        closing(SessionLeases(database, MODELS)) as all_of_them,
    ):
        assert (held(some), held(all_of_them)) == (NAMES[:1], NAMES[1:])


def test_they_take_leases_in_turns_so_that_one_gets_all(database: Database) -> None:
    with (
        closing(SessionLeases(database, MODELS)) as leases,
        connect(database) as another,
        ThreadPoolExecutor(1) as pool,
    ):
        with another.transaction():
            turn = lock_id("leases", database.schema)
            another.execute("SELECT pg_advisory_xact_lock(%s)", (turn,))
            taking = pool.submit(held, leases)
            assert wait([taking], timeout=0.3).done == set()
        assert taking.result(PATIENCE_SECONDS) == NAMES


def end_session(database: Database, leases: SessionLeases) -> None:
    """As the server does when the machine of the worker does not answer any more."""
    assert leases._session is not None
    with connect(database) as other:
        pid = leases._session.info.backend_pid
        other.execute("SELECT pg_terminate_backend(%s, 10000)", (pid,))


def test_who_lost_the_session_takes_leases_anew(database: Database) -> None:
    with closing(SessionLeases(database, MODELS)) as leases:
        held(leases)
        end_session(database, leases)
        assert held(leases) == NAMES


def test_who_lost_the_session_does_not_write(
    on_server: tuple[DealLog, Views], database: Database
) -> None:
    log, views = on_server
    tail = Tail(log)
    catch_up(views, tail)
    before = positions(views)
    append_deals(log, 1)
    with closing(SessionLeases(database, MODELS)) as leases:
        held(leases)
        end_session(database, leases)
        with pytest.raises(LeaseLost):
            catch_up(views, tail, check=leases.check)
        assert positions(views) == before
        held(leases)
        catch_up(views, tail, check=leases.check)
        assert positions(views) == {log.head()}


def test_a_worker_outlasts_the_end_of_all_sessions(
    on_server: tuple[DealLog, Views], database: Database
) -> None:
    """As when the server is restarted."""
    log, views = on_server
    with Worker(views, Tail(log)):
        until(lambda: positions(views) == {log.head()})
        with connect(database) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        append_deals(log, 2)
        with closing(open_views(log.location)) as others:
            until(lambda: positions(others) == {log.head()})


def test_the_session_of_leases_ends_soon_when_its_machine_vanishes(database: Database) -> None:
    """What the server was told. On a socket of its own machine it answers 0, and needs none."""
    with closing(SessionLeases(database, MODELS)) as leases:
        held(leases)
        assert leases._session is not None
        values = leases._session.execute(
            "SELECT current_setting('tcp_keepalives_idle')::int"
            " + current_setting('tcp_keepalives_interval')::int"
            " * current_setting('tcp_keepalives_count')::int,"
            " current_setting('idle_session_timeout')"
        ).fetchone()
    local = not database.host or database.host.startswith("/")
    assert values == (0 if local else VANISHED_SECONDS, "0")


def test_on_sqlite_every_worker_has_all(tmp_path: Path) -> None:
    assert open_leases(Location.beside(tmp_path / "deals.db"), MODELS).take() == MODELS


# Processes.


class Process:
    """`dealstate worker` in a process of its own."""

    def __init__(self, location: Location) -> None:
        command = [sys.executable, "-c", "from api.cli.entry import main; main()"]
        self.popen = subprocess.Popen(
            [*command, "--db", str(location), "worker"],
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.popen.stdout is not None
        with self.popen.stdout as lines:
            for line in lines:
                self.lines.append(line)

    def says(self, text: str) -> bool:
        return any(text in line for line in list(self.lines))

    def is_ready(self) -> bool:
        assert self.popen.poll() is None, self.lines
        return self.says("keeps up to date") or self.says("stands by")

    def moved(self, views: Views) -> bool:
        """Whether this process was the last to move some model."""
        pid = str(self.popen.pid)
        return any(one.moved_by.rpartition(":")[2] == pid for one in checkpoints(views))

    def end(self) -> None:
        with suppress(ProcessLookupError):
            self.popen.kill()
        self.popen.wait()
        self._reader.join()


@contextmanager
def processes(location: Location, count: int) -> Iterator[list[Process]]:
    found = [Process(location) for _ in range(count)]
    try:
        for one in found:
            until(one.is_ready)
        yield found
    finally:
        for one in found:
            one.end()


@contextmanager
def being_written(log: DealLog) -> Iterator[None]:
    """While commands are appended all the time."""
    stop = threading.Event()

    def write() -> None:
        number = 1_000
        while not stop.wait(0.02):
            append_deals(log, 1, number)
            number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        stop.set()
        writer.join()


def replaced(views: Views, workers: list[Process]) -> float:
    """Kill the worker that reads on; answers after how many seconds another one does."""
    until(lambda: any(one.moved(views) for one in workers))
    [working, *_] = [one for one in workers if one.moved(views)]
    working.end()
    workers.remove(working)
    stood = max(positions(views))

    def moved() -> bool:
        return min(positions(views)) > stood and any(one.moved(views) for one in workers)

    return until(moved, MOVED_SECONDS)


def equals_a_rebuild(views: Views, tail: Tail) -> bool:
    """Nothing twice, nothing missed."""
    catch_up(views, tail)
    live = rows_of(views)
    rebuild(views, tail, workers=1)
    return rows_of(views) == live


def test_a_killed_worker_is_replaced_while_others_append(location: Location) -> None:
    with (
        closing(make_log(location)) as log,
        closing(open_views(location)) as views,
        processes(location, 2) as workers,
    ):
        append_deals(log, 5)
        with being_written(log):
            replaced(views, workers)
            time.sleep(0.3)
        until(lambda: positions(views) == {log.head()})
        workers[0].popen.send_signal(signal.SIGINT)
        assert workers[0].popen.wait(PATIENCE_SECONDS) == 0
        until(lambda: workers[0].says("stops"))
        assert equals_a_rebuild(views, Tail(log))


@pytest.mark.drill
def test_workers_are_killed_one_after_the_other_under_load(location: Location) -> None:
    with (
        closing(make_log(location)) as log,
        closing(open_views(location)) as views,
        being_written(log),
    ):
        for _ in range(5):
            with processes(location, 4) as workers:
                while len(workers) > 1:
                    replaced(views, workers)
    with closing(DealLog.open(location)) as log, closing(open_views(location)) as views:
        assert equals_a_rebuild(views, Tail(log))
