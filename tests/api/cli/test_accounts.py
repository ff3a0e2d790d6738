"""`dealstate accounts` and `account`: customers across their deals, and whom we met there."""

import csv
import io

import pytest

from api.wire.accounts import AccountDetail, AccountList
from tests.api.cli.conftest import Run


@pytest.fixture
def customers(write: Run) -> Run:
    """Zenith with a won, a lost and two open deals, one without amount; Bolt with one in yen."""
    made = {
        "A-1": ("zenith", "Zenith", "EUR", "new"),
        "A-2": ("zenith", "Zenith", "EUR", "renewal"),
        "A-3": ("zenith", "ZENITH Group", "USD", "new"),
        "A-4": ("zenith", "ZENITH Group", "EUR", None),
        "B-1": ("bolt", "Bolt 螺栓", "JPY", None),
    }
    for deal, (key, name, currency, kind) in made.items():
        kind_told = f', "business_type": "{kind}"' if kind else ""
        write(
            *("record", deal, "open-opportunity", "--data"),
            f'{{"name": "{deal}", "owner": "u-anna", "currency": "{currency}",'
            f' "account": {{"id": "{key}", "name": "{name}"}}{kind_told}}}',
        )
    amounts = {"A-1": "100.00 EUR", "A-2": "40.00 EUR", "A-3": "10.00 USD", "B-1": "900 JPY"}
    for deal, text in amounts.items():
        amount, currency = text.split()
        money = f'{{"amount": {{"amount": "{amount}", "currency": "{currency}"}}}}'
        write("record", deal, "revise-forecast", "--data", money)
    write("record", "A-1", "win-opportunity", "--data", "{}")
    write("record", "A-2", "lose-opportunity", "--data", '{"outcome": "no-decision"}')
    return write


def asked(run: Run, *args: str) -> AccountList:
    return run("accounts", "--format", "json", *args).read(AccountList)


def test_an_account_sums_its_deals(customers: Run) -> None:
    [zenith] = asked(customers, "--search", "zenith").accounts
    # As its deal has it in which something happened last.
    assert (zenith.key, zenith.name) == ("zenith", "Zenith")
    assert (zenith.deals, zenith.open, zenith.won, zenith.lost) == (4, 2, 1, 1)
    assert zenith.win_rate == "0.5000"
    assert zenith.business_types == ["new", "renewal"]
    told = [(m.currency, m.won.amount, m.open.amount, m.open_without_amount) for m in zenith.money]
    assert told == [("EUR", "100.00", "0.00", 1), ("USD", "0.00", "10.00", 0)]


def test_amounts_are_reported_in_one_currency_and_what_has_no_rate_stands_apart(
    customers: Run,
) -> None:
    customers("rates", "set", "EUR", "USD", "1.25", "--day", "2026-01-02")
    answer = asked(customers, "--currency", "EUR", "--sort", "open")
    assert answer.accounts[0].key == "zenith"
    [first] = [one for one in answer.accounts if one.key == "zenith"]
    assert [(m.currency, m.open.amount) for m in first.money] == [("EUR", "8.00")]
    assert "JPY" in answer.currencies_without_rate
    assert [one.currency for one in answer.rates] == ["USD"]


def test_amounts_have_no_order_without_a_currency(customers: Run) -> None:
    result = customers("accounts", "--sort", "won")
    assert result.exit_code == 2
    assert "say in which to report with --currency" in result.stderr


def test_a_list_goes_on_where_it_ended(customers: Run) -> None:
    every = [one.key for one in asked(customers).accounts]
    found, cursor = [], ""
    while True:
        page = asked(customers, "--limit", "1", *(["--after", cursor] if cursor else []))
        found += [one.key for one in page.accounts]
        if page.cursor is None:
            break
        cursor = page.cursor
    assert found == every
    assert len(set(found)) == len(found) == page.matching


@pytest.mark.parametrize("cursor", ["zzz", "", "WyJ3b24iLCJ4Il0"])
def test_what_is_no_cursor_of_the_list_is_refused(customers: Run, cursor: str) -> None:
    assert customers("accounts", "--after", cursor).exit_code == 2


def test_csv_has_a_row_for_each_account_and_currency(customers: Run) -> None:
    rows = list(csv.DictReader(io.StringIO(customers("accounts", "--format", "csv").stdout)))
    assert [(row["key"], row["currency"]) for row in rows if row["key"] in ("zenith", "bolt")] == [
        ("bolt", "JPY"),
        ("zenith", "EUR"),
        ("zenith", "USD"),
    ]


def test_an_account_shows_whom_we_met_in_any_deal(customers: Run) -> None:
    for deal in ("A-3", "A-4"):
        customers(
            *("record", deal, "identify-stakeholder", "--data"),
            '{"id": "eva", "person": "p-eva", "name": "Eva Berg", "title": "Director"}',
        )
        customers(
            *("record", deal, "record-contact", "--data"),
            '{"id": "c-1", "kind": "visit", "their_people": ["eva"]}',
        )
    answer = customers("account", "ZENITH Group", "--format", "json").read(AccountDetail)
    assert [deal.deal_id for deal in answer.deals] == ["A-4", "A-3", "A-2", "A-1"]
    [eva] = answer.people_met
    assert (eva.person, eva.name, eva.contacts, sorted(eva.deals)) == (
        "p-eva",
        "Eva Berg",
        2,
        ["A-3", "A-4"],
    )
    told = customers("account", "zenith").stdout
    assert "Eva Berg" in told
    assert "Director" in told


def test_deals_that_one_may_not_read_are_none_of_the_account(customers: Run) -> None:
    customers("users", "grant", "u-ben", "seller")
    customers("record", "A-3", "assign-team-member", "--data", '{"member": "u-ben", "role": "x"}')
    told = customers("--as", "u-ben", "account", "zenith", "--format", "json").read(AccountDetail)
    assert [deal.deal_id for deal in told.deals] == ["A-3"]
    assert told.account.deals == 1


def test_an_account_that_is_not_there_is_told(customers: Run) -> None:
    result = customers("account", "Nobody")
    assert result.exit_code == 1
    assert "account-not-found" in result.stderr
