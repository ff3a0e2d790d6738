"""Needs and value: what happened, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from domain.naming import BY_ID, Naming, because
from domain.needs.facts import (
    AnyNeedsFact,
    CheckResult,
    ConcernAccepted,
    ConcernAssigned,
    ConcernRaised,
    ConcernResolved,
    FactChecked,
    FactRecorded,
    NeedDeveloped,
    NeedDimension,
    NeedUncovered,
    PositioningAccepted,
    RequirementStated,
    ValueConfirmed,
)

if TYPE_CHECKING:
    from domain.needs.needs import Needs
    from domain.values import Money


def describe(fact: AnyNeedsFact, before: Needs, names: Naming = BY_ID) -> str:
    """One English phrase for `fact`, seen from the part before it."""
    match fact:
        case NeedUncovered(kind=kind, dimension=dimension, whose=whose):
            personal = "personal " if dimension is NeedDimension.PERSONAL else ""
            of = f" of {names.person(whose)}" if whose else ""
            return f"{kind} {personal}need{of}: {fact.statement}{_cost(fact.cost)}"
        case NeedDeveloped():
            return _developed(fact, before)
        case RequirementStated(by=by, why=why, response=response):
            verb = "asks" if by else "ask"
            again = " now" if before.requirement(fact.id) else ""
            behind = f", because: {why}" if why else ""
            answer = f" ({response})" if response else ""
            who = names.person(by) if by else "they"
            return f"{who}{again} {verb} for: {fact.text}{behind}{answer}"
        case ValueConfirmed(benefit=benefit, by=by, amount=amount):
            return f"{names.person(by)} confirmed the value: {benefit}" + (
                f" ({amount})" if amount else ""
            )
        case PositioningAccepted(positioning=positioning, by=by):
            who, verb = (names.person(by), "takes") if by else ("they", "take")
            return f"{who} {verb} our offer as {positioning.replace('-', ' ')}"
        case ConcernRaised(kind=kind, topic=topic, cause=cause, by=by, owner=owner):
            of = f" of {names.person(by)}" if by else ""
            why = f" ({cause.replace('-', ' ')})" if cause else ""
            ours = f"; {owner} deals with it" if owner else ""
            return f"{kind}{of}: {topic}{why}{ours}"
        case ConcernAssigned(concern=concern, owner=owner):
            return f"{owner} deals with {_concern(concern, before)}"
        case ConcernResolved(concern=concern, how=how):
            return f"{_concern(concern, before)} resolved: {how}"
        case ConcernAccepted(concern=concern, by=by, note=note):
            verb = "decides" if by else "decide"
            who = names.person(by) if by else "they"
            return f"{who} {verb} in spite of {_concern(concern, before)}{because(note)}"
        case FactRecorded(topic=topic, text=text, told_by=told_by, source=source):
            teller = told_by and names.person(told_by)
            return f"{_learned(teller, source)} about {topic.replace('-', ' ')}: {text}"
        case FactChecked():
            return _checked(fact, before, names)
        case _:
            assert_never(fact)


def _developed(fact: NeedDeveloped, before: Needs) -> str:
    need = before.need(fact.need)
    statement = fact.statement or (need.statement if need else fact.need)
    head = "explicit need" if need and need.explicit else "need became explicit"
    serves = f", serves {fact.kpi}" if fact.kpi else ""
    leads = f"; it leads to: {fact.consequence}" if fact.consequence else ""
    return f"{head}: {statement}{serves}{_cost(fact.cost)}{leads}"


def _cost(cost: Money | None) -> str:
    return f", costs them {cost}" if cost else ""


def _concern(concern_id: str, before: Needs) -> str:
    concern = before.concern(concern_id)
    if concern is None:
        return f"concern {concern_id}"
    return f"{concern.raised.fact.kind} {concern.raised.fact.topic!r}"


def _learned(told_by: str | None, source: str | None) -> str:
    match told_by, source:
        case None, None:
            return "learned"
        case None, _:
            return f"learned from {source}"
        case _, None:
            return f"told by {told_by}"
        case _:
            return f"told by {told_by} ({source})"


def _checked(fact: FactChecked, before: Needs, names: Naming) -> str:
    known = before.fact(fact.fact)
    text = known.recorded.fact.text if known else f"fact {fact.fact}"
    verb = "confirmed" if fact.result is CheckResult.CONFIRMS else "contradicted"
    teller = fact.told_by and names.person(fact.told_by)
    by = ", ".join(one for one in (teller, fact.source) if one)
    return f"{verb} by {by}: {text}{because(fact.note)}"
