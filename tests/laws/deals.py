"""Random deals: facts and commands whose ids and names come from small pools, so that they meet.

`deal_facts` and `histories` know no rules and are mostly nonsense. `asked` are
commands as users give them; `courses` are what becomes of deals under them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast, get_args

import msgspec
from hypothesis import strategies as st

from domain.access import Principal
from domain.buying.commands import ObserveBuyingPhase
from domain.buying.facts import CommitmentRecorded, DecisionCriterionSet
from domain.competition.facts import CompetitorIdentified
from domain.corrections import EventWithdrawn, WithdrawEvent
from domain.deal import (
    COMMAND_TYPES,
    FACT_TYPES,
    DealCommand,
    DealEvent,
    DealFact,
    History,
    decide,
    violations,
)
from domain.history import Draft
from domain.intent import Command, Intent
from domain.lifecycle import Status
from domain.lifecycle.commands import (
    AddNote,
    CompleteNextStep,
    IdentifyExpansion,
    MeasureSatisfaction,
    OpenOpportunity,
    ReachDeliveryMilestone,
    RecordDebrief,
    RecordOutcomeReason,
    ReleaseTeamMember,
    ReopenOpportunity,
    ResumeOpportunity,
    WinOpportunity,
)
from domain.lifecycle.facts import (
    LostOutcome,
    NextStepPlanned,
    OpportunityLost,
    OpportunitySuspended,
    OpportunityWon,
    TeamMemberAssigned,
)
from domain.needs.commands import RaiseConcern, ResolveConcern
from domain.needs.facts import ConcernKind, ConcernRaised, FactRecorded, NeedUncovered, Topic
from domain.negotiation.facts import ConcessionMade, NegotiationOpened, OfferMade, Term
from domain.people import AnyPeopleCommand
from domain.people.facts import BuyingRole, ContactKind, ContactMade, StakeholderIdentified
from domain.refusals import Refusal
from domain.stages.commands import (
    AdvanceStage,
    AttestGateCriterion,
    RegressStage,
    ReviseForecast,
    RevokeGateCriterion,
)
from domain.stages.facts import GateCriterionAttested, StageAdvanced
from domain.values import Party
from tests.laws.pools import PRICE, STAGES, WAY, one_of, pools_of, users
from tests.scenario import (
    BOOK,
    COLLEAGUE,
    MANAGER,
    OPERATOR,
    ORGANISATION,
    OWNER,
    STREAM,
    day,
    given,
    opened,
    usd,
)
from tests.strategies import structs_of

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

T = TypeVar("T")


def _structs(cls: type[T]) -> SearchStrategy[T]:
    return cast("SearchStrategy[T]", structs_of(cast("Any", cls), pools_of(cls)))


_FACTS = {fact_type: _structs(fact_type) for fact_type in FACT_TYPES}
_COMMANDS = {command_type: _structs(command_type) for command_type in COMMAND_TYPES}


def deal_facts() -> SearchStrategy[DealFact]:
    """Facts of a deal, each type as likely as the other, without regard to any rule."""
    return cast("SearchStrategy[DealFact]", st.one_of(list(_FACTS.values())))


@st.composite
def histories(draw: st.DrawFn) -> tuple[DealEvent, ...]:
    """Events of one deal, with ties, late entries, and withdrawals known late and dated oddly.

    A withdrawal names versions up to its own, as the log keeps no others.
    """
    withdrawals = cast("SearchStrategy[DealFact]", _FACTS[EventWithdrawn])
    facts = draw(st.lists(st.one_of(deal_facts(), deal_facts(), withdrawals), max_size=12))
    if draw(st.integers(0, 3)):
        facts.insert(0, opened())
    days = [draw(st.integers(0, 5)) for _ in facts]
    if draw(st.booleans()):
        days.sort()
    return tuple(
        Draft(
            fact=_up_to(version, fact),
            occurred_at=day(days[version - 1]),
            actor=draw(users),
            source="cli",
            command_id=draw(one_of("c-1", "c-2", "c-3")),
            correlation_id="c",
            known_at=day(draw(st.integers(0, 7))),
        ).recorded(STREAM, version, day(8))
        for version, fact in enumerate(facts, start=1)
    )


def _up_to(version: int, fact: DealFact) -> DealFact:
    if isinstance(fact, EventWithdrawn):
        return msgspec.structs.replace(fact, versions=tuple(min(v, version) for v in fact.versions))
    return fact


_USUAL: tuple[DealFact, ...] = (
    opened(),
    NextStepPlanned("visit", "one", "ann"),
    TeamMemberAssigned("bo", "engineer"),
    StageAdvanced("contact", "proposal"),
    GateCriterionAttested("plan", "one"),
)
_KNOWN: tuple[DealFact, ...] = (
    StakeholderIdentified("li", "one", roles=(BuyingRole.DECISION_MAKER,)),
    StakeholderIdentified("wang", "two", reports_to="li"),
    ContactMade("visit-1", ContactKind.VISIT, ("li",)),
    CompetitorIdentified("acme", "one"),
    NeedUncovered("speed", "one"),
    ConcernRaised("risk", ConcernKind.CONCERN, "one"),
    FactRecorded("f-1", Topic.SCALE, "one", told_by="li"),
    DecisionCriterionSet("price", "one", 50),
    CommitmentRecorded("pilot", "one", Party.CUSTOMER),
)
_TALKS: tuple[DealFact, ...] = (
    NegotiationOpened("main", (PRICE, WAY), walk_aways=(Term("price", "90"),)),
    OfferMade("o-1", "main", Party.US, 1, (Term("price", "100"), Term("way", "road"))),
    OfferMade("o-2", "main", Party.CUSTOMER, 2, (Term("price", "90"),)),
)
BEGINNINGS: tuple[tuple[DealFact, ...], ...] = (
    (opened(),),
    _USUAL,
    (*_USUAL, *_KNOWN),
    (*_USUAL, *_KNOWN, *_TALKS),
    (*_USUAL, OpportunitySuspended("one")),
    (*_USUAL, OpportunityLost(LostOutcome.NO_DECISION)),
    (*_USUAL, OpportunityWon(usd("5"))),
    (*_USUAL, OpportunityWon(), StageAdvanced("proposal", "delivery", ("closing",))),
)
"""What happened, on a day each, before random commands are asked."""

_BEGINNINGS = tuple(given(*facts).history for facts in BEGINNINGS)

ENDED = (RecordOutcomeReason, RecordDebrief, AddNote, ReopenOpportunity, WithdrawEvent)
FITTING: dict[Status, tuple[type[Command], ...]] = {
    Status.OPEN: tuple(
        command_type
        for command_type in COMMAND_TYPES
        if command_type not in {OpenOpportunity, ResumeOpportunity, RecordOutcomeReason}
    ),
    Status.SUSPENDED: (ResumeOpportunity, ReviseForecast, AddNote, WithdrawEvent, WinOpportunity),
    Status.LOST: ENDED,
    Status.VOIDED: ENDED,
    Status.WON: (
        *ENDED,
        AdvanceStage,
        AttestGateCriterion,
        RevokeGateCriterion,
        ReachDeliveryMilestone,
        MeasureSatisfaction,
        IdentifyExpansion,
        *get_args(AnyPeopleCommand),
        ObserveBuyingPhase,
        RaiseConcern,
        ResolveConcern,
    ),
}
"""Commands that stand a chance on a deal in this status."""


class Asked(msgspec.Struct, frozen=True):
    """A command, and who gives it; late ones occurred at a quarter of the deal's days, or so."""

    command: DealCommand
    by: Principal
    quarter: int | None
    """None: of today."""


@st.composite
def asked(draw: st.DrawFn, history: History) -> Asked:
    """Something to ask of a deal; most of it fits, comes from who may, and is of today."""
    fits = draw(st.integers(0, 3)) > 0
    types = FITTING.get(history.deal.life.status, ENDED) if fits else COMMAND_TYPES
    command = cast("DealCommand", draw(_COMMANDS[draw(st.sampled_from(types))]))
    return Asked(
        command=_aimed(draw, command, history) if fits else command,
        by=draw(
            one_of(OWNER, MANAGER, OPERATOR, COLLEAGUE) if not fits else one_of(MANAGER, OPERATOR)
        ),
        quarter=draw(one_of(*[None] * 8, 3, 3, 2, 2, 1, 0, -1)),
    )


def _aimed(draw: st.DrawFn, command: DealCommand, history: History) -> DealCommand:
    """The command with ids of what there is on the deal, where it names any."""
    deal = history.deal
    match command:
        case AdvanceStage():
            there = STAGES.index(deal.stages.stage or "") + 1
            return AdvanceStage(draw(one_of(*STAGES[there:], STAGES[-1])), "in a hurry")
        case RegressStage(reason=reason):
            here = STAGES.index(deal.stages.stage or "")
            return RegressStage(draw(one_of(*STAGES[: max(here, 1)])), reason)
        case ReleaseTeamMember() if deal.life.team:
            member = draw(one_of(*deal.life.team)).fact
            return ReleaseTeamMember(member.member, member.role)
        case CompleteNextStep() if deal.life.next_steps:
            return CompleteNextStep(draw(one_of(*deal.life.next_steps)).planned.fact.id)
        case RevokeGateCriterion(reason=reason) if deal.stages.attestations:
            criterion = draw(one_of(*deal.stages.attestations)).fact.criterion
            return RevokeGateCriterion(criterion, reason)
        case WithdrawEvent(reason=reason):
            return WithdrawEvent(draw(st.integers(1, history.version)), reason)
        case _:
            return command


def intent_of(ask: Asked, history: History, number: int) -> Intent:
    """The circumstances of the command with this number: a day after the latest event, or late."""
    days = max((event.occurred_at - day(0)).days for event in history.events)
    return Intent(
        command_id=f"asked-{number}",
        principal=ask.by,
        source="api",
        now=day(days + 1),
        occurred_at=day(days + 1) if ask.quarter is None else day(days * ask.quarter // 4),
    )


class Step(msgspec.Struct, frozen=True):
    """A command, the history it met, and the facts or the refusal it led to."""

    ask: Asked
    intent: Intent
    before: History
    facts: tuple[DealFact, ...] = ()
    refusal: Refusal | None = None

    @property
    def after(self) -> History:
        """The history with the facts behind it."""
        drafts = [
            Draft(fact, self.intent.occurred_at, self.ask.by.id, "api", self.intent.command_id, "c")
            for fact in self.facts
        ]
        return self.before.extended(
            [
                draft.recorded(STREAM, self.before.version + offset, self.intent.now)
                for offset, draft in enumerate(drafts, start=1)
            ]
        )


def carry_out(ask: Asked, history: History) -> Step:
    """Decide one command."""
    intent = intent_of(ask, history, history.version)
    try:
        return Step(ask, intent, history, decide(ask.command, history, BOOK, intent, ORGANISATION))
    except Refusal as refusal:
        return Step(ask, intent, history, refusal=refusal)


@st.composite
def courses(draw: st.DrawFn) -> list[Step]:
    """What becomes of a deal on which one command after the other is carried out."""
    history = draw(one_of(*_BEGINNINGS))
    steps = []
    for _ in range(draw(st.integers(1, 15))):
        steps.append(carry_out(draw(asked(history)), history))
        history = steps[-1].after
    return steps


def unsound(history: History) -> list[tuple[DealFact, Refusal]]:
    """Facts that break a structural rule where they stand.

    Concessions apart: they tell how the sides stood when they were recorded.
    """
    told = [(history.events[v - 1].fact, why) for v, why in violations(history.events, BOOK)]
    return [(fact, why) for fact, why in told if not isinstance(fact, ConcessionMade)]
