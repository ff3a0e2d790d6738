"""Amounts of several currencies in the one that is reported in.

Every amount is an exact decimal: what a rate is multiplied with is neither rounded before nor
after. Where no rate is on record, an amount stays in its own currency and is listed apart.
"""

from collections.abc import Iterable
from datetime import MINYEAR, date, datetime
from decimal import Context, Decimal, Inexact, InvalidOperation
from functools import cached_property, reduce
from zoneinfo import ZoneInfo

import msgspec

from domain.currencies import MINOR_DIGITS
from domain.rates import Rate, RateBook, require_currency

EXACT = Context(prec=200, traps=[Inexact, InvalidOperation])
"""Adds and multiplies without rounding; numbers for which that is not possible are an error."""


class Conversion(msgspec.Struct, frozen=True, dict=True):
    """The exchange rates of one day into one currency, as they were known at one moment."""

    target: str
    """ISO 4217 code of the currency that is reported in."""
    day: date
    book: RateBook
    """As known at the moment that counts."""

    @classmethod
    def at(
        cls, book: RateBook, target: str, as_of: datetime, known_at: datetime, zone: ZoneInfo
    ) -> "Conversion":
        """The rates of the day of `as_of` in a time zone, as known at `known_at`.

        Raises UnknownCurrency.
        """
        day = day_in(as_of, zone)
        return cls(require_currency(target), day, book.as_known(known_at))

    def rate(self, currency: str) -> Rate | None:
        """What one unit of a currency was worth in the target; 1 for the target itself."""
        if currency not in self._found:
            self._found[currency] = self.book.rate(currency, self.target, self.day)
        return self._found[currency]

    @cached_property
    def _found(self) -> dict[str, Rate | None]:
        return {}

    def reported_in(self, currency: str) -> str:
        """The currency in which amounts of a currency are listed: the target, else its own."""
        return self.target if self.rate(currency) else currency

    def amount(self, value: Decimal, currency: str) -> Decimal:
        """An amount of a currency in that of `reported_in`, exactly."""
        rate = self.rate(currency)
        return value if rate is None else EXACT.multiply(value, rate.value)

    def used(self, currencies: Iterable[str]) -> dict[str, Rate]:
        """The rates of those of the currencies that were converted, in their order by code."""
        found = {one: self.rate(one) for one in sorted(set(currencies) - {self.target})}
        return {currency: rate for currency, rate in found.items() if rate is not None}

    def lacking(self, currencies: Iterable[str]) -> list[str]:
        """Those of the currencies that have no rate, in their order by code."""
        return sorted(one for one in set(currencies) if self.rate(one) is None)


def day_in(moment: datetime, zone: ZoneInfo) -> date:
    """The day of a moment in a time zone; the first or the last day there is, beyond them."""
    try:
        return moment.astimezone(zone).date()
    except OverflowError:
        return date.min if moment.year == MINYEAR else date.max


def units(minor: int, currency: str, digits: int = 0) -> Decimal:
    """An amount in units of its currency, of minor units that have so many digits more."""
    return EXACT.scaleb(Decimal(minor), -MINOR_DIGITS[currency] - digits)


def total(amounts: Iterable[Decimal]) -> Decimal:
    """The exact sum."""
    return reduce(EXACT.add, amounts, _NOTHING)


_NOTHING = Decimal(0)
