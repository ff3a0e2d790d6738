"""Imported deals of stages, amounts and dates are not blamed for what their source never tells."""

from datetime import date

from domain.deal import DealEvent
from domain.lifecycle.facts import LostOutcome
from domain.stages.facts import ForecastRevised
from projections.findings.rules import people
from tests.projections.findings.telling import (
    advanced,
    assessed,
    lost,
    not_assessable,
    opened,
    told,
)
from tests.scenario import usd

PEOPLE = {rule.id for rule in people.RULES}


def imported() -> list[DealEvent]:
    return told(
        (0, opened("P1")),
        (5, ForecastRevised(amount=usd("1000.00"), expected_close=date(2026, 6, 30))),
        (20, advanced("P1", "P3")),
        (60, advanced("P3", "P5")),
        (150, advanced("P5", "P6")),
        (240, lost(LostOutcome.LOST_TO_COMPETITOR, "Acme")),
        source="import:crm",
    )


def test_no_rule_about_people_speaks() -> None:
    events = imported()
    rules = {finding.rule for finding in assessed(events, until=300).findings}
    assert rules & PEOPLE == set()
    assert not_assessable(events, until=300) >= {"gone-silent", "decision-maker-unmet"}


def test_nor_any_rule_about_what_such_a_source_never_tells() -> None:
    rules = {finding.rule for finding in assessed(imported(), until=300).findings}
    assert rules == set()
