"""A log that is opened without its keys shows what is public, and takes nothing in."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from domain.access import EVERYTHING, PUBLIC_ONLY
from domain.lifecycle.commands import AddNote
from domain.lifecycle.facts import NoteAdded
from store.errors import StoreError
from store.events.writing import Batch
from store.keys.absent import NONE, KeysAbsent
from store.location import Location
from store.log import DealLog
from tests.contract.asking import OPEN, OPENED, Ticking, draft, intent


@pytest.fixture
def location(tmp_path: Path) -> Location:
    """A log with a deal and a note, whose keys are lost."""
    location = Location.beside(tmp_path / "deals.db")
    with DealLog.create(location, Ticking()) as log:
        log.handle("d-1", OPEN, intent("open"))
        log.handle("d-1", AddNote("The keys are gone."), intent("note"))
    location.keys.unlink()
    (tmp_path / "deals.key").unlink()
    return msgspec.structs.replace(location, encryption=NONE)


@pytest.fixture
def log(location: Location) -> Iterator[DealLog]:
    with DealLog.open(location, Ticking()) as log:
        yield log


def test_what_is_public_is_read_and_the_rest_is_hidden(log: DealLog) -> None:
    opened, note = log.history("d-1", EVERYTHING).events
    assert opened.fact == OPENED
    assert note.fact == NoteAdded("[hidden]")
    assert log.visible == PUBLIC_ONLY
    assert [event.fact for event in log.events_in("deal:d-1")] == [opened.fact, note.fact]


def test_nothing_is_recorded(log: DealLog) -> None:
    with pytest.raises(KeysAbsent, match="without its keys"):
        log.handle("d-1", AddNote("One more"), intent("more"))
    with pytest.raises(KeysAbsent):
        log.append([Batch("deal:d-2", 0, [draft(OPENED)])])
    assert log.head() == 2


def test_whatever_else_needs_keys_says_so(log: DealLog, tmp_path: Path) -> None:
    for ask in (log.keys.describe, lambda: log.keys.copy_to(tmp_path / "copy")):
        with pytest.raises(KeysAbsent, match="--kek"):
            ask()


def test_a_log_that_is_not_there_is_still_missed(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no log"):
        DealLog.open(Location.beside(tmp_path / "none.db", NONE))
