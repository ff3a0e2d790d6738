"""The ladder: our stage beside the phase in which the customer was observed."""

from collections.abc import Sequence

from api.pages.charts.style import BLUE, ORANGE, Spec, chart, rows, time_axis
from api.wire.postmortems import PostMortem
from domain.process import BuyingPhase

PHASES = [phase.value for phase in BuyingPhase]


_OURS, _THEIRS = "our stage assumes", "customer seen in"


def ladder(report: PostMortem) -> Spec | None:
    """Two step lines over the phases of the customer's decision; None where no stage tells one.

    Nor are there steps with fewer than two moves.
    """
    found = [(move.at, move.indicators) for move in report.moves if move.indicators]
    ours = _steps([(at, one.phase) for at, one in found], _OURS)
    theirs = _steps([(at, one.buyer_phase) for at, one in found], _THEIRS)
    if not ours or len(report.moves) < 2:
        return None
    return chart(
        height=150,
        data=rows(ours + theirs),
        mark={"type": "line", "interpolate": "step-after", "strokeWidth": 2},
        encoding={
            "x": time_axis(),
            "y": {
                "field": "phase",
                "type": "ordinal",
                "scale": {"domain": list(reversed(PHASES))},
                "axis": {"title": None, "grid": True},
            },
            "color": {
                "field": "whose",
                "type": "nominal",
                "scale": {
                    "domain": [_OURS, _THEIRS],
                    "range": [BLUE, ORANGE],
                },
                "legend": {"title": None},
            },
            "strokeDash": {
                "field": "whose",
                "type": "nominal",
                "legend": None,
                "scale": {
                    "domain": [_OURS, _THEIRS],
                    "range": [[1, 0], [5, 2]],
                },
            },
        },
    )


def _steps(seen: Sequence[tuple[str, BuyingPhase | None]], whose: str) -> list[Spec]:
    """The phases where they change, the last once more at the end; a gap where none is known."""
    values = [
        {"at": at, "phase": phase.value if phase else None, "whose": whose}
        for index, (at, phase) in enumerate(seen)
        if index in (0, len(seen) - 1) or phase is not seen[index - 1][1]
    ]
    return values if any(one["phase"] for one in values) else []
