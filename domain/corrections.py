"""Corrections: the audit keeps what was recorded, every fold skips what was withdrawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, TypeVar, assert_never

import msgspec

from domain.access import Action
from domain.history import Fact, Recorded, Whose, in_fold_order
from domain.intent import Command
from domain.lifecycle import Life, Status, require_not_ended
from domain.lifecycle.facts import OpportunityOpened
from domain.people.facts import SubjectErased
from domain.refusals import CannotWithdraw, UnknownReference
from domain.values import Identifier, Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

Versions = Annotated[tuple[Annotated[int, msgspec.Meta(ge=1)], ...], msgspec.Meta(min_length=1)]


class CorrectionsFact(Fact, frozen=True):
    """Base of the facts that correct other facts."""


class EventWithdrawn(CorrectionsFact, tag="event-withdrawn", frozen=True):
    """The events of one command, by their versions, were recorded in error."""

    personal: ClassVar[Whose] = {"reason": ()}

    versions: Versions
    """All events of that command, by their versions in the deal."""
    reason: Text


class DealMerged(CorrectionsFact, tag="deal-merged", frozen=True):
    """The deal is a duplicate: it ends here, goes on as another deal, and keeps its history."""

    personal: ClassVar[Whose] = {"reason": ()}

    into: Identifier
    """Id of the deal that goes on."""
    reason: Text


AnyCorrectionsFact = EventWithdrawn | DealMerged


class CorrectionsCommand(Command, frozen=True):
    """Base of the commands that correct the record."""


class WithdrawEvent(CorrectionsCommand, tag="withdraw-event", frozen=True):
    """Withdraw the event of this version, and with it all events of the same command."""

    right: ClassVar[Action] = Action.WITHDRAW
    replaces: ClassVar[bool] = False

    version: Annotated[int, msgspec.Meta(ge=1)]
    """Of the event, in the deal."""
    reason: Text


class MergeDeal(CorrectionsCommand, tag="merge-deal", frozen=True):
    """End this deal as a duplicate of another one. Withdrawing the merge takes it back."""

    right: ClassVar[Action] = Action.WITHDRAW
    replaces: ClassVar[bool] = False

    into: Identifier
    """Id of the deal that goes on."""
    reason: Text


AnyCorrectionsCommand = WithdrawEvent | MergeDeal


E = TypeVar("E", bound=Recorded[Fact])


def standing(
    events: Iterable[E],
    as_of: datetime | None = None,
    known_at: datetime | None = None,
) -> list[E]:
    """The events that count at (as of, known at), in fold order. None: without limit.

    A withdrawal counts from when it was known, whatever its own occurred_at.
    """
    known = [e for e in events if known_at is None or e.known_at <= known_at]
    withdrawn = withdrawn_versions(known)
    return in_fold_order(
        e for e in known if e.version not in withdrawn and (as_of is None or e.occurred_at <= as_of)
    )


def withdrawn_versions(events: Iterable[Recorded[Fact]]) -> frozenset[int]:
    """Versions that the withdrawals among `events` take out."""
    return frozenset(
        version
        for event in events
        if isinstance(event.fact, EventWithdrawn)
        for version in event.fact.versions
    )


def evolve(life: Life, event: Recorded[AnyCorrectionsFact]) -> Life:
    """The deal's life after `event`. A withdrawal changes nothing where it stands itself."""
    match event.fact:
        case EventWithdrawn():
            return life
        case DealMerged(into=into):
            return msgspec.structs.replace(
                life,
                status=Status.MERGED,
                outcome=None,
                merged_into=into,
                closed_at=event.occurred_at,
                suspension=None,
            )
        case _:
            assert_never(event.fact)


def decide(
    command: AnyCorrectionsCommand, events: Sequence[Recorded[Fact]], life: Life
) -> tuple[AnyCorrectionsFact, ...]:
    """The facts that `command` leads to, given the whole history. Raises Refusal."""
    match command:
        case WithdrawEvent(version=version, reason=reason):
            whole = _versions_of_command(version, events)
            if version in withdrawn_versions(events):
                return ()
            return (EventWithdrawn(whole, reason),)
        case MergeDeal(into=into, reason=reason):
            return () if life.merged_into == into else (DealMerged(into, reason),)
        case _:
            assert_never(command)


def require_going_on(deal_id: str, life: Life) -> None:
    """There is such a deal to merge into, and it was not merged itself. Raises UnknownReference.

    `life` is that of the other deal; who decides on one deal has to look it up.
    """
    if life.opening is None:
        raise UnknownReference(
            f"there is no deal {deal_id!r}", "Give the id of the deal that goes on."
        )
    if life.merged_into is not None:
        raise UnknownReference(
            f"deal {deal_id!r} was merged into {life.merged_into!r} itself",
            f"Merge into {life.merged_into!r}.",
        )


def withdrawn_by(command: WithdrawEvent, events: Sequence[E]) -> list[E]:
    """The events that `command` would withdraw, as far as there are any."""
    if not 1 <= command.version <= len(events):
        return []
    return [events[version - 1] for version in _versions_of_command(command.version, events)]


def _versions_of_command(version: int, events: Sequence[Recorded[Fact]]) -> tuple[int, ...]:
    """Versions of all events of the command that led to `version`. Raises UnknownReference."""
    if not 1 <= version <= len(events):
        raise UnknownReference(
            f"the deal has no version {version}", f"Its versions are 1 to {len(events)}."
        )
    one = events[version - 1]
    # Two principals may use the same command id.
    return tuple(
        event.version
        for event in events
        if (event.actor, event.command_id) == (one.actor, one.command_id)
    )


def admissible(fact: AnyCorrectionsFact, events: Sequence[Recorded[Fact]], life: Life) -> None:
    """Raise the refusal of the structural rule that `fact` would break after `events`."""
    match fact:
        case EventWithdrawn():
            _withdrawal(fact, events)
        case DealMerged(into=into):
            _merge(into, events, life)
        case _:
            assert_never(fact)


def _merge(into: str, events: Sequence[Recorded[Fact]], life: Life) -> None:
    if any(event.identifier == into for event in events[:1]):
        raise UnknownReference(
            "a deal is not merged into itself", "Name the other deal, the one that goes on."
        )
    if life.status is Status.MERGED:
        require_not_ended(life)


def _withdrawal(fact: EventWithdrawn, events: Sequence[Recorded[Fact]]) -> None:
    for version in fact.versions:
        whole = _versions_of_command(version, events)
        event = events[version - 1]
        if isinstance(event.fact, OpportunityOpened | SubjectErased | EventWithdrawn):
            raise CannotWithdraw(f"{event.type} stands", "Correct it by a new fact instead.")
        if set(whole) != set(fact.versions):
            raise CannotWithdraw(
                f"version {version} is one of {', '.join(map(str, whole))} of one command",
                "Withdraw the events of one command, and all of them.",
            )


def describe(fact: AnyCorrectionsFact) -> str:
    """One English phrase for `fact`."""
    match fact:
        case EventWithdrawn():
            versions = ", ".join(map(str, fact.versions))
            noun = "event" if len(fact.versions) == 1 else "events"
            return f"withdrew {noun} {versions}: {fact.reason}"
        case DealMerged(into=into, reason=reason):
            return f"merged into deal {into}: {reason}"
        case _:
            assert_never(fact)
