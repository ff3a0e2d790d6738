"""Targets, what is won of them, and the pipeline that may make up the rest."""

from decimal import Decimal

from api.pages.charts.style import BLUE, GREEN, INK, Spec, chart, rows
from api.wire.coverage import CoverageReport, TargetCoverage
from api.wire.values import Amount

_MOST = 30
_WIDEST = 3.0
"""Bars are cut at so many times the target."""
_LABEL = 220
"""Pixels; a longer name is cut."""


def coverage_chart(answer: CoverageReport) -> Spec:
    """A bar for each target: won, then pipeline, as shares of the target, which is at 100 %."""
    targets = answer.targets[:_MOST]
    labels = [f"{whose(one)} · {one.target.currency}" for one in targets]
    bars: list[Spec] = []
    for label, one in zip(labels, targets, strict=True):
        won, pipeline = _share(one, one.won), _share(one, one.pipeline)
        bars += [
            {"whose": label, "part": "won", "from": 0, "to": min(won, _WIDEST)},
            {
                "whose": label,
                "part": "pipeline",
                "from": min(won, _WIDEST),
                "to": min(won + pipeline, _WIDEST),
            },
        ]
    widest = max((bar["to"] for bar in bars), default=1.0)
    x: Spec = {
        "type": "quantitative",
        "scale": {"domain": [0, max(widest, 1.1)], "nice": False},
        "axis": {"title": "of the target, up to three times of it", "format": "%", "tickCount": 6},
    }
    y: Spec = {
        "field": "whose",
        "type": "nominal",
        "scale": {"domain": labels},
        "axis": {"title": None, "labelLimit": _LABEL},
    }
    colour = {
        "field": "part",
        "type": "nominal",
        "scale": {"domain": ["won", "pipeline"], "range": [GREEN, BLUE]},
        "legend": {"title": None},
    }
    title = f"Targets of {answer.period.label}: won, and the pipeline of the period"
    return chart(
        title={"text": title, "anchor": "start", "color": INK, "fontWeight": "normal"},
        height=max(24 * len(labels), 40),
        layer=[
            {
                "data": rows(bars),
                "mark": {"type": "bar", "height": 13},
                "encoding": {
                    "y": y,
                    "x": {"field": "from", **x},
                    "x2": {"field": "to"},
                    "color": colour,
                },
            },
            {
                "data": rows([{"at": 1}]),
                "mark": {"type": "rule", "color": INK, "strokeWidth": 1.5},
                "encoding": {"x": {"field": "at", **x}},
            },
        ],
    )


def _share(one: TargetCoverage, amount: Amount) -> float:
    """An amount over the target."""
    target = Decimal(one.target.amount)
    return float(Decimal(amount.amount) / target) if target else 0.0


def whose(one: TargetCoverage) -> str:
    """Whom a target is for."""
    if one.owner is not None:
        return one.owner.name or one.owner.id
    if one.territory is not None:
        return f"territory {one.territory}"
    return "all" if one.unit is None else f"unit {one.unit_name or one.unit}"
