"""People who were erased stay away, whatever later exports tell of them."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from api.exchange.report import Kind
from domain.history import ERASED
from domain.people.commands import EraseSubject
from store.keys.ring import KeyRing
from tests.api.exchange.importing import Importer
from tests.api.exchange.salesforce.contacts import (
    OTHER_DEAL,
    PAT_ON_O1,
    ROSE,
    ROSE_ON_O1,
    forget,
    is_on_disk,
    lines,
    on_map,
    people,
    tell,
    tells_nothing_of_rose,
)
from tests.api.exchange.salesforce.test_deals import DEAL


def test_the_erased_are_skipped_on_every_deal_of_later_imports(importer: Importer) -> None:
    people(importer, ROSE_ON_O1)
    forget(importer, "C1")
    head = importer.log.head()
    roles = (
        ROSE_ON_O1,
        ROSE_ON_O1.replace("Economic Buyer", "Champion").replace("R1,O1", "R3,O2"),
        PAT_ON_O1.replace("O1", "O2"),
    )
    importer.clock.move(days=1)
    report = people(importer, *roles, deals=(DEAL, OTHER_DEAL))
    assert lines(report, Kind.SKIPPED_ERASED) == [("O1", 2), ("O2", 3)]
    assert {entry.reason for entry in report.of(Kind.SKIPPED_ERASED)} == {"skipped: erased"}
    assert report.of(Kind.UNKNOWN_CONTACT_ROLE) == []
    assert report.kinds()[Kind.SKIPPED_ERASED] == 2
    tells_nothing_of_rose(report)
    assert importer.histories()["O1"].deal.people.stakeholders[0].name == ERASED
    assert list(on_map(importer, "O2")) == ["C2"]
    assert on_map(importer, "O2")["C2"].reports_to is None
    assert importer.log.head() > head
    assert is_on_disk(importer) == []


def test_a_changed_or_otherwise_written_contact_stays_erased(importer: Importer) -> None:
    long, short = "003bm00000zapthAAA", "003bm00000zapth"
    people(importer, ROSE_ON_O1.replace("C1", long), contacts=(ROSE.replace("C1", long),))
    forget(importer, short)
    head = importer.log.head()
    for written in (long, short):
        contact = ROSE.replace("C1", written).replace("CFO", "Director")
        report = people(importer, ROSE_ON_O1.replace("C1", written), contacts=(contact,))
        assert lines(report, Kind.SKIPPED_ERASED) == [("O1", 2)]
        assert importer.log.head() == head


def test_a_dry_run_skips_them_too(importer: Importer) -> None:
    people(importer, ROSE_ON_O1)
    forget(importer, "C1")
    report = people(importer, ROSE_ON_O1, dry_run=True)
    assert lines(report, Kind.SKIPPED_ERASED) == [("O1", 2)]


def test_the_same_contact_of_another_source_is_another_person(importer: Importer) -> None:
    people(importer, ROSE_ON_O1)
    forget(importer, "C1")
    report = people(importer, ROSE_ON_O1, source="other")
    assert report.of(Kind.SKIPPED_ERASED) == []
    assert report.counts.deals == 1


def test_a_text_that_named_them_is_not_recorded_once_more(importer: Importer) -> None:
    people(importer, ROSE_ON_O1, PAT_ON_O1)
    forget(importer, "C1")
    assert on_map(importer)["C2"].title == ERASED
    report = people(importer, ROSE_ON_O1, PAT_ON_O1)
    assert report.counts.events == 0
    assert on_map(importer)["C2"].title == ERASED
    assert on_map(importer)["C2"].reports_to == "C1"


def test_a_new_text_with_their_full_name_is_left_out(importer: Importer) -> None:
    people(importer, ROSE_ON_O1)
    forget(importer, "C1")
    importer.clock.move(days=1)
    report = people(importer, ROSE_ON_O1, PAT_ON_O1)
    assert on_map(importer)["C2"].title == ERASED
    assert on_map(importer)["C2"].name == "Pat Stumuller"
    reasons = [entry.reason for entry in report.of(Kind.SKIPPED_ERASED)]
    assert reasons == ["skipped: erased", "left out a text: it names somebody who was erased"]
    tells_nothing_of_rose(report)
    assert people(importer, ROSE_ON_O1, PAT_ON_O1).counts.events == 0


def test_somebody_erased_on_one_deal_alone_is_left_alone_there(importer: Importer) -> None:
    people(importer, ROSE_ON_O1)
    tell(importer, EraseSubject("C1"))
    head = importer.log.head()
    report = people(importer, ROSE_ON_O1, contacts=(ROSE.replace("CFO", "Director"),))
    assert importer.log.head() == head
    assert lines(report, Kind.SKIPPED_ERASED) == [("O1", 2)]
    tells_nothing_of_rose(report)


def test_an_erasure_between_asking_and_appending_breaks_no_import(
    importer: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    people(importer, ROSE_ON_O1)
    ask = KeyRing.is_erased

    def too_early(ring: KeyRing, names: Collection[str]) -> set[str]:
        monkeypatch.setattr(KeyRing, "is_erased", ask)
        found = ring.is_erased(names)
        forget(importer, "C1")
        return found

    monkeypatch.setattr(KeyRing, "is_erased", too_early)
    roles = (ROSE_ON_O1, ROSE_ON_O1.replace("R1,O1", "R3,O2"))
    report = people(importer, *roles, deals=(DEAL, OTHER_DEAL))
    assert lines(report, Kind.SKIPPED_ERASED) == [("O1", 2), ("O2", 3)]
    assert list(on_map(importer, "O2")) == []
    tells_nothing_of_rose(report)
