"""Gates: which criteria of a stage are met, by which events, and what would meet the others.

`judging` weighs the criteria of a stage; `predicates` is the list of what auto
criteria may name, made up of one module for each part of the state they look at.
"""

from domain.gates.judging import (
    ATTEST,
    GateState,
    gate_state,
    what_meets,
    win_probability,
)
from domain.gates.predicates import PREDICATES, Predicate

__all__ = [
    "ATTEST",
    "PREDICATES",
    "GateState",
    "Predicate",
    "gate_state",
    "what_meets",
    "win_probability",
]
