"""One deal at any moment of both axes of time: exact, by fold of what its view opens."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from api.queries.instants import Instants, NothingThen
from api.queries.users import names_of
from api.queries.views import View
from api.wire.deals import Deal, DealDetail, DealGate
from api.wire.gates import Gate
from api.wire.people import StakeholderMap
from api.wire.values import Names
from domain.deal import Deal as DealState
from domain.lifecycle import Status
from domain.process import ProcessBook
from projections.frames import Frame, frames_of
from store.times import written


class NoSuchStage(LookupError):
    """The deal's process has no stage of this name."""


class Then(msgspec.Struct, frozen=True):
    """A deal at a moment, and what it takes to tell of it."""

    deal: Deal
    frames: Sequence[Frame]
    """Those that stand there; never none."""
    processes: ProcessBook
    names: Names
    as_of: datetime
    known_at: datetime

    @property
    def state(self) -> DealState:
        return self.frames[-1].after


def deal_then(view: View, at: Instants) -> Then:
    """The deal of a view at (as of, known at). Raises DealNotFound, NothingThen."""
    events = view.events()
    frames = frames_of(events, at.as_of, at.known_at)
    if not frames or frames[-1].after.life.status is Status.UNOPENED:
        opening = events[0]
        raise NothingThen(
            f"{view.deal_id} was opened at {written(opening.occurred_at)} and known from"
            f" {written(opening.known_at)}, there was nothing of it at the moment asked for."
        )
    names, processes = names_of(view.store), view.store.log.processes()
    now = view.store.now()
    return Then(
        Deal.of_frames(view.deal_id, len(events), frames, processes, names),
        frames,
        processes,
        names,
        as_of=at.as_of or now,
        known_at=at.known_at or now,
    )


def show_deal(view: View, at: Instants) -> DealDetail:
    """One deal in full. Raises DealNotFound, NothingThen."""
    then = deal_then(view, at)
    return DealDetail.of_frames(
        then.deal,
        then.frames,
        then.processes,
        then.names,
        as_of=then.as_of,
        known_at=then.known_at,
    )


def show_gate(view: View, at: Instants, stage_id: str | None = None) -> DealGate:
    """How the gate of a stage stands, without `stage_id` that of the stage the deal is in.

    Judged at the moment asked for. Raises DealNotFound, NothingThen, NoSuchStage.
    """
    then = deal_then(view, at)
    life, stages = then.state.life, then.state.stages
    assert life.process is not None
    process = then.processes.get(life.process)
    wanted = stages.stage if stage_id is None else stage_id
    stage = process.stage(wanted or "")
    if stage is None:
        known = ", ".join(one.id for one in process.stages)
        raise NoSuchStage(f"{process.ref} has no stage {wanted!r}; its stages are {known}.")
    return DealGate(
        as_of=written(then.as_of),
        known_at=written(then.known_at),
        deal=then.deal,
        gate=Gate.of(stage, then.frames, then.as_of, then.names),
    )


def stakeholder_map(view: View, at: Instants) -> StakeholderMap:
    """The customer's people on one deal. Raises DealNotFound, NothingThen."""
    then = deal_then(view, at)
    return StakeholderMap.of(then.deal, then.state, as_of=then.as_of, known_at=then.known_at)
