"""How the forecast of a month stood, of deals that are made up by hand."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from domain.history import Fact, Recorded
from domain.rates import ExchangeRatesPublished, Quote, RateBook
from projections.calendar import Calendar
from projections.columns import Columns
from projections.conversion import Conversion
from projections.forecast.happened import Tally
from projections.forecast.history import MonthAsked, MonthHistory, month_history
from projections.forecast.slices import Moment
from projections.instants import micros
from projections.views import Views
from tests.projections.period_rows import change, period, start
from tests.projections.stores import draft, make_tables

ZONE = ZoneInfo("UTC")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


LATER = Moment(at("2026-06-30T12:00"), at("2026-06-30T12:00"))


@pytest.fixture
def tables(views: Views) -> Views:
    make_tables(views)
    start(views)
    return views


@pytest.fixture
def columns(tmp_path: Path) -> Iterator[Columns]:
    with closing(Columns(tmp_path / "deals.views.db")) as columns:
        yield columns


def rate(day: str, per_euro: str, version: int) -> Recorded[Fact]:
    published = ExchangeRatesPublished("EUR", date.fromisoformat(day), (Quote("USD", per_euro),))
    return draft(published, -30, -30).recorded("rates:EUR", version, at("2026-03-01"))


BOOK = RateBook.of([rate("2026-03-10", "2", 1), rate("2026-05-01", "4", 2)])


def converting(day: date, known_at: datetime) -> Conversion:
    return Conversion("EUR", day, BOOK.as_known(known_at))


def ask(tables: Views, columns: Columns, *moments: str, in_euro: bool = True) -> MonthHistory:
    month = Calendar(ZONE).period("2026-03")
    asked = MonthAsked(month, [at(one) for one in moments], LATER, ZONE)
    with tables.reading() as connection:
        return month_history(connection, columns, asked, converting if in_euro else None)


def won(when: str, **values: object) -> dict[str, object]:
    closed = micros(at(when))
    return period(status="won", occurred_from=closed, closed_at=closed, **values)


def test_what_was_won_before_any_rate_goes_by_that_of_the_moment(
    tables: Views, columns: Columns
) -> None:
    change(tables, {"d": [won("2026-03-05", currency="USD", amount_minor=1_000)]})
    found = ask(tables, columns, "2026-03-08", "2026-03-12")
    assert [(one.at, one.currency, one.won) for one in found.standings if one.won.deals] == [
        (at("2026-03-08"), "USD", Tally(1, Decimal("10.00"))),
        (at("2026-03-12"), "EUR", Tally(1, Decimal("5.00"))),
    ]
    assert found.result == {"EUR": Tally(1, Decimal("2.50"))}
    assert [(own, one.value, str(one.day)) for own, one in found.used.rates] == [
        ("USD", Decimal("0.5"), "2026-03-10"),
        ("USD", Decimal("0.25"), "2026-05-01"),
    ]
    assert found.used.lacking == ("USD",)


def test_what_was_entered_late_stands_beside_nothing(tables: Views, columns: Columns) -> None:
    late = won("2026-03-05", known_from=micros(at("2026-05-01")), amount_minor=700)
    change(tables, {"d": [late]})
    found = ask(tables, columns, "2026-03-08", "2026-03-12", in_euro=False)
    assert found.result == {"EUR": Tally(1, Decimal("7.00"))}
    assert [(one.at, one.currency, one.open.deals, one.won) for one in found.standings] == [
        (at(day), "EUR", 0, Tally()) for day in ("2026-03-08", "2026-03-12")
    ]
    assert (found.used.rates, found.used.lacking) == ((), ())


def test_no_moment_is_out_of_reach(tables: Views, columns: Columns) -> None:
    early, late = micros(at("2026-02-10")), micros(at("2026-05-01"))
    forecast = {"expected_close": "2026-03-20"}
    change(
        tables,
        {
            "withdrawn": [period(**forecast, known_until=early)],
            "lost": [
                period(**forecast, occurred_until=early),
                period(status="lost", occurred_from=early, closed_at=early),
            ],
            "entered late": [won("2026-03-25", known_from=late)],
            "won": [won("2026-03-24")],
            "won in the last days": [won("2026-03-28")],
        },
    )
    found = ask(tables, columns, "2026-02-05", "2026-02-20", "2026-03-26", in_euro=False)
    assert [(one.open.deals, one.won.deals) for one in found.standings] == [(2, 0), (0, 0), (0, 1)]
    assert {currency: one.deals for currency, one in found.result.items()} == {"EUR": 3}
