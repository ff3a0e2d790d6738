"""The post-mortem of one deal: where it turned, why, and what to learn from it."""

from typing import Literal

import msgspec

from api.wire.comparisons import Comparison
from api.wire.deals import Deal
from api.wire.findings import Finding, NotAssessable
from api.wire.moves import Move, TurningPoint
from api.wire.negotiation import DealNegotiations
from api.wire.people import StakeholderMap
from api.wire.values import Instant, User
from domain.lifecycle.facts import ReasonDriver, Teller
from domain.process import Words


class OutcomeReason(msgspec.Struct, frozen=True):
    """Why it ended so, by somebody's account."""

    told_by: Teller
    driver: ReasonDriver
    text: str
    recorded_by: User
    occurred_at: Instant
    version: int


class Lesson(msgspec.Struct, frozen=True):
    """What the next deal can use."""

    words: Words
    source: Literal["debrief", "practice"]
    rules: list[str]
    """The rules whose practice it is."""
    versions: list[int]
    """The debriefs that say so."""


class PostMortem(msgspec.Struct, frozen=True, kw_only=True):
    """A deal looked back on from (as of, known at)."""

    as_of: Instant
    known_at: Instant
    deal: Deal
    days: int
    """From the opening to the outcome, or to the moment asked for."""
    furthest_stage: str
    lost_to: str | None
    """The competitor, by name; null where it was not lost to one, or nobody knows to whom."""
    reasons: list[OutcomeReason]
    moves: list[Move]
    findings: list[Finding]
    not_assessable: list[NotAssessable]
    turning_points: list[TurningPoint]
    main_turning_points: list[int]
    """Numbers of those at which the most was lost, in order of time."""
    point_of_no_return: int | None
    """Number of the move; null: there is none, or too few decided deals to tell."""
    best_move: int | None
    """Number of the move behind which the estimate stood highest; null without estimates."""
    map_at_best: StakeholderMap | None
    """As the people stood behind that move."""
    map_at_the_end: StakeholderMap
    negotiations: DealNegotiations
    comparison: Comparison | None
    """With deals that were won: at the point of no return, else where the estimate first fell far,
    else at the last move before the end."""
    lessons: list[Lesson]
    caveats: list[str]
    """What limits the answer."""
