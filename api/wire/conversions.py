"""The exchange rates that the amounts of an answer were converted with."""

from collections.abc import Mapping

import msgspec

from domain.rates import Rate


class UsedRate(msgspec.Struct, frozen=True):
    """What one unit of a currency was worth in the one that is reported in."""

    currency: str
    rate: str
    """A decimal number as text."""
    day: str
    """The day of the published rate; of two that lead there, the older day."""

    @classmethod
    def all_of(cls, rates: Mapping[str, Rate]) -> "list[UsedRate]":
        """In order of their currencies."""
        return [
            cls(currency, f"{rate.value.normalize():f}", rate.day.isoformat())
            for currency, rate in sorted(rates.items())
        ]
