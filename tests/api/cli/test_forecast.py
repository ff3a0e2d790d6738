"""`dealstate forecast`: the open deals by month, what became of them, and how a month came."""

import csv
import io
from contextlib import closing
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from api.cli.forecast_lists import print_history
from api.cli.forecast_tables import signed, told_conversion
from api.cli.output import Format
from api.queries.forecasts import (
    ForecastQuery,
    HistoryQuery,
    ask_forecast,
    ask_forecast_history,
)
from api.queries.instants import Instants
from api.wire.conversions import UsedRate
from api.wire.forecasts import Forecast, ForecastDeals, ForecastHistory, ForecastTally
from api.wire.values import Amount
from api.workspace import Workspace
from store.location import Location
from tests.api.cli.conftest import Run, run_command
from tests.api.serving import HOLDER
from tests.api.small_store import at

APRIL = ("--as-of", "2026-03-12", "--known-at", "2026-03-12")


def asked(run: Run, *args: str) -> Forecast:
    return run("forecast", "--format", "json", *args).read(Forecast)


def test_the_open_deals_stand_in_the_month_they_should_close_in(run: Run) -> None:
    answer = asked(run, *APRIL)
    assert [
        (row.close, row.category, row.currency, row.sum.deals, row.sum.amount.amount)
        for row in answer.rows
    ] == [
        ("2026-04", "pipeline", "USD", 1, "1000.00"),
        ("2026-12", "pipeline", "JPY", 1, "1200000"),
        ("undated", "most-likely", "EUR", 1, "4500.00"),
        ("undated", "pipeline", "USD", 2, "800.00"),
    ]
    assert [one.unknown_amounts for one in answer.sums] == [0, 0, 1]
    assert (answer.totals, answer.months, answer.against_as_of) == ([], [], None)
    assert answer.rows[0].sum.weighted_amount == Amount("200.00", "USD")


def test_what_was_entered_late_is_not_in_an_earlier_forecast(run: Run) -> None:
    late = asked(run, "--as-of", "2026-03-12")
    assert [row.sum.amount.amount for row in late.rows if row.close == "2026-04"] == ["1054.00"]


def test_a_forecast_beside_what_became_of_it(run: Run) -> None:
    answer = asked(run, *APRIL, "--against", "now", "--by", "owner")
    by_close = {(row.close, row.currency): row.outcome for row in answer.rows}
    april = by_close["2026-04", "USD"]
    assert april is not None
    assert {why: one.deals for why, one in april.lost.items()} == {"lost-to-competitor": 1}
    assert (april.won.deals, april.error) == (0, Amount("200.00", "USD"))
    mill = by_close["undated", "EUR"]
    assert mill is not None
    assert {month: one.amount.amount for month, one in mill.won_in.items()} == {
        "2026-03": "5000.00"
    }
    assert mill.error is None
    [march] = [one for one in answer.months if one.won.deals]
    assert (march.month, march.forecast_otherwise.deals, march.won.amount) == (
        "2026-03",
        1,
        Amount("5000.00", "EUR"),
    )
    assert sum(row.sum.deals for row in answer.totals) == 5
    assert all(row.outcome is None for row in answer.totals)


def test_the_table_says_close_and_category_once(run: Run) -> None:
    lines = run("forecast", *APRIL).lines
    assert lines[0] == "Forecast as of 2026-03-12, as known at 2026-03-12"
    assert lines[2].split()[:5] == ["close", "category", "currency", "deals", "amount"]
    assert lines[4].split()[:5] == ["2026-04", "pipeline", "USD", "1", "1,000"]
    assert [line.split()[0] for line in lines[-3:]] == ["total"] * 3
    beside = run("forecast", *APRIL, "--against", "2026-05-31", "--by", "owner").lines
    assert "All groups" in beside
    assert any(line.startswith("What was won by 2026-05-31") for line in beside)
    assert any("2026-03: 1" in line for line in beside)


def test_differences_have_a_sign() -> None:
    assert signed(Amount("12.50", "EUR")) == "+13"
    assert signed(Amount("-1200", "EUR")) == "-1,200"
    assert (signed(None), signed(Amount("0.00", "EUR"))) == ("–", "–")


def test_csv_has_a_row_for_each_of_the_forecast(run: Run) -> None:
    plain = run("forecast", *APRIL, "--by", "owner", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(plain.stdout)))
    assert {row["owner"] for row in rows} == {"Anna Lee", "Ben Ito", "ghost"}
    assert "won" not in rows[0]
    beside = run("forecast", *APRIL, "--against", "now", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(beside.stdout)))
    assert rows[0]["lost"].startswith('{"lost-to-competitor":{"deals":1')
    assert rows[0]["error"] == rows[0]["weighted_amount"]
    assert rows[-1]["error"] == ""


def test_the_deals_of_a_forecast_name_the_events_behind_its_facts(run: Run) -> None:
    def page(*args: str) -> ForecastDeals:
        return run("forecast", "--deals", "--format", "json", *args).read(ForecastDeals)

    first = page(*APRIL, "--limit", "2")
    assert [one.reference for one in first.deals] == ["P-1", "R-1"]
    press = first.deals[0]
    assert (press.stage, press.amount, press.close) == ("P1", Amount("1000.00", "USD"), "2026-04")
    assert press.events == {
        "stage": "deal:d-press@4",
        "expected_close": "deal:d-press@5",
        "amount": "deal:d-press@5",
        "probability": "deal:d-press@4",
    }
    assert first.cursor is not None
    rest = page(*APRIL, "--after", first.cursor)
    assert [one.reference for one in rest.deals] == ["E-1", "M-1", "S-1"]
    assert rest.cursor is None
    assert [one.reference for one in page(*APRIL, "--month", "2026-12").deals] == ["R-1"]
    assert [one.reference for one in page("--as-of", "2026-05-01", "--month", "overdue").deals] == [
        "P-1"
    ]
    table = run("forecast", "--deals", "--as-of", "2026-05-01").lines
    assert any("2026-04-30 overdue" in line and "4, 5, 9, 4" in line for line in table)
    listed = run("forecast", "--deals", "--format", "csv").stdout
    assert next(csv.DictReader(io.StringIO(listed)))["stage_event"] == "deal:d-robot@1"


def test_a_month_stands_week_by_week_beside_its_result(run: Run) -> None:
    answer = run("forecast", "--month", "2026-04", "--weekly", "--format", "json").read(
        ForecastHistory
    )
    amounts = [(one.at[:10], one.open.amount.amount) for one in answer.standings]
    assert ("2026-02-12", "1000.00") in amounts
    assert ("2026-03-26", "1054.00") in amounts
    assert amounts[-1] == ("2026-04-30", "1054.00")
    assert (answer.over, answer.result) == (True, [])
    march = run("forecast", "--month", "2026-03", "--monthly").lines
    assert march[0] == "Forecast of 2026-03, each with the knowledge of its day"
    assert "Won in 2026-03: 5,000 EUR in 1" in march
    rows = run("forecast", "--month", "2026-03", "--weekly", "--format", "csv").stdout
    last = list(csv.DictReader(io.StringIO(rows)))[-1]
    assert (last["day"], last["category"], last["amount"]) == ("2026-03-31", "won", "5000.00")


def test_a_month_that_lies_ahead_has_no_result_yet(run: Run) -> None:
    lines = run("forecast", "--month", "2031-01", "--weekly").lines
    assert lines[2:] == ["2031-01 is not over at the moment asked for."]
    running = run("forecast", "--month", "2026-12", "--monthly", "--as-of", "2026-10-31").lines
    assert "2026-12 is not over at the moment asked for." in running


def test_plots_are_drawn(run: Run, tmp_path: Path) -> None:
    for name, args in {
        "then.svg": (*APRIL, "--against", "now"),
        "empty.svg": ("--as-of", "2020-01-01"),
        "month.svg": ("--month", "2026-04", "--weekly"),
        "ahead.svg": ("--month", "2031-01", "--monthly"),
    }.items():
        assert run("forecast", *args, "--plot", str(tmp_path / name)).exit_code == 0
        assert "<svg" in (tmp_path / name).read_text(encoding="utf-8")
    assert "nothing to show" in (tmp_path / "empty.svg").read_text(encoding="utf-8")


def test_nothing_open_is_an_answer(run: Run) -> None:
    result = run("forecast", "--as-of", "2020-01-01")
    assert (result.exit_code, "No open deals then." in result.stderr) == (0, True)
    assert asked(run, "--as-of", "2020-01-01").sums == []


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        (["--by", "colour"], "'--by': there is no dimension 'colour'"),
        (["--where", "region"], "'--where'"),
        (["--against", "2026-01-01"], "'--against': what became of a forecast shows later"),
        (["--month", "2026-03"], "'--month': it is for --deals, --weekly and --monthly"),
        (["--weekly"], "'--weekly': say of which month"),
        (["--deals", "--month", "2026-3"], "'--month': '2026-3' is no month"),
        (["--weekly", "--month", "overdue"], "'--month'"),
        (["--weekly", "--monthly", "--month", "2026-03"], "it does not go with --weekly"),
        (["--deals", "--against", "now"], "'--against': it does not go with --deals"),
        (["--deals", "--by", "owner"], "'--by': it does not go with --deals"),
        (["--deals", "--plot", "x.svg"], "'--plot': it draws figures"),
        (["--after", "x"], "'--after': it is for --deals"),
        (["--deals", "--after", "x"], "'--after': 'x' is not a cursor"),
        (["--limit", "1"], "'--limit': it is for --deals"),
        (["--limit", "50", "--month", "2026-03", "--weekly"], "'--limit': it is for --deals"),
    ],
)
def test_careless_options_are_usage_errors(run: Run, args: list[str], complaint: str) -> None:
    result = run("forecast", *args)
    assert result.exit_code == 2
    assert complaint in " ".join(result.stderr.replace("│", " ").split())


def test_unknown_currencies_and_two_names_are_told(run: Run) -> None:
    for args, code in (
        (("--currency", "XYZ"), "(unknown-currency)"),
        (("--month", "2026-03", "--weekly", "--currency", "XYZ"), "(unknown-currency)"),
        (("--deals", "--currency", "XYZ"), "(unknown-currency)"),
        (("--where", "owner=Sam Roe"), "(ambiguous-user)"),
    ):
        result = run("forecast", *args)
        assert (result.exit_code, code in result.stderr) == (1, True), result.stderr


def test_a_currency_without_a_rate_is_told(run: Run) -> None:
    result = run("forecast", *APRIL, "--currency", "EUR", "--against", "now")
    assert "no rate to EUR is known for JPY, USD" in " ".join(result.stderr.split())
    month = run("forecast", "--month", "2026-03", "--weekly", "--currency", "EUR")
    assert "Won in 2026-03: 5,000 EUR in 1" in month.lines


# Months that are not over.


def test_a_month_is_over_once_it_is_so_on_both_axes_and_by_the_clock(small_store: str) -> None:
    store = Workspace.open(Location.parse(small_store), clock=lambda: at("2026-06-15"))
    with closing(store):
        then = Instants(at("2026-03-12"), at("2026-03-12"))
        for against in (
            Instants(at("2030-01-01")),
            Instants(at("2030-01-01"), at("2030-01-01")),
            Instants(at("2030-01-01"), at("2026-06-10")),
        ):
            answer = ask_forecast(store, HOLDER, then, ForecastQuery(against=against))
            months = {one.month: one.error is None for one in answer.months}
            assert months == {"2026-03": False, "2026-04": False, "2026-12": True}
            errors = {row.close: row.outcome and row.outcome.error for row in answer.rows}
            assert (errors["2026-04"] is None, errors["2026-12"] is None) == (False, True)
        for month, over in (("2026-05", True), ("2026-06", False), ("2026-12", False)):
            for late in (Instants(at("2030-01-01")), Instants(at("2030-01-01"), at("2030-01-01"))):
                history = ask_forecast_history(store, HOLDER, late, HistoryQuery(month))
                assert history.over is over


def test_where_knowledge_ends_a_month_is_not_over(run: Run) -> None:
    asked_then = ("--month", "2026-03", "--monthly", "--known-at", "2026-03-15")
    lines = run("forecast", *asked_then).lines
    assert "2026-03 is not over at the moment asked for." in lines
    assert [line for line in lines if line.startswith("Won in")] == []


def test_what_was_won_without_a_forecast_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    won = ForecastTally(2, Amount("700.00", "EUR"), 0)
    answer = ForecastHistory(
        month="2026-03",
        as_of="2026-06-01T00:00:00Z",
        known_at="2026-06-01T00:00:00Z",
        over=True,
        reporting_currency=None,
        rates=[],
        rates_left_out=0,
        currencies_without_rate=[],
        standings=[],
        result=[won],
        caveats=[],
    )
    print_history(answer, Format.TABLE, ZoneInfo("UTC"))
    printed = capsys.readouterr()
    assert "Won in 2026-03: 700 EUR in 2" in printed.out
    assert "nothing was won" not in printed.err


def test_what_was_missing_from_standings_is_not_called_missing_from_the_answer(run: Run) -> None:
    told = " ".join(run("forecast", "--month", "2026-06", "--monthly").stderr.split())
    assert "and not in this answer" not in told
    assert "known from the import on, and not in the standings before it." in told
    early = run("forecast", "--month", "2026-06", "--monthly", "--known-at", "2026-05-01")
    assert "and not in this answer" in " ".join(early.stderr.split())


# In one currency.


@pytest.fixture
def priced(write: Run) -> Run:
    """With two rates of the euro to the dollar."""
    for args in (["1.20", "--day", "2026-01-01"], ["1.25", "--day", "2026-03-13"]):
        assert write("rates", "set", "EUR", "USD", *args).exit_code == 0
    return write


BOTH = [("EUR", "1.2", "2026-01-01"), ("EUR", "1.25", "2026-03-13")]


def test_every_rate_that_was_used_is_named(priced: Run) -> None:
    in_dollars = ("--as-of", "2026-03-12", "--currency", "USD")
    answer = asked(priced, *in_dollars)
    assert [(one.currency, one.rate, one.day) for one in answer.rates] == BOTH[:1]
    beside = asked(priced, *in_dollars, "--against", "2026-05-31")
    assert [one.won.amount for one in beside.months if one.won.deals] == [Amount("6250.00", "USD")]
    assert [(one.currency, one.rate, one.day) for one in beside.rates] == BOTH
    assert beside.rates_left_out == 0
    assert beside.currencies_without_rate == ["JPY"]
    told = " ".join(priced("forecast", *in_dollars, "--against", "2026-05-31").stderr.split())
    assert "1 EUR = 1.2 USD of 2026-01-01, 1.25 of 2026-03-13." in told


def test_a_history_names_its_rates_and_what_has_none(priced: Run) -> None:
    month = ("--month", "2026-03", "--monthly", "--currency")
    answer = priced("forecast", *month, "USD", "--format", "json").read(ForecastHistory)
    assert [(one.currency, one.rate, one.day) for one in answer.rates] == BOTH[1:]
    # The rates were entered after the month: no standing knew them.
    assert answer.currencies_without_rate == ["EUR"]
    assert [one.amount for one in answer.result] == [Amount("6250.00", "USD")]
    told = " ".join(priced("forecast", *month, "USD").stderr.split())
    assert "1 EUR = 1.25 USD of 2026-03-13" in told
    assert "on some days no rate to USD is known for EUR" in told
    other = priced("forecast", *month, "JPY", "--format", "json").read(ForecastHistory)
    assert (other.rates, other.currencies_without_rate) == ([], ["EUR"])
    told = " ".join(priced("forecast", *month, "JPY").stderr.split())
    assert "no rate to JPY is known for EUR" in told


def test_many_rates_are_summed_up() -> None:
    rates = [UsedRate("USD", f"1.{day}", f"2026-03-{day}") for day in range(10, 20)]
    rates.append(UsedRate("JPY", "120", "2026-03-01"))
    assert list(told_conversion("EUR", rates, 40, [])) == [
        (
            "Converted with 1 USD = 1.10 EUR of 2026-03-10, 1.11 of 2026-03-11, 1.12 of"
            " 2026-03-12; 1 JPY = 120 EUR of 2026-03-01; and 47 more rates of other days."
        )
    ]
    assert list(told_conversion("EUR", rates[-1:], 0, ["CHF", "JPY"])) == [
        "Converted with 1 JPY = 120 EUR of 2026-03-01.",
        "Note: no rate to EUR is known for CHF; their amounts stay as they are, apart.",
        (
            "Note: on some days no rate to EUR is known for JPY; amounts without one stay as they"
            " are, apart."
        ),
    ]


def test_the_deals_of_a_forecast_are_told_in_one_currency(priced: Run) -> None:
    args = ("forecast", "--deals", "--as-of", "2026-03-12", "--currency", "USD")
    answer = priced(*args, "--format", "json").read(ForecastDeals)
    assert answer.reporting_currency == "USD"
    assert [(one.currency, one.rate, one.day) for one in answer.rates] == BOTH[:1]
    assert answer.currencies_without_rate == ["JPY"]
    by_reference = {one.reference: one for one in answer.deals}
    assert by_reference["M-1"].amount == Amount("4500.00", "EUR")
    assert by_reference["M-1"].reported_amount == Amount("5400.00", "USD")
    assert by_reference["R-1"].reported_amount is None
    assert by_reference["P-1"].reported_amount == Amount("1054.00", "USD")
    table = priced(*args)
    assert "in USD" in table.stdout
    [mill] = [line for line in table.lines if line.startswith("M-1")]
    assert "5,400" in mill
    assert "1 EUR = 1.2 USD of 2026-01-01" in table.stderr
    listed = priced(*args, "--format", "csv").stdout
    rows = {row["reference"]: row for row in csv.DictReader(io.StringIO(listed))}
    assert rows["M-1"]["reported_amount"] == "5400.00"


def test_the_currency_of_the_deals_and_that_of_the_amounts_have_columns_of_their_own(
    priced: Run,
) -> None:
    args = ("forecast", "--as-of", "2026-03-12", "--by", "currency")
    listed = priced(*args, "--currency", "USD", "--format", "csv").stdout
    header = listed.splitlines()[0].split(",")
    assert len(header) == len(set(header))
    rows = list(csv.DictReader(io.StringIO(listed)))
    assert {(row["currency"], row["reported_in"]) for row in rows} == {
        ("EUR", "USD"),
        ("JPY", "JPY"),
        ("USD", "USD"),
    }
    told = [line for line in priced(*args, "--currency", "USD").lines if "weighted" in line]
    assert told
    assert all(line.count("currency") == 1 and "reported in" in line for line in told[:1])
    for plain in (priced(*args, "--format", "csv").lines[0], priced(*args).lines[2]):
        assert plain.count("currency") == 1


# Who may read.


def test_deals_that_are_not_theirs_to_read_are_in_no_forecast(own_store: str) -> None:
    assert run_command("--db", own_store, "users", "grant", "u-anna", "seller").exit_code == 0
    args = ("--db", own_store, "forecast", "--deals", *APRIL, "--format", "json")
    every = run_command(*args).read(ForecastDeals)
    theirs = run_command(*args, "--as", "u-anna").read(ForecastDeals)
    assert 0 < len(theirs.deals) < len(every.deals)
    assert all(one in every.deals for one in theirs.deals)
