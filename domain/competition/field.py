"""Competition: the part of the state, and how facts change it. Folding never fails."""

from typing import assert_never, cast

import msgspec

from domain.competition.facts import (
    AnyCompetitionFact,
    CompetitorIdentified,
    CompetitorMoved,
    PositionAssessed,
)
from domain.history import Recorded

replace = msgspec.structs.replace


class Field(msgspec.Struct, frozen=True, gc=False):
    """Against whom we sell, what they did, and how we stand."""

    competitors: tuple[Recorded[CompetitorIdentified], ...] = ()
    """The latest under each id."""
    moves: tuple[Recorded[CompetitorMoved], ...] = ()
    positions: tuple[Recorded[PositionAssessed], ...] = ()

    @property
    def position(self) -> Recorded[PositionAssessed] | None:
        """The latest assessment."""
        return self.positions[-1] if self.positions else None

    def competitor(self, competitor_id: str) -> Recorded[CompetitorIdentified] | None:
        return next((one for one in self.competitors if one.fact.id == competitor_id), None)

    def last_move_of(self, competitor_id: str) -> Recorded[CompetitorMoved] | None:
        moves = reversed(self.moves)
        return next((one for one in moves if one.fact.competitor == competitor_id), None)


def evolve(field: Field, event: Recorded[AnyCompetitionFact]) -> Field:
    """The part after `event`."""
    match event.fact:
        case CompetitorIdentified(id=competitor):
            others = (one for one in field.competitors if one.fact.id != competitor)
            identified = cast("Recorded[CompetitorIdentified]", event)
            return replace(field, competitors=(*others, identified))
        case CompetitorMoved():
            moved = cast("Recorded[CompetitorMoved]", event)
            return replace(field, moves=(*field.moves, moved))
        case PositionAssessed():
            assessed = cast("Recorded[PositionAssessed]", event)
            return replace(field, positions=(*field.positions, assessed))
        case _:
            assert_never(event.fact)
