"""Stages and forecast: moves through the process, gates, amounts and dates.

`facts` is the stored contract, `commands` what can be asked for, `standing` the
part of the state with its folds, `decisions` the rules, `words` the telling.
"""

from domain.stages.commands import AnyStagesCommand, StagesCommand
from domain.stages.decisions import admissible, allowed_after_outcome, decide
from domain.stages.facts import AnyStagesFact, StagesFact
from domain.stages.standing import Stages, evolve, evolve_placed
from domain.stages.words import describe

__all__ = [
    "AnyStagesCommand",
    "AnyStagesFact",
    "Stages",
    "StagesCommand",
    "StagesFact",
    "admissible",
    "allowed_after_outcome",
    "decide",
    "describe",
    "evolve",
    "evolve_placed",
]
