"""How the numbers of an answer are written."""

from decimal import Decimal
from fractions import Fraction

from api.wire.values import Amount
from domain.currencies import MINOR_DIGITS

RATIO_DIGITS = 4


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
