"""Erasing people and backing up, on every kind of store."""

from pathlib import Path

import pytest

from domain.history import ERASED
from domain.lifecycle.commands import SetWinPlan
from domain.people.commands import ReviseStakeholder
from domain.people.facts import StakeholderIdentified
from domain.refusals import PersonErased
from store.backups.backup import back_up
from store.backups.comparing import Wanted
from store.backups.restore import restore
from store.forgetting.appearances import everywhere, named
from store.forgetting.erasure import erase
from store.location import Location
from store.log import DealLog
from store.notary import Notary
from store.seals import tiles
from store.seals.verify import Trust, verify_text
from tests.contract.asking import OPEN, Ticking, intent
from tests.store.people import GONE, NAME, PERSON, PLACES, TOLD, facts, tell


@pytest.fixture
def told(log: DealLog) -> DealLog:
    """A log in which all that was recorded."""
    tell(log)
    return log


def forget(log: DealLog) -> None:
    moment = log.now()
    (person,) = named(log, NAME)
    assert person == everywhere(log, [PERSON])
    assert person.appearances == PLACES
    done = erase(log, person, intent("erase", now=moment, occurred_at=moment), "asked by letter")
    assert done.gone == GONE
    assert (done.appended, done.keys, done.commands) == (2, 1, 6)


def is_forgotten(log: DealLog) -> bool:
    fact = facts(log, "d-1")[2]
    assert isinstance(fact, StakeholderIdentified)
    return fact.name == ERASED == log.history("d-1").deal.people.stakeholders[0].name


def test_an_erased_person_is_forgotten_and_proofs_hold(told: DealLog) -> None:
    notary = Notary(told.records, told.keys, told.now)
    notary.checkpoint()
    receipt = notary.receipt("deal:d-1", 3)
    with DealLog.open(told.location, Ticking()) as other:
        other.history("d-1")
        forget(told)
        assert is_forgotten(told)
        assert is_forgotten(other)
        with pytest.raises(PersonErased):
            other.handle("d-1", ReviseStakeholder("nadja", name="Nadja"), intent("late"))
    notary.checkpoint()
    trust = Trust(tuple(notary.verifier_keys()))
    verify_text(receipt, trust)
    verify_text(notary.consistency(len(TOLD), told.head()), trust)


def test_a_backup_is_restored_to_files_with_the_same_root(told: DealLog, tmp_path: Path) -> None:
    saved = back_up(told, tmp_path / "b")
    assert (saved.events, saved.root) == (len(TOLD), tiles.root(told.records, len(TOLD)))
    forget(told)
    place = Location.beside(tmp_path / "y.db", told.location.encryption)
    done = restore(Wanted(saved.log, saved.keys), place, told.now)
    assert (done.events, done.root) == (saved.events, saved.root)
    with DealLog.open(place, Ticking()) as log:
        assert log.records.feed(0, 100) == told.records.feed(0, len(TOLD))
        assert not is_forgotten(log)
        assert (
            log.handle("d-1", ReviseStakeholder("nadja", title="Director"), intent("new")).version
            == 9
        )
        repeated = told.records.command("ann", "told-0")
        assert log.records.command("ann", "told-0") == repeated


def test_commands_that_changed_nothing_are_cleared_by_stream(log: DealLog) -> None:
    for deal in ("d-1", "d-2"):
        log.handle(deal, OPEN, intent(f"{deal}-open"))
        log.handle(deal, SetWinPlan("x"), intent(f"{deal}-x"))
        log.handle(deal, SetWinPlan("x"), intent(f"{deal}-again"))
    assert log.head() == 4
    assert log.records.clear_fingerprints([("deal:d-1", 2)], ["deal:d-1"]) == 2
    cleared = {row.command_id for row in log.records.commands() if row.fingerprint is None}
    assert cleared == {"d-1-x", "d-1-again"}
    assert log.records.clear_fingerprints([("deal:d-1", 2)], ["deal:d-1"]) == 0
