"""How far targets are covered: what is won of them, and whether the pipeline makes up the rest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import msgspec

from domain.currencies import MINOR_DIGITS
from domain.lifecycle import Status
from domain.rates import RateBook
from projections.columns.coding import day_number, day_of
from projections.columns.source import Reach
from projections.conversion import day_in as local_day
from projections.days import Days
from projections.figures import Point
from projections.instants import micros

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from decimal import Decimal
    from zoneinfo import ZoneInfo

    from sqlalchemy import Connection

    from domain.targets import Target
    from projections.calendar import Period
    from projections.columns import Periods
    from projections.columns.relation import Relation

FEWEST_DECIDED = 30
"""With fewer deals decided in the twelve months before, there is no win rate: too few."""


class CoverageQuestion(msgspec.Struct, frozen=True):
    """Of which period, at which moment of both axes."""

    as_of: datetime
    known_at: datetime
    period: Period
    zone: ZoneInfo
    rates: RateBook = RateBook()
    """As known at the known-at instant."""

    @property
    def reach(self) -> Reach:
        since = min(self.period.start, self.year_before, self.as_of)
        return Reach((self.known_at,), since, self.as_of)

    @property
    def year_before(self) -> datetime:
        """Twelve months before the as-of instant."""
        year = max(self.as_of.year - 1, 1)
        is_leap_day = (self.as_of.month, self.as_of.day) == (2, 29)
        return self.as_of.replace(year=year, day=28 if is_leap_day else self.as_of.day)


class Cell(NamedTuple):
    """Whose deals: each deal is in one cell of a kind."""

    owner: str
    territory: str | None


class Won(NamedTuple):
    """Deals of one cell and currency that were won on one day."""

    cell: Cell
    currency: str
    day: date
    deals: int
    priced: int
    amount: int
    """In minor units."""


class Expected(NamedTuple):
    """Open deals of one cell and currency that are expected to close in the period."""

    cell: Cell
    currency: str
    deals: int
    priced: int
    amount: int
    weighted: int
    """In minor units × per cent."""


class Decided(NamedTuple):
    """Deals of one cell that were decided in the twelve months before."""

    cell: Cell
    won: int
    decided: int


class Deals(NamedTuple):
    """What the database counted and summed."""

    won: list[Won]
    expected: list[Expected]
    decided: list[Decided]

    @property
    def cells(self) -> list[Cell]:
        found = [one.cell for one in self.won]
        found += [one.cell for one in self.expected]
        found += [one.cell for one in self.decided]
        return list(dict.fromkeys(found))


class Sum(msgspec.Struct):
    """Deals, and what they come to in some currencies."""

    deals: int = 0
    without_amount: int = 0
    amounts: defaultdict[str, Fraction] = msgspec.field(
        default_factory=lambda: defaultdict(Fraction)
    )

    def add(self, deals: int, priced: int, amount: Fraction, currency: str) -> None:
        self.deals += deals
        self.without_amount += deals - priced
        if priced:
            self.amounts[currency] += amount


class Covered(msgspec.Struct, frozen=True, kw_only=True):
    """What there is for one target, or for none of them."""

    won: Sum
    """Won in the period so far."""
    pipeline: Sum
    """Open at the as-of instant, and expected to close in the period."""
    weighted: Sum
    """The same, amount × probability."""
    decided_won: int
    decided: int
    """Won or lost in the twelve months before the as-of instant."""

    @property
    def win_rate(self) -> Fraction | None:
        """Won ÷ decided, by count; None: too few."""
        return Fraction(self.decided_won, self.decided) if self.decided >= FEWEST_DECIDED else None


class TargetCoverage(msgspec.Struct, frozen=True):
    """A target, and how far it is covered, in its currency."""

    target: Target
    covered: Covered

    @property
    def amount(self) -> Fraction:
        return Fraction(self.target.amount.amount)

    @property
    def won(self) -> Fraction:
        return self.covered.won.amounts.get(self.target.amount.currency, Fraction(0))

    @property
    def pipeline(self) -> Fraction:
        return self.covered.pipeline.amounts.get(self.target.amount.currency, Fraction(0))

    @property
    def weighted(self) -> Fraction:
        return self.covered.weighted.amounts.get(self.target.amount.currency, Fraction(0))

    @property
    def remaining(self) -> Fraction:
        """Target less won; below zero where more was won."""
        return self.amount - self.won

    @property
    def coverage(self) -> Fraction | None:
        """Pipeline ÷ remaining; None: nothing remains."""
        return self.pipeline / self.remaining if self.remaining > 0 else None

    @property
    def needed(self) -> Fraction | None:
        """Remaining ÷ win rate; None: too few were decided, or none of them won."""
        if self.remaining <= 0:
            return Fraction(0)
        rate = self.covered.win_rate
        return self.remaining / rate if rate else None

    @property
    def needed_new(self) -> Fraction | None:
        """What is needed beyond the pipeline that is there."""
        return None if self.needed is None else max(Fraction(0), self.needed - self.pipeline)


class Coverage(msgspec.Struct, frozen=True):
    """Every target, in the order given, and the deals that none of them is for."""

    targets: list[TargetCoverage]
    untargeted: Covered
    """Each amount in its own currency."""


def coverage(
    connection: Connection,
    periods: Periods,
    question: CoverageQuestion,
    targets: Sequence[Target],
    owners_in: Callable[[str], Iterable[str]],
) -> Coverage:
    """How far targets of the period are covered. `owners_in` tells who belongs to a unit."""
    deals = periods.ask(connection, lambda relation: _ask(relation, question), question.reach)
    cells = deals.cells
    summing = _Summing(question, deals)
    covered: dict[Cell, None] = {}
    found = []
    for target in targets:
        mine = _cells_of(target, cells, owners_in)
        covered.update(dict.fromkeys(mine))
        found.append(TargetCoverage(target, summing.covered(mine, target.amount.currency)))
    others = [cell for cell in cells if cell not in covered]
    return Coverage(found, summing.covered(others, None))


def _cells_of(
    target: Target, cells: Sequence[Cell], owners_in: Callable[[str], Iterable[str]]
) -> list[Cell]:
    if target.owner is not None:
        return [cell for cell in cells if cell.owner == target.owner]
    if target.territory is not None:
        return [cell for cell in cells if cell.territory == target.territory]
    if target.unit is not None:
        owners = set(owners_in(target.unit))
        return [cell for cell in cells if cell.owner in owners]
    return list(cells)


C = TypeVar("C", Won, Expected, Decided)


def _by_cell(rows: Iterable[C]) -> dict[Cell, list[C]]:
    found: defaultdict[Cell, list[C]] = defaultdict(list)
    for row in rows:
        found[row.cell].append(row)
    return found


class _Summing:
    """Adds up cells, in the currency of a target."""

    def __init__(self, question: CoverageQuestion, deals: Deals) -> None:
        self._rates = question.rates
        self._today = local_day(question.as_of, question.zone)
        self._won = _by_cell(deals.won)
        self._expected = _by_cell(deals.expected)
        self._decided = _by_cell(deals.decided)
        self._known: dict[tuple[str, str, date], Decimal | None] = {}

    def covered(self, cells: Sequence[Cell], target: str | None) -> Covered:
        """`target`: the currency of amounts that have a rate; None: each has its own."""
        won, pipeline, weighted = Sum(), Sum(), Sum()
        for cell in cells:
            for row in self._won.get(cell, ()):
                unit, currency = self._unit(row.currency, target, row.day)
                won.add(row.deals, row.priced, row.amount * unit, currency)
            for one in self._expected.get(cell, ()):
                unit, currency = self._unit(one.currency, target, self._today)
                pipeline.add(one.deals, one.priced, one.amount * unit, currency)
                weighted.add(one.deals, one.priced, one.weighted * unit / 100, currency)
        decided = [row for cell in cells for row in self._decided.get(cell, ())]
        return Covered(
            won=won,
            pipeline=pipeline,
            weighted=weighted,
            decided_won=sum(row.won for row in decided),
            decided=sum(row.decided for row in decided),
        )

    def _unit(self, currency: str, target: str | None, day: date) -> tuple[Fraction, str]:
        """What a minor unit of a currency is worth, and in which currency that is."""
        minor = Fraction(1, 10 ** MINOR_DIGITS[currency])
        rate = None if target is None else self._rate(currency, target, day)
        return (minor, currency) if rate is None else (minor * Fraction(rate), target or currency)

    def _rate(self, currency: str, target: str, day: date) -> Decimal | None:
        key = (currency, target, day)
        if key not in self._known:
            found = self._rates.rate(*key)
            self._known[key] = None if found is None else found.value
        return self._known[key]


def _ask(relation: Relation, question: CoverageQuestion) -> Deals:
    point = Point.of(question.as_of, question.known_at)
    sliced = f"known_from <= {point.known} AND known_until > {point.known}"
    now = f"{sliced} AND occurred_from <= {point.occurred} AND occurred_until > {point.occurred}"
    year_before = micros(question.year_before)
    since = min(micros(question.period.start), year_before)
    won = relation.codes("status", [Status.WON.value])
    ended = relation.codes("status", [Status.WON.value, Status.LOST.value])
    # The owner and the territory are those at the outcome, all else is as it stands by now.
    relation.hold(
        "outcomes",
        f"""
        SELECT closed_at, standing.status IN {won} AS won, then_.owner, then_.territory,
            opened_at, standing.currency AS coin, standing.priced, standing.amount
        FROM (
            SELECT deal, status, closed_at, opened_at, currency, priced, amount FROM periods
            WHERE {now} AND status IN {ended} AND closed_at > {since}
        ) AS standing JOIN (
            SELECT deal, closed_at, owner, territory FROM periods
            WHERE {sliced} AND status IN {ended} AND occurred_from = closed_at
                AND occurred_from > {since} AND occurred_from <= {point.occurred}
        ) AS then_ USING (deal, closed_at)
        """,
    )
    period = micros(question.period.start), min(micros(question.period.end), point.occurred)
    return Deals(
        _won(relation, question, period),
        _expected(relation, question, now),
        _decided(relation, year_before),
    )


def _cells(relation: Relation) -> Callable[[int, int], Cell]:
    owners, territories = relation.texts("owner"), relation.texts("territory")
    return lambda owner, territory: Cell(owners[owner] or "", territories[territory])


def _won(relation: Relation, question: CoverageQuestion, period: tuple[int, int]) -> list[Won]:
    day = Days.between(question.zone, *period).sql("closed_at")
    cell, coins = _cells(relation), relation.texts("currency")
    return [
        Won(cell(owner, territory), coins[coin], day_of(number), deals, int(priced), int(amount))
        for owner, territory, coin, number, deals, priced, amount in relation.rows(
            f"""
            SELECT owner, territory, coin, {day} AS day, count(*), sum(priced), sum(amount)
            FROM outcomes WHERE won AND closed_at > {period[0]} AND closed_at <= {period[1]}
            GROUP BY ALL
            """
        )
    ]


def _expected(relation: Relation, question: CoverageQuestion, now: str) -> list[Expected]:
    cell, coins = _cells(relation), relation.texts("currency")
    opened = relation.codes("status", [Status.OPEN.value])
    first, last = day_number(question.period.first), day_number(question.period.last)
    return [
        Expected(cell(owner, territory), coins[coin], deals, *map(int, sums))
        for owner, territory, coin, deals, *sums in relation.rows(
            f"""
            SELECT owner, territory, currency, count(*), sum(priced), sum(amount), sum(weighted)
            FROM periods
            WHERE {now} AND status IN {opened} AND expected_close BETWEEN {first} AND {last}
            GROUP BY owner, territory, currency
            """
        )
    ]


def _decided(relation: Relation, since: int) -> list[Decided]:
    cell = _cells(relation)
    return [
        Decided(cell(owner, territory), won, decided)
        for owner, territory, won, decided in relation.rows(
            f"""
            SELECT owner, territory, count_if(won), count(*) FROM outcomes
            WHERE closed_at > {since} GROUP BY owner, territory
            """
        )
    ]
