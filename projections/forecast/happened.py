"""What became of a forecast: the same deals at a later moment, and what was won besides.

A deal stands where its forecast put it: in the group, category and month that it had then. Where
it was in no forecast, it stands in the group that it has at the later moment. So all that was won
in a month is what was won of the deals forecast for it, of those forecast otherwise, and of those
that were not in the forecast.

A deal is counted in the currency in which its forecast is told. What a deal was worth when it
closed, in the forecast or not, is converted by the rate of that day, or of the day of the forecast
where there is none; what it is worth while it is open by the rate of the later day.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from domain.lifecycle import Status
from projections.columns.coding import day_of
from projections.conversion import Conversion, total, units
from projections.forecast.grouping import Grouping, Values
from projections.forecast.months import (
    close_label,
    close_of,
    close_order,
    local_days,
    month_number,
    month_of,
    on_day,
)
from projections.forecast.slices import Asked, Moment, open_at, reach
from projections.forecast.used import Used, Uses

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from projections.columns import Periods
    from projections.columns.relation import Relation


class Fate(StrEnum):
    """What a deal of the forecast has come to."""

    WON = "won"
    LOST = "lost"
    VOIDED = "voided"
    OPEN = "open"
    SUSPENDED = "suspended"
    MERGED = "merged"
    GONE = "gone"
    """There is no such deal any more: its opening was withdrawn."""


class Before(StrEnum):
    """Why a deal that was won was not in the forecast."""

    NEW = "new"
    """It was not on record."""
    WON = "won"
    """It was won already."""
    CLOSED = "closed"
    """It was lost, voided, suspended or merged."""


class Tally(msgspec.Struct, frozen=True):
    """So many deals and what they are worth, in one currency."""

    deals: int = 0
    amount: Decimal = Decimal(0)
    unknown_amounts: int = 0


class Outcome(msgspec.Struct, frozen=True):
    """What some deals of one group, category and forecast month came to."""

    group: dict[str, str | None]
    close: str
    category: str | None
    currency: str
    """In which their forecast is told."""
    fate: Fate
    reason: str | None
    """How it was lost, in the words of `LostOutcome`."""
    month: str | None
    """In which it was won; or for which it is forecast now, or `undated`, if still open."""
    tally: Tally


class Besides(msgspec.Struct, frozen=True):
    """Won deals that were not in the forecast."""

    group: dict[str, str | None]
    month: str
    """In which they were won."""
    currency: str
    before: Before
    tally: Tally


class Happened(msgspec.Struct, frozen=True):
    """What a forecast had come to at a later moment."""

    against: Moment
    outcomes: list[Outcome]
    besides: list[Besides]
    """Of the month of the forecast and later ones."""
    used: Used = Used()
    """With which rates the amounts of both were converted."""


class Rates(msgspec.Struct, frozen=True, dict=True):
    """The rates into one currency on the days that count."""

    forecast: Conversion
    later: Conversion
    """Of the later day, and as known then."""

    @cached_property
    def _of_day(self) -> dict[date, Conversion]:
        return {}

    def on(self, day: date) -> Conversion:
        """Those of another day, as known at the later moment."""
        if day not in self._of_day:
            self._of_day[day] = Conversion(self.later.target, day, self.later.book)
        return self._of_day[day]


class _Part(NamedTuple):
    """Sums over deals that came to the same."""

    values: Values
    own: str
    """The currency of the deals."""
    status: str | None
    """At the later moment; of those besides, at the forecast."""
    month: int | None
    day: int | None
    """On which they closed, where amounts are converted."""
    deals: int
    priced: int
    amount: int


def happened(
    connection: Connection,
    periods: Periods,
    asked: Asked,
    against: Moment,
    rates: Rates | None = None,
) -> Happened:
    """What became of a forecast by a later moment.

    Raises ValueError for a moment that is earlier on an axis of time, and for an unknown dimension.
    """
    if against.as_of < asked.at.as_of or against.known_at < asked.at.known_at:
        raise ValueError("what became of a forecast shows at a later moment alone, on both axes")
    return periods.ask(
        connection,
        lambda relation: _happened(relation, asked, against, rates),
        reach(asked.at, against),
    )


def _happened(relation: Relation, asked: Asked, against: Moment, rates: Rates | None) -> Happened:
    grouping = Grouping(relation, asked.by)
    steps = _steps(relation, grouping, asked, against)
    order = grouping.order
    uses = Uses()
    outcomes = [
        Outcome(dict(zip(asked.by, key[0], strict=True)), *key[1:], tally)
        for key, tally in _outcomes(relation, grouping, steps, rates, uses).items()
    ]
    first = month_number(asked.today)
    besides = [
        Besides(dict(zip(asked.by, key[0], strict=True)), *key[1:], tally)
        for key, tally in _besides(relation, grouping, steps, first, rates, uses=uses).items()
    ]
    outcomes.sort(
        key=lambda one: (
            *(order(tuple(one.group.values())), close_order(one.close), one.category or ""),
            *(one.currency, one.fate, one.reason or "", one.month or ""),
        )
    )
    besides.sort(
        key=lambda one: (order(tuple(one.group.values())), one.month, one.currency, one.before)
    )
    return Happened(against, outcomes, besides, uses.used())


def _steps(relation: Relation, grouping: Grouping, asked: Asked, against: Moment) -> dict[str, str]:
    """The deals of the forecast, all deals then, and all deals afterwards, with the day."""
    steps = {
        "believed": f"SELECT deal, {grouping.keys('periods')} currency,"
        f" {close_of('expected_close', asked.today)} AS close, forecast_category AS category"
        f" FROM periods WHERE {open_at(relation, asked)}",
        "held": f"SELECT deal, status AS was FROM periods WHERE {asked.at.holds()}",
        "afterwards": f"SELECT deal, {grouping.keys('periods')} currency, status, outcome,"
        " expected_close, closed_at, priced, amount,"
        f" {relation.matching(asked.where)} AS matches"
        f" FROM periods WHERE {against.holds()}",
    }
    moments = "SELECT closed_at AS moment FROM afterwards"
    steps["local_days"] = local_days(relation, moments, asked.zone, **steps)
    steps["later"] = (
        f"SELECT afterwards.*, day FROM afterwards LEFT JOIN local_days ON {on_day('closed_at')}"
    )
    return steps


def _on_day(rates: Rates | None) -> str:
    """The day of the closing is told apart where a rate depends on it."""
    return "NULL::BIGINT" if rates is None else "day"


def _outcomes(
    relation: Relation, grouping: Grouping, steps: dict[str, str], rates: Rates | None, uses: Uses
) -> dict[tuple[Values, str, str | None, str, Fate, str | None, str | None], Tally]:
    categories, currencies, statuses, reasons = map(
        relation.texts, ("forecast_category", "currency", "status", "outcome")
    )
    opened, won = (relation.code("status", one.value) for one in (Status.OPEN, Status.WON))
    keys = "".join(f"believed.k{n}, " for n in range(len(grouping)))
    rows = relation.rows(
        f"SELECT {keys} close, category, believed.currency, status, outcome,"
        f" CASE WHEN status = {opened} THEN {month_of('expected_close')}"
        f" WHEN status = {won} THEN {month_of('day')} END AS month, {_on_day(rates)} AS on_day,"
        " count(*), coalesce(sum(priced), 0), coalesce(sum(amount), 0)"
        " FROM believed LEFT JOIN later USING (deal) GROUP BY ALL",
        **steps,
    )
    found: defaultdict[
        tuple[Values, str, str | None, str, Fate, str | None, str | None], list[Tally]
    ] = defaultdict(list)
    for row in rows:
        codes, (close, category, currency, status, reason, month, day, *sums) = (
            row[: len(grouping)],
            row[len(grouping) :],
        )
        fate = Fate.GONE if status is None else Fate(statuses[status])
        part = _Part(
            grouping.values(codes), currencies[currency], fate.value, month, day, *map(int, sums)
        )
        told_in = part.own if rates is None else rates.forecast.reported_in(part.own)
        in_month = close_label(month) if fate in (Fate.WON, Fate.OPEN) else None
        lost = reasons[reason] if fate is Fate.LOST else None
        key = (part.values, close_label(close), categories[category], told_in, fate, lost, in_month)
        conversion = _rates_for(part, rates)
        if rates is not None and part.priced:
            uses.note(part.own, conversion)
        found[key].append(_tally(part, conversion))
    return {key: added(tallies) for key, tallies in found.items()}


def _rates_for(part: _Part, rates: Rates | None) -> Conversion | None:
    """Those by which a deal of the forecast is converted; None: it stays in its own currency."""
    if rates is None or rates.forecast.rate(part.own) is None:
        return None
    if part.day is None:
        return rates.later if rates.later.rate(part.own) else rates.forecast
    return _rates_of_closing(part.own, part.day, rates)


def _rates_of_closing(currency: str, day: int, rates: Rates) -> Conversion:
    """Those of the day, by its number, or those of the day of the forecast if it has none."""
    wanted = rates.on(day_of(day))
    return wanted if wanted.rate(currency) else rates.forecast


def _besides(
    relation: Relation,
    grouping: Grouping,
    steps: dict[str, str],
    first: int,
    rates: Rates | None,
    *,
    uses: Uses,
) -> dict[tuple[Values, str, str, Before], Tally]:
    """What was won from the first month on, given by its number, without having been forecast."""
    currencies, statuses = relation.texts("currency"), relation.texts("status")
    opened, won = (relation.code("status", one.value) for one in (Status.OPEN, Status.WON))
    rows = relation.rows(
        f"SELECT {grouping.names} currency, was, {month_of('day')} AS month,"
        f" {_on_day(rates)} AS on_day, count(*), sum(priced), sum(amount)"
        f" FROM later LEFT JOIN held USING (deal) WHERE status = {won} AND matches"
        f" AND {month_of('day')} >= {first}"
        f" AND (was IS NULL OR was <> {opened}) GROUP BY ALL",
        **steps,
    )
    found: defaultdict[tuple[Values, str, str, Before], list[Tally]] = defaultdict(list)
    for row in rows:
        codes, (currency, was, month, day, *sums) = row[: len(grouping)], row[len(grouping) :]
        status = None if was is None else statuses[was]
        part = _Part(
            grouping.values(codes), currencies[currency], status, month, day, *map(int, sums)
        )
        conversion = None if rates is None else _rates_of_closing(part.own, day, rates)
        if rates is not None and part.priced:
            uses.note(part.own, conversion)
        told_in = part.own if conversion is None else conversion.reported_in(part.own)
        key = (part.values, close_label(month), told_in, _before(status))
        found[key].append(_tally(part, conversion))
    return {key: added(tallies) for key, tallies in found.items()}


def _before(status: str | None) -> Before:
    if status is None:
        return Before.NEW
    return Before.WON if status == Status.WON else Before.CLOSED


def _tally(part: _Part, conversion: Conversion | None) -> Tally:
    amount = units(part.amount, part.own)
    if conversion is not None:
        amount = conversion.amount(amount, part.own)
    # A deal that is gone has no amount any more, and so none that is unknown.
    unknown = 0 if part.status == Fate.GONE else part.deals - part.priced
    return Tally(part.deals, amount, unknown)


def added(tallies: Iterable[Tally]) -> Tally:
    """Several tallies in one currency together."""
    some = list(tallies)
    return Tally(
        sum(one.deals for one in some),
        total(one.amount for one in some),
        sum(one.unknown_amounts for one in some),
    )
