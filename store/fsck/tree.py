"""The tiles of hashes against each other: each hash is the root of the full tile below it."""

from collections.abc import Iterator

from store.fsck.findings import Kind, Problem, Problems
from store.recorder import Recorder
from store.seals.merkle import HASH_BYTES, perfect_root
from store.seals.tiles import TILE_BYTES, TILE_HEIGHT, TILE_WIDTH


def split(packed: bytes) -> list[bytes]:
    """Hashes that are written one after another."""
    return [packed[at : at + HASH_BYTES] for at in range(0, len(packed), HASH_BYTES)]


class Tree:
    """The tiles above the leaves: each hash is the root of the full tile below it."""

    def __init__(self, recorder: Recorder, problems: Problems) -> None:
        self._recorder = recorder
        self._problems = problems
        self._above: dict[int, tuple[int, bytes]] = {}
        """By level, the number and the hashes of the tile that was read last."""

    def full(self, number: int) -> None:
        """A tile of leaves is full and was compared with the events."""
        level = 0
        packed = self._recorder.tile(0, number)
        while True:
            first = number << (level + 1) * TILE_HEIGHT
            if packed is None or len(packed) != TILE_BYTES:
                self._damaged(level, number, first, "is not stored whole")
                return
            upper, place = divmod(number, TILE_WIDTH)
            above = self._tile(level + 1, upper, place)
            hashed = above[place * HASH_BYTES : (place + 1) * HASH_BYTES]
            if perfect_root(packed) != hashed:
                what = f"does not have the root that stands in tile {upper} of level {level + 1}"
                self._damaged(level, number, first, what)
            if place < TILE_WIDTH - 1:
                return
            level, number, packed = level + 1, upper, above

    def _tile(self, level: int, number: int, place: int) -> bytes:
        """A tile with at least `place` + 1 hashes, where it has as many."""
        known = self._above.get(level)
        if known is None or known[0] != number or len(known[1]) <= place * HASH_BYTES:
            self._above[level] = known = (number, self._recorder.tile(level, number) or b"")
        return known[1]

    def _damaged(self, level: int, number: int, first: int, what: str) -> None:
        last = first + (1 << (level + 1) * TILE_HEIGHT)
        self._problems.add(
            Problem(
                first,
                Kind.TREE,
                f"tile {number} of level {level}, over the events {first + 1} to {last}, {what}",
                last_index=last - 1,
            )
        )


def check_ends(recorder: Recorder, events: int, problems: Problems) -> None:
    """Nothing may stand behind the last event: leaves whose events are gone, surplus hashes."""
    start = events - events % TILE_WIDTH
    behind = split(b"".join(recorder.leaves(start, start + TILE_WIDTH)))[events - start :]
    if recorder.head() != events:
        return
    for index in range(events, events + len(behind)):
        problems.add(
            Problem(index, Kind.REMOVED, f"the event at position {index + 1}, the end, is gone"),
            "ends",
        )
    for what in (*_edge(recorder, events), *_last_tiles(recorder, events)):
        if recorder.head() == events:
            problems.add(Problem(None, Kind.TREE, what), "ends")


def _edge(recorder: Recorder, events: int) -> Iterator[str]:
    """What is wrong with the leaves that are not in full tiles: each stands once, at the edge."""
    full, width = divmod(events, TILE_WIDTH)
    edge = recorder.edge()
    if edge != ((width, events - width + 1, events) if width else (0, 0, 0)):
        yield (
            f"at the edge stand {edge.leaves} leaves of the positions {edge.first} to {edge.last},"
            f" where the last {width} of {events} should stand"
        )
    if recorder.tile(0, full) is not None:
        yield f"tile {full} of level 0 is stored and not full"


def _last_tiles(recorder: Recorder, events: int) -> Iterator[str]:
    """What is wrong with the tiles above that are not full."""
    level, width = 1, events >> TILE_HEIGHT
    while width:
        last = recorder.tile(level, width // TILE_WIDTH) or b""
        if len(last) != width % TILE_WIDTH * HASH_BYTES:
            yield f"the last tile of level {level} does not have {width % TILE_WIDTH} hashes"
        level, width = level + 1, width >> TILE_HEIGHT
