"""How likely a deal was to be won, by the cohort of deals decided before."""

import msgspec

from api.wire.values import Instant
from projections.cohort.model import Estimate as Projected
from projections.review import Judged
from store.times import written

MOST_CONTRIBUTIONS = 5


class Estimate(msgspec.Struct, frozen=True):
    """The cohort estimate, per cent, with its 90 % interval; null: undetermined."""

    percent: float | None
    low: float | None
    high: float | None
    cohort: int
    """Decided deals that it rests on; below 100 it is undetermined."""
    boundary: Instant
    """Up to when they were decided and known."""

    @classmethod
    def of(cls, estimate: Projected) -> "Estimate":
        return cls(
            percent(estimate.probability),
            percent(estimate.low),
            percent(estimate.high),
            estimate.cohort,
            written(estimate.boundary),
        )


class Contribution(msgspec.Struct, frozen=True):
    """What one indicator did to the estimate since the move before, in log-odds."""

    indicator: str
    change: float
    """Above 0 towards winning."""

    @classmethod
    def all_of(cls, judged: Judged) -> "list[Contribution]":
        return [
            cls(move.measure, round(move.change, 3))
            for move in judged.moved_by[:MOST_CONTRIBUTIONS]
            if abs(move.change) >= 0.0005
        ]


def percent(probability: float | None) -> float | None:
    """With one digit."""
    return None if probability is None else round(100 * probability, 1)
