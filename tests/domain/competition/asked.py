"""One sound command of every type, with what has to have happened before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.competition.commands import AssessPosition, IdentifyCompetitor, RecordCompetitorMove
from domain.competition.facts import CompetitorIdentified, Rank

if TYPE_CHECKING:
    from domain.deal import DealCommand, DealFact
    from domain.intent import Command

BETA = CompetitorIdentified("beta", "Beta Drives")

ASKED: list[tuple[tuple[DealFact, ...], DealCommand]] = [
    ((), IdentifyCompetitor("beta", "Beta Drives")),
    ((BETA,), RecordCompetitorMove("beta", "Invited them to its plant")),
    ((BETA,), AssessPosition(Rank.LEVEL, against=("beta",))),
]
AFTER_ANY_OUTCOME: set[type[Command]] = set()
AFTER_WINNING: set[type[Command]] = set()
