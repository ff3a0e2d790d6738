"""Money, dates and references: valid once constructed, with one written form."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.currencies import MINOR_DIGITS
from domain.values import (
    END_OF_TIME,
    LARGEST_AMOUNT,
    START_OF_TIME,
    Money,
    ProcessRef,
    end_of_day,
)


@pytest.mark.parametrize(
    ("text", "currency", "written", "minor"),
    [
        ("1054", "USD", "1054.00", 105400),
        ("1054.5", "USD", "1054.50", 105450),
        ("1054.50", "USD", "1054.50", 105450),
        ("1054.500", "USD", "1054.50", 105450),
        ("1054", "JPY", "1054", 1054),
        ("1054.0", "JPY", "1054", 1054),
        ("1054", "KWD", "1054.000", 1054000),
        ("0.001", "KWD", "0.001", 1),
        ("1E3", "USD", "1000.00", 100000),
        ("1e3", "JPY", "1000", 1000),
        ("1.05E+3", "KWD", "1050.000", 1050000),
        ("105E-2", "USD", "1.05", 105),
        ("0", "USD", "0.00", 0),
        ("-0", "USD", "0.00", 0),
        ("-0.00", "USD", "0.00", 0),
        ("-0", "JPY", "0", 0),
        ("0E+9", "USD", "0.00", 0),
        ("0E-9", "USD", "0.00", 0),
        (" 12.00\n", "CNY", "12.00", 1200),
        ("+12", "CNY", "12.00", 1200),
        ("999999999999999.99", "USD", "999999999999999.99", 99999999999999999),
        ("999999999999999.999", "BHD", "999999999999999.999", 999999999999999999),
        ("999999999999999", "KRW", "999999999999999", 999999999999999),
    ],
)
def test_money_has_one_written_form(text: str, currency: str, written: str, minor: int) -> None:
    money = Money.parse(text, currency)
    assert str(money.amount) == written
    assert money.minor == minor
    assert Money.from_minor(minor, currency) == money
    assert (
        msgspec.json.encode(money) == f'{{"amount":"{written}","currency":"{currency}"}}'.encode()
    )


@pytest.mark.parametrize(
    ("text", "currency", "words"),
    [
        ("0.5", "JPY", "JPY has 0 minor digits"),
        ("0.005", "USD", "USD has 2 minor digits, 0.005 has more"),
        ("0.0001", "KWD", "KWD has 3 minor digits"),
        ("1E-3", "USD", "has more"),
        ("1E-999999", "USD", "has more"),
        ("1.005", "USD", "has more"),
        ("-0.01", "USD", "not negative"),
        ("-1E+9", "USD", "not negative"),
        ("1000000000000000", "USD", "below 10"),
        ("1E15", "JPY", "below 10"),
        ("1E+999999", "USD", "below 10"),
        ("NaN", "USD", "finite"),
        ("sNaN", "USD", "finite"),
        ("Infinity", "USD", "finite"),
        ("-Infinity", "USD", "finite"),
        ("", "USD", "'' is not a decimal number"),
        ("1,000", "USD", "'1,000' is not a decimal number"),
        ("1_000", "USD", "'1_000' is not a decimal number"),
        ("\u0661.00", "USD", "is not a decimal number"),
        ("\uff11", "USD", "is not a decimal number"),
        ("$5", "USD", "not a decimal number"),
        ("1", "XYZ", "'XYZ' is not an ISO 4217 currency code"),
        ("1", "usd", "ISO 4217"),
        ("1", "", "ISO 4217"),
        ("1", "XAU", "ISO 4217"),
    ],
)
def test_what_is_not_money_is_an_error(text: str, currency: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Money.parse(text, currency)


def test_money_is_never_rounded() -> None:
    nearly = Decimal("999999999999999.9999999999999999999999999")
    with pytest.raises(ValueError, match="has more"):
        Money(nearly, "USD")


def test_money_from_outside_is_checked_as_well() -> None:
    with pytest.raises(msgspec.ValidationError, match="not negative"):
        msgspec.json.decode(b'{"amount":"-1","currency":"USD"}', type=Money)
    with pytest.raises(msgspec.ValidationError, match="note"):
        msgspec.json.decode(b'{"amount":"1","currency":"USD","note":""}', type=Money)


def test_money_is_written_for_people_with_separators() -> None:
    assert str(Money.parse("1234567.5", "USD")) == "1,234,567.50 USD"
    assert str(Money.parse("1234567", "JPY")) == "1,234,567 JPY"


def test_equal_money_is_equal_however_it_was_written() -> None:
    assert Money.parse("1e2", "USD") == Money.parse("100.00", "USD") == Money(Decimal(100), "USD")
    assert len({Money.parse("1e2", "USD"), Money.parse("100.00", "USD")}) == 1
    assert Money.parse("100", "USD") != Money.parse("100", "EUR")


@given(st.sampled_from(sorted(MINOR_DIGITS)), st.integers(0, 10**15 - 1))
def test_minor_units_are_exact(currency: str, minor: int) -> None:
    money = Money.from_minor(minor, currency)
    assert money.minor == minor
    assert money.amount.as_tuple().exponent == -MINOR_DIGITS[currency]
    assert money.amount < LARGEST_AMOUNT
    assert msgspec.json.decode(msgspec.json.encode(money), type=Money) == money


@given(st.decimals(), st.sampled_from(["USD", "JPY", "KWD"]))
def test_any_decimal_is_money_exactly_or_an_error(amount: Decimal, currency: str) -> None:
    try:
        money = Money(amount, currency)
    except ValueError:
        return
    assert money.amount == amount
    assert msgspec.json.decode(msgspec.json.encode(money), type=Money) == money


def test_currencies_have_the_digits_of_the_standard() -> None:
    assert {code: MINOR_DIGITS[code] for code in ("USD", "CNY", "JPY", "KWD", "CLP", "TND")} == {
        "USD": 2,
        "CNY": 2,
        "JPY": 0,
        "KWD": 3,
        "CLP": 0,
        "TND": 3,
    }
    assert all(len(code) == 3 and code.isalpha() and code.isupper() for code in MINOR_DIGITS)
    assert set(MINOR_DIGITS.values()) == {0, 2, 3}


@pytest.mark.parametrize(
    ("day", "zone", "end"),
    [
        (date(2017, 6, 30), "UTC", "2017-06-30T23:59:59.999999"),
        (date(2026, 1, 15), "Asia/Shanghai", "2026-01-15T15:59:59.999999"),
        (date(2026, 1, 15), "America/New_York", "2026-01-16T04:59:59.999999"),
        # The day of 23 hours, the day of 25 hours, and the days around them.
        (date(2026, 3, 28), "Europe/Berlin", "2026-03-28T22:59:59.999999"),
        (date(2026, 3, 29), "Europe/Berlin", "2026-03-29T21:59:59.999999"),
        (date(2026, 10, 24), "Europe/Berlin", "2026-10-24T21:59:59.999999"),
        (date(2026, 10, 25), "Europe/Berlin", "2026-10-25T22:59:59.999999"),
        # At midnight the clock goes back to eleven: the last hour comes twice.
        (date(2024, 4, 6), "America/Santiago", "2024-04-07T03:59:59.999999"),
        (date(2023, 10, 28), "Asia/Beirut", "2023-10-28T21:59:59.999999"),
        # One minute past midnight the clock goes back to 23:01 of the day before.
        (date(2010, 11, 6), "America/St_Johns", "2010-11-07T03:29:59.999999"),
        # At midnight the clock goes forward: the next day has no first hour.
        (date(2024, 9, 7), "America/Santiago", "2024-09-08T03:59:59.999999"),
        # A day that was left out when the date line moved ends where it would have begun.
        (date(2011, 12, 30), "Pacific/Apia", "2011-12-30T09:59:59.999999"),
        (date(2026, 1, 15), "Asia/Kathmandu", "2026-01-15T18:14:59.999999"),
    ],
)
def test_the_end_of_a_day(day: date, zone: str, end: str) -> None:
    assert end_of_day(day, ZoneInfo(zone)) == datetime.fromisoformat(end).replace(tzinfo=UTC)


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Shanghai"])
def test_the_last_day_there_is_has_an_end(zone: str) -> None:
    assert end_of_day(date.max, ZoneInfo(zone)) == END_OF_TIME


def test_time_has_ends_that_no_moment_lies_beyond() -> None:
    assert datetime.min.replace(tzinfo=UTC) == START_OF_TIME
    assert datetime.max.replace(tzinfo=UTC) == END_OF_TIME


ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Santiago",
    "America/Havana",
    "Asia/Beirut",
    "Asia/Shanghai",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
]


@given(st.dates(date(1990, 1, 1), date(2040, 12, 31)), st.sampled_from(ZONES))
def test_the_end_of_a_day_is_the_microsecond_before_the_next(day: date, name: str) -> None:
    zone = ZoneInfo(name)
    end = end_of_day(day, zone)
    assert end.tzinfo is UTC
    assert end.astimezone(zone).date() == day
    next_day = (end + timedelta(microseconds=1)).astimezone(zone)
    assert next_day.date() == day + timedelta(days=1)
    assert next_day.time() in (time(0), time(1))


def test_a_process_version_has_a_short_form() -> None:
    assert str(ProcessRef("key-account", 2)) == "key-account/2"
