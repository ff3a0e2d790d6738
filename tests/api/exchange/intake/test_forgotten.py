"""A text that was erased is not recorded once more."""

from __future__ import annotations

from api.exchange.identity import Identity
from api.exchange.report import GapReport
from domain.access import Principal, Role
from domain.history import ERASED
from domain.intent import Intent
from domain.people.commands import IdentifyStakeholder
from store.forgetting.appearances import everywhere
from store.forgetting.erasure import erase
from tests.api.exchange.importing import MAP, Importer
from tests.api.exchange.salesforce.contacts import (
    at,
)

HEADER = "id,title,seller,boss,product,customer,phase,forecast,due,start,end,value,why"
WITH_REASON = MAP.replace('won_value = "value"', 'won_value = "value"\noutcome_reason = "why"')
ANN = Principal("ann", frozenset(Role))


def test_a_reason_that_named_somebody_is_not_recorded_once_more(importer: Importer) -> None:
    def told(phase: str, end: str) -> GapReport:
        row = (
            f"D1,Press,Ann,Mei,Press 5,Acme,{phase},1000,2026-09-30,2026-03-02,{end},,Nadja says no"
        )
        return importer.csv(row, header=HEADER, csv_map=WITH_REASON)

    def meant(command_id: str) -> Intent:
        now = importer.clock.move(days=1)
        return Intent(
            command_id=command_id, principal=ANN, source="test", now=now, occurred_at=at(5)
        )

    told("Offer", "")
    nadja = IdentifyStakeholder("n", "Nadja Berg", person="p-n")
    importer.log.handle(Identity("crm").deal("D1"), nadja, meant("map"))
    told("Lost", "2026-05-04")
    erase(importer.log, everywhere(importer.log, ["p-n"]), meant("erase"))
    head = importer.log.head()
    report = told("Lost", "2026-05-04")
    assert (importer.log.head(), report.counts.events) == (head, 0)
    outcome = importer.deal("D1").life.outcome
    assert outcome is not None
    assert outcome.fact.reasons == (ERASED,)
    report = told("Lost", "2026-05-03")
    outcome = importer.deal("D1").life.outcome
    assert outcome is not None
    assert (outcome.occurred_at.day, outcome.fact.reasons) == (3, (ERASED,))
