"""Exact sums in a database, whose integers have 64 bits: in two halves, put together here."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, func

_LIMB = 10**9


def halves(value: ColumnElement[int], times: ColumnElement[int] | int = 1) -> list[Any]:
    """The exact sum of value × times, in two columns."""
    limbs = (value // _LIMB, value % _LIMB)
    return [func.coalesce(func.sum(limb * times), 0) for limb in limbs]


def whole(columns: Sequence[int]) -> int:
    """The sum that stands in the two columns of `halves`."""
    high, low = columns
    return int(high) * _LIMB + int(low)
