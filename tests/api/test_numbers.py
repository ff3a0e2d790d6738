"""Numbers of an answer in their one written form."""

from decimal import Decimal
from fractions import Fraction

import pytest

from api.wire.numbers import amount, number, ratio
from api.wire.values import Amount


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, None),
        (Fraction(1, 3), "0.3333"),
        (Fraction(2, 3), "0.6667"),
        (Fraction(-5, 2), "-2.5000"),
        (Fraction(0), "0.0000"),
        (Fraction(1, 20_000), "0.0000"),
        (Fraction(3, 20_000), "0.0002"),
        (Fraction(10**30), f"{10**30}.0000"),
    ],
)
def test_ratios_have_four_digits(value: Fraction | None, written: str | None) -> None:
    assert ratio(value) == written


@pytest.mark.parametrize(
    ("value", "written"),
    [("10.500", "10.5"), ("100", "100"), ("0.00", "0"), ("-0", "0"), ("-2.50", "-2.5")],
)
def test_numbers_are_as_short_as_they_can_be(value: str, written: str) -> None:
    assert number(Decimal(value)) == written


@pytest.mark.parametrize(
    ("value", "currency", "written"),
    [
        ("5.000", "USD", "5.00"),
        ("5.125", "USD", "5.125"),
        ("5.000", "JPY", "5"),
        ("123456789012345678901234567890.01", "EUR", "123456789012345678901234567890.01"),
    ],
)
def test_money_has_its_minor_digits_and_more_where_it_has_more(
    value: str, currency: str, written: str
) -> None:
    assert amount(Decimal(value), currency) == Amount(written, currency)
    assert amount(None, currency) is None
