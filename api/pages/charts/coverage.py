"""Targets, what is won of them, and the pipeline that may make up the rest."""

from collections.abc import Sequence
from decimal import Decimal

from api.pages.charts.bars import by_place, nothing, title
from api.pages.charts.style import BLUE, GREEN, GREY, INK, Spec, chart, rows
from api.wire.coverage import CoverageReport, TargetCoverage
from api.wire.groups import told_apart
from api.wire.values import Amount

_MOST = 30
_WIDEST = 3.0
"""Bars are cut at so many times the target, with how many times it is behind them."""
_ROOM = 0.3
"""For that number."""


def coverage_chart(answer: CoverageReport) -> Spec:
    """A bar for each target: won, then pipeline, as shares of the target, which is at 100 %."""
    heading = f"Targets of {answer.period.label}: won, and the pipeline of the period"
    targets = answer.targets[:_MOST]
    if not targets:
        return nothing(heading, "No targets are on record for exactly this period.")
    names = whose_of(answer.targets)
    labels = [f"{name} · {one.target.currency}" for name, one in zip(names, targets, strict=False)]
    bars = [bar for place, one in enumerate(targets) for bar in _bars(place, one)]
    cut = [bar for place, one in enumerate(targets) for bar in _cut(place, one)]
    widest = _WIDEST + _ROOM if cut else max(1.1, *(bar["to"] for bar in bars))
    x: Spec = {
        "type": "quantitative",
        "scale": {"domain": [0, widest], "nice": False},
        "axis": {
            "title": "of the target, up to three times of it",
            "format": "%",
            "values": [half / 2 for half in range(2 * int(_WIDEST) + 1)],
        },
    }
    y = by_place(labels)
    colour = {
        "field": "part",
        "type": "nominal",
        "scale": {"domain": ["won", "pipeline"], "range": [GREEN, BLUE]},
        "legend": {"title": None},
    }
    return chart(
        title=title(heading),
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
                "data": rows(cut),
                "mark": {"type": "text", "align": "left", "dx": 5, "color": GREY, "fontSize": 11},
                "encoding": {"y": y, "x": {"field": "at", **x}, "text": {"field": "text"}},
            },
            {
                "data": rows([{"at": 1}]),
                "mark": {"type": "rule", "color": INK, "strokeWidth": 1.5},
                "encoding": {"x": {"field": "at", **x}},
            },
        ],
    )


def _bars(place: int, one: TargetCoverage) -> list[Spec]:
    """What is won, and the pipeline behind it, each as far as it is drawn."""
    won, pipeline = _share(one, one.won), _share(one, one.pipeline)
    ends = [0.0, min(won, _WIDEST), min(won + pipeline, _WIDEST)]
    return [
        {"place": place, "part": part, "from": start, "to": end}
        for part, start, end in zip(("won", "pipeline"), ends, ends[1:], strict=False)
    ]


def _cut(place: int, one: TargetCoverage) -> list[Spec]:
    """How many times the target a bar that is cut comes to."""
    whole = _share(one, one.won) + _share(one, one.pipeline)
    return [{"place": place, "at": _WIDEST, "text": f"× {whole:,.1f}"}] if whole > _WIDEST else []


def _share(one: TargetCoverage, amount: Amount) -> float:
    """An amount over the target."""
    target = Decimal(one.target.amount)
    return float(Decimal(amount.amount) / target) if target else 0.0


def whose_of(targets: Sequence[TargetCoverage]) -> list[str]:
    """Whom each target is for: the name, and the id too where others have that name."""
    return told_apart([_whose(one) for one in targets])


def _whose(one: TargetCoverage) -> tuple[str | None, str]:
    """Id and name of whom a target is for."""
    if one.owner is not None:
        return one.owner.id, one.owner.name or one.owner.id
    if one.territory is not None:
        return one.territory, f"territory {one.territory}"
    return one.unit, "all" if one.unit is None else f"unit {one.unit_name or one.unit}"
