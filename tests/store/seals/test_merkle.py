"""Roots and proofs agree with the RFC, with an independent library, and with published vectors."""

import base64
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pymerkle  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.seals import merkle
from store.seals.merkle import (
    EMPTY_ROOT,
    Node,
    ProofError,
    ReadHashes,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)
from tests.shared_data import SHARED, vectors
from tests.store.seals.reference import mth, path, proof, some_leaves

VECTORS = sorted((SHARED / "vectors" / "rfc9162").rglob("*.json"))
sizes = st.integers(1, 300)


def reading(leaves: Sequence[bytes]) -> ReadHashes:
    """The hashes of nodes, each computed from its leaves."""

    def read(nodes: Sequence[Node]) -> list[bytes]:
        return [mth(leaves[number << height : (number + 1) << height]) for height, number in nodes]

    return read


@pytest.mark.parametrize("file", VECTORS, ids=lambda file: "/".join(file.parts[-3:]))
def test_a_published_vector_verifies_or_fails_as_it_says(file: Path) -> None:
    vector: dict[str, Any] = json.loads(file.read_bytes())

    def verify() -> None:
        hashes = [base64.b64decode(one) for one in vector["proof"] or []]
        if "leafIdx" in vector:
            leaf, root = (base64.b64decode(vector[name] or "") for name in ("leafHash", "root"))
            verify_inclusion(vector["leafIdx"], vector["treeSize"], leaf, hashes, root)
        else:
            roots = [base64.b64decode(vector[name] or "") for name in ("root1", "root2")]
            verify_consistency(vector["size1"], vector["size2"], hashes, *roots)

    if vector["wantErr"]:
        with pytest.raises(ProofError):
            verify()
    else:
        verify()


def test_all_vectors_were_found() -> None:
    assert len(list(vectors("rfc9162").rglob("*.json"))) == len(VECTORS) > 190


def test_a_leaf_and_a_node_are_hashed_apart() -> None:
    assert (
        leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    )
    left, right = some_leaves(2)
    assert merkle.node_hash(left, right) == merkle.perfect_root(left + right) == mth([left, right])
    assert merkle.node_hash(left, right) != leaf_hash(left + right)
    assert merkle.root(0, reading([])) == EMPTY_ROOT == mth([])


@given(size=sizes, data=st.data())
def test_roots_and_proofs_are_those_of_the_rfc(size: int, data: st.DataObject) -> None:
    leaves = some_leaves(size)
    index = data.draw(st.integers(0, size - 1))
    old = data.draw(st.integers(1, size))
    read = reading(leaves)
    root = merkle.root(size, read)
    assert root == mth(leaves)
    inclusion = merkle.inclusion_proof(index, size, read)
    assert inclusion == path(index, leaves)
    consistency = merkle.consistency_proof(old, size, read)
    assert consistency == proof(old, leaves)
    verify_inclusion(index, size, leaves[index], inclusion, root)
    verify_consistency(old, size, consistency, mth(leaves[:old]), root)


@given(entries=st.lists(st.binary(max_size=8), min_size=1, max_size=70), data=st.data())
def test_pymerkle_agrees(entries: list[bytes], data: st.DataObject) -> None:
    size = len(entries)
    index = data.draw(st.integers(0, size - 1))
    old = data.draw(st.integers(1, size))
    theirs = pymerkle.InmemoryTree()
    theirs.append_entries(entries)
    read = reading([leaf_hash(entry) for entry in entries])
    assert merkle.root(size, read) == theirs.get_root()
    # Theirs begins with the leaf itself, which whoever checks a proof has already.
    inclusion = theirs.prove_inclusion(index + 1, size).path
    assert merkle.inclusion_proof(index, size, read) == inclusion[1:]
    theirs.prove_inclusion(index + 1, size).verify(
        leaf_hash(entries[index]), merkle.root(size, read)
    )
    # Their consistency proofs hold other hashes than the RFC's where the old tree is a subtree of
    # the new one, so each side's proof is verified against the roots of the other.
    old_root, root = theirs.get_root(old), theirs.get_root(size)
    verify_consistency(old, size, merkle.consistency_proof(old, size, read), old_root, root)
    theirs.prove_consistency(old, size).verify(merkle.root(old, read), merkle.root(size, read))


@given(size=st.integers(2, 40), data=st.data())
def test_nothing_else_verifies(size: int, data: st.DataObject) -> None:
    """A proof with another index, size, leaf or hash, or one hash more or less, is refused."""
    leaves = some_leaves(size)
    index = data.draw(st.integers(0, size - 1))
    root, inclusion = mth(leaves), path(index, leaves)
    other = data.draw(st.integers(0, size - 1).filter(lambda one: one != index))
    bit = data.draw(st.integers(0, 32 * 8 - 1))
    place = data.draw(st.integers(0, len(inclusion) - 1))
    changed = [*inclusion]
    changed[place] = flipped(changed[place], bit)
    wrong: list[tuple[int, int, bytes, list[bytes], bytes]] = [
        (other, size, leaves[index], inclusion, root),
        (index, size, leaves[other], inclusion, root),
        (index, size, leaves[index], changed, root),
        (index, size, leaves[index], inclusion[:-1], root),
        (index, size, leaves[index], [*inclusion, root], root),
        (index, size, leaves[index], inclusion, flipped(root, bit)),
        (size, size, leaves[index], inclusion, root),
        (-1, size, leaves[index], inclusion, root),
    ]
    for arguments in wrong:
        with pytest.raises(ProofError):
            verify_inclusion(*arguments)


@given(size=st.integers(2, 40), data=st.data())
def test_no_other_history_is_consistent(size: int, data: st.DataObject) -> None:
    leaves = some_leaves(size)
    old = data.draw(st.integers(1, size - 1))
    bit = data.draw(st.integers(0, 32 * 8 - 1))
    hashes, old_root, root = proof(old, leaves), mth(leaves[:old]), mth(leaves)
    place = data.draw(st.integers(0, len(hashes) - 1))
    changed = [*hashes]
    changed[place] = flipped(changed[place], bit)
    for arguments in (
        (changed, old_root, root),
        (hashes[:-1], old_root, root),
        ([*hashes, root], old_root, root),
        (hashes, flipped(old_root, bit), root),
        (hashes, old_root, flipped(root, bit)),
    ):
        with pytest.raises(ProofError):
            verify_consistency(old, size, *arguments)


def flipped(content: bytes, bit: int) -> bytes:
    return bytes(byte ^ (1 << bit % 8 if place == bit // 8 else 0)
                 for place, byte in enumerate(content))  # fmt: skip


@pytest.mark.parametrize(("index", "size"), [(0, 0), (3, 3), (-1, 3), (4, 3)])
def test_there_is_no_proof_of_a_leaf_outside_the_tree(index: int, size: int) -> None:
    with pytest.raises(ProofError, match="has no leaf"):
        merkle.inclusion_proof(index, size, reading(some_leaves(5)))


@pytest.mark.parametrize(("old", "new"), [(0, 3), (4, 3), (-1, 3), (0, 0)])
def test_there_is_no_proof_between_such_sizes(old: int, new: int) -> None:
    with pytest.raises(ProofError, match="cannot be shown"):
        merkle.consistency_proof(old, new, reading(some_leaves(5)))


def test_a_tree_has_no_negative_size() -> None:
    with pytest.raises(ProofError, match="-1 leaves"):
        merkle.root(-1, reading([]))


@pytest.mark.parametrize("bad", [b"", b"a" * 31, b"a" * 33])
def test_hashes_of_other_lengths_are_refused(bad: bytes) -> None:
    leaves = some_leaves(2)
    for leaf, hashes, root in [
        (bad, [leaves[1]], mth(leaves)),
        (leaves[0], [bad], mth(leaves)),
        (leaves[0], [leaves[1]], bad),
    ]:
        with pytest.raises(ProofError, match="32 bytes"):
            verify_inclusion(0, 2, leaf, hashes, root)
        with pytest.raises(ProofError, match="32 bytes"):
            verify_consistency(1, 2, hashes, leaf, root)
    with pytest.raises(ProofError, match="32 bytes"):
        merkle.root(2, lambda nodes: [bad for _ in nodes])


def test_a_proof_of_another_length_is_told_so() -> None:
    leaves = some_leaves(6)
    root, old_root = mth(leaves), mth(leaves[:3])
    inclusion, consistency = path(2, leaves), proof(3, leaves)
    with pytest.raises(ProofError, match="too long"):
        verify_inclusion(2, 6, leaves[2], [*inclusion, root], root)
    with pytest.raises(ProofError, match="too short"):
        verify_inclusion(2, 6, leaves[2], inclusion[:-1], root)
    with pytest.raises(ProofError, match="too long"):
        verify_consistency(3, 6, [*consistency, root], old_root, root)
    with pytest.raises(ProofError, match="too short"):
        verify_consistency(3, 6, consistency[:-1], old_root, root)
    with pytest.raises(ProofError, match="is empty"):
        verify_consistency(3, 6, [], old_root, root)


def test_equal_sizes_are_shown_by_equal_roots_and_nothing_else() -> None:
    one, other = some_leaves(2)
    verify_consistency(5, 5, [], one, one)
    with pytest.raises(ProofError, match="different roots"):
        verify_consistency(5, 5, [], one, other)
    with pytest.raises(ProofError, match="not empty"):
        verify_consistency(5, 5, [one], one, one)


def test_a_reader_that_gives_too_few_hashes_is_noticed() -> None:
    with pytest.raises(ProofError, match="0 hashes were read where 2"):
        merkle.root(3, lambda _: [])
