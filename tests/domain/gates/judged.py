"""Asking a predicate of a deal to which things happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from domain.gates import PREDICATES
from tests.scenario import given

if TYPE_CHECKING:
    from datetime import datetime

    from domain.deal import DealFact
    from domain.gates.evidence import Versions
    from tests.scenario import Given

Shown: TypeAlias = "tuple[str, tuple[DealFact, ...], Versions | None]"
"""A predicate, what happened, and the versions that show it; None where it is not met."""


def judged(name: str, *facts: Given, at: datetime | None = None) -> Versions | None:
    """What the predicate answers, at the time of the last event unless `at` says when."""
    scenario = given(*facts)
    return PREDICATES[name].judge(scenario.deal, at or scenario.last)
