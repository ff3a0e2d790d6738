"""The export of a real Salesforce organisation, its facts listed by hand from the files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from api.exchange.identity import Identity
from api.exchange.report import GapReport, ImportFailure, Kind
from api.exchange.run import ImportOptions, System, run_import
from domain.deal import History, violations
from domain.history import StreamKind
from domain.lifecycle import Status
from domain.values import Money
from store.log import DealLog
from tests.api.exchange.importing import Clock, histories, store, told, types
from tests.shared_data import shared

# References without the "006bm00000" they all begin with.
FLIPPED = {"LKJNTAA5", "LKJNWAA5", "LKJNbAAP", "LKJNeAAP", "LKJNoAAP", "LKJNpAAP", "LKgOnAAL"}
"""Won, and then lost."""
STILL_WON = {
    *("LKJNPAA5", "LKJNQAA5", "LKJNVAA5", "LKJNaAAP", "LKJNdAAP", "LKJNfAAP"),
    *("LKJNgAAP", "LKJNjAAP", "LKJNkAAP", "LKJNlAAP", "LKJNmAAP", "LKJNnAAP"),
}
OPEN_FROM_THE_START = {
    *("LKJNNAA5", "LKJNOAA5", "LKJNRAA5", "LKJNSAA5", "LKJNUAA5", "LKJNXAA5", "LKJNYAA5"),
    *("LKJNZAA5", "LKJNcAAP", "LKJNhAAP", "LKJNiAAP", "LKJNqAAP", "LKJNrAAP"),
}
CONVERTED = {"LKdM8AAL", "LKg0bAAD", "LKgOnAAL", "LKgS1AAL", "LKgdJAAT"}
"""Made from leads: these five have no amount."""
FIRST_ROW_CLOSED = STILL_WON | (FLIPPED - CONVERTED)
CONTRADICTING = STILL_WON | OPEN_FROM_THE_START
"""Closed on 2021-01-27 by their last history row, on 2024-02-03 by the opportunity."""


@pytest.fixture(scope="module")
def folder() -> Path:
    return shared("salesforce_devorg")


@pytest.fixture(scope="module")
def imported(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[DealLog, GapReport]]:
    clock = Clock()
    log = store(tmp_path_factory.mktemp("devorg"), clock)
    yield log, run(log, folder, clock)
    log.close()


def run(log: DealLog, folder: Path, clock: Clock, timezone: str | None = "UTC") -> GapReport:
    options = ImportOptions(timezone=timezone)
    return run_import(log, [folder], System.SALESFORCE, "devorg", options, clock=clock)


@pytest.fixture(scope="module")
def deals(imported: tuple[DealLog, GapReport]) -> dict[str, History]:
    return {name.removeprefix("006bm00000"): h for name, h in histories(imported[0]).items()}


def reported(imported: tuple[DealLog, GapReport], kind: Kind) -> set[str]:
    return {str(entry.deal).removeprefix("006bm00000") for entry in imported[1].of(kind)}


def at(day: int, hour: int, minute: int, month: int = 2) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def test_all_36_deals_and_48_rows_are_there(imported: tuple[DealLog, GapReport]) -> None:
    counts = imported[1].counts
    assert counts.rows == {
        "Account.csv": 18,
        "Opportunity.csv": 36,
        "OpportunityHistory.csv": 48,
    }
    assert (counts.deals, counts.deals_left_out) == (36, 0)


def test_every_deal_is_in_its_state(deals: dict[str, History]) -> None:
    states = {name: history.deal.life.status for name, history in deals.items()}
    assert {name for name, s in states.items() if s is Status.WON} == STILL_WON
    assert {name for name, s in states.items() if s is Status.LOST} == FLIPPED | {"LKg0bAAD"}
    stages = Counter(h.deal.stages.stage for h in deals.values() if not h.deal.life.status.closed)
    assert stages == {
        "prospecting": 1,
        "qualification": 1,
        "needs-analysis": 2,
        "value-proposition": 3,
        "id-decision-makers": 3,
        "perception-analysis": 1,
        "proposal-price-quote": 3,
        "negotiation-review": 2,
    }


def test_each_deal_is_sound_and_in_the_order_of_time(
    deals: dict[str, History], imported: tuple[DealLog, GapReport]
) -> None:
    for history in deals.values():
        assert violations(history.events, imported[0].processes()) == []
        assert all(a.occurred_at <= b.occurred_at for a, b in pairwise(history.events))


def test_known_at_is_the_time_of_the_row(deals: dict[str, History]) -> None:
    for history in deals.values():
        assert all(event.known_at == event.occurred_at for event in history.events)
        assert all(event.known_at < event.recorded_at for event in history.events)


def test_seven_won_deals_were_reopened_and_lost(
    deals: dict[str, History], imported: tuple[DealLog, GapReport]
) -> None:
    reopened = {n for n, h in deals.items() if "opportunity-reopened" in types(h.events)}
    assert reopened == FLIPPED == reported(imported, Kind.REOPENED)
    for name in FLIPPED:
        events = deals[name].events
        outcomes = [e for e in events if e.type.startswith("opportunity-")]
        assert types(tuple(outcomes)) == [
            "opportunity-opened",
            "opportunity-won",
            "opportunity-reopened",
            "opportunity-lost",
        ]
        assert [e.inferred for e in outcomes][1:] == [False, True, False]
        assert {e.occurred_at for e in outcomes[2:]} <= {at(7, 20, 59, 3), at(7, 21, 0, 3)}


def test_eighteen_deals_whose_first_row_is_closed_are_opened_in_the_first_stage(
    deals: dict[str, History], imported: tuple[DealLog, GapReport]
) -> None:
    assert len(FIRST_ROW_CLOSED) == 18
    assert reported(imported, Kind.FIRST_ROW_CLOSED) == FIRST_ROW_CLOSED
    opened = {name for name, h in deals.items() if h.events[0].inferred}
    assert opened == FIRST_ROW_CLOSED
    for name in FIRST_ROW_CLOSED:
        assert deals[name].deal.stages.stage == "prospecting"
        assert deals[name].deal.life.opened_at == at(23, 20, 55)


def test_twenty_five_contradictions_are_inferred_revisions_at_the_last_modification(
    deals: dict[str, History], imported: tuple[DealLog, GapReport]
) -> None:
    assert len(CONTRADICTING) == 25
    assert reported(imported, Kind.CONTRADICTS_HISTORY) == CONTRADICTING
    for name, history in deals.items():
        revised = [e for e in history.events if e.type == "forecast-revised" and e.inferred]
        assert [e.occurred_at for e in revised] == [at(23, 20, 55)] * (name in CONTRADICTING)
        close = history.deal.stages.expected_close
        assert close == date(2024, 2, 3) or name in CONVERTED
    # A deal that is won stays won: the revision stands before the win.
    assert told(deals["LKJNPAA5"])[-2:] == [
        "close date 2021-01-27 → 2024-02-03 (slipped 1102 days)",
        "won, 220,000.00 USD",
    ]


def test_blank_amounts_are_unknown(
    deals: dict[str, History], imported: tuple[DealLog, GapReport]
) -> None:
    assert {name for name, h in deals.items() if h.deal.stages.amount is None} == CONVERTED
    assert reported(imported, Kind.BLANK_AMOUNT) == CONVERTED
    won = sum(
        (deals[n].deal.life.contract_value or Money.from_minor(0, "USD")).amount for n in STILL_WON
    )
    assert won == Decimal(2_815_000)


def test_close_dates_before_creation_are_kept_and_told(
    deals: dict[str, History], imported: tuple[DealLog, GapReport]
) -> None:
    early = (deals.keys() - CONVERTED) | {"LKgOnAAL"}
    assert reported(imported, Kind.CLOSE_DATE_BEFORE_CREATION) == early
    assert deals["LKgOnAAL"].deal.stages.expected_close == date(2026, 2, 23)


def test_rows_out_of_order_are_sorted_and_told(
    deals: dict[str, History], imported: tuple[DealLog, GapReport]
) -> None:
    swapped = {"LKJNbAAP", "LKJNoAAP", "LKg0bAAD", "LKgOnAAL"}
    assert reported(imported, Kind.ROWS_OUT_OF_ORDER) == swapped
    assert told(deals["LKgOnAAL"]) == [
        "opened 'Farmers Coop. of Florida-' in prospecting of salesforce-devorg/1",
        "close date unknown → 2026-03-31",
        "close date 2026-03-31 → 2026-02-23 (pulled in 36 days)",
        "won, value unknown",
        "reopened in prospecting: The source shows another outcome.",
        "lost, unknown",
    ]


def test_the_process_is_inferred_and_told(imported: tuple[DealLog, GapReport]) -> None:
    process = imported[0].processes().latest("salesforce-devorg")
    assert [(stage.name.en, stage.probability) for stage in process.stages] == [
        ("Prospecting", 10),
        ("Qualification", 10),
        ("Needs Analysis", 20),
        ("Value Proposition", 50),
        ("Id. Decision Makers", 60),
        ("Perception Analysis", 70),
        ("Proposal/Price Quote", 75),
        ("Negotiation/Review", 90),
    ]
    (entry,) = imported[1].of(Kind.PROCESS_INFERRED)
    assert "OpportunityStage is not there" in entry.reason
    assert "Prospecting, Qualification is by name alone" in entry.reason


def test_accounts_owners_and_currency(
    deals: dict[str, History], imported: tuple[DealLog, GapReport]
) -> None:
    life = deals["LKJNNAA5"].deal.life
    assert life.account is not None
    assert (life.account.name, life.account.industry) == ("Dickenson plc", "Consulting")
    assert (life.account.region, life.account.size) == ("KS", "120")
    assert (life.lead_source, life.currency) == ("Purchased List", "USD")
    owner = Identity("devorg").user("005bm00000NCJmQAAX")
    assert {h.deal.life.owner for h in deals.values()} == {owner}
    assert {e.actor for h in deals.values() for e in h.events if not e.inferred} == {owner}
    assert len(reported(imported, Kind.OWNER_ASSUMED)) == 36
    assert len(imported[1].of(Kind.CURRENCY_ASSUMED)) == 1
    assert len(imported[1].of(Kind.USER_WITHOUT_NAME)) == 1
    assert imported[0].users() == {}


def test_files_and_columns_that_are_not_read_are_told(
    imported: tuple[DealLog, GapReport],
) -> None:
    files = [entry.file for entry in imported[1].of(Kind.FILE_NOT_READ)]
    assert files == ["Lead.csv", "OpportunityHistoryGroup.csv", "Contact.csv"]
    unread = {entry.file: entry.reason for entry in imported[1].of(Kind.COLUMNS_NOT_READ)}
    assert unread["Opportunity.csv"].endswith(
        "Description, ExpectedRevenue, NextStep, LastActivityDate, Opportunity Lifecycle (Days),"
        " Opp Creation Date_Simulated, Opp Close Date_Simulated"
    )


def test_times_without_a_zone_are_refused(folder: Path, tmp_path: Path) -> None:
    log = store(tmp_path, Clock())
    with pytest.raises(ImportFailure) as raised:
        run(log, folder, Clock(), timezone=None)
    assert str(raised.value) == (
        "Opportunity.csv:2: LastModifiedDate: '02/23/26 08:55 PM' has no offset to UTC."
        " Name the zone of the export with --timezone, such as America/New_York."
    )
    assert log.head() == 0
    log.close()


def test_times_are_those_of_the_zone_given(folder: Path, tmp_path: Path) -> None:
    log = store(tmp_path, Clock())
    run(log, folder, Clock(), timezone="America/New_York")
    opened = {h.deal.life.opened_at for h in histories(log).values()}
    assert at(24, 1, 55) in opened
    log.close()


def test_importing_again_adds_nothing(folder: Path, imported: tuple[DealLog, GapReport]) -> None:
    log, first = imported
    head = log.head()
    clock = Clock()
    clock.move(days=30)
    again = run(log, folder, clock)
    assert log.head() == head
    assert (again.counts.deals_unchanged, again.counts.events) == (36, 0)
    assert [str(entry) for entry in again.entries] == [str(entry) for entry in first.entries]
    assert len(log.streams(StreamKind.DEAL)) == 36
