"""Connections are durable or refused, replaced when lost, and their errors say what to do."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import psycopg
import pytest
from eventsourcing.persistence import IntegrityError
from msgspec.structs import replace

from domain.refusals import VersionConflict
from store import opening
from store.errors import NotStorable, StoreBusy, StoreError, StoreFull, StoreUnavailable
from store.events.writing import Batch
from store.location import Location
from store.log import DealLog
from store.postgres import connections
from store.postgres.address import Database
from store.postgres.connections import connect
from store.postgres.errors import translation, unreachable
from store.postgres.recorder import LogRecorder
from tests.contract.asking import Ticking, notes

END_ALL = """
SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


def of(location: Location) -> Database:
    assert location.database is not None
    return location.database


def test_every_connection_commits_synchronously(log: DealLog) -> None:
    with connect(of(log.location)) as connection:
        for name in ("synchronous_commit", "fsync", "full_page_writes"):
            assert connection.execute(f"SHOW {name}".encode()).fetchone() == ("on",)
        shown = connection.execute("SHOW transaction_isolation").fetchone()
        assert shown == ("read committed",)


@pytest.mark.parametrize(
    ("name", "value"),
    [("synchronous_commit", "off"), ("default_transaction_isolation", "serializable")],
)
def test_a_connection_that_cannot_be_made_durable_is_refused(
    location: Location, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setitem(connections._SETTINGS, name, value)
    with pytest.raises(StoreError, match=f"cannot be written durably \\({name} = {value}\\)"):
        connect(of(location))


def test_settings_of_the_url_do_not_weaken_a_connection(location: Location) -> None:
    options = (("options", "-c synchronous_commit=off -c work_mem=5MB"),)
    with connect(replace(of(location), options=options)) as connection:
        assert connection.execute("SHOW synchronous_commit").fetchone() == ("on",)
        assert connection.execute("SHOW work_mem").fetchone() == ("5MB",)


def test_a_log_is_not_made_twice(log: DealLog) -> None:
    with pytest.raises(StoreError, match="is a log already"):
        DealLog.create(log.location)


def test_a_missing_log_is_not_made_by_opening(location: Location) -> None:
    assert not opening.exists(location)
    with pytest.raises(StoreError, match="there is no log at"):
        DealLog.open(location)
    assert not opening.exists(location)


def test_of_many_who_make_a_log_one_succeeds(location: Location) -> None:
    barrier = Barrier(4)

    def make(_: int) -> bool:
        barrier.wait()
        try:
            connections.create(of(location), {"id": "x"})
        except StoreError as error:
            told.append(error.message)
            return False
        return True

    told: list[str] = []
    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(make, range(4))) == [False, False, False, True]
    assert all("is a log already" in message for message in told)


def test_a_schema_of_something_else_is_left_alone(location: Location) -> None:
    database = of(location)
    with connect(database) as connection:
        connection.execute(f'CREATE SCHEMA "{database.schema}"'.encode())
        connection.execute("CREATE TABLE theirs ()")
    with pytest.raises(StoreError, match="in use by something else"):
        DealLog.create(location)


@pytest.mark.parametrize(
    ("tables", "reason"), [("99", "written by a newer release"), ("0", "unknown version 0")]
)
def test_tables_of_another_release_are_refused(log: DealLog, tables: str, reason: str) -> None:
    database = of(log.location)
    with connect(database) as connection:
        mark = f"""COMMENT ON SCHEMA "{database.schema}" IS 'dealstate log {tables}'"""
        connection.execute(mark.encode())
    with pytest.raises(StoreError, match=reason):
        DealLog.open(log.location)


def test_logs_in_two_schemas_are_apart(postgres: Database, location: Location) -> None:
    odd = replace(of(location), schema='We ird"; \\x')
    with (
        DealLog.create(location, Ticking()) as one,
        DealLog.create(Location.around(odd), Ticking()) as other,
    ):
        one.append([Batch("deal:d-1", 0, notes(1))])
        assert (one.head(), other.head()) == (1, 0)
        assert one.location.keys != other.location.keys
    with connect(postgres) as connection:
        connection.execute('DROP SCHEMA "We ird""; \\x" CASCADE')


def test_connections_that_the_server_closed_are_replaced(log: DealLog) -> None:
    log.append([Batch("deal:d-1", 0, notes(1))])
    with connect(of(log.location)) as connection:
        connection.execute(END_ALL)
    assert log.append([Batch("deal:d-1", 1, notes(1))]) == 2


def test_a_transaction_whose_connection_is_lost_leaves_nothing(
    log: DealLog, recorder: LogRecorder
) -> None:

    def append_and_lose_the_connection() -> None:
        with recorder.transaction() as append:
            append([("deal:d-1", 1, "note-added@1", b"{}")])
            with connect(of(log.location)) as connection:
                connection.execute(END_ALL)

    with pytest.raises(StoreUnavailable, match="cannot be used: the server was stopped") as caught:
        append_and_lose_the_connection()
    assert "under the same command id" in caught.value.advice
    assert log.head() == recorder.head() == 0
    assert recorder.append([("deal:d-1", 1, "note-added@1", b"{}")]) == 1


def test_who_stands_still_with_the_log_is_given_up(
    location: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connections._SETTINGS, "idle_in_transaction_session_timeout", "100ms")
    with DealLog.create(location) as log:

        def stand_still() -> None:
            with log.records.transaction() as append:
                append([("deal:d-1", 1, "note-added@1", b"{}")])
                time.sleep(0.5)

        with pytest.raises(StoreUnavailable, match="stood still"):
            stand_still()
        assert log.head() == 0


def test_a_log_that_is_written_for_too_long_is_busy(
    location: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connections._SETTINGS, "lock_timeout", "50ms")
    inside, go_on = Event(), Event()
    with DealLog.create(location) as log:

        def hold() -> None:
            with log.records.transaction():
                inside.set()
                go_on.wait(30)

        with ThreadPoolExecutor(1) as threads:
            holding = threads.submit(hold)
            assert inside.wait(30)
            with pytest.raises(StoreBusy, match="another program has been writing"):
                log.append([Batch("deal:d-1", 0, notes(1))])
            assert log.head() == 0
            go_on.set()
            holding.result(30)
        assert log.append([Batch("deal:d-1", 0, notes(1))]) == 1


def test_who_has_the_log_reads_over_the_same_connection(
    location: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "CONNECTIONS", 1)
    monkeypatch.setattr(connections, "BUSY_TIMEOUT_SECONDS", 0.05)
    with DealLog.create(location) as log:
        with log.records.transaction() as append:
            append([("deal:d-1", 1, "note-added@1", b"{}")])
            assert log.head() == 1
            with ThreadPoolExecutor(1) as threads:
                reading = threads.submit(log.head)
                with pytest.raises(StoreBusy, match="all 1 connections"):
                    reading.result(30)
        assert log.head() == 1


def test_a_closed_log_says_so(log: DealLog) -> None:
    log.head()
    log.close()
    with pytest.raises(StoreError, match="was closed"):
        log.head()


def test_a_text_with_nul_is_refused_and_bytes_are_kept(recorder: LogRecorder) -> None:
    with pytest.raises(NotStorable, match="0x00"):
        recorder.append([("deal:a\0b", 1, "note-added@1", b"{}")])
    many = [(f"deal:{number}\0", 1, "note-added@1", b"{}") for number in range(100)]
    with pytest.raises(NotStorable, match="0x00"):
        recorder.append(many)
    assert recorder.head() == 0
    assert recorder.append([("deal:d-1", 1, "note-added@1", b"a\0b")]) == 1
    assert recorder.rows("deal:d-1")[0][3] == b"a\0b"


def test_versions_without_gap(log: DealLog, recorder: LogRecorder) -> None:
    for few, many in ((1, 2), (60, 70)):
        start = recorder.version("deal:d-1")
        refused = [(1, few), (start + 2, few), (1, many), (start + 2, many), (0, 1), (-3, 70)]
        for first, count in refused if start else refused[1:2]:
            rows = [("deal:d-1", first + n, "note-added@1", b"{}") for n in range(count)]
            with pytest.raises(IntegrityError):
                recorder.append(rows)
        recorder.append(
            [("deal:d-1", start + 1 + n, "note-added@1", b"{}") for n in range(few + many)]
        )
    assert recorder.version("deal:d-1") == recorder.head() == 133
    with pytest.raises(VersionConflict):
        log.append([Batch("deal:d-2", 1, notes(1))])


def test_a_place_without_a_server_says_so(location: Location) -> None:
    nowhere = replace(of(location), host=of(location).home)
    with pytest.raises(StoreUnavailable, match="cannot be reached") as caught:
        DealLog.open(Location.around(nowhere))
    assert caught.value.advice == "Check that the server runs and can be reached from here."


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"name": "nowhere"}, "there is no database"),
        ({"user": "nobody"}, "does not know this user"),
        ({"options": (("nonsense", "1"),)}, "nonsense"),
    ],
)
def test_a_wrong_url_says_what_is_wrong(
    location: Location, changes: dict[str, str], reason: str
) -> None:
    wrong = replace(of(location), password="hunter2", **changes)
    with pytest.raises(StoreError, match=reason) as caught:
        connect(wrong)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("error", "expected", "reason"),
    [
        (psycopg.errors.DiskFull(), StoreFull, "no room"),
        (psycopg.errors.SerializationFailure(), StoreBusy, "came in between"),
        (psycopg.errors.DeadlockDetected(), StoreBusy, "waited for each other"),
        (psycopg.errors.TooManyConnections(), StoreBusy, "no connection left"),
        (psycopg.errors.QueryCanceled(), StoreBusy, "took too long"),
        (psycopg.errors.InsufficientPrivilege(), StoreUnavailable, "GRANT CREATE ON DATABASE"),
        (psycopg.errors.ReadOnlySqlTransaction(), StoreUnavailable, "only reads"),
        (psycopg.errors.CannotConnectNow(), StoreUnavailable, "starting or stopping"),
        (psycopg.errors.IoError(), StoreUnavailable, "cannot be read or written"),
        (psycopg.errors.DataCorrupted(), StoreError, "damaged"),
        (psycopg.errors.ConnectionFailure(), StoreUnavailable, "cannot be reached"),
        (psycopg.errors.UniqueViolation(), IntegrityError, ""),
        (psycopg.errors.SyntaxError("x"), StoreError, "x"),
        (psycopg.OperationalError("the connection is lost"), StoreUnavailable, "is lost"),
    ],
    ids=lambda value: getattr(type(value), "__name__", ""),
)
def test_errors_of_the_server_are_ours(
    error: psycopg.Error, expected: type[Exception], reason: str
) -> None:
    found = translation(error, Database("deals"))
    assert type(found) is expected
    assert reason in str(found)


@pytest.mark.parametrize(
    ("said", "expected", "reason"),
    [
        ('FATAL:  password authentication failed for user "ann"', StoreError, "refuses ann"),
        ("fe_sendauth: no password supplied", StoreError, "refuses ann"),
        ("FATAL:  sorry, too many clients already", StoreBusy, "no connection left"),
        ("FATAL:  the database system is starting up", StoreUnavailable, "starting up"),
    ],
)
def test_refusals_to_connect_are_ours(said: str, expected: type[StoreError], reason: str) -> None:
    found = unreachable(psycopg.OperationalError(said), Database("deals", user="ann"))
    assert type(found) is expected
    assert reason in str(found)
