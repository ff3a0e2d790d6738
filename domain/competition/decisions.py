"""Competition: what a command leads to, and which facts can follow which state.

Every refusal comes from `admissible`, so imported histories obey the same rules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from domain.competition.commands import (
    AnyCompetitionCommand,
    AssessPosition,
    IdentifyCompetitor,
    RecordCompetitorMove,
)
from domain.competition.facts import (
    AnyCompetitionFact,
    CompetitorIdentified,
    CompetitorMoved,
    PositionAssessed,
)
from domain.deciding import mirrored, unless_current, unless_just_said
from domain.references import require_competitors, require_distinct, require_stakeholders
from domain.refusals import IdTaken, SamePerson
from domain.values import OURSELVES

if TYPE_CHECKING:
    from datetime import datetime

    from domain.deal import Deal
    from domain.lifecycle.life import Status
    from domain.process import ProcessBook

Facts = tuple[AnyCompetitionFact, ...]


def decide(command: AnyCompetitionCommand, deal: Deal, at: datetime) -> Facts:
    """The facts that `command`, which occurred `at`, leads to on `deal`. Raises Refusal."""
    field = deal.field
    match command:
        case IdentifyCompetitor(id=competitor):
            identified = mirrored(command, CompetitorIdentified)
            return unless_current(identified, field.competitor(competitor))
        case RecordCompetitorMove(competitor=competitor):
            moved = mirrored(command, CompetitorMoved)
            return unless_just_said(moved, field.last_move_of(competitor), at)
        case AssessPosition():
            return unless_just_said(mirrored(command, PositionAssessed), field.position, at)
        case _:
            assert_never(command)


def admissible(fact: AnyCompetitionFact, deal: Deal, processes: ProcessBook) -> None:
    """Raise the refusal of the structural rule that `fact` would break on `deal`."""
    match fact:
        case CompetitorIdentified(id=competitor, supporters=supporters):
            if competitor == OURSELVES:
                raise IdTaken(
                    f"{OURSELVES!r} names our side among the vendors",
                    "Give the competitor another id.",
                )
            require_distinct("the supporters", supporters, SamePerson)
            require_stakeholders(deal, *supporters)
        case CompetitorMoved(competitor=competitor, told_by=told_by):
            require_competitors(deal, competitor)
            require_stakeholders(deal, told_by)
        case PositionAssessed(against=against):
            require_distinct("the competitors compared with", against)
            require_competitors(deal, *against)
        case _:
            assert_never(fact)


def allowed_after_outcome(fact: AnyCompetitionFact, status: Status) -> bool:
    """Rule 2: once the deal has ended nobody competes for it."""
    return False
