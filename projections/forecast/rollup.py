"""The forecast: the open deals by forecast category and the month in which they should close."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from domain.values import ForecastCategory
from projections.conversion import Conversion, total, units
from projections.forecast.grouping import Grouping, Values
from projections.forecast.months import close_label, close_of, close_order
from projections.forecast.slices import Asked, open_at, reach

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection

    from projections.columns import Periods
    from projections.columns.relation import Relation

CATEGORIES = (
    ForecastCategory.CLOSED,
    ForecastCategory.COMMIT,
    ForecastCategory.MOST_LIKELY,
    ForecastCategory.BEST_CASE,
    ForecastCategory.PIPELINE,
    ForecastCategory.OMITTED,
)
"""The surest first, as tables list them."""


class ForecastSum(msgspec.Struct, frozen=True):
    """So many open deals, and what they come to, in one currency."""

    deals: int
    amount: Decimal
    weighted: Decimal
    """Of amount × probability; a deal without one of them adds nothing."""
    unknown_amounts: int
    """Deals without an amount."""


class ForecastRow(msgspec.Struct, frozen=True):
    """The deals of one group, category and month, in the currency they are reported in."""

    group: dict[str, str | None]
    close: str
    """A month, `2026-04`, or `overdue`: expected before the day of the forecast; or `undated`."""
    category: str | None
    currency: str
    sum: ForecastSum


class Rollup(msgspec.Struct, frozen=True):
    """A forecast."""

    today: date
    """The day of it, in the time zone: what should have closed before is overdue."""
    rows: list[ForecastRow]
    totals: list[ForecastRow]
    """By month and category over all groups, where there are groups."""
    sums: dict[str, ForecastSum]
    """Of everything, by currency."""
    currencies: tuple[str, ...]
    """The own currencies of the deals."""


class Part(NamedTuple):
    """Exact sums over some deals, as the database makes them."""

    values: Values
    close: str
    category: str | None
    own: str
    """The currency of the deals."""
    deals: int
    priced: int
    amount: int
    """In minor units."""
    weighted: int
    """In minor units × per cent."""


def rollup(
    connection: Connection,
    periods: Periods,
    asked: Asked,
    conversion: Conversion | None = None,
) -> Rollup:
    """The forecast of the deals that were open then.

    With a conversion, amounts that have a rate are in its currency, the others in their own.
    Raises ValueError for an unknown dimension.
    """
    return periods.ask(
        connection, lambda relation: _rollup(relation, asked, conversion), reach(asked.at)
    )


def _rollup(relation: Relation, asked: Asked, conversion: Conversion | None) -> Rollup:
    grouping = Grouping(relation, asked.by)
    parts = list(_parts(relation, grouping, asked))
    rows = _rows(parts, asked.by, conversion)
    rows.sort(key=lambda row: (grouping.order(tuple(row.group.values())), *_order(row)))
    totals = sorted(_rows([one._replace(values=()) for one in parts], (), conversion), key=_order)
    by_currency: defaultdict[str, list[ForecastSum]] = defaultdict(list)
    for row in rows:
        by_currency[row.currency].append(row.sum)
    return Rollup(
        asked.today,
        rows,
        totals if asked.by else [],
        {currency: added(sums) for currency, sums in sorted(by_currency.items())},
        tuple(sorted({part.own for part in parts})),
    )


def _order(row: ForecastRow) -> tuple[object, ...]:
    return (close_order(row.close), category_order(row.category), row.currency)


def category_order(category: str | None) -> int:
    """The surest first; those without one last."""
    return len(CATEGORIES) if category is None else CATEGORIES.index(ForecastCategory(category))


def _parts(relation: Relation, grouping: Grouping, asked: Asked) -> Iterable[Part]:
    categories, currencies = relation.texts("forecast_category"), relation.texts("currency")
    rows = relation.rows(
        f"SELECT {grouping.keys('periods')}"
        f" {close_of('expected_close', asked.today)} AS close, forecast_category, currency,"
        " count(*), sum(priced), sum(amount), sum(coalesce(weighted, 0))"
        f" FROM periods WHERE {open_at(relation, asked)} GROUP BY ALL"
    )
    at = len(grouping)
    for row in rows:
        close, category, currency, *sums = row[at:]
        yield Part(
            grouping.values(row[:at]),
            close_label(close),
            categories[category],
            currencies[currency],
            *map(int, sums),
        )


def _rows(
    parts: Iterable[Part], by: Sequence[str], conversion: Conversion | None
) -> list[ForecastRow]:
    cells: defaultdict[tuple[Values, str, str | None, str], list[ForecastSum]] = defaultdict(list)
    for part in parts:
        currency = part.own if conversion is None else conversion.reported_in(part.own)
        cells[part.values, part.close, part.category, currency].append(_sum(part, conversion))
    return [
        ForecastRow(dict(zip(by, values, strict=True)), close, category, currency, added(sums))
        for (values, close, category, currency), sums in cells.items()
    ]


def _sum(part: Part, conversion: Conversion | None) -> ForecastSum:
    amount, weighted = units(part.amount, part.own), units(part.weighted, part.own, 2)
    if conversion is not None:
        amount = conversion.amount(amount, part.own)
        weighted = conversion.amount(weighted, part.own)
    return ForecastSum(part.deals, amount, weighted, part.deals - part.priced)


def added(sums: Iterable[ForecastSum]) -> ForecastSum:
    """Several sums in one currency together."""
    some = list(sums)
    return ForecastSum(
        sum(one.deals for one in some),
        total(one.amount for one in some),
        total(one.weighted for one in some),
        sum(one.unknown_amounts for one in some),
    )
