"""The customer's people: what a command leads to, and which facts can follow which state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.lifecycle.life import Status

if TYPE_CHECKING:
    from domain.deal import Deal
    from domain.people.commands import AnyPeopleCommand
    from domain.people.facts import AnyPeopleFact
    from domain.process import ProcessBook


def decide(command: AnyPeopleCommand, deal: Deal) -> tuple[AnyPeopleFact, ...]:
    """The facts that `command` leads to on `deal`. Raises Refusal."""
    raise NotImplementedError


def admissible(fact: AnyPeopleFact, deal: Deal, processes: ProcessBook) -> None:
    """Raise the refusal of the structural rule that `fact` would break on `deal`."""


def allowed_after_outcome(fact: AnyPeopleFact, status: Status) -> bool:
    """Rule 2: what may follow an outcome."""
    return status is Status.WON
