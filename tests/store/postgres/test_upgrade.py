"""A log whose tables are of an earlier version is brought up to date when it is opened."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier

import pytest

from store.errors import StoreError
from store.events.writing import Batch
from store.fsck.check import check
from store.fsck.findings import Kind
from store.location import Location
from store.log import DealLog
from store.postgres import connections, tables
from store.postgres.connections import connect
from store.postgres.statements import SELECT_OBJECTS
from store.waking import waker
from tests.contract.asking import notes

FIRST_APPEND = Path(__file__).with_name("append_1.sql")
"""The function of tables of version 1."""

PATIENCE_SECONDS = 30.0
WIDE = 100


@pytest.fixture
def old(log: DealLog) -> Location:
    """A log of tables of version 1 with one event."""
    log.append([Batch("deal:d-1", 0, notes(1))])
    assert log.location.database is not None
    with connect(log.location.database) as connection:
        connection.execute("DROP FUNCTION append")
        connection.execute("DROP FUNCTION append_one")
        connection.execute(FIRST_APPEND.read_bytes())
        mark = f"""COMMENT ON SCHEMA "{log.location.database.schema}" IS 'dealstate log 1'"""
        connection.execute(mark.encode())
    return log.location


def version(location: Location) -> int | None:
    assert location.database is not None
    with connect(location.database) as connection:
        return connections._schema(connection, location.database)[0]


def test_an_old_log_is_used_as_a_new_one(old: Location) -> None:
    assert version(old) == 1
    with DealLog.open(old) as log:
        assert version(old) == tables.SCHEMA_VERSION
        assert log.records.foreign() == []
        with closing(waker(old)) as waiting:
            assert not waiting.wait(0)
            log.append([Batch("deal:d-1", 1, notes(1))])
            assert waiting.wait(PATIENCE_SECONDS)
        assert [one.event.version for one in log.feed(0, 10)] == [1, 2]


def objects(location: Location) -> set[tuple[str, ...]]:
    assert location.database is not None
    with connect(location.database) as connection:
        return {tuple(row) for row in connection.execute(SELECT_OBJECTS)}


TAMPERED = FIRST_APPEND.read_text().replace(
    "RETURN _head", "DELETE FROM edge WHERE position = 1; RETURN _head"
)
QUIET = (
    "CREATE TRIGGER hush BEFORE UPDATE ON edge"
    " EXECUTE FUNCTION suppress_redundant_updates_trigger()"
)
ANOTHER = "is not one of the log"
NOT_AS_MADE = "is not as it was made"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            TAMPERED.replace("CREATE", "CREATE OR REPLACE", 1),
            [f"the function append {ANOTHER}", f"the function append {NOT_AS_MADE}"],
        ),
        (
            "CREATE FUNCTION append() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            [f"the function append {ANOTHER}"],
        ),
        (
            "CREATE FUNCTION append_one() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            [f"the function append_one {ANOTHER}"],
        ),
        (
            QUIET,
            [f"the trigger hush {ANOTHER}"],
        ),
        ("CREATE TABLE more ()", [f"the table more {ANOTHER}"]),
    ],
)
def test_an_old_log_that_somebody_changed_stays_as_it_is(
    old: Location, change: str, told: list[str]
) -> None:
    assert old.database is not None
    with connect(old.database) as connection:
        connection.execute(change.encode())
    found = objects(old)
    with pytest.raises(StoreError, match="changed by somebody") as refusal:
        DealLog.open(old)
    assert all(one in refusal.value.message for one in told)
    with DealLog.open(old, doubtful_too=True) as log:
        assert log.doubt is not None
        assert log.doubt.message == refusal.value.message
        assert log.records.foreign() == told
        problems = check(log.records, log.keys).problems
        assert [one.what for one in problems if one.kind is Kind.TABLES] == told
    assert version(old) == 1
    assert objects(old) == found


def test_of_many_who_open_an_old_log_one_changes_it(old: Location) -> None:
    barrier = Barrier(4)
    assert old.database is not None
    database = old.database

    def open_it(_: int) -> bool:
        barrier.wait()
        with connections.open_log(database) as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(open_it, range(4)))
    assert version(old) == tables.SCHEMA_VERSION


def test_a_log_that_cannot_be_changed_stays_as_it_was(
    old: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = tables.changes

    def refused(schema: str) -> list[object]:
        return [*real(schema), "SELECT 1 / 0"]

    monkeypatch.setattr(connections, "changes", refused)
    with pytest.raises(StoreError, match="division by zero"):
        DealLog.open(old)
    assert version(old) == 1
    monkeypatch.undo()
    with DealLog.open(old) as log:
        log.append([Batch("deal:d-1", 1, notes(WIDE))])
