"""Which exchange rates sums were converted with, and which currencies had none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from domain.rates import Rate

if TYPE_CHECKING:
    from projections.conversion import Conversion


class Used(msgspec.Struct, frozen=True):
    """The rates that amounts were converted with."""

    rates: tuple[tuple[str, Rate], ...] = ()
    """Each once with the currency that it converts, in order of currency and day."""
    lacking: tuple[str, ...] = ()
    """The currencies of which some amount had no rate and stayed as it was, in order."""


class Uses:
    """Takes down the rates while amounts are converted."""

    def __init__(self) -> None:
        self._rates: set[tuple[str, Rate]] = set()
        self._lacking: set[str] = set()

    def note(self, currency: str, conversion: Conversion | None) -> None:
        """Amounts of a currency were converted so; None: they stayed as they were."""
        rate = None if conversion is None else conversion.rate(currency)
        if rate is None:
            self._lacking.add(currency)
        elif conversion is not None and currency != conversion.target:
            self._rates.add((currency, rate))

    def used(self) -> Used:
        """What was taken down."""
        rates = sorted(self._rates, key=lambda one: (one[0], one[1].day, one[1].value))
        return Used(tuple(rates), tuple(sorted(self._lacking)))
