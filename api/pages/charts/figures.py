"""Win rates and won deals: by group in one period, or over several periods."""

from decimal import Decimal

from api.pages.charts.style import BLUE, FAINT, GREEN, GREY, INK, RED, Spec, chart, rows
from api.wire.figures import FigureReport, GroupFigures
from api.wire.values import User

_MOST_GROUPS = 30
_LABEL = 220
"""Pixels; a longer name is cut."""
_OUTCOMES = ["won", "lost"]
_COLOURS = [GREEN, RED]


def figures_chart(answer: FigureReport) -> Spec:
    """Over several periods those of all groups together, in one period a bar for each group."""
    if len(answer.totals) > 1:
        return _over_time(answer)
    return _by_group(answer)


def _over_time(answer: FigureReport) -> Spec:
    labels = [one.period.label for one in answer.totals]
    counts = [
        {"period": one.period.label, "what": what, "deals": getattr(one, what)}
        for one in answer.totals
        for what in _OUTCOMES
    ]
    rates = [
        {"period": one.period.label, "rate": _rate(one)}
        for one in answer.totals
        if one.win_rate.ratio is not None
    ]
    x: Spec = {
        "field": "period",
        "type": "ordinal",
        "scale": {"domain": labels},
        "axis": {"title": None, "labelAngle": 0 if len(labels) <= 12 else -60},
    }
    return chart(
        vconcat=[
            {
                "width": 760,
                "height": 180,
                "data": rows(counts),
                "mark": {"type": "bar"},
                "encoding": {
                    "x": x,
                    "xOffset": {"field": "what", "scale": {"domain": _OUTCOMES}},
                    "y": {"field": "deals", "type": "quantitative", "axis": _axis("deals")},
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
                        "axis": {**_axis("win rate: won ÷ (won + lost)"), "format": "%"},
                    },
                },
            },
        ]
    )


def _by_group(answer: FigureReport) -> Spec:
    """The groups with most decided deals, in that order; the others are not drawn."""
    shown = sorted(answer.rows, key=lambda one: -one.win_rate.of)[:_MOST_GROUPS]
    labels = [label(one) for one in shown]
    counts = [
        {"group": name, "what": what, "deals": getattr(one, what)}
        for name, one in zip(labels, shown, strict=True)
        for what in _OUTCOMES
    ]
    rates = [
        {"group": name, "end": one.won + one.lost, "text": f"{_rate(one):.0%}".replace("%", " %")}
        for name, one in zip(labels, shown, strict=True)
        if one.win_rate.ratio is not None
    ]
    y: Spec = {
        "field": "group",
        "type": "nominal",
        "scale": {"domain": labels},
        "axis": {"title": None, "labelLimit": _LABEL, "domainColor": FAINT},
    }
    title = f"Won and lost in {answer.totals[0].period.label}, and the share won"
    return chart(
        title={"text": title, "anchor": "start", "color": INK, "fontWeight": "normal"},
        height=max(22 * len(labels), 40),
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
                        "axis": _axis("deals"),
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


def _axis(title: str) -> Spec:
    return {"title": title, "tickCount": 6, "tickMinStep": 1 if title == "deals" else 0}


def _colour() -> Spec:
    return {
        "field": "what",
        "type": "nominal",
        "scale": {"domain": _OUTCOMES, "range": _COLOURS},
        "legend": {"title": None},
    }


def _rate(one: GroupFigures) -> float:
    return float(Decimal(one.win_rate.ratio or "0"))


def label(one: GroupFigures) -> str:
    """The values of a group; the period where there is none."""
    told = [
        "(none)" if value is None else value.name or value.id if isinstance(value, User) else value
        for value in one.group.values()
    ]
    return " · ".join(told) or one.period.label
