"""Pipeline snapshot: what was open, won and lost at (as of, known at), grouped."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, RowMapping, and_, case, func, select

from domain.currencies import MINOR_DIGITS
from domain.lifecycle import Status
from projections.instants import FOREVER, micros
from projections.tables import deal_periods, entries

DIMENSIONS = (
    "stage",
    "owner",
    "region",
    "industry",
    "territory",
    "product",
    "business_type",
    "forecast_category",
    "grade",
    "currency",
    "process",
)
_DAY_MICROS = 86_400_000_000
_LIMB = 10**9


class PipelineRow(msgspec.Struct, frozen=True):
    """Figures of one group in one currency. Amounts are decimals of that currency.

    `open` leaves suspended deals out; weighted is amount × probability; an
    unknown amount is counted in `open_unknown_amount` and adds nothing.
    """

    group: dict[str, str | None]
    currency: str
    open: int
    open_amount: Decimal
    open_weighted_amount: Decimal
    open_unknown_amount: int
    open_average_age_days: float | None
    suspended: int
    won: int
    won_amount: Decimal
    won_unknown_amount: int
    lost: int
    voided: int


class Pipeline(msgspec.Struct, frozen=True):
    """A snapshot: its two instants, the rows, and what limits the answer."""

    as_of: datetime
    known_at: datetime
    by: tuple[str, ...]
    rows: list[PipelineRow]
    caveats: list[str]


def snapshot(
    connection: Connection,
    as_of: datetime,
    known_at: datetime,
    by: Sequence[str] = ("stage",),
    where: Mapping[str, str] | None = None,
) -> Pipeline:
    """The pipeline at (as of, known at), grouped by dimensions of `DIMENSIONS`.

    A deal that was merged into another one counts nowhere.

    `where` keeps rows with these values of dimensions (`""`: without one).
    Raises ValueError for an unknown dimension.
    """
    where = where or {}
    for name in (*by, *where):
        if name not in DIMENSIONS:
            raise ValueError(f"there is no dimension {name!r}; use {', '.join(DIMENSIONS)}")
    period = deal_periods.c
    keys = [period[name] for name in dict.fromkeys((*by, "currency"))]
    statement = (
        select(*keys, *_figures(micros(as_of)))
        .where(holds_at(as_of, known_at), deal_periods.c.status != Status.MERGED.value)
        .where(*(_equals(period[name], value) for name, value in where.items()))
        .group_by(*keys)
        .order_by(*(order for key in keys for order in _order(key)))
    )
    rows = [_row(row, by) for row in connection.execute(statement).mappings()]
    caveats = _caveats(connection, as_of, known_at)
    return Pipeline(as_of, known_at, tuple(by), rows, caveats)


def holds_at(as_of: datetime, known_at: datetime) -> ColumnElement[bool]:
    """The deal periods that hold the point (as of, known at): one at most per deal."""
    period = deal_periods.c
    at, known = min(micros(as_of), FOREVER - 1), min(micros(known_at), FOREVER - 1)
    return and_(
        period.occurred_from <= at,
        period.occurred_until > at,
        period.known_from <= known,
        period.known_until > known,
    )


def _equals(column: ColumnElement[Any], value: str) -> ColumnElement[bool]:
    return column == value if value else column.is_(None)


def _order(key: ColumnElement[Any]) -> list[ColumnElement[Any]]:
    """Groups in order of their keys, stages in that of their process, groups without one last."""
    by_name = key.asc().nulls_last()
    if key is not deal_periods.c.stage:
        return [by_name]
    # One process after the other; a stage that several share stands where the first has it.
    return [func.min(deal_periods.c.process), func.min(deal_periods.c.stage_order), by_name]


def _figures(at: int) -> list[ColumnElement[Any]]:
    period = deal_periods.c
    is_open = period.status == Status.OPEN.value
    is_won = period.status == Status.WON.value
    percent = func.coalesce(period.probability, 0)
    return [
        _count(is_open).label("open"),
        *_sum("open_amount", is_open, period.amount_minor),
        *_sum("open_weighted", is_open, period.amount_minor, percent),
        _count(is_open & period.amount_minor.is_(None)).label("open_unknown_amount"),
        *_sum("open_age", is_open, at - period.opened_at),
        _count(period.status == Status.SUSPENDED.value).label("suspended"),
        _count(is_won).label("won"),
        *_sum("won_amount", is_won, period.amount_minor),
        _count(is_won & period.amount_minor.is_(None)).label("won_unknown_amount"),
        _count(period.status == Status.LOST.value).label("lost"),
        _count(period.status == Status.VOIDED.value).label("voided"),
    ]


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def _sum(
    name: str,
    condition: ColumnElement[bool],
    value: ColumnElement[int],
    times: ColumnElement[int] | int = 1,
) -> list[ColumnElement[int]]:
    """The exact sum of value × times, in two columns: the database's integers have 64 bits."""
    limbs = {"high": value // _LIMB, "low": value % _LIMB}
    return [
        func.coalesce(func.sum(case((condition, limb * times))), 0).label(f"{name}_{half}")
        for half, limb in limbs.items()
    ]


def _summed(row: RowMapping, name: str) -> int:
    return int(row[f"{name}_high"]) * _LIMB + int(row[f"{name}_low"])


def _row(row: RowMapping, by: Sequence[str]) -> PipelineRow:
    currency = row["currency"]

    def amount(name: str, extra_digits: int = 0) -> Decimal:
        return Decimal(_summed(row, name)).scaleb(-MINOR_DIGITS[currency] - extra_digits)

    age = _summed(row, "open_age") / row["open"] / _DAY_MICROS if row["open"] else None
    return PipelineRow(
        group={name: row[name] for name in by},
        currency=currency,
        open=row["open"],
        open_amount=amount("open_amount"),
        open_weighted_amount=amount("open_weighted", 2),
        open_unknown_amount=row["open_unknown_amount"],
        open_average_age_days=None if age is None else round(age, 1),
        suspended=row["suspended"],
        won=row["won"],
        won_amount=amount("won_amount"),
        won_unknown_amount=row["won_unknown_amount"],
        lost=row["lost"],
        voided=row["voided"],
    )


def _caveats(connection: Connection, as_of: datetime, known_at: datetime) -> list[str]:
    """Imports that did not say when they knew: asked earlier, the answer leaves them out."""
    entry = entries.c
    statement = (
        select(entry.source, func.count().label("events"))
        .where(
            entry.source.startswith("import:"),
            entry.known_at == entry.recorded_at,
            entry.recorded_at > micros(known_at),
            entry.occurred_at <= micros(as_of),
        )
        .group_by(entry.source)
        .order_by(entry.source)
    )
    return [
        f"{row.events:,} {'event' if row.events == 1 else 'events'} of {row.source}, whose source "
        f"does not say when it was known: known from the import on, and not in this answer"
        for row in connection.execute(statement)
    ]
