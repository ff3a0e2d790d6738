"""Corrections: the audit keeps what was recorded, every fold skips what was withdrawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, TypeVar, assert_never

import msgspec

from domain.access import Action
from domain.history import Fact, Recorded, in_fold_order
from domain.intent import Command
from domain.lifecycle.facts import OpportunityOpened
from domain.refusals import CannotWithdraw, UnknownReference
from domain.values import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

Versions = Annotated[tuple[Annotated[int, msgspec.Meta(ge=1)], ...], msgspec.Meta(min_length=1)]


class CorrectionsFact(Fact, frozen=True):
    """Base of the facts that correct other facts."""


class EventWithdrawn(CorrectionsFact, tag="event-withdrawn", frozen=True):
    """The events of one command, by their versions, were recorded in error."""

    versions: Versions
    reason: Text


AnyCorrectionsFact = EventWithdrawn


class CorrectionsCommand(Command, frozen=True):
    """Base of the commands that correct the record."""


class WithdrawEvent(CorrectionsCommand, tag="withdraw-event", frozen=True):
    """Withdraw the event of this version, and with it all events of the same command."""

    right: ClassVar[Action] = Action.WITHDRAW

    version: Annotated[int, msgspec.Meta(ge=1)]
    reason: Text


AnyCorrectionsCommand = WithdrawEvent


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


def decide(
    command: AnyCorrectionsCommand, events: Sequence[Recorded[Fact]]
) -> tuple[AnyCorrectionsFact, ...]:
    """The facts that `command` leads to, given the whole history. Raises Refusal."""
    match command:
        case WithdrawEvent(version=version, reason=reason):
            whole = _versions_of_command(version, events)
            if version in withdrawn_versions(events):
                return ()
            return (EventWithdrawn(whole, reason),)
        case _:
            assert_never(command)


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


def admissible(fact: AnyCorrectionsFact, events: Sequence[Recorded[Fact]]) -> None:
    """Raise the refusal of the structural rule that `fact` would break after `events`."""
    for version in fact.versions:
        whole = _versions_of_command(version, events)
        event = events[version - 1]
        if isinstance(event.fact, OpportunityOpened | EventWithdrawn):
            raise CannotWithdraw(f"{event.type} stands", "Correct it by a new fact instead.")
        if set(whole) != set(fact.versions):
            raise CannotWithdraw(
                f"version {version} is one of {', '.join(map(str, whole))} of one command",
                "Withdraw the events of one command, and all of them.",
            )


def describe(fact: AnyCorrectionsFact) -> str:
    """One English phrase for `fact`."""
    versions = ", ".join(map(str, fact.versions))
    return f"withdrew {'event' if len(fact.versions) == 1 else 'events'} {versions}: {fact.reason}"
