"""Competition: what happened, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from domain.competition.facts import (
    AnyCompetitionFact,
    CompetitorIdentified,
    CompetitorKind,
    CompetitorMoved,
    PositionAssessed,
)
from domain.naming import BY_ID, Naming

if TYPE_CHECKING:
    from domain.competition.field import Field

_KINDS = {
    CompetitorKind.VENDOR: "",
    CompetitorKind.IN_HOUSE: " (the customer's own people)",
    CompetitorKind.DOING_NOTHING: " (leaving it as it is)",
}


def describe(fact: AnyCompetitionFact, before: Field, names: Naming = BY_ID) -> str:
    """One English phrase for `fact`, seen from the part before it."""
    match fact:
        case CompetitorIdentified(name=name, kind=kind, supporters=supporters):
            head = "more known of competitor" if before.competitor(fact.id) else "competitor"
            backed = f", backed by {', '.join(map(names.person, supporters))}" if supporters else ""
            return f"{head} {name}{_KINDS[kind]}{backed}"
        case CompetitorMoved(competitor=competitor, move=move, told_by=told_by):
            told = f" (told by {names.person(told_by)})" if told_by else ""
            counter = f"; our counter: {fact.our_counter}" if fact.our_counter else ""
            return f"{_name(competitor, before)} moved: {move}{told}{counter}"
        case PositionAssessed(rank=rank, basis=basis, against=against):
            others = ", ".join(_name(one, before) for one in against)
            compared = f" against {others}" if others else ""
            return f"our position: {rank}{compared}" + (f": {basis}" if basis else "")
        case _:
            assert_never(fact)


def _name(competitor_id: str, before: Field) -> str:
    known = before.competitor(competitor_id)
    return known.fact.name if known else competitor_id
