"""Rose and Pat, contacts of a Salesforce export, and ways to import, look and forget."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from api.exchange.identity import Identity
from api.exchange.report import GapReport, Kind
from domain.access import Principal, Role
from domain.deal import DealCommand, DealEvent, violations
from domain.intent import Intent
from domain.people.facts import (
    StakeholderIdentified,
    StakeholderRevised,
)
from domain.people.people import Stakeholder
from store.forgetting.appearances import everywhere
from store.forgetting.erasure import erase
from tests.api.exchange.importing import Importer
from tests.api.exchange.salesforce.test_deals import DEAL, ROWS, WON, WON_DEAL, export

CONTACT = "Id,FirstName,LastName,Title,Department,Phone,MobilePhone,Email,ReportsToId,IsDeleted"
ROSE = "C1,Rose,Gonzalez,CFO,Finance,+1 512 757 6000,+1 512 757 9340,rose@edge.example,,false"
PAT = "C2,Pat,Stumuller,Assistant to Rose Gonzalez,,,,,C1,false"
ROLE = "Id,OpportunityId,ContactId,Role,IsPrimary,CreatedDate,IsDeleted"
ROSE_ON_O1 = "R1,O1,C1,Economic Buyer,true,2026-03-05T08:00:00Z,false"
PAT_ON_O1 = "R2,O1,C2,Influencer,false,2026-03-12T08:00:00Z,false"
OTHER_DEAL = DEAL.replace("O1", "O2")
LOST = WON.replace("Closed Won", "Closed Lost").replace("100,Closed", "0,Omitted")
LOST_DEAL = WON_DEAL.replace("Closed Won", "Closed Lost")
OF_ROSE = ("Rose", "Gonzalez", "C1", "CFO", "512", "rose@edge.example")


def at(day: int, month: int = 3) -> datetime:
    return datetime(2026, month, day, 8, tzinfo=UTC)


def people(
    importer: Importer,
    *roles: str,
    contacts: Sequence[str] = (ROSE, PAT),
    history: Sequence[str] = ROWS,
    deals: tuple[str, ...] = (DEAL,),
    source: str = "org",
    header: str = ROLE,
    contact_header: str = CONTACT,
    **how: Any,
) -> GapReport:
    """Import an export with these contacts and roles."""
    importer.write("Contact.csv", "\n".join([contact_header, *contacts, ""]))
    importer.write("OpportunityContactRole.csv", "\n".join([header, *roles, ""]))
    return export(importer, *history, deals=deals, source=source, **how)


def on_map(importer: Importer, deal: str = "O1") -> dict[str, Stakeholder]:
    history = importer.histories()[deal]
    assert violations(history.events, importer.log.processes()) == []
    return {one.id: one for one in history.deal.people.stakeholders}


def of_people(importer: Importer, deal: str = "O1") -> list[DealEvent]:
    kinds = StakeholderIdentified | StakeholderRevised
    return [e for e in importer.histories()[deal].events if isinstance(e.fact, kinds)]


def tell(importer: Importer, command: DealCommand, deal: str = "O1", by: str = "ann") -> None:
    importer.clock.move(days=1)
    everything = Principal(by, frozenset(Role))
    now = importer.clock()
    intent = Intent(
        command_id=f"told-{now:%j%H}", principal=everything, source="test", now=now, occurred_at=now
    )
    importer.log.handle(Identity("org").deal(deal), command, intent)


def forget(importer: Importer, contact: str, source: str = "org") -> None:
    person = Identity(source).person(f"contact/{contact}")
    now = importer.clock()
    eraser = Principal("dpo", frozenset(Role))
    intent = Intent(
        command_id=f"erase-{person}", principal=eraser, source="test", now=now, occurred_at=now
    )
    erase(importer.log, everywhere(importer.log, [person]), intent)


def lines(report: GapReport, kind: Kind) -> list[tuple[str | None, int | None]]:
    return [(entry.deal, entry.line) for entry in report.of(kind)]


def tells_nothing_of_rose(report: GapReport) -> None:
    told = report.as_json() + report.as_text(examples=100)
    assert [word for word in OF_ROSE if word in told] == []


def is_on_disk(importer: Importer) -> list[str]:
    """What of Rose is in a file of the store."""
    files = [path for path in importer.folder.parent.iterdir() if path.is_file()]
    assert len(files) >= 3
    told = b"".join(path.read_bytes() for path in files)
    return [word for word in OF_ROSE if len(word) > 4 and word.encode() in told]
