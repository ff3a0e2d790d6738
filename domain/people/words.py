"""The customer's people: what happened, in words."""

from domain.people.facts import AnyPeopleFact
from domain.people.people import People


def describe(fact: AnyPeopleFact, before: People) -> str:
    """One English phrase for `fact`."""
    raise NotImplementedError
