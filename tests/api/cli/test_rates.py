"""`dealstate rates`: importing, listing, showing and setting."""

import json
from pathlib import Path

import pytest

from api.wire.rates import RateList, WorkedOutRate
from api.wire.trails import AuditTrail
from tests.api.cli.conftest import Run

WIDE = """\
Date,USD,JPY,
2026-05-30,1.0812,157.30,
2026-05-29,1.0800,N/A,
"""


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "eurofxref.csv"
    path.write_text(WIDE, encoding="utf-8")
    return str(path)


def test_rates_are_imported_once(write: Run, file: str) -> None:
    assert write("rates", "import", file, "--dry-run").lines == [
        "Import of exchange rates from eurofxref.csv (dry run: nothing was recorded)",
        "  2 rows read",
        "  exchange rates: 3 new, 0 corrected, 0 unchanged",
    ]
    assert write("rates", "list").stderr.startswith("There are no such rates")
    assert write("rates", "import", file).lines[-1].endswith("3 new, 0 corrected, 0 unchanged")
    report = json.loads(write("rates", "import", file, "-f", "json").stdout)
    assert report["counts"] == {"new": 0, "corrected": 0, "unchanged": 3}
    assert write("audit", "fsck").exit_code == 0


def test_the_newest_of_each_currency_or_all_since_a_day_are_listed(write: Run, file: str) -> None:
    write("rates", "import", file)
    write("rates", "set", "USD", "CNY", "7.10", "--day", "2026-05-30")
    newest = write("rates", "list", "-f", "json").read(RateList).rates
    assert [(one.base, one.currency, one.day, one.rate) for one in newest] == [
        ("EUR", "JPY", "2026-05-30", "157.3"),
        ("EUR", "USD", "2026-05-30", "1.0812"),
        ("USD", "CNY", "2026-05-30", "7.1"),
    ]
    assert write(
        "rates", "list", "--since", "2026-05-01", "--currency", "USD", "-f", "csv"
    ).lines == [
        "base,currency,day,rate",
        "EUR,USD,2026-05-29,1.08",
        "EUR,USD,2026-05-30,1.0812",
    ]
    assert len(write("rates", "list", "--base", "USD").lines) == 3
    assert len(write("rates", "list", "--since", "2026-05-30").lines) == 5
    known = write("rates", "list", "--known-at", "2026-05-29", "-f", "json").read(RateList)
    assert [one.day for one in known.rates] == ["2026-05-29"]


def test_a_rate_is_worked_out(write: Run, file: str) -> None:
    write("rates", "import", file)
    shown = write("rates", "show", "USD", "JPY", "--as-of", "2026-05-31")
    assert shown.lines == ["1 USD = 145.486496485 JPY on 2026-05-31, of 2026-05-30"]
    same_day = write("rates", "show", "EUR", "USD", "--as-of", "2026-05-30")
    assert same_day.lines == ["1 EUR = 1.0812 USD on 2026-05-30"]
    answer = write("rates", "show", "JPY", "EUR", "--as-of", "2026-06-01", "-f", "json")
    assert answer.read(WorkedOutRate) == WorkedOutRate(
        "JPY", "EUR", "2026-06-01", "0.00635727908455", "2026-05-30"
    )


def test_a_correction_is_known_from_now_on(write: Run, file: str) -> None:
    write("rates", "import", file)
    set_ = write("rates", "set", "EUR", "USD", "1.0820", "--day", "2026-05-30")
    assert set_.lines == ["Published exchange rates of 2026-05-30: 1 EUR = 1.082 USD."]
    again = write("rates", "set", "EUR", "USD", "1.082", "--day", "2026-05-30")
    assert again.lines == ["Nothing changed."]
    args = ("rates", "show", "EUR", "USD", "--as-of", "2026-05-31")
    assert "1.082 USD" in write(*args).stdout
    assert "1.0812 USD" in write(*args, "--known-at", "2026-06-30").stdout


def test_the_trail_tells_of_rates(write: Run) -> None:
    write("rates", "set", "EUR", "USD", "1.08", "--day", "2026-05-30")
    last = write("audit", "trail", "-f", "json").read(AuditTrail).entries[-1]
    assert (last.stream, last.type) == ("rates:EUR", "exchange-rates-published")
    assert last.what == "published exchange rates of 2026-05-30: 1 EUR = 1.08 USD"


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["set", "EUR", "USD", "0"], 1, "invalid-rate"),
        (["set", "EUR", "XXX", "1"], 1, "unknown-currency"),
        (["set", "EUR", "EUR", "1"], 1, "invalid-quotes"),
        (["set", "EUR", "USD", "1", "--day", "9998-01-01"], 1, "in-the-future"),
        (["set", "EUR", "USD", "1", "--day", "tomorrow"], 2, "--day"),
        (["set", "EUR", "USD", "1", "--day", ""], 2, "--day"),
        (["show", "EUR", "USD", "--as-of", ""], 2, "--as-of"),
        (["show", "EUR", "USD"], 1, "rate-not-found"),
        (["show", "EUR", "US"], 1, "unknown-currency"),
        (["list", "--base", "euro"], 1, "unknown-currency"),
        (["list", "--since", "x"], 2, "--since"),
        (["import", "nowhere.csv"], 1, "import-failed"),
        (["import", "nowhere.csv", "--delimiter", "x"], 2, "--delimiter"),
    ],
)
def test_what_cannot_be_done_is_told(run: Run, args: list[str], code: int, words: str) -> None:
    result = run("rates", *args)
    assert (result.exit_code, result.stdout) == (code, "")
    assert words in result.stderr


def test_who_may_not_configure_is_refused(write: Run, file: str) -> None:
    write("users", "grant", "u-ben", "auditor")
    for args in (["set", "EUR", "USD", "1"], ["import", file], ["import", file, "--dry-run"]):
        result = write("--as", "u-ben", "rates", *args)
        assert (result.exit_code, "not-allowed" in result.stderr) == (1, True)
    assert write("--as", "u-ben", "rates", "list").exit_code == 0
