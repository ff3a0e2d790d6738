"""The customer's people of a Salesforce export."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from api.exchange.identity import Identity
from api.exchange.report import GapReport, Kind
from api.exchange.run import ImportOptions, System, run_import
from api.exchange.salesforce.contacts import PARTS
from domain.deal import violations
from domain.people.facts import (
    BuyingRole,
    ContactPoint,
    ContactPointKind,
    Power,
    StakeholderIdentified,
    StakeholderRevised,
)
from store.forgetting.appearances import everywhere
from tests.api.exchange.importing import Clock, Importer, histories, store, types
from tests.api.exchange.salesforce.contacts import (
    CONTACT,
    LOST,
    LOST_DEAL,
    OTHER_DEAL,
    PAT,
    PAT_ON_O1,
    ROLE,
    ROSE,
    ROSE_ON_O1,
    at,
    lines,
    of_people,
    on_map,
    people,
)
from tests.api.exchange.salesforce.test_deals import DEAL, ROWS, WON, WON_DEAL, export
from tests.shared_data import shared


def test_a_contact_with_a_role_is_a_stakeholder(importer: Importer) -> None:
    report = people(importer, ROSE_ON_O1)
    (event,) = of_people(importer)
    assert event.fact == StakeholderIdentified(
        "C1",
        "Rose Gonzalez",
        person=Identity("org").person("contact/C1"),
        title="CFO",
        department="Finance",
        roles=(BuyingRole.DECISION_MAKER,),
        powers=(Power.BUDGET,),
        contact_points=(
            ContactPoint(ContactPointKind.PHONE, "+1 512 757 6000"),
            ContactPoint(ContactPointKind.PHONE, "+1 512 757 9340"),
            ContactPoint(ContactPointKind.MAIL, "rose@edge.example"),
        ),
    )
    assert (event.occurred_at, event.known_at, event.inferred) == (at(5), at(5), False)
    assert report.counts.rows["Contact.csv"] == 2
    assert report.counts.rows["OpportunityContactRole.csv"] == 1


def test_one_contact_is_one_person_on_all_deals_of_a_source(importer: Importer) -> None:
    roles = (ROSE_ON_O1, ROSE_ON_O1.replace("R1,O1", "R2,O2"))
    people(importer, *roles, deals=(DEAL, OTHER_DEAL))
    first = on_map(importer)["C1"].person
    assert first is not None
    assert on_map(importer, "O2")["C1"].person == first
    assert [one.deal for one in everywhere(importer.log, [first]).appearances] == sorted(
        Identity("org").deal(deal) for deal in ("O1", "O2")
    )
    assert Identity("other").person("contact/C1") != first


def test_without_a_date_they_came_with_the_deal(importer: Importer) -> None:
    people(importer, "R1,O1,C1,Influencer", header="Id,OpportunityId,ContactId,Role")
    (event,) = of_people(importer)
    assert (event.occurred_at, event.inferred) == (at(1), True)


def test_whoever_came_before_the_deal_comes_with_it(importer: Importer) -> None:
    people(importer, ROSE_ON_O1.replace("2026-03-05", "2026-02-05"))
    (event,) = of_people(importer)
    assert (event.occurred_at, event.inferred) == (at(1), True)


@pytest.mark.parametrize(
    ("role", "roles", "powers"),
    [
        ("Business User", [BuyingRole.USER], []),
        ("Decision Maker", [BuyingRole.DECISION_MAKER], []),
        ("Economic Buyer", [BuyingRole.DECISION_MAKER], [Power.BUDGET]),
        ("Economic Decision Maker", [BuyingRole.DECISION_MAKER], [Power.BUDGET]),
        ("Evaluator", [BuyingRole.RECOMMENDER], []),
        ("Executive Sponsor", [BuyingRole.INFLUENCER], []),
        ("Influencer", [BuyingRole.INFLUENCER], []),
        ("Technical Buyer", [BuyingRole.RECOMMENDER], [Power.TECHNICAL_VETO]),
        ("Other", [], []),
        ("", [], []),
    ],
)
def test_every_role_of_salesforce_says_what_it_says(
    importer: Importer, role: str, roles: list[BuyingRole], powers: list[Power]
) -> None:
    report = people(importer, ROSE_ON_O1.replace("Economic Buyer", role))
    rose = on_map(importer)["C1"]
    assert (list(rose.roles), list(rose.powers)) == (roles, powers)
    assert report.of(Kind.UNKNOWN_CONTACT_ROLE) == []
    assert role.casefold() in PARTS


def test_a_role_of_their_own_is_told_and_left_unknown(importer: Importer) -> None:
    report = people(importer, ROSE_ON_O1.replace("Economic Buyer", "Champion"))
    assert on_map(importer)["C1"].roles == ()
    (entry,) = report.of(Kind.UNKNOWN_CONTACT_ROLE)
    assert (entry.file, entry.line, entry.deal) == ("OpportunityContactRole.csv", 2, "O1")
    assert "'Champion'" in entry.reason


def test_several_roles_of_one_contact_are_one_stakeholder(importer: Importer) -> None:
    user = ROSE_ON_O1.replace("R1", "R3").replace("Economic Buyer", "Business User")
    again = user.replace("R3", "R4")
    report = people(importer, ROSE_ON_O1, user.replace("-05T", "-03T"), again)
    (event,) = of_people(importer)
    assert event.occurred_at == at(3)
    assert on_map(importer)["C1"].roles == (BuyingRole.DECISION_MAKER, BuyingRole.USER)
    assert lines(report, Kind.DUPLICATE_CONTACT_ROLE) == [("O1", 4)]


# Lines of reporting.


def test_reporting_lines_within_the_deal(importer: Importer) -> None:
    people(importer, ROSE_ON_O1, PAT_ON_O1)
    assert on_map(importer)["C2"].reports_to == "C1"
    assert len(of_people(importer)) == 2


def test_a_boss_who_is_not_on_the_deal_is_left_out(importer: Importer) -> None:
    people(importer, PAT_ON_O1)
    assert on_map(importer)["C2"].reports_to is None


def test_a_boss_who_comes_later_is_reported_to_from_then_on(importer: Importer) -> None:
    people(importer, ROSE_ON_O1.replace("-05T", "-15T"), PAT_ON_O1)
    pat, rose, line = of_people(importer)
    assert (pat.fact, line.fact) == (
        StakeholderIdentified(
            "C2",
            "Pat Stumuller",
            person=Identity("org").person("contact/C2"),
            title="Assistant to Rose Gonzalez",
            roles=(BuyingRole.INFLUENCER,),
        ),
        StakeholderRevised("C2", reports_to="C1"),
    )
    assert (line.occurred_at, line.inferred) == (rose.occurred_at, True)
    importer.clock.move(days=1)
    assert export(importer, *ROWS).counts.deals_unchanged == 1


def test_a_circle_of_reporting_lines_is_opened_and_told(importer: Importer) -> None:
    rose = ROSE.replace(",,false", ",C2,false")
    report = people(importer, ROSE_ON_O1, PAT_ON_O1, contacts=(rose, PAT))
    assert {one.reports_to for one in on_map(importer).values()} == {None, "C2"}
    assert lines(report, Kind.UNSOUND) == [("O1", 3)]


# What cannot be used.


def test_rows_that_cannot_be_used_are_told(importer: Importer) -> None:
    report = people(
        importer,
        ROSE_ON_O1,
        ROSE_ON_O1,
        ROSE_ON_O1.replace("R1,O1", "R3,O9"),
        ROSE_ON_O1.replace("R1,O1,C1", "R4,O1,C9"),
        PAT_ON_O1.replace(",false", ",true").replace("R2", "R5"),
        PAT_ON_O1.replace("2026-03-12", "2026-03-32").replace("R2", "R6"),
        ROSE_ON_O1.replace("R1,O1,C1", "R7,O1,C3"),
        ROSE_ON_O1.replace("R1,O1,C1", "R8,O1,C4"),
        ROSE_ON_O1.replace("R1,O1,C1", "R9,O1,"),
        contacts=(ROSE, PAT, ROSE, "C3,,,Director,,,,,,false", "C4,Ann,Old,Director,,,,,,true"),
    )
    assert list(on_map(importer)) == ["C1"]
    assert [(e.file, e.line) for e in report.of(Kind.DUPLICATE_ID)] == [
        ("Contact.csv", 4),
        ("OpportunityContactRole.csv", 3),
    ]
    assert lines(report, Kind.CONTACT_ROLE_WITHOUT_DEAL) == [("O9", 4)]
    assert lines(report, Kind.CONTACT_ROLE_WITHOUT_CONTACT) == [
        ("O1", line) for line in (5, 8, 9, 10)
    ]
    assert [(e.file, e.line) for e in report.of(Kind.DELETED_ROW)] == [
        ("Contact.csv", 6),
        ("OpportunityContactRole.csv", 6),
    ]
    assert lines(report, Kind.IMPOSSIBLE_DATE) == [("O1", 7)]
    told = report.as_json()
    assert [word for word in ("C9", "C4", "Gonzalez", "Stumuller") if word in told] == []


def test_a_text_too_long_or_a_date_to_come_leaves_one_person_out(importer: Importer) -> None:
    long = PAT.replace("Assistant", "Assistant " * 100)
    late = ROSE_ON_O1.replace("R1,O1,C1", "R3,O1,C3").replace("2026", "2027")
    ann = "C3,Ann,Lee,Director,,,,,,false"
    report = people(importer, ROSE_ON_O1, PAT_ON_O1, late, contacts=(ROSE, long, ann))
    assert list(on_map(importer)) == ["C1"]
    assert lines(report, Kind.IMPOSSIBLE_VALUE) == [("O1", 3)]
    assert "Assistant" not in report.as_json()
    assert lines(report, Kind.IN_THE_FUTURE) == [("O1", 4)]


def test_contacts_without_roles_change_nothing(importer: Importer) -> None:
    importer.write("Contact.csv", f"{CONTACT}\n{ROSE}\n")
    report = export(importer, *ROWS)
    assert [entry.file for entry in report.of(Kind.FILE_NOT_READ)] == ["Contact.csv"]
    assert list(on_map(importer)) == []


def test_roles_without_contacts_are_told(importer: Importer) -> None:
    importer.write("OpportunityContactRole.csv", f"{ROLE}\n{ROSE_ON_O1}\n")
    report = export(importer, *ROWS)
    assert lines(report, Kind.CONTACT_ROLE_WITHOUT_CONTACT) == [("O1", 2)]


# Deals that have ended.


def test_whoever_came_after_a_win_came_then(importer: Importer) -> None:
    late = ROSE_ON_O1.replace("2026-03-05", "2026-04-05")
    people(importer, late, history=[*ROWS, WON], deals=(WON_DEAL,))
    assert [event.occurred_at for event in of_people(importer)] == [at(5, 4)]
    assert list(on_map(importer)) == ["C1"]
    report = people(importer, late, history=[*ROWS, WON], deals=(WON_DEAL,))
    assert report.counts.deals_unchanged == 1


def test_whoever_came_after_a_loss_is_entered_before_it(importer: Importer) -> None:
    late = ROSE_ON_O1.replace("2026-03-05", "2026-04-05")
    report = people(importer, late, history=[*ROWS, LOST], deals=(LOST_DEAL,))
    (event,) = of_people(importer)
    assert (event.occurred_at, event.inferred) == (at(1, 4), True)
    assert lines(report, Kind.CHANGED_AFTER_OUTCOME) == [("O1", 2)]
    assert list(on_map(importer)) == ["C1"]


def test_a_deal_that_ends_as_it_begins_ends_behind_its_people(importer: Importer) -> None:
    report = people(
        importer,
        "R1,O1,C1,Influencer",
        header="Id,OpportunityId,ContactId,Role",
        history=[LOST],
        deals=(LOST_DEAL,),
    )
    assert types(importer.histories()["O1"].events)[-2:] == [
        "stakeholder-identified",
        "opportunity-lost",
    ]
    assert lines(report, Kind.CHANGED_AFTER_OUTCOME) == []
    assert list(on_map(importer)) == ["C1"]


# A real organisation's contacts, with roles made up for its deals.


def test_contacts_of_a_real_export(tmp_path: Path) -> None:
    folder = tmp_path / "export"
    shutil.copytree(shared("salesforce_devorg"), folder)
    folder.chmod(0o700)
    deals = [f"006bm00000LKJN{tail}" for tail in ("NAA5", "PAA5", "TAA5")]
    contacts = ["003bm00000zapthAAA", "003bm00000zaptiAAA"]
    rows = [f"R{d}{c},{d},{c},Evaluator" for d in deals for c in contacts]
    text = "\n".join(["Id,OpportunityId,ContactId,Role", *rows, ""])
    (folder / "OpportunityContactRole.csv").write_text(text)
    clock = Clock()
    log = store(tmp_path, clock)

    def run() -> GapReport:
        options = ImportOptions(timezone="UTC")
        return run_import(log, [folder], System.SALESFORCE, "devorg", options, clock=clock)

    report = run()
    assert report.counts.rows["Contact.csv"] == 25
    found = histories(log)
    for history in found.values():
        assert violations(history.events, log.processes()) == []
    names = [[one.name for one in found[deal].deal.people.stakeholders] for deal in deals]
    assert names == [["Rose Gonzalez", "Sean Forbes"]] * 3
    assert run().counts.events == 0
    log.close()
