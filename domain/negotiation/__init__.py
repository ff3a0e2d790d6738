"""Negotiation: quotes, issues, offers, concessions, approvals and agreed terms.

`facts` is the stored contract, `commands` what can be asked for, `orders` which
values a side prefers, `positions` the part of the state with its folds,
`authority` how far our side may go alone, `rules` what every history obeys,
`decisions` what a command leads to, `ledger` the reckoning, `figures` what it comes
to, `marks` what of it rests on secrets, `words` the telling.
"""

from domain.negotiation.authority import AuthorityLimits, RoleLimits, TermLimit
from domain.negotiation.commands import AnyNegotiationCommand, NegotiationCommand
from domain.negotiation.decisions import decide
from domain.negotiation.facts import AnyNegotiationFact, NegotiationFact
from domain.negotiation.positions import Negotiations, evolve
from domain.negotiation.rules import admissible
from domain.negotiation.words import describe

__all__ = [
    "AnyNegotiationCommand",
    "AnyNegotiationFact",
    "AuthorityLimits",
    "NegotiationCommand",
    "NegotiationFact",
    "Negotiations",
    "RoleLimits",
    "TermLimit",
    "admissible",
    "decide",
    "describe",
    "evolve",
]
