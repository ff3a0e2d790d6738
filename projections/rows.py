"""Reported facts to table columns and back."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from domain.values import Money
from projections.instants import instant_of, micros
from projections.reported import Reported


def reported_row(facts: Reported) -> dict[str, Any]:
    """The columns of the tables that hold reported facts."""
    return {
        "status": facts.status.value,
        "outcome": facts.outcome,
        "process": facts.process,
        "stage": facts.stage,
        "stage_order": facts.stage_order,
        "amount_minor": facts.amount.minor if facts.amount else None,
        "currency": facts.currency,
        "expected_close": facts.expected_close,
        "probability": facts.probability,
        "forecast_category": facts.forecast_category,
        "owner": facts.owner,
        "region": facts.region,
        "industry": facts.industry,
        "territory": facts.territory,
        "product": facts.product,
        "business_type": facts.business_type,
        "grade": facts.grade,
        "opened_at": micros(facts.opened_at),
        "closed_at": optional_micros(facts.closed_at),
    }


def optional_micros(instant: datetime | None) -> int | None:
    return None if instant is None else micros(instant)


def amount_of(row: Mapping[str, Any]) -> Money | None:
    """The amount of a row that holds reported facts."""
    minor = row["amount_minor"]
    return None if minor is None else Money.from_minor(minor, row["currency"])


def instant_in(row: Mapping[str, Any], column: str) -> datetime | None:
    value = row[column]
    return None if value is None else instant_of(value)
