"""Exchange rates: those on record, and those that follow from them."""

from collections.abc import Iterable
from datetime import date, datetime

from api.wire.rates import ExchangeRate, RateList, WorkedOutRate
from api.workspace import Workspace
from domain.rates import Quoted, require_currency

MOST_RATES = 10_000
"""So many rates an answer over HTTP holds."""


class NoRate(LookupError):
    """No rates on record tell what one currency was worth in the other on that day."""


class TooManyRates(ValueError):
    """More rates than one answer holds."""


def list_rates(
    store: Workspace,
    *,
    base: str | None = None,
    currency: str | None = None,
    since: date | None = None,
    known_at: datetime | None = None,
    most: int | None = None,
) -> RateList:
    """The newest rate of each currency, or all since a day.

    Raises UnknownCurrency, and TooManyRates for more than `most`.
    """
    for code in (base, currency):
        if code is not None:
            require_currency(code)
    book = store.log.rates().as_known(known_at)
    quotes = book.quotes(base, currency)
    found = _newest(quotes) if since is None else [one for one in quotes if one.day >= since]
    if most is not None and len(found) > most:
        raise TooManyRates(f"these are {len(found):,} rates, more than {most:,}")
    return RateList([ExchangeRate.of(one) for one in found])


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
