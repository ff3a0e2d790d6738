"""Exchange rates: those on record, and those that follow from them."""

from collections.abc import Iterable
from datetime import date, datetime

import msgspec

from api.cursors import CursorError, packed, unpacked
from api.wire.rates import ExchangeRate, RateList, WorkedOutRate
from api.workspace import Workspace
from domain.rates import Quoted, require_currency

MOST_RATES = 10_000
"""On one page."""


class NoRate(LookupError):
    """No rates on record tell what one currency was worth in the other on that day."""


def list_rates(
    store: Workspace,
    *,
    base: str | None = None,
    currency: str | None = None,
    since: date | None = None,
    known_at: datetime | None = None,
    limit: int | None = None,
    cursor: str | None = None,
) -> RateList:
    """The newest rate of each currency, or all since a day; up to `limit` behind the cursor.

    Raises UnknownCurrency, CursorError.
    """
    after = None if cursor is None else place_of(cursor, since)
    for code in (base, currency):
        if code is not None:
            require_currency(code)
    book = store.log.rates().as_known(known_at)
    quotes = book.quotes(base, currency)
    found = _newest(quotes) if since is None else [one for one in quotes if one.day >= since]
    if after is not None:
        found = [one for one in found if _place(one, since) > after]
    page = found[:limit]
    return RateList(
        [ExchangeRate.of(one) for one in page],
        packed(_Cursor(*_place(page[-1], since))) if len(page) < len(found) else None,
    )


Place = tuple[str, str, date]
"""Base, currency and day of a rate, by which they are in order."""


def _place(one: Quoted, since: date | None) -> Place:
    """Of the newest rates there is one of each currency, whichever day it is of."""
    return (one.base, one.currency, date.min if since is None else one.day)


class _Cursor(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Behind which rate."""

    base: str
    currency: str
    day: date


def place_of(text: str, since: date | None) -> Place:
    """Behind which rate a cursor stands. Raises CursorError."""
    cursor = unpacked(text, _Cursor)
    if (cursor.day == date.min) != (since is None):
        raise CursorError("the cursor is of another list; keep `since` as it was")
    return (cursor.base, cursor.currency, cursor.day)


def _newest(quotes: Iterable[Quoted]) -> list[Quoted]:
    """Of quotes in order of day, the last of each base and currency."""
    return list({(one.base, one.currency): one for one in quotes}.values())


def work_out_rate(
    store: Workspace, source: str, target: str, day: date, known_at: datetime | None = None
) -> WorkedOutRate:
    """What one `source` was worth in `target` on a day. Raises UnknownCurrency, NoRate."""
    require_currency(source)
    require_currency(target)
    rate = store.log.rates().as_known(known_at).rate(source, target, day)
    if rate is None:
        raise NoRate(f"no rates on record tell what {source} was worth in {target} on {day}")
    return WorkedOutRate.of(source, target, day.isoformat(), rate)
