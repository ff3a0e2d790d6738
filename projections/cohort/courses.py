"""The course of a decided deal: its measures at moments all along its way, up to the outcome.

A course has a row at the end of each UTC day on which something happened, and one every two
weeks besides, so that silence counts; all while the deal ran, before its outcome. What it holds
is what was known at a limit. Courses are small arrays that can be written to a file.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from math import nan
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from domain.buying.facts import PurchaseMethod
from domain.corrections import DealMerged, EventWithdrawn, standing
from domain.deal import Deal, DealEvent, evolve
from domain.lifecycle import Status
from domain.lifecycle.facts import (
    OpportunityLost,
    OpportunityOpened,
    OpportunityReopened,
    OpportunityResumed,
    OpportunitySuspended,
    OpportunityWon,
)
from domain.process import BuyingPhase, ProcessBook, SalesProcess
from domain.values import BusinessType
from projections.cohort.features import NAMES, Standing, Tally, measures, tallies
from projections.frames import Frame, frames_of
from projections.instants import micros

STEP = timedelta(days=14)
"""Between rows of a course on which nothing happens."""

DECISIVE = (
    OpportunityOpened,
    OpportunityWon,
    OpportunityLost,
    OpportunityReopened,
    OpportunitySuspended,
    OpportunityResumed,
    DealMerged,
    EventWithdrawn,
)
"""The facts that the status of a deal depends on."""

UNKNOWN = -1
CODES = 4
STAGE = 3
"""Of the codes of a row: the index of the stage."""
_BUSINESS = {kind: code for code, kind in enumerate(BusinessType)}
_METHODS = {method: code for code, method in enumerate(PurchaseMethod)}
_PHASES = {phase: code for code, phase in enumerate(BuyingPhase)}


class Traits(msgspec.Struct, frozen=True):
    """What deals are matched on. Codes; `UNKNOWN`: not known."""

    business_type: int
    purchase_method: int
    phase: int
    """Which the stage assumes."""
    stage: int
    """Its position in the process."""
    amount: float
    """NaN: not known."""

    @property
    def codes(self) -> tuple[int, int, int, int]:
        """All of them, in the order in which courses keep them."""
        return (self.business_type, self.purchase_method, self.phase, self.stage)

    @classmethod
    def of(cls, deal: Deal, process: SalesProcess) -> "Traits":
        mode, kind = deal.purchase.mode, deal.life.business_type
        stage = process.stage(deal.stages.stage or "")
        phase = stage.decision_phase if stage else None
        return cls(
            UNKNOWN if kind is None else _BUSINESS[kind],
            UNKNOWN if mode is None else _METHODS[mode.fact.method],
            UNKNOWN if phase is None else _PHASES[phase],
            UNKNOWN if stage is None else process.stages.index(stage),
            nan if deal.amount is None else float(deal.amount.amount),
        )


class Course(msgspec.Struct, frozen=True, eq=False):
    """One decided deal, as known at some limit. Rows are in order of their moments."""

    deal_id: str
    won: bool
    opened_at: int
    """Instants are microseconds, see `projections.instants`."""
    closed_at: int
    currency: str
    moments: NDArray[np.int64]
    measured: NDArray[np.float32]
    """A row of `features.MEASURES` for each moment."""
    codes: NDArray[np.int8]
    """For each moment business type, purchase method, phase and stage, see `Traits`."""
    amounts: NDArray[np.float64]

    def row_at(self, moment: int) -> int | None:
        """The last row at or before a moment; None before the first and from the outcome on."""
        if moment >= self.closed_at:
            return None
        index = int(np.searchsorted(self.moments, moment, side="right")) - 1
        return index if index >= 0 else None

    def packed(self) -> list[Any]:
        """Plain data for a file."""
        arrays = (self.moments, self.measured, self.codes, self.amounts)
        known = (self.deal_id, self.won, self.opened_at, self.closed_at, self.currency)
        return [*known, *(array.tobytes() for array in arrays)]

    @classmethod
    def unpacked(cls, packed: Sequence[Any]) -> "Course":
        """The inverse of `packed`. Raises ValueError, TypeError for anything else."""
        deal_id, won, opened_at, closed_at, currency, moments, measured, codes, amounts = packed
        return cls(
            deal_id,
            won,
            opened_at,
            closed_at,
            currency,
            np.frombuffer(moments, np.int64),
            np.frombuffer(measured, np.float32).reshape(-1, len(NAMES)),
            np.frombuffer(codes, np.int8).reshape(-1, CODES),
            np.frombuffer(amounts, np.float64),
        )


class Outcome(msgspec.Struct, frozen=True):
    """How a deal ended, as known at a limit, and what its course rests on."""

    won: bool
    version: int
    """Of the event."""
    at: datetime
    events: tuple[DealEvent, ...]
    """Those that its course is made of."""

    @property
    def key(self) -> str:
        """Of one deal, courses of one key are the same.

        With the outcome given, what becomes known only adds to the events.
        """
        return f"{self.version}/{len(self.events)}"


def status_at(turns: Iterable[DealEvent], limit: datetime) -> Deal:
    """The deal at (limit, limit) as far as its status goes; `turns` are its `DECISIVE` events."""
    deal = Deal()
    for event in standing(turns, limit, limit):
        deal = evolve(deal, event)
    return deal


def outcome_of(events: Sequence[DealEvent], limit: datetime) -> Outcome | None:
    """The outcome as known at a limit; None: the deal was neither won nor lost then."""
    life = status_at((one for one in events if isinstance(one.fact, DECISIVE)), limit).life
    outcome = life.outcome
    if outcome is None or life.status not in (Status.WON, Status.LOST):
        return None
    end = outcome.occurred_at
    needed = tuple(
        one
        for one in events
        if one.known_at <= limit
        and (one.occurred_at <= end or isinstance(one.fact, EventWithdrawn))
    )
    return Outcome(life.status is Status.WON, outcome.version, end, needed)


def final_from(events: Sequence[DealEvent]) -> tuple[Outcome | None, int]:
    """The outcome as all that is known tells it, and the moment from which on it is known so.

    At a limit at or behind that moment, in microseconds, the outcome and what its course is made
    of are the same, whatever else these events hold.
    """
    decisive = [one for one in events if isinstance(one.fact, DECISIVE)]
    moments = [max(one.occurred_at, one.known_at) for one in decisive]
    if not moments:
        return None, 0
    outcome = outcome_of(events, max([*moments, *(one.known_at for one in events)]))
    needed = outcome.events if outcome else ()
    return outcome, micros(max([*moments, *(one.known_at for one in needed)]))


def course_of(outcome: Outcome, processes: ProcessBook) -> Course | None:
    """The course of a decided deal; None where it did not run at any moment before its outcome."""
    frames = frames_of(outcome.events, as_of=outcome.at)
    opened_at = frames[0].after.life.opened_at if frames else None
    if opened_at is None:
        return None
    rows = [
        (micros(at), Standing.of(deal, processes.get(ref), at, tally))
        for at, deal, tally in _moments(frames, opened_at, outcome.at)
        if (ref := deal.life.process) is not None and ref in processes
    ]
    if not rows:
        return None
    traits = [Traits.of(one.deal, one.process) for _, one in rows]
    return Course(
        frames[0].event.identifier,
        outcome.won,
        micros(opened_at),
        micros(outcome.at),
        frames[0].after.life.currency or "",
        np.array([at for at, _ in rows], dtype=np.int64),
        np.array([measures(one) for _, one in rows], dtype=np.float32),
        np.array([one.codes for one in traits], dtype=np.int8),
        np.array([one.amount for one in traits], dtype=np.float64),
    )


def _moments(
    frames: Sequence[Frame], opened_at: datetime, end: datetime
) -> Iterator[tuple[datetime, Deal, Tally]]:
    """Each moment of a row, the state then, and the tally."""
    ends = [*(frame.at for frame in frames[1:]), end]
    step = opened_at + STEP
    for frame, tally, until in zip(frames, tallies(frames), ends, strict=True):
        runs = frame.after.life.status in (Status.OPEN, Status.SUSPENDED)
        last_of_day = frame.at.date() < until.date() or frame.at < until == end
        if runs and last_of_day:
            yield frame.at, frame.after, tally
        while step <= frame.at:
            step += STEP
        while step < until:
            if runs:
                yield step, frame.after, tally
            step += STEP
