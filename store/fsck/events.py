"""The events against their leaves, in one pass in the order of the feed."""

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import NamedTuple, TypeAlias

from store.events.fields import Encrypted, FieldCipher, KeyErased, KeyLost, KeyMissing, Place
from store.events.stored import UNREADABLE, Heading, read_heading, read_stored
from store.fsck.findings import MOST_PROBLEMS, Kind, Problem, Problems
from store.fsck.tree import Tree
from store.recorder import Recorder
from store.seals.merkle import leaf_hash
from store.seals.tiles import TILE_WIDTH

Progress: TypeAlias = Callable[[int, int], None]
"""Called with (events done, events in all)."""

BATCH_EVENTS = 16 * TILE_WIDTH
MOST_DISPLACED = 100_000
"""Among so many events out of place it is told what became of them."""
_LOWEST_POSITION = -(2**63)


_FeedRow: TypeAlias = tuple[int, str, int, str, bytes]


class _Mismatch(NamedTuple):
    """An event whose bytes do not have the leaf that stands at its place."""

    at: int
    row: _FeedRow
    leaf: bytes
    sealed: bytes | None


class _Mismatches:
    """Events without their leaves and leaves without their events: who was moved is in both."""

    def __init__(self) -> None:
        self._first: list[_Mismatch] = []
        self._leaves: set[bytes] = set()
        self._sealed: set[bytes] = set()
        self._count = 0

    def add(self, mismatch: _Mismatch) -> None:
        self._count += 1
        if len(self._first) < MOST_PROBLEMS:
            self._first.append(mismatch)
        if len(self._leaves) < MOST_DISPLACED:
            self._leaves.add(mismatch.leaf)
            self.add_unfilled(mismatch.sealed)

    def add_unfilled(self, sealed: bytes | None) -> None:
        """A leaf whose event is not there."""
        if sealed is not None and len(self._sealed) < MOST_DISPLACED:
            self._sealed.add(sealed)

    def tell(self, problems: Problems) -> None:
        for mismatch in self._first:
            problems.add(self._problem(mismatch), "mismatches")
        problems.count += self._count - len(self._first)

    def _problem(self, mismatch: _Mismatch) -> Problem:
        at, row, leaf, sealed = mismatch
        kind, what = Kind.CHANGED, "its bytes are not those that were sealed"
        if sealed is None:
            kind, what = Kind.INSERTED, "there is no leaf for the event at this position"
        elif leaf in self._sealed and sealed in self._leaves:
            kind, what = Kind.REORDERED, "it was sealed at another position"
        elif leaf in self._sealed:
            kind, what = Kind.REMOVED, "the event sealed at this position is gone; another is there"
        elif sealed in self._leaves:
            kind, what = Kind.INSERTED, "it was never sealed; the event sealed here was moved"
        return _at(at, kind, row, what)


class Pass:
    """One way through the feed, a batch of tiles at a time."""

    def __init__(
        self,
        recorder: Recorder,
        problems: Problems,
        opener: "Opener | None",
        progress: Progress | None,
    ) -> None:
        self._recorder = recorder
        self._problems = problems
        self._opener = opener
        self._progress = progress
        self.versions: dict[str, int] = {}
        """The last version of each stream."""
        self._in_order = True
        """Until an event is not what was sealed: versions behind it tell nothing more."""
        self._mismatches = _Mismatches()
        self._tree = Tree(recorder, problems)

    def run(self) -> int:
        """Answers how many events there are, by the position of the last."""
        self._before_the_first()
        done = 0
        while rows := self._recorder.feed(done, BATCH_EVENTS):
            self._batch(done, rows)
            done = rows[-1][0]
            if self._progress is not None:
                self._progress(done, max(done, self._recorder.head()))
        # Where events are gone, those behind them stand at other positions, up to the end.
        for leaf in self._recorder.leaves(done, done - done % TILE_WIDTH + TILE_WIDTH):
            self._mismatches.add_unfilled(leaf)
        self._mismatches.tell(self._problems)
        return done

    def _before_the_first(self) -> None:
        """No event has a place before position 1, where the feed does not come by."""
        after = _LOWEST_POSITION
        while rows := self._recorder.feed(after, MOST_PROBLEMS):
            for row in rows:
                after = row[0]
                if after > 0:
                    return
                what = f"an event stands at position {after}, before the first"
                self._problems.add(_at(None, Kind.INSERTED, row, what))

    def _batch(self, before: int, rows: Sequence[_FeedRow]) -> None:
        """The rows behind position `before`, tile by tile."""
        by_tile: dict[int, list[_FeedRow]] = {}
        expected = before + 1
        for row in rows:
            if row[0] != expected:
                self._gap(expected, row[0])
            expected = row[0] + 1
            by_tile.setdefault((row[0] - 1) // TILE_WIDTH, []).append(row)
        for number, some in by_tile.items():
            self._part_of_tile(max(before, number * TILE_WIDTH), some[-1][0], some)

    def _gap(self, start: int, end: int) -> None:
        """Positions from `start` up to, not including, `end` have no event."""
        where = f"position {start}" if end == start + 1 else f"the positions {start} to {end - 1}"
        self._problems.add(Problem(start - 1, Kind.REMOVED, f"there is no event at {where}"))

    def _part_of_tile(self, first: int, end: int, rows: Sequence[_FeedRow]) -> None:
        """The events with the leaf indices [first, end), which lie in one tile."""
        stored = self._recorder.leaves(first, end)
        leaves = [sha256(b"\0" + row[4]).digest() for row in rows]
        if len(rows) == end - first and leaves == list(stored):
            for row in rows:
                self._columns(row)
        else:
            self._compare(first, dict(zip((row[0] - 1 for row in rows), rows, strict=True)), stored)
        if end % TILE_WIDTH == 0:
            self._tree.full(end // TILE_WIDTH - 1)

    def _compare(self, first: int, rows: Mapping[int, _FeedRow], stored: Sequence[bytes]) -> None:
        """Find out which events of a tile, by leaf index, are not those that were sealed."""
        sealed = dict(enumerate(stored, start=first))
        for index in sealed.keys() - rows.keys():
            self._mismatches.add_unfilled(sealed[index])
        for index, row in rows.items():
            leaf = leaf_hash(row[4])
            if leaf == sealed.get(index):
                self._columns(row)
            else:
                self._mismatches.add(_Mismatch(index, row, leaf, sealed.get(index)))
                self._in_order = False

    def _columns(self, row: _FeedRow) -> None:
        """An event whose bytes are as they were sealed: its columns, its version, its fields."""
        position, stream, version, topic, state = row
        try:
            heading = read_heading(state)
        except UNREADABLE:
            self._problems.add(
                _at(position - 1, Kind.CHANGED, row, "the bytes sealed here are not an event")
            )
            return
        told = (heading.stream, heading.version, heading.topic)
        if told != (stream, version, topic):
            self._problems.add(
                Problem(
                    position - 1,
                    Kind.CHANGED,
                    f"the columns say {stream}, version {version}, {topic}; the event itself says"
                    f" {told[0]}, version {told[1]}, {told[2]}",
                    heading.stream,
                    heading.version,
                )
            )
        self._follows(position - 1, heading)
        if self._opener is not None and b'"encrypted":' in state:
            self._opener.open(position - 1, state)

    def _follows(self, index: int, heading: Heading) -> None:
        """Versions of a stream count up in the order of the feed."""
        before = self.versions.get(heading.stream, 0)
        self.versions[heading.stream] = heading.version
        if heading.version == before + 1 or not self._in_order:
            return
        kind, after = Kind.REORDERED, f"it comes behind version {before} of {heading.stream}"
        if heading.version > before + 1:
            kind = Kind.REMOVED
            after = f"what is between it and version {before} of {heading.stream} is missing"
        self._problems.add(
            Problem(
                index,
                kind,
                f"version {heading.version} is out of order: {after}",
                heading.stream,
                heading.version,
            )
        )


def _at(index: int | None, kind: Kind, row: _FeedRow, what: str) -> Problem:
    """A problem of a row, which is named as its bytes do, or else as its columns do."""
    try:
        heading = read_heading(row[4])
    except UNREADABLE:
        return Problem(index, kind, what, row[1], row[2])
    return Problem(index, kind, what, heading.stream, heading.version)


class Opener:
    """Decrypts every field, to see whether it opens."""

    def __init__(self, cipher: FieldCipher, problems: Problems) -> None:
        self._cipher = cipher
        self._problems = problems
        self.opened = 0
        self.erased = 0
        self.lost = 0

    def open(self, index: int, state: bytes) -> None:
        try:
            heading, event = read_heading(state), read_stored(state)
        except UNREADABLE:
            self._problems.add(
                Problem(index, Kind.FIELD, "its encrypted fields are not of a form known here")
            )
            return
        for name, encrypted in event.encrypted.items():
            place = Place(heading.stream, heading.version, heading.fact.type, name)
            reason = self._reason(place, encrypted)
            if reason is not None:
                what = f"the field {name} does not open: {reason}"
                self._problems.add(
                    Problem(index, Kind.FIELD, what, heading.stream, heading.version)
                )

    def _reason(self, place: Place, encrypted: Encrypted) -> str | None:
        """Why a field does not open; None where it does, was erased or given up."""
        try:
            self._cipher.decrypt(place, encrypted)
        except KeyErased:
            self.erased += 1
            return None
        except KeyLost:
            self.lost += 1
            return None
        except KeyMissing as error:
            return f"there is no key {error}, and nobody erased it"
        except UNREADABLE as error:
            return str(error)
        self.opened += 1
        return None
