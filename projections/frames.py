"""Events to frames: what every read model folds.

A frame is one event with the deal's state before and after it. Frames are in
order of (occurred_at, version) and leave withdrawn events out; they are named
by the event's version, so links to them stay when a late event moves in.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cached_property

import msgspec

from domain.corrections import EventWithdrawn, withdrawn_versions
from domain.deal import Deal, DealEvent, evolve
from domain.deal import standing as standing_events
from domain.history import fold_order, in_fold_order
from domain.process import ProcessBook
from projections.reported import UNREPORTED, gate_decides


class Frame(msgspec.Struct, frozen=True, gc=False):
    """One event between the state before and the state after it."""

    before: Deal
    event: DealEvent
    after: Deal
    learned_at: datetime | None = None
    """When it moved what is known, among frames of what was known; None among those of what was."""

    @property
    def at(self) -> datetime:
        """The moment at which the frame stands."""
        return self.learned_at or self.event.occurred_at


class DealFold(msgspec.Struct, frozen=True, dict=True):
    """One deal, folded once and shared by all read models.

    Only events that bear on what is reported are folded: most of a deal's events
    leave it as it was, save where a gate decides on its probability.
    """

    deal_id: str
    events: tuple[DealEvent, ...]
    """Every event, withdrawn ones too, in order of version."""
    processes: ProcessBook

    @cached_property
    def bearing(self) -> list[DealEvent]:
        """The events that bear on what is reported, withdrawals included, in order of version."""
        bearing = [event for event in self.events if type(event.fact) not in UNREPORTED]
        return list(self.events) if gate_decides(bearing, self.processes) else bearing

    @cached_property
    def withdrawn(self) -> frozenset[int]:
        """The versions that are withdrawn now."""
        return withdrawn_versions(self.bearing)

    @cached_property
    def states(self) -> list[tuple[DealEvent, Deal]]:
        """The bearing events that stand now, in fold order, each with the state after it.

        Of a state only that holds which is reported, or shown of a deal in its row.
        """
        deal, states = Deal(), []
        for event in standing_events(self.bearing):
            deal = evolve(deal, event)
            states.append((event, deal))
        return states

    @cached_property
    def last_at(self) -> datetime | None:
        """When the last event that stands now occurred, whatever it bears on."""
        events: Iterable[DealEvent] = self.events
        if withdrawn := self.withdrawn:
            events = (event for event in events if event.version not in withdrawn)
        return max((event.occurred_at for event in events), default=None)

    @cached_property
    def in_one_order(self) -> bool:
        """Whether none is withdrawn, and they became known in the order in which they occurred.

        Both that of the bearing events, in order of version.
        """
        if self.withdrawn:
            return False
        occurred = [event.occurred_at for event in self.bearing]
        known = [event.known_at for event in self.bearing]
        return occurred == sorted(occurred) and known == sorted(known)


def frames_of(
    events: Iterable[DealEvent],
    as_of: datetime | None = None,
    known_at: datetime | None = None,
) -> list[Frame]:
    """The frames that stand at (as of, known at). None: without limit."""
    frames = []
    deal = Deal()
    for event in standing_events(events, as_of, known_at):
        before, deal = deal, evolve(deal, event)
        frames.append(Frame(before, event, deal))
    return frames


def frames_as_known(
    events: Iterable[DealEvent],
    as_of: datetime | None = None,
    known_at: datetime | None = None,
) -> list[Frame]:
    """The frames of what was known at each moment, in the order in which it became known.

    The state behind a frame is that at (its moment, its moment): without what was learned
    later, and with what was withdrawn later. So a withdrawal has a frame here. An event that
    had already been withdrawn when it would count has none.
    """
    timeline = Timeline()
    frames: list[Frame] = []
    state = Deal()
    for moment, event in sorted(
        ((max(event.occurred_at, event.known_at), event) for event in events),
        key=lambda pair: (pair[0], pair[1].version),
    ):
        if (as_of is not None and moment > as_of) or (known_at is not None and moment > known_at):
            continue
        if timeline.learn([event]) is None:
            continue
        before, state = state, timeline.frames[-1].after if timeline.frames else Deal()
        frames.append(Frame(before, event, state, moment))
    return frames


class Timeline:
    """The frames of one deal as known so far, while its events become known in any order.

    An event that sorts last costs one step of the fold; a late one, or a
    withdrawal, folds anew what sorts behind it.
    """

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self._keys: list[tuple[datetime, int]] = []
        self._withdrawn: set[int] = set()

    def learn(self, events: Sequence[DealEvent]) -> int | None:
        """Take in events. Answers the index of the first frame that is new or gone, if any."""
        if len(events) == 1 and self._appended(events[0]):
            return len(self.frames) - 1
        gone = withdrawn_versions(events)
        self._withdrawn |= gone
        new = [event for event in events if event.version not in self._withdrawn]
        changed = [bisect_left(self._keys, fold_order(event)) for event in new]
        if gone:
            changed += [i for i, frame in enumerate(self.frames) if frame.event.version in gone]
        if not changed:
            return None
        start = min(changed)
        tail = [f.event for f in self.frames[start:] if f.event.version not in self._withdrawn]
        self._refold(start, [*tail, *new])
        return start

    def frame(self, event: DealEvent) -> Frame:
        """The frame of an event that stands."""
        return self.frames[bisect_left(self._keys, fold_order(event))]

    def _appended(self, event: DealEvent) -> bool:
        """Fold on, if the event sorts last and withdraws nothing, which is the common case."""
        key = fold_order(event)
        if self._keys and key < self._keys[-1]:
            return False
        if isinstance(event.fact, EventWithdrawn) or event.version in self._withdrawn:
            return False
        before = self.frames[-1].after if self.frames else Deal()
        self.frames.append(Frame(before, event, evolve(before, event)))
        self._keys.append(key)
        return True

    def _refold(self, start: int, events: Sequence[DealEvent]) -> None:
        del self.frames[start:], self._keys[start:]
        deal = self.frames[-1].after if self.frames else Deal()
        for event in in_fold_order(events):
            before, deal = deal, evolve(deal, event)
            self.frames.append(Frame(before, event, deal))
            self._keys.append(fold_order(event))
