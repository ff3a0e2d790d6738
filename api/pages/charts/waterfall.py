"""The waterfall as floating bars: where the pipeline started, what moved it, where it ended."""

from collections.abc import Iterator
from decimal import Decimal

from api.pages.charts.style import BLUE, GREEN, GREY, INK, ORANGE, Spec, chart, rows
from api.wire.waterfalls import Waterfall, WaterfallFigures

_HEIGHT = 260
_BETWEEN_GROUPS = ("moved-in", "moved-out")
_STANDS, _MORE, _LESS, _WON = "start and end", "more", "less", "won"
_COLOURS = {_STANDS: GREY, _MORE: GREEN, _LESS: ORANGE, _WON: BLUE}


def bridge_chart(answer: Waterfall, when: str) -> Spec:
    """One bridge for each currency, all groups together."""
    told = [when]
    if answer.group_by:
        names = " and ".join(name.replace("_", " ") for name in answer.group_by)
        told.append(f"all groups by {names} together")
    title = {"text": "Pipeline waterfall", "subtitle": told, "anchor": "start"}
    if not answer.totals:
        empty = {"mark": "text", "encoding": {"text": {"value": "No deals."}}}
        return chart(height=40, title=title, data=rows([{}]), **empty)
    spec = chart(
        title=title,
        spacing=28,
        vconcat=[
            {
                "width": 820,
                "height": _HEIGHT,
                **_unknown(one),
                **_bridge(one, grouped=bool(answer.group_by)),
            }
            for one in answer.totals
        ],
    )
    del spec["width"]  # of a concatenation each part has its own
    return spec


def _unknown(total: WaterfallFigures) -> Spec:
    """What the heights of the first and the last bar leave out."""
    start, end = total.start.unknown_amount, total.end.unknown_amount
    if not start and not end:
        return {}
    text = f"{total.currency}: without an amount {start:,} at the start, {end:,} at the end"
    return {"title": {"text": text, "anchor": "start", "fontSize": 11, "fontWeight": "normal"}}


def _bridge(total: WaterfallFigures, *, grouped: bool) -> Spec:
    bars = list(_bars(total, grouped=grouped))
    place: Spec = {
        "x": {
            "field": "label",
            "type": "nominal",
            "sort": None,
            "scale": {"paddingInner": 0.3, "paddingOuter": 0.15},
            # Each part on a line of its own, so that all labels fit side by side.
            "axis": {
                "title": None,
                "labelAngle": 0,
                "labelExpr": "split(datum.label, '|')",
                "labelPadding": 6,
                "ticks": False,
            },
        }
    }
    amount: Spec = {
        "type": "quantitative",
        "axis": {
            "title": f"amount, {total.currency}",
            "labelExpr": "replace(format(datum.value, '~s'), 'G', 'B')",
            "tickCount": 6,
        },
        # Room for a number above the highest bar.
        "scale": {"zero": True, "domainMax": 1.08 * max(bar["high"] for bar in bars) or 1},
    }
    return {
        "data": rows(bars),
        "layer": [
            {
                "mark": {"type": "rule", "color": GREY, "strokeDash": [2, 2]},
                "transform": [{"filter": "datum.next != null"}],
                "encoding": {
                    **place,
                    "x2": {"field": "next"},
                    "y": {"field": "after", **amount},
                },
            },
            {
                "mark": {"type": "bar"},
                "encoding": {
                    **place,
                    "y": {"field": "low", **amount},
                    "y2": {"field": "high"},
                    "color": _COLOUR,
                },
            },
            {
                "mark": {"type": "text", "baseline": "bottom", "dy": -3, "color": INK},
                "encoding": {
                    **place,
                    "y": {"field": "high", **amount},
                    "text": {"field": "told"},
                },
            },
        ],
    }


_COLOUR: Spec = {
    "field": "what",
    "type": "nominal",
    "scale": {"domain": list(_COLOURS), "range": list(_COLOURS.values())},
    "legend": {"title": None},
}


def _bars(total: WaterfallFigures, *, grouped: bool) -> Iterator[Spec]:
    """Where each bar stands; lines on which nothing happened have none.

    Nor has what only went from group to group, where all of these are together.
    """
    changes = _changes(total)
    moved = [changes[name] for name in _BETWEEN_GROUPS if name in changes]
    if grouped and not any(map(sum, zip(*moved, strict=True))):
        changes = {name: one for name, one in changes.items() if name not in _BETWEEN_GROUPS}
    labels = [_label(name, deals, "+") for name, (deals, _) in changes.items()]
    labels += [_label("end", total.end.deals), ""]
    at = Decimal(total.start.amount.amount)
    first = _label("start", total.start.deals)
    yield _bar(first, _STANDS, (Decimal(0), at), _short(at), labels[0])
    for number, (name, (_, change)) in enumerate(changes.items()):
        what = _WON if name == "won" else _MORE if change >= 0 else _LESS
        told = f"{'+' if change > 0 else ''}{_short(change)}"
        yield _bar(labels[number], what, (at, at + change), told, labels[number + 1])
        at += change
    yield _bar(labels[-2], _STANDS, (Decimal(0), at), _short(at), None)


def _changes(total: WaterfallFigures) -> dict[str, tuple[int, Decimal]]:
    """What each line brings, all its kinds together, in deals and in amount."""
    found: dict[str, tuple[int, Decimal]] = {}
    happened = {one.line for one in total.lines if one.times}
    for one in total.lines:
        if one.line in happened:
            deals, amount = found.get(one.line, (0, Decimal(0)))
            found[one.line] = (deals + one.deals, amount + Decimal(one.amount.amount))
    return found


def _bar(
    label: str, what: str, ends: tuple[Decimal, Decimal], told: str, following: str | None
) -> Spec:
    low, high = sorted(map(float, ends))
    return {
        "label": label,
        "what": what,
        "low": low,
        "high": high,
        "after": float(ends[1]),
        "next": following,
        "told": told,
    }


def _label(name: str, deals: int, sign: str = "") -> str:
    """The words of a name, and below them how many deals."""
    counted = f"{deals:{sign},} {'deal' if abs(deals) == 1 else 'deals'}"
    return "|".join([*name.split("-"), *([counted] if deals or not sign else [])])


def _short(value: Decimal) -> str:
    """Three digits, as in 4.27 M."""
    size = abs(value)
    for limit, unit in ((10**12, " T"), (10**9, " B"), (10**6, " M"), (10**3, " k")):
        if size >= limit:
            scaled = value / limit
            digits = 2 if size < 10 * limit else 1 if size < 100 * limit else 0
            return f"{scaled:,.{digits}f}{unit}"
    return f"{value:,.0f}"
