"""The deals behind the figures of a snapshot, the largest first, a page at a time.

A page goes on behind a deal, not behind a number of deals: what comes and goes meanwhile
neither repeats a deal nor leaves one out.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from sqlalchemy import Connection, select

from domain.currencies import MINOR_DIGITS
from domain.lifecycle import Status
from domain.values import Money
from projections.columns import Periods, Reach
from projections.columns.relation import literal
from projections.conversion import Conversion, units
from projections.figures import Point
from projections.instants import instant_of
from projections.tables import deals

if TYPE_CHECKING:
    from projections.columns.relation import Relation

COUNTED = (Status.OPEN, Status.SUSPENDED, Status.WON, Status.LOST, Status.VOIDED)
"""The statuses that a snapshot counts."""

_TEXTS = (
    *("status", "outcome", "owner", "region", "industry", "territory", "product"),
    *("business_type", "forecast_category", "grade", "lead_source", "currency"),
)
_NUMBERS = ("priced", "amount", "weighted", "probability", "opened_at", "closed_at")


class Place(NamedTuple):
    """Where a deal stands in the list."""

    apart: bool
    """Whether its amount has no rate, and so stands behind the amounts that have one."""
    size: float | None
    """Its amount, in units, as it is sorted by; None where it is unknown, which comes last."""
    deal_id: str


class DealQuery(msgspec.Struct, frozen=True):
    """Which deals of the snapshot at (as of, known at)."""

    as_of: datetime
    known_at: datetime
    statuses: Sequence[Status] = COUNTED
    where: Mapping[str, str] = {}
    """Dimensions and their values, as for the snapshot."""
    unknown_amount: bool = False
    """Only deals whose amount is unknown."""
    limit: int = 50
    after: Place | None = None
    """The last deal of the page before."""


class DealBehind(msgspec.Struct, frozen=True, kw_only=True):
    """A deal, as it was reported at (as of, known at)."""

    deal_id: str
    status: Status
    outcome: str | None
    process: str
    stage: str
    amount: Money | None
    weighted: Decimal | None
    """Amount × probability, exactly; None where the amount is unknown."""
    currency: str
    probability: int | None
    """Per cent."""
    expected_close: date | None
    forecast_category: str | None
    owner: str
    region: str | None
    industry: str | None
    territory: str | None
    product: str | None
    business_type: str | None
    grade: str | None
    lead_source: str | None
    opened_at: datetime
    closed_at: datetime | None


class DealsBehind(msgspec.Struct, frozen=True):
    """A page of the deals, and how many there are on all pages together."""

    deals: list[DealBehind]
    next: Place | None
    """The place of the last one, where there are more."""
    matching: int
    currencies: list[str]
    """Of all that match, in order."""


def deals_behind(
    periods: Periods,
    connection: Connection,
    query: DealQuery,
    conversion: Conversion | None = None,
) -> DealsBehind:
    """The deals that a snapshot counts, by amount, the largest first.

    Amounts are compared in the currency of the conversion, those without a rate stand behind
    them. Without a conversion those of several currencies are compared by their numbers.
    Raises ValueError for an unknown dimension.
    """
    reach = Reach(known_at=(query.known_at,), since=query.as_of, until=query.as_of)
    return periods.ask(connection, lambda relation: _page(relation, query, conversion), reach)


def called(
    connection: Connection, deal_ids: Collection[str]
) -> dict[str, tuple[str | None, str | None]]:
    """Name and reference of deals as they stand now, by deal id."""
    column = deals.c
    statement = select(column.deal_id, column.name, column.reference)
    found = connection.execute(statement.where(column.deal_id.in_(deal_ids)))
    named = {row.deal_id: (row.name, row.reference) for row in found}
    return {deal_id: named.get(deal_id, (None, None)) for deal_id in deal_ids}


def _page(relation: "Relation", query: DealQuery, conversion: Conversion | None) -> DealsBehind:
    currencies: list[str] = relation.texts("currency")
    standing = f"FROM periods SELECT * WHERE {_condition(relation, query)}"
    counted = relation.rows(
        "FROM standing SELECT currency, count(*) GROUP BY currency", standing=standing
    )
    sized = f"FROM standing SELECT *, {_sizes(currencies, conversion)}"
    columns = ("place", "expected_close", *_NUMBERS, *_TEXTS)
    found = relation.rows(
        f"""
        FROM sized JOIN deals USING (deal)
        SELECT id, apart, size, {", ".join(columns)}
        WHERE {_behind(query.after)}
        ORDER BY apart, size DESC NULLS LAST, id
        LIMIT {query.limit + 1}
        """,
        standing=standing,
        sized=sized,
    )
    texts = {name: relation.texts(name) for name in _TEXTS}
    places = relation.places
    rows = [dict(zip(columns, row[3:], strict=True)) for row in found[: query.limit]]
    for row in rows:
        row.update({name: values[row[name]] for name, values in texts.items()})
        row["process"], row["stage"], _ = places[row["place"]]
    some = [_deal(row[0], values) for row, values in zip(found, rows, strict=False)]
    last = found[query.limit - 1] if len(found) > query.limit else None
    return DealsBehind(
        some,
        Place(bool(last[1]), last[2], last[0]) if last else None,
        sum(count for _, count in counted),
        sorted(currencies[code] for code, _ in counted),
    )


def _condition(relation: "Relation", query: DealQuery) -> str:
    """What the periods are that the snapshot counts."""
    point = Point.of(query.as_of, query.known_at)
    return f"""
        occurred_from <= {point.occurred} AND occurred_until > {point.occurred}
        AND known_from <= {point.known} AND known_until > {point.known}
        AND status IN {relation.codes("status", [one.value for one in query.statuses])}
        AND {relation.matching(query.where)} AND {"priced = 0" if query.unknown_amount else "true"}
    """


def _sizes(currencies: Sequence[str | None], conversion: Conversion | None) -> str:
    """The columns that are sorted by. Floating point does for an order."""
    apart, units_each = [], []
    for code, currency in enumerate(currencies):
        if currency is None:
            continue
        rate = None if conversion is None else conversion.rate(currency)
        worth = 10.0 ** -MINOR_DIGITS[currency] * (1.0 if rate is None else float(rate.value))
        units_each.append(f"WHEN {code} THEN {worth!r}::DOUBLE")
        if conversion is not None and rate is None:
            apart.append(str(code))
    size = f"CASE currency {' '.join(units_each)} END" if units_each else "NULL::DOUBLE"
    return f"""
        currency IN ({", ".join(apart) or "NULL"}) IS TRUE AS apart,
        CASE WHEN priced = 1 THEN amount * {size} END AS size
    """


def _behind(after: Place | None) -> str:
    """The condition for what comes behind a place."""
    if after is None:
        return "true"
    apart = str(after.apart).lower()
    further = f"id > {literal(after.deal_id)}"
    if after.size is None:
        within = f"size IS NULL AND {further}"
    else:
        size = f"{after.size!r}::DOUBLE"
        within = f"size IS NULL OR size < {size} OR size = {size} AND {further}"
    return f"(apart > {apart} OR apart = {apart} AND ({within}))"


def _deal(deal_id: str, row: Mapping[str, Any]) -> DealBehind:
    from projections.columns.coding import day_of

    currency, priced = row["currency"], row["priced"]
    close, closed_at = row["expected_close"], row["closed_at"]
    return DealBehind(
        deal_id=deal_id,
        status=Status(row["status"]),
        amount=Money.from_minor(row["amount"], currency) if priced else None,
        weighted=units(row["weighted"], currency, 2) if priced else None,
        expected_close=None if close is None else day_of(close),
        opened_at=instant_of(row["opened_at"]),
        closed_at=None if closed_at is None else instant_of(closed_at),
        **{name: row[name] for name in _AS_IN_THE_ROW},
    )


_AS_IN_THE_ROW = (
    *("outcome", "process", "stage", "currency", "probability", "forecast_category", "owner"),
    *("region", "industry", "territory", "product", "business_type", "grade", "lead_source"),
)
