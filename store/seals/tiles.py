"""The hashes of the log as tiles, after C2SP tlog-tiles, and roots and proofs made from them.

Theory of operation. A tile of level L holds up to 256 hashes of height 8·L,
32 bytes each: level 0 the leaves, each level above the roots of full tiles of
the level below. Tiles are stored when they are full; those of level 1 and up
also while they grow, which they do once in 256 leaves and more. The leaves
after the last full tile are kept one by one, so adding an event writes no tile
unless it fills one.

Hashes between two levels are computed when they are asked for. The subtrees
that one root or proof is made of do not overlap, so none is hashed twice, and
a proof in a log of a million events reads three tiles.

A log of an earlier size is the beginning of the present one, and its tiles are
the beginnings of the present tiles: every function takes any size up to now.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from store.seals import merkle
from store.seals.merkle import HASH_BYTES, Node, ProofError, check_hashes, parents, perfect_root

TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT
TILE_BYTES = TILE_WIDTH * HASH_BYTES


class MissingHashes(ProofError):
    """The log does not hold hashes that it must hold at this size."""


class HashReader(Protocol):
    """The stored hashes of a log."""

    def tile(self, level: int, number: int) -> bytes | None:
        """The hashes of a stored tile, full or partial; None where it is not stored."""

    def leaves(self, first: int, last: int) -> Sequence[bytes]:
        """The leaf hashes of the indices from `first` up to, not including, `last`."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile to store, in place of the one with its level and number where there is one."""

    level: int
    number: int
    hashes: bytes


def root(reader: HashReader, size: int) -> bytes:
    """The root of the first `size` events. Raises MissingHashes where the log has not got them."""
    return merkle.root(size, _At(reader, size).hashes)


def inclusion_proof(reader: HashReader, index: int, size: int) -> list[bytes]:
    """The proof that event `index` is one of the first `size`, from its sibling up.

    Raises ProofError where it is not, MissingHashes where the log lacks hashes.
    """
    return merkle.inclusion_proof(index, size, _At(reader, size).hashes)


def consistency_proof(reader: HashReader, old: int, new: int) -> list[bytes]:
    """The proof that the log of `new` events extends the log of `old`.

    Raises ProofError unless 0 < old ≤ new, MissingHashes where the log lacks hashes.
    """
    return merkle.consistency_proof(old, new, _At(reader, new).hashes)


def new_tiles(reader: HashReader, size_before: int, leaves: Sequence[bytes]) -> list[Tile]:
    """The tiles to write when `leaves` come after the first `size_before`.

    Where they fill no tile this is nothing, and nothing is read. `reader` is
    asked for hashes from before the leaves alone, and may have the leaves or not.
    """
    check_hashes(leaves)
    size = size_before + len(leaves)
    if size >> TILE_HEIGHT == size_before >> TILE_HEIGHT:
        return []
    before = _At(reader, size_before)
    tiles: list[Tile] = []
    added = b"".join(leaves)
    level = 0
    while added:
        number = size_before >> (level + 1) * TILE_HEIGHT
        packed = before.edge(level) + added
        full = len(packed) - len(packed) % TILE_BYTES
        for start in range(0, full, TILE_BYTES):
            tiles.append(Tile(level, number, packed[start : start + TILE_BYTES]))
            number += 1
        if level and full < len(packed):
            tiles.append(Tile(level, number, packed[full:]))
        added = packed[:full]
        for _ in range(TILE_HEIGHT):
            added = parents(added)
        level += 1
    return tiles


class _At:
    """The hashes of the log as it was at one size. Each tile is read once."""

    def __init__(self, reader: HashReader, size: int) -> None:
        self._reader = reader
        self._size = size
        self._tiles: dict[tuple[int, int], bytes] = {}

    def hashes(self, nodes: Sequence[Node]) -> list[bytes]:
        """The hashes of nodes that lie within the size."""
        return [self._hash(node) for node in nodes]

    def edge(self, level: int) -> bytes:
        """The hashes of the partial tile with which a level ends; empty where it ends with none."""
        ended = self._size >> level * TILE_HEIGHT
        return self._tile(level, ended >> TILE_HEIGHT) if ended % TILE_WIDTH else b""

    def _hash(self, node: Node) -> bytes:
        level, height = divmod(node.height, TILE_HEIGHT)
        first = node.number << height
        start = first % TILE_WIDTH * HASH_BYTES
        packed = self._tile(level, first >> TILE_HEIGHT)
        return perfect_root(packed[start : start + (HASH_BYTES << height)])

    def _tile(self, level: int, number: int) -> bytes:
        found = self._tiles.get((level, number))
        if found is None:
            found = self._tiles[level, number] = self._read(level, number)
        return found

    def _read(self, level: int, number: int) -> bytes:
        """The part of a tile that was there at the size; it may have grown since."""
        width = min((self._size >> level * TILE_HEIGHT) - number * TILE_WIDTH, TILE_WIDTH)
        if level == 0 and width < TILE_WIDTH:
            return self._ragged_edge(number * TILE_WIDTH)
        hashes = self._reader.tile(level, number)
        if hashes is None:
            raise MissingHashes(f"tile {number} of level {level} is missing")
        if len(hashes) % HASH_BYTES or not width * HASH_BYTES <= len(hashes) <= TILE_BYTES:
            raise MissingHashes(
                f"tile {number} of level {level} has {len(hashes)} bytes"
                f" where at least {width} hashes are needed"
            )
        return hashes[: width * HASH_BYTES]

    def _ragged_edge(self, first: int) -> bytes:
        leaves = self._reader.leaves(first, self._size)
        check_hashes(leaves)
        if len(leaves) != self._size - first:
            raise MissingHashes(
                f"{len(leaves)} leaves were read from index {first}"
                f" where {self._size - first} are needed"
            )
        return b"".join(leaves)
