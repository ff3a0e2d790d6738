"""A log that contradicts itself takes nothing in, and says what to do."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from domain.lifecycle.commands import AddNote
from store.errors import LogDamaged
from store.events.writing import Batch
from store.location import Location
from store.log import DealLog
from tests.contract.asking import OPEN, Ticking, intent, notes


@pytest.fixture
def location(tmp_path: Path) -> Location:
    location = Location.beside(tmp_path / "dealstate.db")
    with DealLog.create(location, Ticking()) as log:
        log.handle("d-1", OPEN, intent("open"))
        log.handle("d-1", AddNote("x"), intent("x"))
    return location


def done(location: Location, statement: str) -> None:
    with closing(sqlite3.connect(location.log, isolation_level=None)) as connection:
        connection.execute(statement)


def refused(log: DealLog) -> None:
    """Every way in tells of it, and nothing is recorded."""
    head, version = log.head(), log.records.version("deal:d-1")
    with pytest.raises(LogDamaged, match="dealstate audit fsck"):
        log.handle("d-1", AddNote("y"), intent("y"))
    with pytest.raises(LogDamaged, match="dealstate audit fsck"):
        log.append([Batch("deal:d-1", version, notes(1))])
    with pytest.raises(LogDamaged, match="dealstate audit fsck"):
        log.append_alone(lambda: [Batch("deal:d-1", version, notes(1))])
    assert log.head() == head


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM stored_events WHERE position = 2",
        "DELETE FROM edge WHERE position = 2",
        "DELETE FROM edge",
        "INSERT INTO edge VALUES (3, x'00')",
        "UPDATE stored_events SET position = 9 WHERE position = 2",
    ],
)
def test_events_and_hashes_that_end_apart_are_told(location: Location, statement: str) -> None:
    done(location, statement)
    with DealLog.open(location, Ticking()) as log:
        refused(log)


def test_a_trigger_that_swallows_events_is_told(location: Location) -> None:
    done(
        location,
        "CREATE TRIGGER swallow BEFORE INSERT ON stored_events"
        " WHEN NEW.originator_id = 'deal:d-1' BEGIN SELECT RAISE(IGNORE); END",
    )
    with DealLog.open(location, Ticking()) as log:
        refused(log)
        assert log.records.command("ann", "y") is None


def test_a_trigger_that_swallows_the_first_of_several_is_told(location: Location) -> None:
    done(
        location,
        "CREATE TRIGGER swallow BEFORE INSERT ON stored_events"
        " WHEN NEW.originator_version = 3 BEGIN SELECT RAISE(IGNORE); END",
    )
    with DealLog.open(location, Ticking()) as log:
        with pytest.raises(LogDamaged):
            log.append([Batch("deal:d-1", 2, notes(2))])
        assert log.head() == 2


def test_a_hash_of_the_next_event_in_the_way_is_told(location: Location) -> None:
    done(
        location,
        "CREATE TRIGGER doubled AFTER INSERT ON stored_events"
        " BEGIN INSERT INTO edge VALUES (NEW.position, x'00'); END",
    )
    with DealLog.open(location, Ticking()) as log:
        refused(log)
