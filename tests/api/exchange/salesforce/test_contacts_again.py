"""People who are told of once more, later or otherwise."""

from __future__ import annotations

import pytest

from api.exchange.report import Kind
from domain.corrections import WithdrawEvent
from domain.people.commands import IdentifyStakeholder, ReviseStakeholder
from domain.people.facts import (
    StakeholderRevised,
)
from tests.api.exchange.importing import Importer
from tests.api.exchange.salesforce.contacts import (
    LOST,
    LOST_DEAL,
    OTHER_DEAL,
    PAT,
    PAT_ON_O1,
    ROSE,
    ROSE_ON_O1,
    at,
    lines,
    of_people,
    on_map,
    people,
    tell,
)
from tests.api.exchange.salesforce.test_deals import DEAL, ROWS, export


def test_a_second_import_adds_nothing(importer: Importer) -> None:
    people(importer, ROSE_ON_O1, PAT_ON_O1)
    head = importer.log.head()
    importer.clock.move(days=3)
    report = people(importer, PAT_ON_O1, ROSE_ON_O1, contacts=(PAT, ROSE))
    assert importer.log.head() == head
    assert (report.counts.deals_unchanged, report.counts.events) == (1, 0)


@pytest.mark.parametrize(
    ("history", "deal"), [(ROWS, DEAL), ([*ROWS, LOST], LOST_DEAL), ([LOST], LOST_DEAL)]
)
def test_people_who_are_told_of_later_go_to_their_true_time(
    importer: Importer, history: list[str], deal: str
) -> None:
    export(importer, *history, deals=(deal,))
    importer.clock.move(days=1)
    report = people(importer, ROSE_ON_O1, PAT_ON_O1, history=history, deals=(deal,))
    assert report.of(Kind.CONFLICT) == []
    assert on_map(importer)["C2"].reports_to == "C1"
    late = {"rose": at(5), "pat": at(12)} if history[0] == ROWS[0] else {"both": at(1, 4)}
    assert {event.occurred_at for event in of_people(importer)} == set(late.values())
    again = people(importer, ROSE_ON_O1, PAT_ON_O1, history=history, deals=(deal,))
    assert (again.counts.deals_unchanged, again.counts.events) == (1, 0)


def test_a_changed_contact_is_revised_on_every_deal_known_from_the_import_on(
    importer: Importer,
) -> None:
    roles = (ROSE_ON_O1, ROSE_ON_O1.replace("R1,O1", "R2,O2"))
    both = (DEAL, OTHER_DEAL)
    people(importer, *roles, deals=both)
    now = importer.clock.move(days=2)
    promoted = ROSE.replace("CFO", "Director").replace("rose@", "r.gonzalez@")
    report = people(importer, *roles, contacts=(promoted, PAT), deals=both)
    for deal in ("O1", "O2"):
        event = of_people(importer, deal)[-1]
        assert isinstance(event.fact, StakeholderRevised)
        assert (event.fact.title, event.known_at, event.inferred) == ("Director", now, True)
        assert on_map(importer, deal)["C1"].contact_points[-1].value == "r.gonzalez@edge.example"
    reasons = {entry.reason for entry in report.of(Kind.ROW_CHANGED)}
    assert reasons == {"the contact changed: title, contact points"}
    assert people(importer, *roles, contacts=(promoted, PAT), deals=both).counts.events == 0


def test_several_changed_contacts_of_one_deal(importer: Importer) -> None:
    people(importer, ROSE_ON_O1, PAT_ON_O1)
    changed = (ROSE.replace("CFO", "Director"), PAT.replace(",C1,", ",,"))
    people(importer, ROSE_ON_O1, PAT_ON_O1, contacts=changed)
    assert on_map(importer)["C1"].title == "Director"
    assert on_map(importer)["C2"].reports_to is None
    assert len({event.command_id for event in of_people(importer)}) == 4


def test_columns_and_rows_that_are_missing_later_change_nothing(importer: Importer) -> None:
    people(importer, ROSE_ON_O1, PAT_ON_O1)
    slim = people(
        importer,
        "R2,O1,C2",
        header="Id,OpportunityId,ContactId",
        contacts=("C2,Pat Stumuller",),
        contact_header="Id,Name",
    )
    assert (slim.counts.deals_unchanged, slim.counts.events) == (1, 0)


def test_a_changed_contact_leaves_a_lost_deal_as_it_is(importer: Importer) -> None:
    people(importer, ROSE_ON_O1, history=[*ROWS, LOST], deals=(LOST_DEAL,))
    head = importer.log.head()
    contacts = (ROSE.replace("CFO", "Director"),)
    report = people(
        importer, ROSE_ON_O1, contacts=contacts, history=[*ROWS, LOST], deals=(LOST_DEAL,)
    )
    assert importer.log.head() == head
    assert lines(report, Kind.STAKEHOLDER_STANDS) == [("O1", 2)]


def test_an_end_that_moves_before_them_moves_them_too(importer: Importer) -> None:
    late = ROSE_ON_O1.replace("2026-03-05", "2026-03-28")
    people(importer, late, history=[*ROWS, LOST], deals=(LOST_DEAL,))
    sooner = LOST.replace("2026-04-01T", "2026-03-25T")
    deal = LOST_DEAL.replace("2026-04-01T", "2026-03-25T")
    for _ in range(2):
        importer.clock.move(days=1)
        report = people(importer, late, history=[*ROWS, sooner], deals=(deal,))
    assert report.counts.events == 0
    assert importer.deal("O1").life.closed_at == at(25)
    assert list(on_map(importer)) == ["C1"]


def test_what_users_changed_stays_until_the_source_changes_it(importer: Importer) -> None:
    people(importer, ROSE_ON_O1)
    tell(importer, ReviseStakeholder("C1", title="Head of finance"))
    importer.clock.move(days=1)
    people(importer, ROSE_ON_O1, contacts=(ROSE.replace("Finance", "Treasury"),))
    rose = on_map(importer)["C1"]
    assert (rose.title, rose.department) == ("Head of finance", "Treasury")


def test_whom_users_withdrew_stays_away(importer: Importer) -> None:
    people(importer, ROSE_ON_O1)
    tell(importer, WithdrawEvent(of_people(importer)[0].version, "not hers"))
    report = people(importer, ROSE_ON_O1)
    assert (list(on_map(importer)), report.counts.events) == ([], 0)


def test_a_stakeholder_whom_users_gave_that_id_stays(importer: Importer) -> None:
    export(importer, *ROWS)
    tell(importer, IdentifyStakeholder("C1", "Somebody else"))
    report = people(importer, ROSE_ON_O1)
    assert on_map(importer)["C1"].name == "Somebody else"
    assert lines(report, Kind.CONFLICT) == [("O1", 2)]


def test_what_changed_of_the_deal_is_not_told_of_its_people(importer: Importer) -> None:
    late = ROSE_ON_O1.replace("2026-03-05", "2026-04-05")
    people(importer, late)
    report = people(importer, late, deals=(DEAL.replace("Press", "Big press"),))
    assert [entry.file for entry in report.of(Kind.ROW_CHANGED)] == ["OpportunityHistory.csv"]


def test_a_new_boss_whom_users_withdrew_does_not_hold_up_the_rest(importer: Importer) -> None:
    pat = PAT.replace(",C1,", ",,")
    people(importer, ROSE_ON_O1, PAT_ON_O1, contacts=(ROSE, pat))
    tell(importer, WithdrawEvent(of_people(importer)[0].version, "not hers"))
    report = people(
        importer, ROSE_ON_O1, PAT_ON_O1, contacts=(ROSE, PAT.replace("Assistant to", "Deputy of"))
    )
    known = on_map(importer)["C2"]
    assert (known.title, known.reports_to) == ("Deputy of Rose Gonzalez", None)
    assert report.of(Kind.CONFLICT) == []
