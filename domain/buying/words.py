"""The customer's process: what happened, in words."""

from domain.buying.facts import AnyBuyingFact
from domain.buying.purchase import Purchase


def describe(fact: AnyBuyingFact, before: Purchase) -> str:
    """One English phrase for `fact`."""
    raise NotImplementedError
