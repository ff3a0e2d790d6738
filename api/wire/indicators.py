"""Indicators: how a deal stood behind a move, beside what the move itself shows."""

from decimal import Decimal

import msgspec

from api.wire.numbers import amount, number
from api.wire.people import LevelFigures
from api.wire.values import Amount, same
from domain.competition.facts import Rank
from domain.process import BuyingPhase
from projections import indicators as projected


class ToWalkAway(msgspec.Struct, frozen=True):
    """How far our position on an issue lay from our walk-away, in units of the issue."""

    issue: str
    distance: str
    """Negative: past it."""

    @classmethod
    def of(cls, issue: str, distance: Decimal) -> "ToWalkAway":
        return cls(issue, number(distance) or "0")


class Indicators(msgspec.Struct, frozen=True, kw_only=True):
    """Days are whole days."""

    phase: BuyingPhase | None
    """The phase of the customer's decision that our stage assumes."""
    buyer_phase: BuyingPhase | None
    """In which the customer was last observed; null: unknown, or longer than 60 days ago."""
    alignment: int | None
    """By how many phases our stage is ahead of the customer."""
    roles_filled: int
    """Of six buying roles."""
    people: int
    """Who has a part in the purchase."""
    people_contacted: int
    """Of them, those contacted in the last 30 days."""
    contacts: int
    """In the last 30 days."""
    days_since_contact: int | None
    days_since_decision_maker_met: int | None
    support: int
    """Sum of attitude (-2 to 2) times influence (1 to 5)."""
    support_by_level: list[LevelFigures]
    open_concerns: int
    position: Rank | None
    conceded: Amount | None
    """What our concessions cost so far; null: one of them has no known cost."""
    concessions: int
    to_walk_away: list[ToWalkAway] | None
    """Null for who may not see it."""

    @classmethod
    def of(
        cls,
        found: projected.Indicators,
        secret: projected.SecretIndicators | None,
        currency: str,
    ) -> "Indicators":
        return cls(
            support_by_level=[LevelFigures.of(level) for level in found.support_by_level],
            conceded=amount(found.conceded, currency),
            to_walk_away=None
            if secret is None
            else [ToWalkAway.of(issue, distance) for issue, distance in secret.to_walk_away],
            **same(found, _AS_FOUND),
        )


_AS_FOUND = (
    "phase",
    "buyer_phase",
    "alignment",
    "roles_filled",
    "people",
    "people_contacted",
    "contacts",
    "days_since_contact",
    "days_since_decision_maker_met",
    "support",
    "open_concerns",
    "position",
    "concessions",
)
