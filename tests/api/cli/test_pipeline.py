"""`dealstate pipeline`: figures at any moment, grouped, with totals and caveats."""

import csv
import io
from pathlib import Path

import pytest

from api.wire.drilldown import DealBehind, DealsBehind
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
        (["--where", "region=West", "--where", "region=East"], "region is given twice"),
        (["--where", "lead-source=x", "--where", "lead_source="], "lead_source is given twice"),
        (["--where", "colour=red"], "there is no dimension 'colour'"),
        (["--as-of", "soon"], "is not a time"),
        (["--known-at", "2026-13-01"], "is not a time"),
        (["--deals", "merged"], "'merged' is not one of"),
        (["--deals", "open", "--after", "x"], "'x' is not a cursor"),
        (["--deals", "open", "--after", ""], "'' is not a cursor"),
        (["--deals", "open", "--limit", "0"], "greater than or equal to 1"),
        (["--deals", "open", "--plot", "x.svg"], "it draws figures, not deals"),
        (["--deals", "open", "--by", "owner"], "it groups figures, not deals"),
        (["--deals", "open", "--by", ""], "it groups figures, not deals"),
        (["--after", "x"], "it is for --deals"),
        (["--unknown-amount"], "it is for --deals"),
        (["--limit", "3"], "it is for --deals"),
        (["--plot", "figures.pdf"], "has to end in .svg or .png"),
    ],
)
def test_careless_options_are_usage_errors(run: Run, args: list[str], complaint: str) -> None:
    result = run("pipeline", *args)
    assert result.exit_code == 2
    assert complaint in result.stderr


# In one currency.


@pytest.fixture
def priced(write: Run) -> Run:
    """With rates between euros and dollars, one of them known late."""
    for args in (["1.20", "--day", "2026-01-01"], ["1.25", "--day", "2026-05-01"]):
        assert write("rates", "set", "EUR", "USD", *args).exit_code == 0
    return write


def test_amounts_are_told_in_one_currency(priced: Run) -> None:
    answer = asked(priced, "--currency", "USD", "--by", "stage")
    assert answer.reporting_currency == "USD"
    assert [(one.currency, one.rate, one.day) for one in answer.rates] == [
        ("EUR", "1.25", "2026-05-01")
    ]
    assert answer.currencies_without_rate == ["JPY"]
    rows = by_group(answer.rows)
    assert rows["P5", "USD"].won_amount == Amount("6250.00", "USD")
    assert rows["P2", "JPY"].open_amount == Amount("1200000", "JPY")
    # What has no rate stands behind all that has one.
    assert [row.currency for row in answer.rows] == ["USD", "USD", "USD", "JPY"]
    assert [(total.currency, total.open) for total in answer.totals] == [("USD", 2), ("JPY", 1)]
    counts = {key: (r.open, r.suspended, r.won, r.lost) for key, r in rows.items()}
    assert counts["P1", "USD"] == (1, 1, 0, 1)


def test_the_rate_is_that_of_the_day_as_it_was_known(priced: Run) -> None:
    asked_then = ["--currency", "USD", "--as-of", "2026-04-01"]
    assert [one.rate for one in asked(priced, *asked_then).rates] == ["1.2"]
    # These rates were recorded today.
    earlier = asked(priced, *asked_then, "--known-at", "2026-04-01")
    assert (earlier.rates, earlier.currencies_without_rate) == ([], ["EUR", "JPY"])


def test_by_currency_the_groups_are_the_currencies_of_the_deals(priced: Run) -> None:
    answer = asked(priced, "--currency", "USD", "--by", "currency")
    assert [(row.group["currency"], row.currency) for row in answer.rows] == [
        ("EUR", "USD"),
        ("USD", "USD"),
        ("JPY", "JPY"),
    ]
    table = priced("pipeline", "--currency", "USD", "--by", "currency")
    assert table.lines[2].split()[:3] == ["currency", "reported", "in"]
    assert [line.split()[:2] for line in table.lines[4:7]] == [
        ["EUR", "USD"],
        ["USD", "USD"],
        ["JPY", "JPY"],
    ]
    text = priced("pipeline", "--currency", "USD", "--by", "currency", "--format", "csv").stdout
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["currency"], row["won_amount_currency"]) for row in rows] == [
        ("EUR", "USD"),
        ("USD", "USD"),
        ("JPY", "JPY"),
    ]


@pytest.mark.parametrize("layout", ["table", "csv"])
def test_rates_and_what_lacks_one_are_said(priced: Run, layout: str) -> None:
    told = priced("pipeline", "--currency", "USD", "--format", layout).stderr
    assert "Converted with 1 EUR = 1.25 USD of 2026-05-01." in told
    assert "Note: no rate to USD is known for JPY; their amounts stay as they are, apart." in told


@pytest.mark.parametrize("code", ["usd", "EURO", "XXX", ""])
@pytest.mark.parametrize("more", [[], ["--deals", "open"]])
def test_what_is_no_currency_is_refused(run: Run, code: str, more: list[str]) -> None:
    result = run("pipeline", "--currency", code, *more)
    assert result.exit_code == 1
    assert f"{code!r} is not an ISO 4217 currency code" in result.stderr


# The deals behind a figure.


def listed(run: Run, *args: str) -> DealsBehind:
    return run("pipeline", "--deals", *args, "--format", "json").read(DealsBehind)


def test_the_deals_behind_a_figure_and_the_events_behind_each(run: Run) -> None:
    answer = listed(run, "lost", "--where", "stage=P1")
    (deal,) = answer.deals
    assert (answer.matching, answer.cursor) == (1, None)
    assert (deal.id, deal.name, deal.reference) == ("d-press", "Press line 压机", "P-1")
    assert (deal.amount, deal.weighted_amount) == (
        Amount("1054.00", "USD"),
        Amount("0.0000", "USD"),
    )
    assert (deal.status, deal.outcome) == ("lost", "lost-to-competitor")
    assert deal.owner == User("u-ben", "Ben Ito")
    assert deal.events is not None
    versions = {fact: event.removeprefix("deal:d-press@") for fact, event in deal.events.items()}
    assert versions == {
        **dict.fromkeys(["process", "currency", "region", "industry", "territory"], "1"),
        **dict.fromkeys(["product", "lead_source", "opened_at"], "1"),
        **dict.fromkeys(["stage"], "4"),
        **dict.fromkeys(["expected_close"], "5"),
        **dict.fromkeys(["owner"], "8"),
        **dict.fromkeys(["amount"], "9"),
        **dict.fromkeys(
            ["status", "outcome", "probability", "forecast_category", "closed_at"], "10"
        ),
    }


def test_the_events_are_those_that_were_known(run: Run) -> None:
    then = ["--as-of", "2026-03-05", "--where", "stage=P1", "--where", "currency=USD"]
    (now,) = [d for d in listed(run, "open", *then).deals if d.id == "d-press"]
    (earlier,) = [
        d for d in listed(run, "open", *then, "--known-at", "2026-03-19").deals if d.id == "d-press"
    ]
    assert (now.amount, (now.events or {})["amount"]) == (
        Amount("1054.00", "USD"),
        "deal:d-press@9",
    )
    assert (earlier.amount, (earlier.events or {})["amount"]) == (
        Amount("1000.00", "USD"),
        "deal:d-press@5",
    )


def test_pages_follow_one_another(run: Run) -> None:
    whole = listed(run, "all")
    assert whole.matching == len(whole.deals) == 6
    one: list[DealBehind] = []
    after: list[str] = []
    for _ in whole.deals:
        page = listed(run, "all", "--limit", "1", *after)
        one += page.deals
        after = ["--after", page.cursor or ""]
    assert [deal.id for deal in one] == [deal.id for deal in whole.deals]
    assert page.cursor is None
    # The largest number first, those without an amount last.
    sizes = [float(deal.amount.amount) if deal.amount else -1 for deal in whole.deals]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] == -1


def test_a_cursor_is_of_one_currency(priced: Run) -> None:
    page = listed(priced, "all", "--limit", "1", "--currency", "USD")
    assert page.cursor is not None
    result = priced("pipeline", "--deals", "all", "--after", page.cursor)
    assert result.exit_code == 2
    assert "list in another currency" in result.stderr


def test_deals_in_one_currency_stand_in_its_order(priced: Run) -> None:
    answer = listed(priced, "all", "--currency", "USD")
    told = [(deal.id, deal.reported_amount) for deal in answer.deals]
    assert told[0] == ("d-mill", Amount("6250.00", "USD"))
    assert told[1] == ("d-press", Amount("1054.00", "USD"))
    # Behind all that have a rate, those without, whatever their numbers.
    assert told[-1] == ("d-robot", None)
    assert answer.deals[-1].amount == Amount("1200000", "JPY")
    assert answer.currencies_without_rate == ["JPY"]
    assert [(one.currency, one.rate) for one in answer.rates] == [("EUR", "1.25")]


def test_deals_whose_amount_is_unknown(run: Run) -> None:
    answer = listed(run, "open", "--unknown-amount")
    assert [deal.amount for deal in answer.deals] == [None] * answer.matching
    assert answer.matching == sum(row.open_unknown_amount for row in asked(run).totals) > 0


def test_a_list_of_deals_reads_well(priced: Run) -> None:
    lines = priced("pipeline", "--deals", "all", "--currency", "USD").lines
    assert lines[0] == "6 deals now"
    (mill,) = [line for line in lines if line.startswith("M-1")]
    assert "5,000 EUR" in mill
    assert "6,250" in mill
    assert mill.rstrip().endswith("3, 1, 3, –")


def test_a_list_as_csv_names_the_events(run: Run) -> None:
    text = run("pipeline", "--deals", "won", "--format", "csv").stdout
    (row,) = csv.DictReader(io.StringIO(text))
    assert (row["id"], row["amount"], row["amount_currency"]) == ("d-mill", "5000.00", "EUR")
    assert (row["status_event"], row["amount_event"]) == ("deal:d-mill@3", "deal:d-mill@3")
    assert (row["stage_event"], row["expected_close_event"]) == ("deal:d-mill@1", "")
    assert (row["reported_amount"], row["reported_amount_currency"]) == ("", "")


def test_the_day_of_opening_is_that_of_the_time_zone(write: Run) -> None:
    for zone, day in (("UTC", "2026-01-10"), ("Pacific/Honolulu", "2026-01-09")):
        lines = write("--timezone", zone, "pipeline", "--deals", "all").lines
        assert day in next(line for line in lines if line.startswith("M-1"))


def test_whoever_acts_sees_the_figures_of_the_deals_they_may_read(write: Run) -> None:
    write("users", "grant", "u-anna", "seller")
    every = write("pipeline", "--deals", "all", "--format", "json").read(DealsBehind)
    owned = {deal.id for deal in every.deals if deal.owner.id == "u-anna"}
    as_anna = ("--as", "u-anna", "pipeline")
    listed = write(*as_anna, "--deals", "all", "--format", "json").read(DealsBehind)
    assert owned < {deal.id for deal in every.deals}
    assert owned <= {deal.id for deal in listed.deals} < {deal.id for deal in every.deals}
    totals = write(*as_anna, "--format", "json").read(Pipeline).totals
    counted = sum(one.open + one.suspended + one.won + one.lost + one.voided for one in totals)
    assert counted == listed.matching == len(listed.deals)


def test_where_there_are_no_deals_that_is_said(run: Run) -> None:
    result = run("pipeline", "--deals", "open", "--as-of", "2025-01-01")
    assert result.lines[0].startswith("0 deals as of 2025-01-01")
    assert "No deals then." in result.stderr


# The plot.


@pytest.mark.parametrize("name", ["figures.svg", "figures.PNG"])
def test_the_figures_can_be_drawn(run: Run, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    result = run("pipeline", "--by", "owner", "--plot", str(path))
    assert result.exit_code == 0
    drawn = path.read_bytes()
    if name.endswith("svg"):
        text = drawn.decode()
        assert "Open pipeline by owner, now" in text
        for label in ("Anna Lee", "Ben Ito", "ghost", "1 deal, 1 without amount", "JPY"):
            assert label in text
    else:
        assert drawn.startswith(b"\x89PNG")
