"""Stuck deals: how many in each stage, and which."""

import msgspec

from api.wire.flows import StuckFigures
from api.wire.values import Instant, User
from projections.flow import stuck as projected


class StuckStage(msgspec.Struct, frozen=True):
    """How many deals are stuck in one stage of one process."""

    process: str
    stage: str
    figures: StuckFigures

    @classmethod
    def of(cls, found: projected.StuckIn) -> "StuckStage":
        place = found.threshold.place
        return cls(place.process, place.stage, StuckFigures.of(found))


class StuckDeal(msgspec.Struct, frozen=True, kw_only=True):
    """A deal that has been in its stage for longer than most that were won."""

    deal: str
    """Its id."""
    reference: str | None
    """By which another system knows it."""
    owner: User
    process: str
    stage: str
    entered_at: Instant
    entered_by: int | None
    """The version of the event by which it entered."""
    days: int
    threshold_days: int


class StuckDeals(msgspec.Struct, frozen=True, kw_only=True):
    """The stuck deals, the longest in their stage first."""

    as_of: Instant
    known_at: Instant
    stages: list[StuckStage]
    deals: list[StuckDeal]
    cursor: str | None
    """Where the listing goes on; null: at its end."""
    caveats: list[str]
