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
    readable: bool
    """Whether you may read the deal; if not, all else is null."""
    reference: str | None
    """By which another system knows it."""
    owner: User | None
    process: str | None
    stage: str | None
    entered_at: Instant | None
    entered_by: int | None
    """The version of the event by which it entered."""
    days: int | None
    threshold_days: int | None

    @classmethod
    def unreadable(cls, deal_id: str) -> "StuckDeal":
        """One that whoever asks may not read."""
        return cls(
            deal=deal_id,
            readable=False,
            reference=None,
            owner=None,
            process=None,
            stage=None,
            entered_at=None,
            entered_by=None,
            days=None,
            threshold_days=None,
        )


class StuckDeals(msgspec.Struct, frozen=True, kw_only=True):
    """The stuck deals, the longest in their stage first."""

    as_of: Instant
    known_at: Instant
    stages: list[StuckStage]
    deals: list[StuckDeal]
    cursor: str | None
    """Where the listing goes on; null: at its end."""
    caveats: list[str]
