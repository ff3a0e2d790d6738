"""`dealstate forecast`: the open deals by month, what became of them, and how a month came."""

import csv
import io
from pathlib import Path

import pytest

from api.cli.forecast_tables import signed
from api.wire.forecasts import Forecast, ForecastDeals, ForecastHistory
from api.wire.values import Amount
from tests.api.cli.conftest import Run

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
    assert len(lines) == 2
    running = run("forecast", "--month", "2026-12", "--monthly", "--as-of", "2026-10-31").lines
    assert "2026-12 is not over." in running


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
        (("--where", "owner=Sam Roe"), "(ambiguous-user)"),
    ):
        result = run("forecast", *args)
        assert (result.exit_code, code in result.stderr) == (1, True), result.stderr


def test_a_currency_without_a_rate_is_told(run: Run) -> None:
    result = run("forecast", *APRIL, "--currency", "EUR", "--against", "now")
    assert "no rate to EUR is known for JPY, USD" in " ".join(result.stderr.split())
    month = run("forecast", "--month", "2026-03", "--weekly", "--currency", "EUR")
    assert "Won in 2026-03: 5,000 EUR in 1" in month.lines
