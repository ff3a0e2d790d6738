"""Competition.

`facts` is the stored contract, `commands` what can be asked for, `field` the
part of the state with its folds, `decisions` the rules, `words` the telling.
"""

from domain.competition.commands import AnyCompetitionCommand, CompetitionCommand
from domain.competition.decisions import admissible, allowed_after_outcome, decide
from domain.competition.facts import AnyCompetitionFact, CompetitionFact
from domain.competition.field import Field, evolve
from domain.competition.words import describe

__all__ = [
    "AnyCompetitionCommand",
    "AnyCompetitionFact",
    "CompetitionCommand",
    "CompetitionFact",
    "Field",
    "admissible",
    "allowed_after_outcome",
    "decide",
    "describe",
    "evolve",
]
