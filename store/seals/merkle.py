"""Merkle trees as in RFC 9162 section 2.1, with SHA-256: roots, proofs, and their verification.

Theory of operation. A tree over leaves 0 … size-1 is never held as a whole.
Every range of leaves that a proof speaks of is a row of perfect subtrees, here
called nodes: node (height, number) is the root over the leaves
number·2^height … (number+1)·2^height - 1. Once those leaves are there its hash
never changes, whatever the tree grows to. So roots and proofs of any size are
made from node hashes alone. Which ones, follows from the sizes; a function
`ReadHashes` fetches them, all in one call.

Verification needs no tree and follows the algorithms of the RFC step by step.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256
from struct import iter_unpack
from typing import NamedTuple, TypeAlias

HASH_BYTES = 32

EMPTY_ROOT = sha256(b"").digest()
"""The root of the tree without leaves."""


class ProofError(Exception):
    """A proof does not hold, is malformed, or cannot be made."""


class Node(NamedTuple):
    """The perfect subtree over leaves number·2^height … (number+1)·2^height - 1."""

    height: int
    number: int


Range: TypeAlias = tuple[int, int]
"""Leaves from the first index up to, not including, the second."""

ReadHashes: TypeAlias = Callable[[Sequence[Node]], Sequence[bytes]]
"""The hashes of nodes, in their order."""


def leaf_hash(stored: bytes) -> bytes:
    """The leaf of an event's stored bytes."""
    return sha256(b"\x00" + stored).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash over two neighbouring subtrees."""
    return sha256(b"\x01" + left + right).digest()


def perfect_root(packed: bytes) -> bytes:
    """The root of a perfect subtree from its 2^k hashes of equal height, written one after another.

    The length is the caller's to check: it is called for every tile.
    """
    while len(packed) > HASH_BYTES:
        packed = parents(packed)
    return packed


def parents(packed: bytes) -> bytes:
    """The hashes one level up from an even number of hashes, written one after another."""
    return b"".join(
        [sha256(b"\x01" + pair).digest() for (pair,) in iter_unpack(f"{2 * HASH_BYTES}s", packed)]
    )


def check_hashes(hashes: Sequence[bytes]) -> None:
    """Raise ProofError unless every hash has 32 bytes."""
    if any(len(one) != HASH_BYTES for one in hashes):
        raise ProofError(f"a hash does not have {HASH_BYTES} bytes")


def root(size: int, read: ReadHashes) -> bytes:
    """The root of the tree over the first `size` leaves: MTH of RFC 9162 section 2.1.1."""
    if size < 0:
        raise ProofError(f"a tree cannot have {size} leaves")
    return _roots([(0, size)], read)[0] if size else EMPTY_ROOT


def inclusion_proof(index: int, size: int, read: ReadHashes) -> list[bytes]:
    """The hashes that lead from leaf `index` to the root of `size` leaves, section 2.1.3.1.

    Raises ProofError where the tree has no such leaf.
    """
    return _roots(_inclusion_ranges(index, size), read)


def consistency_proof(old: int, new: int, read: ReadHashes) -> list[bytes]:
    """The hashes that show the tree of `old` leaves to begin that of `new`, section 2.1.4.1.

    Raises ProofError unless 0 < old ≤ new.
    """
    return _roots(_consistency_ranges(old, new), read)


def _inclusion_ranges(index: int, size: int) -> list[Range]:
    if not 0 <= index < size:
        raise ProofError(f"a tree of {size} leaves has no leaf {index}")
    ranges = []
    first, last = 0, size
    while last - first > 1:
        middle = first + _left_width(last - first)
        if index < middle:
            ranges.append((middle, last))
            last = middle
        else:
            ranges.append((first, middle))
            first = middle
    return ranges[::-1]


def _consistency_ranges(old: int, new: int) -> list[Range]:
    _check_sizes(old, new)
    ranges = []
    first, last = 0, new
    while old != last:
        middle = first + _left_width(last - first)
        if old <= middle:
            ranges.append((middle, last))
            last = middle
        else:
            ranges.append((first, middle))
            first = middle
    # Whoever checks the proof has the old root already.
    if first:
        ranges.append((first, last))
    return ranges[::-1]


def _left_width(width: int) -> int:
    """The largest power of two below `width`: where the RFC splits a tree."""
    return 1 << (width - 1).bit_length() - 1


def _roots(ranges: Sequence[Range], read: ReadHashes) -> list[bytes]:
    """The roots of ranges that the RFC splits trees into."""
    rows = [_nodes(first, last) for first, last in ranges]
    hashes = read([node for row in rows for node in row])
    if len(hashes) != sum(map(len, rows)):
        raise ProofError(f"{len(hashes)} hashes were read where {sum(map(len, rows))} are needed")
    check_hashes(hashes)
    following = iter(hashes)
    return [_joined([next(following) for _ in row]) for row in rows]


def _nodes(first: int, last: int) -> list[Node]:
    """The row of nodes, wide ones first, that the leaves of a range are."""
    nodes = []
    while first < last:
        height = (last - first).bit_length() - 1
        assert first % (1 << height) == 0, "the RFC splits trees at powers of two"
        nodes.append(Node(height, first >> height))
        first += 1 << height
    return nodes


def _joined(row: list[bytes]) -> bytes:
    """The root over a row of ever narrower subtrees."""
    joined = row[-1]
    for left in reversed(row[:-1]):
        joined = node_hash(left, joined)
    return joined


def verify_inclusion(
    index: int, size: int, leaf: bytes, proof: Sequence[bytes], root_hash: bytes
) -> None:
    """Check that `leaf` is leaf `index` of the tree of `size` leaves, RFC 9162 section 2.1.3.2.

    Raises ProofError where it is not shown.
    """
    check_hashes([leaf, *proof, root_hash])
    if not 0 <= index < size:
        raise ProofError(f"a tree of {size} leaves has no leaf {index}")
    fn, sn = index, size - 1
    found = leaf
    for step in proof:
        if sn == 0:
            raise ProofError("the inclusion proof is too long")
        if fn & 1 or fn == sn:
            found = node_hash(step, found)
            fn, sn = _up_to_odd(fn, sn)
        else:
            found = node_hash(found, step)
        fn, sn = fn >> 1, sn >> 1
    if sn != 0:
        raise ProofError("the inclusion proof is too short")
    if found != root_hash:
        raise ProofError(f"the inclusion proof does not lead from leaf {index} to the root")


def verify_consistency(
    old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes
) -> None:
    """Check that the tree of `old` leaves begins that of `new`, RFC 9162 section 2.1.4.2.

    Nothing can be shown of an empty tree: every tree begins with it. Of trees of
    one size the roots are compared as they are, since nothing is hashed.
    Raises ProofError where consistency is not shown.
    """
    _check_sizes(old, new)
    if old == new:
        if proof:
            raise ProofError("the consistency proof of a tree with itself is not empty")
        if old_root != new_root:
            raise ProofError(f"two trees of {old} leaves have different roots")
        return
    if not proof:
        raise ProofError("the consistency proof is empty")
    check_hashes([*proof, old_root, new_root])
    path = proof if old & (old - 1) else [old_root, *proof]
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    found_old = found_new = path[0]
    for step in path[1:]:
        if sn == 0:
            raise ProofError("the consistency proof is too long")
        if fn & 1 or fn == sn:
            found_old, found_new = node_hash(step, found_old), node_hash(step, found_new)
            fn, sn = _up_to_odd(fn, sn)
        else:
            found_new = node_hash(found_new, step)
        fn, sn = fn >> 1, sn >> 1
    if sn != 0:
        raise ProofError("the consistency proof is too short")
    if found_old != old_root or found_new != new_root:
        raise ProofError(f"the tree of {new} leaves is not shown to extend that of {old}")


def _check_sizes(old: int, new: int) -> None:
    if not 0 < old <= new:
        raise ProofError(f"a tree of {new} leaves cannot be shown to extend one of {old}")


def _up_to_odd(fn: int, sn: int) -> Range:
    """Both numbers shifted alike until the first is odd or 0: levels without a right sibling."""
    while fn and not fn & 1:
        fn, sn = fn >> 1, sn >> 1
    return fn, sn
