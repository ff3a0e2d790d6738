"""The book of rules, in the order of the course of a deal."""

from projections.findings.rule import Rule
from projections.findings.rules import (
    buying,
    competition,
    forecast,
    needs,
    negotiating,
    people,
    proposals,
    stages,
)

BOOK: tuple[Rule, ...] = (
    *needs.RULES,
    *proposals.RULES,
    *people.RULES,
    *buying.RULES,
    *competition.RULES,
    *negotiating.RULES,
    *stages.RULES,
    *forecast.RULES,
)
"""All rules."""
