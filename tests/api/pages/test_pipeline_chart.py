"""The chart of a snapshot: which bars, in which order, with which labels."""

from collections.abc import Mapping, Sequence
from typing import Any

from api.pages.charts.pipeline import MOST_BARS, snapshot_chart
from api.pages.charts.render import svg
from api.wire.pipelines import Pipeline, PipelineFigures
from api.wire.values import Amount, User

Group = Mapping[str, str | User | None]


def figures(
    group: Group, amount: str, *, deals: int = 1, currency: str = "EUR", unknown: int = 0
) -> PipelineFigures:
    """One row, of which half its amount is weighted."""
    return PipelineFigures(
        group=dict(group),
        currency=currency,
        open=deals,
        open_amount=Amount(amount, currency),
        open_weighted_amount=Amount(str(float(amount) / 2), currency),
        open_unknown_amount=unknown,
        open_average_age_days=1.0,
        suspended=0,
        won=1,
        won_amount=Amount("1", currency),
        won_unknown_amount=0,
        lost=0,
        voided=0,
    )


def answer(rows: Sequence[PipelineFigures], *by: str) -> Pipeline:
    currencies = dict.fromkeys(row.currency for row in rows)
    return Pipeline(
        as_of="2026-06-01T00:00:00.000000Z",
        known_at="2026-06-01T00:00:00.000000Z",
        group_by=list(by),
        reporting_currency=None,
        rates=[],
        currencies_without_rate=[],
        rows=list(rows),
        totals=[figures({}, "0", currency=one) for one in currencies],
        caveats=[],
    )


def bars(found: dict[str, Any]) -> list[list[tuple[str, float, float, str]]]:
    """Label, open, weighted and what is counted, of each panel."""
    return [
        [
            (one["group"], one["open"], one["weighted by probability"], one["counted"])
            for one in panel["data"]["values"]
        ]
        for panel in found["vconcat"]
    ]


def drawn(rows: Sequence[PipelineFigures], *by: str) -> list[list[tuple[str, float, float, str]]]:
    found = snapshot_chart(answer(rows, *by), {"P1": "P1 Needs"}, "now")
    assert svg(found).startswith("<svg")
    return bars(found)


def test_stages_keep_their_order_and_have_their_names() -> None:
    rows = [figures({"stage": "P1"}, "1"), figures({"stage": "P2"}, "5", deals=2, unknown=1)]
    assert drawn(rows, "stage") == [
        [("P1 Needs", 1.0, 0.5, "1 deal"), ("P2", 5.0, 2.5, "2 deals, 1 without amount")]
    ]


def test_other_groups_stand_by_their_amounts() -> None:
    rows = [
        figures({"region": "A"}, "1"),
        figures({"region": "华东"}, "5"),
        figures({"region": None}, "3"),
    ]
    assert [label for label, *_ in drawn(rows, "region")[0]] == ["华东", "(none)", "A"]


def test_further_dimensions_are_added_up() -> None:
    rows = [
        figures({"region": "A", "stage": "P1"}, "1"),
        figures({"region": "A", "stage": "P2"}, "4", deals=3, unknown=1),
    ]
    assert drawn(rows, "region", "stage") == [[("A", 5.0, 2.5, "4 deals, 1 without amount")]]


def test_each_currency_has_a_panel_and_groups_without_open_deals_no_bar() -> None:
    rows = [
        figures({"region": "A"}, "1"),
        figures({"region": "B"}, "0", deals=0),
        figures({"region": "A"}, "7", currency="JPY"),
        figures({"region": "A"}, "0", deals=0, currency="USD"),
    ]
    assert drawn(rows, "region") == [
        [("A", 1.0, 0.5, "1 deal")],
        [("A", 7.0, 3.5, "1 deal")],
    ]


def test_two_people_of_one_name_have_a_bar_each() -> None:
    rows = [
        figures({"owner": User("u-1", "Sam Roe")}, "1"),
        figures({"owner": User("u-2", "Sam Roe")}, "2"),
        figures({"owner": User("u-3", None)}, "3"),
    ]
    labels = [label for label, *_ in drawn(rows, "owner")[0]]
    assert labels == ["u-3", "Sam Roe (u-2)", "Sam Roe (u-1)"]


def test_the_smallest_of_many_groups_are_one_bar() -> None:
    rows = [figures({"owner": User(f"u-{n}", None)}, str(n)) for n in range(1, MOST_BARS + 11)]
    (panel,) = drawn(rows, "owner")
    assert len(panel) == MOST_BARS
    assert panel[0][:2] == ("u-50", 50.0)
    assert panel[-1] == ("11 others", 66.0, 33.0, "11 deals")


def test_without_groups_there_is_one_bar() -> None:
    assert drawn([figures({}, "4", deals=2)]) == [[("all", 4.0, 2.0, "2 deals")]]


def test_where_nothing_is_open_that_is_said() -> None:
    found = snapshot_chart(answer([], "stage"), {}, "as of 2018-01-01")
    assert "Nothing is open then." in svg(found)
    assert "Open pipeline by stage, as of 2018-01-01" in svg(found)
