"""Reading the events of a deal as far as they can be read: damage must not keep anybody known."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, TypeAlias

from domain.access import EVERYTHING
from domain.history import Fact, Recorded
from store.errors import StoreError, UnreadableEvent
from store.events.codec import codec
from store.events.fields import FieldCipher
from store.events.reading import PUBLIC, Reading
from store.recorder import Recorder

if TYPE_CHECKING:
    from store.log import DealLog

Unread: TypeAlias = Callable[[str, int], None]
"""Called with (stream, version) of an event that cannot be read, or not all of it."""


def whole(log: "DealLog") -> Reading:
    """Opens everything, with the keys there are at this moment."""
    return Reading(FieldCipher(log.keys), EVERYTHING)


def ignored(stream: str, version: int) -> None:
    """For whoever does without what cannot be read."""


def readable_events(
    records: Recorder, stream: str, reading: Reading = PUBLIC, unread: Unread = ignored
) -> Iterator[Recorded[Fact]]:
    """The events of a stream. Of those that cannot be opened, what is public, if that can be."""
    to_event = codec().to_event
    for row in records.rows(stream):
        try:
            yield to_event(*row, reading)
        except StoreError:
            unread(stream, row[1])
            with suppress(UnreadableEvent):
                yield to_event(*row, PUBLIC)
