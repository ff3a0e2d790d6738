"""Whom we met, and when: a line for each of the customer's people, a dot for each contact."""

from api.pages.charts.style import BLUE, FAINT, RED, Spec, chart, rows, time_axis
from api.wire.people import MappedPerson
from api.wire.postmortems import PostMortem
from domain.people.facts import BuyingRole

_MOST_PEOPLE = 14
_LABEL = 200
"""Pixels; a longer name is cut."""


def contacts(report: PostMortem) -> Spec | None:
    """None where nobody is known, or where there is no time between moves."""
    people = _by_importance(report.map_at_the_end.people)[:_MOST_PEOPLE]
    if not people or len(report.moves) < 2:
        return None
    when = {move.version: move.at for move in report.moves}
    labels = [label(person) for person in people]
    dots = [
        {"who": label(person), "at": when[version]}
        for person in people
        for version in person.contact_versions
        if version in when
    ]
    first, last = report.moves[0].at, report.moves[-1].at
    whole = [{"who": one, "at": first, "until": last} for one in labels]
    y: Spec = {
        "field": "who",
        "type": "nominal",
        "scale": {"domain": labels},
        "axis": {"title": None, "labelLimit": _LABEL},
    }
    never = [{"who": label(one), "at": first} for one in people if not one.contacts]
    return chart(
        height=18 * len(labels),
        layer=[
            {
                "data": rows(whole),
                "mark": {"type": "rule", "color": FAINT},
                "encoding": {"x": time_axis(), "x2": {"field": "until"}, "y": y},
            },
            {
                "data": rows(dots),
                "mark": {"type": "point", "filled": True, "size": 55, "color": BLUE, "opacity": 1},
                "encoding": {"x": time_axis(), "y": y},
            },
            {
                "data": rows([{**one, "text": "never met"} for one in never]),
                "mark": {"type": "text", "align": "left", "color": RED, "fontSize": 11},
                "encoding": {"x": time_axis(), "y": y, "text": {"field": "text"}},
            },
        ],
    )


def label(person: MappedPerson) -> str:
    """The name with the most telling role."""
    role = f", {person.roles[0].replace('-', ' ')}" if person.roles else ""
    return f"{person.personal.name}{role}"


def _by_importance(people: list[MappedPerson]) -> list[MappedPerson]:
    """Those who decide first, then by influence."""
    return sorted(
        people,
        key=lambda one: (
            BuyingRole.DECISION_MAKER not in one.roles,
            -(one.assessment.influence or 0),
        ),
    )
