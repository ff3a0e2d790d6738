"""Stages and forecast: what happened, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from msgspec import UNSET

from domain.naming import BY_ID, Naming, because
from domain.stages.facts import (
    AnyStagesFact,
    ForecastRevised,
    GateCriterionAttested,
    GateCriterionRevoked,
    StageAdvanced,
    StageRegressed,
)

if TYPE_CHECKING:
    from domain.stages.standing import Stages


def describe(fact: AnyStagesFact, before: Stages, names: Naming = BY_ID) -> str:
    """One English phrase for `fact`, seen from the part before it."""
    match fact:
        case StageAdvanced():
            return _advanced(fact)
        case StageRegressed(from_=origin, to=to, reason=reason, driven_by=side):
            driven = f", driven by {side}" if side else ""
            return f"back from {origin} to {to}{driven}{because(reason)}"
        case GateCriterionAttested():
            return _attested(fact)
        case GateCriterionRevoked(criterion=criterion, reason=reason, aspect=aspect):
            return f"attestation of {_what(criterion, aspect)} revoked{because(reason)}"
        case ForecastRevised():
            return _revised(fact, before, names)
        case _:
            assert_never(fact)


def _advanced(fact: StageAdvanced) -> str:
    words = f"advanced from {fact.from_} to {fact.to}"
    if fact.skipped:
        words += f", skipping {', '.join(fact.skipped)}"
    if fact.override:
        missing = len(fact.gate.missing) if fact.gate else 0
        words += f", gate overridden ({missing} missing)" if missing else ", by override"
        words += because(fact.override.reason)
    elif fact.gate and fact.gate.met:
        words += f", gate met ({len(fact.gate.met)} criteria)"
    return words


def _attested(fact: GateCriterionAttested) -> str:
    verb = "attested" if fact.applies else "attested as not applying"
    contact = f" (contact {fact.contact})" if fact.contact else ""
    return f"{_what(fact.criterion, fact.aspect)} {verb}{contact}: {fact.note}"


def _what(criterion: str, aspect: str | None) -> str:
    return f"{aspect} of {criterion}" if aspect else criterion


def _revised(fact: ForecastRevised, before: Stages, names: Naming) -> str:
    parts = []
    if fact.amount is not UNSET:
        parts.append(f"amount {before.amount or 'unknown'} → {fact.amount or 'unknown'}")
    if fact.expected_close is not UNSET:
        parts.append(_close_date(fact, before))
    if fact.probability is not UNSET:
        parts.append(f"probability {_override(fact.probability, ' %')}")
    if fact.category is not UNSET:
        parts.append(f"forecast category {_override(fact.category)}")
    told = f", told by {names.person(fact.told_by)}" if fact.told_by else ""
    return ("; ".join(parts) or "forecast as before") + told + because(fact.reason)


def _close_date(fact: ForecastRevised, before: Stages) -> str:
    old, new = before.expected_close, fact.expected_close
    if new is UNSET or new is None:
        return f"close date {old or 'unknown'} → unknown"
    if old is None:
        return f"close date unknown → {new}"
    days = (new - old).days
    if days == 0:
        return f"close date {new}, as before"
    moved = "slipped" if days > 0 else "pulled in"
    return f"close date {old} → {new} ({moved} {abs(days)} {'day' if abs(days) == 1 else 'days'})"


def _override(value: object, unit: str = "") -> str:
    return "back to the stage's" if value is None else f"set to {value}{unit}"
