"""Reliability diagrams: the share won against the probability that was on record."""

from collections.abc import Mapping, Sequence

from api.pages.charts.style import BLUE, GREY, INK, Spec, chart, rows
from api.wire.calibrations import Calibration, CalibrationBin, CalibrationGroup, CalibrationLead
from api.wire.values import User

MOST_GROUPS = 8
"""The largest are drawn, at each lead."""

_SIDE, _COLUMNS = 320, 2
_SMALL_SIDE, _SMALL_COLUMNS = 220, 3
"""Where groups have diagrams of their own."""

_LONGEST = 34
"""Characters of a title over a small diagram."""


def calibration_chart(answer: Calibration, stages: Mapping[str, str], when: str) -> Spec:
    """A diagram for each lead, with groups a row of them: of all, then of the largest groups.

    On the diagonal a probability came true as often as it said. The larger a bubble the more
    deals; the bars are 95 % intervals. `stages` are their names, by code.
    """
    if answer.group_by:
        parts = {"vconcat": [_by_group(answer, one, stages) for one in answer.leads], "spacing": 40}
    else:
        diagrams = [
            _diagram(one, f"{_days(one)} before the outcome", _SIDE) for one in answer.leads
        ]
        parts = {"concat": diagrams, "columns": _COLUMNS, "spacing": 36, "resolve": _OWN_SIZES}
    whole = chart(
        title={
            "text": f"Calibration of the deals decided {when}",
            "fontSize": 14,
            "anchor": "start",
            "offset": 12,
        },
        **parts,
    )
    # Diagrams are square.
    del whole["width"]
    return whole


_OWN_SIZES: Spec = {"scale": {"size": "independent"}, "legend": {"size": "independent"}}


def _by_group(answer: Calibration, lead: CalibrationLead, stages: Mapping[str, str]) -> Spec:
    scored = sorted((one for one in lead.groups if not one.too_few), key=lambda one: -one.deals)
    drawn = scored[:MOST_GROUPS]
    small = [_diagram(one, _title(one, answer.group_by, stages), _SMALL_SIDE) for one in drawn]
    return {
        "title": {
            "text": f"{_days(lead)} before the outcome",
            "subtitle": _drawn(len(drawn), len(scored), len(lead.groups)),
            "fontSize": 13,
            "subtitleFontSize": 11,
            "subtitleColor": INK,
            "anchor": "start",
            "offset": 10,
        },
        "concat": [_diagram(lead, "all deals", _SMALL_SIDE), *small],
        "columns": _SMALL_COLUMNS,
        "spacing": 30,
        "resolve": _OWN_SIZES,
    }


def _drawn(drawn: int, scored: int, groups: int) -> str:
    """How many of the groups have a diagram, and why the others have none."""
    told = [f"{drawn:,} of {groups:,} {'group' if groups == 1 else 'groups'} drawn"]
    if scored > drawn:
        told.append(f"{scored - drawn:,} smaller left out")
    if groups > scored:
        told.append(f"{groups - scored:,} too few for a score")
    return ", ".join(told)


def _title(group: CalibrationGroup, by: Sequence[str], stages: Mapping[str, str]) -> str:
    text = ", ".join(_value(group, name, stages) for name in by)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _value(group: CalibrationGroup, name: str, stages: Mapping[str, str]) -> str:
    """What a group is called by one of its dimensions; `stages` are their names, by code."""
    match group.group[name]:
        case None:
            return "(none)"
        case User() as user:
            return user.name or user.id
        case str() as value:
            return stages.get(value, value) if name == "stage" else value


def _days(lead: CalibrationLead) -> str:
    return f"{lead.days:,} {'day' if lead.days == 1 else 'days'}"


def _percent(field: str, title: str) -> Spec:
    return {
        "field": field,
        "type": "quantitative",
        "scale": {"domain": [0, 100], "nice": False},
        "axis": {"title": title, "values": [0, 20, 40, 60, 80, 100]},
    }


def _diagram(part: CalibrationLead | CalibrationGroup, title: str, side: int) -> Spec:
    deals = f"{part.deals:,} {'deal' if part.deals == 1 else 'deals'}"
    score = f"Brier score {part.score.score}" if part.score else "too few for a score"
    layers = [_diagonal()]
    if part.bins:
        layers += _points(part.bins)
    return {
        "title": {
            "text": title,
            "subtitle": f"{deals}, {score}",
            "fontSize": 12,
            "subtitleFontSize": 11,
            "subtitleColor": INK,
            "anchor": "start",
        },
        "width": side,
        "height": side,
        "layer": layers,
    }


def _diagonal() -> Spec:
    return {
        "data": rows([{"said": 0, "won": 0}, {"said": 100, "won": 100}]),
        "mark": {"type": "line", "color": GREY, "strokeDash": [4, 3], "strokeWidth": 1},
        "encoding": {
            "x": _percent("said", "probability on record, %"),
            "y": _percent("won", "won, %"),
        },
    }


def _points(bins: Sequence[CalibrationBin]) -> list[Spec]:
    points = [
        {
            "said": 100 * float(one.mean_probability),
            "won": 100 * float(one.share_won),
            "low": 100 * float(one.low),
            "high": 100 * float(one.high),
            "deals": one.deals,
        }
        for one in bins
    ]
    x = _percent("said", "probability on record, %")
    most = max(one.deals for one in bins)
    return [
        {
            "data": rows(points),
            "mark": {"type": "rule", "color": BLUE, "opacity": 0.55, "strokeWidth": 1.5},
            "encoding": {"x": x, "y": _percent("low", "won, %"), "y2": {"field": "high"}},
        },
        {
            "data": rows(points),
            "mark": {"type": "circle", "color": BLUE, "opacity": 0.85},
            "encoding": {
                "x": x,
                "y": _percent("won", "won, %"),
                "size": {
                    "field": "deals",
                    "type": "quantitative",
                    "scale": {"range": [25, 420], "domain": [1, max(most, 2)]},
                    "legend": {
                        "title": "deals",
                        "orient": "right",
                        "values": sorted({1, (most + 1) // 2, most}),
                        "format": "d",
                    },
                },
            },
        },
    ]
