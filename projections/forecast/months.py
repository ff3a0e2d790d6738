"""Months of expected closes and of outcomes, as numbers that a database can group by."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from domain.values import END_OF_TIME, START_OF_TIME, end_of_day
from projections.columns.coding import day_number, day_of
from projections.conversion import day_in
from projections.instants import instant_of, micros

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from projections.columns.relation import Relation

OVERDUE, UNDATED = "overdue", "undated"
"""Stand in place of the month: expected before the day of the forecast; expected on no day."""

DAY = 86_400_000_000
"""In microseconds."""

_OVERDUE, _UNDATED = -1, -2
_DATE = f"(DATE '{day_of(0)}' + ({{}})::INTEGER)"
_UTC_DAY = f"((({{0}}) - (({{0}}) % {DAY} + {DAY}) % {DAY}) // {DAY})"


def month_of(day: str) -> str:
    """The number of the month of a day, both in SQL; NULL of NULL."""
    on = _DATE.format(day)
    return f"(year({on}) * 12 + month({on}) - 1)"


def close_of(expected_close: str, today: date) -> str:
    """In which month a deal is expected to close, in SQL: see `close_label`."""
    return (
        f"CASE WHEN {expected_close} IS NULL THEN {_UNDATED}"
        f" WHEN {expected_close} < {day_number(today)} THEN {_OVERDUE}"
        f" ELSE {month_of(expected_close)} END"
    )


def month_number(day: date) -> int:
    """The number of the month that a day lies in."""
    return day.year * 12 + day.month - 1


def close_label(number: int | None) -> str:
    """`2026-04` of the number of a month, or one of `OVERDUE` and `UNDATED`; None: undated."""
    match number:
        case None | -2:
            return UNDATED
        case -1:
            return OVERDUE
        case _:
            return f"{number // 12:04}-{number % 12 + 1:02}"


def close_number(label: str) -> int | None:
    """The inverse of `close_label`; None for a text that is none."""
    if label in (OVERDUE, UNDATED):
        return _OVERDUE if label == OVERDUE else _UNDATED
    try:
        return month_number(date.fromisoformat(f"{label}-01"))
    except ValueError:
        return None


def close_order(label: str) -> tuple[int, str]:
    """The overdue first, the months in order, the undated last."""
    return ((OVERDUE, "", UNDATED).index(label if label in (OVERDUE, UNDATED) else ""), label)


def first_of(number: int) -> date:
    """The first day of a month."""
    return date(number // 12, number % 12 + 1, 1)


def last_of(number: int) -> date:
    """The last day of a month."""
    if (number + 1) // 12 > date.max.year:
        return date.max
    return first_of(number + 1) - timedelta(days=1)


def local_days(relation: Relation, moments: str, zone: ZoneInfo, /, **steps: str) -> str:
    """A table of the days of a time zone, for `on_day`: of the `moment`s that a query gives.

    Of each day in UTC with some of them, it holds the parts that fall on different days there.
    """
    days = f"SELECT DISTINCT {_UTC_DAY.format('moment')} FROM ({moments}) WHERE moment IS NOT NULL"
    rows = [row for [day] in relation.rows(days, **steps) for row in _parts(day, zone)]
    if not rows:
        rows = [(0, 0, 0, 0)]
    values = ", ".join(f"({', '.join(map(str, row))})" for row in rows)
    return f"SELECT * FROM (VALUES {values}) AS given (utc_day, since, until, day)"


def on_day(at: str, days: str = "local_days") -> str:
    """The condition that joins the table of `local_days` to a moment, in SQL."""
    return (
        f"{days}.utc_day = {_UTC_DAY.format(at)} AND {days}.since <= {at} AND {days}.until > {at}"
    )


def _parts(utc_day: int, zone: ZoneInfo) -> list[tuple[int, int, int, int]]:
    """The days in a time zone that a day in UTC falls on: of which, from when until when, which."""
    start, end = utc_day * DAY, (utc_day + 1) * DAY
    day = day_in(_moment(start), zone)
    parts = []
    while start < end:
        until = min(micros(end_of_day(day, zone)) + 1, end)
        if until > start:
            parts.append((utc_day, start, until, day_number(day)))
            start = until
        if day == date.max:
            break
        day += timedelta(days=1)
    return parts


def _moment(at: int) -> datetime:
    first, last = micros(START_OF_TIME), micros(END_OF_TIME)
    return instant_of(min(max(at, first), last)).astimezone(UTC)
