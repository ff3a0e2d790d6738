"""The stakeholder map as a picture: levels as rows, lines of reporting, threads, attitudes."""

from collections import Counter, defaultdict

from api.pages.charts.style import BLUE, GREEN, GREY, INK, ORANGE, RED, Spec, chart, rows
from api.wire.people import MappedPerson, StakeholderMap
from domain.people.facts import Attitude, Level, RelationKind

_LEVELS: tuple[Level | None, ...] = (Level.TOP, Level.MIDDLE, Level.FRONT_LINE, None)
_COLOURS = {
    Attitude.CHAMPION: GREEN,
    Attitude.SUPPORTER: "#7BC8A4",
    Attitude.NEUTRAL: "#BDBDBD",
    Attitude.SCEPTIC: ORANGE,
    Attitude.OPPONENT: RED,
    None: "#FFFFFF",
}
_NAMES = [*(attitude.value for attitude in reversed(Attitude)), "not known"]
_WIDTH, _ROW = 400, 74
_LEAST_ROOM = 60.0


def people(shown: StakeholderMap) -> Spec | None:
    """None where nobody is known. Larger circles have more influence."""
    places = _places(shown.people)
    if not places:
        return None
    levels = [level for level in _LEVELS if any(one.level == level for one in shown.people)]
    layers = [layer for layer in (_lines(shown, places), _threads(shown, places)) if layer]
    return chart(
        width=_WIDTH,
        height=_ROW * len(levels),
        layer=[*layers, *_circles(shown.people, places)],
    )


def _places(everyone: list[MappedPerson]) -> dict[str, tuple[float, float]]:
    """Where each stands: across by order within the level, down by level."""
    at_level: dict[Level | None, list[MappedPerson]] = defaultdict(list)
    for person in everyone:
        at_level[person.level].append(person)
    used = [level for level in _LEVELS if at_level[level]]
    return {
        person.id: ((number + 0.5) / len(at_level[level]), float(row))
        for row, level in enumerate(used)
        for number, person in enumerate(at_level[level])
    }


def _x(name: str = "x") -> Spec:
    return {"field": name, "type": "quantitative", "scale": {"domain": [0, 1]}, "axis": None}


def _y(name: str = "y") -> Spec:
    scale = {"reverse": True, "padding": 26, "zero": False, "nice": False}
    return {"field": name, "type": "quantitative", "scale": scale, "axis": None}


def _lines(shown: StakeholderMap, places: dict[str, tuple[float, float]]) -> Spec | None:
    between = [
        (one.reports_to, one.id)
        for one in shown.people
        if one.reports_to is not None and one.reports_to in places
    ]
    return _segments(between, places, {"type": "rule", "color": GREY})


def _threads(shown: StakeholderMap, places: dict[str, tuple[float, float]]) -> Spec | None:
    between = [
        (thread.from_, thread.to)
        for thread in shown.threads
        if thread.kind is RelationKind.INFLUENCES and thread.from_ in places and thread.to in places
    ]
    return _segments(between, places, {"type": "rule", "color": BLUE, "strokeDash": [3, 3]})


def _segments(
    between: list[tuple[str, str]], places: dict[str, tuple[float, float]], mark: Spec
) -> Spec | None:
    if not between:
        return None
    ends = [(places[a], places[b]) for a, b in between]
    return {
        "data": rows([{"x": a[0], "y": a[1], "x2": b[0], "y2": b[1]} for a, b in ends]),
        "mark": {**mark, "opacity": 0.7},
        "encoding": {"x": _x(), "y": _y(), "x2": {"field": "x2"}, "y2": {"field": "y2"}},
    }


def _circles(everyone: list[MappedPerson], places: dict[str, tuple[float, float]]) -> list[Spec]:
    values = [
        {
            "x": places[one.id][0],
            "y": places[one.id][1],
            "name": one.personal.name if one.departure is None else f"({one.personal.name})",
            "role": ", ".join(role.replace("-", " ") for role in one.roles[:2]),
            "attitude": one.assessment.attitude.value if one.assessment.attitude else "not known",
            "influence": one.assessment.influence or 1,
        }
        for one in everyone
    ]
    place = {"x": _x(), "y": _y()}
    attitude = {
        "field": "attitude",
        "type": "nominal",
        "scale": {
            "domain": _NAMES,
            "range": [*_COLOURS.values()],
        },
        "legend": {"title": None, "columns": 3},
    }
    size = {
        "field": "influence",
        "type": "quantitative",
        "scale": {"domain": [1, 5], "range": [90, 620]},
        "legend": None,
    }
    text = {"type": "text", "fontSize": 10, "color": INK, "limit": _room(everyone)}
    return [
        {
            "data": rows(values),
            "mark": {"type": "point", "filled": True, "stroke": GREY, "opacity": 1},
            "encoding": {**place, "size": size, "color": attitude},
        },
        *_readable({**text, "dy": 21}, "name", values),
        {
            "data": rows(values),
            "mark": {**text, "dy": 32, "fontSize": 9, "color": GREY},
            "encoding": {**place, "text": {"field": "role"}},
        },
    ]


def _room(everyone: list[MappedPerson]) -> float:
    """Pixels for a name, so that neighbours do not run into each other; a longer one is cut."""
    fullest = max(Counter(person.level for person in everyone).values())
    return max(_WIDTH / fullest - 4, _LEAST_ROOM)


def _readable(mark: Spec, field: str, values: list[Spec]) -> list[Spec]:
    """Text on a white ground of its own shape, so that lines do not cross it."""
    encoding = {"x": _x(), "y": _y(), "text": {"field": field}}
    ground = {**mark, "stroke": "white", "strokeWidth": 4, "strokeOpacity": 0.9}
    ground["strokeJoin"] = "round"  # Brackets would have spikes.
    return [{"data": rows(values), "mark": layer, "encoding": encoding} for layer in (ground, mark)]
