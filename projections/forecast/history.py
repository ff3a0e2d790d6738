"""The forecast of one month as it stood while the month came nearer, beside the result."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec

from domain.lifecycle import Status
from domain.values import end_of_day
from projections.columns.coding import day_number, day_of
from projections.columns.source import Reach
from projections.conversion import Conversion, day_in, units
from projections.forecast.happened import Tally
from projections.forecast.happened import added as tallied
from projections.forecast.months import local_days, on_day
from projections.forecast.rollup import ForecastSum, added, category_order
from projections.forecast.slices import Moment
from projections.forecast.used import Used, Uses

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from projections.calendar import Period
    from projections.columns import Periods
    from projections.columns.relation import Relation

Converting = Callable[[date, datetime], Conversion]
"""The rates of a day, as known at a moment."""

WEEKS, MONTHS = 13, 6
"""How long before a month its history begins, by week and by month."""


class Standing(msgspec.Struct, frozen=True):
    """What a month looked like at a moment, in one currency, with the knowledge of that moment.

    Every moment has one for each currency in which there is something at some moment, or in the
    result.
    """

    at: datetime
    currency: str
    categories: dict[str | None, ForecastSum]
    """The open deals expected to close in the month, by category, the surest first."""
    won: Tally
    """Won in the month by then."""

    @property
    def open(self) -> ForecastSum:
        """The open deals of all categories."""
        return added(self.categories.values())


class MonthHistory(msgspec.Struct, frozen=True):
    """A month, how it stood at each of several moments, and what was won in it."""

    month: str
    standings: list[Standing]
    result: dict[str, Tally]
    """By currency, as known at the last moment that is asked for."""
    result_at: Moment
    used: Used = Used()
    """With which rates amounts were converted, of all moments."""


class MonthAsked(msgspec.Struct, frozen=True):
    """Of which month, at which moments, and of which deals."""

    period: Period
    moments: Sequence[datetime]
    result_at: Moment
    zone: ZoneInfo
    where: Mapping[str, str] = {}


def moments_before(period: Period, zone: ZoneInfo, *, weekly: bool) -> Iterator[datetime]:
    """The ends of the days on which a month is looked at, up to its own last day."""
    if weekly:
        days = (period.last - period.first).days // 7 + WEEKS
        for week in reversed(range(days + 1)):
            yield end_of_day(period.last - timedelta(days=7 * week), zone)
        return
    count = period.first.year * 12 + period.first.month - 1 - MONTHS
    for month in range(count, count + MONTHS + 1):
        yield end_of_day(date(month // 12, month % 12 + 1, 1) - timedelta(days=1), zone)
    yield end_of_day(period.last, zone)


def month_history(
    connection: Connection,
    periods: Periods,
    asked: MonthAsked,
    converting: Converting | None = None,
) -> MonthHistory:
    """How the forecast of a month stood. Raises ValueError for an unknown dimension."""
    known = tuple(dict.fromkeys((*asked.moments, asked.result_at.known_at)))
    times = [*asked.moments, asked.result_at.as_of]
    return periods.ask(
        connection,
        lambda relation: _history(relation, asked, converting),
        Reach(known, since=min(times), until=max(times)),
    )


def _history(relation: Relation, asked: MonthAsked, converting: Converting | None) -> MonthHistory:
    result: defaultdict[str, list[Tally]] = defaultdict(list)
    at, rates = asked.result_at, _Rates(converting, asked.zone)
    for currency, tally in _won(relation, asked, [at], rates).get(at, []):
        result[currency].append(tally)
    return MonthHistory(
        asked.period.label,
        _standings(relation, asked, rates, set(result)),
        {currency: tallied(some) for currency, some in sorted(result.items())},
        at,
        rates.uses.used(),
    )


class _Rates:
    """By what amounts are converted, if at all; takes the rates down."""

    def __init__(self, converting: Converting | None, zone: ZoneInfo) -> None:
        self._converting = converting
        self._zone = zone
        self.uses = Uses()

    def __bool__(self) -> bool:
        """Whether amounts are converted."""
        return self._converting is not None

    def on(self, moment: Moment, currency: str, closed: int | None = None) -> Conversion | None:
        """The rates of the day of a moment, or of the number of a day on which deals closed.

        Where that day has no rate of the currency, those of the moment count.
        """
        if self._converting is None:
            return None
        found = None
        if closed is not None:
            found = self._converting(day_of(closed), moment.known_at)
        if found is None or found.rate(currency) is None:
            found = self._converting(day_in(moment.as_of, self._zone), moment.known_at)
        self.uses.note(currency, found)
        return found


def _standings(
    relation: Relation, asked: MonthAsked, rates: _Rates, told_in: set[str]
) -> list[Standing]:
    """`told_in`: currencies that have standings, whether there is something in them or not."""
    moments = [Moment(at, at) for at in asked.moments]
    if not moments:
        return []
    sums = _forecasts(relation, asked, moments, rates)
    won = _won(relation, asked, moments, rates)
    told_in = told_in | {one[0] for some in sums.values() for one in some}
    told_in |= {one[0] for some in won.values() for one in some}
    return [
        _standing(moment.as_of, currency, sums.get(moment, ()), won.get(moment, ()))
        for moment in moments
        for currency in sorted(told_in)
    ]


def _standing(
    at: datetime,
    currency: str,
    forecasts: Sequence[tuple[str, str | None, ForecastSum]],
    won: Sequence[tuple[str, Tally]],
) -> Standing:
    of: defaultdict[str | None, list[ForecastSum]] = defaultdict(list)
    for own, category, one in forecasts:
        if own == currency:
            of[category].append(one)
    return Standing(
        at,
        currency,
        {category: added(of[category]) for category in sorted(of, key=category_order)},
        tallied(tally for own, tally in won if own == currency),
    )


def _moments(moments: Sequence[Moment]) -> str:
    """A table of moments, numbered."""
    rows = ", ".join(
        f"({number}, {one.point.occurred}, {one.point.known})" for number, one in enumerate(moments)
    )
    return f"SELECT * FROM (VALUES {rows}) AS given (number, occurred, known)"


_HOLDS = (
    "chosen.occurred_from <= occurred AND chosen.occurred_until > occurred"
    " AND chosen.known_from <= known AND chosen.known_until > known"
)


def _forecasts(
    relation: Relation,
    asked: MonthAsked,
    moments: Sequence[Moment],
    rates: _Rates,
) -> dict[Moment, list[tuple[str, str | None, ForecastSum]]]:
    first, last = day_number(asked.period.first), day_number(asked.period.last)
    rows = relation.rows(
        "SELECT number, forecast_category, currency, count(*), sum(priced), sum(amount),"
        f" sum(coalesce(weighted, 0)) FROM chosen JOIN moments ON {_HOLDS}"
        " GROUP BY ALL",
        moments=_moments(moments),
        chosen=f"SELECT * FROM periods WHERE expected_close BETWEEN {first} AND {last}"
        f" AND status = {relation.code('status', Status.OPEN.value)}"
        f" AND {relation.matching(asked.where)}",
    )
    categories, currencies = relation.texts("forecast_category"), relation.texts("currency")
    found: defaultdict[Moment, list[tuple[str, str | None, ForecastSum]]] = defaultdict(list)
    for number, category, currency, deals, priced, amount, weighted in rows:
        moment, own = moments[number], currencies[currency]
        value, share = units(int(amount), own), units(int(weighted), own, 2)
        told_in = own
        if conversion := rates.on(moment, own):
            told_in = conversion.reported_in(own)
            value, share = conversion.amount(value, own), conversion.amount(share, own)
        one = ForecastSum(deals, value, share, deals - priced)
        found[moment].append((told_in, categories[category], one))
    return found


def _won(
    relation: Relation,
    asked: MonthAsked,
    moments: Sequence[Moment],
    rates: _Rates,
) -> dict[Moment, list[tuple[str, Tally]]]:
    """What was won in the month by each moment, by the rate of the day on which it was won.

    Where that day has none, the rate of the day of the moment counts.
    """
    start, end = (Moment(at, at).point.occurred for at in (asked.period.start, asked.period.end))
    steps = {
        "moments": _moments(moments),
        "chosen": f"SELECT * FROM periods WHERE closed_at > {start} AND closed_at <= {end}"
        f" AND status = {relation.code('status', Status.WON.value)}"
        f" AND {relation.matching(asked.where)}",
    }
    day = "NULL::BIGINT"
    joined = f"chosen JOIN moments ON {_HOLDS}"
    if rates:
        moved = "SELECT closed_at AS moment FROM chosen"
        steps["local_days"] = local_days(relation, moved, asked.zone, **steps)
        day, joined = "day", f"{joined} JOIN local_days ON {on_day('closed_at')}"
    rows = relation.rows(
        f"SELECT number, currency, {day} AS on_day, count(*), sum(priced), sum(amount)"
        f" FROM {joined} GROUP BY ALL",
        **steps,
    )
    currencies = relation.texts("currency")
    found: defaultdict[Moment, list[tuple[str, Tally]]] = defaultdict(list)
    for number, currency, closed, deals, priced, amount in rows:
        own, told_in = currencies[currency], currencies[currency]
        value = units(int(amount), own)
        if conversion := rates.on(moments[number], own, closed):
            told_in, value = conversion.reported_in(own), conversion.amount(value, own)
        found[moments[number]].append((told_in, Tally(deals, value, deals - priced)))
    return found
