"""The negotiation: where both sides stood on each issue, round by round."""

from api.pages.charts.style import BLUE, GREEN, ORANGE, RED, Spec, chart, rows
from api.wire.marks import IssueSecrets
from api.wire.negotiation import NegotiatedIssue, NegotiationLedger


def negotiation(ledger: NegotiationLedger) -> list[Spec]:
    """A chart for each issue whose values are numbers and on which somebody stood somewhere."""
    found = (_issue(ledger, issue) for issue in ledger.issues if not issue.options)
    return [one for one in found if one is not None]


def _issue(ledger: NegotiationLedger, issue: NegotiatedIssue) -> Spec | None:
    stood = [
        {"round": at.round, "value": float(value), "side": side}
        for at in ledger.positions
        if at.issue == issue.id
        for value, side in ((at.ours, "us"), (at.theirs, "customer"))
        if value is not None and _is_number(value)
    ]
    if not stood:
        return None
    unit = f" ({issue.unit})" if issue.unit else ""
    return chart(
        width=360,
        height=150,
        title={"text": f"{issue.id}{unit}", "fontSize": 12, "anchor": "start"},
        layer=[_stands(stood), *_marks(ledger, issue)],
    )


def _stands(stood: list[Spec]) -> Spec:
    return {
        "data": rows(stood),
        "mark": {"type": "line", "point": True, "strokeWidth": 2},
        "encoding": {
            "x": {"field": "round", "type": "ordinal", "axis": {"title": "round", "labelAngle": 0}},
            "y": {
                "field": "value",
                "type": "quantitative",
                "scale": {"zero": False},
                "axis": {"title": None},
            },
            "color": {
                "field": "side",
                "type": "nominal",
                "scale": {"domain": ["us", "customer"], "range": [BLUE, ORANGE]},
                "legend": {"title": None},
            },
        },
    }


def _marks(ledger: NegotiationLedger, issue: NegotiatedIssue) -> list[Spec]:
    """Our target and walk-away, where they may be seen."""
    secrets = ledger.secrets.issues if ledger.secrets else []
    mine = next((one for one in secrets if one.issue == issue.id), None)
    if mine is None:
        return []
    return [
        {
            "data": rows([{"value": float(value), "label": label}]),
            "encoding": {"y": {"field": "value", "type": "quantitative"}},
            "layer": [
                {"mark": {"type": "rule", "color": colour, "strokeDash": [4, 3]}},
                {
                    "mark": {"type": "text", "align": "left", "x": 4, "dy": -6, "color": colour},
                    "encoding": {"text": {"field": "label"}},
                },
            ],
        }
        for value, label, colour in _lines_of(mine)
        if _is_number(value)
    ]


def _lines_of(mine: IssueSecrets) -> list[tuple[str, str, str]]:
    lines = [(mine.target, "our target", GREEN)]
    lines += [(mine.walk_aways[-1].value, "our walk-away", RED)] if mine.walk_aways else []
    return [(value, label, colour) for value, label, colour in lines if value is not None]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
