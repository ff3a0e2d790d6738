"""CSV files with one row per change."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from api.exchange.identity import Identity
from api.exchange.report import GapReport, ImportFailure, Kind
from domain.lifecycle import Status
from domain.values import Money
from tests.api.exchange.importing import Importer, types

MAP = """
rows = "changes"
file = "deals.csv"
process_id = "five-step"
constant = { currency = "EUR" }

[deal]
reference = "deal"
name = "title"
owner = "seller"
stage = "phase"
amount = "value"
won_value = "value"
changed = "at"
recorded = "noted"
changed_by = "by"

[stages]
"Contact" = "contact"
"Design" = "design-solution"

[outcomes]
"Won" = "won"
"""
HEADER = "deal,title,seller,phase,value,at,noted,by"
ROWS = (
    "D1,Press,Ann,Contact,,2026-03-01T08:00:00Z,2026-03-01T09:00:00Z,Zoe",
    "D1,,,Design,1000,2026-03-10T08:00:00Z,2026-03-12T08:00:00Z,",
    "D1,,Bo,,900,2026-03-15T08:00:00Z,,Zoe",
    "D1,,,Won,900,2026-04-01T08:00:00Z,,Bo",
)


def run(importer: Importer, *rows: str, csv_map: str = MAP, header: str = HEADER) -> GapReport:
    return importer.csv(*rows, csv_map=csv_map, header=header)


def at(day: int) -> datetime:
    return datetime(2026, 3, day, 8, tzinfo=UTC)


def test_each_row_adds_what_it_changes(importer: Importer) -> None:
    report = run(importer, *ROWS)
    events = importer.histories()["D1"].events
    assert types(events) == [
        "opportunity-opened",
        "stage-advanced",
        "forecast-revised",
        "owner-changed",
        "forecast-revised",
        "opportunity-won",
    ]
    assert not any(event.inferred for event in events)
    assert report.counts.inferred_events == 0
    deal = importer.deal("D1")
    assert (deal.life.status, deal.amount) == (Status.WON, Money.parse("900", "EUR"))
    assert deal.life.owner == Identity("crm").user("Bo")


def test_a_row_can_tell_when_it_was_recorded_and_by_whom(importer: Importer) -> None:
    run(importer, *ROWS)
    opened, advanced, *_, won = importer.histories()["D1"].events
    assert opened.known_at == datetime(2026, 3, 1, 9, tzinfo=UTC)
    assert opened.actor == Identity("crm").user("Zoe")
    assert (advanced.known_at, advanced.actor) == (at(12), "local")
    assert won.known_at == won.recorded_at


def test_rows_come_in_any_order_and_deals_mixed(importer: Importer) -> None:
    other = [row.replace("D1", "D2") for row in ROWS]
    report = run(importer, ROWS[3], other[0], ROWS[0], other[2], ROWS[2], other[1], ROWS[1])
    assert importer.told("D1")[-1] == "won, 900.00 EUR"
    assert importer.deal("D2").life.status is Status.OPEN
    assert [entry.deal for entry in report.of(Kind.ROWS_OUT_OF_ORDER)] == ["D1", "D2"]


def test_name_and_owner_may_stand_on_a_later_row_alone(importer: Importer) -> None:
    run(importer, ROWS[0].replace("Press,Ann", ","), "D1,Late,Cy,,,2026-03-20T08:00:00Z,,")
    opened = importer.histories()["D1"].events[0]
    assert importer.told("D1") == ["opened 'Late' in contact of five-step/1"]
    assert opened.occurred_at == at(1)


def test_rows_of_the_same_time_stay_in_the_order_of_the_file(importer: Importer) -> None:
    same = ROWS[2].replace("900", "800")
    report = run(importer, *ROWS[:3], same)
    assert importer.deal("D1").stages.amount == Money.parse("800", "EUR")
    assert [entry.deal for entry in report.of(Kind.SAME_TIME_ROWS)] == ["D1"]


def test_a_repeated_change_is_told(importer: Importer) -> None:
    csv_map = MAP.replace('changed = "at"', 'changed = "at"\nchange_id = "id"')
    rows = [f"{row},{number}" for number, row in enumerate((*ROWS, ROWS[1]))]
    rows[-1] = rows[1]
    report = run(importer, *rows, csv_map=csv_map, header=f"{HEADER},id")
    assert [(e.line, e.deal) for e in report.of(Kind.DUPLICATE_ID)] == [(6, "D1")]
    assert importer.deal("D1").life.status is Status.WON


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        (ROWS[1].replace("2026-03-10T08:00:00Z", ""), Kind.MISSING_VALUE),
        (ROWS[1].replace("2026-03-10T", "2026-03-32T"), Kind.IMPOSSIBLE_DATE),
        (ROWS[1].replace("1000", "lots"), Kind.IMPOSSIBLE_AMOUNT),
        (ROWS[1].replace("Design", "Desing"), Kind.UNKNOWN_STAGE),
    ],
)
def test_a_bad_row_leaves_its_deal_out_whole(importer: Importer, row: str, kind: Kind) -> None:
    report = run(importer, ROWS[0], row, ROWS[3], ROWS[0].replace("D1", "D2"))
    assert importer.histories().keys() == {"D2"}
    assert [(e.line, e.deal) for e in report.of(kind)] == [(3, "D1")]
    assert report.counts.deals_left_out == 1
    assert run(importer, *ROWS).counts.deals == 1


def test_a_row_without_a_deal_is_told(importer: Importer) -> None:
    report = run(importer, ROWS[0], ROWS[1].replace("D1", ""))
    assert [entry.line for entry in report.of(Kind.MISSING_ID)] == [3]


def test_a_deal_without_an_owner_is_left_out(importer: Importer) -> None:
    report = run(importer, ROWS[0].replace("Ann", ""))
    assert [entry.deal for entry in report.of(Kind.MISSING_VALUE)] == ["D1"]


def test_a_damaged_file_is_refused_whole(importer: Importer) -> None:
    """Any deal could have lost changes, so none is imported in part."""
    with pytest.raises(ImportFailure, match=r"deals\.csv:3: the row has 3 cells"):
        run(importer, ROWS[0], "D1,,Bo")
    assert importer.log.head() == 0


def test_a_second_run_adds_nothing_and_a_later_one_what_is_new(importer: Importer) -> None:
    run(importer, *ROWS[:2])
    head = importer.log.head()
    assert run(importer, *ROWS[:2]).counts.deals_unchanged == 1
    assert importer.log.head() == head
    report = run(importer, *ROWS)
    assert (report.counts.deals_revised, report.counts.events) == (1, 3)
