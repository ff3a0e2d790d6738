"""The customer's process.

`facts` is the stored contract, `commands` what can be asked for, `purchase` the
part of the state with its folds, `rules` what every history obeys, `decisions`
what a command leads to, `words` the telling.
"""

from domain.buying.commands import AnyBuyingCommand, BuyingCommand
from domain.buying.decisions import decide
from domain.buying.facts import AnyBuyingFact, BuyingFact
from domain.buying.purchase import Purchase, evolve
from domain.buying.rules import admissible, allowed_after_outcome
from domain.buying.words import describe

__all__ = [
    "AnyBuyingCommand",
    "AnyBuyingFact",
    "BuyingCommand",
    "BuyingFact",
    "Purchase",
    "admissible",
    "allowed_after_outcome",
    "decide",
    "describe",
    "evolve",
]
