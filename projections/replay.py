"""Replay: one deal move by move, in order of occurrence, or as it became known."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from domain.deal import DealEvent, describe
from domain.process import ProcessBook
from projections.changes import Change, changes
from projections.frames import Frame, frames_of
from projections.indicators import Gauge, Indicators, SecretIndicators
from projections.instants import days_between


class Move(msgspec.Struct, frozen=True):
    """One frame with its indicators. Days are whole days."""

    number: int
    version: int
    """Names the frame: stays when a late event moves in before it."""
    at: datetime
    """Where it stands: when it occurred, or became known."""
    occurred_at: datetime
    known_at: datetime
    type: str
    what: str
    actor: str
    source: str
    inferred: bool
    changes: list[Change]
    expected_close: str | None
    days_since_last_move: int
    known_late_days: int
    indicators: Indicators | None
    """None before the deal is opened."""
    secret: SecretIndicators | None
    """None where secrets are not to be shown."""


def replay(
    events: Sequence[DealEvent],
    processes: ProcessBook,
    as_of: datetime | None = None,
    known_at: datetime | None = None,
) -> list[Move]:
    """The moves that stand at (as of, known at)."""
    return moves_of(frames_of(events, as_of, known_at), processes)


def moves_of(
    frames: Sequence[Frame], processes: ProcessBook, *, secrets: bool = False
) -> list[Move]:
    """The moves of frames that were folded already."""
    previous, gauge = [None, *frames], Gauge()
    return [
        _move(number, frame, last, gauge, processes, secrets=secrets)
        for number, (frame, last) in enumerate(zip(frames, previous, strict=False), start=1)
    ]


def _move(
    number: int,
    frame: Frame,
    last: Frame | None,
    gauge: Gauge,
    processes: ProcessBook,
    *,
    secrets: bool,
) -> Move:
    event, deal = frame.event, frame.after
    close = deal.stages.expected_close
    return Move(
        number=number,
        version=event.version,
        at=frame.at,
        occurred_at=event.occurred_at,
        known_at=event.known_at,
        type=event.type,
        what=describe(event, frame.before),
        actor=event.actor,
        source=event.source,
        inferred=event.inferred,
        changes=_changes(frame),
        expected_close=close.isoformat() if close else None,
        days_since_last_move=days_between(last.at, frame.at) if last else 0,
        known_late_days=days_between(event.occurred_at, event.known_at),
        indicators=_indicators(frame, gauge, processes),
        secret=gauge.secret_indicators(deal) if secrets else None,
    )


def _changes(frame: Frame) -> list[Change]:
    """What changed; most events leave those parts alone that the main facts stand in."""
    before, after = frame.before, frame.after
    same = before.life is after.life and before.stages is after.stages
    return [] if same else changes(frame)


def _indicators(frame: Frame, gauge: Gauge, processes: ProcessBook) -> Indicators | None:
    deal = frame.after
    if deal.life.process is None or deal.life.opened_at is None:
        return None
    return gauge.indicators(deal, processes.get(deal.life.process), frame.at)
