"""Predicates over the life of the deal, its stages and its forecast."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from domain.lifecycle.facts import (
    Account,
    BantStatus,
    DeliveryMilestone,
    DeliveryMilestoneReached,
    ExpansionIdentified,
    LeadQualified,
    LostOutcome,
    NextStepCompleted,
    NextStepPlanned,
    OpportunityAssessed,
    OpportunityLost,
    OpportunityReopened,
    OpportunityRevised,
    OpportunityWon,
    PursuitDecision,
    QualificationLevel,
    SatisfactionMeasure,
    SatisfactionMeasured,
    TeamMemberAssigned,
    TeamMemberReleased,
    WinPlanSet,
)
from domain.stages.facts import ForecastRevised
from domain.values import BusinessType
from tests.domain.gates.judged import judged
from tests.scenario import opened, usd

if TYPE_CHECKING:
    from domain.deal import DealFact
    from domain.gates.evidence import Versions
    from tests.domain.gates.judged import Shown

SOURCED = opened(account=Account("Acme"), lead_source="fair")
VISIT = NextStepPlanned("visit", "Visit", "ann", objective="See the press")
ACCEPTED = DeliveryMilestoneReached(DeliveryMilestone.ACCEPTED)
YES, PARTLY = BantStatus.CONFIRMED, BantStatus.PARTIAL
CLOSE = date(2026, 6, 30)

SHOWN: list[Shown] = [
    ("account-and-source-recorded", (SOURCED,), (1,)),
    ("account-and-source-recorded", (opened(account=Account("Acme")),), None),
    ("account-and-source-recorded", (opened(lead_source="fair"),), None),
    ("account-and-source-recorded", (SOURCED, OpportunityRevised(account=None)), None),
    ("account-and-source-recorded", (SOURCED, OpportunityRevised(lead_source=None)), None),
    ("account-and-source-recorded", (SOURCED, OpportunityRevised(lead_source="call")), (1, 2)),
    (
        "account-and-source-recorded",
        (opened(), OpportunityRevised(account=Account("Acme"), lead_source="fair")),
        (2,),
    ),
    ("go-no-go-decided", (opened(), OpportunityAssessed(3, 3)), None),
    (
        "go-no-go-decided",
        (opened(), OpportunityAssessed(3, 3, decision=PursuitDecision.NO_GO)),
        (2,),
    ),
    ("next-step-planned", (opened(), NextStepPlanned("visit", "Visit", "ann")), None),
    ("next-step-planned", (opened(), VISIT), (2,)),
    ("next-step-planned", (opened(), VISIT, NextStepCompleted("visit")), None),
    ("deal-team-of-two-roles", (opened(), TeamMemberAssigned("bo", "engineer")), None),
    (
        "deal-team-of-two-roles",
        (opened(), TeamMemberAssigned("bo", "engineer"), TeamMemberAssigned("cy", "engineer")),
        None,
    ),
    (
        "deal-team-of-two-roles",
        (opened(), TeamMemberAssigned("bo", "engineer"), TeamMemberAssigned("cy", "lawyer")),
        (2, 3),
    ),
    (
        "deal-team-of-two-roles",
        (
            opened(),
            TeamMemberAssigned("bo", "engineer"),
            TeamMemberAssigned("cy", "lawyer"),
            TeamMemberReleased("bo", "engineer"),
        ),
        None,
    ),
    ("win-plan-set", (opened(),), None),
    ("win-plan-set", (opened(), WinPlanSet("One"), WinPlanSet("Two")), (3,)),
    ("close-date-and-amount-forecast", (opened(), ForecastRevised(amount=usd("1"))), None),
    ("close-date-and-amount-forecast", (opened(), ForecastRevised(expected_close=CLOSE)), None),
    (
        "close-date-and-amount-forecast",
        (opened(), ForecastRevised(amount=usd("1"), expected_close=CLOSE)),
        (2,),
    ),
    (
        "close-date-and-amount-forecast",
        (opened(), ForecastRevised(expected_close=CLOSE), ForecastRevised(amount=usd("0"))),
        (2, 3),
    ),
    ("won", (opened(), OpportunityWon()), (2,)),
    ("won", (opened(), OpportunityLost(LostOutcome.UNKNOWN)), None),
    ("won", (opened(), OpportunityWon(), OpportunityReopened("contact", "R")), None),
    (
        "delivery-accepted",
        (opened(), OpportunityWon(), DeliveryMilestoneReached(DeliveryMilestone.DELIVERED)),
        None,
    ),
    ("delivery-accepted", (opened(), OpportunityWon(), ACCEPTED), (3,)),
    (
        "satisfaction-measured",
        (opened(), OpportunityWon(), SatisfactionMeasured(SatisfactionMeasure.NPS, -5)),
        (3,),
    ),
    ("satisfaction-measured", (opened(), OpportunityWon()), None),
    ("expansion-identified", (opened(),), None),
    ("expansion-identified", (opened(), ExpansionIdentified("M", BusinessType.UPSELL)), (2,)),
    ("qualified", (opened(),), None),
    ("qualified", (opened(), LeadQualified(QualificationLevel.SUSPECT)), (2,)),
    ("bant-confirmed", (opened(), LeadQualified(QualificationLevel.LEAD, YES, YES, YES)), None),
    (
        "bant-confirmed",
        (opened(), LeadQualified(QualificationLevel.LEAD, YES, YES, PARTLY, YES)),
        None,
    ),
    (
        "bant-confirmed",
        (opened(), LeadQualified(QualificationLevel.LEAD, YES, YES, YES, YES)),
        (2,),
    ),
]


@pytest.mark.parametrize(("name", "facts", "versions"), SHOWN)
def test_it_is_met_by_exactly_these_events(
    name: str, facts: tuple[DealFact, ...], versions: Versions | None
) -> None:
    assert judged(name, *facts) == versions
