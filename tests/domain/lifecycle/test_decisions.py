"""Commands of the life of the deal: each acts, stays quiet and refuses."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, get_args

import pytest

from domain.lifecycle.commands import (
    AddNote,
    AnyLifecycleCommand,
    AssessOpportunity,
    AssignTeamMember,
    ChangeOwner,
    ChangeProcess,
    ChooseStrategy,
    CompleteNextStep,
    IdentifyExpansion,
    LifecycleCommand,
    LoseOpportunity,
    MeasureSatisfaction,
    OpenOpportunity,
    PlanNextStep,
    QualifyLead,
    ReachDeliveryMilestone,
    RecordDebrief,
    RecordOutcomeReason,
    ReleaseTeamMember,
    ReopenOpportunity,
    ResumeOpportunity,
    ReviseOpportunity,
    SetWinPlan,
    SuspendOpportunity,
    WinOpportunity,
)
from domain.lifecycle.facts import (
    Account,
    BantStatus,
    DebriefRecorded,
    DeliveryMilestone,
    DeliveryMilestoneReached,
    ExpansionIdentified,
    Grade,
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
    QualifiedBy,
    ReasonDriver,
    SatisfactionMeasure,
    SatisfactionMeasured,
    SpendKind,
    Strategy,
    StrategyChosen,
    SuccessFactor,
    TeamMemberAssigned,
    TeamMemberReleased,
    Teller,
    Temperature,
    WinPlanSet,
)
from domain.people.facts import ContactKind, ContactMade, StakeholderIdentified
from domain.refusals import (
    CompetitorMissing,
    CurrencyMismatch,
    DealAlreadyOpened,
    DealClosed,
    DealNotClosed,
    DealNotOpened,
    DealSuspended,
    IdTaken,
    NotWon,
    OutOfRange,
    Refusal,
    StagesSkipped,
    UnknownCurrency,
    UnknownProcess,
    UnknownReference,
    UnknownStage,
)
from domain.stages.facts import StageAdvanced
from domain.values import BusinessType, Money, ProcessRef
from tests.scenario import LONGER, MANAGER, SHORT, given, opened, usd

if TYPE_CHECKING:
    from domain.deal import DealFact

OPEN = (opened(),)
TEAM = (opened(), TeamMemberAssigned("bo", "engineer"))
PLANNED = (opened(), NextStepPlanned("visit", "Visit the plant", "ann"))
DONE = (*PLANNED, NextStepCompleted("visit"))
SUSPENDED = (opened(), OpportunitySuspended("Budget frozen"))
WON = (opened(), OpportunityWon())
LOST = (opened(), OpportunityLost(LostOutcome.NO_DECISION))
REOPENED = (*LOST, OpportunityReopened("contact", "They called back"))
IN_CLOSING = (opened(), StageAdvanced("contact", "proposal"), StageAdvanced("proposal", "closing"))
DELIVERING = (*IN_CLOSING, OpportunityWon(), StageAdvanced("closing", "delivery"))


def open_it(**changes: Any) -> OpenOpportunity:
    usual: dict[str, Any] = {
        "name": "Press line",
        "owner": "ann",
        "currency": "USD",
        "process": SHORT.ref,
    }
    return OpenOpportunity(**(usual | changes))


# What happened, what is asked, what comes of it. Each command comes in its shortest form and in
# one with every field, so that a field that is not carried over is noticed.
ACTS: list[tuple[tuple[DealFact, ...], LifecycleCommand, DealFact]] = [
    ((), open_it(), opened()),
    (
        (),
        open_it(
            stage="proposal",
            account=Account("Acme", industry="steel", region="North"),
            business_type=BusinessType.ADD_ON,
            spend_kind=SpendKind.CAPITAL,
            products=("Press", "Service"),
            territory="North",
            region="North-East",
            route="direct",
            lead_source="fair",
            reference="006A",
        ),
        opened(
            stage="proposal",
            account=Account("Acme", industry="steel", region="North"),
            business_type=BusinessType.ADD_ON,
            spend_kind=SpendKind.CAPITAL,
            products=("Press", "Service"),
            territory="North",
            region="North-East",
            route="direct",
            lead_source="fair",
            reference="006A",
        ),
    ),
    (
        (),
        OpenOpportunity("X", "ann", "CNY"),
        opened(name="X", currency="CNY", process=ProcessRef("key-account", 1), stage="P0"),
    ),
    (OPEN, ReviseOpportunity(name="Two lines"), OpportunityRevised(name="Two lines")),
    (
        (opened(region="North", lead_source="fair", products=("Press",)),),
        ReviseOpportunity(
            name="Press line",
            account=Account("Acme"),
            business_type=BusinessType.NEW,
            spend_kind=SpendKind.OPERATING,
            products=(),
            territory="South",
            region=None,
            route="partner",
            lead_source="call",
        ),
        OpportunityRevised(
            account=Account("Acme"),
            business_type=BusinessType.NEW,
            spend_kind=SpendKind.OPERATING,
            products=(),
            territory="South",
            region=None,
            route="partner",
            lead_source="call",
        ),
    ),
    (OPEN, ChangeProcess(LONGER.ref), ProcessChanged(LONGER.ref, "contact")),
    (
        OPEN,
        ChangeProcess(LONGER.ref, "lead", "Not yet spoken to"),
        ProcessChanged(LONGER.ref, "lead", "Not yet spoken to"),
    ),
    (OPEN, ChangeOwner("bo"), OwnerChanged("bo")),
    (OPEN, ChangeOwner("bo", "Moved away"), OwnerChanged("bo", "Moved away")),
    (OPEN, AssignTeamMember("bo", "engineer"), TeamMemberAssigned("bo", "engineer")),
    (TEAM, AssignTeamMember("bo", "lawyer"), TeamMemberAssigned("bo", "lawyer")),
    (
        TEAM,
        AssignTeamMember("bo", "engineer", "lead"),
        TeamMemberAssigned("bo", "engineer", "lead"),
    ),
    (TEAM, ReleaseTeamMember("bo", "engineer"), TeamMemberReleased("bo", "engineer")),
    (OPEN, QualifyLead(QualificationLevel.LEAD), LeadQualified(QualificationLevel.LEAD)),
    (
        (opened(), LeadQualified(QualificationLevel.SUSPECT)),
        QualifyLead(
            QualificationLevel.OPPORTUNITY,
            BantStatus.CONFIRMED,
            BantStatus.PARTIAL,
            BantStatus.CONFIRMED,
            BantStatus.UNKNOWN,
            Temperature.HOT,
            QualifiedBy.SALES,
        ),
        LeadQualified(
            QualificationLevel.OPPORTUNITY,
            BantStatus.CONFIRMED,
            BantStatus.PARTIAL,
            BantStatus.CONFIRMED,
            BantStatus.UNKNOWN,
            Temperature.HOT,
            QualifiedBy.SALES,
        ),
    ),
    (OPEN, AssessOpportunity(1, 5), OpportunityAssessed(1, 5)),
    (
        OPEN,
        AssessOpportunity(
            4, 2, Grade.B, (SuccessFactor("References", False, True),), PursuitDecision.GO
        ),
        OpportunityAssessed(
            4, 2, Grade.B, (SuccessFactor("References", False, True),), PursuitDecision.GO
        ),
    ),
    (OPEN, SetWinPlan("Win the plant manager"), WinPlanSet("Win the plant manager")),
    (OPEN, ChooseStrategy(Strategy.DEEPEN), StrategyChosen(Strategy.DEEPEN)),
    (
        (opened(), StrategyChosen(Strategy.DEEPEN)),
        ChooseStrategy(Strategy.RAISE_DOUBT, "They waver"),
        StrategyChosen(Strategy.RAISE_DOUBT, "They waver"),
    ),
    (OPEN, PlanNextStep("call", "Call back", "ann"), NextStepPlanned("call", "Call back", "ann")),
    (
        PLANNED,
        PlanNextStep("visit", "Visit the plant", "bo", "See the old press", date(2026, 4, 1)),
        NextStepPlanned("visit", "Visit the plant", "bo", "See the old press", date(2026, 4, 1)),
    ),
    (PLANNED, CompleteNextStep("visit"), NextStepCompleted("visit")),
    (
        PLANNED,
        CompleteNextStep("visit", "They like it"),
        NextStepCompleted("visit", "They like it"),
    ),
    (OPEN, SuspendOpportunity("Budget frozen"), OpportunitySuspended("Budget frozen")),
    (
        OPEN,
        SuspendOpportunity("Budget frozen", date(2026, 9, 1)),
        OpportunitySuspended("Budget frozen", date(2026, 9, 1)),
    ),
    (SUSPENDED, ResumeOpportunity(), OpportunityResumed()),
    (SUSPENDED, ResumeOpportunity("New budget"), OpportunityResumed("New budget")),
    (OPEN, WinOpportunity(), OpportunityWon()),
    (SUSPENDED, WinOpportunity(), OpportunityWon()),
    (OPEN, WinOpportunity(share_percent=0), OpportunityWon(share_percent=0)),
    (OPEN, WinOpportunity(share_percent=100), OpportunityWon(share_percent=100)),
    (
        IN_CLOSING,
        WinOpportunity(usd("100"), date(2026, 3, 5), "C-7", ("Service",), 60),
        OpportunityWon(usd("100.00"), date(2026, 3, 5), "C-7", ("Service",), 60),
    ),
    (OPEN, LoseOpportunity(LostOutcome.UNKNOWN), OpportunityLost(LostOutcome.UNKNOWN)),
    (SUSPENDED, LoseOpportunity(LostOutcome.VOIDED), OpportunityLost(LostOutcome.VOIDED)),
    (
        OPEN,
        LoseOpportunity(LostOutcome.LOST_TO_COMPETITOR, "unknown", ("Price",)),
        OpportunityLost(LostOutcome.LOST_TO_COMPETITOR, "unknown", ("Price",)),
    ),
    (
        LOST,
        RecordOutcomeReason(Teller.BUYER, ReasonDriver.TIMING, "No budget this year"),
        OutcomeReasonRecorded(Teller.BUYER, ReasonDriver.TIMING, "No budget this year"),
    ),
    (
        (
            *OPEN,
            StakeholderIdentified("li", "Li"),
            ContactMade("visit", ContactKind.VISIT, ("li",)),
            *LOST[1:],
        ),
        RecordOutcomeReason(Teller.BUYER, ReasonDriver.PRICE, "Dear", "visit"),
        OutcomeReasonRecorded(Teller.BUYER, ReasonDriver.PRICE, "Dear", "visit"),
    ),
    (LOST, ReopenOpportunity("They called"), OpportunityReopened("contact", "They called")),
    (WON, ReopenOpportunity("Not signed"), OpportunityReopened("contact", "Not signed")),
    (DELIVERING, ReopenOpportunity("Cancelled"), OpportunityReopened("closing", "Cancelled")),
    (
        DELIVERING,
        ReopenOpportunity("Cancelled", "contact"),
        OpportunityReopened("contact", "Cancelled"),
    ),
    (
        WON,
        ReachDeliveryMilestone(DeliveryMilestone.ACCEPTED, "Signed by the plant"),
        DeliveryMilestoneReached(DeliveryMilestone.ACCEPTED, "Signed by the plant"),
    ),
    (
        WON,
        MeasureSatisfaction(SatisfactionMeasure.NPS, -100),
        SatisfactionMeasured(SatisfactionMeasure.NPS, -100),
    ),
    (
        (*WON, SatisfactionMeasured(SatisfactionMeasure.NPS, 80)),
        MeasureSatisfaction(SatisfactionMeasure.CSI, 80),
        SatisfactionMeasured(SatisfactionMeasure.CSI, 80),
    ),
    (OPEN, IdentifyExpansion("A second plant"), ExpansionIdentified("A second plant")),
    (
        WON,
        IdentifyExpansion("A second plant", BusinessType.ADD_ON, usd("5")),
        ExpansionIdentified("A second plant", BusinessType.ADD_ON, usd("5")),
    ),
    (LOST, RecordDebrief(("Ask earlier",)), DebriefRecorded(("Ask earlier",))),
    (OPEN, AddNote("Friendly"), NoteAdded("Friendly")),
    (LOST, AddNote("Friendly"), NoteAdded("Friendly")),
]

STAYS_QUIET: list[tuple[tuple[DealFact, ...], LifecycleCommand]] = [
    (OPEN, open_it()),
    ((*OPEN, OwnerChanged("bo"), OwnerChanged("ann"), OpportunityRevised(name="Y")), open_it()),
    (OPEN, ReviseOpportunity()),
    (OPEN, ReviseOpportunity(name="Press line", account=None, products=())),
    (OPEN, ChangeProcess(SHORT.ref)),
    (OPEN, ChangeProcess(SHORT.ref, "contact")),
    (OPEN, ChangeOwner("ann", "Still")),
    (TEAM, AssignTeamMember("bo", "engineer")),
    (OPEN, ReleaseTeamMember("bo", "engineer")),
    (TEAM, ReleaseTeamMember("bo", "lawyer")),
    ((*OPEN, LeadQualified(QualificationLevel.LEAD)), QualifyLead(QualificationLevel.LEAD)),
    ((*OPEN, OpportunityAssessed(3, 3)), AssessOpportunity(3, 3)),
    ((*OPEN, WinPlanSet("Win")), SetWinPlan("Win")),
    ((*OPEN, StrategyChosen(Strategy.GO_ALONG)), ChooseStrategy(Strategy.GO_ALONG)),
    (PLANNED, PlanNextStep("visit", "Visit the plant", "ann")),
    (DONE, PlanNextStep("visit", "Visit the plant", "ann")),
    (DONE, CompleteNextStep("visit", "Again")),
    (SUSPENDED, SuspendOpportunity("Budget frozen")),
    (OPEN, ResumeOpportunity()),
    (WON, WinOpportunity()),
    (LOST, LoseOpportunity(LostOutcome.NO_DECISION)),
    (
        (*LOST, OutcomeReasonRecorded(Teller.BUYER, ReasonDriver.PRICE, "Dear")),
        RecordOutcomeReason(Teller.BUYER, ReasonDriver.PRICE, "Dear"),
    ),
    (OPEN, ReopenOpportunity("They called")),
    (REOPENED, ReopenOpportunity("They called", "contact")),
    (
        (*WON, DeliveryMilestoneReached(DeliveryMilestone.STARTED)),
        ReachDeliveryMilestone(DeliveryMilestone.STARTED),
    ),
    (
        (
            *WON,
            SatisfactionMeasured(SatisfactionMeasure.NPS, 7),
            SatisfactionMeasured(SatisfactionMeasure.CSI, 8),
        ),
        MeasureSatisfaction(SatisfactionMeasure.NPS, 7),
    ),
    ((*OPEN, ExpansionIdentified("More")), IdentifyExpansion("More")),
    ((*OPEN, DebriefRecorded(("Ask", "Listen"))), RecordDebrief(("Ask", "Listen"))),
    ((*OPEN, NoteAdded("Friendly")), AddNote("Friendly")),
]

REFUSES: list[tuple[tuple[DealFact, ...], LifecycleCommand, type[Refusal], str]] = [
    (OPEN, open_it(name="Other"), DealAlreadyOpened, "under another id"),
    (OPEN, open_it(account=Account("Acme")), DealAlreadyOpened, "'Press line'"),
    ((), open_it(process=ProcessRef("short", 9)), UnknownProcess, "short/9"),
    ((), open_it(stage="nowhere"), UnknownStage, "contact, proposal, closing."),
    ((), open_it(stage="delivery"), UnknownStage, "not a selling stage"),
    ((), open_it(currency="XYZ"), UnknownCurrency, "'XYZ'"),
    ((), open_it(currency="usd"), UnknownCurrency, "ISO 4217"),
    (LOST, ReviseOpportunity(name="Other"), DealClosed, "no-decision"),
    (OPEN, ChangeProcess(ProcessRef("none", 1)), UnknownProcess, "none/1"),
    (OPEN, ChangeProcess(LONGER.ref, "nowhere"), UnknownStage, "'nowhere'"),
    (OPEN, ChangeProcess(LONGER.ref, "delivery"), UnknownStage, "not a selling stage"),
    (OPEN, ChangeProcess(ProcessRef("key-account", 1)), UnknownStage, "'contact'"),
    (OPEN, ChangeProcess(SHORT.ref, "closing"), UnknownStage, "advance-stage"),
    (LOST, ChangeProcess(SHORT.ref, "closing"), DealClosed, "no-decision"),
    (LOST, ChangeProcess(LONGER.ref), DealClosed, "no-decision"),
    (WON, ChangeOwner("bo"), DealClosed, "won"),
    (WON, AssignTeamMember("bo", "fitter"), DealClosed, "won"),
    ((*TEAM, OpportunityWon()), ReleaseTeamMember("bo", "engineer"), DealClosed, "won"),
    (LOST, QualifyLead(QualificationLevel.LEAD), DealClosed, "no-decision"),
    (LOST, AssessOpportunity(1, 1), DealClosed, "no-decision"),
    (OPEN, AssessOpportunity(0, 1), OutOfRange, "worth_winning is 0"),
    (OPEN, AssessOpportunity(6, 1), OutOfRange, "worth_winning is 6"),
    (OPEN, AssessOpportunity(1, 0), OutOfRange, "can_win is 0"),
    (OPEN, AssessOpportunity(1, 6), OutOfRange, "can_win is 6"),
    (LOST, SetWinPlan("Win"), DealClosed, "no-decision"),
    (LOST, ChooseStrategy(Strategy.DEEPEN), DealClosed, "no-decision"),
    (DONE, PlanNextStep("visit", "Visit again", "ann"), IdTaken, "under a new id"),
    (LOST, PlanNextStep("visit", "Visit", "ann"), DealClosed, "no-decision"),
    (OPEN, CompleteNextStep("visit"), UnknownReference, "'visit'"),
    ((*PLANNED, OpportunityWon()), CompleteNextStep("visit"), DealClosed, "won"),
    (SUSPENDED, SuspendOpportunity("Other reason"), DealSuspended, "Resume it"),
    (WON, SuspendOpportunity("Rest"), DealClosed, "won"),
    (LOST, ResumeOpportunity(), DealClosed, "no-decision"),
    (WON, WinOpportunity(usd("1")), DealClosed, "won"),
    (LOST, WinOpportunity(), DealClosed, "no-decision"),
    (OPEN, WinOpportunity(Money.parse("1", "EUR")), CurrencyMismatch, "value is in EUR"),
    (OPEN, WinOpportunity(share_percent=101), OutOfRange, "share_percent is 101"),
    (OPEN, WinOpportunity(share_percent=-1), OutOfRange, "from 0 to 100"),
    (WON, LoseOpportunity(LostOutcome.UNKNOWN), DealClosed, "won"),
    (LOST, LoseOpportunity(LostOutcome.VOIDED), DealClosed, "no-decision"),
    (OPEN, LoseOpportunity(LostOutcome.LOST_TO_COMPETITOR), CompetitorMissing, '"unknown"'),
    (OPEN, LoseOpportunity(LostOutcome.LOST_TO_COMPETITOR, " "), CompetitorMissing, "competitor"),
    (
        OPEN,
        RecordOutcomeReason(Teller.SELLER, ReasonDriver.PRICE, "Dear"),
        DealNotClosed,
        "how it ended",
    ),
    (
        LOST,
        RecordOutcomeReason(Teller.BUYER, ReasonDriver.PRICE, "Dear", "visit"),
        UnknownReference,
        "no contact 'visit'",
    ),
    (OPEN, ReopenOpportunity("Go on", "proposal"), DealNotClosed, "no outcome"),
    (SUSPENDED, ReopenOpportunity("Go on"), DealNotClosed, "no outcome"),
    (LOST, ReopenOpportunity("Go on", "nowhere"), UnknownStage, "'nowhere'"),
    (WON, ReopenOpportunity("Go on", "delivery"), UnknownStage, "not a selling stage"),
    (LOST, ReopenOpportunity("Go on", "proposal"), StagesSkipped, "ended in 'contact'"),
    (OPEN, ReachDeliveryMilestone(DeliveryMilestone.STARTED), NotWon, "signature"),
    (LOST, ReachDeliveryMilestone(DeliveryMilestone.STARTED), DealClosed, "no-decision"),
    (OPEN, MeasureSatisfaction(SatisfactionMeasure.NPS, 5), NotWon, "signature"),
    (WON, MeasureSatisfaction(SatisfactionMeasure.CSI, -1), OutOfRange, "from 0 to 100"),
    (WON, MeasureSatisfaction(SatisfactionMeasure.TSI, -1), OutOfRange, "tsi is -1"),
    (WON, MeasureSatisfaction(SatisfactionMeasure.TSI, 101), OutOfRange, "tsi is 101"),
    (WON, MeasureSatisfaction(SatisfactionMeasure.NPS, -101), OutOfRange, "from -100 to 100"),
    (WON, MeasureSatisfaction(SatisfactionMeasure.NPS, 101), OutOfRange, "from -100 to 100"),
    (LOST, IdentifyExpansion("More"), DealClosed, "no-decision"),
    (
        OPEN,
        IdentifyExpansion("More", amount=Money.parse("1", "JPY")),
        CurrencyMismatch,
        "amount is in JPY, the deal in USD",
    ),
    ((), RecordDebrief(("Ask",)), DealNotOpened, "open-opportunity"),
    ((), AddNote("Friendly"), DealNotOpened, "no such deal"),
]


@pytest.mark.parametrize(("facts", "command", "fact"), ACTS)
def test_acts(facts: tuple[DealFact, ...], command: AnyLifecycleCommand, fact: DealFact) -> None:
    after = given(*facts).when(command).then(fact)
    assert after.deal != given(*facts).deal


@pytest.mark.parametrize(("facts", "command"), STAYS_QUIET)
def test_stays_quiet(facts: tuple[DealFact, ...], command: AnyLifecycleCommand) -> None:
    given(*facts).when(command).nothing()


@pytest.mark.parametrize(("facts", "command", "refusal", "words"), REFUSES)
def test_refuses(
    facts: tuple[DealFact, ...],
    command: AnyLifecycleCommand,
    refusal: type[Refusal],
    words: str,
) -> None:
    given(*facts).when(command, by=MANAGER).refused(refusal, words)


@pytest.mark.parametrize("table", [ACTS, STAYS_QUIET, REFUSES])
def test_every_command_is_tried(table: list[tuple[Any, ...]]) -> None:
    assert {type(row[1]) for row in table} == set(get_args(AnyLifecycleCommand))


def test_every_fact_comes_of_a_command() -> None:
    assert len({type(fact) for _, _, fact in ACTS}) == len(get_args(AnyLifecycleCommand))


def test_the_reasons_of_an_earlier_outcome_do_not_stand_for_a_later_one() -> None:
    reason = OutcomeReasonRecorded(Teller.BUYER, ReasonDriver.PRICE, "Dear")
    twice = given(
        *LOST,
        reason,
        OpportunityReopened("contact", "They called"),
        OpportunityLost(LostOutcome.WITHDRAWN),
    )
    twice.when(RecordOutcomeReason(reason.told_by, reason.driver, reason.text)).then(reason)


def test_a_member_may_hold_two_roles_and_leave_one() -> None:
    both = given(*TEAM, TeamMemberAssigned("bo", "lawyer"))
    after = both.when(ReleaseTeamMember("bo", "engineer")).accepted()
    assert [event.fact.role for event in after.deal.life.team] == ["lawyer"]


def test_a_step_planned_again_replaces_the_open_one() -> None:
    after = given(*PLANNED).when(PlanNextStep("visit", "Visit the office", "bo")).accepted()
    (step,) = after.deal.life.next_steps
    assert (step.planned.fact.what, step.planned.fact.owner) == ("Visit the office", "bo")
