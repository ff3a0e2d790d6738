"""What was erased is not recorded once more only because the source still tells it.

A text that named somebody reads "[erased]" once they are forgotten. Nobody can tell
whether the source says the same as then, so what reads so stays so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec
from msgspec import UNSET

from domain.history import ERASED, Fact

if TYPE_CHECKING:
    from api.exchange.intake.derivation import Derived
    from api.exchange.intake.snapshot import Snapshot

F = TypeVar("F", bound=Fact)

replace = msgspec.structs.replace


def as_forgotten(told: Derived, recorded: Fact) -> Derived:
    """What is told, without what was erased from what was recorded of it."""
    fact = _without(told.draft.fact, recorded)
    return told if fact is told.draft.fact else replace(told, draft=replace(told.draft, fact=fact))


def without_forgotten(wanted: Snapshot, known: Snapshot) -> Snapshot:
    """What a source says now, without what was erased from what it said before."""
    new, recorded = wanted.outcome, known.outcome
    if new is UNSET or new is None or recorded is UNSET or recorded is None:
        return wanted
    return replace(wanted, outcome=_without(new, recorded))


def _without(fact: F, recorded: Fact) -> F:
    if type(fact) is not type(recorded):
        return fact
    erased = {
        name: value
        for name in fact.personal
        if (value := getattr(recorded, name)) in (ERASED, (ERASED,))
    }
    return replace(fact, **erased) if erased else fact
