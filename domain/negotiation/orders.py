"""The two sides' orders on an issue: which value a side prefers, and by how much.

Total over any value: where no order is declared, or a value is none that the
issue can take, there is no answer (None). Arithmetic is exact.
"""

import re
from collections.abc import Iterable
from decimal import Context, Decimal

from domain.negotiation.facts import Better, Issue, Option
from domain.values import Party, decimal_text

_EXACT = Context(prec=200)

_CANONICAL = re.compile(r"0|-?(?:[1-9][0-9]{0,17}(?:\.[0-9]{0,8}[1-9])?|0\.[0-9]{0,8}[1-9])")
"""What `decimal_text` leaves as it is: at most 18 digits before the point and nine behind it."""


def is_canonical(number: str) -> bool:
    """Whether `number` is a decimal number in its one written form."""
    return _CANONICAL.fullmatch(number) is not None


def written(issue: Issue, value: str) -> str:
    """`value` in the form in which it is kept; what is no value of the issue stays as it is."""
    if issue.options:
        return value
    try:
        return decimal_text(value)
    except ValueError:
        return value


def can_take(issue: Issue, value: str) -> bool:
    """Whether `value` is one of the issue's values, in the form in which it is kept."""
    if issue.options:
        return any(option.name == value for option in issue.options)
    return is_canonical(value)


def has_order(issue: Issue, side: Party) -> bool:
    """Whether `side` declared which values it prefers."""
    if issue.options:
        return all(_option_worth(option, side) is not None for option in issue.options)
    return _better(issue, side) is not None


def gain(issue: Issue, side: Party, from_: str, to: str) -> Decimal | None:
    """What `side` gains by going from one value to the other, in units; negative: what it loses.

    For options the unit is a point of worth to that side.
    """
    before, after = _worth(issue, side, from_), _worth(issue, side, to)
    return None if before is None or after is None else _EXACT.subtract(after, before)


def cost(issue: Issue, size: Decimal) -> Decimal | None:
    """`size` in money of the deal's currency, exact and not rounded."""
    per_unit = issue.money_per_unit
    return None if per_unit is None else product(size, per_unit.amount)


def product(one: Decimal, other: Decimal) -> Decimal:
    """The exact product."""
    return _EXACT.multiply(one, other)


def total(costs: Iterable[Decimal]) -> Decimal:
    """The exact sum."""
    result = Decimal(0)
    for one in costs:
        result = _EXACT.add(result, one)
    return result


def discount_within(percent: str, base: str, price: str) -> bool:
    """Whether `price` is at most `percent` per cent below `base`."""
    given = _EXACT.subtract(Decimal(base), Decimal(price))
    allowed = _EXACT.multiply(Decimal(base), Decimal(percent))
    return _EXACT.multiply(given, Decimal(100)) <= allowed


def _worth(issue: Issue, side: Party, value: str) -> Decimal | None:
    if not has_order(issue, side) or not can_take(issue, value):
        return None
    if not issue.options:
        number = Decimal(value)
        return number if _better(issue, side) is Better.HIGHER else number.copy_negate()
    worth = next(_option_worth(option, side) for option in issue.options if option.name == value)
    return None if worth is None or not is_canonical(worth) else Decimal(worth)


def _better(issue: Issue, side: Party) -> Better | None:
    return issue.better_for_us if side is Party.US else issue.better_for_them


def _option_worth(option: Option, side: Party) -> str | None:
    return option.our_worth if side is Party.US else option.their_worth
