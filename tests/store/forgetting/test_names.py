"""Texts with the full name of somebody erased are refused on their deals, and nowhere else."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.history import ERASED
from domain.lifecycle.commands import AddNote
from domain.lifecycle.facts import NoteAdded
from domain.people.commands import IdentifyStakeholder, ReviseStakeholder
from domain.refusals import PersonErased
from store.events.writing import Batch
from store.forgetting.appearances import everywhere
from store.forgetting.erasure import Mention, erase, survey
from store.forgetting.known import erase_again, erasures_of
from store.keys.ring import KeyRing
from store.keys.sources import parse_source
from store.location import Location
from store.log import DealLog
from store.recorder import Standing
from tests.contract.asking import OPEN, Ticking, draft, intent
from tests.store.forgetting.test_erasure import Killed, killed_at, now
from tests.store.people import NAME, PERSON, facts, tell, told_log


@pytest.fixture
def location(tmp_path: Path) -> Location:
    return Location.beside(tmp_path / "x.db")


@pytest.fixture
def log(location: Location) -> Iterator[DealLog]:
    with told_log(location) as log:
        yield log


@pytest.mark.parametrize("step", ["begun", "finished"])
def test_their_full_name_is_not_recorded_any_more(log: DealLog, step: str) -> None:
    with pytest.raises(Killed):
        erase(log, everywhere(log, [PERSON]), now(log), at=killed_at(step))
    head = log.head()
    for deal in ("d-1", "d-2"):
        with pytest.raises(PersonErased):
            log.handle(deal, AddNote(f"nadja  李娜 rang from {deal}"), intent(f"late-{deal}"))
    with pytest.raises(PersonErased):
        log.append([Batch("deal:d-1", head - 4, [draft(NoteAdded(NAME))])])
    assert log.head() == head


def test_other_texts_and_other_deals_are_as_before(log: DealLog) -> None:
    erase(log, everywhere(log, [PERSON]), now(log))
    tell(log, (("d-1", AddNote("Wang Wei rang")), ("d-1", AddNote("Nadja rang"))), "more")
    tell(log, (("d-3", OPEN), ("d-3", AddNote(NAME))), "other")
    assert facts(log, "d-3")[1] == NoteAdded(NAME)


def test_a_namesake_who_is_on_the_deal_may_be_spoken_of(log: DealLog) -> None:
    erase(log, everywhere(log, [PERSON]), now(log))
    tell(log, (("d-1", IdentifyStakeholder("other", NAME)), ("d-1", AddNote(NAME))), "more")
    assert facts(log, "d-1")[-1] == NoteAdded(NAME)


def test_a_restored_key_store_refuses_it_too(log: DealLog, location: Location) -> None:
    copy = location.keys.with_name("copy.keys.db")
    log.keys.copy_to(copy)
    erase(log, everywhere(log, [PERSON]), now(log))
    with KeyRing.open(copy, parse_source(location.encryption), log.now) as ring:
        erase_again(ring, [erasures_of(log.keys)], ())
        assert ring.lengths_of_erased_names("deal:d-1") == {3}
        assert ring.has_erased_name("deal:d-1", ["nadja 李 娜"])
        assert not ring.has_erased_name("deal:d-3", ["nadja 李 娜"])


def test_the_report_of_a_later_erasure_still_lists_texts_with_the_name(log: DealLog) -> None:
    erase(log, everywhere(log, [PERSON]), now(log))
    again = survey(log, everywhere(log, [PERSON]))
    assert again.mentions == (Mention("d-1", 2, "note-added", "text"),)


@pytest.mark.parametrize(
    "text", [f"{NAME} rang", "They wait for Nadja"], ids=["full name", "a part of it"]
)
def test_a_command_that_lost_its_race_against_an_erasure_is_refused(
    log: DealLog, location: Location, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    with DealLog.open(location, Ticking()) as theirs:
        append = log.records.append

        def overtaken(*rows: object) -> int:
            monkeypatch.setattr(log.records, "append", append)
            erase(theirs, everywhere(theirs, [PERSON]), now(theirs))
            return append(*rows)  # type: ignore[arg-type]

        monkeypatch.setattr(log.records, "append", overtaken)
        with pytest.raises(PersonErased):
            log.handle("d-1", AddNote(text), intent("late"))
    assert NoteAdded(text) not in facts(log, "d-1")[8:]


def test_an_erasure_between_reading_and_writing_is_noticed(
    log: DealLog, location: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    with DealLog.open(location, Ticking()) as theirs:
        history = log._streams.history

        def overtaken(stream: str, standing: Standing) -> object:
            monkeypatch.setattr(log._streams, "history", history)
            found = history(stream, standing)
            erase(theirs, everywhere(theirs, [PERSON]), now(theirs))
            return found

        monkeypatch.setattr(log._streams, "history", overtaken)
        with pytest.raises(PersonErased):
            log.handle("d-1", ReviseStakeholder("wang", title=f"after {NAME}"), intent("late"))
    assert facts(log, "d-1")[2].name == ERASED  # type: ignore[attr-defined]
