"""The feed as its readers see it: each event opened for whoever it is shown to.

Beside `Tail`, which read models follow and which opens what is public alone.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice

import msgspec

from domain.access import Sensitivity
from domain.history import Fact, Recorded
from store.errors import EventWithoutKey, UnreadableEvent
from store.events.codec import codec
from store.events.reading import PUBLIC
from store.log import DealLog
from store.memory import Memory
from store.recorder import PlacedRow

Audience = Callable[[str], frozenset[Sensitivity] | None]
"""What may be seen of the events of a stream, by its name; None: not that there are any."""


class Shown(msgspec.Struct, frozen=True):
    """An event of the feed, as far as somebody sees it."""

    position: int
    stream: str
    version: int
    type: str
    """The stored name of its fact."""
    visible: frozenset[Sensitivity]
    """What of it the audience may see."""
    event: Recorded[Fact] | None
    """None where it cannot be read."""


class Feed:
    """Opens events of a log for their readers. Safe to use from many threads."""

    def __init__(self, log: DealLog) -> None:
        self._log = log
        self._to_event = codec().to_event
        self._memory = Memory(log.keys, log.visible)

    def shown(self, rows: Sequence[PlacedRow], audience: Audience, limit: int) -> list[Shown]:
        """The first so many of the events that are for this audience, in the order of the rows.

        What the audience may not see is not decrypted. They are opened once more where
        somebody was erased meanwhile (store/memory.py).
        """
        while True:
            memory = self._memory
            if memory.generation != self._log.keys.generation:
                self._memory = memory = Memory(self._log.keys, self._log.visible)
            found = list(islice(self._opened(rows, audience, memory), limit))
            if memory.generation == self._log.keys.generation:
                return found

    def _opened(
        self, rows: Sequence[PlacedRow], audience: Audience, memory: Memory
    ) -> Iterator[Shown]:
        for row in rows:
            position, stream, version, topic, _ = row
            visible = audience(stream)
            if visible is not None:
                event = self._event(row, visible, memory)
                yield Shown(position, stream, version, topic.rpartition("@")[0], visible, event)

    def _event(
        self, row: PlacedRow, visible: frozenset[Sensitivity], memory: Memory
    ) -> Recorded[Fact] | None:
        """The event of a row: without a key that is lost, as far as it is public."""
        try:
            try:
                return self._to_event(*row[1:], memory.reading(visible))
            except EventWithoutKey:
                return self._to_event(*row[1:], PUBLIC)
        except UnreadableEvent:
            return None
