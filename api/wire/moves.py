"""Replay: one deal move by move."""

from datetime import date
from enum import StrEnum
from typing import Any

import msgspec

from api.wire.chances import Contribution, Estimate, percent
from api.wire.comparisons import Comparison
from api.wire.deals import Deal
from api.wire.findings import Finding, NotAssessable
from api.wire.indicators import Indicators
from api.wire.values import Amount, Instant, Names, User, same
from api.wire.words import Change, spoken
from domain.lifecycle import Status
from projections import replay as projected
from projections.review import Judged, Review
from store.times import written

NOT_JUDGED = Judged()


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """One event in order of occurrence, and how the deal stood behind it. Days are whole days."""

    number: int
    version: int
    """Names the move: stays when a late event moves in before it."""
    at: Instant
    """Where the move stands: when it occurred, or, of what was known, when it became known."""
    occurred_at: Instant
    known_at: Instant
    type: str
    what: str
    actor: User
    source: str
    inferred: bool
    changes: list[Change]
    status: Status
    stage: str | None
    amount: Amount | None
    expected_close: date | None
    probability: int | None
    """Per cent, by the process: the stage's own, or the override."""
    gate_met: int
    gate_total: int
    day: int
    """Days since the opening."""
    days_in_stage: int
    days_to_expected_close: int | None
    days_since_last_move: int
    known_late_days: int
    indicators: Indicators | None
    """Null before the deal is opened."""
    estimate: Estimate | None
    """Null where the deal does not run, or nothing can be learned from other deals."""
    moved_by: list[Contribution]
    """What moved the estimate since the move before, the most first."""

    @classmethod
    def of(
        cls, move: projected.Move, currency: str, names: Names, judged: Judged = NOT_JUDGED
    ) -> "Move":
        found, close = move.indicators, move.expected_close
        return cls(
            at=written(move.at),
            occurred_at=written(move.occurred_at),
            known_at=written(move.known_at),
            what=spoken(move.type, move.what, names),
            actor=names.user(move.actor),
            changes=[Change.of(change) for change in move.changes],
            expected_close=date.fromisoformat(close) if close else None,
            amount=Amount.of(found.amount) if found else None,
            indicators=Indicators.of(found, move.secret, currency) if found else None,
            estimate=Estimate.of(judged.estimate) if judged.estimate else None,
            moved_by=Contribution.all_of(judged),
            **same(move, _AS_IN_THE_MOVE),
            **(same(found, _AS_INDICATED) if found else _UNOPENED),
        )


_AS_IN_THE_MOVE = (
    "number",
    "version",
    "type",
    "source",
    "inferred",
    "days_since_last_move",
    "known_late_days",
)
_AS_INDICATED = (
    "status",
    "stage",
    "probability",
    "gate_met",
    "gate_total",
    "day",
    "days_in_stage",
    "days_to_expected_close",
)
_UNOPENED: dict[str, Any] = {
    "status": Status.UNOPENED,
    "stage": None,
    "probability": None,
    "gate_met": 0,
    "gate_total": 0,
    "day": 0,
    "days_in_stage": 0,
    "days_to_expected_close": None,
}


class TurningPoint(msgspec.Struct, frozen=True, kw_only=True):
    """A move at which the estimate fell far, or at which a mistake began."""

    number: int
    """In order of time, from 1."""
    move: int
    """Number of the move."""
    version: int
    at: Instant
    what: str
    estimate_before: float | None
    """Per cent, behind the move before, by the model of this one; null where it did not fall far.

    A fall of ten points turns a deal.
    """
    estimate_after: float | None
    findings: list[int]
    """Indices into the findings: mistakes and blunders that begin there."""

    @classmethod
    def all_of(cls, review: Review, names: Names) -> "list[TurningPoint]":
        return [
            cls(
                number=number,
                move=review.moves[point.move].number,
                version=review.moves[point.move].version,
                at=written(review.moves[point.move].at),
                what=spoken(review.moves[point.move].type, review.moves[point.move].what, names),
                estimate_before=percent(review.judged[point.move].before) if point.fall else None,
                estimate_after=_after(review.judged[point.move]) if point.fall else None,
                findings=list(point.findings),
            )
            for number, point in enumerate(review.turning_points, start=1)
        ]


def _after(judged: Judged) -> float | None:
    return percent(judged.estimate.probability) if judged.estimate else None


class Axis(StrEnum):
    """What the moves show."""

    TRUE = "true"
    """What was true at each moment, by what is known: in the order in which things happened."""
    KNOWN = "known"
    """What was known at each moment: in the order in which it became known."""


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """The moves of one deal that stand at (as of, known at)."""

    as_of: Instant
    known_at: Instant
    axis: Axis
    deal: Deal
    """As it stands behind the last move."""
    moves: list[Move]
    findings: list[Finding]
    """In order of when they began."""
    not_assessable: list[NotAssessable]
    turning_points: list[TurningPoint]
    point_of_no_return: int | None
    """Number of the move behind which a lost deal could not be won any more; null: there is none,
    or too few decided deals to tell."""
    caveats: list[str]
    """What limits the answer."""


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """One deal behind one move."""

    axis: Axis
    deal: Deal
    """As it stood there."""
    move: Move
    findings: list[Finding]
    """Those that had begun by then, and held then."""
    comparison: Comparison | None
    """With deals that were won; null where the deal did not run, or nothing can be learned."""
    caveats: list[str]
    """What limits the answer."""
