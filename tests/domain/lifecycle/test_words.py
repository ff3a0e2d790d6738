"""The life of a deal told in words, one phrase for each fact."""

from datetime import date
from typing import get_args

import pytest

from domain.lifecycle import describe
from domain.lifecycle.facts import (
    Account,
    AnyLifecycleFact,
    BantStatus,
    DebriefRecorded,
    DeliveryMilestone,
    DeliveryMilestoneReached,
    ExpansionIdentified,
    LeadQualified,
    LostOutcome,
    NextStepCompleted,
    NextStepPlanned,
    NoteAdded,
    OpportunityAssessed,
    OpportunityLost,
    OpportunityReopened,
    OpportunityResumed,
    OpportunityRevised,
    OpportunitySuspended,
    OpportunityWon,
    OutcomeReasonRecorded,
    OwnerChanged,
    ProcessChanged,
    PursuitDecision,
    QualificationLevel,
    ReasonDriver,
    SatisfactionMeasure,
    SatisfactionMeasured,
    Strategy,
    StrategyChosen,
    TeamMemberAssigned,
    TeamMemberReleased,
    Teller,
    WinPlanSet,
)
from domain.lifecycle.life import Life
from tests.scenario import LONGER, given, opened, usd

BEFORE = given(
    opened(account=Account("Acme"), products=("Press", "Service"), region="North"),
    NextStepPlanned("visit", "Visit the plant", "ann"),
).deal.life

TOLD: list[tuple[AnyLifecycleFact, str]] = [
    (opened(), "opened 'Press line' in contact of short/1"),
    (OpportunityRevised(name="Two lines"), "name Press line → Two lines"),
    (
        OpportunityRevised(account=Account("Beta"), products=("Press",), region=None),
        "account Acme → Beta; products Press, Service → Press; region North → unknown",
    ),
    (
        OpportunityRevised(products=(), lead_source="fair"),
        "products Press, Service → unknown; lead source unknown → fair",
    ),
    (OpportunityRevised(), "revised"),
    (ProcessChanged(LONGER.ref, "lead"), "moved to process short/2, stage lead"),
    (ProcessChanged(LONGER.ref, "lead", "New"), "moved to process short/2, stage lead: New"),
    (OwnerChanged("bo", "Moved"), "owner ann → bo: Moved"),
    (TeamMemberAssigned("bo", "engineer"), "bo joined the team as engineer"),
    (TeamMemberReleased("bo", "engineer"), "bo left the team as engineer"),
    (
        LeadQualified(QualificationLevel.LEAD, BantStatus.CONFIRMED, need=BantStatus.CONFIRMED),
        "qualified as lead, 2 of 4 of BANT confirmed",
    ),
    (OpportunityAssessed(4, 2), "assessed: worth winning 4/5, can win 2/5"),
    (
        OpportunityAssessed(4, 2, decision=PursuitDecision.NO_GO),
        "assessed: worth winning 4/5, can win 2/5, decided: no-go",
    ),
    (WinPlanSet("Win"), "win plan set"),
    (StrategyChosen(Strategy.GO_ALONG, "Cheap"), "strategy: go-along: Cheap"),
    (NextStepPlanned("call", "Call", "ann"), "next step planned: Call"),
    (
        NextStepPlanned("call", "Call", "ann", due=date(2026, 4, 1)),
        "next step planned: Call, due 2026-04-01",
    ),
    (NextStepCompleted("visit", "Liked it"), "next step done: Visit the plant: Liked it"),
    (NextStepCompleted("other"), "next step done: other"),
    (OpportunitySuspended("Frozen"), "suspended: Frozen"),
    (OpportunitySuspended("Frozen", date(2026, 9, 1)), "suspended until 2026-09-01: Frozen"),
    (OpportunityResumed(), "resumed"),
    (OpportunityWon(usd("1000"), reasons=("Price", "Trust")), "won, 1,000.00 USD: Price; Trust"),
    (OpportunityWon(), "won, value unknown"),
    (OpportunityLost(LostOutcome.LOST_TO_COMPETITOR, "Rival"), "lost, lost-to-competitor (Rival)"),
    (OpportunityLost(LostOutcome.WITHDRAWN, reasons=("Dear",)), "lost, withdrawn: Dear"),
    (
        OutcomeReasonRecorded(Teller.BUYER, ReasonDriver.PRICE, "Dear"),
        "reason by the buyer's account, price: Dear",
    ),
    (OpportunityReopened("contact", "Back"), "reopened in contact: Back"),
    (DeliveryMilestoneReached(DeliveryMilestone.ACCEPTED), "delivery accepted"),
    (SatisfactionMeasured(SatisfactionMeasure.NPS, -20), "satisfaction: NPS -20"),
    (ExpansionIdentified("More"), "next need: More"),
    (ExpansionIdentified("More", amount=usd("5")), "next need: More (5.00 USD)"),
    (DebriefRecorded(("Ask", "Listen")), "debrief: Ask; Listen"),
    (NoteAdded("Friendly"), "note: Friendly"),
]


@pytest.mark.parametrize(("fact", "words"), TOLD)
def test_each_fact_is_told(fact: AnyLifecycleFact, words: str) -> None:
    assert describe(fact, BEFORE) == words


def test_every_fact_is_tried() -> None:
    assert {type(fact) for fact, _ in TOLD} == set(get_args(AnyLifecycleFact))


def test_a_second_win_plan_is_a_change() -> None:
    planned = given(opened(), WinPlanSet("One")).deal.life
    assert describe(WinPlanSet("Two"), planned) == "win plan changed"
    assert describe(WinPlanSet("Two"), Life()) == "win plan set"
