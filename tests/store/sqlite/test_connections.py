"""The file of a log on SQLite: marked as ours, written durably, refused when it is not ours."""

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from eventsourcing.persistence import IntegrityError

from store.errors import StoreBusy, StoreError, StoreFull, StoreUnavailable
from store.events.writing import Batch
from store.location import Location
from store.log import DealLog
from store.sqlite import connections
from store.sqlite.connections import (
    APPLICATION_ID,
    LOG_SCHEMA,
    LogDatastore,
    make_durable,
    open_log,
)
from store.sqlite.recorder import LogRecorder
from tests.contract.asking import OPEN, intent, notes

NOBODY = 65_534


@pytest.fixture
def location(tmp_path: Path) -> Location:
    """A place for a store that is not there yet."""
    return Location.beside(tmp_path / "dealstate.db")


@pytest.fixture
def log(location: Location) -> Iterator[DealLog]:
    """A log with one event."""
    with DealLog.create(location) as log:
        log.handle("d-1", OPEN, intent("open"))
        yield log


def pragma(connection: sqlite3.Connection, name: str) -> Any:
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


def raw(path: Path) -> "closing[sqlite3.Connection]":
    """A plain connection, as another program would have it."""
    return closing(sqlite3.connect(path, isolation_level=None, timeout=0))


def datastore(log: DealLog) -> LogDatastore:
    assert isinstance(log.recorder, LogRecorder)
    return log.recorder.datastore


# Durability.


def test_every_connection_of_the_pool_is_durable(log: DealLog) -> None:
    pool = datastore(log).pool
    borrowed = [pool.get_connection() for _ in range(6)]
    for connection in borrowed:
        sqlite = connection.cursor().sqlite_cursor.connection
        assert pragma(sqlite, "journal_mode") == "wal"
        assert pragma(sqlite, "synchronous") == 2
        assert pragma(sqlite, "fullfsync") == 1
        assert pragma(sqlite, "checkpoint_fullfsync") == 1
        pool.put_connection(connection)


def test_a_log_that_left_wal_mode_is_brought_back(location: Location) -> None:
    DealLog.create(location).close()
    with raw(location.log) as other:
        assert pragma(other, "journal_mode = DELETE") == "delete"
    DealLog.open(location).close()
    with raw(location.log) as other:
        assert pragma(other, "journal_mode") == "wal"


def test_a_database_that_cannot_be_written_durably_is_refused() -> None:
    with (
        closing(sqlite3.connect(":memory:")) as memory,
        pytest.raises(StoreError, match="cannot be written durably"),
    ):
        make_durable(memory, Path("x.db"))


# What the file is.


def test_the_file_is_marked_as_a_log(location: Location) -> None:
    DealLog.create(location).close()
    with raw(location.log) as other:
        assert pragma(other, "application_id") == APPLICATION_ID
        assert pragma(other, "user_version") == LOG_SCHEMA
    assert location.log.read_bytes()[68:72] == b"Deal"


def test_a_missing_log_is_not_made_by_opening(location: Location) -> None:
    with pytest.raises(StoreError, match=r"there is no log at .*dealstate init"):
        DealLog.open(location)
    assert list(location.log.parent.iterdir()) == []


def test_a_folder_is_not_a_log(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no log"):
        DealLog.open(Location.beside(tmp_path))
    with pytest.raises(StoreError):
        DealLog.create(Location.beside(tmp_path))


def test_a_log_needs_its_folder(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"there is no folder .*nowhere"):
        DealLog.create(Location.beside(tmp_path / "nowhere" / "x.db"))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is not a log of dealstate"),
        (b"Opportunity,Stage\n1,Won\n" * 100, "is not a database"),
        (b"SQLite format 3\0" + b"\xff" * 4096, "is not a database"),
    ],
    ids=["empty", "text", "damaged header"],
)
def test_other_files_are_not_opened_nor_changed(
    location: Location, content: bytes, reason: str
) -> None:
    location.log.write_bytes(content)
    with pytest.raises(StoreError, match=reason):
        DealLog.open(location)
    assert location.log.read_bytes() == content
    assert list(location.log.parent.iterdir()) == [location.log]


def test_databases_of_other_programs_are_neither_opened_nor_changed(location: Location) -> None:
    with raw(location.log) as other:
        other.execute("CREATE TABLE theirs (x)")
    before = location.log.read_bytes()
    with pytest.raises(StoreError, match="is not a log of dealstate"):
        DealLog.open(location)
    with pytest.raises(StoreError, match="is a database of another kind"):
        DealLog.create(location)
    assert location.log.read_bytes() == before


@pytest.mark.parametrize(
    ("schema", "reason"),
    [(LOG_SCHEMA + 1, "written by a newer release.*Upgrade"), (0, "before the first release")],
)
def test_tables_of_another_version_are_not_opened(
    location: Location, schema: int, reason: str
) -> None:
    DealLog.create(location).close()
    with raw(location.log) as other:
        other.execute(f"PRAGMA user_version = {schema}")
    with pytest.raises(StoreError, match=reason):
        DealLog.open(location)


def test_a_log_is_not_made_twice(log: DealLog, location: Location) -> None:
    with pytest.raises(StoreError, match="is a log already"):
        DealLog.create(location)
    assert log.head() == 1


def test_what_a_crash_left_of_a_creation_is_taken_over(location: Location) -> None:
    location.log.touch()
    DealLog.create(location).close()
    DealLog.open(location).close()


def test_of_many_who_make_a_log_one_succeeds(location: Location) -> None:
    def make(_: int) -> bool:
        try:
            DealLog.create(location).close()
        except StoreError:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(make, range(6))) == [False] * 5 + [True]
    DealLog.open(location).close()


def test_who_comes_second_in_making_a_log_is_told_so(
    location: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overtaken(connection: sqlite3.Connection, path: Path) -> None:
        monkeypatch.setattr(connections, "make_durable", make_durable)
        make_durable(connection, path)
        DealLog.create(location).close()

    monkeypatch.setattr(connections, "make_durable", overtaken)
    with pytest.raises(StoreError, match="is a log already"):
        DealLog.create(location)


def test_names_are_not_read_as_urls(tmp_path: Path) -> None:
    location = Location.beside(tmp_path / "a?mode=memory#100%.db")
    DealLog.create(location).close()
    assert location.log.stat().st_size > 0


@pytest.mark.parametrize(("file_mode", "folder_mode"), [(0o444, 0o777), (0o666, 0o555)])
def test_a_log_that_may_not_be_written_says_so_when_opened(
    file_mode: int, folder_mode: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        location = Location.beside(Path(folder) / "dealstate.db")
        DealLog.create(location).close()
        location.log.chmod(file_mode)
        Path(folder).chmod(folder_mode)
        with as_nobody(), pytest.raises(StoreUnavailable, match="cannot be written by this user"):
            DealLog.open(location)
        Path(folder).chmod(0o755)


@contextmanager
def as_nobody() -> Iterator[None]:
    """Without the superuser's right to write everything."""
    superuser = os.geteuid() == 0
    if superuser:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if superuser:
            os.seteuid(0)


# Tables.


def test_positions_outlive_a_vacuum(log: DealLog, location: Location) -> None:
    log.append([Batch(f"deal:v-{n}", 0, notes(3)) for n in range(5)])
    before = log.feed(0, 100)
    with raw(location.log) as other:
        other.execute("VACUUM")
    assert log.feed(0, 100) == before


@pytest.mark.parametrize(
    "row",
    [
        (9, "deal:x", "one", "note-added@1", b"{}"),
        (9, "deal:x", 1, "note-added@1", "text"),
        (9, "deal:x", 1, "note-added@1", None),
        ("nine", "deal:x", 1, "note-added@1", b"{}"),
    ],
    ids=["version", "text", "null", "position"],
)
def test_the_tables_hold_values_of_their_types_only(
    log: DealLog, location: Location, row: tuple[object, ...]
) -> None:
    with raw(location.log) as other, pytest.raises(sqlite3.Error):
        other.execute("INSERT INTO stored_events VALUES (?, ?, ?, ?, ?)", row)
    assert log.head() == 1


# Trouble.


def test_a_full_disk_refuses_the_append_and_needs_no_repair(
    location: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    DealLog.create(location).close()
    pages = location.log.stat().st_size // 4096

    def small(path: Path) -> sqlite3.Connection:
        connection = open_log(path)
        connection.execute(f"PRAGMA max_page_count = {pages + 4}")
        return connection

    monkeypatch.setattr(connections, "open_log", small)
    with DealLog.open(location) as log:
        assert log.append([Batch("deal:d-1", 0, notes(1))]) == 1
        with pytest.raises(StoreFull, match="no room"):
            log.append([Batch("deal:d-2", 0, notes(500))])
        assert [found.position for found in log.feed(0, 10)] == [1]
        with pytest.raises(StoreFull):
            log.append([Batch("deal:d-2", 0, notes(500))])
    monkeypatch.setattr(connections, "open_log", open_log)
    with DealLog.open(location) as log:
        assert log.append([Batch("deal:d-2", 0, notes(500))]) == 501


def test_a_log_locked_by_another_program_is_busy_and_can_be_read(
    location: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "BUSY_TIMEOUT_SECONDS", 0.02)
    with DealLog.create(location) as log, raw(location.log) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusy, match="has been locked"):
            log.handle("d-1", OPEN, intent("open"))
        assert (log.head(), log.history("d-1").version) == (0, 0)
        other.execute("ROLLBACK")
        assert log.handle("d-1", OPEN, intent("open")).repeated is False


def test_a_thread_does_not_wait_for_ever_for_its_turn(
    log: DealLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "BUSY_TIMEOUT_SECONDS", 0.02)
    with ThreadPoolExecutor(1) as pool, log.records.transaction():
        blocked = pool.submit(log.append, [Batch("deal:d-2", 0, notes(1))])
        with pytest.raises(StoreBusy, match="Another thread"):
            blocked.result()
    assert log.append([Batch("deal:d-2", 0, notes(1))]) == 2


def test_reads_do_not_wait_for_a_long_write(log: DealLog) -> None:
    with log.records.transaction() as append:
        append([("deal:d-2", 1, "note-added@1", b"{}")])
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(log.head).result(timeout=5) == 1
    assert log.head() == 2


def test_too_many_readers_are_told_so(location: Location, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "BUSY_TIMEOUT_SECONDS", 0.02)
    monkeypatch.setattr(connections, "POOL_SIZE", 1)
    with DealLog.create(location) as log:
        reading = datastore(log).reading
        with (
            reading(),
            reading(),
            pytest.raises(StoreBusy, match="all 2 connections"),
        ):
            log.head()
        assert log.head() == 0


def test_a_damaged_file_says_so(location: Location) -> None:
    with DealLog.create(location) as log:
        log.append([Batch(f"deal:d-{n}", 0, notes(20)) for n in range(20)])
    with location.log.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xee" * 4096 * 8)
    with (
        pytest.raises(StoreError, match=r"is damaged.*Restore a backup"),
        DealLog.open(location) as log,
    ):
        log.feed(0, 1_000)


def test_a_closed_log_says_so(location: Location) -> None:
    log = DealLog.create(location)
    log.close()
    log.close()
    with pytest.raises(StoreError, match="was closed"):
        log.head()


NOTE = ("deal:d-2", 1, "note-added@1", b"{}")


def test_closing_waits_for_what_is_under_way_with_each_connection(location: Location) -> None:
    """SQLite ends the process where a connection is closed under a thread that uses it."""
    log = DealLog.create(location)
    log.head()
    with datastore(log).reading() as cursor:
        rows = cursor.execute("SELECT value FROM json_each('[1, 2, 3]')")
        assert next(rows)[0] == 1
        with ThreadPoolExecutor(1) as other:
            other.submit(log.close).result(30)
        assert [row[0] for row in rows] == [2, 3]
        with pytest.raises(StoreError, match="was closed"):
            log.head()
    with pytest.raises(sqlite3.ProgrammingError, match="closed database"):
        cursor.connection.execute("SELECT 1")
    # Whoever closes the last connection removes the write-ahead log.
    assert not location.log.with_name(f"{location.log.name}-wal").exists()


def test_a_write_that_is_under_way_when_the_log_is_closed_is_finished(location: Location) -> None:
    log = DealLog.create(location)
    with log.records.transaction() as append:
        append([NOTE])
        log.close()
    with DealLog.open(location) as log:
        assert log.head() == 1


def test_an_error_inside_a_transaction_takes_everything_back(log: DealLog) -> None:
    def write_and_fail() -> None:
        with log.records.transaction() as append:
            append([NOTE])
            raise ZeroDivisionError

    def write_with_a_gap() -> None:
        with log.records.transaction() as append:
            append([NOTE])
            append([("deal:d-2", 3, "note-added@1", b"{}")])

    with pytest.raises(ZeroDivisionError):
        write_and_fail()
    with pytest.raises(IntegrityError):
        write_with_a_gap()
    assert log.head() == 1
    assert log.append([Batch("deal:d-2", 0, notes(1))]) == 2
