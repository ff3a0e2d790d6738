"""Rotation: every key wrapped anew or none, and nothing else changed."""

from pathlib import Path

import pytest

from store.keys import rotation
from store.keys.errors import KeysDamaged, WrongKeyEncryption
from store.keys.ring import KeyRing
from store.keys.vault import Vault
from tests.store.keys.making import (
    ENCRYPTION,
    OTHER,
    Crash,
    ask,
    crash,
    crash_at,
    given,
    reopen,
    sign,
)

NAMES = [f"person:{number}" for number in range(7)]


def all_wrapped(path: Path) -> list[bytes]:
    query = (
        "SELECT wrapped FROM keys UNION ALL SELECT wrapped FROM store_keys"
        " UNION ALL SELECT wrapped FROM signing_keys"
    )
    return [wrapped for (wrapped,) in ask(path, query)]


def test_every_key_is_wrapped_anew_and_stays_the_same(ring: KeyRing, path: Path) -> None:
    made = ring.ensure(NAMES)
    ring.add_signing_key("s")
    ring.begin_erasure(["person:x"], "x")
    told = ring.fingerprint(b"d"), sign(ring, "m"), ring.erased_hashes(), ring.pending_erasures()
    before, generation = all_wrapped(path), ring.generation
    assert len(before) == 10
    ring.rotate(OTHER)
    assert ring.generation > generation
    assert ring.encryption_id == ring.describe().encryption_id == OTHER.id
    content = path.read_bytes()
    assert not any(wrapped in content for wrapped in before)
    for again in (ring, reopen(path, given(OTHER))):
        with again:
            assert again.find(NAMES) == made
            assert told == (
                again.fingerprint(b"d"),
                sign(again, "m"),
                again.erased_hashes(),
                again.pending_erasures(),
            )
    with pytest.raises(WrongKeyEncryption):
        reopen(path)


def test_progress_is_told(ring: KeyRing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotation, "_ROWS_AT_ONCE", 3)
    ring.ensure(NAMES)
    steps: list[tuple[int, int]] = []
    ring.rotate(OTHER, lambda done, total: steps.append((done, total)))
    assert steps == [(0, 9), (2, 9), (5, 9), (8, 9), (9, 9)]


@pytest.mark.parametrize("step", [0, 2, 9])
def test_a_rotation_that_stops_changes_nothing(ring: KeyRing, path: Path, step: int) -> None:
    made = ring.ensure(NAMES)
    before = all_wrapped(path)

    def stop(done: int, total: int) -> None:
        if done == step:
            crash()

    with pytest.raises(Crash):
        ring.rotate(OTHER, stop)
    assert all_wrapped(path) == before
    assert ring.encryption_id == ENCRYPTION.id
    assert ring.ensure(["person:new"])
    with reopen(path) as again:
        assert again.find(NAMES) == made


def test_a_crash_after_the_commit_has_rotated(ring: KeyRing, path: Path) -> None:
    made = ring.ensure(NAMES)

    with crash_at(Vault, "scrub_everything"):
        ring.rotate(OTHER)
    assert ring.find(NAMES) == made
    with reopen(path, given(OTHER)) as again:
        assert again.find(NAMES) == made
    assert ask(path, "SELECT count(*) FROM properties WHERE name LIKE 'unscrubbed%'") == [(0,)]


def test_a_damaged_key_stops_the_rotation(ring: KeyRing, path: Path) -> None:
    ring.ensure(NAMES)
    ask(path, "UPDATE keys SET wrapped = zeroblob(60) WHERE id = 4")
    with pytest.raises(KeysDamaged):
        ring.rotate(OTHER)
    assert ring.encryption_id == ENCRYPTION.id


def test_a_ring_without_the_new_key_says_so_and_answers_nothing(ring: KeyRing, path: Path) -> None:
    made = ring.ensure(NAMES)
    with reopen(path) as other:
        assert other.find(NAMES) == made
        ring.rotate(OTHER)
        for _ in range(2):
            with pytest.raises(WrongKeyEncryption):
                other.find(NAMES)
            with pytest.raises(WrongKeyEncryption):
                other.ensure(["person:new"])
        ring.rotate(ENCRYPTION)
        assert other.find(NAMES) == made
