"""Amounts of several currencies in one, with rates that can be reckoned by hand."""

from datetime import UTC, date, datetime
from decimal import Decimal, Inexact
from zoneinfo import ZoneInfo

import pytest

from domain.rates import Known, Rate, RateBook
from domain.refusals import UnknownCurrency
from domain.values import END_OF_TIME, START_OF_TIME
from projections.conversion import EXACT, Conversion, day_in, total, units

BERLIN, SHANGHAI, NEW_YORK = map(ZoneInfo, ("Europe/Berlin", "Asia/Shanghai", "America/New_York"))
KNOWN = datetime(2026, 4, 1, tzinfo=UTC)
LATER = datetime(2026, 5, 1, tzinfo=UTC)
BOOK = RateBook(
    {
        ("EUR", "USD"): [
            Known(date(2026, 3, 1), KNOWN, 1, "1.1"),
            Known(date(2026, 3, 1), LATER, 2, "1.25"),
            Known(date(2026, 3, 31), KNOWN, 3, "1.6"),
        ],
        ("EUR", "JPY"): [Known(date(2026, 3, 1), KNOWN, 4, "160.000000007")],
    }
)


def conversion(
    as_of: datetime, known_at: datetime = END_OF_TIME, target: str = "USD"
) -> Conversion:
    return Conversion.at(BOOK, target, as_of, known_at, BERLIN)


def test_the_rate_is_that_of_the_day_as_it_was_known() -> None:
    march = datetime(2026, 3, 15, tzinfo=UTC)
    assert conversion(march).rate("EUR") == Rate(Decimal("1.25"), date(2026, 3, 1))
    assert conversion(march, KNOWN).rate("EUR") == Rate(Decimal("1.1"), date(2026, 3, 1))
    assert conversion(march, START_OF_TIME).rate("EUR") is None
    assert conversion(datetime(2026, 2, 1, tzinfo=UTC)).rate("EUR") is None


def test_the_day_is_that_of_the_time_zone() -> None:
    evening = datetime(2026, 3, 30, 22, 30, tzinfo=UTC)
    assert day_in(evening, BERLIN) == date(2026, 3, 31)
    assert conversion(evening).rate("EUR") == Rate(Decimal("1.6"), date(2026, 3, 31))
    assert day_in(evening, NEW_YORK) == date(2026, 3, 30)
    assert day_in(END_OF_TIME, SHANGHAI) == date.max
    assert day_in(START_OF_TIME, NEW_YORK) == date.min


def test_nothing_is_rounded() -> None:
    at = conversion(datetime(2026, 3, 15, tzinfo=UTC), target="JPY")
    converted = at.amount(Decimal("999999999999999.99"), "EUR")
    assert str(converted) == "160000000006999998.39999999993"
    with pytest.raises(Inexact):
        EXACT.divide(Decimal(1), Decimal(3))


def test_what_has_no_rate_stays_in_its_own_currency() -> None:
    at = conversion(datetime(2026, 3, 15, tzinfo=UTC))
    assert at.amount(Decimal(5), "KWD") == Decimal(5)
    currencies = ["KWD", "USD", "EUR", "CNY", "EUR"]
    assert [at.reported_in(one) for one in currencies] == ["KWD", "USD", "USD", "CNY", "USD"]
    assert at.used(currencies) == {"EUR": Rate(Decimal("1.25"), date(2026, 3, 1))}
    assert at.lacking(currencies) == ["CNY", "KWD"]
    assert at.amount(Decimal(5), "USD") == Decimal(5)


def test_an_unknown_currency_is_refused() -> None:
    with pytest.raises(UnknownCurrency, match="'EURO'"):
        conversion(KNOWN, target="EURO")


def test_units_of_minor_units() -> None:
    assert [str(units(1234, code)) for code in ("USD", "JPY", "KWD")] == ["12.34", "1234", "1.234"]
    assert str(units(1234, "USD", 2)) == "0.1234"
    large = 10**40 + 1
    assert units(large, "JPY") == large
    assert total([Decimal(large), Decimal("0.01")]) == EXACT.add(Decimal(large), Decimal("0.01"))
    assert str(total([Decimal(10) ** 27, Decimal("0.01")])) == f"1{'0' * 27}.01"
    assert total([]) == 0
