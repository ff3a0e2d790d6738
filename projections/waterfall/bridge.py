"""The waterfall as an answer: for each group where it started, each line, and where it ended.

In each group and currency, start + all lines = end, in count and in amount, exactly. Without a
reporting currency amounts stay in their own. With one, the start is worth what it was at the
rates of its day, everything since is at the rates of the last day, and the line `revalued` is what
the start is worth more at these: Σ amount at the start × (last rate - first rate).
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Connection

from domain.rates import Rate, RateBook
from projections.conversion import EXACT, Conversion, total, units
from projections.figures import Values, require_dimensions
from projections.waterfall.asking import Asked, Question, Standing, Transitions
from projections.waterfall.steps import (
    CORRECTED,
    LINES,
    REVALUED,
    Line,
)

if TYPE_CHECKING:
    from projections.columns import Periods
    from projections.columns.relation import Relation


class Stand(msgspec.Struct, frozen=True):
    """The pipeline of a group at one moment."""

    deals: int
    unpriced: int
    """How many of them have no amount on record; they add nothing to it."""
    amount: Decimal


class Moved(msgspec.Struct, frozen=True):
    """What one line adds to a group, or takes from it."""

    line: Line
    deals: int
    """With its sign; 0 where only amounts change."""
    amount: Decimal
    """With its sign."""
    times: int
    """How often it happened: a deal may be moved several times."""


class Bridge(msgspec.Struct, frozen=True):
    """What took one group from start to end. Amounts are exact, in units of the currency."""

    group: dict[str, str | None]
    currency: str
    start: Stand
    lines: list[Moved]
    """Each of `LINES` that was asked for, in that order."""
    end: Stand


class Rates(NamedTuple):
    """The exchange rates of the first and of the last day, into one currency."""

    start: Conversion
    end: Conversion

    @classmethod
    def of(cls, book: RateBook, target: str, question: Question, zone: ZoneInfo) -> "Rates":
        """Those of the days of the question, as known when each is seen. Raises UnknownCurrency."""
        known = (question.known_at, question.known_at)
        if question.as_believed:
            known = (question.since, question.until)
        start = Conversion.at(book, target, question.since, known[0], zone)
        return cls(start, Conversion.at(book, target, question.until, known[1], zone))

    @property
    def target(self) -> str:
        return self.end.target

    def pair(self, currency: str) -> tuple[Decimal, Decimal] | None:
        """The rates at start and end; None where one of them is not on record."""
        first, last = self.start.rate(currency), self.end.rate(currency)
        return None if first is None or last is None else (first.value, last.value)


class Value(NamedTuple):
    """What amounts of a currency are worth at the start and at the end."""

    own: str
    currency: str
    """The one that they are reported in."""
    pair: tuple[Decimal, Decimal] | None = None
    """The rates at start and end; None: they stay what they are."""

    @classmethod
    def of(cls, currency: str, rates: Rates | None) -> "Value":
        pair = None if rates is None else rates.pair(currency)
        return cls(currency, currency if rates is None or pair is None else rates.target, pair)

    def at_start(self, minor: int) -> Decimal:
        return self._worth(minor, 0)

    def at_end(self, minor: int) -> Decimal:
        return self._worth(minor, 1)

    def revalued(self, minor: int) -> Decimal:
        """How much more it is worth at the end than at the start."""
        return EXACT.subtract(self.at_end(minor), self.at_start(minor))

    @property
    def changes(self) -> bool:
        """Whether it is worth another amount at the end."""
        return self.pair is not None and self.pair[0] != self.pair[1]

    def _worth(self, minor: int, which: int) -> Decimal:
        amount = units(minor, self.own)
        return amount if self.pair is None else EXACT.multiply(amount, self.pair[which])


class Waterfall(msgspec.Struct, frozen=True):
    """The bridges of all groups, and of all groups together."""

    rows: list[Bridge]
    totals: list[Bridge]
    """One for each currency: the sums of the rows."""
    start_rates: dict[str, Rate]
    """Of the currencies that were converted, at the rate of the first day."""
    end_rates: dict[str, Rate]
    lacking: list[str]
    """Currencies without a rate on one of the days: listed apart, each in itself."""


def waterfall(
    connection: Connection, periods: "Periods", question: Question, rates: Rates | None = None
) -> Waterfall:
    """What took the pipeline from one moment to another. Raises ValueError for a dimension."""
    require_dimensions((*question.by, *question.where))

    def ask(relation: "Relation") -> _Tally:
        return _Tally(Asked(relation, question))

    return periods.ask(connection, ask, question.reach).answer(question, rates)


class _Sum:
    """Of one group in its own currency, in minor units."""

    def __init__(self) -> None:
        self.start = self.end = (0, 0, 0)
        self.lines: dict[Line, tuple[int, int, int]] = {}

    def add(self, line: Line, deals: int, amount: int, times: int) -> None:
        held = self.lines.get(line, (0, 0, 0))
        self.lines[line] = (held[0] + deals, held[1] + amount, held[2] + times)


_Place = tuple[str, Values]
"""A currency, and a group."""


class _Tally:
    """All groups, each in the currencies of its deals."""

    def __init__(self, asked: Asked) -> None:
        self.sums: defaultdict[_Place, _Sum] = defaultdict(_Sum)
        start, end = asked.standing()
        for one in start:
            self.sums[one.currency, one.group].start = _figures(one)
        for one in end:
            self.sums[one.currency, one.group].end = _figures(one)
        self._add(asked.transitions(asked.moving()))
        if asked.question.as_believed:
            self._add(asked.transitions(asked.correcting()))
        self.stage_places = asked.stage_places

    def _add(self, transitions: Iterable[Transitions]) -> None:
        for one in transitions:
            for step, times, amount in one.steps():
                sums = self.sums[one.currency, step.state.group]
                sums.add(step.line, step.deals * times, amount, times)

    def answer(self, question: Question, rates: Rates | None) -> Waterfall:
        lines = [line for line in LINES if _applies(line, question, rates)]
        bridges: defaultdict[_Place, list[Bridge]] = defaultdict(list)
        for (own, group), sums in self.sums.items():
            named = dict(zip(question.by, group, strict=True))
            value = Value.of(own, rates)
            bridges[value.currency, group].append(_bridge(named, value, sums, lines))
        target = None if rates is None else rates.target
        ordered = sorted(bridges, key=lambda place: self._order(place, question.by, target))
        rows = [_together(bridges[place]) for place in ordered]
        owns = {own for own, _ in self.sums}
        lacking = set() if rates is None else {own for own in owns if rates.pair(own) is None}
        return Waterfall(
            rows,
            _totals(rows),
            {} if rates is None else rates.start.used(owns - lacking),
            {} if rates is None else rates.end.used(owns - lacking),
            sorted(lacking),
        )

    def _order(self, place: _Place, by: Sequence[str], target: str | None) -> list[object]:
        """By values, stages in the order of their process; apart what is not converted."""
        currency, values = place
        key: list[object] = [target is not None and currency != target]
        for name, value in zip(by, values, strict=True):
            if name == "stage":
                key.append(self.stage_places.get(value or "", ("", 0)))
            key.append((value is None, value or ""))
        return [*key, currency]


def _figures(one: Standing) -> tuple[int, int, int]:
    return one.deals, one.unpriced, one.amount


def _applies(line: Line, question: Question, rates: Rates | None) -> bool:
    if line == REVALUED:
        return rates is not None
    return line != CORRECTED or question.as_believed


def _bridge(
    group: dict[str, str | None], value: Value, sums: _Sum, lines: Iterable[Line]
) -> Bridge:
    deals, unpriced, amount = sums.start
    moved = []
    for line in lines:
        count, minor, times = sums.lines.get(line, (0, 0, 0))
        moved.append(Moved(line, count, value.at_end(minor), times))
        if line == REVALUED:
            times = deals - unpriced if value.changes else 0
            moved[-1] = Moved(line, 0, value.revalued(amount), times)
    return Bridge(
        group,
        value.currency,
        Stand(deals, unpriced, value.at_start(amount)),
        moved,
        Stand(*sums.end[:2], value.at_end(sums.end[2])),
    )


def _together(parts: Sequence[Bridge], group: dict[str, str | None] | None = None) -> Bridge:
    """The sum of bridges with the same lines, in one currency."""
    first = parts[0]
    bridge = Bridge(
        first.group if group is None else group,
        first.currency,
        _stand([one.start for one in parts]),
        [_moved(lines) for lines in zip(*(one.lines for one in parts), strict=True)],
        _stand([one.end for one in parts]),
    )
    assert bridge.start.deals + sum(one.deals for one in bridge.lines) == bridge.end.deals
    amounts = [bridge.start.amount, *(one.amount for one in bridge.lines)]
    assert total(amounts) == bridge.end.amount
    return bridge


def _stand(parts: Sequence[Stand]) -> Stand:
    return Stand(
        sum(one.deals for one in parts),
        sum(one.unpriced for one in parts),
        total(one.amount for one in parts),
    )


def _moved(parts: Sequence[Moved]) -> Moved:
    return Moved(
        parts[0].line,
        sum(one.deals for one in parts),
        total(one.amount for one in parts),
        sum(one.times for one in parts),
    )


def _totals(rows: Iterable[Bridge]) -> list[Bridge]:
    """One for each currency, in the order of the rows."""
    by_currency: dict[str, list[Bridge]] = {}
    for row in rows:
        by_currency.setdefault(row.currency, []).append(row)
    return [_together(some, {}) for some in by_currency.values()]
