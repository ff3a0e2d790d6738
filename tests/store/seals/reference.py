"""The Merkle tree as RFC 9162 section 2.1 defines it, word for word, and logs to test with."""

from collections.abc import Sequence
from hashlib import sha256

from store.seals.tiles import Tile, new_tiles


def mth(leaves: Sequence[bytes]) -> bytes:
    """Merkle tree hash of leaf hashes, section 2.1.1."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def split(n: int) -> int:
    """The largest power of two smaller than n."""
    k = 1
    while 2 * k < n:
        k *= 2
    return k


def path(m: int, leaves: Sequence[bytes]) -> list[bytes]:
    """The inclusion proof of leaf m, section 2.1.3.1."""
    n = len(leaves)
    if n == 1:
        return []
    k = split(n)
    if m < k:
        return [*path(m, leaves[:k]), mth(leaves[k:])]
    return [*path(m - k, leaves[k:]), mth(leaves[:k])]


def proof(m: int, leaves: Sequence[bytes]) -> list[bytes]:
    """The consistency proof from the first m leaves, section 2.1.4.1."""
    return subproof(m, leaves, complete=True)


def subproof(m: int, leaves: Sequence[bytes], *, complete: bool) -> list[bytes]:
    n = len(leaves)
    if m == n:
        return [] if complete else [mth(leaves)]
    k = split(n)
    if m <= k:
        return [*subproof(m, leaves[:k], complete=complete), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], complete=False), mth(leaves[:k])]


def some_leaves(count: int) -> list[bytes]:
    """Leaf hashes, all different and always the same."""
    return [sha256(b"\x00" + number.to_bytes(8, "big")).digest() for number in range(count)]


class MemoryLog:
    """A log's hashes in memory, kept as the tiles say, and what was read of them."""

    def __init__(self) -> None:
        self.stored: dict[tuple[int, int], bytes] = {}
        self.kept: list[bytes] = []
        self.reads: list[tuple[int, int] | str] = []

    def tile(self, level: int, number: int) -> bytes | None:
        self.reads.append((level, number))
        return self.stored.get((level, number))

    def leaves(self, first: int, last: int) -> Sequence[bytes]:
        self.reads.append(f"leaves {first}-{last}")
        return self.kept[first:last]

    def add(self, leaves: Sequence[bytes]) -> list[Tile]:
        written = new_tiles(self, len(self.kept), leaves)
        for tile in written:
            self.stored[tile.level, tile.number] = tile.hashes
        self.kept.extend(leaves)
        return written


def log_of(leaves: Sequence[bytes]) -> MemoryLog:
    log = MemoryLog()
    log.add(leaves)
    log.reads.clear()
    return log
