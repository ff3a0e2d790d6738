"""Competition: what a command leads to, and which facts can follow which state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.lifecycle.life import Status

if TYPE_CHECKING:
    from domain.competition.commands import AnyCompetitionCommand
    from domain.competition.facts import AnyCompetitionFact
    from domain.deal import Deal
    from domain.process import ProcessBook


def decide(command: AnyCompetitionCommand, deal: Deal) -> tuple[AnyCompetitionFact, ...]:
    """The facts that `command` leads to on `deal`. Raises Refusal."""
    raise NotImplementedError


def admissible(fact: AnyCompetitionFact, deal: Deal, processes: ProcessBook) -> None:
    """Raise the refusal of the structural rule that `fact` would break on `deal`."""


def allowed_after_outcome(fact: AnyCompetitionFact, status: Status) -> bool:
    """Rule 2: what may follow an outcome."""
    return status is Status.WON
