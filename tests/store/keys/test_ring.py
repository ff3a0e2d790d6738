"""Keys by name: made once, found again, the same for everyone who asks."""

import stat
from pathlib import Path

import pytest

from store.errors import StoreError
from store.keys import vault as vault_module
from store.keys.errors import KeyEncryptionMissing, KeysErased, WrongKeyEncryption
from store.keys.ring import KeyRing
from store.keys.sources import FileSource
from tests.store.keys.making import (
    ENCRYPTION,
    NOON,
    OTHER,
    ask,
    bytes_of_all_files,
    create,
    given,
    reopen,
    sign,
)


def test_keys_are_made_once_and_found_again(ring: KeyRing, path: Path) -> None:
    made = ring.ensure(["person:a", "deal:d"])
    assert set(made) == {"person:a", "deal:d"}
    assert {len(key) for key in made.values()} == {32}
    assert made["person:a"] != made["deal:d"]
    assert ring.ensure(["deal:d", "person:a"]) == made
    assert ring.find(["person:a"]) == {"person:a": made["person:a"]}
    with reopen(path) as again:
        assert again.find(made) == made
        assert again.ensure(made) == made


def test_names_given_twice_are_one(ring: KeyRing) -> None:
    made = ring.ensure(["person:a", "person:a"])
    assert list(made) == ["person:a"]
    assert ring.ensure(["person:a", "person:a"]) == made
    assert ring.find(["person:a", "person:a", "person:b"]) == made


def test_finding_makes_nothing(ring: KeyRing, path: Path) -> None:
    assert ring.find(["person:a"]) == {}
    assert ring.find([]) == {}
    assert ring.ensure([]) == {}
    assert ask(path, "SELECT count(*) FROM keys") == [(0,)]
    made = ring.ensure(["person:a"])
    assert ring.find(["person:a"]) == made


def test_what_another_ring_made_is_found_at_once(ring: KeyRing, path: Path) -> None:
    with reopen(path) as other:
        assert ring.find(["person:a"]) == {}
        made = other.ensure(["person:a"])
        before = ring.generation
        assert ring.find(["person:a"]) == made
        assert ring.generation == before


def test_only_missing_keys_are_made(ring: KeyRing) -> None:
    first = ring.ensure(["person:b"])
    both = ring.ensure(["person:a", "person:b"])
    assert both["person:b"] == first["person:b"]


def test_nothing_is_made_beside_an_erased_name(ring: KeyRing) -> None:
    ring.begin_erasure(["person:a"], "a")
    with pytest.raises(KeysErased, match="person:a was erased") as caught:
        ring.ensure(["person:a", "person:b"])
    assert caught.value.names == ("person:a",)
    assert ring.find(["person:a", "person:b"]) == {}


def test_any_number_of_names_is_found(ring: KeyRing, path: Path) -> None:
    names = [f"person:{number}" for number in range(1_201)]
    made = ring.ensure(names)
    assert len(set(made.values())) == 1_201
    with reopen(path) as again:
        assert again.find(names) == made


def test_memory_stays_bounded(ring: KeyRing, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vault_module, "WARM_KEYS", 3)
    names = [f"person:{number}" for number in range(10)]
    made = ring.ensure(names)
    assert list(ring._vault.keys) == names[-3:]
    assert ring.find(names) == made
    assert len(ring._vault.keys) == 3
    ring.find([f"deal:{number}" for number in range(2)])
    ring.find([f"deal:{number}" for number in range(2, 4)])
    assert len(ring._vault.absent) <= 3


def test_a_warm_key_is_answered_from_memory(ring: KeyRing, monkeypatch: pytest.MonkeyPatch) -> None:
    made = ring.ensure(["person:a"])
    ring.find(["person:b"])
    monkeypatch.delattr(KeyRing, "_load")
    assert ring.find(["person:a", "person:b"]) == made
    assert ring.ensure(["person:a"]) == made
    with pytest.raises(AttributeError):
        ring.find(["person:c"])


def test_a_key_of_no_kind_is_a_mistake(ring: KeyRing) -> None:
    for name in ("person", ":a", "person:"):
        with pytest.raises(AssertionError):
            ring.ensure([name])


def test_names_are_not_in_the_file(ring: KeyRing, path: Path) -> None:
    ring.ensure(["person:a-telling-name", "deal:another-one"])
    content = bytes_of_all_files(path.parent)
    assert b"telling" not in content
    assert b"another" not in content


# The key-encryption key.


def test_another_key_encryption_key_is_refused_by_id(path: Path) -> None:
    create(path).close()
    with pytest.raises(WrongKeyEncryption) as caught:
        reopen(path, given(OTHER))
    assert ENCRYPTION.id in caught.value.message
    assert OTHER.id in caught.value.message
    assert "cannot be read" in caught.value.advice


def test_a_missing_key_file_is_told(path: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyEncryptionMissing):
        create(path, FileSource(tmp_path / "x.key"))
    assert not path.exists()
    create(path).close()
    with pytest.raises(KeyEncryptionMissing, match="Restore the key file"):
        reopen(path, FileSource(tmp_path / "x.key"))


# Fingerprints.


def test_fingerprints_are_of_one_store(path: Path, ring: KeyRing) -> None:
    first = ring.fingerprint(b"data")
    assert len(first) == 32
    assert ring.fingerprint(b"data") == first != ring.fingerprint(b"date")
    with reopen(path) as again, create(path.with_name("y.keys.db")) as other:
        assert again.fingerprint(b"data") == first
        assert other.fingerprint(b"data") != first


# Description and copies.


def test_the_summary_counts_and_holds_no_key(ring: KeyRing) -> None:
    made = ring.ensure(["person:a", "person:b", "deal:d"])
    ring.begin_erasure(["person:a"], "a")
    ring.begin_erasure(["person:c"], "c")
    ring.finish_erasure("a")
    ring.add_signing_key("dealstate/s")
    summary = ring.describe()
    assert summary.store_id == ring.id
    assert summary.encryption_id == ENCRYPTION.id
    assert summary.created_at == NOON
    assert summary.keys == {"deal": 1, "person": 1}
    assert (summary.erasures_pending, summary.given_up) == (1, 0)
    assert summary.erased_hashes == 4
    assert [key.name for key in summary.signing_keys] == ["dealstate/s"]
    assert not any(str(key) in repr(summary) for key in made.values())


def test_a_copy_opens_and_is_private(ring: KeyRing, path: Path) -> None:
    made = ring.ensure(["person:a"])
    ring.add_signing_key("s")
    copy = path.with_name("copy.db")
    ring.copy_to(copy)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    ring.ensure(["person:later"])
    content = copy.read_bytes()
    assert not any(key in content for key in made.values())
    with reopen(copy) as again:
        assert again.find(["person:a", "person:later"]) == made
        assert again.id == ring.id
        assert again.fingerprint(b"x") == ring.fingerprint(b"x")
        assert sign(again, "x") == sign(ring, "x")


def test_a_copy_is_never_made_over_a_file(ring: KeyRing, path: Path) -> None:
    with pytest.raises(StoreError, match="is there already"):
        ring.copy_to(path)
    with pytest.raises(StoreError, match="cannot be made"):
        ring.copy_to(path.parent / "nowhere" / "copy")
    assert ring.ensure(["person:a"])


def test_a_copy_that_fails_leaves_nothing(
    ring: KeyRing, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError("no room")

    monkeypatch.setattr("store.keys.ring.os.fsync", fail)
    with pytest.raises(OSError, match="no room"):
        ring.copy_to(path.with_name("copy.db"))
    assert [each.name for each in path.parent.iterdir()] == [path.name]
