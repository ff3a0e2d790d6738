"""The four facts of each deal in a forecast: stage, close date, amount and probability."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from projections.columns.coding import day_number, day_of
from projections.columns.relation import literal
from projections.conversion import units
from projections.forecast.months import close_label, close_number, close_of
from projections.forecast.slices import Asked, open_at, reach

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from projections.columns import Periods
    from projections.columns.relation import Relation

_NO_DAY = 2**31 - 1
"""Sorts behind every day."""


class ForecastFacts(msgspec.Struct, frozen=True):
    """A deal in a forecast, with what the forecast of it rests on."""

    deal_id: str
    owner: str
    category: str | None
    close: str
    """As in `rollup.ForecastRow`."""
    process: str
    stage: str
    expected_close: date | None
    amount: Decimal | None
    currency: str
    probability: int | None
    """Per cent."""


class Behind(msgspec.Struct, frozen=True):
    """Behind which deal of the listing to go on."""

    expected_close: date | None
    deal_id: str


def deals_in_forecast(
    connection: Connection,
    periods: Periods,
    asked: Asked,
    *,
    close: str | None = None,
    behind: Behind | None = None,
    limit: int = 50,
) -> list[ForecastFacts]:
    """The deals that were open then, those that should close first at the front.

    `close`: only those of this month, or the overdue or the undated ones. Raises ValueError for
    an unknown dimension.
    """
    return periods.ask(
        connection,
        lambda relation: _facts(relation, asked, close, behind, limit),
        reach(asked.at),
    )


def _facts(
    relation: Relation, asked: Asked, close: str | None, behind: Behind | None, limit: int
) -> list[ForecastFacts]:
    expected = close_of("expected_close", asked.today)
    conditions = [open_at(relation, asked)]
    if close is not None:
        conditions.append(f"{expected} = {close_number(close)}")
    if behind is not None:
        conditions.append(_behind(behind))
    rows = relation.rows(
        f"SELECT id, owner, forecast_category, {expected}, place, expected_close, priced, amount,"
        " currency, probability"
        f" FROM periods JOIN deals USING (deal) WHERE {' AND '.join(conditions)}"
        f" ORDER BY coalesce(expected_close, {_NO_DAY}), id LIMIT {int(limit)}"
    )
    texts = {name: relation.texts(name) for name in ("owner", "forecast_category", "currency")}
    places = relation.places
    found = []
    for deal_id, owner, category, month, place, day, priced, amount, currency, percent in rows:
        own = texts["currency"][currency]
        found.append(
            ForecastFacts(
                deal_id=deal_id,
                owner=texts["owner"][owner],
                category=texts["forecast_category"][category],
                close=close_label(month),
                process=places[place].process,
                stage=places[place].stage,
                expected_close=None if day is None else day_of(day),
                amount=units(amount, own) if priced else None,
                currency=own,
                probability=percent,
            )
        )
    return found


def _behind(behind: Behind) -> str:
    day = _NO_DAY if behind.expected_close is None else day_number(behind.expected_close)
    at = f"coalesce(expected_close, {_NO_DAY})"
    return f"({at} > {day} OR ({at} = {day} AND id > {literal(behind.deal_id)}))"
