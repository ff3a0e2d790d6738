"""The life of a deal: what a command leads to, and which facts can follow which state.

`decide` answers with facts, with nothing where the command changes nothing, or
with a refusal. `admissible` holds the rules that every history obeys, imported
ones too; deciding and replaying share it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, assert_never

from msgspec import UNSET

from domain.currencies import MINOR_DIGITS
from domain.deciding import mirrored, unless_among, unless_current
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
    AnyLifecycleFact,
    DebriefRecorded,
    DeliveryMilestoneReached,
    ExpansionIdentified,
    LeadQualified,
    LifecycleFact,
    LostOutcome,
    NextStepCompleted,
    NextStepPlanned,
    NoteAdded,
    OpportunityAssessed,
    OpportunityLost,
    OpportunityOpened,
    OpportunityReopened,
    OpportunityResumed,
    OpportunityRevised,
    OpportunitySuspended,
    OpportunityWon,
    OutcomeReasonRecorded,
    OwnerChanged,
    ProcessChanged,
    SatisfactionMeasure,
    SatisfactionMeasured,
    StrategyChosen,
    TeamMemberAssigned,
    TeamMemberReleased,
    WinPlanSet,
)
from domain.lifecycle.life import REVISABLE, Life, Status
from domain.process import ProcessBook, SalesProcess
from domain.references import require_contacts
from domain.refusals import (
    CompetitorMissing,
    DealAlreadyOpened,
    DealClosed,
    DealNotClosed,
    DealNotSuspended,
    DealSuspended,
    IdTaken,
    NotWon,
    StagesSkipped,
    UnknownCurrency,
    UnknownReference,
    UnknownStage,
    require_range,
)

if TYPE_CHECKING:
    from domain.deal import Deal
    from domain.history import Recorded

ALWAYS_AFTER_OUTCOME: tuple[type[LifecycleFact], ...] = (
    OutcomeReasonRecorded,
    DebriefRecorded,
    NoteAdded,
    OpportunityReopened,
)
AFTER_MERGING: tuple[type[LifecycleFact], ...] = (DebriefRecorded, NoteAdded)
AFTER_WINNING: tuple[type[LifecycleFact], ...] = (
    DeliveryMilestoneReached,
    SatisfactionMeasured,
    ExpansionIdentified,
)

_ONLY_ENDED = "Only an ended deal is reopened."

Facts = tuple[AnyLifecycleFact, ...]
F = TypeVar("F", bound=LifecycleFact)


def decide(command: AnyLifecycleCommand, deal: Deal, processes: ProcessBook) -> Facts:
    """The facts that `command` leads to on `deal`. Raises Refusal."""
    life = deal.life
    match command:
        case OpenOpportunity():
            return _open(command, life, processes)
        case ReviseOpportunity():
            return _revise(command, life)
        case ChangeProcess():
            return _change_process(command, deal)
        case ChangeOwner(owner=owner, reason=reason):
            return () if life.owner == owner else (OwnerChanged(owner, reason),)
        case AssignTeamMember(member=member, role=role, level=level):
            return unless_among(TeamMemberAssigned(member, role, level), life.team)
        case ReleaseTeamMember(member=member, role=role):
            return _release(TeamMemberReleased(member, role), life)
        case QualifyLead():
            return unless_current(mirrored(command, LeadQualified), life.qualification)
        case AssessOpportunity():
            return unless_current(mirrored(command, OpportunityAssessed), life.assessment)
        case SetWinPlan(plan=plan):
            return unless_current(WinPlanSet(plan), life.win_plan)
        case ChooseStrategy(strategy=strategy, reason=reason):
            return unless_current(StrategyChosen(strategy, reason), life.strategy)
        case PlanNextStep():
            return _plan_step(mirrored(command, NextStepPlanned), life)
        case CompleteNextStep(id=step_id, result=result):
            return _complete_step(NextStepCompleted(step_id, result), life)
        case SuspendOpportunity(reason=reason, until=until):
            return unless_current(OpportunitySuspended(reason, until), life.suspension)
        case ResumeOpportunity(reason=reason):
            return () if life.status is Status.OPEN else (OpportunityResumed(reason),)
        case WinOpportunity():
            return unless_current(mirrored(command, OpportunityWon), life.outcome)
        case LoseOpportunity():
            return unless_current(mirrored(command, OpportunityLost), life.outcome)
        case RecordOutcomeReason():
            return unless_among(mirrored(command, OutcomeReasonRecorded), life.outcome_reasons)
        case ReopenOpportunity():
            return _reopen(command, deal, processes)
        case ReachDeliveryMilestone():
            return unless_among(mirrored(command, DeliveryMilestoneReached), life.delivery)
        case MeasureSatisfaction():
            return _measure(mirrored(command, SatisfactionMeasured), life)
        case IdentifyExpansion():
            return unless_among(mirrored(command, ExpansionIdentified), life.expansions)
        case RecordDebrief(lessons=lessons):
            return unless_among(DebriefRecorded(lessons), life.debriefs)
        case AddNote(text=text):
            return unless_among(NoteAdded(text), life.notes)
        case _:
            assert_never(command)


def _open(command: OpenOpportunity, life: Life, processes: ProcessBook) -> Facts:
    process = processes.get(command.process)
    stage = command.stage or process.stages[0].id
    fact = mirrored(command, OpportunityOpened, stage=stage)
    if life.opening is None:
        return (fact,)
    if life.opening.fact == fact:
        return ()
    raise DealAlreadyOpened(
        f"this deal was opened as {life.opening.fact.name!r}",
        "Open the new deal under another id.",
    )


def _revise(command: ReviseOpportunity, life: Life) -> Facts:
    changed = {
        theirs: getattr(command, theirs)
        for theirs, ours in REVISABLE.items()
        if getattr(command, theirs) is not UNSET and getattr(command, theirs) != getattr(life, ours)
    }
    return (OpportunityRevised(**changed),) if changed else ()


def _change_process(command: ChangeProcess, deal: Deal) -> Facts:
    stage = command.stage or deal.stages.stage or ""
    if (deal.life.process, deal.stages.stage) == (command.process, stage):
        return ()
    if deal.life.process == command.process:
        require_not_ended(deal.life)
        raise UnknownStage(
            f"the deal runs under {command.process} already, in {deal.stages.stage!r}",
            "Move it with advance-stage or regress-stage.",
        )
    return (ProcessChanged(command.process, stage, command.reason),)


def _release(fact: TeamMemberReleased, life: Life) -> Facts:
    return (fact,) if any(_holds(member, fact) for member in life.team) else ()


def _holds(assigned: Recorded[TeamMemberAssigned], fact: TeamMemberReleased) -> bool:
    return (assigned.fact.member, assigned.fact.role) == (fact.member, fact.role)


def _plan_step(fact: NextStepPlanned, life: Life) -> Facts:
    step = life.step(fact.id)
    if step is not None and step.planned.fact == fact:
        return ()
    return (fact,)


def _complete_step(fact: NextStepCompleted, life: Life) -> Facts:
    step = life.step(fact.id)
    if step is not None and step.completed is not None:
        return ()
    return (fact,)


def _reopen(command: ReopenOpportunity, deal: Deal, processes: ProcessBook) -> Facts:
    if deal.life.status is Status.OPEN and command.stage in (None, deal.stages.stage):
        return ()
    _closed(deal.life, _ONLY_ENDED)
    selling = _selling_stages(deal, processes)
    stood = deal.stages.stage if deal.stages.stage in selling else selling[-1]
    stage = command.stage or stood
    if stage in selling and selling.index(stage) > selling.index(stood):
        raise StagesSkipped(
            f"the deal ended in {stood!r}, and {stage!r} lies after it",
            "Reopen it where it stood or earlier, and advance from there.",
        )
    return (OpportunityReopened(stage, command.reason),)


def _selling_stages(deal: Deal, processes: ProcessBook) -> list[str]:
    assert deal.life.process is not None
    process = processes.get(deal.life.process)
    return [stage.id for stage in process.stages if not stage.after_win]


def _measure(fact: SatisfactionMeasured, life: Life) -> Facts:
    latest = next((e for e in reversed(life.satisfaction) if e.fact.measure is fact.measure), None)
    return unless_current(fact, latest)


def admissible(fact: AnyLifecycleFact, deal: Deal, processes: ProcessBook) -> None:
    """Raise the refusal of the structural rule that `fact` would break on `deal`."""
    life = deal.life
    match fact:
        case OpportunityOpened(process=process, stage=stage, currency=currency):
            if life.opening is not None:
                raise DealAlreadyOpened("the deal is open already", "A deal is opened once.")
            _currency(currency)
            _stage_to_stand_in(processes.get(process), stage)
        case ProcessChanged(process=process, stage=stage):
            _stage_to_stand_in(processes.get(process), stage)
        case OpportunityReopened(stage=stage):
            _closed(life, _ONLY_ENDED)
            assert life.process is not None
            _stage_to_stand_in(processes.get(life.process), stage)
        case OutcomeReasonRecorded(contact=contact):
            _closed(life, "Record how it ended first.")
            require_contacts(deal, contact)
        case DeliveryMilestoneReached():
            _won(life)
        case SatisfactionMeasured(measure=measure, score=score):
            _won(life)
            require_range(measure, score, -100 if measure is SatisfactionMeasure.NPS else 0, 100)
        case OpportunitySuspended():
            if life.status is Status.SUSPENDED:
                raise DealSuspended("the deal is suspended already", "Resume it first.")
        case OpportunityResumed():
            if life.status is not Status.SUSPENDED:
                raise DealNotSuspended("the deal is not suspended", "Only a resting deal resumes.")
        case NextStepPlanned() | NextStepCompleted() | TeamMemberReleased():
            _refers(fact, life)
        case OpportunityLost(outcome=outcome, competitor=competitor):
            if outcome is LostOutcome.LOST_TO_COMPETITOR and not (competitor or "").strip():
                raise CompetitorMissing(
                    "a deal lost to a competitor names the competitor",
                    'Give `competitor`, "unknown" where nobody knows.',
                )
        case OpportunityAssessed(worth_winning=worth, can_win=can):
            require_range("worth_winning", worth, 1, 5)
            require_range("can_win", can, 1, 5)
        case OpportunityWon(share_percent=share):
            require_range("share_percent", share or 0, 0, 100)
        case (
            OpportunityRevised()
            | OwnerChanged()
            | TeamMemberAssigned()
            | LeadQualified()
            | WinPlanSet()
            | StrategyChosen()
            | ExpansionIdentified()
            | DebriefRecorded()
            | NoteAdded()
        ):
            pass
        case _:
            assert_never(fact)


def _refers(fact: NextStepPlanned | NextStepCompleted | TeamMemberReleased, life: Life) -> None:
    """Rule 4: what a fact names exists on the deal, and an id names one thing."""
    if isinstance(fact, TeamMemberReleased):
        if not any(_holds(member, fact) for member in life.team):
            raise UnknownReference(
                f"{fact.member} is not {fact.role} here", "Assign them to the role first."
            )
        return
    step = life.step(fact.id)
    done = step is not None and step.completed is not None
    if isinstance(fact, NextStepPlanned) and done:
        raise IdTaken(f"step {fact.id!r} is done", "Plan the new step under a new id.")
    if isinstance(fact, NextStepCompleted) and (step is None or done):
        raise UnknownReference(f"there is no open step {fact.id!r}", "Plan it first.")


def require_not_ended(life: Life) -> None:
    """Raise DealClosed on a deal that has an outcome, or was merged into another one."""
    if life.status is Status.MERGED:
        raise DealClosed(
            f"the deal was merged into {life.merged_into} before this",
            f"Record it on {life.merged_into}, or withdraw the merge with withdraw-event.",
        )
    if life.status.closed:
        raise DealClosed(
            f"the deal ended ({life.outcome_name}) before this",
            "Enter what happened before the end at its true time, or reopen the deal.",
        )


def _closed(life: Life, satisfied_by: str) -> None:
    if not life.status.closed:
        raise DealNotClosed("the deal has no outcome", satisfied_by)


def _won(life: Life) -> None:
    if life.status is not Status.WON:
        raise NotWon("the deal is not won", "Delivery begins with the signature.")


def _currency(code: str) -> None:
    if code not in MINOR_DIGITS:
        raise UnknownCurrency(
            f"{code!r} is not an ISO 4217 currency code", "Give one, such as CNY or USD."
        )


def _stage_to_stand_in(process: SalesProcess, stage_id: str) -> None:
    stage = process.stage(stage_id)
    if stage is None or stage.after_win:
        selling = ", ".join(s.id for s in process.stages if not s.after_win)
        raise UnknownStage(
            f"{stage_id!r} is not a selling stage of {process.ref}", f"Its stages are: {selling}."
        )


def allowed_after_outcome(fact: LifecycleFact, status: Status) -> bool:
    """Rule 2: what may follow an outcome."""
    if status is Status.MERGED:
        return isinstance(fact, AFTER_MERGING)
    return isinstance(fact, ALWAYS_AFTER_OUTCOME) or (
        status is Status.WON and isinstance(fact, AFTER_WINNING)
    )
