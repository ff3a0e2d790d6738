"""What charts with a bar for each of some things have in common."""

import json
from collections.abc import Sequence

from api.pages.charts.style import FAINT, INK, Spec, chart, rows
from api.plain import clean

_LABEL = 220
"""Pixels; a longer name is cut."""


def by_place(labels: Sequence[str]) -> Spec:
    """A y by the place in a list, in the field `place`: two things called alike are two bars."""
    told = json.dumps([clean(label) for label in labels], ensure_ascii=False)
    return {
        "field": "place",
        "type": "ordinal",
        "scale": {"domain": list(range(len(labels)))},
        "axis": {
            "title": None,
            "labelLimit": _LABEL,
            "labelExpr": f"{told}[datum.value]",
            "domainColor": FAINT,
        },
    }


def title(text: str) -> Spec:
    return {"text": text, "anchor": "start", "color": INK, "fontWeight": "normal"}


def nothing(heading: str, text: str) -> Spec:
    """A line of text instead of a frame without bars."""
    return chart(
        title=title(heading),
        height=40,
        data=rows([{}]),
        mark={"type": "text", "align": "left", "x": 0, "color": INK, "fontSize": 12},
        encoding={"text": {"value": text}},
    )
