"""The pipeline as bars: of each group what is open, and what that is worth by its chances."""

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal

import msgspec

from api.pages.charts.style import BLUE, INK, Spec, chart, rows
from api.wire.pipelines import Pipeline, PipelineFigures
from api.wire.values import User

MOST_BARS = 40
"""In one currency. The smallest groups beyond them are drawn as one."""

OPEN, WEIGHTED = "open", "weighted by probability"

_PALE_BLUE = "#A6CEE3"
_IN_ORDER = {"stage", "forecast_category", "grade"}
"""Dimensions whose values have an order of their own."""
_BAR = 26
_LABEL_WIDTH = 260


class _Bar(msgspec.Struct):
    """One group in one currency."""

    label: str
    deals: int = 0
    unknown: int = 0
    amount: Decimal = Decimal(0)
    weighted: Decimal = Decimal(0)

    def add(self, row: PipelineFigures) -> None:
        self.deals += row.open
        self.unknown += row.open_unknown_amount
        self.amount += Decimal(row.open_amount.amount)
        self.weighted += Decimal(row.open_weighted_amount.amount)

    @property
    def counted(self) -> str:
        """How many deals, and how many of them the bar cannot show."""
        deals = f"{self.deals:,} {'deal' if self.deals == 1 else 'deals'}"
        return f"{deals}, {self.unknown:,} without amount" if self.unknown else deals


def snapshot_chart(answer: Pipeline, stages: Mapping[str, str], when: str) -> Spec:
    """Open and weighted amount by the first dimension, for each currency a panel of its own."""
    first = answer.group_by[0] if answer.group_by else None
    currencies = list(dict.fromkeys(row.currency for row in answer.totals))
    panels = [
        _panel(_bars(answer.rows, currency, first, stages), currency) for currency in currencies
    ]
    by = f" by {first.replace('_', ' ')}" if first else ""
    title = {
        "text": f"Open pipeline{by}, {when}",
        "fontSize": 14,
        "anchor": "start",
        "offset": 12,
    }
    parts = [panel for panel in panels if panel is not None] or [_nothing()]
    whole = chart(title=title, vconcat=parts, spacing=24)
    # Panels have widths of their own.
    del whole["width"]
    return whole


def _bars(
    rows_of_all: Sequence[PipelineFigures],
    currency: str,
    first: str | None,
    stages: Mapping[str, str],
) -> list[_Bar]:
    """The groups of a currency in which something is open, in the order of the chart."""
    found: dict[str | None, _Bar] = {}
    for row in rows_of_all:
        if row.currency == currency and row.open:
            value = row.group[first] if first else ""
            key = value.id if isinstance(value, User) else value
            found.setdefault(key, _Bar(_label(first, value, stages))).add(row)
    labels = Counter(bar.label for bar in found.values())
    for key, bar in found.items():
        # Bars of one label would be drawn over one another.
        if labels[bar.label] > 1 and key is not None:
            bar.label = f"{bar.label} ({key})"
    bars = list(found.values())
    if first not in _IN_ORDER:
        bars.sort(key=lambda bar: (-bar.amount, bar.label))
    return _at_most(bars)


def _label(first: str | None, value: str | User | None, stages: Mapping[str, str]) -> str:
    match value:
        case None:
            return "(none)"
        case User():
            return value.name or value.id
        case _ if first is None:
            return "all"
        case _:
            return stages.get(value, value) if first == "stage" else value


def _at_most(bars: list[_Bar]) -> list[_Bar]:
    """The bars, or the largest of them and one for all others."""
    if len(bars) <= MOST_BARS:
        return bars
    by_size = sorted(bars, key=lambda bar: -bar.amount)
    kept = {bar.label for bar in by_size[: MOST_BARS - 1]}
    others = [bar for bar in bars if bar.label not in kept]
    rest = _Bar(f"{len(others):,} others")
    rest.deals = sum(bar.deals for bar in others)
    rest.unknown = sum(bar.unknown for bar in others)
    rest.amount = sum((bar.amount for bar in others), Decimal(0))
    rest.weighted = sum((bar.weighted for bar in others), Decimal(0))
    return [*(bar for bar in bars if bar.label in kept), rest]


def _panel(bars: Sequence[_Bar], currency: str) -> Spec | None:
    if not bars:
        return None
    data = [
        {
            "group": bar.label,
            OPEN: float(bar.amount),
            WEIGHTED: float(bar.weighted),
            "counted": bar.counted,
        }
        for bar in bars
    ]
    return {
        "width": 560,
        "height": {"step": _BAR},
        "data": rows(data),
        "encoding": {
            "y": {
                "field": "group",
                "type": "nominal",
                "sort": None,
                "axis": {
                    "title": None,
                    "labelLimit": _LABEL_WIDTH,
                    "labelPadding": 6,
                    "ticks": False,
                },
            },
            "x": {"type": "quantitative", "axis": _amounts(currency)},
        },
        "layer": [
            _bar(OPEN, 18),
            _bar(WEIGHTED, 8),
            {
                "mark": {"type": "text", "align": "left", "dx": 5, "color": INK, "fontSize": 11},
                "encoding": {"x": {"field": OPEN}, "text": {"field": "counted"}},
            },
        ],
    }


def _amounts(currency: str) -> Spec:
    """An axis of money, with B for the billions that SI calls G."""
    return {
        "title": currency,
        "labelExpr": "replace(format(datum.value, '~s'), 'G', 'B')",
        "tickCount": 6,
    }


def _bar(field: str, size: int) -> Spec:
    return {
        "mark": {"type": "bar", "size": size},
        "encoding": {
            "x": {"field": field},
            "color": {
                "datum": field,
                "type": "nominal",
                "scale": {"domain": [OPEN, WEIGHTED], "range": [_PALE_BLUE, BLUE]},
                "legend": {"title": None},
            },
        },
    }


def _nothing() -> Spec:
    return {
        "width": 560,
        "height": 40,
        "data": rows([{}]),
        "mark": {"type": "text", "align": "left", "x": 0, "color": INK, "fontSize": 12},
        "encoding": {"text": {"value": "Nothing is open then."}},
    }
