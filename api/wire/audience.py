"""For whom an answer is, and how its numbers are written."""

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction

import msgspec

from api.wire.values import Amount, Names, User
from domain.access import Sensitivity
from domain.currencies import MINOR_DIGITS

RATIO_DIGITS = 4


class Audience(msgspec.Struct, frozen=True):
    """Who an answer is for: whose names it gives, and how much may be seen."""

    names: Names
    visible: frozenset[Sensitivity]

    def words(self, text: str | None) -> str | None:
        """Free text may speak of people: it is for who may see what is personal."""
        return text if Sensitivity.PERSONAL in self.visible else None

    def texts(self, texts: Iterable[str]) -> list[str]:
        return [text for text in texts if self.words(text) is not None]

    def user(self, user_id: str) -> User:
        return self.names.user(user_id)


def ratio(value: Fraction | None) -> str | None:
    """A share or ratio as a decimal number of four digits, rounded half to even."""
    if value is None:
        return None
    scaled = round(value * 10**RATIO_DIGITS)
    digits = f"{abs(scaled):0{RATIO_DIGITS + 1}d}"
    sign = "-" if scaled < 0 else ""
    return f"{sign}{digits[:-RATIO_DIGITS]}.{digits[-RATIO_DIGITS:]}"


def number(value: Decimal | None) -> str | None:
    """A number in its shortest exact form."""
    if value is None:
        return None
    text = f"{value:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in {"-0", ""} else text


def amount(value: Decimal | None, currency: str) -> Amount | None:
    """Money where it is known."""
    return None if value is None else money(value, currency)


def money(value: Decimal, currency: str) -> Amount:
    """Money with the minor digits of its currency, and more where it has more."""
    shortest = number(value) or "0"
    digits = max(MINOR_DIGITS.get(currency, 0), len(shortest.partition(".")[2]))
    return Amount(f"{Decimal(shortest):.{digits}f}", currency)
