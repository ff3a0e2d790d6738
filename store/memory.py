"""What a log remembers of what it has read and decrypted, as of one generation of the keys.

Theory of operation. An erasure, in whichever process, raises the generation of the
key ring, and what was decrypted before must not be shown any more. So a memory is
never emptied, it is given up as a whole: whoever reads takes the memory first, reads,
and puts what was read into that one. What was read with keys of before thus never
gets into a memory of after, however the threads take turns.
"""

from collections.abc import Collection, Iterable, Iterator
from itertools import groupby

from eventsourcing.application import LRUCache

from domain.access import EVERYTHING, PUBLIC_ONLY, Sensitivity
from domain.deal import History
from domain.history import Fact, Recorded
from domain.organisation import Organisation
from domain.process import ProcessBook
from domain.process_files import built_in_processes
from domain.rates import RateBook
from domain.targets import Targets
from domain.webhooks import Webhooks
from store.errors import EventWithoutKey, UnreadableEvent
from store.events.codec import Codec
from store.events.fields import FieldCipher
from store.events.reading import PUBLIC, Reading
from store.keys.ring import KeyRing
from store.recorder import Row

WARM_HISTORIES = 1_000


class Memory:
    """Histories of deals, the organisation, and the unwrapped keys that fields were read with."""

    def __init__(self, keys: KeyRing, visible: Collection[Sensitivity]) -> None:
        # Read first: what is read afterwards may be newer, and never older.
        self.generation = keys.generation
        self.cipher = FieldCipher(keys)
        self.histories: LRUCache[str, History] = LRUCache(WARM_HISTORIES)
        self.book: tuple[int, ProcessBook] = (0, built_in_processes())
        """The processes, and the head of the log as of which they are."""
        self.organisation: tuple[int, Organisation] = (0, Organisation())
        """The organisation, and the head of the log as of which it is."""
        self.rates: tuple[int, RateBook] = (0, RateBook())
        """The exchange rates, and the head of the log as of which they are."""
        self.targets: tuple[int, Targets] = (0, Targets())
        """The targets, and the head of the log as of which they are."""
        self.webhooks: tuple[int, Webhooks] = (0, Webhooks())
        """The webhooks, and the head of the log as of which they are."""
        self._visible = frozenset(visible)
        self.whole = self.reading(EVERYTHING)
        """Opens all that can be read with the keys there are."""

    def reading(self, visible: Collection[Sensitivity]) -> Reading:
        """Opens events for an audience."""
        seen = self._visible.intersection(visible)
        return PUBLIC if seen <= PUBLIC_ONLY else Reading(self.cipher, seen)


def opened_by_stream(
    codec: Codec,
    rows: Iterable[Row],
    reading: Reading,
    unread: dict[tuple[str, int], UnreadableEvent] | None = None,
) -> dict[str, tuple[Recorded[Fact], ...]]:
    """The events of rows that stand together by stream.

    Raises UnreadableEvent. With `unread`, which takes up the error by stream and version,
    such an event is left out instead; one whose key is missing is opened as far as it is
    public.
    """

    def opened(row: Row) -> Iterator[Recorded[Fact]]:
        try:
            yield codec.to_event(*row, reading)
        except UnreadableEvent as error:
            if unread is None:
                raise
            unread[row[:2]] = error
            if isinstance(error, EventWithoutKey):
                yield from opened_without_key(row, unread)

    def opened_without_key(
        row: Row, unread: dict[tuple[str, int], UnreadableEvent]
    ) -> Iterator[Recorded[Fact]]:
        try:
            yield codec.to_event(*row, PUBLIC)
        except UnreadableEvent as error:
            unread[row[:2]] = error

    groups = groupby(rows, key=lambda row: row[0])
    return {
        stream: tuple(event for row in group for event in opened(row)) for stream, group in groups
    }
