"""`dealstate waterfall`: what took the pipeline from one moment to another."""

import csv
import io
from decimal import Decimal
from pathlib import Path

import pytest

from api.wire.waterfalls import Waterfall, WaterfallDeals, WaterfallEntry, WaterfallFigures
from tests.api.cli.conftest import Run, run_command

SPAN = ("2025-12-31", "2026-05-31")


def asked(run: Run, *args: str) -> Waterfall:
    return run("waterfall", *args, "--format", "json").read(Waterfall)


def listed(run: Run, *args: str) -> WaterfallDeals:
    return run("waterfall", *args, "--format", "json").read(WaterfallDeals)


def worth(entry: WaterfallEntry) -> str:
    assert entry.amount is not None
    return entry.amount.amount


def happened(row: WaterfallFigures) -> dict[str, tuple[int, str]]:
    return {
        one.line if one.kind is None else f"{one.line}:{one.kind}": (one.deals, one.amount.amount)
        for one in row.lines
        if one.times
    }


def test_the_lines_lead_from_start_to_end(run: Run) -> None:
    answer = asked(run, *SPAN)
    assert [row.currency for row in answer.totals] == ["EUR", "JPY", "USD"]
    usd = answer.totals[2]
    assert (usd.start.deals, usd.end.deals, usd.end.unknown_amount) == (0, 1, 1)
    assert happened(usd) == {
        "created": (3, "0.00"),
        "increased": (0, "1854.00"),
        "lost:lost-to-competitor": (-1, "-1054.00"),
        "suspended": (-1, "-800.00"),
    }
    assert answer.rows == answer.totals
    assert answer.caveats == []


def test_a_period_alone_stands_for_both_moments(run: Run) -> None:
    quarter = asked(run, "2026-Q1", "--known-at", "2026-06-02")
    assert quarter.since == "2025-12-31T23:59:59.999999Z"
    assert quarter.until == "2026-03-31T23:59:59.999999Z"
    assert quarter == asked(run, "2025-12-31", "2026-03-31", "--known-at", "2026-06-02")


def test_a_window_of_closes_pulls_in_and_pushes_out(run: Run) -> None:
    [row] = asked(run, *SPAN, "--closing", "2026-Q2").rows
    assert happened(row) == {
        "pulled-in:undated": (1, "0.00"),
        "increased": (0, "1054.00"),
        "lost:lost-to-competitor": (-1, "-1054.00"),
    }


def test_deals_move_between_groups_and_filters(run: Run) -> None:
    by_owner = asked(run, "2026-03-09", "2026-03-11", "--by", "owner", "--where", "currency=USD")
    groups = {row.group["owner"].id: happened(row) for row in by_owner.rows}  # type: ignore[union-attr]
    assert groups["u-anna"] == {"moved-out": (-1, "-1054.00")}
    assert groups["u-ben"] == {"moved-in": (1, "1054.00")}
    [of_ben] = asked(
        run, "2026-03-09", "2026-03-11", "--where", "owner=Ben Ito", "--where", "currency=USD"
    ).rows
    assert happened(of_ben) == groups["u-ben"]


def test_as_believed_tells_what_became_known_later(run: Run) -> None:
    answer = asked(run, "2026-03-15", "2026-05-31", "--as-believed")
    assert answer.known_at is None
    usd = answer.totals[1]
    assert usd.start.amount.amount == "1800.00"
    assert happened(usd)["corrected"] == (0, "54.00")
    assert any(caveat.startswith("1 event of import:old") for caveat in answer.caveats)
    [entry] = listed(
        run, "2026-03-15", "2026-05-31", "--as-believed", "--deals", "corrected"
    ).entries
    assert (entry.reference, worth(entry)) == ("P-1", "54.00")
    assert entry.events == ["deal:d-press@9"]


def test_deals_behind_a_line_come_in_pages_with_their_events(run: Run) -> None:
    page = listed(run, *SPAN, "--deals", "increased", "--limit", "2")
    assert [(one.reference, worth(one)) for one in page.entries] == [
        ("M-1", "4500.00"),
        ("R-1", "1200000"),
    ]
    assert page.entries[0].events == ["deal:d-mill@2"]
    assert page.cursor
    rest = listed(run, *SPAN, "--deals", "increased", "--after", page.cursor).entries
    assert [one.reference for one in rest] == ["S-1", "P-1", "P-1", "M-1"]
    [lost] = listed(run, *SPAN, "--deals", "lost:lost-to-competitor").entries
    assert (lost.deals, lost.kind, lost.events) == (-1, "lost-to-competitor", ["deal:d-press@10"])
    [end] = listed(run, *SPAN, "--deals", "end", "--where", "currency=USD").entries
    assert (end.reference, end.unknown_amount, end.events) == ("E-1", True, ["deal:d-evil@1"])


def test_a_reporting_currency_revalues_the_start(write: Run) -> None:
    for day, rate in (("2026-02-28", "1.25"), ("2026-03-31", "1.6")):
        assert write("rates", "set", "USD", "EUR", rate, "--day", day).exit_code == 0
    answer = asked(write, "2026-02-28", "2026-03-31", "--currency", "EUR")
    assert [one.rate for one in (*answer.start_rates, *answer.end_rates)] == ["1.25", "1.6"]
    assert answer.currencies_without_rate == ["JPY"]
    euro, yen = answer.totals
    assert (euro.currency, yen.currency) == ("EUR", "JPY")
    assert euro.start.amount.amount == "6750.00"
    assert happened(euro) == {
        "increased": (0, "586.40"),
        "won": (-1, "-5000.00"),
        "revalued": (0, "630.00"),
    }
    assert euro.end.amount.amount == "2966.40"
    entries = listed(
        write, "2026-02-28", "2026-03-31", "--currency", "EUR", "--deals", "revalued"
    ).entries
    assert {one.reference: worth(one) for one in entries} == {
        "P-1": "350.00",
        "S-1": "280.00",
    }
    told = write("waterfall", "2026-02-28", "2026-03-31", "--currency", "EUR")
    assert "Start: converted with 1 USD = 1.25 EUR of 2026-02-28." in told.stderr
    assert "All else: converted with 1 USD = 1.6 EUR of 2026-03-31." in told.stderr
    assert "no rate to EUR is known for JPY" in told.stderr


def test_the_table_tells_each_line(run: Run) -> None:
    lines = run("waterfall", *SPAN, "--where", "currency=USD").lines
    assert lines[0] == "Waterfall from 2025-12-31 to 2026-05-31, with what is known today"
    table = {line[:30].strip(): line[30:].split() for line in lines[4:]}
    assert table["start"] == ["0", "–"]
    assert table["created"] == ["+3", "–"]
    assert table["increased (3 ×)"] == ["–", "+1,854"]
    assert table["lost"] == table["lost-to-competitor"] == ["-1", "-1,054"]
    assert table["end"] == ["1", "–"]
    assert table["of these without an amount"] == ["1"]


def test_groups_are_told_in_deals_and_in_amounts(run: Run) -> None:
    lines = run("waterfall", *SPAN, "--by", "owner", "--closing", "2026-Q2").lines
    assert lines[2].split() == [
        "owner",
        "currency",
        *["deals", "at", "start", "pulled-in", "moved-in"],
        "moved-out",
        "lost",
        "at",
        "end",
    ]
    assert lines[4].split() == ["Anna", "Lee", "USD", "–", "+1", "–", "-1", "–", "–"]
    assert lines[5].split() == ["Ben", "Ito", "USD", "–", "–", "+1", "–", "-1", "–"]
    assert lines[-1].split()[:3] == ["total", "USD", "–"]


def test_csv_has_a_row_for_each_group_and_line_that_adds_up(run: Run) -> None:
    text = run("waterfall", *SPAN, "--by", "owner", "--format", "csv").stdout
    sums: dict[str, Decimal] = {}
    for row in csv.DictReader(io.StringIO(text)):
        key = f"{row['owner_id']} {row['currency']}"
        sign = -1 if row["line"] == "end" else 1
        sums[key] = sums.get(key, Decimal(0)) + sign * Decimal(row["amount"])
    assert len(sums) == 5
    assert not any(sums.values())
    rows = run("waterfall", *SPAN, "--deals", "won", "--format", "csv").stdout.splitlines()
    assert rows[1].startswith("d-mill,Mill upgrade,M-1,2026-03-15T09:00:00.000000Z,won,,")


def test_a_bridge_is_drawn(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "bridge.svg"
    assert run("waterfall", *SPAN, "--plot", str(file)).exit_code == 0
    text = file.read_text(encoding="utf-8")
    for word in ("start", "created", "+3 deals", "-1.05 k", "suspended", "amount, JPY"):
        assert f">{word}<" in text
    assert ">USD: without an amount 0 at the start, 1 at the end<" in text
    file = tmp_path / "by-owner.svg"
    assert run("waterfall", *SPAN, "--by", "owner", "--plot", str(file)).exit_code == 0
    text = file.read_text(encoding="utf-8")
    assert ">all groups by owner together<" in text
    assert ">moved<" not in text
    file = tmp_path / "of-one.svg"
    span = ("2026-03-09", "2026-03-11", "--where", "owner=Ben Ito")
    assert run("waterfall", *span, "--by", "stage", "--plot", str(file)).exit_code == 0
    assert ">moved<" in file.read_text(encoding="utf-8")
    empty = tmp_path / "empty.svg"
    assert run("waterfall", "2020", "--plot", str(empty)).exit_code == 0
    assert "No deals." in empty.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("2026-05-31", "2025-12-31"), "2025-12-31T23:59:59.999999Z is before 2026-05-31"),
        (("2026-Q5",), "'2026-Q5' is no period"),
        (("yesterday", "now"), "'yesterday' is not a time"),
        ((*SPAN, "--by", "colour"), "there is no dimension 'colour'"),
        ((*SPAN, "--closing", "soon"), "'soon' is no period"),
        ((*SPAN, "--deals", "gone"), "there is no line 'gone'"),
        (("9999",), "the year 9999 is not between"),
        (("9999",), ". Or give FROM and TO."),
        (("2025", "2026"), "'2025' is a period, and a period stands alone"),
        (("2025-12-31", "2026-Q1"), "'2026-Q1' is a period, and a period stands alone"),
        ((*SPAN, "--deals", "corrected"), "as it was believed; give --as-believed"),
        ((*SPAN, "--deals", "revalued"), "a currency to report in"),
        ((*SPAN, "--deals", "revalued"), "give --currency"),
        ((*SPAN, "--limit", "5"), "it is for --deals"),
        ((*SPAN, "--deals", "won", "--after", "x"), "'x' is not a cursor"),
        ((*SPAN, "--after", "x"), "it is for --deals"),
        ((*SPAN, "--limit", "3"), "it is for --deals"),
        ((*SPAN, "--deals", "won", "--plot", "x.svg"), "it draws figures, not deals"),
        ((*SPAN, "--as-believed", "--known-at", "now"), "leave out --known-at"),
    ],
)
def test_what_cannot_be_asked_is_told(run: Run, args: tuple[str, ...], told: str) -> None:
    done = run("waterfall", *args)
    assert done.exit_code == 2
    assert told in " ".join(done.stderr.split())


def test_a_currency_or_user_that_does_not_exist_is_told(run: Run) -> None:
    unknown = run("waterfall", *SPAN, "--currency", "ZZZ")
    assert unknown.exit_code == 1
    assert "'ZZZ' is not an ISO 4217 currency code" in unknown.stderr
    ambiguous = run("waterfall", *SPAN, "--where", "owner=Sam Roe")
    assert ambiguous.exit_code == 1
    assert "could be any of" in ambiguous.stderr


def test_a_deal_that_is_not_theirs_to_read_is_no_part_of_it(own_store: str) -> None:
    assert run_command("--db", own_store, "users", "grant", "u-ben", "seller").exit_code == 0
    args = ("--db", own_store, "waterfall", *SPAN, "--deals", "created", "--by", "owner")
    every = run_command(*args, "--format", "json").read(WaterfallDeals)
    theirs = run_command(*args, "--as", "u-ben", "--format", "json").read(WaterfallDeals)
    assert 0 < len(theirs.entries) < len(every.entries)
    assert all(one in every.entries for one in theirs.entries)
    assert run_command("--db", own_store, "users", "grant", "u-sam-1", "admin").exit_code == 0
    assert run_command(*args, "--as", "u-sam-1").exit_code == 1
