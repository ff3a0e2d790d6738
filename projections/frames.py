"""Events to frames: what every read model folds.

A frame is one event with the deal's state before and after it. Frames are in
order of (occurred_at, version) and leave withdrawn events out; they are named
by the event's version, so links to them stay when a late event moves in.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from domain.corrections import withdrawn_versions
from domain.deal import Deal, DealEvent, evolve
from domain.deal import standing as standing_events
from domain.history import fold_order, in_fold_order
from domain.process import ProcessBook
from store.log import Positioned


class Frame(msgspec.Struct, frozen=True):
    """One event between the state before and the state after it."""

    before: Deal
    event: DealEvent
    after: Deal


class DealFold(msgspec.Struct, frozen=True):
    """One deal folded once, shared by all read models."""

    deal_id: str
    events: tuple[DealEvent, ...]
    """Every event, withdrawn ones too, in order of version."""
    frames: tuple[Frame, ...]
    processes: ProcessBook

    @classmethod
    def of(cls, deal_id: str, events: Sequence[DealEvent], processes: ProcessBook) -> "DealFold":
        return cls(deal_id, tuple(events), tuple(frames_of(events)), processes)

    @property
    def deal(self) -> Deal:
        """The current state."""
        return self.frames[-1].after if self.frames else Deal()


class Batch(msgspec.Struct, frozen=True):
    """What read models take in at once: new events of the log, and the deals they touch, folded."""

    events: tuple[Positioned, ...]
    folds: tuple[DealFold, ...]

    @property
    def deal_ids(self) -> list[str]:
        return [fold.deal_id for fold in self.folds]


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

    def _refold(self, start: int, events: Sequence[DealEvent]) -> None:
        del self.frames[start:], self._keys[start:]
        deal = self.frames[-1].after if self.frames else Deal()
        for event in in_fold_order(events):
            before, deal = deal, evolve(deal, event)
            self.frames.append(Frame(before, event, deal))
            self._keys.append(fold_order(event))
