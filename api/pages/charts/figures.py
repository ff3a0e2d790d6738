"""Win rates and won deals: by group in one period, or over several periods."""

from collections.abc import Mapping
from decimal import Decimal

from api.pages.charts.bars import by_place, nothing, title
from api.pages.charts.style import BLUE, GREEN, GREY, RED, Spec, chart, rows
from api.wire.figures import FigureReport, GroupFigures
from api.wire.groups import labels_of

_MOST_GROUPS = 30
_OUTCOMES = ["won", "lost"]
_COLOURS = [GREEN, RED]
_ROOM = {"minExtent": 40}
"""Pixels for the labels of y, so that panels stand one above the other."""
_NOTHING = "No deals were won or lost then."


def figures_chart(answer: FigureReport, stages: Mapping[str, str]) -> Spec:
    """Over several periods those of all groups together, in one period a bar for each group."""
    if len(answer.totals) > 1:
        return _over_time(answer)
    return _by_group(answer, stages)


def _over_time(answer: FigureReport) -> Spec:
    labels = [one.period.label for one in answer.totals]
    heading = f"Won and lost from {labels[0]} to {labels[-1]}, and the share won"
    if not any(one.win_rate.of for one in answer.totals):
        return nothing(heading, _NOTHING)
    counts = [
        {"period": one.period.label, "what": what, "deals": getattr(one, what)}
        for one in answer.totals
        for what in _OUTCOMES
    ]
    most = max(one["deals"] for one in counts)
    rates = [
        {"period": one.period.label, "rate": _rate(one)}
        for one in answer.totals
        if one.win_rate.ratio is not None
    ]
    x: Spec = {
        "field": "period",
        "type": "ordinal",
        # Points as well as bars stand in the middle of a band, one above the other.
        "scale": {"type": "band", "domain": labels, "paddingInner": 0.2, "paddingOuter": 0.1},
        "axis": {"title": None, "labelAngle": 0 if len(labels) <= 12 else -60},
    }
    panels: list[Spec] = [
        {
            "width": 760,
            "height": 180,
            "data": rows(counts),
            "mark": {"type": "bar"},
            "encoding": {
                "x": x,
                "xOffset": {"field": "what", "scale": {"domain": _OUTCOMES}},
                "y": {"field": "deals", "type": "quantitative", "axis": {**_deals(most), **_ROOM}},
                "color": _colour(),
            },
        },
        {
            "width": 760,
            "height": 140,
            "data": rows(rates),
            "mark": {"type": "line", "point": {"color": BLUE}, "color": BLUE},
            "encoding": {
                "x": x,
                "y": {
                    "field": "rate",
                    "type": "quantitative",
                    "scale": {"domain": [0, 1]},
                    "axis": {**_ROOM, "title": "win rate: won ÷ (won + lost)", "format": "%"},
                },
            },
        },
    ]
    return chart(title=title(heading), vconcat=panels)


def _by_group(answer: FigureReport, stages: Mapping[str, str]) -> Spec:
    """The groups with most decided deals, in that order; the others are not drawn."""
    shown = sorted(answer.rows, key=lambda one: -one.win_rate.of)[:_MOST_GROUPS]
    heading = f"Won and lost in {answer.totals[0].period.label}, and the share won"
    if not any(one.win_rate.of for one in shown):
        return nothing(heading, _NOTHING)
    counts = [
        {"place": place, "what": what, "deals": getattr(one, what)}
        for place, one in enumerate(shown)
        for what in _OUTCOMES
    ]
    rates = [
        {
            "place": place,
            "end": one.win_rate.of,
            "text": f"{_rate(one):.0%}".replace("%", " %"),
        }
        for place, one in enumerate(shown)
        if one.win_rate.ratio is not None
    ]
    y = by_place(_labels(answer, shown, stages))
    return chart(
        title=title(heading),
        height=max(22 * len(shown), 40),
        layer=[
            {
                "data": rows(counts),
                "mark": {"type": "bar", "height": 13},
                "encoding": {
                    "y": y,
                    "x": {
                        "field": "deals",
                        "type": "quantitative",
                        "stack": True,
                        "axis": _deals(max(one.win_rate.of for one in shown)),
                    },
                    "order": {"field": "what", "sort": "descending"},
                    "color": _colour(),
                },
            },
            {
                "data": rows(rates),
                "mark": {"type": "text", "align": "left", "dx": 5, "color": GREY, "fontSize": 11},
                "encoding": {
                    "y": y,
                    "x": {"field": "end", "type": "quantitative"},
                    "text": {"field": "text"},
                },
            },
        ],
    )


def _labels(
    answer: FigureReport, shown: list[GroupFigures], stages: Mapping[str, str]
) -> list[str]:
    """The values of each group; the period where there is none."""
    told = {
        name: labels_of(
            (row.group[name] for row in answer.rows), stages if name == "stage" else None
        )
        for name in answer.group_by
    }
    return [
        " · ".join(label(one.group[name]) for name, label in told.items()) or one.period.label
        for one in shown
    ]


def _deals(most: int) -> Spec:
    """An axis of so many deals, without parts of one."""
    return {"title": "deals", "tickCount": min(6, most), "format": ",d"}


def _colour() -> Spec:
    return {
        "field": "what",
        "type": "nominal",
        "scale": {"domain": _OUTCOMES, "range": _COLOURS},
        "legend": {"title": None},
    }


def _rate(one: GroupFigures) -> float:
    return float(Decimal(one.win_rate.ratio or "0"))
