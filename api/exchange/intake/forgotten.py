"""What was erased is not recorded once more only because the source still tells it.

A text that named somebody reads "[erased]" once they are forgotten. Nobody can tell
whether the source says the same as then, so what reads so stays so. A text that is new
and has their full name in it is recorded as "[erased]" in the first place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec
from msgspec import UNSET

from domain.history import ERASED, Fact
from domain.subjects import texts_in

if TYPE_CHECKING:
    from collections.abc import Callable

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


def without_names(fact: Fact, names_somebody: Callable[[list[str]], bool]) -> Fact:
    """The fact, with "[erased]" for each text that names somebody who was erased."""
    erased: dict[str, object] = {}
    for name, texts in texts_in(fact).items():
        if names_somebody(texts):
            erased[name] = _in_place_of(getattr(fact, name))
    return replace(fact, **erased) if erased else fact


def _in_place_of(value: object) -> object:
    if isinstance(value, str):
        return ERASED
    return (ERASED,) if isinstance(value, tuple) and isinstance(value[0], str) else ()


def _without(fact: F, recorded: Fact) -> F:
    if type(fact) is not type(recorded):
        return fact
    erased = {
        name: value
        for name in fact.personal
        if (value := getattr(recorded, name)) in (ERASED, (ERASED,))
    }
    return replace(fact, **erased) if erased else fact
