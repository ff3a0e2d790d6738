"""The charts of operating figures and of coverage: which bars, with which labels."""

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest

from api.pages.charts.coverage import coverage_chart
from api.pages.charts.figures import figures_chart
from api.pages.charts.render import svg
from api.wire.coverage import CoverageReport, DealSum, TargetCoverage, Untargeted
from api.wire.figures import Average, FigurePeriod, FigureReport, GroupFigures, Share
from api.wire.groups import GroupValue, TeamUnit
from api.wire.values import Amount, User
from tests.api.pages.test_charts import HOSTILE

NOW = "2026-06-01T00:00:00.000000Z"


def period(label: str) -> FigurePeriod:
    return FigurePeriod(label, date(2026, 1, 1), date(2026, 3, 31))


def row(group: dict[str, GroupValue], won: int, lost: int, label: str = "2026-Q1") -> GroupFigures:
    decided = won + lost
    share = Share(won, decided, f"{won / decided:.4f}" if decided else None)
    nobody = Share(0, 0, None)
    mean = Average(0, 0, None)
    return GroupFigures(
        period=period(label),
        group=group,
        new=0,
        won=won,
        lost=lost,
        voided=0,
        lost_to_competitor=0,
        win_rate=share,
        win_rate_against_competitors=nobody,
        win_rate_of_cohort=nobody,
        cohort_open=0,
        cohort_voided=0,
        won_without_amount=0,
        cycle_days_won=mean,
        cycle_days_decided=mean,
        open=0,
        slip_rate=nobody,
        pushes_per_deal=mean,
        quoted=nobody,
        money=[],
        stages=[],
    )


def report(rows: Sequence[GroupFigures], totals: Sequence[GroupFigures], *by: str) -> FigureReport:
    return FigureReport(
        as_of=NOW,
        known_at=NOW,
        reporting_currency=None,
        group_by=list(by),
        rows=list(rows),
        totals=list(totals),
        caveats=[],
    )


def labels(chart: dict[str, Any]) -> list[str]:
    """Of the bars, from the top."""
    told: str = chart["layer"][0]["encoding"]["y"]["axis"]["labelExpr"]
    found: list[str] = json.loads(told.removesuffix("[datum.value]"))
    return found


def test_two_people_of_one_name_have_a_bar_each() -> None:
    rows = [row({"owner": User(f"s-{n}", "Sam Roe")}, won, lost) for n, won, lost in PEOPLE]
    chart = figures_chart(report(rows, [row({}, 3, 6)], "owner"), {})
    assert labels(chart) == ["Sam Roe (s-2)", "Sam Roe (s-1)"]
    bars, shares = (layer["data"]["values"] for layer in chart["layer"])
    assert [(bar["place"], bar["what"], bar["deals"]) for bar in bars] == [
        *((0, "won", 0), (0, "lost", 5)),
        *((1, "won", 3), (1, "lost", 1)),
    ]
    assert [(one["place"], one["text"]) for one in shares] == [(0, "0 %"), (1, "75 %")]
    drawn = svg(chart)
    assert all(name in drawn for name in ("Sam Roe (s-1)", "Sam Roe (s-2)"))


PEOPLE = [(1, 3, 1), (2, 0, 5)]


def test_a_team_of_several_units_and_a_unit_of_that_name_have_a_bar_each() -> None:
    teams = [[TeamUnit("a", "A"), TeamUnit("b", "B")], [TeamUnit("ab", "A + B")], None]
    rows = [row({"team": team}, 1, 0) for team in teams]
    chart = figures_chart(report(rows, [row({}, 3, 0)], "team"), {})
    assert labels(chart) == ["A + B (a + b)", "A + B (ab)", "(none)"]


def test_stages_have_their_names() -> None:
    rows = [row({"stage": "P1"}, 1, 0), row({"stage": "P2"}, 0, 1)]
    chart = figures_chart(report(rows, [row({}, 1, 1)], "stage"), {"P1": "P1 Needs"})
    assert labels(chart) == ["P1 Needs", "P2"]


@pytest.mark.parametrize("name", [HOSTILE, '"][0]; alert(1) //', "李伟 \\u0041 '", "\u2028"])
def test_any_name_is_drawn(name: str) -> None:
    chart = figures_chart(report([row({"owner": User("u", name)}, 1, 0)], [ROW], "owner"), {})
    assert svg(chart).startswith("<svg")
    assert "(none)" not in labels(chart)


ROW = row({}, 1, 0)


def test_periods_stand_one_above_the_other_under_a_title() -> None:
    totals = [row({}, n, 120, f"2026-Q{n}") for n in (1, 2, 3)]
    chart = figures_chart(report([], totals), {})
    above, below = (panel["encoding"] for panel in chart["vconcat"])
    assert above["x"]["scale"] == below["x"]["scale"]
    assert above["x"]["scale"]["type"] == "band"
    assert above["y"]["axis"]["minExtent"] == below["y"]["axis"]["minExtent"]
    assert "Won and lost from 2026-Q1 to 2026-Q3, and the share won" in svg(chart)


@pytest.mark.parametrize("count", [1, 4])
def test_where_nothing_was_decided_that_is_said(count: int) -> None:
    totals = [row({}, 0, 0, f"2026-Q{n + 1}") for n in range(count)]
    chart = figures_chart(report(totals[:1] if count == 1 else [], totals), {})
    assert "No deals were won or lost then." in svg(chart)


NO_DEALS = DealSum(0, 0, [])


def target(won: str, pipeline: str, **whose: Any) -> TargetCoverage:
    amount = Amount("100", "EUR")
    whom = {"owner": None, "territory": None, "unit": None, "unit_name": None}
    return TargetCoverage(
        **{**whom, **whose},
        target=amount,
        won=Amount(won, "EUR"),
        won_deals=NO_DEALS,
        remaining=amount,
        pipeline=Amount(pipeline, "EUR"),
        weighted_pipeline=amount,
        pipeline_deals=NO_DEALS,
        coverage=None,
        win_rate=Share(0, 0, None),
        needed_pipeline=None,
        needed_new_pipeline=None,
    )


def covered(*targets: TargetCoverage) -> dict[str, Any]:
    nothing = Untargeted(NO_DEALS, NO_DEALS, NO_DEALS, Share(0, 0, None))
    return coverage_chart(
        CoverageReport(
            as_of=NOW,
            known_at=NOW,
            period=period("2026-Q1"),
            targets=list(targets),
            untargeted=nothing,
            caveats=[],
        )
    )


def test_a_bar_that_is_cut_says_how_long_it_is() -> None:
    chart = covered(target("0", "808"), target("400", "0"), target("100", "200"))
    bars, cut, _ = (layer["data"]["values"] for layer in chart["layer"])
    assert [(one["place"], one["text"]) for one in cut] == [(0, "× 8.1"), (1, "× 4.0")]
    assert [(bar["from"], bar["to"]) for bar in bars] == [
        *((0, 0), (0, 3)),
        *((0, 3), (3, 3)),
        *((0, 1), (1, 3)),
    ]
    assert "× 8.1" in svg(chart)


def test_bars_that_are_not_cut_have_no_number() -> None:
    chart = covered(target("50", "20"))
    assert chart["layer"][1]["data"]["values"] == []


def test_targets_of_units_of_one_name_have_a_bar_each() -> None:
    units = [{"unit": unit, "unit_name": "Sales"} for unit in ("t-1", "t-2")]
    chart = covered(*(target("50", "20", **unit) for unit in units), target("1", "1"))
    assert labels(chart) == ["unit Sales (t-1) · EUR", "unit Sales (t-2) · EUR", "all · EUR"]
    assert {bar["place"] for bar in chart["layer"][0]["data"]["values"]} == {0, 1, 2}


def test_without_targets_that_is_said() -> None:
    assert "No targets are on record for exactly this period." in svg(covered())
