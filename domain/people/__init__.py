"""The customer's people.

`facts` is the stored contract, `commands` what can be asked for, `people` the
part of the state with its folds, `decisions` the rules, `words` the telling.
"""

from domain.people.commands import AnyPeopleCommand, PeopleCommand
from domain.people.decisions import (
    admissible,
    allowed_after_outcome,
    decide,
    require_not_erased_since,
)
from domain.people.facts import AnyPeopleFact, PeopleFact
from domain.people.people import People, evolve
from domain.people.words import describe

__all__ = [
    "AnyPeopleCommand",
    "AnyPeopleFact",
    "People",
    "PeopleCommand",
    "PeopleFact",
    "admissible",
    "allowed_after_outcome",
    "decide",
    "describe",
    "evolve",
    "require_not_erased_since",
]
