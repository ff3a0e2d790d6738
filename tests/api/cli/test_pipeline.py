"""`dealstate pipeline`: figures at any moment, grouped, with totals and caveats."""

import csv
import io

import pytest

from api.wire.pipelines import Pipeline, PipelineFigures
from api.wire.values import Amount, User
from projections.pipeline import DIMENSIONS
from tests.api.cli.conftest import Run


def asked(run: Run, *args: str) -> Pipeline:
    return run("pipeline", "--format", "json", *args).read(Pipeline)


def by_group(rows: list[PipelineFigures]) -> dict[tuple[object, ...], PipelineFigures]:
    return {(*row.group.values(), row.currency): row for row in rows}


def test_today_by_stage(run: Run) -> None:
    answer = asked(run)
    assert answer.group_by == ["stage"]
    rows = by_group(answer.rows)
    counts = {key: (r.open, r.suspended, r.won, r.lost) for key, r in rows.items()}
    assert counts == {
        ("P0", "USD"): (1, 0, 0, 0),
        ("P1", "EUR"): (1, 0, 0, 0),
        ("P1", "USD"): (0, 1, 0, 1),
        ("P2", "JPY"): (1, 0, 0, 0),
        ("P5", "EUR"): (0, 0, 1, 0),
    }
    assert rows["P2", "JPY"].open_amount == Amount("1200000", "JPY")
    assert rows["P2", "JPY"].open_weighted_amount == Amount("300000.00", "JPY")
    assert rows["P0", "USD"].open_unknown_amount == 1
    assert rows["P5", "EUR"].won_amount == Amount("5000.00", "EUR")


def test_totals_are_one_for_each_currency(run: Run) -> None:
    totals = {total.currency: total for total in asked(run).totals}
    assert {c: (t.open, t.won, t.lost, t.suspended) for c, t in totals.items()} == {
        "EUR": (1, 1, 0, 0),
        "JPY": (1, 0, 0, 0),
        "USD": (1, 0, 1, 1),
    }
    assert all(total.group == {} for total in totals.values())


@pytest.mark.parametrize(
    ("as_of", "known_at", "open_amount"),
    [
        ("2026-02-28", "now", "1800.00"),
        ("2026-03-02", "now", "1854.00"),
        ("2026-03-02", "2026-03-19", "1800.00"),
        ("2026-03-31", "2026-03-31", "1854.00"),
        ("2026-04-02", "now", "1054.00"),
        ("2026-05-04", "now", "0.00"),
    ],
)
def test_both_axes(run: Run, as_of: str, known_at: str, open_amount: str) -> None:
    answer = asked(
        run, "--as-of", as_of, "--known-at", known_at, "--by", "", "--where", "currency=USD"
    )
    (total,) = answer.totals
    assert total.open_amount == Amount(open_amount, "USD")
    assert answer.rows == answer.totals


def test_owners_have_names_and_are_asked_for_by_name(run: Run) -> None:
    rows = asked(run, "--by", "owner", "--where", "owner=Ben Ito").rows
    assert {row.currency: row.group["owner"] for row in rows} == {
        "EUR": User("u-ben", "Ben Ito"),
        "USD": User("u-ben", "Ben Ito"),
    }


def test_an_empty_value_finds_deals_without_one(run: Run) -> None:
    (row,) = asked(run, "--by", "region", "--where", "region=", "--where", "currency=EUR").rows
    assert row.group == {"region": None}
    assert row.open == 1


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_every_dimension_can_be_grouped_and_filtered(run: Run, dimension: str) -> None:
    assert sum(r.open for r in asked(run, "--by", dimension).rows) == 3
    assert asked(run, "--where", f"{dimension}=nothing has this").rows == []


def test_dimensions_may_be_several_and_hyphenated(run: Run) -> None:
    answer = asked(run, "--by", "region, forecast-category,region")
    assert answer.group_by == ["region", "forecast_category"]


def test_what_limits_the_answer_is_said(run: Run) -> None:
    asked_then = ["--as-of", "2026-05-01", "--known-at", "2026-05-01"]
    (caveat,) = asked(run, *asked_then).caveats
    assert caveat.startswith("1 event of import:old, whose source does not say when it was known")
    for layout in ("table", "csv"):
        assert f"Note: {caveat}." in run("pipeline", *asked_then, "--format", layout).stderr
    assert asked(run, "--as-of", "2026-05-01").caveats == []


def test_csv_has_a_column_for_each_dimension(run: Run) -> None:
    text = run("pipeline", "--by", "owner,region", "--format", "csv").stdout
    rows = list(csv.DictReader(io.StringIO(text)))
    assert list(rows[0])[:4] == ["owner", "region", "currency", "open"]
    evil = next(row for row in rows if row["owner"] == "ghost")
    assert (evil["region"], evil["open"], evil["open_amount"]) == ("EMEA", "1", "0.00")


def test_grouped_by_currency_there_is_one_column_for_it(run: Run) -> None:
    header = run("pipeline", "--by", "currency", "--format", "csv").lines[0]
    assert header.split(",").count("currency") == 1
    table = run("pipeline", "--by", "currency").lines
    assert table[2].split().count("currency") == 1
    assert any(line.startswith("total USD") for line in table)


def test_a_table_reads_well(run: Run) -> None:
    lines = run("pipeline", "--as-of", "2026-03-31").lines
    assert lines[0] == "Pipeline as of 2026-03-31, with what is known today"
    (row,) = [line for line in lines if line.startswith("P2 Project approved")]
    figures = ["JPY", "1", "1,200,000", "300,000", "–", "–", "–", "–", "59", "–", "–"]
    assert row.split()[-11:] == figures
    assert [line.split()[:2] for line in lines if line.startswith("total")] == [
        ["total", "EUR"],
        ["total", "JPY"],
        ["total", "USD"],
    ]


def test_before_the_first_deal_there_is_nothing(run: Run) -> None:
    result = run("pipeline", "--as-of", "2025-01-01")
    assert result.exit_code == 0
    assert "No deals then." in result.stderr


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        (["--by", "colour"], "there is no dimension 'colour'"),
        (["--where", "region"], "not of the form DIM=VALUE"),
        (["--where", "colour=red"], "there is no dimension 'colour'"),
        (["--as-of", "soon"], "is not a time"),
        (["--known-at", "2026-13-01"], "is not a time"),
    ],
)
def test_careless_options_are_usage_errors(run: Run, args: list[str], complaint: str) -> None:
    result = run("pipeline", *args)
    assert result.exit_code == 2
    assert complaint in result.stderr
