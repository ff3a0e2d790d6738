"""The figures of a pipeline, from sums that a database makes over the deals of a group.

A database groups by the dimensions asked for, the currency and the status, and sums;
that is all it does, so that the rows of the store and their columnar copy come to the
same figures by the same code.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

import msgspec

from domain.currencies import MINOR_DIGITS
from domain.lifecycle import Status
from projections.instants import FOREVER, micros

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

Values = tuple[str | None, ...]


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


class Sums(NamedTuple):
    """Exact sums over some deals of one group that have one status."""

    deals: int
    priced: int
    """How many of them have an amount."""
    amount: int
    """In minor units."""
    weighted: int
    """Of amount × probability: in minor units × per cent."""
    opened_at: int
    """Of the instants of their openings, in microseconds."""


class Part(NamedTuple):
    """Sums over deals that have these things in common. A group may come in several parts."""

    values: Values
    """Of the dimensions in `grouped_by`, in that order."""
    status: str
    process: str
    """Empty, as the position of the stage is 0, unless stages are grouped."""
    stage_order: int
    sums: Sums


class Point(NamedTuple):
    """A moment on both axes of time, in microseconds, as periods are compared with it."""

    occurred: int
    known: int

    @classmethod
    def of(cls, as_of: datetime, known_at: datetime) -> "Point":
        """Before the end of time, where periods that still hold end."""
        return cls(min(micros(as_of), FOREVER - 1), min(micros(known_at), FOREVER - 1))


class Question(NamedTuple):
    """What is asked; see `projections.pipeline.snapshot`."""

    as_of: datetime
    known_at: datetime
    by: Sequence[str]
    where: Mapping[str, str]

    @property
    def grouped_by(self) -> tuple[str, ...]:
        return grouped_by(self.by)

    @property
    def point(self) -> Point:
        return Point.of(self.as_of, self.known_at)


def grouped_by(by: Iterable[str]) -> tuple[str, ...]:
    """The dimensions that a database groups by: each once, and always the currency."""
    return tuple(dict.fromkeys((*by, "currency")))


def require_dimensions(names: Iterable[str]) -> None:
    """Raise ValueError for an unknown dimension."""
    for name in names:
        if name not in DIMENSIONS:
            raise ValueError(f"there is no dimension {name!r}; use {', '.join(DIMENSIONS)}")


_NOTHING = Sums(0, 0, 0, 0, 0)


class _Group:
    """One group in one currency."""

    def __init__(self) -> None:
        self._of: dict[str, Sums] = {}
        self.processes: set[str] = set()
        self.stage_orders: set[int] = set()

    def add(self, part: Part) -> None:
        held = self._of.get(part.status)
        sums = part.sums if held is None else Sums(*map(int.__add__, held, part.sums))
        self._of[part.status] = sums
        self.processes.add(part.process)
        self.stage_orders.add(part.stage_order)

    def of(self, status: Status) -> Sums:
        return self._of.get(status.value, _NOTHING)


def rows_of(parts: Iterable[Part], by: Sequence[str], as_of: datetime) -> list[PipelineRow]:
    """The figures of each group, from the sums made for `by`.

    Groups come in order of their values, stages in that of their process, groups
    without a value last.
    """
    names = grouped_by(by)
    groups: defaultdict[Values, _Group] = defaultdict(_Group)
    for part in parts:
        groups[part.values].add(part)

    def order(values: Values) -> list[object]:
        key: list[object] = []
        for name, value in zip(names, values, strict=True):
            if name == "stage":
                # One process after the other; a stage that several share stands where
                # the first has it.
                group = groups[values]
                key += (min(group.processes), min(group.stage_orders))
            key.append((value is None, value))
        return key

    at = micros(as_of)
    return [
        _row(dict(zip(names, values, strict=True)), by, groups[values], at)
        for values in sorted(groups, key=order)
    ]


def totals_of(parts: Iterable[Part], by: Sequence[str], as_of: datetime) -> list[PipelineRow]:
    """The figures of each currency over all groups, from the sums made for `by`."""
    at = grouped_by(by).index("currency")
    of_currencies = (
        Part((values[at],), status, process, stage_order, sums)
        for values, status, process, stage_order, sums in parts
    )
    return rows_of(of_currencies, (), as_of)


def _row(
    values: Mapping[str, str | None], by: Sequence[str], group: _Group, at: int
) -> PipelineRow:
    currency = values["currency"]
    assert currency is not None
    digits = MINOR_DIGITS[currency]
    opened, won = group.of(Status.OPEN), group.of(Status.WON)
    age: float | None = None
    if opened.deals:
        age = round((opened.deals * at - opened.opened_at) / opened.deals / _DAY_MICROS, 1)
    return PipelineRow(
        group={name: values[name] for name in by},
        currency=currency,
        open=opened.deals,
        open_amount=Decimal(opened.amount).scaleb(-digits),
        open_weighted_amount=Decimal(opened.weighted).scaleb(-digits - 2),
        open_unknown_amount=opened.deals - opened.priced,
        open_average_age_days=age,
        suspended=group.of(Status.SUSPENDED).deals,
        won=won.deals,
        won_amount=Decimal(won.amount).scaleb(-digits),
        won_unknown_amount=won.deals - won.priced,
        lost=group.of(Status.LOST).deals,
        voided=group.of(Status.VOIDED).deals,
    )
