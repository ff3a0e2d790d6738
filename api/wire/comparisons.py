"""Where a deal stood among deals that were won, at the same age."""

from typing import Literal, TypeAlias

import msgspec

from api.wire.values import Instant
from projections.cohort import comparison as projected
from store.times import written

Likeness: TypeAlias = Literal["size", "purchase-method", "business-type", "state"]
"""What compared deals have in common, as `projections.cohort.comparison.Criterion` calls it."""


class Place(msgspec.Struct, frozen=True):
    """Where the deal stood in one indicator."""

    indicator: str
    value: float
    """Of the deal."""
    median: float
    """Of the won deals."""
    percentile: float
    """How many per cent of them stood lower; of those that stood equal, half."""
    deals: int
    """Won deals of which the indicator is known."""


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """With deals that whoever asks may read. Without places: fewer than ten won ones compare."""

    move: int
    """Number of the move behind which it is made."""
    at: Instant
    boundary: Instant
    """Before which the won deals were decided, and known to be."""
    won: int
    """Compared with so many."""
    matched_on: list[Likeness]
    relaxed: list[Likeness]
    """What had to be dropped, in this order, to find enough."""
    places: list[Place]

    @classmethod
    def of(cls, found: projected.Comparison, move: int, at: str) -> "Comparison":
        return cls(
            move=move,
            at=at,
            boundary=written(found.boundary),
            won=found.won,
            matched_on=msgspec.convert(found.matched_on, list[Likeness]),
            relaxed=msgspec.convert(found.relaxed, list[Likeness]),
            places=[
                Place(
                    one.measure,
                    round(one.value, 3),
                    round(one.median, 3),
                    round(one.percentile, 1),
                    one.count,
                )
                for one in found.places
                # They are as old as the deal.
                if one.measure != "day"
            ],
        )
