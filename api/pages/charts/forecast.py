"""The forecast as bars by month, what was won beside them, and how the forecast of a month came."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from api.pages.charts.style import (
    BLUE,
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
from api.wire.forecasts import Forecast, ForecastHistory, ForecastRow

_COLOURS = {
    "closed": GREEN,
    "commit": BLUE,
    "most-likely": "#56B4E9",
    "best-case": ORANGE,
    "pipeline": PURPLE,
    "omitted": GREY,
    "none": "#BFBFBF",
}
"""The surest first: they stand at the foot of a bar."""

WEIGHTED, WON = "weighted by probability", "won in the month"

_WIDTH = 760


def forecast_chart(answer: Forecast, when: str) -> Spec:
    """Amounts by month and category, for each currency a panel, with what was weighted and won.

    Months in which there is nothing are left out, as the axis names each.
    """
    panels = [_panel(answer, one.amount.currency) for one in answer.sums] or [_nothing()]
    return _stacked(panels, f"Forecast {when}")


def _stacked(panels: Sequence[Spec], title: str) -> Spec:
    whole = chart(
        title={"text": title, "fontSize": 14, "anchor": "start", "offset": 12},
        vconcat=list(panels),
        spacing=28,
    )
    # Panels have widths of their own.
    del whole["width"]
    return whole


def _nothing() -> Spec:
    return {
        "width": _WIDTH,
        "height": 40,
        "data": rows([{"text": "nothing to show"}]),
        "mark": {"type": "text", "fontSize": 12, "color": INK},
        "encoding": {"text": {"field": "text"}},
    }


def _panel(answer: Forecast, currency: str) -> Spec:
    of_all = [row for row in answer.totals or answer.rows if row.currency == currency]
    months = [one for one in answer.months if one.currency == currency]
    bars = [_bar(row) for row in of_all]
    named = {row.close for row in of_all} | {one.month for one in months}
    order = sorted(named, key=lambda one: (one == "undated", one != "overdue", one))
    weighted = {close: Decimal(0) for close in named}
    for row in of_all:
        weighted[row.close] += Decimal(row.sum.weighted_amount.amount)
    ticks = [
        {"close": close, "amount": float(total), "what": WEIGHTED}
        for close, total in weighted.items()
        if total
    ]
    diamonds = [
        {"close": one.month, "amount": float(one.won.amount.amount), "what": WON}
        for one in months
        # Of a month that is not over, nothing won says nothing yet.
        if one.won.deals or one.error
    ]
    names = [name for name in _COLOURS if any(bar["what"] == name for bar in bars)]
    names += [what for what, some in ((WEIGHTED, ticks), (WON, diamonds)) if some]
    layers = [
        _layer(bars, _BAR, order, names, currency),
        _layer(ticks, _TICK, order, names, currency),
        _layer(diamonds, _DIAMOND, order, names, currency),
    ]
    return {"width": _WIDTH, "height": 240, "layer": [one for one in layers if one is not None]}


_BAR: Spec = {"type": "bar"}
_TICK: Spec = {"type": "tick", "thickness": 3, "bandSize": 46, "opacity": 1}
_DIAMOND: Spec = {"type": "point", "filled": True, "shape": "diamond", "size": 150, "opacity": 1}


def _bar(row: ForecastRow) -> Spec:
    category = row.category or "none"
    return {
        "close": row.close,
        "what": category,
        "rank": list(_COLOURS).index(category),
        "amount": float(row.sum.amount.amount),
    }


def _months_axis(order: Sequence[str]) -> Spec:
    return {
        "field": "close",
        "type": "nominal",
        "sort": list(order),
        "axis": {"title": None, "labelAngle": -45 if len(order) > 10 else 0, "labelOverlap": False},
    }


def _amounts(currency: str) -> Spec:
    return {
        "field": "amount",
        "type": "quantitative",
        "axis": {"title": f"amount, {currency}", "format": "~s", "tickCount": 5},
    }


def _layer(
    values: list[Spec], mark: Spec, order: Sequence[str], names: Sequence[str], currency: str
) -> Spec | None:
    if not values:
        return None
    colours = {**_COLOURS, WEIGHTED: INK, WON: RED}
    return {
        "data": rows(values),
        "mark": mark,
        "encoding": {
            "x": _months_axis(order),
            "y": _amounts(currency),
            "order": {"field": "rank", "type": "quantitative"},
            "color": {
                "field": "what",
                "type": "nominal",
                "scale": {"domain": list(names), "range": [colours[name] for name in names]},
                "legend": {"title": None},
            },
        },
    }


_LINES = {
    "amount of open deals": (GREY, [4, 3]),
    "weighted + won": (ORANGE, [1, 0]),
    "weighted": (BLUE, [6, 4]),
    "won by then": (GREEN, [1, 0]),
}


def history_chart(answer: ForecastHistory, zone: ZoneInfo) -> Spec:
    """What a month was forecast to bring as it came nearer, for each currency a panel of lines."""
    currencies = list(dict.fromkeys(one.currency for one in answer.standings))
    panels = [_course(answer, currency, zone) for currency in currencies] or [_nothing()]
    return _stacked(panels, f"Forecast of {answer.month}, each with the knowledge of its day")


def _course(answer: ForecastHistory, currency: str, zone: ZoneInfo) -> Spec:
    points: list[Spec] = []
    for one in answer.standings:
        if one.currency != currency:
            continue
        weighted, won = float(one.open.weighted_amount.amount), float(one.won.amount.amount)
        day = f"{datetime.fromisoformat(one.at).astimezone(zone):%Y-%m-%d}"
        amounts = (float(one.open.amount.amount), weighted + won, weighted, won)
        points += [
            {"day": day, "what": what, "amount": amount}
            for what, amount in zip(_LINES, amounts, strict=True)
        ]
    layers = [_lines(points, currency)]
    result = [one for one in answer.result if one.amount.currency == currency]
    if answer.over:
        layers.append(_result(float(result[0].amount.amount) if result else 0.0, currency))
    return {"width": _WIDTH, "height": 220, "layer": layers}


def _lines(points: list[Spec], currency: str) -> Spec:
    return {
        "data": rows(points),
        "mark": {"type": "line", "point": {"size": 25}, "strokeWidth": 2},
        "encoding": {
            "x": {
                "field": "day",
                "type": "ordinal",
                "axis": {"title": "end of", "labelAngle": -45, "labelOverlap": True},
            },
            "y": _amounts(currency),
            "color": {
                "field": "what",
                "type": "nominal",
                "scale": {"domain": list(_LINES), "range": [one for one, _ in _LINES.values()]},
                "legend": {"title": None},
            },
            "strokeDash": {
                "field": "what",
                "type": "nominal",
                "legend": None,
                "scale": {"domain": list(_LINES), "range": [one for _, one in _LINES.values()]},
            },
        },
    }


def _result(amount: float, currency: str) -> Spec:
    return {
        "data": rows([{"amount": amount, "label": "won in the end"}]),
        "encoding": {"y": _amounts(currency)},
        "layer": [
            {"mark": {"type": "rule", "color": RED, "strokeDash": [2, 2], "strokeWidth": 1.5}},
            {
                "mark": {"type": "text", "align": "left", "x": 4, "dy": -6, "color": RED},
                "encoding": {"text": {"field": "label"}},
            },
        ],
    }
