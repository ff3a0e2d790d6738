"""The forecast at any moment of both axes of time, from the read models."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

import msgspec

from api.cursors import no_cursor, packed, unpacked
from api.queries.conversions import conversion_at
from api.queries.drilldown import events_behind
from api.queries.instants import Instants
from api.queries.listing import with_user_ids
from api.queries.parked import left_out_of_pipeline
from api.queries.users import names_of
from api.queries.views import readable_by
from api.wire.conversions import UsedRate
from api.wire.forecasts import (
    Forecast,
    ForecastDeal,
    ForecastDeals,
    ForecastHistory,
    ForecastMonth,
    ForecastRow,
    ForecastSum,
)
from api.wire.values import Names
from api.workspace import Workspace
from domain.access import Principal
from domain.rates import Rate, require_currency
from projections.calendar import PeriodError
from projections.conversion import Conversion
from projections.drilldown import called
from projections.forecast.facts import Behind, deals_in_forecast
from projections.forecast.happened import Happened, Rates, happened
from projections.forecast.history import MonthAsked, moments_before, month_history
from projections.forecast.late import left_out_of_standings
from projections.forecast.ledger import is_over, month_results, row_results, told_until
from projections.forecast.months import close_number
from projections.forecast.rollup import Rollup, rollup
from projections.forecast.slices import Asked, Moment
from projections.forecast.used import Used
from projections.pipeline import caveats_of
from store.times import written

MOST_DEALS = 500
"""On one page: of each its events are read."""

MOST_RATES = 100
"""Named in one answer."""


class TooEarly(ValueError):
    """What became of a forecast is asked for at a moment before it."""


class ForecastQuery(msgspec.Struct, frozen=True):
    """How to group a forecast, of which deals, and whether to set it against what happened."""

    by: Sequence[str] = ()
    where: Mapping[str, str] = {}
    reporting_currency: str | None = None
    against: Instants | None = None
    """None: what happened is not asked for."""


def ask_forecast(
    store: Workspace, principal: Principal, at: Instants, query: ForecastQuery
) -> Forecast:
    """The forecast at (as of, known at). Without a moment of knowledge, all that is known.

    Of the deals that the principal may read. Raises ValueError for an unknown dimension, TooEarly,
    UnknownCurrency, NotAllowed for who reads no deal.
    """
    readable = readable_by(store, principal)
    now = store.now()
    moment = _moment(at, now)
    against = None if query.against is None else _moment(query.against, now)
    if against and (against.as_of < moment.as_of or against.known_at < moment.known_at):
        raise TooEarly("what became of a forecast shows later than it was made, on both axes")
    currency = query.reporting_currency
    conversion = conversion_at(store, currency, moment.as_of, moment.known_at)
    periods = store.columns.of(readable)
    with store.fresh() as connection:
        names = names_of(store)
        where = with_user_ids(query.where, names, "owner")
        asked = Asked(moment, store.zone, tuple(dict.fromkeys(query.by)), where)
        rolled = rollup(connection, periods, asked, conversion)
        became = None
        if against is not None:
            later = conversion_at(store, currency, against.as_of, against.known_at)
            rates = Rates(conversion, later) if conversion and later else None
            became = happened(connection, periods, asked, against, rates)
        told = [
            *caveats_of(connection, moment.as_of, moment.known_at, readable),
            *left_out_of_pipeline(store, connection, readable),
        ]
    return _answer(now, asked, rolled, became, conversion, names, told)


def _moment(at: Instants, now: datetime) -> Moment:
    return Moment(at.as_of or now, at.known_at or now)


def _answer(  # noqa: PLR0917 (all of them are parts of the answer)
    now: datetime,
    asked: Asked,
    rolled: Rollup,
    became: Happened | None,
    conversion: Conversion | None,
    names: Names,
    caveats: list[str],
) -> Forecast:
    if became is None:
        rows = [ForecastRow.of(row, names) for row in rolled.rows]
    else:
        results = row_results(rolled, became, asked.zone, now)
        rows = [ForecastRow.of(one.row, names, one) for one in results]
    months = [] if became is None else month_results(rolled, became, asked.zone, now)
    used = became.used if became else Used()
    rates, left_out = _named(used, conversion.used(rolled.currencies) if conversion else {})
    lacking = conversion.lacking(rolled.currencies) if conversion else ()
    return Forecast(
        as_of=written(asked.at.as_of),
        known_at=written(asked.at.known_at),
        against_as_of=written(became.against.as_of) if became else None,
        against_known_at=written(became.against.known_at) if became else None,
        group_by=list(asked.by),
        reporting_currency=conversion.target if conversion else None,
        rates=rates,
        rates_left_out=left_out,
        currencies_without_rate=sorted({*lacking, *used.lacking}),
        rows=rows,
        totals=[ForecastRow.of(row, names) for row in rolled.totals],
        sums=[ForecastSum.of(one, currency) for currency, one in rolled.sums.items()],
        months=[ForecastMonth.of(one) for one in months],
        caveats=caveats,
    )


def _named(used: Used, first: Mapping[str, Rate]) -> tuple[list[UsedRate], int]:
    """The rates that were used, some before the others, and how many are too many to be named."""
    every = list(dict.fromkeys([*first.items(), *used.rates]))
    named = [one for pair in every[:MOST_RATES] for one in UsedRate.all_of(dict([pair]))]
    return named, len(every) - len(named)


class DealsQuery(msgspec.Struct, frozen=True):
    """Which deals of a forecast, from where on."""

    where: Mapping[str, str] = {}
    close: str | None = None
    """A month, `overdue` or `undated`."""
    limit: int = 50
    cursor: str | None = None
    reporting_currency: str | None = None


def require_close(text: str) -> str:
    """A month such as 2026-04, `overdue` or `undated`. Raises PeriodError."""
    if close_number(text) is None:
        raise PeriodError(f"{text!r} is no month such as 2026-04, and not overdue or undated")
    return text


def ask_forecast_deals(
    store: Workspace, principal: Principal, at: Instants, query: DealsQuery
) -> ForecastDeals:
    """The deals that the forecast at (as of, known at) is made of and they may read.

    A page at a time.

    Raises ValueError for an unknown dimension, CursorError, UnknownCurrency, NotAllowed for who
    reads no deal.
    """
    readable = readable_by(store, principal)
    moment = _moment(at, store.now())
    conversion = conversion_at(store, query.reporting_currency, moment.as_of, moment.known_at)
    behind = behind_of(query.cursor) if query.cursor is not None else None
    periods = store.columns.of(readable)
    with store.fresh() as connection:
        names = names_of(store)
        where = with_user_ids(query.where, names, "owner")
        found = deals_in_forecast(
            connection,
            periods,
            Asked(moment, store.zone, (), where),
            close=query.close,
            behind=behind,
            limit=query.limit + 1,
        )
        has_more, found = len(found) > query.limit, found[: query.limit]
        ids = [one.deal_id for one in found]
        names_by_id = called(connection, ids)
        told = [
            *caveats_of(connection, moment.as_of, moment.known_at, readable),
            *left_out_of_pipeline(store, connection, readable),
        ]
    currencies = {one.currency for one in found}
    set_by = events_behind(store, principal, ids, moment.as_of, moment.known_at)
    return ForecastDeals(
        as_of=written(moment.as_of),
        known_at=written(moment.known_at),
        reporting_currency=query.reporting_currency,
        rates=UsedRate.all_of(conversion.used(currencies)) if conversion else [],
        currencies_without_rate=conversion.lacking(currencies) if conversion else [],
        deals=[
            ForecastDeal.of(one, names_by_id[one.deal_id], names, conversion, set_by[one.deal_id])
            for one in found
            if one.deal_id in set_by
        ],
        cursor=cursor_of(Behind(found[-1].expected_close, ids[-1])) if has_more else None,
        caveats=told,
    )


class _Cursor(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Behind which deal of a forecast."""

    listing: str
    expected_close: date | None
    deal_id: str


def cursor_of(behind: Behind) -> str:
    """The cursor behind a deal of a forecast."""
    return packed(_Cursor("forecast", behind.expected_close, behind.deal_id))


def behind_of(text: str) -> Behind:
    """The inverse of `cursor_of`. Raises CursorError."""
    cursor = unpacked(text, _Cursor)
    if cursor.listing != "forecast" or "\0" in cursor.deal_id:
        raise no_cursor(text)
    return Behind(cursor.expected_close, cursor.deal_id)


class HistoryQuery(msgspec.Struct, frozen=True):
    """The forecasts of which month, how often, of which deals."""

    month: str
    weekly: bool = True
    where: Mapping[str, str] = {}
    reporting_currency: str | None = None


def ask_forecast_history(
    store: Workspace, principal: Principal, at: Instants, query: HistoryQuery
) -> ForecastHistory:
    """How the forecast of a month stood, up to the moment of the result.

    Of the deals that the principal may read. Raises PeriodError, ValueError for an unknown
    dimension, UnknownCurrency, NotAllowed for who reads no deal.
    """
    readable = readable_by(store, principal)
    now = store.now()
    result_at = _moment(at, now)
    if close_number(query.month) is None:
        raise PeriodError(f"{query.month!r} is no month: write one as in 2026-03")
    period = store.calendar.period(query.month)
    last = min(result_at.as_of, result_at.known_at)
    days = moments_before(period, store.zone, weekly=query.weekly)
    target = query.reporting_currency and require_currency(query.reporting_currency)
    book = store.log.rates() if target else None

    def converting(day: date, known_at: datetime) -> Conversion:
        assert target
        assert book is not None
        return Conversion(target, day, book.as_known(known_at))

    periods = store.columns.of(readable)
    with store.fresh() as connection:
        where = with_user_ids(query.where, names_of(store), "owner")
        asked = MonthAsked(
            period, [one for one in days if one <= last], result_at, store.zone, where
        )
        found = month_history(connection, periods, asked, converting if target else None)
        told = [
            *caveats_of(connection, result_at.as_of, result_at.known_at, readable),
            *left_out_of_standings(connection, asked.moments, readable),
            *left_out_of_pipeline(store, connection, readable),
        ]
    rates, left_out = _named(found.used, {})
    return ForecastHistory.of(
        found,
        over=is_over(period.label, told_until(result_at, now), store.zone),
        reporting_currency=target or None,
        rates=rates,
        rates_left_out=left_out,
        caveats=told,
    )
