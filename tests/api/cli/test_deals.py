"""`dealstate deals`: filters, order, pages, and the three formats."""

import csv
import io

import msgspec
import pytest

from api.cli.output import fields_of
from api.wire.deals import Deal, DealPage
from tests.api.cli.conftest import Run

ALL = ["M-2", "S-1", "E-1", "R-1", "M-1", "P-1"]
"""References in the order of the listing: opened last first."""


def listed(run: Run, *args: str) -> list[str | None]:
    """References of the deals that the listing answers with."""
    page = run("deals", "--format", "json", *args).read(DealPage)
    return [deal.reference for deal in page.deals]


def test_deals_are_listed_opened_last_first(run: Run) -> None:
    assert listed(run) == ALL


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (["--status", "lost"], ["P-1"]),
        (["--status", "open"], ["M-2", "E-1", "R-1"]),
        (["--outcome", "lost-to-competitor"], ["P-1"]),
        (["--owner", "u-anna"], ["S-1", "R-1"]),
        (["--owner", "Anna Lee"], ["S-1", "R-1"]),
        (["--owner", "ghost"], ["E-1"]),
        (["--manager", "梅芳"], ["P-1"]),
        (["--manager", ""], ["M-2", "S-1", "E-1", "R-1", "M-1"]),
        (["--stage", "P1"], ["M-2", "S-1", "P-1"]),
        (["--region", "EMEA"], ["E-1", "P-1"]),
        (["--region", ""], ["M-2", "S-1"]),
        (["--industry", "steel"], ["P-1"]),
        (["--territory", "North"], ["P-1"]),
        (["--product", "Mill, Service"], ["M-1"]),
        (["--currency", "EUR"], ["M-2", "M-1"]),
        (["--process", "key-account/1"], ALL),
        (["--business-type", "renewal"], []),
        (["--search", "mill"], ["M-2", "M-1"]),
        (["--search", "压机"], ["P-1"]),
        (["--search", "acme"], ["P-1"]),
        (["--search", "R-1"], ["R-1"]),
        (["--search", "%"], []),
        (["--currency", "EUR", "--status", "won"], ["M-1"]),
    ],
)
def test_filters(run: Run, args: list[str], expected: list[str]) -> None:
    assert listed(run, *args) == expected


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("opened_at", ALL[::-1]),
        ("amount", ["S-1", "P-1", "M-1", "R-1", "E-1", "M-2"]),
        ("-amount", ["R-1", "M-1", "P-1", "S-1", "M-2", "E-1"]),
        ("expected_close", ["P-1", "R-1", "E-1", "M-2", "M-1", "S-1"]),
        ("name", ["E-1", "M-2", "M-1", "P-1", "S-1", "R-1"]),
    ],
)
def test_order_with_deals_that_lack_the_key_last(run: Run, sort: str, expected: list[str]) -> None:
    assert listed(run, "--sort", sort) == expected


@pytest.mark.parametrize("sort", ["-opened_at", "amount", "-expected_close", "name", "closed_at"])
def test_pages_together_are_the_whole_listing(run: Run, sort: str) -> None:
    found: list[str | None] = []
    after: list[str] = []
    for _ in range(len(ALL)):
        result = run("deals", "--format", "json", "--sort", sort, "--limit", "2", *after)
        page = result.read(DealPage)
        found += [deal.reference for deal in page.deals]
        if page.cursor is None:
            break
        after = ["--after", page.cursor]
    assert found == listed(run, "--sort", sort)


def test_a_deal_has_the_keys_of_the_interfaces(run: Run) -> None:
    page = run("deals", "--format", "json", "--search", "压机").read(DealPage)
    assert msgspec.to_builtins(page.deals[0]) == {
        "id": "d-press",
        "reference": "P-1",
        "name": "Press line 压机",
        "version": 10,
        "status": "lost",
        "outcome": "lost-to-competitor",
        "account": "Acme Steel",
        "account_id": "a-1",
        "industry": "steel",
        "region": "EMEA",
        "territory": "North",
        "product": "Press",
        "business_type": None,
        "process": "key-account/1",
        "stage": "P1",
        "stage_entered_at": "2026-02-02T09:00:00.000000Z",
        "amount": {"amount": "1054.00", "currency": "USD"},
        "currency": "USD",
        "expected_close": "2026-04-30",
        "probability": 0,
        "forecast_category": "omitted",
        "grade": None,
        "owner": {"id": "u-ben", "name": "Ben Ito"},
        "manager": {"id": "u-mei", "name": "梅芳"},
        "lead_source": "fair",
        "opened_at": "2026-01-05T09:00:00.000000Z",
        "closed_at": "2026-05-04T09:00:00.000000Z",
        "last_occurred_at": "2026-05-04T09:00:00.000000Z",
    }


def test_a_user_who_is_not_registered_has_no_name(run: Run) -> None:
    page = run("deals", "--format", "json", "--owner", "ghost").read(DealPage)
    assert msgspec.to_builtins(page.deals[0].owner) == {"id": "ghost", "name": None}


def test_csv_has_a_column_for_every_key_whatever_the_rows(run: Run) -> None:
    rows = list(csv.DictReader(io.StringIO(run("deals", "--format", "csv").stdout)))
    assert list(rows[0]) == [field.name for field in fields_of(Deal)]
    by_reference = {row["reference"]: row for row in rows}
    press, evil = by_reference["P-1"], by_reference["E-1"]
    assert (press["amount"], press["amount_currency"]) == ("1054.00", "USD")
    assert (press["owner_id"], press["owner"]) == ("u-ben", "Ben Ito")
    assert (evil["amount"], evil["amount_currency"]) == ("", "")
    assert run("deals", "--format", "csv", "--status", "voided").lines == [",".join(rows[0])]


def test_a_table_is_not_cut_where_there_is_no_terminal(run: Run) -> None:
    (line,) = [line for line in run("deals").lines if "P-1" in line]
    for text in ("Press line 压机", "lost-to-competitor", "1,054 USD", "2026-05-04", "Ben Ito"):
        assert text in line


def test_columns_stand_below_each_other_also_in_chinese(run: Run) -> None:
    from rich.cells import cell_len

    lines = run("deals", "--currency", "JPY").lines
    before_status = [line.index("status") for line in lines[:1]]
    (row,) = [line for line in lines if "机器人" in line]
    assert cell_len(row[: row.index("open")]) == before_status[0]


def test_amounts_of_one_currency_have_it_in_the_header(run: Run) -> None:
    lines = run("deals", "--currency", "EUR").lines
    assert "amount EUR" in lines[0]
    assert any(" 5,000 " in line for line in lines)


def test_names_cannot_command_the_terminal(run: Run) -> None:
    shown = run("deals", "--owner", "ghost").stdout
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "�[31mEvil [bold]x[/bold]�=1+1" in shown


def test_no_deals_are_said_beside_the_answer(run: Run) -> None:
    result = run("deals", "--status", "voided")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "No deals match.\n")


def test_a_page_that_is_not_the_last_says_how_to_go_on(run: Run) -> None:
    assert "--after " in run("deals", "--limit", "2").stderr
    assert run("deals", "--limit", "6").stderr == ""


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        (["--sort", "colour"], "use one of opened_at"),
        (["--sort", "--amount"], "use one of opened_at"),
        (["--limit", "0"], "--limit"),
        (["--limit", "many"], "--limit"),
        (["--status", "asleep"], "--status"),
        (["--format", "xml"], "--format"),
        (["--after", "nonsense"], "is not a cursor"),
        (["--after", "WzFd"], "is not a cursor"),
        (["--colour", "red"], "No such option"),
        (["surplus"], "surplus"),
    ],
)
def test_careless_options_are_usage_errors(run: Run, args: list[str], complaint: str) -> None:
    result = run("deals", *args)
    assert result.exit_code == 2
    assert complaint in result.stderr
    assert result.stdout == ""


def test_a_cursor_of_another_order_is_refused(run: Run) -> None:
    cursor = run("deals", "--limit", "1", "--format", "json").read(DealPage).cursor
    assert cursor is not None
    result = run("deals", "--sort", "amount", "--after", cursor)
    assert result.exit_code == 2
    assert "another order" in result.stderr


def test_a_name_that_two_users_have_is_refused(run: Run) -> None:
    result = run("deals", "--owner", "Sam Roe")
    assert result.exit_code == 1
    assert "(ambiguous-user)" in result.stderr
    assert "u-sam-1, u-sam-2" in result.stderr
