"""A forecast beside what happened: by row of the forecast, and by month."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec

from domain.values import end_of_day
from projections.conversion import EXACT
from projections.forecast.happened import Before, Fate, Happened, Outcome, Tally
from projections.forecast.happened import added as tallied
from projections.forecast.months import (
    OVERDUE,
    UNDATED,
    close_number,
    close_order,
    last_of,
)
from projections.forecast.rollup import ForecastRow, ForecastSum, Rollup, added
from projections.forecast.slices import Moment


class RowResult(msgspec.Struct, frozen=True):
    """A row of a forecast, and what its deals came to."""

    row: ForecastRow
    won: Tally
    """In the month that they were forecast for; of the overdue and the undated none is."""
    won_in: dict[str, Tally]
    """In other months, by month."""
    lost: dict[str, Tally]
    """By outcome."""
    voided: Tally
    open_for: dict[str, Tally]
    """Still open, by the month that they are forecast for now, or `undated`."""
    suspended: Tally
    merged: Tally
    gone: Tally
    error: Decimal | None
    """What was forecast, weighted, less what was won of it in its month; None until that is over,
    and of the overdue and the undated."""


class MonthResult(msgspec.Struct, frozen=True):
    """A month: its forecast, and everything that was won in it, in one currency."""

    month: str
    currency: str
    forecast: ForecastSum
    as_forecast: Tally
    """Won of the deals forecast for the month."""
    forecast_otherwise: Tally
    """Won of those forecast for another month, overdue or undated."""
    new: Tally
    """Won of deals that were not on record at the forecast."""
    taken_up: Tally
    """Won of deals that were not open then, but lost, voided, suspended or merged."""
    already: Tally
    """Won before the forecast was made."""
    won: Tally
    """All five together."""
    error: Decimal | None
    """What was forecast, weighted, less what was won after the forecast; None until it is over."""


def is_over(month: str, at: datetime, zone: ZoneInfo) -> bool:
    """Whether a month had ended at a moment."""
    number = close_number(month)
    return number is not None and number >= 0 and end_of_day(last_of(number), zone) <= at


def told_until(moment: Moment, now: datetime) -> datetime:
    """Up to when a moment on both axes can tell what happened: what comes later, nobody knows."""
    return min(moment.as_of, moment.known_at, now)


def row_results(
    rolled: Rollup, happened: Happened, zone: ZoneInfo, now: datetime
) -> list[RowResult]:
    """Each row of a forecast with what became of it. `now` limits which months are over."""
    outcomes: defaultdict[tuple[object, ...], list[Outcome]] = defaultdict(list)
    for one in happened.outcomes:
        key = (*one.group.items(), one.close, one.category, one.currency)
        outcomes[key].append(one)
    at = told_until(happened.against, now)
    return [
        _row_result(
            row,
            outcomes[(*row.group.items(), row.close, row.category, row.currency)],
            over=is_over(row.close, at, zone),
        )
        for row in rolled.rows
    ]


def _row_result(row: ForecastRow, outcomes: Sequence[Outcome], *, over: bool) -> RowResult:
    def of(fate: Fate) -> list[Outcome]:
        return [one for one in outcomes if one.fate is fate]

    won = tallied(one.tally for one in of(Fate.WON) if one.month == row.close)
    return RowResult(
        row=row,
        won=won,
        won_in={
            one.month: one.tally for one in of(Fate.WON) if one.month and one.month != row.close
        },
        lost={one.reason or "unknown": one.tally for one in of(Fate.LOST)},
        voided=tallied(one.tally for one in of(Fate.VOIDED)),
        open_for={
            one.month: one.tally
            for one in sorted(of(Fate.OPEN), key=lambda one: close_order(one.month or UNDATED))
            if one.month
        },
        suspended=tallied(one.tally for one in of(Fate.SUSPENDED)),
        merged=tallied(one.tally for one in of(Fate.MERGED)),
        gone=tallied(one.tally for one in of(Fate.GONE)),
        error=EXACT.subtract(row.sum.weighted, won.amount) if over else None,
    )


def month_results(
    rolled: Rollup, happened: Happened, zone: ZoneInfo, now: datetime
) -> list[MonthResult]:
    """Each month that was forecast, or in which something was won since, over all groups."""
    sums: defaultdict[tuple[str, str], list[ForecastSum]] = defaultdict(list)
    for row in rolled.rows:
        if row.close not in (OVERDUE, UNDATED):
            sums[row.close, row.currency].append(row.sum)
    first = f"{rolled.today:%Y-%m}"
    wins: defaultdict[tuple[str, str], dict[str, list[Tally]]] = defaultdict(dict)
    for one in happened.outcomes:
        if one.fate is Fate.WON and one.month and one.month >= first:
            how = "as-forecast" if one.month == one.close else "otherwise"
            wins[one.month, one.currency].setdefault(how, []).append(one.tally)
    for other in happened.besides:
        wins[other.month, other.currency].setdefault(other.before, []).append(other.tally)
    at = told_until(happened.against, now)
    return [
        _month_result(*key, added(sums[key]), wins[key], over=is_over(key[0], at, zone))
        for key in sorted({*sums, *wins})
    ]


def _month_result(
    month: str,
    currency: str,
    forecast: ForecastSum,
    wins: dict[str, list[Tally]],
    *,
    over: bool,
) -> MonthResult:
    def of(how: str) -> Tally:
        return tallied(wins.get(how, ()))

    as_forecast, otherwise = of("as-forecast"), of("otherwise")
    new, taken_up, already = of(Before.NEW), of(Before.CLOSED), of(Before.WON)
    since = tallied((as_forecast, otherwise, new, taken_up))
    return MonthResult(
        month=month,
        currency=currency,
        forecast=forecast,
        as_forecast=as_forecast,
        forecast_otherwise=otherwise,
        new=new,
        taken_up=taken_up,
        already=already,
        won=tallied((since, already)),
        error=EXACT.subtract(forecast.weighted, since.amount) if over else None,
    )
