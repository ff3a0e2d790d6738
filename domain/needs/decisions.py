"""Needs and value: what a command leads to, and which facts can follow which state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.lifecycle.life import Status

if TYPE_CHECKING:
    from domain.deal import Deal
    from domain.needs.commands import AnyNeedsCommand
    from domain.needs.facts import AnyNeedsFact
    from domain.process import ProcessBook


def decide(command: AnyNeedsCommand, deal: Deal) -> tuple[AnyNeedsFact, ...]:
    """The facts that `command` leads to on `deal`. Raises Refusal."""
    raise NotImplementedError


def admissible(fact: AnyNeedsFact, deal: Deal, processes: ProcessBook) -> None:
    """Raise the refusal of the structural rule that `fact` would break on `deal`."""


def allowed_after_outcome(fact: AnyNeedsFact, status: Status) -> bool:
    """Rule 2: what may follow an outcome."""
    return status is Status.WON
