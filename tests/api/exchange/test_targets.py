"""Importing targets: rows by period and holder, bad ones told, and again."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from api.exchange.report import ImportFailure, Kind
from api.exchange.tables import TableReport
from api.exchange.targets import import_targets
from api.workspace import Workspace
from domain.access import Principal, Role
from domain.intent import Intent
from domain.organisation import AnyOrganisationCommand, RegisterUnit, RegisterUser
from domain.refusals import NotAllowed
from store.location import Location

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
ADMIN = Principal("ada", frozenset({Role.ADMIN}))
HEADER = "period,owner,territory,unit,amount,currency\n"
GOOD = (
    HEADER + "2026-Q1,Ann Lee,,,400000,EUR\n"
    "2026-Q1,,US Midwest,,2000000,USD\n"
    "2026,,,west,1500000.50,EUR\n"
    "2026-01-15..2026-02-14,,,,70000,JPY\n"
)


STAFF: tuple[AnyOrganisationCommand, ...] = (
    RegisterUser("ann", "Ann Lee"),
    RegisterUser("bo-1", "Bo"),
    RegisterUser("bo-2", "Bo"),
    RegisterUnit("west", "West"),
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Workspace]:
    place = Location.beside(tmp_path / "store.db")
    with Workspace.create(place, ZoneInfo("UTC"), clock=lambda: NOW) as store:
        for number, command in enumerate(STAFF):
            store.log.configure(command, Intent(f"c-{number}", ADMIN, "cli", NOW, NOW))
        yield store


Take = Callable[..., TableReport]


@pytest.fixture
def take(store: Workspace, tmp_path: Path) -> Take:
    """Imports a text as a file."""

    def import_text(content: str, **options: object) -> TableReport:
        file = tmp_path / "targets.csv"
        file.write_text(content, encoding="utf-8")
        return import_targets(store, file, ADMIN, **options)  # type: ignore[arg-type]

    return import_text


def standing(store: Workspace) -> list[tuple[str, str, str]]:
    return [(f"{one.first}", f"{one.whose}", f"{one.amount}") for one in store.log.targets().all]


def found(report: TableReport) -> list[tuple[Kind, int | None]]:
    return [(entry.kind, entry.line) for entry in report.entries]


def test_each_row_sets_a_target(store: Workspace, take: Take) -> None:
    report = take(GOOD)
    assert (report.rows, report.counts, report.entries) == (4, {"set": 4, "unchanged": 0}, [])
    assert standing(store) == [
        ("2026-01-01", "the territory US Midwest", "2,000,000.00 USD"),
        ("2026-01-01", "the user ann", "400,000.00 EUR"),
        ("2026-01-01", "the unit west", "1,500,000.50 EUR"),
        ("2026-01-15", "all", "70,000 JPY"),
    ]


def test_periods_are_those_of_the_fiscal_year(store: Workspace, take: Take) -> None:
    store.fiscal_year_from = 4
    take(HEADER + "2026-Q1,,,,1,EUR\n")
    assert [(str(one.first), str(one.last)) for one in store.log.targets().all] == [
        ("2025-04-01", "2025-06-30")
    ]


def test_again_nothing_changes_and_what_changed_is_set(store: Workspace, take: Take) -> None:
    take(GOOD)
    head = store.log.head()
    assert take(GOOD).counts == {"set": 0, "unchanged": 4}
    assert store.log.head() == head
    assert take(GOOD.replace("400000", "450000")).counts == {"set": 1, "unchanged": 3}
    assert take(GOOD).counts == {"set": 1, "unchanged": 3}, "back to what it was is a change too"


def test_columns_of_holders_may_be_missing(store: Workspace, take: Take) -> None:
    assert take("Currency;Amount;Period\nEUR;1,50;2026\n").counts["set"] == 1
    assert standing(store) == [("2026-01-01", "all", "1.50 EUR")]


def test_a_dry_run_tells_the_same_and_records_nothing(store: Workspace, take: Take) -> None:
    report = take(GOOD + "2026,nobody,,,1,EUR\n", dry_run=True)
    assert report.counts == {"set": 4, "unchanged": 0}
    assert found(report) == [(Kind.IMPOSSIBLE_VALUE, 6)]
    assert standing(store) == []


def test_bad_rows_are_told_with_their_line_and_the_rest_goes_in(
    store: Workspace, take: Take
) -> None:
    report = take(
        HEADER.replace("\n", ",why\n") + "2026-Q5,,,,1,EUR,x\n"
        "2026,,,,-1,EUR,x\n"
        "2026,,,,1.005,EUR,x\n"
        "2026,,,,1,XYZ,x\n"
        "2026,,,,,EUR,x\n"
        "2026,Bo,,,1,EUR,x\n"
        "2026,ann,US Midwest,,1,EUR,x\n"
        "2026,,,east,1,EUR,x\n"
        "2026,,,,5,EUR,x\n"
        "2026,,,,6,EUR,x\n"
        "2026,,,,5.00,EUR,x\n"
        "2026,,\n"
    )
    assert sorted(found(report), key=lambda one: one[1] or 0) == [
        (Kind.COLUMNS_NOT_READ, 1),
        (Kind.IMPOSSIBLE_DATE, 2),
        (Kind.IMPOSSIBLE_AMOUNT, 3),
        (Kind.IMPOSSIBLE_AMOUNT, 4),
        (Kind.IMPOSSIBLE_AMOUNT, 5),
        (Kind.MISSING_VALUE, 6),
        (Kind.IMPOSSIBLE_VALUE, 7),
        (Kind.IMPOSSIBLE_VALUE, 8),
        (Kind.IMPOSSIBLE_VALUE, 9),
        (Kind.DUPLICATE_ID, 11),
        (Kind.CUT_ROW, 13),
    ]
    assert standing(store) == [("2026-01-01", "all", "5.00 EUR")]


def test_thousands_are_not_read_as_decimals(store: Workspace, take: Take) -> None:
    head = "period;amount;currency\n"
    report = take(head + "2026;400.000;EUR\n2025;400,000;EUR\n2024;400.00;JPY\n2023;400.00;EUR\n")
    assert [(one.line, one.reason) for one in report.entries] == [
        (2, "'400.000' may mean 400 or 400000; write which"),
        (3, "EUR has 2 minor digits, 400.000 has more"),
        (4, "JPY has 0 minor digits, 400.00 has more"),
    ]
    assert {entry.kind for entry in report.entries} == {Kind.IMPOSSIBLE_AMOUNT}
    assert standing(store) == [("2023-01-01", "all", "400.00 EUR")]
    told = take("period,amount,currency\n2026,400.000,EUR\n").entries
    assert [one.reason for one in told] == ["EUR has 2 minor digits, 400.000 has more"]


def test_a_file_without_its_columns_is_told(take: Take) -> None:
    with pytest.raises(ImportFailure, match="no column amount, currency"):
        take("period,sum\n")


def test_without_the_right_nothing_is_recorded(store: Workspace, tmp_path: Path) -> None:
    file = tmp_path / "targets.csv"
    file.write_text(GOOD, encoding="utf-8")
    head = store.log.head()
    eve = Principal("eve", frozenset({Role.SELLER}))
    for dry_run in (True, False):
        with pytest.raises(NotAllowed):
            import_targets(store, file, eve, dry_run=dry_run)
    assert store.log.head() == head


def test_progress_is_told(take: Take) -> None:
    told: list[tuple[int, int]] = []
    take(GOOD, on_progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
