"""The real file with one row per deal: every figure against one computed straight from it."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, time
from decimal import Decimal
from pathlib import Path

import pytest

from api.exchange.report import GapReport, Kind
from api.exchange.run import ImportOptions, System, run_import
from domain.deal import History
from domain.history import fold_order
from domain.lifecycle import Status
from store.log import DealLog
from tests.api.exchange.importing import Clock, histories, store
from tests.shared_data import shared

MONTH_ENDS = [
    *("2017-01-31", "2017-02-28", "2017-03-31", "2017-04-30", "2017-05-31", "2017-06-30"),
    *("2017-07-31", "2017-08-31", "2017-09-30", "2017-10-31", "2017-11-30", "2017-12-31"),
]

Cells = dict[str, str]


def rows(folder: Path, name: str) -> list[Cells]:
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def folder() -> Path:
    return shared("maven_crm")


@pytest.fixture(scope="module")
def pipeline(folder: Path) -> dict[str, Cells]:
    return {row["opportunity_id"]: row for row in rows(folder, "sales_pipeline")}


def run(log: DealLog, folder: Path, clock: Clock) -> GapReport:
    options = ImportOptions(map="maven-crm")
    return run_import(log, [folder], System.CSV, "maven", options, clock=clock)


@pytest.fixture(scope="module")
def imported(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[DealLog, GapReport]]:
    clock = Clock()
    log = store(tmp_path_factory.mktemp("maven"), clock)
    yield log, run(log, folder, clock)
    log.close()


@pytest.fixture(scope="module")
def deals(imported: tuple[DealLog, GapReport]) -> dict[str, History]:
    return histories(imported[0])


def end_of(day: str) -> datetime:
    return datetime.combine(datetime.fromisoformat(day), time.max, tzinfo=UTC)


def test_every_deal_is_there_in_its_state(deals: dict[str, History]) -> None:
    states = Counter(
        (history.deal.life.status, history.deal.stages.stage) for history in deals.values()
    )
    assert states == {
        (Status.WON, "engaging"): 4238,
        (Status.LOST, "engaging"): 2473,
        (Status.OPEN, "engaging"): 1589,
        (Status.OPEN, "prospecting"): 500,
    }


def test_the_report_counts_it(imported: tuple[DealLog, GapReport]) -> None:
    counts = imported[1].counts
    assert counts.rows == {
        "sales_pipeline.csv": 8800,
        "accounts.csv": 85,
        "products.csv": 7,
        "sales_teams.csv": 35,
    }
    assert (counts.deals, counts.deals_left_out) == (8800, 0)
    # An opening and a manager each, and an outcome for the deals that ended.
    assert counts.events == 8800 * 2 + 4238 + 2473
    assert counts.inferred_events == 500
    assert counts.users == 30 + 6


def test_agent_manager_region_and_product_are_those_of_the_file(
    folder: Path,
    pipeline: dict[str, Cells],
    deals: dict[str, History],
    imported: tuple[DealLog, GapReport],
) -> None:
    teams = {row["sales_agent"]: row for row in rows(folder, "sales_teams")}
    names = {user.user: user.name for user in imported[0].users().values()}
    assert deals.keys() == pipeline.keys()
    for reference, row in pipeline.items():
        life = deals[reference].deal.life
        team = teams[row["sales_agent"]]
        managers = [event.fact for event in life.team]
        assert names[life.owner or ""] == row["sales_agent"]
        assert [(names[m.member], m.role) for m in managers] == [(team["manager"], "manager")]
        assert life.region == team["regional_office"]
        assert life.products == (row["product"].replace("GTXPro", "GTX Pro"),)
        assert row["sales_agent"] not in (life.owner or "")


def test_account_and_sector_are_there_where_the_file_has_them(
    folder: Path, pipeline: dict[str, Cells], deals: dict[str, History]
) -> None:
    accounts = {row["account"]: row for row in rows(folder, "accounts")}
    for reference, row in pipeline.items():
        account = deals[reference].deal.life.account
        if not row["account"]:
            assert account is None
            continue
        assert account is not None
        assert account.name == row["account"]
        assert account.industry == accounts[row["account"]]["sector"]
        assert account.region == accounts[row["account"]]["office_location"]
    without = [h for h in deals.values() if h.deal.life.account is None]
    assert len(without) == 1425
    assert all(history.deal.life.status is Status.OPEN for history in without)
    ids = {h.deal.life.account.id for h in deals.values() if h.deal.life.account is not None}
    assert len(ids) == 85


def test_an_amount_is_unknown_until_the_close(
    pipeline: dict[str, Cells], deals: dict[str, History]
) -> None:
    for reference, row in pipeline.items():
        history = deals[reference]
        amount = history.deal.amount
        if row["deal_stage"] == "Won":
            assert amount is not None
            assert (amount.amount, amount.currency) == (Decimal(row["close_value"]), "USD")
            before = history.at(as_of=end_of(row["engage_date"]))
            assert before.amount is None
        else:
            assert amount is None


def test_times_are_the_ends_of_the_days(
    pipeline: dict[str, Cells], deals: dict[str, History]
) -> None:
    for reference, row in pipeline.items():
        life = deals[reference].deal.life
        if row["engage_date"]:
            assert life.opened_at == end_of(row["engage_date"])
        if row["close_date"]:
            assert life.closed_at == end_of(row["close_date"])


def test_deals_without_engage_date_are_opened_at_the_import_inferred_and_reported(
    pipeline: dict[str, Cells], deals: dict[str, History], imported: tuple[DealLog, GapReport]
) -> None:
    undated = {reference for reference, row in pipeline.items() if not row["engage_date"]}
    assert len(undated) == 500
    inferred = {r for r, h in deals.items() if h.events[0].inferred}
    assert inferred == undated
    assert {deals[reference].deal.life.opened_at for reference in undated} == {Clock().now}
    entries = imported[1].of(Kind.MISSING_OPENED_DATE)
    assert {entry.deal for entry in entries} == undated


def test_the_source_names_no_clock(deals: dict[str, History]) -> None:
    assert all(e.known_at == e.recorded_at for h in deals.values() for e in h.events)
    assert {e.source for h in deals.values() for e in h.events} == {"import:maven"}


def test_each_deal_is_in_the_order_of_time(deals: dict[str, History]) -> None:
    for history in deals.values():
        assert list(history.events) == sorted(history.events, key=fold_order)


def test_what_was_repaired_or_odd_is_reported_with_its_line(
    folder: Path, imported: tuple[DealLog, GapReport]
) -> None:
    lines = (folder / "sales_pipeline.csv").read_text("utf-8").splitlines()
    translated = imported[1].of(Kind.TRANSLATED_VALUE)
    assert [(e.file, e.line) for e in translated] == [
        ("sales_pipeline.csv", number)
        for number, line in enumerate(lines, start=1)
        if ",GTXPro," in line
    ]
    assert len(translated) == 1480
    accounts = (folder / "accounts.csv").read_text("utf-8").splitlines()
    assert [(e.file, e.line) for e in imported[1].of(Kind.UNKNOWN_VALUE)] == [
        ("accounts.csv", number)
        for number, line in enumerate(accounts, start=1)
        if ",technolgy," in line
    ]
    assert imported[1].of(Kind.LOOKUP_MISSED) == []


@pytest.mark.parametrize("day", MONTH_ENDS)
def test_the_state_on_every_month_end_is_that_of_the_file(
    day: str,
    pipeline: dict[str, Cells],
    deals: dict[str, History],
    folder: Path,
    imported: tuple[DealLog, GapReport],
) -> None:
    names = {user.user: user.name for user in imported[0].users().values()}
    regions = {row["sales_agent"]: row["regional_office"] for row in rows(folder, "sales_teams")}
    expected: dict[tuple[str, str, str], list[Decimal]] = defaultdict(list)
    for row in pipeline.values():
        if not row["engage_date"] or row["engage_date"] > day:
            continue
        ended = bool(row["close_date"]) and row["close_date"] <= day
        state = row["deal_stage"].lower() if ended else "open"
        value = Decimal(row["close_value"]) if state == "won" else Decimal(0)
        product = row["product"].replace("GTXPro", "GTX Pro")
        for group in (regions[row["sales_agent"]], product, row["sales_agent"]):
            expected[state, group, "count"].append(Decimal(1))
            expected[state, group, "won"].append(value)
    found: dict[tuple[str, str, str], list[Decimal]] = defaultdict(list)
    for history in deals.values():
        deal = history.at(as_of=end_of(day))
        if deal.life.opened_at is None:
            continue
        value = deal.amount.amount if deal.amount is not None else Decimal(0)
        life = deal.life
        for group in (str(life.region), life.products[0], names[life.owner or ""]):
            found[deal.life.status, group, "count"].append(Decimal(1))
            found[deal.life.status, group, "won"].append(value)
    assert {key: sum(values) for key, values in found.items()} == {
        key: sum(values) for key, values in expected.items()
    }


def test_importing_again_adds_nothing(folder: Path, imported: tuple[DealLog, GapReport]) -> None:
    log, first = imported
    head = log.head()
    clock = Clock()
    clock.move(days=30)
    again = run(log, folder, clock)
    assert log.head() == head
    assert again.counts.deals_unchanged == 8800
    assert (again.counts.deals, again.counts.deals_revised, again.counts.events) == (0, 0, 0)
    assert [entry.kind for entry in again.entries] == [entry.kind for entry in first.entries]
