"""Whose the deals are now, kept for readers of the feed, who ask for many deals again and again.

Theory of operation. What is kept of a deal holds until the deal has another event. So
whoever asks first has the new events looked through, by `refresh`, and the deals forgotten
that they are of. A deal that has an event while it is being read is not kept.
"""

from collections import OrderedDict
from threading import Lock

import msgspec

from domain.history import StreamKind
from domain.refusals import Refusal
from store.errors import UnreadableEvent
from store.log import DealLog

KEPT = 50_000
"""Deals at most; those asked for longest ago go first."""
_PLACES_AT_ONCE = 1_000
_FAR_BEHIND = 20_000


class Held(msgspec.Struct, frozen=True):
    """Whose a deal is."""

    owner: str | None
    team: frozenset[str]


class Scopes:
    """Owners and teams of deals as of the last `refresh` or later. Safe for many threads."""

    def __init__(self, log: DealLog) -> None:
        self._log = log
        self._lock = Lock()
        self._kept: OrderedDict[str, Held] = OrderedDict()
        self._asked: dict[str, object] = {}
        self._position = log.head()

    def refresh(self) -> None:
        """Forget what has changed up to now. Raises StoreError."""
        with self._lock:
            while places := self._log.records.places(self._position, _PLACES_AT_ONCE):
                for place in places:
                    self._kept.pop(place.stream, None)
                    self._asked.pop(place.stream, None)
                self._position = places[-1].position
                if len(places) < _PLACES_AT_ONCE:
                    return
                self._give_up_if_far_behind()

    def _give_up_if_far_behind(self) -> None:
        """Forget everything where looking through the events would take longer."""
        head = self._log.head()
        if head - self._position > _FAR_BEHIND:
            self._kept.clear()
            self._asked.clear()
            self._position = head

    def of(self, stream: str) -> Held | None:
        """Whose the deal of that stream is; None where it cannot be read. Raises StoreError."""
        mark = object()
        with self._lock:
            kept = self._kept.get(stream)
            if kept is not None:
                self._kept.move_to_end(stream)
                return kept
            self._asked[stream] = mark
        found = self._read(stream)
        with self._lock:
            if self._asked.get(stream) is mark:
                del self._asked[stream]
                if found is not None:
                    self._kept[stream] = found
                if len(self._kept) > KEPT:
                    self._kept.popitem(last=False)
        return found

    def _read(self, stream: str) -> Held | None:
        try:
            life = self._log.history(stream.removeprefix(f"{StreamKind.DEAL}:")).deal.life
        except (UnreadableEvent, Refusal):
            return None
        return Held(life.owner, life.team_ids)
