"""Gates: which criteria are met, by which events, and how likely the deal is."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import msgspec
import pytest

from domain.gates import PREDICATES, gate_state, win_probability
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
    OpportunitySuspended,
    OpportunityWon,
    PursuitDecision,
    QualificationLevel,
    SatisfactionMeasure,
    SatisfactionMeasured,
    TeamMemberAssigned,
    TeamMemberReleased,
    WinPlanSet,
)
from domain.process import Evidence
from domain.stages.facts import (
    ForecastRevised,
    GateCriterionAttested,
    GateCriterionRevoked,
    GateResult,
    MetCriterion,
    StageAdvanced,
)
from domain.values import BusinessType
from tests.scenario import BOOK, LONGER, SHORT, given, opened, usd

if TYPE_CHECKING:
    from domain.deal import Deal, DealFact
    from domain.process import SalesProcess, Stage

SOURCED = opened(account=Account("Acme"), lead_source="fair")
VISIT = NextStepPlanned("visit", "Visit", "ann", objective="See the press")
ACCEPTED = DeliveryMilestoneReached(DeliveryMilestone.ACCEPTED)
YES, PARTLY = BantStatus.CONFIRMED, BantStatus.PARTIAL
CLOSE = date(2026, 6, 30)

# Predicate, what happened, the versions that show it; none where it does not hold.
SHOWN: list[tuple[str, tuple[DealFact, ...], tuple[int, ...]]] = [
    ("account-and-source-recorded", (SOURCED,), (1,)),
    ("account-and-source-recorded", (opened(account=Account("Acme")),), ()),
    ("account-and-source-recorded", (opened(lead_source="fair"),), ()),
    ("account-and-source-recorded", (SOURCED, OpportunityRevised(account=None)), ()),
    ("account-and-source-recorded", (SOURCED, OpportunityRevised(lead_source=None)), ()),
    ("account-and-source-recorded", (SOURCED, OpportunityRevised(lead_source="call")), (1, 2)),
    (
        "account-and-source-recorded",
        (opened(), OpportunityRevised(account=Account("Acme"), lead_source="fair")),
        (2,),
    ),
    ("go-no-go-decided", (opened(), OpportunityAssessed(3, 3)), ()),
    (
        "go-no-go-decided",
        (opened(), OpportunityAssessed(3, 3, decision=PursuitDecision.NO_GO)),
        (2,),
    ),
    ("next-step-planned", (opened(), NextStepPlanned("visit", "Visit", "ann")), ()),
    ("next-step-planned", (opened(), VISIT), (2,)),
    ("next-step-planned", (opened(), VISIT, NextStepCompleted("visit")), ()),
    ("deal-team-of-two-roles", (opened(), TeamMemberAssigned("bo", "engineer")), ()),
    (
        "deal-team-of-two-roles",
        (opened(), TeamMemberAssigned("bo", "engineer"), TeamMemberAssigned("cy", "engineer")),
        (),
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
        (),
    ),
    ("win-plan-set", (opened(), WinPlanSet("One"), WinPlanSet("Two")), (3,)),
    ("close-date-and-amount-forecast", (opened(), ForecastRevised(amount=usd("1"))), ()),
    ("close-date-and-amount-forecast", (opened(), ForecastRevised(expected_close=CLOSE)), ()),
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
    ("won", (opened(), OpportunityLost(LostOutcome.UNKNOWN)), ()),
    ("won", (opened(), OpportunityWon(), OpportunityReopened("contact", "R")), ()),
    (
        "delivery-accepted",
        (opened(), OpportunityWon(), DeliveryMilestoneReached(DeliveryMilestone.DELIVERED)),
        (),
    ),
    ("delivery-accepted", (opened(), OpportunityWon(), ACCEPTED), (3,)),
    (
        "satisfaction-measured",
        (opened(), OpportunityWon(), SatisfactionMeasured(SatisfactionMeasure.NPS, -5)),
        (3,),
    ),
    ("expansion-identified", (opened(), ExpansionIdentified("M", BusinessType.UPSELL)), (2,)),
    ("qualified", (opened(), LeadQualified(QualificationLevel.SUSPECT)), (2,)),
    ("bant-confirmed", (opened(), LeadQualified(QualificationLevel.LEAD, YES, YES, YES)), ()),
    (
        "bant-confirmed",
        (opened(), LeadQualified(QualificationLevel.LEAD, YES, YES, PARTLY, YES)),
        (),
    ),
    (
        "bant-confirmed",
        (opened(), LeadQualified(QualificationLevel.LEAD, YES, YES, YES, YES)),
        (2,),
    ),
]


@pytest.mark.parametrize(("name", "facts", "versions"), SHOWN)
def test_predicates_answer_with_the_events_that_show_them(
    name: str, facts: tuple[DealFact, ...], versions: tuple[int, ...]
) -> None:
    assert PREDICATES[name](given(*facts).deal) == versions


def test_every_predicate_is_tried_both_ways() -> None:
    assert {name for name, _, versions in SHOWN if versions} == set(PREDICATES)
    assert all(predicate(given(opened()).deal) == () for predicate in PREDICATES.values())
    assert all(predicate(given().deal) == () for predicate in PREDICATES.values())


@pytest.mark.parametrize("process", list(BOOK), ids=lambda process: str(process.ref))
def test_every_auto_criterion_names_a_predicate(process: SalesProcess) -> None:
    criteria = [criterion for stage in process.stages for criterion in stage.gate]
    auto = [criterion for criterion in criteria if criterion.evidence is Evidence.AUTO]
    assert auto
    assert all(criterion.predicate in PREDICATES for criterion in auto)


def proposal() -> Stage:
    stage = SHORT.stage("proposal")
    assert stage is not None
    return stage


IN_PROPOSAL = opened(stage="proposal")
ATTESTED = GateCriterionAttested("need-confirmed", "Told by Li")


@pytest.mark.parametrize(
    ("facts", "met", "missing"),
    [
        ((), (), ("need-confirmed", "plan")),
        ((WinPlanSet("W"),), (MetCriterion("plan", (2,)),), ("need-confirmed",)),
        ((ATTESTED,), (MetCriterion("need-confirmed", (2,), attested=True),), ("plan",)),
        ((ATTESTED, GateCriterionRevoked("need-confirmed", "R")), (), ("need-confirmed", "plan")),
        (
            (ATTESTED, WinPlanSet("W")),
            (MetCriterion("need-confirmed", (2,), attested=True), MetCriterion("plan", (3,))),
            (),
        ),
        (
            (GateCriterionAttested("plan", "None needed", applies=False),),
            (MetCriterion("plan", (2,), attested=True),),
            ("need-confirmed",),
        ),
        (
            # What the state itself shows comes before what someone says.
            (GateCriterionAttested("plan", "There is one"), WinPlanSet("W")),
            (MetCriterion("plan", (3,)),),
            ("need-confirmed",),
        ),
        ((GateCriterionAttested("signed", "Other stage"),), (), ("need-confirmed", "plan")),
    ],
)
def test_a_gate_tells_what_is_met_and_what_is_missing(
    facts: tuple[DealFact, ...], met: tuple[MetCriterion, ...], missing: tuple[str, ...]
) -> None:
    state = gate_state(given(IN_PROPOSAL, *facts).deal, proposal())
    assert (state.stage, state.met, state.missing) == ("proposal", met, missing)
    assert state.result() == GateResult(met, missing)
    assert tuple(criterion.id for criterion in state.missing_criteria()) == missing


def probability(deal: Deal) -> int | None:
    process = deal.life.process
    return win_probability(deal, BOOK.get(process or SHORT.ref))


LOST = OpportunityLost(LostOutcome.VOIDED)


@pytest.mark.parametrize(
    ("facts", "per_cent"),
    [
        ((), 10),
        ((StageAdvanced("contact", "proposal"),), 40),
        ((StageAdvanced("contact", "closing", ("proposal",)),), 80),
        ((ForecastRevised(probability=0),), 0),
        ((ForecastRevised(probability=65), StageAdvanced("contact", "proposal")), 65),
        ((ForecastRevised(probability=65), ForecastRevised(probability=None)), 10),
        ((ForecastRevised(probability=65), OpportunityWon()), 100),
        ((ForecastRevised(probability=65), LOST), 0),
        ((LOST, OpportunityReopened("contact", "R")), 10),
        ((OpportunitySuspended("Rest"),), 10),
    ],
)
def test_the_probability_of_winning(facts: tuple[DealFact, ...], per_cent: int) -> None:
    assert probability(given(opened(), *facts).deal) == per_cent


@pytest.mark.parametrize(
    ("stage", "facts", "per_cent"),
    [
        ("lead", (), 5),
        ("contact", (), 10),
        ("proposal", (), 10),
        ("proposal", (ATTESTED,), 10),
        ("proposal", (ATTESTED, WinPlanSet("W")), 40),
        ("closing", (), 40),
        ("closing", (GateCriterionAttested("signed", "Tomorrow"),), 80),
        ("closing", (ForecastRevised(probability=60),), 60),
    ],
)
def test_the_probability_of_a_stage_may_hold_only_from_its_milestone(
    stage: str, facts: tuple[DealFact, ...], per_cent: int
) -> None:
    deal = given(opened(process=LONGER.ref, stage=stage), *facts).deal
    assert probability(deal) == per_cent


def test_before_the_first_milestone_nothing_is_won_yet() -> None:
    alone = msgspec.structs.replace(LONGER, stages=(proposal(),))
    assert win_probability(given(IN_PROPOSAL).deal, alone) == 0
    ready = given(IN_PROPOSAL, ATTESTED, WinPlanSet("W"))
    assert win_probability(ready.deal, alone) == 40


def test_a_deal_that_stands_nowhere_in_the_process_has_no_probability() -> None:
    assert win_probability(given().deal, SHORT) is None
    assert win_probability(given(opened(process=LONGER.ref, stage="lead")).deal, SHORT) is None
