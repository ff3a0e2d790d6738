"""The life of a deal: what happened, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from msgspec import UNSET

from domain.lifecycle.facts import (
    Account,
    AnyLifecycleFact,
    DebriefRecorded,
    DeliveryMilestoneReached,
    ExpansionIdentified,
    LeadQualified,
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
    SatisfactionMeasured,
    StrategyChosen,
    TeamMemberAssigned,
    TeamMemberReleased,
    WinPlanSet,
)
from domain.lifecycle.life import REVISABLE
from domain.naming import BY_ID, Naming, because

if TYPE_CHECKING:
    from domain.lifecycle.life import Life


def describe(fact: AnyLifecycleFact, before: Life, names: Naming = BY_ID) -> str:
    """One English phrase for `fact`, seen from the part before it. Users appear by their id."""
    match fact:
        case OpportunityOpened(name=name, stage=stage, process=process):
            return f"opened {name!r} in {stage} of {process}"
        case OpportunityRevised():
            return _revised(fact, before)
        case ProcessChanged(process=process, stage=stage, reason=reason):
            return f"moved to process {process}, stage {stage}{because(reason)}"
        case OwnerChanged(owner=owner, reason=reason):
            return f"owner {before.owner} → {owner}{because(reason)}"
        case TeamMemberAssigned(member=member, role=role):
            return f"{member} joined the team as {role}"
        case TeamMemberReleased(member=member, role=role):
            return f"{member} left the team as {role}"
        case LeadQualified(level=level):
            bant = (fact.budget, fact.authority, fact.need, fact.timeline)
            confirmed = sum(status == "confirmed" for status in bant)
            return f"qualified as {level}, {confirmed} of 4 of BANT confirmed"
        case OpportunityAssessed(worth_winning=worth, can_win=can, decision=decision):
            decided = f", decided: {decision}" if decision else ""
            return f"assessed: worth winning {worth}/5, can win {can}/5{decided}"
        case WinPlanSet():
            return "win plan set" if before.win_plan is None else "win plan changed"
        case StrategyChosen(strategy=strategy, reason=reason):
            return f"strategy: {strategy}{because(reason)}"
        case NextStepPlanned(what=what, due=due):
            return f"next step planned: {what}" + (f", due {due}" if due else "")
        case NextStepCompleted(id=step_id, result=result):
            step = before.step(step_id)
            what = step.planned.fact.what if step else step_id
            return f"next step done: {what}{because(result)}"
        case OpportunitySuspended(reason=reason, until=until):
            return "suspended" + (f" until {until}" if until else "") + because(reason)
        case OpportunityResumed(reason=reason):
            return f"resumed{because(reason)}"
        case OpportunityWon() | OpportunityLost():
            return _ended(fact, names)
        case OutcomeReasonRecorded(told_by=told_by, driver=driver, text=text):
            return f"reason by the {told_by}'s account, {driver}: {text}"
        case OpportunityReopened(stage=stage, reason=reason):
            return f"reopened in {stage}{because(reason)}"
        case DeliveryMilestoneReached(milestone=milestone, note=note):
            return f"delivery {milestone}{because(note)}"
        case SatisfactionMeasured(measure=measure, score=score):
            return f"satisfaction: {measure.upper()} {score}"
        case ExpansionIdentified(description=description, amount=amount):
            return f"next need: {description}" + (f" ({amount})" if amount else "")
        case DebriefRecorded(lessons=lessons):
            return f"debrief: {'; '.join(lessons)}"
        case NoteAdded(text=text):
            return f"note: {text}"
        case _:
            assert_never(fact)


def _ended(fact: OpportunityWon | OpportunityLost, names: Naming) -> str:
    why = f": {'; '.join(fact.reasons)}" if fact.reasons else ""
    if isinstance(fact, OpportunityWon):
        return f"won, {fact.value}{why}" if fact.value else f"won, value unknown{why}"
    to = f" ({names.vendor(fact.competitor)})" if fact.competitor else ""
    return f"lost, {fact.outcome}{to}{why}"


def _revised(fact: OpportunityRevised, before: Life) -> str:
    changes = [
        f"{theirs.replace('_', ' ')} {_shown(getattr(before, ours))} → {_shown(new)}"
        for theirs, ours in REVISABLE.items()
        if (new := getattr(fact, theirs)) is not UNSET
    ]
    return "; ".join(changes) or "revised"


def _shown(value: object) -> str:
    match value:
        case None | ():
            return "unknown"
        case Account(name=name):
            return name
        case tuple():
            return ", ".join(map(str, value))
        case _:
            return str(value)
