"""What became of a forecast, of deals whose fates are made up by hand."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from domain.history import Fact, Recorded
from domain.rates import ExchangeRatesPublished, Quote, RateBook
from projections.columns import Columns
from projections.conversion import Conversion, day_in
from projections.forecast.happened import Happened, Rates, Tally, happened
from projections.forecast.ledger import is_over, month_results, row_results
from projections.forecast.rollup import Rollup, rollup
from projections.forecast.slices import Asked, Moment
from projections.instants import FOREVER, micros
from projections.views import Views
from tests.projections.period_rows import Row, change, period, start
from tests.projections.stores import draft, make_tables

ZONE = ZoneInfo("America/New_York")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


THEN = Moment(at("2026-03-31T12:00"), at("2026-03-31T12:00"))
LATER = Moment(at("2026-06-30T12:00"), at("2026-06-30T12:00"))
NOW = at("2026-11-01T12:00")


@pytest.fixture
def tables(views: Views) -> Views:
    make_tables(views)
    start(views)
    return views


@pytest.fixture
def columns(tmp_path: Path) -> Iterator[Columns]:
    with closing(Columns(tmp_path / "deals.views.db")) as columns:
        yield columns


def deal(close: str | None, fate: str, when: str, **after: object) -> list[Row]:
    """Open with 100 EUR at 20 %, until it became something else."""
    turned = micros(at(when))
    forecast = {"expected_close": close, "amount_minor": 10_000, "probability": 20}
    closed = {"closed_at": turned} if fate in ("won", "lost") else {}
    return [
        period(**forecast, occurred_until=turned),
        period(**{**forecast, "occurred_from": turned, "status": fate, **closed, **after}),
    ]


def ask(tables: Views, columns: Columns, **asked: object) -> tuple[Rollup, Happened]:
    question = Asked(THEN, ZONE, **asked)  # type: ignore[arg-type]
    with tables.reading() as connection:
        return (
            rollup(connection, columns, question),
            happened(connection, columns, question, LATER),
        )


def test_each_fate_has_its_place(tables: Views, columns: Columns) -> None:
    change(
        tables,
        {
            "as-forecast": deal("2026-04-30", "won", "2026-04-10", amount_minor=9_000),
            # In New York it was still April.
            "by-the-clock": deal("2026-04-30", "won", "2026-05-01T02:00", amount_minor=1_000),
            "late": deal("2026-04-30", "won", "2026-05-10", amount_minor=8_000),
            "lost": deal("2026-04-30", "lost", "2026-05-10", outcome="no-decision"),
            "moved": deal("2026-04-30", "open", "2026-04-20"),
            "resting": deal("2026-04-30", "suspended", "2026-04-20"),
            "overdue": deal("2026-03-30", "won", "2026-04-02", amount_minor=500),
            "undated": deal(None, "won", "2026-04-03", amount_minor=None),
        },
    )
    rolled, became = ask(tables, columns)
    assert rolled.today == date(2026, 3, 31)
    results = {one.row.close: one for one in row_results(rolled, became, ZONE, NOW)}
    assert list(results) == ["overdue", "2026-04", "undated"]
    april = results["2026-04"]
    assert (april.row.sum.deals, april.row.sum.weighted) == (6, Decimal("120.0000"))
    assert april.won == Tally(2, Decimal("100.00"), 0)
    assert april.won_in == {"2026-05": Tally(1, Decimal("80.00"), 0)}
    assert {why: one.deals for why, one in april.lost.items()} == {"no-decision": 1}
    assert {month: one.deals for month, one in april.open_for.items()} == {"2026-04": 1}
    assert april.suspended.deals == 1
    assert april.error == Decimal("20.0000")
    assert results["overdue"].won == Tally()
    assert list(results["overdue"].won_in) == ["2026-04"]
    assert results["overdue"].error is None
    months = {one.month: one for one in month_results(rolled, became, ZONE, NOW)}
    assert months["2026-04"].as_forecast.deals == 2
    assert months["2026-04"].forecast_otherwise == Tally(2, Decimal("5.00"), 1)
    assert months["2026-04"].won == Tally(4, Decimal("105.00"), 1)
    assert months["2026-04"].error == Decimal("15.0000")
    assert months["2026-05"].won.deals == 1


def test_a_deal_whose_opening_was_withdrawn_is_gone(tables: Views, columns: Columns) -> None:
    known = micros(at("2026-05-01"))
    change(
        tables,
        {
            "gone": [period(expected_close="2026-04-30", known_until=known)],
            "merged": deal("2026-04-30", "merged", "2026-04-20"),
            "voided": deal("2026-04-30", "voided", "2026-04-20"),
        },
    )
    rolled, became = ask(tables, columns)
    [april] = row_results(rolled, became, ZONE, NOW)
    assert (april.gone, april.merged.deals, april.voided.deals) == (Tally(1), 1, 1)
    assert april.row.sum.deals == 3


def test_what_was_won_besides_is_told_by_what_it_was(tables: Views, columns: Columns) -> None:
    new = deal("2026-04-30", "won", "2026-04-10", amount_minor=700)
    new[0] |= {"occurred_from": micros(at("2026-04-05"))}
    change(
        tables,
        {
            "new": new,
            "already": deal("2026-03-30", "won", "2026-03-10", amount_minor=300),
            "resumed": [
                period(occurred_until=micros(at("2026-04-01")), status="suspended"),
                *deal("2026-04-30", "won", "2026-04-10", amount_minor=200)[1:],
            ],
            "in February": deal("2026-02-28", "won", "2026-02-10"),
        },
    )
    rolled, became = ask(tables, columns)
    assert rolled.rows == []
    march, april = month_results(rolled, became, ZONE, NOW)
    assert (march.month, march.already, march.won) == (
        "2026-03",
        Tally(1, Decimal("3.00"), 0),
        Tally(1, Decimal("3.00"), 0),
    )
    # What was won before the forecast is no error of it.
    assert march.error == 0
    assert (april.new, april.taken_up) == (Tally(1, Decimal("7.00")), Tally(1, Decimal("2.00")))
    assert april.error == Decimal("-9.00")


def test_a_month_that_runs_has_no_error(tables: Views, columns: Columns) -> None:
    change(tables, {"d": deal("2026-06-30", "won", "2026-06-10")})
    rolled, became = ask(tables, columns)
    assert [one.error for one in row_results(rolled, became, ZONE, NOW)] == [None]
    assert [one.error for one in month_results(rolled, became, ZONE, NOW)] == [None]
    assert not is_over("2026-06", at("2026-07-01T03:59"), ZONE)
    assert is_over("2026-06", at("2026-07-01T04:00"), ZONE)
    assert not is_over("undated", at("2026-07-01T04:00"), ZONE)
    assert not is_over("9999-12", at("2026-07-01T04:00"), ZONE)


def test_a_month_is_over_where_both_axes_and_the_clock_are_behind_it(
    tables: Views, columns: Columns
) -> None:
    change(tables, {"d": deal("2026-06-30", "won", "2026-06-10")})
    end, before = at("2026-07-01T04:00"), at("2026-07-01T03:59")
    for as_of, known_at, now in (
        (end, end, end),
        (before, end, end),
        (end, before, end),
        (end, end, before),
    ):
        with tables.reading() as connection:
            asked = Asked(THEN, ZONE)
            became = happened(connection, columns, asked, Moment(as_of, known_at))
            rolled = rollup(connection, columns, asked)
        over = (as_of, known_at, now) == (end, end, end)
        for found in (row_results, month_results):
            assert [one.error is not None for one in found(rolled, became, ZONE, now)] == [over]


def test_a_deal_stays_in_the_group_of_its_forecast(tables: Views, columns: Columns) -> None:
    change(
        tables,
        {
            "handed over": deal("2026-04-30", "won", "2026-04-10", owner="bo"),
            "of bo": deal("2026-04-30", "won", "2026-03-05", owner="bo"),
        },
    )
    rolled, became = ask(tables, columns, by=("owner",), where={"owner": "ann"})
    assert [(one.row.group, one.won.deals) for one in row_results(rolled, became, ZONE, NOW)] == [
        ({"owner": "ann"}, 1)
    ]
    assert became.besides == []
    _, became = ask(tables, columns, by=("owner",), where={"owner": "bo"})
    assert became.outcomes == []
    assert [(one.group, one.month, one.before) for one in became.besides] == [
        ({"owner": "bo"}, "2026-03", "won")
    ]


def rate(day: str, per_euro: str, version: int) -> Recorded[Fact]:
    published = ExchangeRatesPublished("EUR", date.fromisoformat(day), (Quote("USD", per_euro),))
    return draft(published, -30, -30).recorded("rates:EUR", version, at("2026-03-01"))


def test_what_closed_goes_by_the_rate_of_its_day(tables: Views, columns: Columns) -> None:
    book = RateBook.of([rate("2026-03-01", "2", 1), rate("2026-04-10", "4", 2)])
    dollars = {"currency": "USD", "amount_minor": 1_000}

    def in_dollars(*row: Row) -> list[Row]:
        return [one | {"currency": "USD"} for one in row]

    change(
        tables,
        {
            # In New York it was still the 9th.
            "before": in_dollars(*deal("2026-04-30", "won", "2026-04-10T03:59", **dollars)),
            "after": in_dollars(*deal("2026-04-30", "won", "2026-04-10T04:00", **dollars)),
            "open": in_dollars(*deal("2026-04-30", "open", "2026-04-01", **dollars)),
            "new": in_dollars(*deal("2026-04-30", "won", "2026-05-10", **dollars))[1:],
        },
    )
    # It turned out later that this one had been won before any rate is known.
    believed = deal("2026-04-30", "open", "2026-04-01", **dollars)[0]
    known = micros(at("2026-05-01"))
    late = deal("2026-04-30", "won", "2026-02-10", **dollars)[1]
    change(
        tables,
        {
            "long ago": in_dollars(
                believed | {"occurred_until": FOREVER, "known_until": known},
                late | {"known_from": known},
            )
        },
    )
    rates = Rates(*(Conversion("EUR", day_in(one.as_of, ZONE), book) for one in (THEN, LATER)))
    with tables.reading() as connection:
        rolled = rollup(connection, columns, Asked(THEN, ZONE), rates.forecast)
        became = happened(connection, columns, Asked(THEN, ZONE), LATER, rates)
    [april] = row_results(rolled, became, ZONE, NOW)
    assert (april.row.currency, april.row.sum.amount) == ("EUR", Decimal(200))
    assert april.won == Tally(2, Decimal("7.50"))
    assert april.won_in == {"2026-02": Tally(1, Decimal("5.00"))}
    assert april.open_for == {"2026-04": Tally(1, Decimal("2.50"))}
    assert [(one.currency, one.tally.amount) for one in became.besides] == [
        ("EUR", Decimal("2.50"))
    ]
    assert [(own, one.value, str(one.day)) for own, one in became.used.rates] == [
        ("USD", Decimal("0.5"), "2026-03-01"),
        ("USD", Decimal("0.25"), "2026-04-10"),
    ]


def test_what_was_won_before_any_rate_goes_by_that_of_the_forecast(
    tables: Views, columns: Columns
) -> None:
    book = RateBook.of([rate("2026-03-10", "2", 1), rate("2026-05-01", "4", 2)])
    dollars = {"currency": "USD", "amount_minor": 1_000}
    change(
        tables,
        {
            "won in March": deal("2026-03-30", "won", "2026-03-05", **dollars),
            "yen": deal("2026-03-30", "won", "2026-03-05", currency="JPY", amount_minor=70),
            "francs": deal("2026-05-30", "won", "2026-05-05", currency="CHF")[:1],
            "later": deal("2026-05-30", "open", "2026-05-01", **dollars)[:1],
        },
    )
    rates = Rates(*(Conversion("EUR", day_in(one.as_of, ZONE), book) for one in (THEN, LATER)))
    with tables.reading() as connection:
        became = happened(connection, columns, Asked(THEN, ZONE), LATER, rates)
    assert [(one.currency, one.before, one.tally) for one in became.besides] == [
        ("EUR", "won", Tally(1, Decimal("5.00"))),
        ("JPY", "won", Tally(1, Decimal(70))),
    ]
    assert [(own, one.value, str(one.day)) for own, one in became.used.rates] == [
        ("USD", Decimal("0.5"), "2026-03-10")
    ]
    assert became.used.lacking == ("JPY",)


def test_an_earlier_moment_is_refused(tables: Views, columns: Columns) -> None:
    asked = Asked(LATER, ZONE)
    for against in (THEN, Moment(LATER.as_of, THEN.known_at), Moment(THEN.as_of, LATER.known_at)):
        with tables.reading() as connection, pytest.raises(ValueError, match="at a later moment"):
            happened(connection, columns, asked, against)
