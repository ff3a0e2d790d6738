"""What was read before an erasure is not shown after it, however the threads take turns."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from domain.history import ERASED, Fact, StreamKind
from domain.lifecycle.commands import AddNote
from domain.lifecycle.facts import NoteAdded
from domain.organisation import RegisterUnit
from store.events.fields import FieldCipher, KeyErased, Place
from store.forgetting.appearances import everywhere
from store.forgetting.erasure import erase
from store.location import Location
from store.log import DealLog
from store.streams import Streams
from tests.contract.asking import Ticking, intent
from tests.store.people import PERSON, WAITING, facts, told_log


@pytest.fixture
def location(tmp_path: Path) -> Location:
    return Location.beside(tmp_path / "x.db")


@pytest.fixture
def logs(location: Location) -> Iterator[tuple[DealLog, DealLog]]:
    """Two logs of one store, as two processes have them. Nothing is in their memory."""
    told_log(location).close()
    with DealLog.open(location, Ticking()) as ours, DealLog.open(location, Ticking()) as theirs:
        yield ours, theirs


def forget(log: DealLog) -> None:
    moment = log.now()
    erase(log, everywhere(log, [PERSON]), intent("e", now=moment, occurred_at=moment))


def meanwhile(
    monkeypatch: pytest.MonkeyPatch, owner: object, name: str, do: Callable[[], object]
) -> None:
    """Has `do` happen once, right after the next call of a method answers."""
    answer = getattr(owner, name)

    def overtaken(*args: Any, **more: Any) -> Any:
        monkeypatch.setattr(owner, name, answer)
        found = answer(*args, **more)
        do()
        return found

    monkeypatch.setattr(owner, name, overtaken)


@pytest.mark.parametrize("refreshed", [False, True], ids=["alone", "another thread refreshes"])
def test_a_history_that_was_read_before_is_not_kept_after(
    logs: tuple[DealLog, DealLog], monkeypatch: pytest.MonkeyPatch, *, refreshed: bool
) -> None:
    ours, theirs = logs

    def erased() -> None:
        forget(theirs)
        if refreshed:
            ours.history("d-2")

    meanwhile(monkeypatch, ours._streams, "select", erased)
    read = ours.history("d-1")
    assert read.events[7].fact == NoteAdded(ERASED)
    assert ours.history("d-1").deal.people.stakeholders[0].name == ERASED


def test_what_is_refused_on_what_was_forgotten_is_decided_again(
    logs: tuple[DealLog, DealLog],
) -> None:
    """Else the refusal could speak of somebody who was erased."""
    ours, theirs = logs
    ours.history("d-1")
    seen: list[Fact] = []

    def refused(streams: Streams) -> object:
        seen.append(streams.history("deal:d-1").events[7].fact)
        raise LookupError(str(seen[-1]))

    forget(theirs)
    with pytest.raises(LookupError, match=re.escape(ERASED)):
        ours._steadily(refused)
    assert seen == [NoteAdded(WAITING), NoteAdded(ERASED)]


def test_what_all_deals_share_is_read_again_where_it_was_changed_and_only_there(
    logs: tuple[DealLog, DealLog], monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = logs
    ours.handle("d-1", AddNote("One"), intent("one"))
    asked: list[str] = []
    names = ours.records.names

    def noted(kind: str) -> list[str]:
        asked.append(kind)
        return names(kind)

    monkeypatch.setattr(ours.records, "names", noted)
    ours.handle("d-1", AddNote("Two"), intent("two"))
    theirs.handle("d-2", AddNote("Three"), intent("three"))
    ours.handle("d-1", AddNote("Four"), intent("four"))
    assert asked == []
    theirs.configure(RegisterUnit("west", "West"), intent("unit"))
    ours.handle("d-1", AddNote("Five"), intent("five"))
    assert StreamKind.UNIT in asked
    assert set(ours.organisation().directory.units) == {"west"}


def test_events_are_read_again_where_somebody_was_erased_meanwhile(
    logs: tuple[DealLog, DealLog], monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = logs
    assert NoteAdded(WAITING) in facts(ours, "d-1")
    read = ours.records.rows_of

    def overtaken(streams: Any) -> Any:
        monkeypatch.setattr(ours.records, "rows_of", read)
        for row in read(streams):
            yield row
            if row[:2] == ("deal:d-2", 1):
                forget(theirs)

    monkeypatch.setattr(ours.records, "rows_of", overtaken)
    found = ours.events_of(["deal:d-1", "deal:d-2"], ours.visible)
    assert found["deal:d-1"][7].fact == NoteAdded(ERASED)


def test_a_key_that_was_found_before_is_not_kept_after() -> None:
    class Ring:
        generation = 1
        erased = False
        meanwhile: Callable[[], object] = staticmethod(lambda: None)

        def ensure(self, names: Any) -> dict[str, bytes]:
            return self.find(names)

        def find(self, names: Any) -> dict[str, bytes]:
            found = {} if self.erased else dict.fromkeys(names, bytes(32))
            self.meanwhile()
            return found

        def is_erased(self, names: Any) -> set[str]:
            return set(names) if self.erased else set()

        def is_lost(self, names: Any) -> set[str]:
            return set()

    ring = Ring()
    place = Place("deal:d-1", 1, "note-added", "text")
    closed = FieldCipher(ring).encrypt(place, ("a",), (), b'"x"', secret=False)
    cipher = FieldCipher(ring)

    def erase_and_refresh() -> None:
        ring.generation, ring.erased = 2, True
        cipher.refresh()

    ring.meanwhile = erase_and_refresh
    assert cipher.decrypt(place, closed).value == b'"x"'
    ring.meanwhile = lambda: None
    with pytest.raises(KeyErased):
        cipher.decrypt(place, closed)
