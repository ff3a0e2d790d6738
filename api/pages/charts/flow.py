"""Charts of the flow of deals: stages, cohorts, time in stage, outcomes over time, stuck deals."""

from collections.abc import Mapping, Sequence

from api.pages.charts.style import (
    BLUE,
    FAINT,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PURPLE,
    RED,
    Spec,
    chart,
    rows,
)
from api.wire.flows import (
    CohortTable,
    Flow,
    GroupOutcomes,
    OutcomesOverTime,
    StageSurvival,
    TimeInStage,
)
from api.wire.stuck import StuckDeals
from api.wire.values import User
from projections.flow.survival import ENDINGS, Ending

Names = Mapping[str, str]

_ENDINGS = {
    Ending.WON: ("won", GREEN),
    Ending.LOST: ("lost to a competitor", RED),
    Ending.NO_DECISION: ("no decision", ORANGE),
    Ending.OTHER: ("other", GREY),
}
_PER_ROW = 3
_CELL_WIDTH, _CELL_HEIGHT = 240, 140
_MOST_PANELS = 24
_STEPS: Spec = {"interpolate": "step-after", "color": BLUE}
_SHARE_AXIS = {"format": ".0%", "tickCount": 5}


def _value(value: str | User | None) -> str:
    match value:
        case None:
            return "(none)"
        case User():
            return value.name or value.id
        case str():
            return value


# Stages.


def stage_chart(answer: Flow, names: Names) -> Spec:
    """How visits of every stage ended."""
    kinds = {
        "forward or won": BLUE,
        "back": ORANGE,
        "lost or voided": RED,
        "merged or other process": PURPLE,
        "still there": GREY,
    }
    several = len({one.process for one in answer.stages}) > 1
    values: list[Spec] = []
    order = []
    for one in answer.stages:
        name = names.get(one.stage, one.stage)
        label = f"{name} · {one.process}" if several else name
        order.append(label)
        count = dict.fromkeys(kinds, 0)
        for exit_ in one.exits:
            count[_KIND[exit_.how]] += exit_.visits
        values += [
            {"stage": label, "how": how, "visits": visits, "at": number}
            for number, (how, visits) in enumerate(count.items())
            if visits
        ]
    stacked = max((one.visits for one in answer.stages), default=0)
    return chart(
        data=rows(values),
        height={"step": 26},
        mark="bar",
        encoding={
            "y": _names_axis("stage", order),
            "x": {**_whole("visits", stacked), "title": "visits"},
            "color": _legend("how", kinds),
            "order": {"field": "at"},
        },
    )


_KIND = {
    "forward": "forward or won",
    "won": "forward or won",
    "back": "back",
    "lost": "lost or voided",
    "voided": "lost or voided",
    "merged": "merged or other process",
    "process": "merged or other process",
    "open": "still there",
    "suspended": "still there",
}


def _names_axis(field: str, order: Sequence[str]) -> Spec:
    return {
        "field": field,
        "type": "nominal",
        "sort": list(order),
        "title": None,
        "axis": {"labelLimit": 420},
    }


_TICKS = 10
"""At most on an axis."""


def counted(number: int, one: str) -> str:
    """How many there are, with the word for one of them."""
    return f"{number:,} {one}" if number == 1 else f"{number:,} {one}s"


def _whole(field: str, longest: int) -> Spec:
    """A length in whole numbers: a tick for each where there are few."""
    axis: Spec = {"format": ",d"}
    if longest < _TICKS:
        axis["values"] = list(range(max(longest, 1) + 1))
    return {
        "field": field,
        "type": "quantitative",
        "axis": axis,
        "scale": {"domainMin": 0, **({} if longest else {"domainMax": 1})},
    }


def _legend(field: str, colours: Mapping[str, str]) -> Spec:
    return {
        "field": field,
        "type": "nominal",
        "title": None,
        "scale": {"domain": [*colours], "range": [*colours.values()]},
    }


# Cohorts.


def cohort_chart(answer: CohortTable) -> Spec:
    """A table of shares as heat: cohorts down, stages across; a panel for each process."""
    processes = sorted({one.process for one in answer.cohorts})
    return chart(
        vconcat=[_heat(answer, process) for process in processes] or [_empty()],
        resolve={"scale": {"color": "shared", "x": "independent", "y": "independent"}},
    )


def _heat(answer: CohortTable, process: str) -> Spec:
    cohorts = [one for one in answer.cohorts if one.process == process]
    columns = [*(stage.stage for stage in cohorts[0].reached), "won", "lost", "open"]
    values = []
    for one in cohorts:
        shares = [*(stage.share for stage in one.reached), one.won_share, one.lost_share]
        for column, share in zip(columns, [*shares, one.open_share], strict=True):
            if share is not None:
                cohort = f"{one.period} ({one.opened:,})"
                values.append({"cohort": cohort, "column": column, "share": float(share)})
    x: Spec = {"field": "column", "type": "nominal", "sort": columns, "title": None}
    step = min(max(62, 7 * max(map(len, columns))), 120)
    x["axis"] = {"orient": "top", "labelAngle": 0, "labelLimit": step - 6}
    encoding = {"x": x, "y": {**_names_axis("cohort", []), "sort": None}}
    dark = {"condition": {"test": "datum.share > 0.55", "value": "white"}, "value": INK}
    return {
        "title": {"text": process, "anchor": "start", "fontSize": 12, "fontWeight": "normal"},
        "data": rows(values),
        "width": {"step": step},
        "height": {"step": 22},
        "encoding": encoding,
        "layer": [
            {
                "mark": {"type": "rect", "stroke": "white"},
                "encoding": {
                    "color": {
                        "field": "share",
                        "type": "quantitative",
                        "scale": {"domain": [0, 1], "range": ["#F4F8FB", BLUE]},
                        "legend": None,
                    }
                },
            },
            {
                "mark": {"type": "text", "fontSize": 11},
                "encoding": {
                    "text": {"field": "share", "type": "quantitative", "format": ".0%"},
                    "color": dark,
                },
            },
        ],
    }


def _empty() -> Spec:
    return {
        "data": rows([{}]),
        "mark": {"type": "text", "text": "No deals", "color": GREY, "fontSize": 12},
        "height": 60,
    }


# Time in stage.


def survival_chart(answer: TimeInStage, names: Names) -> Spec:
    """A panel for each stage: the share still there by days, with its band and the median."""
    shown = [one for one in answer.stages if one.curve][:_MOST_PANELS]
    if not shown:
        return chart(**_empty())
    panels = [_survival_panel(one, answer, names) for one in shown]
    return chart(
        columns=_PER_ROW,
        concat=panels,
        resolve={"scale": {"x": "independent", "y": "shared"}},
    )


def _survival_panel(one: StageSurvival, answer: TimeInStage, names: Names) -> Spec:
    processes = {stage.process for stage in answer.stages}
    title = names.get(one.stage, one.stage)
    told = [f"{counted(one.visits, 'visit')}, {one.ended:,} ended"]
    if one.median_days is not None:
        told[0] += f", half by day {one.median_days}"
    if len(processes) > 1:
        told.insert(0, one.process)
    if answer.by is not None:
        told.insert(0, _value(one.value))
    values: list[Spec] = [{"days": 0, "share": 1.0, "low": 1.0, "high": 1.0}]
    values += [
        {
            "days": point.days,
            "share": point.share,
            "low": 0.0 if point.low is None else point.low,
            "high": point.share if point.high is None else point.high,
        }
        for point in one.curve
    ]
    values.append({**values[-1], "days": max(one.longest_days, one.curve[-1].days)})
    x = {"field": "days", "type": "quantitative", "title": "days", "axis": {"tickCount": 5}}
    y = {"type": "quantitative", "scale": {"domain": [0, 1]}, "axis": _SHARE_AXIS}
    return {
        "title": _panel_title(title, told),
        "width": _CELL_WIDTH,
        "height": _CELL_HEIGHT,
        "data": rows(values),
        "layer": [
            {
                "mark": {
                    "type": "area",
                    "interpolate": "step-after",
                    "color": BLUE,
                    "opacity": 0.2,
                },
                "encoding": {
                    "x": x,
                    "y": {**y, "field": "low", "title": None},
                    "y2": {"field": "high"},
                },
            },
            {
                "mark": {**_STEPS, "type": "line"},
                "encoding": {"x": x, "y": {**y, "field": "share", "title": None}},
            },
        ],
    }


def _panel_title(title: str, told: Sequence[str]) -> Spec:
    return {
        "text": title,
        "subtitle": list(told),
        "anchor": "start",
        "fontSize": 12,
        "fontWeight": "normal",
        "subtitleFontSize": 10,
        "subtitleColor": GREY,
        "limit": _CELL_WIDTH,
    }


# Outcomes over time.


def outcome_chart(answer: OutcomesOverTime) -> Spec:
    """A panel for each group: the shares of all endings by days, one on the other."""
    shown = [one for one in answer.groups if any(one.ended.values())][:_MOST_PANELS]
    if not shown:
        return chart(**_empty())
    alone = len(shown) == 1
    panels = [_outcome_panel(one, answer.by, alone=alone) for one in shown]
    return chart(columns=_PER_ROW, concat=panels)


def _outcome_panel(one: GroupOutcomes, by: str | None, *, alone: bool) -> Spec:
    values: list[Spec] = []
    for number, ending in enumerate(ENDINGS):
        steps = [(point.days, point.shares[ending]) for point in one.curve]
        # A second row for one day would be stacked on the first.
        if one.longest_days > steps[-1][0]:
            steps.append((one.longest_days, steps[-1][1]))
        name = _ENDINGS[ending][0]
        values += [{"days": d, "share": s, "ending": name, "at": number} for d, s in steps]
    title = _value(one.value) if by else "Outcomes since the opening"
    told = [
        f"{counted(one.deals, 'deal')}, {one.censored:,} without an outcome:",
        "open, suspended or merged",
    ]
    if alone:
        told = [" ".join(told)]
    x = {"field": "days", "type": "quantitative", "title": "days since the opening"}
    return {
        "title": _panel_title(title, told),
        "width": 760 if alone else _CELL_WIDTH,
        "height": 300 if alone else _CELL_HEIGHT,
        "data": rows(values),
        "mark": {"type": "area", "interpolate": "step-after", "opacity": 0.85},
        "encoding": {
            "x": {**x, "axis": {"tickCount": 10 if alone else 5}},
            "y": {
                "field": "share",
                "type": "quantitative",
                "stack": "zero",
                "title": None,
                "scale": {"domain": [0, 1]},
                "axis": _SHARE_AXIS,
            },
            "color": _legend("ending", dict(_ENDINGS.values())),
            "order": {"field": "at"},
        },
    }


# Stuck deals.


def stuck_chart(answer: StuckDeals, names: Names) -> Spec:
    """How many open deals of each stage are stuck, and how many are not, or nobody can tell."""
    kinds = {"stuck": RED, "not stuck": BLUE, "too few to tell": FAINT}
    several = len({one.process for one in answer.stages}) > 1
    values: list[Spec] = []
    order = []
    for one in answer.stages:
        name = names.get(one.stage, one.stage)
        label = f"{name} · {one.process}" if several else name
        order.append(label)
        open_, stuck = one.figures.open, one.figures.stuck
        counts = (
            {"too few to tell": open_}
            if stuck is None
            else {"stuck": stuck, "not stuck": open_ - stuck}
        )
        values += [
            {"stage": label, "how": how, "deals": deals, "at": list(kinds).index(how)}
            for how, deals in counts.items()
        ]
    stacked = max((one.figures.open for one in answer.stages), default=0)
    return chart(
        data=rows(values),
        height={"step": 26},
        mark="bar",
        encoding={
            "y": _names_axis("stage", order),
            "x": {**_whole("deals", stacked), "title": "open deals"},
            "color": _legend("how", kinds),
            "order": {"field": "at"},
        },
    )
