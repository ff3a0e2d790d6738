"""What amounts are worth in the currency of a report, at the rates of their days."""

from __future__ import annotations

from datetime import date
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

from domain.currencies import MINOR_DIGITS
from domain.rates import RateBook
from projections.columns.coding import day_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from projections.columns.relation import Relation

_LIMB = 10**9
"""Rates are multiplied in parts below this, so that sums over many deals stay exact."""


class Worth(NamedTuple):
    """In which currency a report is, and how days are told; None: each amount in its own."""

    zone: ZoneInfo
    currency: str | None = None
    rates: RateBook = RateBook()
    """As known at the known-at instant."""

    def rate(self, currency: str, day: date) -> Decimal | None:
        """What one unit of a currency was worth on a day; None where no rate tells."""
        if self.currency is None:
            return None
        found = self.rates.rate(currency, self.currency, day)
        return None if found is None else found.value

    def into(self, currency: str, day: date) -> str:
        """The currency that an amount of a day is told in."""
        if self.currency is None or self.rate(currency, day) is None:
            return currency
        return self.currency


class Rates(NamedTuple):
    """A table of rates beside a table with `coin` and `day`."""

    join: str
    columns: str
    limbs: tuple[str, ...]
    """The columns of the parts of a rate, the lowest first."""
    digits: dict[str, int]
    """Of each currency with rates: behind the point of its rates."""
    target: str | None

    def unit(self, currency: str, *, is_rated: bool) -> tuple[str, Fraction]:
        """The currency of a sum, and what a whole number in it stands for."""
        minor = Fraction(1, 10 ** MINOR_DIGITS[currency])
        if not is_rated or self.target is None:
            return currency, minor
        return self.target, minor / 10 ** self.digits[currency]

    def whole(self, sums: Sequence[Any]) -> list[int]:
        """The sums of whole rates, of the sums of their parts."""
        count = len(self.limbs)
        return [
            sum(int(part) * _LIMB**power for power, part in enumerate(sums[at : at + count]))
            for at in range(0, len(sums), count)
        ]


_UNCONVERTED = Rates("", "false AS rated, 1 AS rate_0", ("rate_0",), {}, None)


def hold_rates(relation: Relation, worth: Worth, dated: str, where: str) -> Rates:
    """Hold the rates that some rows of a query need, which has columns `coin` and `day`."""
    if worth.currency is None:
        return _UNCONVERTED
    coins = relation.texts("currency")
    found: list[tuple[int, int, str, Decimal]] = []
    for coin, number in relation.rows(f"SELECT DISTINCT coin, day FROM ({dated}) WHERE {where}"):
        rate = worth.rate(coins[coin], day_of(number))
        if rate is not None:
            found.append((coin, number, coins[coin], rate))
    if not found:
        return _UNCONVERTED
    digits: dict[str, int] = {}
    for _, _, currency, rate in found:
        digits[currency] = max(digits.get(currency, 0), _digits_behind_the_point(rate))
    whole = [
        (coin, number, int(Fraction(rate) * 10 ** digits[currency]))
        for coin, number, currency, rate in found
    ]
    count = max(_limbs(rate) for _, _, rate in whole)
    limbs = tuple(f"rate_{power}" for power in range(count))
    values = ", ".join(f"({coin}, {number}{_parts(rate, count)})" for coin, number, rate in whole)
    names = ", ".join(("coin", "day", *limbs))
    relation.hold("rates", f"FROM (VALUES {values}) AS rates({names})")
    columns = [f"coalesce(rates.{name}, {int(not at)}) AS {name}" for at, name in enumerate(limbs)]
    return Rates(
        "LEFT JOIN rates USING (coin, day)",
        ", ".join(["rates.rate_0 IS NOT NULL AS rated", *columns]),
        limbs,
        digits,
        worth.currency,
    )


def _digits_behind_the_point(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)
    return max(-exponent, 0)


def _limbs(rate: int) -> int:
    return max(1, -(-len(str(rate)) // 9))


def _parts(rate: int, count: int) -> str:
    return "".join(f", {rate // _LIMB**power % _LIMB}" for power in range(count))


def exact(value: Fraction) -> Decimal:
    """A sum of money as a decimal, with all its digits."""
    with localcontext() as context:
        context.prec = 200
        return Decimal(value.numerator) / Decimal(value.denominator)


def rounded(value: Fraction, currency: str) -> Decimal:
    """Money to the minor unit of its currency, half to even."""
    digits = MINOR_DIGITS[currency]
    return exact(Fraction(round(value * 10**digits), 10**digits))
