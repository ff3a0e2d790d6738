"""The life of a deal, from its opening to its end and what follows.

`facts` is the stored contract, `commands` what can be asked for, `life` the part
of the state with its folds, `decisions` the rules, `words` the telling.
"""

from domain.lifecycle.commands import AnyLifecycleCommand, LifecycleCommand
from domain.lifecycle.decisions import (
    admissible,
    allowed_after_outcome,
    decide,
    require_not_ended,
)
from domain.lifecycle.facts import AnyLifecycleFact, LifecycleFact
from domain.lifecycle.life import Life, Status, evolve
from domain.lifecycle.words import describe

__all__ = [
    "AnyLifecycleCommand",
    "AnyLifecycleFact",
    "Life",
    "LifecycleCommand",
    "LifecycleFact",
    "Status",
    "admissible",
    "allowed_after_outcome",
    "decide",
    "describe",
    "evolve",
    "require_not_ended",
]
