"""The curve: how likely the deal was to be won, move by move, and where it turned."""

from api.pages.charts.style import BLUE, GREY, RED, Spec, chart, rows, time_axis
from api.wire.moves import Move
from api.wire.postmortems import PostMortem

_HEIGHT = 230


def curve(report: PostMortem) -> Spec | None:
    """The process estimate as a step line, the cohort estimate with its interval, and the marks.

    None for fewer than two moves: a point is no curve.
    """
    if len(report.moves) < 2:
        return None
    layers = [_process(report)]
    if any(move.estimate is not None for move in report.moves):
        layers += [_interval(report), _cohort(report)]
    if report.point_of_no_return is not None:
        layers.append(_no_return(report, report.point_of_no_return))
    layers += _turning_points(report)
    return chart(height=_HEIGHT, layer=layers)


_PERCENT: Spec = {
    "type": "quantitative",
    "scale": {"domain": [0, 100]},
    "axis": {"title": "chance to win, %", "values": [0, 25, 50, 75, 100]},
}


def _process(report: PostMortem) -> Spec:
    known = [move for move in report.moves if move.probability is not None]
    points = [
        {"at": move.at, "percent": move.probability}
        for index, move in enumerate(known)
        # A step line needs the moves at which it steps, and the last.
        if index in (0, len(known) - 1) or move.probability != known[index - 1].probability
    ]
    return {
        "data": rows(points),
        "mark": {"type": "line", "interpolate": "step-after", "color": GREY, "strokeDash": [4, 3]},
        "encoding": {"x": time_axis(), "y": {"field": "percent", **_PERCENT}},
    }


def _estimates(report: PostMortem) -> list[Spec]:
    return [
        {
            "at": move.at,
            "percent": move.estimate.percent,
            "low": move.estimate.low,
            "high": move.estimate.high,
        }
        for move in report.moves
        if move.estimate is not None and move.estimate.percent is not None
    ]


def _interval(report: PostMortem) -> Spec:
    return {
        "data": rows(_estimates(report)),
        "mark": {"type": "area", "color": BLUE, "opacity": 0.15},
        "encoding": {
            "x": time_axis(),
            "y": {"field": "low", **_PERCENT},
            "y2": {"field": "high"},
        },
    }


def _cohort(report: PostMortem) -> Spec:
    return {
        "data": rows(_estimates(report)),
        "mark": {"type": "line", "color": BLUE, "strokeWidth": 2},
        "encoding": {"x": time_axis(), "y": {"field": "percent", **_PERCENT}},
    }


def _no_return(report: PostMortem, number: int) -> Spec:
    at = next(move.at for move in report.moves if move.number == number)
    return {
        "data": rows([{"at": at, "label": "point of no return"}]),
        "encoding": {"x": time_axis()},
        "layer": [
            {"mark": {"type": "rule", "color": RED, "strokeDash": [2, 2]}},
            {
                "mark": {"type": "text", "align": "left", "dx": 4, "y": 8, "color": RED},
                "encoding": {"text": {"field": "label"}},
            },
        ],
    }


def _turning_points(report: PostMortem) -> list[Spec]:
    heights = {move.number: _height(move) for move in report.moves}
    main = [p for p in report.turning_points if p.number in report.main_turning_points]
    points = [
        {"at": point.at, "percent": heights[point.move], "number": str(number)}
        for number, point in enumerate(main, start=1)
    ]
    place: Spec = {"x": time_axis(), "y": {"field": "percent", **_PERCENT}}
    return [
        {
            "data": rows(points),
            "mark": {"type": "point", "filled": True, "size": 320, "color": RED, "opacity": 1},
            "encoding": place,
        },
        {
            "data": rows(points),
            "mark": {"type": "text", "color": "white", "fontWeight": "bold", "fontSize": 11},
            "encoding": {**place, "text": {"field": "number"}},
        },
    ]


def _height(move: Move) -> float:
    if move.estimate is not None and move.estimate.percent is not None:
        return move.estimate.percent
    return float(move.probability or 0)
