"""The customer's people: what happened, in words.

People are told of by their names as known before. What moves someone (their
motives) and how to reach them is not told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from msgspec import UNSET

from domain.naming import BY_ID, Naming, because, called
from domain.people.facts import (
    AnyPeopleFact,
    ContactMade,
    LeaningObserved,
    MinutesSent,
    RelationKind,
    RelationRecorded,
    StakeholderAssessed,
    StakeholderDeparted,
    StakeholderIdentified,
    StakeholderRevised,
    SubjectErased,
)
from domain.people.people import ASSESSED, KNOWN_AT_FIRST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.people.people import People

_UNTOLD = ("contact_points", "business_motive", "personal_motive")
"""Fields of which only is told that they changed."""


def describe(fact: AnyPeopleFact, before: People, names: Naming = BY_ID) -> str:
    """One English phrase for `fact`, seen from the part before it. Users appear by their id."""
    match fact:
        case StakeholderIdentified():
            return _identified(fact, before)
        case StakeholderRevised(stakeholder=one):
            return f"{_name(one, before)}: {_changed(fact, KNOWN_AT_FIRST, before)}"
        case StakeholderAssessed(stakeholder=one):
            return f"{_name(one, before)} assessed: {_changed(fact, ASSESSED, before)}"
        case RelationRecorded():
            return _related(fact, before)
        case LeaningObserved(stakeholder=one, vendor=vendor, reason=reason):
            whom = names.vendor(vendor) if vendor else "nobody"
            return f"{_name(one, before)} leans to {whom}{because(reason)}"
        case StakeholderDeparted(stakeholder=one, successor=successor, reason=reason):
            followed = f", {_name(successor, before)} took over" if successor else ""
            return f"{_name(one, before)} left{followed}{because(reason)}"
        case ContactMade():
            return _met(fact, before)
        case MinutesSent(contact=contact_id):
            contact = before.contact(contact_id)
            return f"minutes sent: {_with(contact.made.fact, before) if contact else contact_id}"
        case SubjectErased(stakeholder=one, reason=reason):
            return f"personal data of {one} erased{because(reason)}"
        case _:
            assert_never(fact)


def _name(stakeholder_id: str, before: People) -> str:
    known = before.stakeholder(stakeholder_id)
    return called(known.id, known.name) if known else stakeholder_id


def _identified(fact: StakeholderIdentified, before: People) -> str:
    level = f"{fact.level} level" if fact.level else None
    holding = _and([*fact.roles, *(f"power of {power}" for power in fact.powers)])
    above = f"reports to {_name(fact.reports_to, before)}" if fact.reports_to else None
    known = [part for part in (fact.title, fact.department, level, holding, above) if part]
    return f"{called(fact.id, fact.name)} identified" + (f": {', '.join(known)}" if known else "")


def _changed(
    fact: StakeholderRevised | StakeholderAssessed, names: tuple[str, ...], before: People
) -> str:
    known = before.stakeholder(fact.stakeholder)
    parts = []
    for name in names:
        new = getattr(fact, name)
        if new is UNSET:
            continue
        label = name.replace("_", " ")
        if name in _UNTOLD:
            parts.append(f"{label} {'noted' if new else 'unknown again'}")
        else:
            old = getattr(known, name) if known else None
            was = "" if old in (None, ()) else f"{_shown(name, old, before)} → "
            parts.append(f"{label} {was}{_shown(name, new, before)}")
    return "; ".join(parts) or "as before"


def _shown(field: str, value: object, before: People) -> str:
    if value in (None, ()):
        return "unknown"
    if field == "reports_to":
        return _name(str(value), before)
    return _and(value) if isinstance(value, tuple) else str(value)


def _related(fact: RelationRecorded, before: People) -> str:
    one, other = _name(fact.from_, before), _name(fact.to, before)
    strength = f" ({fact.strength}/5)" if fact.strength else ""
    match fact.kind:
        case RelationKind.INFLUENCES:
            return f"{one} influences {other}{strength}"
        case RelationKind.ALLIED:
            return f"{one} and {other} are allied{strength}"
        case RelationKind.RIVAL:
            return f"{one} and {other} are rivals{strength}"
        case _:
            assert_never(fact.kind)


def _met(fact: ContactMade, before: People) -> str:
    ours = f", by {_and(fact.our_people)}" if fact.our_people else ""
    outcome = f", outcome {fact.outcome}" if fact.outcome else ""
    return f"{_with(fact, before)}{ours}{outcome}{because(fact.summary or fact.purpose)}"


def _with(fact: ContactMade, before: People) -> str:
    kind = "contact" if fact.kind == "other" else fact.kind.replace("-", " ")
    return f"{kind} with {_and([_name(one, before) for one in fact.their_people])}"


def _and(words: Sequence[str]) -> str:
    """Words as one says them: a, b and c."""
    return " and ".join(part for part in (", ".join(words[:-1]), *words[-1:]) if part)
