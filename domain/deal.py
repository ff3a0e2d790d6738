"""The deal: its parts together, and the routers over the families.

Theory of operation. A deal is an aggregate whose state is the fold of its
standing events in order of (occurred_at, version). `decide` asks what a command
leads to at the time it occurred: it folds the events up to that time, lets the
family decide, checks each new fact with `admissible`, and, where later events
exist, that none of them becomes inadmissible. `evolve` never fails, whatever
the history. Imported facts skip `decide` but not `admissible`.

A family is a room of its own (lifecycle, stages, corrections, …) with its
facts, commands, part of the state, folds and rules; this module only routes.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, assert_never, cast, get_args

import msgspec

from domain import buying, competition, corrections, lifecycle, needs, negotiation, people, stages
from domain.access import Action, acting, may, require
from domain.buying import AnyBuyingCommand, AnyBuyingFact, BuyingCommand, BuyingFact, Purchase
from domain.competition import (
    AnyCompetitionCommand,
    AnyCompetitionFact,
    CompetitionCommand,
    CompetitionFact,
    Field,
)
from domain.corrections import (
    AnyCorrectionsCommand,
    AnyCorrectionsFact,
    CorrectionsCommand,
    CorrectionsFact,
    EventWithdrawn,
    WithdrawEvent,
    standing,
)
from domain.deciding import require_legible
from domain.gates import gate_state
from domain.history import Fact, Recorded
from domain.lifecycle import (
    AnyLifecycleCommand,
    AnyLifecycleFact,
    Life,
    LifecycleCommand,
    LifecycleFact,
)
from domain.lifecycle.commands import OpenOpportunity
from domain.lifecycle.facts import OpportunityOpened, OpportunityReopened, ProcessChanged
from domain.naming import Naming
from domain.needs import AnyNeedsCommand, AnyNeedsFact, Needs, NeedsCommand, NeedsFact
from domain.negotiation import (
    AnyNegotiationCommand,
    AnyNegotiationFact,
    NegotiationCommand,
    NegotiationFact,
    Negotiations,
)
from domain.negotiation.facts import ApprovalGranted, ApprovalRefused, ConcessionMade
from domain.organisation import Organisation
from domain.people import AnyPeopleCommand, AnyPeopleFact, People, PeopleCommand, PeopleFact
from domain.refusals import (
    BeforeOpening,
    BreaksLaterHistory,
    CurrencyMismatch,
    DealNotOpened,
    Refusal,
    UnknownStage,
)
from domain.stages import AnyStagesCommand, AnyStagesFact, Stages, StagesCommand, StagesFact
from domain.stages.facts import Override, StageAdvanced
from domain.values import START_OF_TIME, Money, Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from domain.access import DealScope, Principal
    from domain.intent import Command, Intent
    from domain.negotiation import AuthorityLimits
    from domain.process import ProcessBook

DealFact = (
    AnyLifecycleFact
    | AnyStagesFact
    | AnyBuyingFact
    | AnyPeopleFact
    | AnyNeedsFact
    | AnyCompetitionFact
    | AnyNegotiationFact
    | AnyCorrectionsFact
)
DealCommand = (
    AnyLifecycleCommand
    | AnyStagesCommand
    | AnyBuyingCommand
    | AnyPeopleCommand
    | AnyNeedsCommand
    | AnyCompetitionCommand
    | AnyNegotiationCommand
    | AnyCorrectionsCommand
)
DealEvent = Recorded[DealFact]

FACT_TYPES: tuple[type[Fact], ...] = get_args(DealFact)
COMMAND_TYPES: tuple[type[Command], ...] = get_args(DealCommand)

NOBODY = Organisation()
"""An organisation without units and limits: sellers have their own deals, nobody manages any."""


class Deal(msgspec.Struct, frozen=True, gc=False):
    """State of one deal at one moment."""

    life: Life = Life()
    stages: Stages = Stages()
    purchase: Purchase = Purchase()
    people: People = People()
    needs: Needs = Needs()
    field: Field = Field()
    negotiations: Negotiations = Negotiations()
    whole: Deal | None = None
    """While a late entry is judged: the deal as all of the history tells of it. Else None."""

    @property
    def amount(self) -> Money | None:
        """The contract value once won, else the amount forecast."""
        return self.life.contract_value or self.stages.amount


def evolve(deal: Deal, event: DealEvent) -> Deal:
    """The deal after `event`. Total: never fails, whatever came before."""
    replace = msgspec.structs.replace
    match event.fact:
        case LifecycleFact() as fact:
            life = lifecycle.evolve(deal.life, cast("Recorded[AnyLifecycleFact]", event))
            if isinstance(fact, OpportunityOpened | ProcessChanged | OpportunityReopened):
                placed = stages.evolve_placed(deal.stages, fact, event)
                return replace(deal, life=life, stages=placed)
            return replace(deal, life=life)
        case StagesFact():
            part = stages.evolve(deal.stages, cast("Recorded[AnyStagesFact]", event))
            return replace(deal, stages=part)
        case BuyingFact():
            buying_event = cast("Recorded[AnyBuyingFact]", event)
            return replace(deal, purchase=buying.evolve(deal.purchase, buying_event))
        case PeopleFact():
            people_event = cast("Recorded[AnyPeopleFact]", event)
            return replace(deal, people=people.evolve(deal.people, people_event))
        case NeedsFact():
            needs_event = cast("Recorded[AnyNeedsFact]", event)
            return replace(deal, needs=needs.evolve(deal.needs, needs_event))
        case CompetitionFact():
            competition_event = cast("Recorded[AnyCompetitionFact]", event)
            return replace(deal, field=competition.evolve(deal.field, competition_event))
        case NegotiationFact():
            negotiated = cast("Recorded[AnyNegotiationFact]", event)
            after = negotiation.evolve(deal.negotiations, negotiated)
            return replace(deal, negotiations=after)
        case CorrectionsFact():
            corrected = cast("Recorded[AnyCorrectionsFact]", event)
            return replace(deal, life=corrections.evolve(deal.life, corrected))
        case _:
            assert_never(event.fact)


def describe(event: DealEvent, before: Deal) -> str:
    """What happened, in one English phrase; users appear by their id."""
    names = Naming.on(before)
    match event.fact:
        case LifecycleFact():
            return lifecycle.describe(event.fact, before.life, names)
        case StagesFact():
            return stages.describe(event.fact, before.stages, names)
        case BuyingFact():
            return buying.describe(event.fact, before.purchase, names)
        case PeopleFact():
            return people.describe(event.fact, before.people, names)
        case NeedsFact():
            return needs.describe(event.fact, before.needs, names)
        case CompetitionFact():
            return competition.describe(event.fact, before.field, names)
        case NegotiationFact():
            return negotiation.describe(event.fact, before.negotiations)
        case CorrectionsFact():
            return corrections.describe(event.fact)
        case _:
            assert_never(event.fact)


def replay(
    events: Iterable[DealEvent],
    as_of: datetime | None = None,
    known_at: datetime | None = None,
) -> Deal:
    """State at (as of, known at): the fold of the events that stand there. None: without limit."""
    deal = Deal()
    for event in standing(events, as_of, known_at):
        deal = evolve(deal, event)
    return deal


class History(msgspec.Struct, frozen=True, gc=False):
    """All events of one deal, in order of version, and the state they fold to."""

    stream: str
    events: tuple[DealEvent, ...] = ()
    deal: Deal = Deal()
    latest: datetime = START_OF_TIME
    """The latest time at which one of the events occurred."""

    @classmethod
    def of(cls, stream: str, events: Iterable[DealEvent]) -> History:
        kept = tuple(events)
        latest = max([event.occurred_at for event in kept], default=START_OF_TIME)
        return cls(stream, kept, replay(kept), latest)

    @property
    def version(self) -> int:
        """Version of the last event, 0 without any."""
        return len(self.events)

    def extended(self, new: Sequence[DealEvent]) -> History:
        """The history with `new` events behind; folds on where they sort last."""
        kept = (*self.events, *new)
        if _sorts_last(new, self.latest):
            deal, latest = self.deal, self.latest
            for event in new:
                deal, latest = evolve(deal, event), event.occurred_at
            return History(self.stream, kept, deal, latest)
        return History.of(self.stream, kept)

    def at(self, as_of: datetime | None = None, known_at: datetime | None = None) -> Deal:
        """State at (as of, known at)."""
        return replay(self.events, as_of, known_at)


def _sorts_last(new: Sequence[DealEvent], latest: datetime) -> bool:
    """Whether new events fold behind all earlier ones, the latest of which occurred then."""
    for event in new:
        if event.occurred_at < latest or isinstance(event.fact, EventWithdrawn):
            return False
        latest = event.occurred_at
    return True


def decide(
    command: DealCommand,
    history: History,
    processes: ProcessBook,
    intent: Intent,
    organisation: Organisation = NOBODY,
) -> tuple[DealFact, ...]:
    """The facts that `command` leads to; none where it changes nothing. Raises Refusal."""
    deal = _state_at(command, history, intent)
    if deal.life.opening is None and not isinstance(command, OpenOpportunity):
        raise DealNotOpened("there is no such deal", "Open it first with open-opportunity.")
    scope = require_rights(command, history, intent.principal, organisation)
    limits = organisation.limits
    facts = _route(command, deal, history, processes, intent, scope=scope, limits=limits)
    drafts = _as_events(facts, history, intent)
    for event in drafts:
        admissible(event.fact, deal, processes, history.events)
        deal = evolve(deal, event)
    _keeps_later_history_legal(history, drafts, processes)
    require_legible(command)
    return facts


def require_rights(
    command: DealCommand, history: History, principal: Principal, organisation: Organisation
) -> DealScope:
    """The scope in which the command is allowed, as of now. Raises NotAllowed."""
    scope = _scope(history.deal, organisation)
    for right in rights_needed(command, history.events):
        require(principal, right, scope)
    return scope


def rights_needed(command: DealCommand, events: Sequence[DealEvent]) -> set[Action]:
    """The right to give `command`; to withdraw an event, also the one that recording it took."""
    rights = {command.right}
    if isinstance(command, WithdrawEvent):
        rights |= {_right_taken(event.fact) for event in corrections.withdrawn_by(command, events)}
    return rights


def _right_taken(fact: DealFact) -> Action:
    match fact:
        case ApprovalGranted() | ApprovalRefused():
            return Action.APPROVE
        case StageAdvanced(override=Override()):
            return Action.OVERRIDE_GATE
        case _:
            return Action.WITHDRAW


def _state_at(command: DealCommand, history: History, intent: Intent) -> Deal:
    """The state the command meets, once its time is found sound (rule 7)."""
    intent.require_past()
    if isinstance(command, OpenOpportunity) or not history.events:
        return history.deal
    opened_at = history.deal.life.opened_at
    if opened_at is not None and intent.occurred_at < opened_at:
        raise BeforeOpening(
            f"the deal was opened at {opened_at:%Y-%m-%d %H:%M:%S}Z, this is earlier",
            "Give a time at or after the opening.",
        )
    if history.latest <= intent.occurred_at:
        return history.deal
    then = history.at(as_of=intent.occurred_at)
    return msgspec.structs.replace(then, whole=history.deal)


def _scope(deal: Deal, organisation: Organisation) -> DealScope:
    """Whose the deal is today, also for what happened earlier."""
    return organisation.scope(deal.life.owner, deal.life.team_ids)


def _route(
    command: DealCommand,
    deal: Deal,
    history: History,
    processes: ProcessBook,
    intent: Intent,
    *,
    scope: DealScope,
    limits: AuthorityLimits,
) -> tuple[DealFact, ...]:
    match command:
        case LifecycleCommand():
            return lifecycle.decide(command, deal, processes)
        case StagesCommand():
            assert deal.life.process is not None
            process = processes.get(deal.life.process)
            stage = process.stage(deal.stages.stage or "")
            if stage is None:
                raise UnknownStage(
                    f"{process.ref} has no stage {deal.stages.stage!r}, where the deal stands",
                    "Move the deal to a stage of its process with change-process.",
                )
            override = may(intent.principal, Action.OVERRIDE_GATE, scope)
            by = intent.principal.id if override.allowed else None
            return stages.decide(
                command, deal, process, partial(gate_state, deal, stage, intent.occurred_at), by
            )
        case BuyingCommand():
            return buying.decide(command, deal, intent.occurred_at)
        case PeopleCommand():
            people.require_not_erased_since(command, history.deal)
            return people.decide(command, deal)
        case NeedsCommand():
            return needs.decide(command, deal)
        case CompetitionCommand():
            return competition.decide(command, deal, intent.occurred_at)
        case NegotiationCommand():
            lifecycle.require_not_ended(deal.life)
            principal = acting(intent.principal, scope)
            return negotiation.decide(command, deal, principal, limits, intent.occurred_at)
        case CorrectionsCommand():
            return corrections.decide(command, history.events, deal.life)
        case _:
            assert_never(command)


def _as_events(facts: Sequence[DealFact], history: History, intent: Intent) -> list[DealEvent]:
    """The facts as they would stand behind the history."""
    return [
        intent.draft(fact).recorded(history.stream, version, intent.now)
        for version, fact in enumerate(facts, start=history.version + 1)
    ]


def admissible(
    fact: DealFact, deal: Deal, processes: ProcessBook, events: Sequence[DealEvent] = ()
) -> None:
    """Raise the refusal of the structural rule that `fact` would break on `deal`.

    These rules hold for every history, imported ones too. `events` is the
    history in order of version, which only corrections look at.
    """
    opening = isinstance(fact, OpportunityOpened)
    if deal.life.opening is None and not opening:
        raise DealNotOpened("the deal is not open yet", "A history begins with the opening.")
    _in_the_deals_currency(fact, deal)
    match fact:
        case LifecycleFact():
            if not opening and not lifecycle.allowed_after_outcome(fact, deal.life.status):
                lifecycle.require_not_ended(deal.life)
            lifecycle.admissible(fact, deal, processes)
        case StagesFact():
            if not stages.allowed_after_outcome(fact, deal.life.status):
                lifecycle.require_not_ended(deal.life)
            stages.admissible(fact, deal, processes)
        case BuyingFact():
            if not buying.allowed_after_outcome(fact, deal.life.status):
                lifecycle.require_not_ended(deal.life)
            buying.admissible(fact, deal, processes)
        case PeopleFact():
            if not people.allowed_after_outcome(fact, deal.life.status):
                lifecycle.require_not_ended(deal.life)
            people.admissible(fact, deal, processes)
        case NeedsFact():
            if not needs.allowed_after_outcome(fact, deal.life.status):
                lifecycle.require_not_ended(deal.life)
            needs.admissible(fact, deal, processes)
        case CompetitionFact():
            if not competition.allowed_after_outcome(fact, deal.life.status):
                lifecycle.require_not_ended(deal.life)
            competition.admissible(fact, deal, processes)
        case NegotiationFact():
            lifecycle.require_not_ended(deal.life)
            negotiation.admissible(fact, deal)
        case CorrectionsFact():
            corrections.admissible(fact, events, deal.life)
        case _:
            assert_never(fact)


def _in_the_deals_currency(part: Fact | Value, deal: Deal) -> None:
    """Rule 3, for the money of a fact and of the values inside it."""
    for name in part.__struct_fields__:
        value = getattr(part, name)
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, Value):
                _in_the_deals_currency(one, deal)
            if isinstance(one, Money) and one.currency != deal.life.currency:
                raise CurrencyMismatch(
                    f"{name} is in {one.currency}, the deal in {deal.life.currency}",
                    "Give the amount in the deal's currency.",
                )


def _keeps_later_history_legal(
    history: History, drafts: Sequence[DealEvent], processes: ProcessBook
) -> None:
    """Rule 7: nothing that was admissible becomes inadmissible by a late entry or a withdrawal.

    A concession tells how the sides stood when it was recorded, and stays as it was told:
    positions, and what was conceded, are reckoned from the offers.
    """
    if not drafts or _sorts_last(drafts, history.latest):
        return
    before = {version for version, _ in violations(history.events, processes)}
    for version, refusal in violations((*history.events, *drafts), processes):
        event = (*history.events, *drafts)[version - 1]
        if version not in before and not isinstance(event.fact, ConcessionMade):
            raise BreaksLaterHistory(
                f"version {version}, {event.type}, could then not have happened: {refusal.message}",
                "Withdraw or correct the later events first.",
            )


def violations(events: Sequence[DealEvent], processes: ProcessBook) -> list[tuple[int, Refusal]]:
    """Versions of standing events that break a structural rule where they stand, and which."""
    found: list[tuple[int, Refusal]] = []
    deal = Deal(whole=replay(events))
    for event in standing(events):
        try:
            admissible(event.fact, deal, processes, events)
        except Refusal as refusal:
            found.append((event.version, refusal))
        deal = evolve(deal, event)
    return found


__all__ = [
    "COMMAND_TYPES",
    "FACT_TYPES",
    "Deal",
    "DealCommand",
    "DealEvent",
    "DealFact",
    "History",
    "admissible",
    "decide",
    "describe",
    "evolve",
    "replay",
    "standing",
    "violations",
]
