"""The gap report: its counts, its entries, its two forms."""

from __future__ import annotations

import json

import pytest

from api.exchange.report import Effect, GapReport, ImportFailure, Kind, Origin


def report() -> GapReport:
    report = GapReport("crm", "csv")
    report.counts.rows["deals.csv"] = 1200
    report.counts.deals = 1199
    report.add(Kind.IMPOSSIBLE_DATE, "'x' is no date", Origin("deals.csv", 7), "D7")
    for line in range(2, 7):
        report.add(Kind.TRANSLATED_VALUE, "'a' is read as 'b'", Origin("deals.csv", line), "D1")
    report.add(Kind.CURRENCY_ASSUMED, "USD is assumed", Origin("deals.csv"))
    report.add(Kind.CURRENCY_ASSUMED, "USD is assumed")
    return report


def test_the_json_form_has_stable_keys() -> None:
    told = json.loads(report().as_json())
    assert list(told) == ["source", "system", "dry_run", "counts", "kinds", "entries"]
    assert list(told["counts"]) == [
        "rows",
        "deals",
        "deals_revised",
        "deals_unchanged",
        "deals_left_out",
        "events",
        "inferred_events",
        "users",
    ]
    assert told["kinds"] == {"impossible-date": 1, "translated-value": 5, "currency-assumed": 2}
    assert told["entries"][0] == {
        "kind": "impossible-date",
        "effect": "left-out",
        "reason": "'x' is no date",
        "file": "deals.csv",
        "line": 7,
        "deal": "D7",
    }


def test_the_summary_groups_by_what_became_of_rows_and_shows_the_first_of_each_kind() -> None:
    assert report().as_text(examples=2) == (
        "Import of crm from csv\n"
        "  deals.csv: 1,200 rows read\n"
        "  deals: 1,199 new, 0 revised, 0 unchanged, 0 left out\n"
        "  events: 0 new, 0 of them inferred\n"
        "Left out:\n"
        "  impossible-date (1)\n"
        "    deals.csv:7: D7: 'x' is no date\n"
        "Repaired:\n"
        "  translated-value (5)\n"
        "    deals.csv:2: D1: 'a' is read as 'b'\n"
        "    deals.csv:3: D1: 'a' is read as 'b'\n"
        "    … and 3 more\n"
        "  currency-assumed (2)\n"
        "    deals.csv: USD is assumed\n"
        "    USD is assumed\n"
    )


def test_chinese_stays_readable_in_json() -> None:
    chinese = GapReport("crm", "csv")
    chinese.add(Kind.UNKNOWN_STAGE, "阶段 '谈判' 未知")
    assert "阶段 '谈判' 未知" in chinese.as_json()


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_is_a_stable_code_with_an_effect(kind: Kind) -> None:
    assert kind.value == kind.name.lower().replace("_", "-") == str(kind)
    assert isinstance(kind.effect, Effect)


def test_a_failure_says_where_what_and_what_to_do() -> None:
    failure = ImportFailure("the file is empty", "Export it again.", Origin("deals.csv", 1))
    assert str(failure) == "deals.csv:1: the file is empty. Export it again."
    assert str(ImportFailure("no map", "Give one.")) == "no map. Give one."
