"""Replay: one deal move by move, in order of occurrence."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from domain.deal import Deal, DealEvent, describe
from domain.gates import GateState, gate_state
from domain.process import ProcessBook
from domain.values import Money
from projections.changes import Change, changes
from projections.frames import Frame, frames_of
from projections.instants import days_between
from projections.reported import reported


class Move(msgspec.Struct, frozen=True):
    """One frame with its indicators. Days are whole days, probability per cent."""

    number: int
    version: int
    """Names the frame: stays when a late event moves in before it."""
    occurred_at: datetime
    known_at: datetime
    type: str
    what: str
    actor: str
    source: str
    inferred: bool
    changes: list[Change]
    status: str
    stage: str | None
    amount: Money | None
    expected_close: str | None
    probability: int | None
    gate_met: int
    gate_total: int
    day: int
    """Days since the opening."""
    days_in_stage: int
    days_to_expected_close: int | None
    days_since_last_move: int
    known_late_days: int


def replay(
    events: Sequence[DealEvent],
    processes: ProcessBook,
    as_of: datetime | None = None,
    known_at: datetime | None = None,
) -> list[Move]:
    """The moves that stand at (as of, known at)."""
    return moves_of(frames_of(events, as_of, known_at), processes)


def moves_of(frames: Sequence[Frame], processes: ProcessBook) -> list[Move]:
    """The moves of frames that were folded already."""
    previous = [None, *frames]
    return [
        _move(number, frame, last, processes)
        for number, (frame, last) in enumerate(zip(frames, previous, strict=False), start=1)
    ]


def _move(number: int, frame: Frame, last: Frame | None, processes: ProcessBook) -> Move:
    event, deal = frame.event, frame.after
    at = event.occurred_at
    facts = reported(deal, processes, at)
    gate = _gate(deal, processes, at)
    close = deal.stages.expected_close
    return Move(
        number=number,
        version=event.version,
        occurred_at=at,
        known_at=event.known_at,
        type=event.type,
        what=describe(event, frame.before),
        actor=event.actor,
        source=event.source,
        inferred=event.inferred,
        changes=changes(frame),
        status=deal.life.status,
        stage=deal.stages.stage,
        amount=deal.amount,
        expected_close=close.isoformat() if close else None,
        probability=facts.probability if facts else None,
        gate_met=len(gate.met) if gate else 0,
        gate_total=len(gate.criteria) if gate else 0,
        day=days_between(deal.life.opened_at, at) if deal.life.opened_at else 0,
        days_in_stage=days_between(deal.stages.entered_at, at) if deal.stages.entered_at else 0,
        days_to_expected_close=(close - at.date()).days if close else None,
        days_since_last_move=days_between(last.event.occurred_at, at) if last else 0,
        known_late_days=days_between(at, event.known_at),
    )


def _gate(deal: Deal, processes: ProcessBook, at: datetime) -> GateState | None:
    if deal.life.process is None or deal.stages.stage is None:
        return None
    stage = processes.get(deal.life.process).stage(deal.stages.stage)
    return gate_state(deal, stage, at) if stage else None
