"""Needs and value.

`facts` is the stored contract, `commands` what can be asked for, `needs` the
part of the state with its folds, `decisions` the rules, `words` the telling.
"""

from domain.needs.commands import AnyNeedsCommand, NeedsCommand
from domain.needs.decisions import admissible, allowed_after_outcome, decide
from domain.needs.facts import AnyNeedsFact, NeedsFact
from domain.needs.needs import Needs, evolve
from domain.needs.words import describe

__all__ = [
    "AnyNeedsCommand",
    "AnyNeedsFact",
    "Needs",
    "NeedsCommand",
    "NeedsFact",
    "admissible",
    "allowed_after_outcome",
    "decide",
    "describe",
    "evolve",
]
