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

from domain.lifecycle import Status
from projections.conversion import Conversion, total, units
from projections.instants import FOREVER, micros

DIMENSIONS = (
    "stage",
    "owner",
    "region",
    "industry",
    "territory",
    "product",
    "business_type",
    "lead_source",
    "forecast_category",
    "grade",
    "currency",
    "process",
)
_DAY_MICROS = 86_400_000_000

Values = tuple[str | None, ...]


class PipelineRow(msgspec.Struct, frozen=True):
    """Figures of one group in one currency. Amounts are exact decimals of that currency.

    `currency` is the one that is reported in, where amounts are converted and have a rate.
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


class _Group:
    """The deals of one group whose amounts are reported in one currency."""

    def __init__(self) -> None:
        self._of: dict[str, dict[str, Sums]] = {}
        """By status, then by their own currency."""
        self._deals: dict[str, int] = {}
        self.processes: set[str] = set()
        self.stage_orders: set[int] = set()

    def add(self, part: Part, currency: str) -> None:
        of_status = self._of.setdefault(part.status, {})
        held = of_status.get(currency)
        of_status[currency] = part.sums if held is None else _added(held, part.sums)
        self._deals[part.status] = self._deals.get(part.status, 0) + part.sums.deals
        self.processes.add(part.process)
        self.stage_orders.add(part.stage_order)

    def sums(self, status: Status) -> Mapping[str, Sums]:
        """What the deals with a status come to, by their own currency."""
        return self._of.get(status.value, {})

    def count(self, status: Status) -> int:
        """How many deals have a status."""
        return self._deals.get(status.value, 0)


def _added(one: Sums, other: Sums) -> Sums:
    return Sums(*map(int.__add__, one, other))


def rows_of(
    parts: Iterable[Part],
    by: Sequence[str],
    as_of: datetime,
    conversion: Conversion | None = None,
) -> list[PipelineRow]:
    """The figures of each group, from the sums made for `by`.

    Groups come in order of their values, stages in that of their process, groups
    without a value last. With a conversion, a group has one row in the currency that is
    reported in, and behind the rows of all groups one for each currency without a rate.
    """
    by = tuple(dict.fromkeys(by))
    at_currency = grouped_by(by).index("currency")
    groups: defaultdict[tuple[str, Values], _Group] = defaultdict(_Group)
    for part in parts:
        own = part.values[at_currency]
        assert own is not None
        currency = own if conversion is None else conversion.reported_in(own)
        groups[currency, part.values[: len(by)]].add(part, own)

    def order(key: tuple[str, Values]) -> list[object]:
        currency, values = key
        ordered: list[object] = [conversion is not None and currency != conversion.target]
        for name, value in zip(by, values, strict=True):
            if name == "stage":
                # One process after the other; a stage that several share stands where
                # the first has it.
                group = groups[key]
                ordered += (min(group.processes), min(group.stage_orders))
            ordered.append((value is None, value))
        return [*ordered, currency]

    at = micros(as_of)
    return [
        _row(dict(zip(by, key[1], strict=True)), key[0], groups[key], at, conversion)
        for key in sorted(groups, key=order)
    ]


def totals_of(
    parts: Iterable[Part],
    by: Sequence[str],
    as_of: datetime,
    conversion: Conversion | None = None,
) -> list[PipelineRow]:
    """The figures of each currency over all groups, from the sums made for `by`."""
    at = grouped_by(by).index("currency")
    of_currencies = (
        Part((values[at],), status, process, stage_order, sums)
        for values, status, process, stage_order, sums in parts
    )
    return rows_of(of_currencies, (), as_of, conversion)


def _row(
    group: dict[str, str | None],
    currency: str,
    deals: _Group,
    at: int,
    conversion: Conversion | None,
) -> PipelineRow:
    opened, won = deals.sums(Status.OPEN), deals.sums(Status.WON)
    return PipelineRow(
        group=group,
        currency=currency,
        open=deals.count(Status.OPEN),
        open_amount=_amount(opened, conversion),
        open_weighted_amount=_weighted(opened, conversion),
        open_unknown_amount=_unpriced(opened),
        open_average_age_days=_average_age(opened, at),
        suspended=deals.count(Status.SUSPENDED),
        won=deals.count(Status.WON),
        won_amount=_amount(won, conversion),
        won_unknown_amount=_unpriced(won),
        lost=deals.count(Status.LOST),
        voided=deals.count(Status.VOIDED),
    )


def _amount(of: Mapping[str, Sums], conversion: Conversion | None) -> Decimal:
    return _reported([(sums.amount, currency) for currency, sums in of.items()], 0, conversion)


def _weighted(of: Mapping[str, Sums], conversion: Conversion | None) -> Decimal:
    """Of amount × probability, which has two digits more."""
    return _reported([(sums.weighted, currency) for currency, sums in of.items()], 2, conversion)


def _reported(
    sums: Sequence[tuple[int, str]], digits: int, conversion: Conversion | None
) -> Decimal:
    """The total of sums in minor units, with so many digits more, and their currencies."""
    if conversion is None:
        return total([units(minor, currency, digits) for minor, currency in sums])
    return total([conversion.amount(units(m, c, digits), c) for m, c in sums])


def _unpriced(of: Mapping[str, Sums]) -> int:
    return sum([sums.deals - sums.priced for sums in of.values()])


def _average_age(of: Mapping[str, Sums], at: int) -> float | None:
    """In days, of all deals together; None without any."""
    deals = sum([sums.deals for sums in of.values()])
    if not deals:
        return None
    opened_at = sum([sums.opened_at for sums in of.values()])
    return round((deals * at - opened_at) / deals / _DAY_MICROS, 1)
