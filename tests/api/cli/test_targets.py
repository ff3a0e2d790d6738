"""`dealstate targets`: setting, dropping, importing and listing."""

import re
from pathlib import Path

import pytest

from api.wire.targets import TargetList
from api.wire.values import Amount, User
from tests.api.cli.conftest import Run


def listed(run: Run, *args: str) -> list[tuple[str, str | None, str | None, str | None, str]]:
    found = run("targets", "list", "-f", "json", *args).read(TargetList).targets
    return [
        (
            one.period,
            one.owner.id if one.owner else None,
            one.territory,
            one.unit,
            one.amount.amount,
        )
        for one in found
    ]


def test_a_target_is_set_replaced_and_taken_back(write: Run) -> None:
    set_ = write("targets", "set", "2026-Q1", "1500000", "--currency", "EUR")
    assert set_.lines == ["Set the target of 2026-01-01 to 2026-03-31 for all to 1,500,000.00 EUR."]
    assert write("targets", "set", "2026-Q1", "1500000", "--currency", "EUR").lines == [
        "Nothing changed."
    ]
    write("targets", "set", "2026-Q1", "1600000", "--currency", "EUR")
    assert listed(write) == [("2026-Q1", None, None, None, "1600000.00")]
    assert listed(write, "--known-at", "2026-01-01") == []
    assert write("targets", "drop", "2026-Q1").lines == [
        "Took back the target of 2026-01-01 to 2026-03-31 for all."
    ]
    assert write("targets", "drop", "2026-Q1").lines == ["Nothing changed."]
    assert write("targets", "list").stderr.startswith("There are no targets")


def test_it_is_for_a_user_a_territory_or_a_unit(write: Run) -> None:
    write("units", "add", "west", "Sales West")
    for args in (
        ["--owner", "Anna Lee"],
        ["--territory", "US Midwest"],
        ["--unit", "west"],
    ):
        assert write("targets", "set", "2026-03", "7", "--currency", "JPY", *args).exit_code == 0
    assert listed(write) == [
        ("2026-03", None, None, "west", "7"),
        ("2026-03", None, "US Midwest", None, "7"),
        ("2026-03", "u-anna", None, None, "7"),
    ]
    rows = [re.split(r" {2,}", line) for line in write("targets", "list").lines[2:]]
    assert rows == [
        ["2026-03", "Sales West", "7 JPY"],
        ["2026-03", "US Midwest", "7 JPY"],
        ["2026-03", "Anna Lee", "7 JPY"],
    ]
    (one, *_) = write("targets", "list", "-f", "json").read(TargetList).targets[2:]
    assert one.owner == User("u-anna", "Anna Lee")
    assert one.amount == Amount("7", "JPY")
    header = write("targets", "list", "-f", "csv").lines[0]
    assert header == "period,first,last,owner_id,owner,territory,unit,amount,amount_currency"
    write("targets", "drop", "2026-03", "--owner", "u-anna")
    assert len(listed(write)) == 2


def test_periods_go_by_the_fiscal_year(write: Run) -> None:
    april = ("--fiscal-year-from", "4")
    write(*april, "targets", "set", "2026-Q1", "1", "--currency", "EUR")
    write(*april, "targets", "set", "2026", "2", "--currency", "EUR")
    write("targets", "set", "2026-01-15..2026-02-14", "3", "--currency", "EUR")
    assert [one[0] for one in listed(write, *april)] == [
        "FY2026-Q1",
        "FY2026",
        "2026-01-15..2026-02-14",
    ]
    assert [one[0] for one in listed(write)][:2] == ["2025-Q2", "2025-04-01..2026-03-31"]


def test_targets_are_imported(write: Run, tmp_path: Path) -> None:
    file = tmp_path / "targets.csv"
    file.write_text(
        "period,owner,territory,unit,amount,currency\n"
        "2026-Q1,Anna Lee,,,400000,EUR\n"
        "2026-Q1,Sam Roe,,,1,EUR\n",
        encoding="utf-8",
    )
    assert write("targets", "import", str(file), "--dry-run").lines[0].endswith("recorded)")
    assert listed(write) == []
    told = write("targets", "import", str(file)).lines
    assert told[:4] == [
        "Import of targets from targets.csv",
        "  2 rows read",
        "  targets: 1 set, 0 unchanged",
        "Left out:",
    ]
    assert "targets.csv:3: 'Sam Roe' could be any of" in told[5]
    assert listed(write) == [("2026-Q1", "u-anna", None, None, "400000.00")]


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["set", "2026-Q5", "1", "--currency", "EUR"], 2, "2026-Q1"),
        (["set", "2026", "many", "--currency", "EUR"], 2, "not a decimal number"),
        (["set", "2026", "1", "--currency", "XXX"], 2, "ISO 4217"),
        (["set", "2026", "1"], 2, "--currency"),
        (["set", "2026", "nan", "--currency", "EUR"], 2, "finite decimal number, not NaN"),
        (["set", "2026", "400.000", "--currency", "EUR"], 2, "EUR has 2 minor digits, 400.000"),
        (["set", "2026", "400.0", "--currency", "JPY"], 2, "JPY has 0 minor digits, 400.0 has"),
        (["set", "2026", "1", "--currency", "EUR", "--owner", "nobody"], 1, "unknown-reference"),
        (["set", "2026", "1", "--currency", "EUR", "--owner", "Sam Roe"], 1, "ambiguous-user"),
        (["set", "2026", "1", "--currency", "EUR", "--unit", "x"], 1, "unknown-reference"),
        (
            ["set", "2026", "1", "--currency", "EUR", "--owner", "u-mei", "--unit", "x"],
            1,
            "invalid-target",
        ),
        (["drop", "soon"], 2, "no period"),
        (["import", "nowhere.csv"], 1, "import-failed"),
    ],
)
def test_what_cannot_be_done_is_told(run: Run, args: list[str], code: int, words: str) -> None:
    result = run("targets", *args)
    assert (result.exit_code, result.stdout) == (code, "")
    assert words in result.stderr


def test_who_may_not_configure_is_refused(write: Run) -> None:
    write("users", "grant", "u-ben", "auditor")
    result = write("--as", "u-ben", "targets", "set", "2026", "1", "--currency", "EUR")
    assert (result.exit_code, "not-allowed" in result.stderr) == (1, True)
