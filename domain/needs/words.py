"""Needs and value: what happened, in words."""

from domain.needs.facts import AnyNeedsFact
from domain.needs.needs import Needs


def describe(fact: AnyNeedsFact, before: Needs) -> str:
    """One English phrase for `fact`."""
    raise NotImplementedError
