"""Roots and proofs from tiles are those of the plain tree, at every size that the log ever had."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.seals import merkle, tiles
from store.seals.merkle import Node, ProofError, verify_consistency, verify_inclusion
from store.seals.tiles import MissingHashes, Tile, new_tiles
from tests.store.seals.reference import MemoryLog, log_of, mth, path, proof, some_leaves

LARGEST = 65_537 + 300
LEAVES = some_leaves(LARGEST)
LOG = log_of(LEAVES)

EDGES = [
    *range(5), 127, 128, 129, 254, 255, 256, 257, 258, 511, 512, 513, 1023, 1024, 1025,
    65_279, 65_280, 65_281, 65_534, 65_535, 65_536, 65_537, 65_538, 65_792, LARGEST,
]  # fmt: skip


@pytest.mark.parametrize("size", EDGES)
def test_the_root_at_an_edge_is_that_of_the_plain_tree(size: int) -> None:
    expected = mth(LEAVES[:size])
    assert tiles.root(LOG, size) == expected
    assert tiles.root(log_of(LEAVES[:size]), size) == expected


@pytest.mark.parametrize("size", [255, 256, 257, 65_535, 65_536, 65_537])
def test_proofs_at_an_edge_are_those_of_the_plain_tree(size: int) -> None:
    log = log_of(LEAVES[:size])
    for index in {0, 1, 254, 255 % size, 256 % size, size // 2, size - 2, size - 1}:
        expected = path(index, LEAVES[:size])
        assert tiles.inclusion_proof(log, index, size) == expected
        assert tiles.inclusion_proof(LOG, index, size) == expected
    for old in {1, 2, 254, 255, min(256, size), size // 2, size - 1, size}:
        expected = proof(old, LEAVES[:size])
        assert tiles.consistency_proof(log, old, size) == expected
        assert tiles.consistency_proof(LOG, old, size) == expected


@given(size=st.integers(1, LARGEST), data=st.data())
def test_proofs_at_any_earlier_size_verify(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    old = data.draw(st.integers(1, size))
    root = tiles.root(LOG, size)
    verify_inclusion(index, size, LEAVES[index], tiles.inclusion_proof(LOG, index, size), root)
    old_root = tiles.root(LOG, old)
    verify_consistency(old, size, tiles.consistency_proof(LOG, old, size), old_root, root)


@given(
    steps=st.lists(st.integers(0, 700), max_size=8),
    seed=st.integers(0, 2**32),
)
def test_however_the_log_grew_its_tiles_are_the_same(steps: list[int], seed: int) -> None:
    log = MemoryLog()
    for step in steps:
        log.add(LEAVES[len(log.kept) : len(log.kept) + step])
    size = len(log.kept)
    assert log.stored == log_of(LEAVES[:size]).stored
    old = random.Random(seed).randint(0, size)
    assert tiles.root(log, old) == mth(LEAVES[:old])


def test_growing_one_by_one_over_many_tiles_keeps_every_root() -> None:
    log = MemoryLog()
    for size in range(1, 1100):
        log.add([LEAVES[size - 1]])
        if size % 256 in {0, 1, 2, 100, 255}:
            assert tiles.root(log, size) == mth(LEAVES[:size])


def test_tiles_hold_what_tlog_tiles_says() -> None:
    """The example of the specification: 70,000 entries in tiles of given widths."""
    stored = log_of(some_leaves(70_000)).stored
    widths = {place: len(hashes) // 32 for place, hashes in stored.items()}
    level_0 = {place for place in widths if place[0] == 0}
    assert level_0 == {(0, number) for number in range(273)}
    assert {widths[place] for place in level_0} == {256}
    assert {place: width for place, width in widths.items() if place[0]} == {
        (1, 0): 256,
        (1, 1): 17,
        (2, 0): 1,
    }


def test_the_hashes_of_a_tile_are_the_roots_of_full_tiles_below() -> None:
    assert LOG.stored[0, 3] == b"".join(LEAVES[768:1024])
    assert LOG.stored[1, 0][64:96] == mth(LEAVES[512:768])
    assert LOG.stored[2, 0] == mth(LEAVES[:65_536])
    assert LOG.stored[1, 1] == mth(LEAVES[65_536:65_792])


@pytest.mark.parametrize("size", [1, 255, 300, 65_537])
def test_a_leaf_in_the_middle_of_a_tile_reads_and_writes_nothing(size: int) -> None:
    log = log_of(LEAVES[: size - 1])
    assert log.add([LEAVES[size - 1]]) == []
    assert log.reads == []


def test_a_leaf_that_fills_a_tile_writes_it_and_those_above() -> None:
    log = log_of(LEAVES[:511])
    assert log.add([LEAVES[511]]) == [
        Tile(0, 1, b"".join(LEAVES[256:512])),
        Tile(1, 0, mth(LEAVES[:256]) + mth(LEAVES[256:512])),
    ]
    assert log.reads == ["leaves 256-511", (1, 0)]


@pytest.mark.parametrize(("size", "count"), [(511, 1), (300, 900), (65_000, 1_000), (0, 600)])
def test_the_tiles_to_write_do_not_depend_on_what_came_later(size: int, count: int) -> None:
    """A log that holds the leaves already, and more, is read as it was before them."""
    added = LEAVES[size : size + count]
    assert new_tiles(LOG, size, added) == new_tiles(log_of(LEAVES[:size]), size, added) != []


def test_no_leaves_write_nothing() -> None:
    assert new_tiles(log_of(LEAVES[:256]), 256, []) == []


def test_a_proof_reads_few_tiles_each_once() -> None:
    log = log_of(LEAVES)
    tiles.inclusion_proof(log, 12_345, LARGEST)
    first = LARGEST - LARGEST % 256
    assert len(log.reads) == len(set(log.reads)) <= 5
    assert set(log.reads) == {(0, 48), (1, 0), (1, 1), f"leaves {first}-{LARGEST}"}


def test_no_hash_is_made_twice_for_a_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[int] = []
    plain = merkle.perfect_root

    def counted(packed: bytes) -> bytes:
        hashed.append(len(packed) // 32 - 1)
        return plain(packed)

    monkeypatch.setattr(tiles, "perfect_root", counted)
    tiles.inclusion_proof(LOG, 777, LARGEST)
    # Two levels of tiles beside the path, less than 256 hashes each, and the edge of each.
    assert 0 < sum(hashed) < 4 * 256


@pytest.mark.parametrize("lost", [(0, 3), (1, 0), (2, 0)])
def test_a_missing_tile_is_named(lost: tuple[int, int]) -> None:
    log = log_of(LEAVES)
    del log.stored[lost]
    with pytest.raises(MissingHashes, match=f"tile {lost[1]} of level {lost[0]} is missing"):
        tiles.inclusion_proof(log, 800, LARGEST) and tiles.root(log, 65_536)


@pytest.mark.parametrize("length", [0, 31, 32, 8191, 8192 + 32])
def test_a_tile_of_another_length_is_refused(length: int) -> None:
    log = log_of(LEAVES[:1000])
    log.stored[0, 0] = (log.stored[0, 0] * 2)[:length]
    with pytest.raises(MissingHashes, match="tile 0 of level 0 has"):
        tiles.inclusion_proof(log, 5, 1000)


def test_a_size_that_the_log_has_not_reached_is_refused() -> None:
    log = log_of(LEAVES[:300])
    for size in (301, 512, 513, 70_000):
        with pytest.raises(MissingHashes):
            tiles.root(log, size)


def test_leaves_of_another_length_are_refused() -> None:
    log = log_of(LEAVES[:10])
    with pytest.raises(ProofError, match="32 bytes"):
        new_tiles(log, 10, [b"short"])
    log.kept[3] = b"short"
    with pytest.raises(ProofError, match="32 bytes"):
        tiles.root(log, 10)


def test_a_node_of_any_height_is_read_from_its_level() -> None:
    def read(nodes: list[Node]) -> list[bytes]:
        return [mth(LEAVES[number << height : (number + 1) << height]) for height, number in nodes]

    for size in (65_536, 65_536 + 256, 40_000):
        assert tiles.root(LOG, size) == merkle.root(size, lambda nodes: read(list(nodes)))
