"""Which value a side prefers, and by how much: exact, and without an answer where there is none."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.negotiation.facts import Better, Issue, IssueKind, Option
from domain.negotiation.orders import (
    can_take,
    cost,
    discount_within,
    gain,
    has_order,
    total,
    written,
)
from domain.values import DecimalText, Party, decimal_text
from tests.domain.negotiation.table import COLOUR, DAYS, PRICE, THEM, US, WAY
from tests.scenario import usd

BIG = "123456789012345678.123456789"
numbers = st.decimals(-(10**17), 10**17, places=9).map(lambda number: decimal_text(str(number)))


@pytest.mark.parametrize(
    ("issue", "side", "from_", "to", "gained"),
    [
        (PRICE, US, "90", "100", "10"),
        (PRICE, US, "9", "10", "1"),
        (PRICE, THEM, "90", "100", "-10"),
        (DAYS, US, "30", "45.5", "-15.5"),
        (DAYS, THEM, "30", "45.5", "15.5"),
        (DAYS, US, BIG, "-0.000000001", "123456789012345678.123456790"),
        (WAY, US, "road", "rail", "0.5"),
        (WAY, US, "rail", "air", "-3"),
        (WAY, US, "rail", "rail", "0"),
        (WAY, THEM, "rail", "road", None),
        (COLOUR, US, "red", "blue", None),
        (WAY, US, "rail", "sea", None),
        (PRICE, US, "100", "100.0", None),
        (PRICE, US, "dear", "100", None),
        (msgspec.structs.replace(PRICE, better_for_us=None), US, "1", "2", None),
    ],
)
def test_what_a_side_gains(
    issue: Issue, side: Party, from_: str, to: str, gained: str | None
) -> None:
    answer = gain(issue, side, from_, to)
    assert answer == (None if gained is None else Decimal(gained))


def test_an_order_over_options_covers_all_of_them_and_has_numbers_only() -> None:
    half = Issue("x", IssueKind.OTHER, options=(Option("a", "1"), Option("b")))
    assert not has_order(half, US)
    assert gain(half, US, "a", "a") is None
    odd = Issue("x", IssueKind.OTHER, options=(Option("a", "much"), Option("b", "1")))
    assert gain(odd, US, "b", "a") is None
    assert has_order(WAY, US)
    assert not has_order(WAY, THEM)


@given(numbers, numbers, st.sampled_from(Better))
def test_what_is_gained_one_way_is_lost_the_other(a: str, b: str, better: Better) -> None:
    issue = Issue("x", IssueKind.OTHER, better_for_us=better, better_for_them=better)
    there, back = gain(issue, US, a, b), gain(issue, THEM, b, a)
    assert there is not None
    assert back is not None
    assert there == back.copy_negate()
    rises, falls = Decimal(b) > Decimal(a), Decimal(b) < Decimal(a)
    assert (there > 0) is (rises if better is Better.HIGHER else falls)


def test_a_cost_is_exact_and_unknown_without_a_price_of_the_unit() -> None:
    assert cost(DAYS, Decimal("0.001")) == Decimal("0.0025")
    assert cost(COLOUR, Decimal(1)) is None
    dear = msgspec.structs.replace(PRICE, money_per_unit=usd("999999999999999.99"))
    assert str(cost(dear, Decimal(BIG))) == "123456789012345676888888898876543.21876543211"
    assert total([Decimal(10) ** 40, Decimal("1E-9")]) == Decimal(f"1{'0' * 40}.000000001")


@pytest.mark.parametrize(
    ("percent", "base", "price", "within"),
    [
        ("5", "1000", "950", True),
        ("5", "1000", "949.99", False),
        ("5", "1000", "1100", True),
        ("33.333333333", "3", "2", False),
        ("33.333333334", "3", "2", True),
        ("0", "1000", "1000", True),
        ("50", "-10", "-11", False),
        ("50", "0", "-1", False),
    ],
)
def test_a_discount_is_measured_off_the_base(
    percent: str, base: str, price: str, *, within: bool
) -> None:
    assert discount_within(percent, base, price) is within


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("90.0", "90"),
        (" 9E+1\n", "90"),
        ("-0.00", "0"),
        ("-1.50", "-1.5"),
        ("0.000000001", "0.000000001"),
        ("0.0000000010", "0.000000001"),
        ("00012", "12"),
        ("+12", "12"),
        (BIG, BIG),
        ("100000000000000000", "100000000000000000"),
    ],
)
def test_a_number_has_one_written_form(text: str, kept: str) -> None:
    assert decimal_text(text) == kept
    assert msgspec.convert(kept, DecimalText) == kept
    assert written(PRICE, text) == kept


@pytest.mark.parametrize(
    "text", ["", "x", "NaN", "Infinity", "1e18", "1e999999", "1e-10", "1e-999999", "0.1234567891"]
)
def test_what_is_no_number_or_too_long_a_one_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"number|digits"):
        decimal_text(text)
    assert written(PRICE, text) == text
    assert not can_take(PRICE, text)


@pytest.mark.parametrize(
    "text", ["90.0", "+1", "-0", "01", ".5", "5.", "1e3", "\uff19", "5\n", " 5", ""]
)
def test_another_form_is_no_decimal_text(text: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(text, DecimalText)
    assert not can_take(PRICE, text)


@given(numbers)
def test_the_written_form_is_a_fixed_point(number: str) -> None:
    assert decimal_text(number) == number
    assert msgspec.convert(number, DecimalText) == number


def test_an_option_is_kept_as_it_is_named() -> None:
    numbered = Issue("x", IssueKind.OTHER, options=(Option("1.0"), Option("2")))
    assert written(numbered, "1.0") == "1.0"
    assert can_take(numbered, "1.0")
    assert not can_take(numbered, "1")
