"""Competition: what happened, in words."""

from domain.competition.facts import AnyCompetitionFact
from domain.competition.field import Field


def describe(fact: AnyCompetitionFact, before: Field) -> str:
    """One English phrase for `fact`."""
    raise NotImplementedError
