"""The life of a deal: its part of the state, and how facts change it.

Where a judgement is kept, the whole event is kept: state so knows since when,
by whom, and which event to show as evidence. Folding never fails, whatever the
order of the facts.
"""

from datetime import datetime
from enum import StrEnum
from typing import assert_never, cast

import msgspec
from msgspec import UNSET

from domain.history import Recorded
from domain.lifecycle.facts import (
    Account,
    AnyLifecycleFact,
    DebriefRecorded,
    DeliveryMilestoneReached,
    ExpansionIdentified,
    LeadQualified,
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
    SatisfactionMeasured,
    SpendKind,
    StrategyChosen,
    TeamMemberAssigned,
    TeamMemberReleased,
    WinPlanSet,
)
from domain.values import BusinessType, Money, ProcessRef


class Status(StrEnum):
    """Where a deal is in its life. How it was lost is in the outcome."""

    UNOPENED = "unopened"
    OPEN = "open"
    SUSPENDED = "suspended"
    WON = "won"
    LOST = "lost"
    VOIDED = "voided"
    MERGED = "merged"
    """A duplicate of another deal: neither won nor lost, and counted nowhere."""

    @property
    def closed(self) -> bool:
        return self in _CLOSED


_CLOSED = (Status.WON, Status.LOST, Status.VOIDED, Status.MERGED)


class NextStep(msgspec.Struct, frozen=True, gc=False):
    """A planned step and, once done, its completion."""

    planned: Recorded[NextStepPlanned]
    completed: Recorded[NextStepCompleted] | None = None


class Life(msgspec.Struct, frozen=True, gc=False):
    """What is known of the deal itself, apart from stages and forecast."""

    status: Status = Status.UNOPENED
    opened_at: datetime | None = None
    closed_at: datetime | None = None
    outcome: Recorded[OpportunityWon] | Recorded[OpportunityLost] | None = None
    merged_into: str | None = None
    """Id of the deal of which this one is a duplicate."""
    opening: Recorded[OpportunityOpened] | None = None
    name: str | None = None
    reference: str | None = None
    account: Account | None = None
    account_set_by: int | None = None
    """Version of the event that last gave the account."""
    business_type: BusinessType | None = None
    spend_kind: SpendKind | None = None
    process: ProcessRef | None = None
    currency: str | None = None
    products: tuple[str, ...] = ()
    territory: str | None = None
    own_region: str | None = None
    route: str | None = None
    owner: str | None = None
    lead_source: str | None = None
    lead_source_set_by: int | None = None
    """Version of the event that last gave the lead source."""
    team: tuple[Recorded[TeamMemberAssigned], ...] = ()
    qualification: Recorded[LeadQualified] | None = None
    assessment: Recorded[OpportunityAssessed] | None = None
    win_plan: Recorded[WinPlanSet] | None = None
    strategy: Recorded[StrategyChosen] | None = None
    next_steps: tuple[NextStep, ...] = ()
    suspension: Recorded[OpportunitySuspended] | None = None
    outcome_reasons: tuple[Recorded[OutcomeReasonRecorded], ...] = ()
    delivery: tuple[Recorded[DeliveryMilestoneReached], ...] = ()
    satisfaction: tuple[Recorded[SatisfactionMeasured], ...] = ()
    expansions: tuple[Recorded[ExpansionIdentified], ...] = ()
    debriefs: tuple[Recorded[DebriefRecorded], ...] = ()
    notes: tuple[Recorded[NoteAdded], ...] = ()

    @property
    def region(self) -> str | None:
        """The deal's sales region, else its account's."""
        return self.own_region or (self.account.region if self.account else None)

    @property
    def outcome_name(self) -> str | None:
        """`won`, one of the `LostOutcome` values, or `merged`."""
        if self.status is Status.MERGED:
            return Status.MERGED.value
        if self.outcome is None:
            return None
        match self.outcome.fact:
            case OpportunityWon():
                return "won"
            case OpportunityLost(outcome=outcome):
                return outcome.value

    @property
    def contract_value(self) -> Money | None:
        if self.outcome is None:
            return None
        match self.outcome.fact:
            case OpportunityWon(value=value):
                return value
            case OpportunityLost():
                return None

    @property
    def team_ids(self) -> frozenset[str]:
        """User ids of the owner and the members."""
        members = {event.fact.member for event in self.team}
        return frozenset(members | {self.owner} if self.owner else members)

    def step(self, step_id: str) -> NextStep | None:
        """The latest step planned under this id."""
        for step in reversed(self.next_steps):
            if step.planned.fact.id == step_id:
                return step
        return None


def evolve(life: Life, event: Recorded[AnyLifecycleFact]) -> Life:
    """The life after `event`."""
    replace = msgspec.structs.replace
    match event.fact:
        case OpportunityOpened():
            return _opened(life, cast("Recorded[OpportunityOpened]", event))
        case OpportunityRevised():
            return _revised(life, event.fact, event.version)
        case ProcessChanged(process=process):
            return replace(life, process=process)
        case OwnerChanged(owner=owner):
            return replace(life, owner=owner)
        case TeamMemberAssigned() | TeamMemberReleased():
            return replace(life, team=_team(life, event, event.fact))
        case LeadQualified():
            return replace(life, qualification=event)
        case OpportunityAssessed():
            return replace(life, assessment=event)
        case WinPlanSet():
            return replace(life, win_plan=event)
        case StrategyChosen():
            return replace(life, strategy=event)
        case NextStepPlanned() | NextStepCompleted():
            return replace(life, next_steps=_steps(life, event, event.fact))
        case OpportunitySuspended():
            return replace(life, status=Status.SUSPENDED, suspension=event)
        case OpportunityResumed():
            return replace(life, status=Status.OPEN, suspension=None)
        case OpportunityWon() | OpportunityLost():
            return _closed(life, event, event.fact)
        case OutcomeReasonRecorded():
            return replace(life, outcome_reasons=(*life.outcome_reasons, event))
        case OpportunityReopened():
            return _reopened(life)
        case DeliveryMilestoneReached():
            return replace(life, delivery=(*life.delivery, event))
        case SatisfactionMeasured():
            return replace(life, satisfaction=(*life.satisfaction, event))
        case ExpansionIdentified():
            return replace(life, expansions=(*life.expansions, event))
        case DebriefRecorded():
            return replace(life, debriefs=(*life.debriefs, event))
        case NoteAdded():
            return replace(life, notes=(*life.notes, event))
        case _:
            assert_never(event.fact)


def _opened(life: Life, event: Recorded[OpportunityOpened]) -> Life:
    fact = event.fact
    return msgspec.structs.replace(
        life,
        status=Status.OPEN,
        opening=event,
        opened_at=event.occurred_at,
        name=fact.name,
        reference=fact.reference,
        account=fact.account,
        account_set_by=event.version if fact.account else None,
        business_type=fact.business_type,
        spend_kind=fact.spend_kind,
        process=fact.process,
        currency=fact.currency,
        products=fact.products,
        territory=fact.territory,
        own_region=fact.region,
        route=fact.route,
        owner=fact.owner,
        lead_source=fact.lead_source,
        lead_source_set_by=event.version if fact.lead_source else None,
    )


REVISABLE = {
    "name": "name",
    "account": "account",
    "business_type": "business_type",
    "spend_kind": "spend_kind",
    "products": "products",
    "territory": "territory",
    "region": "own_region",
    "route": "route",
    "lead_source": "lead_source",
}
"""Fields of `OpportunityRevised` and the fields of `Life` that they change."""


def _revised(life: Life, fact: OpportunityRevised, version: int) -> Life:
    changes = {
        ours: value
        for theirs, ours in REVISABLE.items()
        if (value := getattr(fact, theirs)) is not UNSET
    }
    for name in ("account", "lead_source"):
        if name in changes:
            changes[f"{name}_set_by"] = None if changes[name] is None else version
    return msgspec.structs.replace(life, **changes)


def _team(
    life: Life, event: Recorded[AnyLifecycleFact], fact: TeamMemberAssigned | TeamMemberReleased
) -> tuple[Recorded[TeamMemberAssigned], ...]:
    others = tuple(
        member
        for member in life.team
        if (member.fact.member, member.fact.role) != (fact.member, fact.role)
    )
    if isinstance(fact, TeamMemberAssigned):
        return (*others, cast("Recorded[TeamMemberAssigned]", event))
    return others


def _steps(
    life: Life, event: Recorded[AnyLifecycleFact], fact: NextStepPlanned | NextStepCompleted
) -> tuple[NextStep, ...]:
    steps = life.next_steps
    # One at most: a step that is planned anew under its id takes the place of the open one.
    open_at = [
        number
        for number, step in enumerate(steps)
        if step.completed is None and step.planned.fact.id == fact.id
    ]
    if isinstance(fact, NextStepPlanned):
        planned = NextStep(cast("Recorded[NextStepPlanned]", event))
        for number in open_at:
            return (*steps[:number], *steps[number + 1 :], planned)
        return (*steps, planned)
    for number in open_at:
        done = NextStep(steps[number].planned, cast("Recorded[NextStepCompleted]", event))
        return (*steps[:number], done, *steps[number + 1 :])
    return steps


def _reopened(life: Life) -> Life:
    """Open as before the outcome; the reasons told were those of that outcome."""
    return msgspec.structs.replace(
        life,
        status=Status.OPEN,
        outcome=None,
        merged_into=None,
        closed_at=None,
        suspension=None,
        outcome_reasons=(),
    )


def _closed(
    life: Life, event: Recorded[AnyLifecycleFact], fact: OpportunityWon | OpportunityLost
) -> Life:
    if isinstance(fact, OpportunityWon):
        status = Status.WON
    else:
        status = Status.VOIDED if fact.outcome is LostOutcome.VOIDED else Status.LOST
    return msgspec.structs.replace(
        life, status=status, outcome=event, closed_at=event.occurred_at, suspension=None
    )
