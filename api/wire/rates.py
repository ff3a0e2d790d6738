"""Exchange rates."""

import msgspec

from domain.rates import Quoted, Rate


class ExchangeRate(msgspec.Struct, frozen=True):
    """From `day` on one unit of `base` was worth `rate` units of `currency`, as published."""

    base: str
    currency: str
    day: str
    rate: str
    """A decimal number as text."""

    @classmethod
    def of(cls, quoted: Quoted) -> "ExchangeRate":
        return cls(quoted.base, quoted.currency, quoted.day.isoformat(), quoted.rate)


class RateList(msgspec.Struct, frozen=True):
    """Rates in order of base, currency and day."""

    rates: list[ExchangeRate]
    cursor: str | None
    """Leads to the rates that follow; null at the end."""


class WorkedOutRate(msgspec.Struct, frozen=True):
    """What one unit of `source` was worth in units of `target`."""

    source: str
    target: str
    as_of: str
    """The day that was asked for."""
    rate: str
    """A decimal number as text, of at most twelve significant digits."""
    day: str
    """The day of the published rate; of two, that of the older one."""

    @classmethod
    def of(cls, source: str, target: str, as_of: str, rate: Rate) -> "WorkedOutRate":
        return cls(source, target, as_of, f"{rate.value.normalize():f}", rate.day.isoformat())
