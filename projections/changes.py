"""What an event changed, from and to, in data."""

from datetime import date, datetime
from enum import Enum
from typing import Any

import msgspec

from domain.deal import Deal
from domain.values import Money
from projections.frames import Frame

Scalar = str | int | None


class Change(msgspec.Struct, frozen=True):
    """One field of the deal before and after; amounts as text with their currency."""

    field: str
    before: Scalar
    after: Scalar


def changes(frame: Frame) -> list[Change]:
    """Which of the deal's main facts the event changed."""
    before, after = main_facts(frame.before), main_facts(frame.after)
    return [
        Change(name, before[name], after[name]) for name in after if before[name] != after[name]
    ]


def main_facts(deal: Deal) -> dict[str, Scalar]:
    """The facts of a deal that people follow, by their names in the interfaces."""
    life, stages = deal.life, deal.stages
    account = life.account
    facts: dict[str, Any] = {
        "status": life.status,
        "outcome": life.outcome_name,
        "name": life.name,
        "account": account.name if account else None,
        "industry": account.industry if account else None,
        "region": life.region,
        "territory": life.territory,
        "business_type": life.business_type,
        "products": ", ".join(life.products) or None,
        "process": life.process,
        "stage": stages.stage,
        "amount": deal.amount,
        "expected_close": stages.expected_close,
        "probability_override": stages.probability,
        "forecast_category_override": stages.category,
        "owner": life.owner,
        "team": ", ".join(f"{m.fact.member} ({m.fact.role})" for m in life.team) or None,
    }
    return {name: _scalar(value) for name, value in facts.items()}


def _scalar(value: Any) -> Scalar:
    match value:
        case Enum():
            return str(value.value)
        case Money():
            return f"{value.amount} {value.currency}"
        case datetime() | date():
            return value.isoformat()
        case None | int():
            return value
        case _:
            return str(value)
