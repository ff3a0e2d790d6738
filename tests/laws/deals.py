"""Random deals: facts and commands whose ids and names come from small pools, so that they meet.

`deal_facts` and `histories` know no rules and are mostly nonsense. `asked` are
commands as users give them; `courses` are what becomes of deals under them.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, TypeVar, cast

import msgspec
from hypothesis import strategies as st

from domain.access import Principal
from domain.corrections import EventWithdrawn, WithdrawEvent
from domain.deal import (
    COMMAND_TYPES,
    FACT_TYPES,
    DealCommand,
    DealEvent,
    DealFact,
    History,
    decide,
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
    QualifyLead,
    ReachDeliveryMilestone,
    RecordDebrief,
    RecordOutcomeReason,
    ReleaseTeamMember,
    ReopenOpportunity,
    ResumeOpportunity,
    WinOpportunity,
)
from domain.lifecycle.facts import (
    LeadQualified,
    LostOutcome,
    NextStepPlanned,
    OpportunityLost,
    OpportunitySuspended,
    OpportunityWon,
    OutcomeReasonRecorded,
    TeamMemberAssigned,
)
from domain.refusals import Refusal
from domain.stages.commands import (
    AdvanceStage,
    AttestGateCriterion,
    RegressStage,
    ReviseForecast,
    RevokeGateCriterion,
)
from domain.stages.facts import GateCriterionAttested, StageAdvanced
from domain.values import Money
from tests.scenario import (
    BOOK,
    COLLEAGUE,
    LONGER,
    MANAGER,
    OPERATOR,
    OWNER,
    SHORT,
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
PEOPLE = (OWNER, COLLEAGUE, MANAGER, OPERATOR)
STAGES = tuple(stage.id for stage in LONGER.stages)
CRITERIA = tuple(criterion.id for stage in LONGER.stages for criterion in stage.gate)


def _of(*values: T) -> SearchStrategy[T]:
    return st.sampled_from(values)


_words = _of("one", "two", "三")
_people = _of(*(person.id for person in PEOPLE))
# The sound value comes first and often: Hypothesis tries the first of a choice most.
_money = st.builds(Money.from_minor, st.integers(0, 500), _of("USD", "USD", "USD", "USD", "JPY"))

POOLS: dict[str, SearchStrategy[Any]] = {
    "amount": _money,
    "competitor": _words,
    "contract_reference": _words,
    "criterion": _of(*CRITERIA),
    "currency": _of("USD", "USD", "USD", "JPY", "XYZ"),
    "description": _words,
    "due": st.dates(date(2026, 1, 1), date(2026, 12, 31)),
    "from_": _of(*STAGES),
    "id": _of("visit", "call"),
    "lead_source": _words,
    "lessons": st.lists(_words, min_size=1, max_size=2).map(tuple),
    "level": _words,
    "member": _people,
    "name": _words,
    "note": _words,
    "objective": _words,
    "override_reason": _of("in a hurry", "in a hurry", " "),
    "owner": _people,
    "plan": _words,
    "process": _of(SHORT.ref, SHORT.ref, LONGER.ref),
    "products": st.lists(_words, max_size=2).map(tuple),
    "reason": _of("one", "two", " "),
    "reasons": st.lists(_words, max_size=2).map(tuple),
    "reference": _words,
    "region": _words,
    "result": _words,
    "role": _of("engineer", "lawyer"),
    "route": _words,
    "skipped": st.lists(_of(*STAGES), max_size=2).map(tuple),
    "stage": _of(*STAGES),
    "territory": _words,
    "text": _words,
    "to": _of(*STAGES),
    "told_by": _words,
    "value": _money,
    "version": st.integers(1, 12),
    "versions": st.lists(st.integers(1, 12), min_size=1, max_size=3).map(tuple),
    "what": _words,
}
"""Values by the name of the field. A field of another name is drawn by its type alone."""

_TYPED: dict[Any, str] = {
    QualifyLead: "level",
    LeadQualified: "level",
    RecordOutcomeReason: "told_by",
    OutcomeReasonRecorded: "told_by",
}
"""Fields of a type of their own, though they share their name with others."""


def _structs(cls: type[T]) -> SearchStrategy[T]:
    # Negotiations have laws of their own, with pools of their own.
    own = cls.__module__.startswith("domain.negotiation.")
    pools = {} if own else {name: p for name, p in POOLS.items() if name != _TYPED.get(cls)}
    return cast("SearchStrategy[T]", structs_of(cast("Any", cls), pools))


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
            actor=draw(_people),
            source="cli",
            command_id=draw(_of("c-1", "c-2", "c-3")),
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
BEGINNINGS: tuple[tuple[DealFact, ...], ...] = (
    (opened(),),
    _USUAL,
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
    types = FITTING[history.deal.life.status] if fits else COMMAND_TYPES
    command = cast("DealCommand", draw(_COMMANDS[draw(st.sampled_from(types))]))
    return Asked(
        command=_aimed(draw, command, history) if fits else command,
        by=draw(_of(OWNER, MANAGER, OPERATOR, COLLEAGUE) if not fits else _of(MANAGER, OPERATOR)),
        quarter=draw(_of(*[None] * 8, 3, 3, 2, 2, 1, 0, -1)),
    )


def _aimed(draw: st.DrawFn, command: DealCommand, history: History) -> DealCommand:
    """The command with ids of what there is on the deal, where it names any."""
    deal = history.deal
    match command:
        case AdvanceStage():
            there = STAGES.index(deal.stages.stage or "") + 1
            return AdvanceStage(draw(_of(None, *STAGES[there:])), "in a hurry")
        case RegressStage(reason=reason):
            here = STAGES.index(deal.stages.stage or "")
            return RegressStage(draw(_of(*STAGES[: max(here, 1)])), reason)
        case ReleaseTeamMember() if deal.life.team:
            member = draw(_of(*deal.life.team)).fact
            return ReleaseTeamMember(member.member, member.role)
        case CompleteNextStep() if deal.life.next_steps:
            return CompleteNextStep(draw(_of(*deal.life.next_steps)).planned.fact.id)
        case RevokeGateCriterion(reason=reason) if deal.stages.attestations:
            criterion = draw(_of(*deal.stages.attestations)).fact.criterion
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
        return Step(ask, intent, history, decide(ask.command, history, BOOK, intent))
    except Refusal as refusal:
        return Step(ask, intent, history, refusal=refusal)


@st.composite
def courses(draw: st.DrawFn) -> list[Step]:
    """What becomes of a deal on which one command after the other is carried out."""
    history = draw(_of(*_BEGINNINGS))
    steps = []
    for _ in range(draw(st.integers(1, 15))):
        steps.append(carry_out(draw(asked(history)), history))
        history = steps[-1].after
    return steps
