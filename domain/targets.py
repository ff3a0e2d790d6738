"""Targets: what is to be won in a period, by a user, in a territory, in a unit, or by all.

Theory of operation. Targets are facts of streams `target:<first>..<last>`, a stream for
each period. The one known last counts, of each currency, for a period and whoever it is
for; taking a target back takes it back in every currency.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar

import msgspec

from domain.access import NO_DEAL, Action, require
from domain.currencies import MINOR_DIGITS
from domain.deciding import mirrored, require_legible
from domain.history import Fact, Recorded, StreamKind, stream_of
from domain.intent import Command
from domain.refusals import InvalidTarget, UnknownReference, there_are
from domain.values import Identifier, Label, Money

if TYPE_CHECKING:
    from collections.abc import Iterable

    from domain.directory import Directory
    from domain.intent import Intent


class TargetSet(Fact, tag="target-set", frozen=True):
    """What is to be won in a period, or that a target of it is taken back."""

    first: date
    """The first day of the period."""
    last: date
    """The last day, which is part of it."""
    amount: Money | None = None
    """Null: what was aimed for is taken back, in every currency."""
    owner: Identifier | None = None
    """Whose deals count; without owner, territory and unit, everybody's do."""
    territory: Label | None = None
    unit: Identifier | None = None
    """The unit whose members' deals count."""


class SetTarget(Command, tag="set-target", frozen=True):
    """Aim for an amount in a period, or take back what was aimed for."""

    right: ClassVar[Action] = Action.CONFIGURE
    replaces: ClassVar[bool] = False

    first: date
    last: date
    amount: Money | None = None
    """Null: take the target back, in every currency."""
    owner: Identifier | None = None
    """For one of a user, a territory or a unit; without them for all."""
    territory: Label | None = None
    unit: Identifier | None = None


class Assignee(msgspec.Struct, frozen=True, order=True):
    """Whom a target is for; nobody named: for all."""

    owner: str = ""
    territory: str = ""
    unit: str = ""

    def __str__(self) -> str:
        if self.owner:
            return f"the user {self.owner}"
        if self.territory:
            return f"the territory {self.territory}"
        return f"the unit {self.unit}" if self.unit else "all"


class Target(msgspec.Struct, frozen=True):
    """What is aimed for in a period, both days included."""

    first: date
    last: date
    amount: Money
    owner: str | None
    territory: str | None
    unit: str | None
    version: int
    """Of the event in the stream of the period."""

    @property
    def whose(self) -> Assignee:
        return assignee(self)


class Targets(msgspec.Struct, frozen=True):
    """The targets that count, as known at a moment."""

    all: tuple[Target, ...] = ()
    """In order of period, whose they are and currency."""
    events: tuple[Recorded[Fact], ...] = ()
    """What they follow from, later events too."""

    @classmethod
    def of(cls, events: Iterable[Recorded[Fact]], known_at: datetime | None = None) -> Targets:
        """The fold of the streams of targets, in whichever order their events come. Total."""
        kept = tuple(events)
        found: dict[tuple[date, date, Assignee], dict[str, Target]] = {}
        for event in sorted(kept, key=lambda one: (one.known_at, one.version)):
            fact = event.fact
            if isinstance(fact, TargetSet) and (known_at is None or event.known_at <= known_at):
                by_currency = found.setdefault((fact.first, fact.last, assignee(fact)), {})
                if fact.amount is None:
                    by_currency.clear()
                else:
                    by_currency[fact.amount.currency] = _target(fact, fact.amount, event.version)
        counted = (found[key][code] for key in sorted(found) for code in sorted(found[key]))
        return cls(tuple(counted), kept)

    def as_known(self, known_at: datetime | None) -> Targets:
        """The targets as they were on record at a moment; None: all that is on record."""
        return Targets.of(self.events, known_at)

    def of_period(self, first: date, last: date) -> tuple[Target, ...]:
        """The targets of exactly these days."""
        return tuple(one for one in self.all if (one.first, one.last) == (first, last))


def target_amount(text: str, currency: str) -> Money:
    """Read an amount such as `400000` or `400000.50`. Raises ValueError with the reason.

    Noughts behind the last digit of the currency are refused too: `400.000` may well be meant
    as thousands.
    """
    amount = Money.parse(text, currency)
    given, digits = Decimal(text.strip()), MINOR_DIGITS[currency]
    exponent = given.as_tuple().exponent
    assert isinstance(exponent, int)
    if -exponent > digits:
        raise ValueError(f"{currency} has {digits} minor digits, {given} has more")
    return amount


def assignee(one: TargetSet | SetTarget | Target) -> Assignee:
    """Whom it is for."""
    return Assignee(one.owner or "", one.territory or "", one.unit or "")


def _target(fact: TargetSet, amount: Money, version: int) -> Target:
    return Target(fact.first, fact.last, amount, fact.owner, fact.territory, fact.unit, version)


def stream_of_period(first: date, last: date) -> str:
    """The stream of the targets of a period."""
    return stream_of(StreamKind.TARGET, f"{first}..{last}")


def decide_target(
    command: SetTarget, targets: Targets, directory: Directory, intent: Intent
) -> tuple[TargetSet, ...]:
    """The target, or nothing where it stands so already. Raises Refusal."""
    intent.require_past()
    require(intent.principal, command.right, NO_DEAL)
    require_legible(command)
    _require_sound(command, directory)
    standing = {
        one.amount.currency: one.amount
        for one in targets.of_period(command.first, command.last)
        if one.whose == assignee(command)
    }
    if command.amount is None:
        return (mirrored(command, TargetSet),) if standing else ()
    same = standing.get(command.amount.currency) == command.amount
    return () if same else (mirrored(command, TargetSet),)


def _require_sound(command: SetTarget, directory: Directory) -> None:
    if command.last < command.first:
        raise InvalidTarget(
            f"the period ends on {command.last}, before it begins on {command.first}",
            "Give the first day first.",
        )
    named = [one for one in (command.owner, command.territory, command.unit) if one is not None]
    if len(named) > 1:
        raise InvalidTarget(
            f"a target is for one of {', '.join(map(repr, named))}",
            "Name a user, a territory, a unit or none of them.",
        )
    if command.amount is None:
        return
    if command.owner is not None:
        _require_user(command.owner, directory)
    if command.unit is not None and command.unit not in directory.units:
        raise UnknownReference(
            f"there is no unit {command.unit!r}",
            there_are(sorted(directory.units)) or "Register it first.",
        )


def _require_user(user_id: str, directory: Directory) -> None:
    user = directory.users.get(user_id)
    if user is None or user.registered is None:
        raise UnknownReference(f"there is no user {user_id!r}", "Register them first.")


def describe(fact: TargetSet) -> str:
    """What happened, in one English phrase."""
    period, whose = f"{fact.first} to {fact.last}", assignee(fact)
    if fact.amount is None:
        return f"took back the target of {period} for {whose}"
    return f"set the target of {period} for {whose} to {fact.amount}"
