"""Reliability diagrams: the share won against the probability that was on record."""

from api.pages.charts.style import BLUE, GREY, INK, Spec, chart, rows
from api.wire.calibrations import Calibration, CalibrationLead

_SIDE = 320
_COLUMNS = 2


def calibration_chart(answer: Calibration, when: str) -> Spec:
    """A diagram for each lead. On the diagonal a probability came true as often as it said.

    The larger a bubble the more deals; the bars are 95 % intervals.
    """
    whole = chart(
        title={
            "text": f"Calibration of the deals decided {when}",
            "fontSize": 14,
            "anchor": "start",
            "offset": 12,
        },
        concat=[_diagram(one) for one in answer.leads],
        columns=_COLUMNS,
        spacing=36,
        resolve={"scale": {"size": "independent"}, "legend": {"size": "independent"}},
    )
    # Diagrams are square.
    del whole["width"]
    return whole


def _percent(field: str, title: str) -> Spec:
    return {
        "field": field,
        "type": "quantitative",
        "scale": {"domain": [0, 100], "nice": False},
        "axis": {"title": title, "values": [0, 20, 40, 60, 80, 100]},
    }


def _diagram(lead: CalibrationLead) -> Spec:
    days = f"{lead.days:,} {'day' if lead.days == 1 else 'days'} before the outcome"
    deals = f"{lead.deals:,} {'deal' if lead.deals == 1 else 'deals'}"
    score = f"Brier score {lead.score.score}" if lead.score else "too few for a score"
    layers = [_diagonal()]
    if lead.bins:
        layers += _points(lead)
    return {
        "title": {
            "text": days,
            "subtitle": f"{deals}, {score}",
            "fontSize": 12,
            "subtitleFontSize": 11,
            "subtitleColor": INK,
            "anchor": "start",
        },
        "width": _SIDE,
        "height": _SIDE,
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


def _points(lead: CalibrationLead) -> list[Spec]:
    points = [
        {
            "said": 100 * float(one.mean_probability),
            "won": 100 * float(one.share_won),
            "low": 100 * float(one.low),
            "high": 100 * float(one.high),
            "deals": one.deals,
        }
        for one in lead.bins
    ]
    x = _percent("said", "probability on record, %")
    most = max(one.deals for one in lead.bins)
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
