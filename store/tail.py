"""The log as read models read it: what is new, whole streams, and ranges of streams.

Only what is public is read, so it takes no key. An event that cannot be read is
told beside those that can, so that one does not keep the others waiting.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby

import msgspec

from domain.history import Fact, Recorded
from domain.process import ProcessBook
from store.errors import UnreadableEvent
from store.events.codec import codec
from store.events.reading import PUBLIC
from store.log import DealLog
from store.recorder import Place, PlacedRow
from store.seals.merkle import leaf_hash

FIRST_STREAM, BEHIND_ALL_STREAMS = "", "\U0010ffff"
_ROWS_PER_PAGE = 5_000
_SAMPLES = 512


def name_of(stream: str, version: int, state: bytes) -> str:
    """Names a stored event: no other log has it, unless this is a copy of that one."""
    return f"{stream}@{version} {leaf_hash(state).hex()[:32]}"


class Stream(msgspec.Struct, frozen=True):
    """The events of one stream up to a position of the log, in order of version."""

    name: str
    events: tuple[Recorded[Fact], ...]
    positions: tuple[int, ...]
    """Of each event in the log."""
    unreadable: tuple[UnreadableEvent, ...] = ()
    """Those that are not among the events; each says which one it is."""

    @property
    def places(self) -> list[int]:
        """The positions of all events, also of those that cannot be read."""
        return [*self.positions, *(one.position for one in self.unreadable if one.position)]


class Range(msgspec.Struct, frozen=True):
    """Streams whose names sort at or behind `first` and before `before`."""

    first: str = FIRST_STREAM
    before: str = BEHIND_ALL_STREAMS


class Tail:
    """What read models need of a log. Safe to use from many threads."""

    def __init__(self, log: DealLog) -> None:
        self._log = log
        self.location = log.location
        self._records = log.records
        self._to_event = codec().to_event

    def head(self) -> int:
        """Position of the last event, 0 when there is none."""
        return self._records.head()

    def processes(self) -> ProcessBook:
        """The built-in processes and all published ones."""
        return self._log.processes()

    def places(self, after: int, limit: int) -> list[Place]:
        """Where at most `limit` events behind position `after` are."""
        return self._records.places(after, limit)

    def streams(self, names: Iterable[str], until: int) -> Iterator[Stream]:
        """Streams as of position `until`, those without events left out."""
        return self._streams(self._records.placed(names), until)

    def scan(self, of: Range, until: int) -> Iterator[Stream]:
        """All streams of a range as of position `until`, in order of their names."""
        return self._streams(self._pages(of), until)

    def ranges(self, count: int) -> list[Range]:
        """The log in at most so many ranges with about as many events each."""
        head = self.head()
        positions = {1 + at * head // _SAMPLES for at in range(_SAMPLES)} if head else set()
        sampled = sorted(self._records.streams_at(positions))
        cuts = {sampled[at * len(sampled) // count] for at in range(1, count) if sampled}
        edges = [FIRST_STREAM, *sorted(cuts), BEHIND_ALL_STREAMS]
        return [Range(*edges[at : at + 2]) for at in range(len(edges) - 1)]

    def name_at(self, position: int) -> str | None:
        """Names the event at a position; None where there is none, "" for position 0.

        Another log has another event there, also one that was restored from a backup
        and went on.
        """
        if position == 0:
            return ""
        for _, stream, version, _, state in self._records.feed(position - 1, 1):
            return name_of(stream, version, state)
        return None

    def recorded_at(self, position: int) -> datetime | None:
        """When the event at a position was recorded; None where that cannot be read."""
        try:
            for _, stream, version, topic, state in self._records.feed(position - 1, 1):
                return self._to_event(stream, version, topic, state, PUBLIC).recorded_at
        except UnreadableEvent:
            pass
        return None

    def position(self, stream: str, version: int) -> int | None:
        """The position of an event, None where there is none."""
        found = self._records.event(stream, version)
        return None if found is None else found[0]

    def _pages(self, of: Range) -> Iterator[PlacedRow]:
        behind = (of.first, 0)
        while rows := self._records.scan(behind, of.before, _ROWS_PER_PAGE):
            yield from rows
            behind = rows[-1][1:3]

    def _streams(self, rows: Iterable[PlacedRow], until: int) -> Iterator[Stream]:
        for name, group in groupby(rows, key=lambda row: row[1]):
            stream = self._stream(name, group, until)
            if stream.positions or stream.unreadable:
                yield stream

    def _stream(self, name: str, rows: Iterable[PlacedRow], until: int) -> Stream:
        events, positions, unreadable = list[Recorded[Fact]](), list[int](), list[UnreadableEvent]()
        for position, _, version, topic, state in rows:
            if position > until:
                break
            try:
                events.append(self._to_event(name, version, topic, state, PUBLIC))
            except UnreadableEvent as error:
                error.position = position
                unreadable.append(error)
            else:
                positions.append(position)
        return Stream(name, tuple(events), tuple(positions), tuple(unreadable))
