"""Rows of a file of rates as quotes, by base and day.

The long form names a currency in each row: columns `date`, `currency`, `rate` and, where
they differ, `base`. The wide form is that of the euro reference rates of the European
Central Bank: a column `Date`, and one for each currency, headed by its code.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from api.exchange.moments import Calendar
from api.exchange.report import ImportFailure, Kind
from api.exchange.rows import BadRow, Row
from api.exchange.tables import AmbiguousNumber
from domain.currencies import MINOR_DIGITS
from domain.rates import Quote, rate_text
from domain.refusals import InvalidRate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date
    from zoneinfo import ZoneInfo

    from api.exchange.tables import Table, TableReport

DATE_FORMATS = ("%d %B %Y",)
"""Beside ISO 8601: as the central bank heads its rates of today."""

EURO = "EUR"
_CODE = re.compile(r"[A-Z]{3}")
_NOT_QUOTED = frozenset({"", "N/A"})
_LONG = ("date", "currency", "rate")

Quotes = dict[str, Quote]
Days = dict[tuple[str, "date"], Quotes]


class Cell(NamedTuple):
    """One rate as it stands in a file."""

    line: int
    date: str
    base: str
    currency: str
    rate: str


def read_rates(
    table: Table, base: str | None, zone: ZoneInfo, today: date, report: TableReport
) -> Days:
    """The quotes of a file by base and day, in order; tells of what is left out.

    Raises ImportFailure where the header shows neither form, or nobody names the base.
    """
    reader = _Reader(Calendar(DATE_FORMATS, zone), today, report)
    for cell in _cells(table, base, report):
        reader.take(cell, table)
    report.rows = table.rows_read
    return {key: reader.days[key] for key in sorted(reader.days)}


def _cells(table: Table, base: str | None, report: TableReport) -> Iterator[Cell]:
    if all(name in table.columns for name in _LONG):
        if base is None and "base" not in table.columns:
            raise ImportFailure(
                "nothing names the base currency",
                "Add a column base, or give --base.",
                table.origin(1),
            )
        return _long(table, base or "", report)
    if "date" in table.columns and any(map(_CODE.fullmatch, table.header)):
        return _wide(table, base or EURO, report)
    raise ImportFailure(
        "the header is neither of rates in rows nor of rates in columns",
        "Name the columns date, base, currency and rate; or Date and codes of currencies."
        f" They are: {', '.join(map(repr, table.header[:20]))}.",
        table.origin(1),
    )


def _long(table: Table, base: str, report: TableReport) -> Iterator[Cell]:
    names = [table.columns[name] for name in _LONG]
    base_name = table.columns.get("base")
    unread = [name for name in table.header if name and name not in {*names, base_name}]
    _tell_unread(unread, report)
    for row in _rows(table, report):
        day, currency, rate = (row.cells[name] for name in names)
        own = row.cells[base_name] if base_name else ""
        blank = [n for n, cell in zip(_LONG, (day, currency, rate), strict=True) if not cell]
        if not (own or base):
            blank.append("base")
        if blank:
            report.add(Kind.MISSING_VALUE, f"{' and '.join(blank)} is blank", row.line)
        else:
            yield Cell(row.line, day, own or base, currency, rate)


def _wide(table: Table, base: str, report: TableReport) -> Iterator[Cell]:
    name = table.columns["date"]
    quoted = [one for one in table.header if one in MINOR_DIGITS and one != base]
    _tell_unread([one for one in table.header if one and one not in {name, *quoted}], report)
    for row in _rows(table, report):
        day = row.cells[name]
        cells = [(one, row.cells[one]) for one in quoted if row.cells[one] not in _NOT_QUOTED]
        if not day and cells:
            report.add(Kind.MISSING_VALUE, f"{name} is blank", row.line)
        elif day:
            yield from (Cell(row.line, day, base, one, rate) for one, rate in cells)


def _rows(table: Table, report: TableReport) -> Iterator[Row]:
    for row in table:
        if isinstance(row, BadRow):
            report.add(row.kind, row.reason, row.line)
        else:
            yield row


def _tell_unread(columns: list[str], report: TableReport) -> None:
    if columns:
        reason = f"neither asked for nor a currency of today: {', '.join(columns)}"
        report.add(Kind.COLUMNS_NOT_READ, reason, 1)


class _Reader:
    """Takes cells, and tells of those that cannot be used."""

    def __init__(self, calendar: Calendar, today: date, report: TableReport) -> None:
        self.days: Days = {}
        self._calendar = calendar
        self._today = today
        self._report = report
        self._told: tuple[int, str] | None = None
        """The line and the date that were last told of: a wide row has many cells with one."""

    def take(self, cell: Cell, table: Table) -> None:
        day = self._day(cell)
        if day is None:
            return
        unknown = [code for code in (cell.base, cell.currency) if code not in MINOR_DIGITS]
        if unknown or cell.base == cell.currency:
            reason = (
                f"{unknown[0]!r} is not an ISO 4217 currency code"
                if unknown
                else f"{cell.base} is quoted in {cell.base} itself"
            )
            self._report.add(Kind.IMPOSSIBLE_VALUE, reason, cell.line)
            return
        try:
            quote = Quote(cell.currency, rate_text(table.number(cell.rate)))
        except (InvalidRate, AmbiguousNumber) as error:
            why = error.message if isinstance(error, InvalidRate) else error
            self._report.add(Kind.IMPOSSIBLE_AMOUNT, f"{cell.currency}: {why}", cell.line)
            return
        known = self.days.setdefault((cell.base, day), {}).setdefault(cell.currency, quote)
        if known != quote:
            reason = f"{cell.currency} of {day} stands further up as {known.rate}"
            self._report.add(Kind.DUPLICATE_ID, reason, cell.line)

    def _day(self, cell: Cell) -> date | None:
        try:
            day = self._calendar.day(cell.date)
        except ValueError as error:
            kind, reason = Kind.IMPOSSIBLE_DATE, str(error)
        else:
            if day <= self._today:
                return day
            kind, reason = Kind.IN_THE_FUTURE, f"{day} lies in the future"
        if self._told != (cell.line, cell.date):
            self._told = (cell.line, cell.date)
            self._report.add(kind, reason, cell.line)
        return None
