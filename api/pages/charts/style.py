"""What all charts have in common: sizes, and colours that colour-blind readers can tell apart.

The colours are those of M. Okabe and K. Ito, "Color Universal Design" (2008).
"""

from typing import Any, TypeAlias

Spec: TypeAlias = dict[str, Any]

BLUE, ORANGE, GREEN, RED, PURPLE, GREY = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#D55E00",
    "#CC79A7",
    "#7A7A7A",
)
INK, FAINT = "#222222", "#D9D9D9"
WIDTH = 820

CONFIG: Spec = {
    "background": "transparent",
    # The last is for Chinese: named first, it would be tried for every measured text.
    "font": "Helvetica, Arial, sans-serif, 'Noto Sans CJK SC'",
    "view": {"stroke": None},
    "axis": {
        "labelColor": INK,
        "titleColor": INK,
        "titleFontWeight": "normal",
        "gridColor": "#EDEDED",
        "domainColor": FAINT,
        "tickColor": FAINT,
        "labelFontSize": 11,
        "titleFontSize": 11,
    },
    "legend": {"labelFontSize": 11, "titleFontSize": 11, "orient": "top"},
    "header": {"labelFontSize": 12},
}


def chart(**parts: Any) -> Spec:
    """A whole specification: the parts, and what all charts share."""
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "config": CONFIG,
        "width": WIDTH,
        **parts,
    }


def rows(values: list[Spec]) -> Spec:
    """Data given in place."""
    return {"values": values}


_MINUTE = 60 * 1000
_DAY = 24 * 60 * _MINUTE
# Milliseconds of what is shown; over a short time the coarser label would repeat.
_TICK = (
    "timeFormat(datum.value, domain('x')[1] - domain('x')[0]"
    f" < {8 * _MINUTE} ? '%H:%M:%S' : domain('x')[1] - domain('x')[0]"
    f" < {8 * _DAY} ? '%d %b %H:%M' : '%d %b %Y')"
)


def time_axis(**more: Any) -> Spec:
    """A temporal x without a title."""
    axis = {"title": None, "labelExpr": _TICK, "tickCount": 8, "labelOverlap": True, **more}
    return {"field": "at", "type": "temporal", "axis": axis}
