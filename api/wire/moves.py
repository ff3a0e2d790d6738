"""Replay: one deal move by move."""

from datetime import date

import msgspec

from api.wire.deals import Deal
from api.wire.values import Amount, Instant, Names, User, same
from api.wire.words import Change, spoken
from domain.lifecycle import Status
from projections import replay as projected
from store.times import written


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """One event in order of occurrence, and how the deal stood behind it. Days are whole days."""

    number: int
    version: int
    """Names the move: stays when a late event moves in before it."""
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
    """Per cent."""
    gate_met: int
    gate_total: int
    day: int
    """Days since the opening."""
    days_in_stage: int
    days_to_expected_close: int | None
    days_since_last_move: int
    known_late_days: int

    @classmethod
    def of(cls, move: projected.Move, names: Names) -> "Move":
        close = move.expected_close
        return cls(
            occurred_at=written(move.occurred_at),
            known_at=written(move.known_at),
            what=spoken(move.type, move.what, names),
            actor=names.user(move.actor),
            changes=[Change.of(change) for change in move.changes],
            status=Status(move.status),
            amount=Amount.of(move.amount),
            expected_close=date.fromisoformat(close) if close else None,
            **same(move, _AS_IN_THE_MOVE),
        )


_AS_IN_THE_MOVE = (
    "number",
    "version",
    "type",
    "source",
    "inferred",
    "stage",
    "probability",
    "gate_met",
    "gate_total",
    "day",
    "days_in_stage",
    "days_to_expected_close",
    "days_since_last_move",
    "known_late_days",
)


class Replay(msgspec.Struct, frozen=True):
    """The moves of one deal that stand at (as of, known at)."""

    as_of: Instant
    known_at: Instant
    deal: Deal
    """As it stands behind the last move."""
    moves: list[Move]
