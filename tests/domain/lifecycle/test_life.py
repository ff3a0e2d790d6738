"""Folding the life of a deal: what each fact leaves behind."""

from datetime import date

import pytest

from domain.deal import DealFact
from domain.lifecycle.facts import (
    Account,
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
    QualificationLevel,
    ReasonDriver,
    SatisfactionMeasure,
    SatisfactionMeasured,
    SpendKind,
    Strategy,
    StrategyChosen,
    TeamMemberAssigned,
    TeamMemberReleased,
    Teller,
    WinPlanSet,
)
from domain.lifecycle.life import Life, Status
from domain.stages.facts import ForecastRevised
from domain.values import BusinessType
from tests.scenario import LONGER, Scenario, day, given, opened, usd

LOST = OpportunityLost(LostOutcome.NO_DECISION)


def life_after(*facts: DealFact) -> Life:
    return given(*facts).deal.life


def test_nothing_is_known_of_a_deal_before_its_opening() -> None:
    assert given().deal.life == Life()
    assert Life().status is Status.UNOPENED
    assert Life().team_ids == frozenset()
    assert (Life().region, Life().outcome_name, Life().contract_value) == (None, None, None)


def test_the_opening_gives_the_deal_its_facts() -> None:
    account = Account("Acme", region="North")
    life = life_after(
        opened(
            account=account,
            business_type=BusinessType.RENEWAL,
            spend_kind=SpendKind.CAPITAL,
            products=("Press",),
            territory="T1",
            route="direct",
            lead_source="fair",
            reference="006A",
        )
    )
    assert (life.status, life.opened_at, life.closed_at) == (Status.OPEN, day(0), None)
    assert (life.name, life.owner, life.currency) == ("Press line", "ann", "USD")
    assert (life.account, life.products) == (account, ("Press",))
    assert (life.business_type, life.spend_kind) == (BusinessType.RENEWAL, SpendKind.CAPITAL)
    assert (life.territory, life.route, life.lead_source) == ("T1", "direct", "fair")
    assert (life.reference, life.process) == ("006A", opened().process)
    assert life.opening is not None
    assert (life.opening.version, life.account_set_by, life.lead_source_set_by) == (1, 1, 1)


def test_a_revision_changes_what_it_names_and_forgets_what_it_empties() -> None:
    life = life_after(
        opened(territory="T1", route="direct", lead_source="fair", account=Account("Acme")),
        OpportunityRevised(name="Two lines", territory=None, lead_source=None),
    )
    assert (life.name, life.territory, life.route) == ("Two lines", None, "direct")
    assert (life.lead_source, life.lead_source_set_by) == (None, None)
    assert (life.account, life.account_set_by) == (Account("Acme"), 1)


def test_a_revision_of_the_account_is_its_new_evidence() -> None:
    life = life_after(
        opened(account=Account("Acme"), lead_source="fair"),
        OpportunityRevised(account=Account("Acme Steel")),
    )
    assert (life.account, life.account_set_by) == (Account("Acme Steel"), 2)
    assert life.lead_source_set_by == 1


@pytest.mark.parametrize(
    ("own", "of_account", "region"),
    [("East", "North", "East"), (None, "North", "North"), ("East", None, "East"), (None,) * 3],
)
def test_the_deals_own_region_comes_before_its_accounts(
    own: str | None, of_account: str | None, region: str | None
) -> None:
    assert life_after(opened(region=own, account=Account("A", region=of_account))).region == region
    assert life_after(opened(region=own)).region == own


def test_the_team_is_the_owner_and_the_members() -> None:
    life = life_after(
        opened(),
        TeamMemberAssigned("bo", "engineer"),
        TeamMemberAssigned("cy", "lawyer"),
        OwnerChanged("dee"),
        TeamMemberReleased("cy", "lawyer"),
    )
    assert life.team_ids == {"bo", "dee"}


def test_a_member_assigned_anew_to_a_role_is_not_doubled() -> None:
    life = life_after(
        opened(),
        TeamMemberAssigned("bo", "engineer"),
        TeamMemberAssigned("bo", "lawyer"),
        TeamMemberAssigned("bo", "engineer", "lead"),
    )
    assert [(e.fact.role, e.fact.level) for e in life.team] == [
        ("lawyer", None),
        ("engineer", "lead"),
    ]


def test_judgements_are_kept_with_their_events() -> None:
    life = life_after(
        opened(),
        LeadQualified(QualificationLevel.SUSPECT),
        LeadQualified(QualificationLevel.LEAD),
        OpportunityAssessed(3, 4),
        WinPlanSet("Win"),
        StrategyChosen(Strategy.DEEPEN),
    )
    kept = (life.qualification, life.assessment, life.win_plan, life.strategy)
    assert [event and event.version for event in kept] == [3, 4, 5, 6]


def test_a_step_is_open_until_it_is_done() -> None:
    planned = NextStepPlanned("visit", "Visit", "ann", due=date(2026, 4, 1))
    life = life_after(opened(), NextStepPlanned("call", "Call", "ann"), planned)
    assert [step.completed for step in life.next_steps] == [None, None]
    life = life_after(
        opened(), NextStepPlanned("call", "Call", "ann"), planned, NextStepCompleted("visit")
    )
    assert [step.completed is not None for step in life.next_steps] == [False, True]
    step = life.step("visit")
    assert step is not None
    assert step.planned.fact == planned
    assert life.step("other") is None


def test_the_latest_step_under_an_id_counts() -> None:
    life = (
        Scenario()
        .and_given(
            opened(),
            NextStepPlanned("s", "First", "ann"),
            NextStepCompleted("s"),
            NextStepPlanned("s", "Second", "ann"),
        )
        .deal.life
    )
    step = life.step("s")
    assert step is not None
    assert (step.planned.fact.what, step.completed) == ("Second", None)
    assert [s.planned.fact.what for s in life.next_steps] == ["First", "Second"]


def test_a_deal_rests_until_it_is_resumed() -> None:
    resting = life_after(opened(), OpportunitySuspended("Frozen"))
    assert resting.status is Status.SUSPENDED
    assert resting.suspension is not None
    resumed = life_after(opened(), OpportunitySuspended("Frozen"), OpportunityResumed())
    assert (resumed.status, resumed.suspension) == (Status.OPEN, None)


def test_an_open_deal_does_not_rest_however_it_came_to_be_open() -> None:
    unsound = Scenario().and_given(
        opened(), OpportunitySuspended("Frozen"), OpportunityReopened("contact", "R")
    )
    assert (unsound.deal.life.status, unsound.deal.life.suspension) == (Status.OPEN, None)


@pytest.mark.parametrize(
    ("fact", "status", "name"),
    [
        (OpportunityWon(), Status.WON, "won"),
        (OpportunityLost(LostOutcome.VOIDED), Status.VOIDED, "voided"),
        (OpportunityLost(LostOutcome.UNKNOWN), Status.LOST, "unknown"),
        (OpportunityLost(LostOutcome.WITHDRAWN), Status.LOST, "withdrawn"),
        (OpportunityLost(LostOutcome.NO_DECISION), Status.LOST, "no-decision"),
        (OpportunityLost(LostOutcome.DISQUALIFIED), Status.LOST, "disqualified"),
        (
            OpportunityLost(LostOutcome.LOST_TO_COMPETITOR, "Rival"),
            Status.LOST,
            "lost-to-competitor",
        ),
    ],
)
def test_outcomes(fact: OpportunityWon | OpportunityLost, status: Status, name: str) -> None:
    life = life_after(opened(), OpportunitySuspended("Frozen"), fact)
    assert (life.status, life.outcome_name, life.closed_at) == (status, name, day(2))
    assert life.suspension is None
    assert life.status.closed


@pytest.mark.parametrize("status", [Status.UNOPENED, Status.OPEN, Status.SUSPENDED])
def test_a_deal_without_outcome_is_not_closed(status: Status) -> None:
    assert not status.closed


def test_reopening_takes_the_outcome_and_its_reasons_back() -> None:
    reason = OutcomeReasonRecorded(Teller.BUYER, ReasonDriver.PRICE, "Dear")
    closed = life_after(opened(), LOST, reason)
    assert [event.fact for event in closed.outcome_reasons] == [reason]
    life = life_after(opened(), LOST, reason, OpportunityReopened("contact", "They called"))
    assert (life.status, life.outcome, life.closed_at) == (Status.OPEN, None, None)
    assert life.outcome_reasons == ()


def test_a_contract_value_is_known_only_of_a_won_deal() -> None:
    forecast = ForecastRevised(amount=usd("90"))
    won = given(opened(), forecast, OpportunityWon(usd("100")))
    assert (won.deal.life.contract_value, won.deal.amount) == (usd("100"), usd("100"))
    unsaid = given(opened(), forecast, OpportunityWon())
    assert (unsaid.deal.life.contract_value, unsaid.deal.amount) == (None, usd("90"))
    lost = given(opened(), forecast, LOST)
    assert (lost.deal.life.contract_value, lost.deal.amount) == (None, usd("90"))
    free = given(opened(), forecast, OpportunityWon(usd("0")))
    assert free.deal.amount == usd("0")


def test_a_change_of_process_places_the_deal() -> None:
    deal = given(opened(), ProcessChanged(LONGER.ref, "lead")).deal
    assert (deal.life.process, deal.stages.stage) == (LONGER.ref, "lead")


def test_what_follows_the_end_is_kept_in_order() -> None:
    facts = (
        DeliveryMilestoneReached(DeliveryMilestone.STARTED),
        DeliveryMilestoneReached(DeliveryMilestone.ACCEPTED),
        SatisfactionMeasured(SatisfactionMeasure.NPS, 40),
        SatisfactionMeasured(SatisfactionMeasure.NPS, 50),
        ExpansionIdentified("More"),
        ExpansionIdentified("Even more"),
        DebriefRecorded(("Ask",)),
        DebriefRecorded(("Listen",)),
        NoteAdded("One"),
        NoteAdded("Two"),
        OutcomeReasonRecorded(Teller.BUYER, ReasonDriver.PRICE, "Cheap"),
        OutcomeReasonRecorded(Teller.SELLER, ReasonDriver.PRODUCT, "Good"),
    )
    life = life_after(opened(), OpportunityWon(), *facts)
    kept = (
        *life.delivery,
        *life.satisfaction,
        *life.expansions,
        *life.debriefs,
        *life.notes,
        *life.outcome_reasons,
    )
    assert tuple(event.fact for event in kept) == facts
