"""Signing keys: the newest signs, all stay known, and none is handed out."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from store.errors import StoreError
from store.keys.errors import KeysDamaged
from store.keys.ring import KeyRing
from tests.store.keys.making import NOON, OTHER, ask, create, given, reopen


def test_the_newest_key_signs(path: Path) -> None:
    moments = iter([NOON, NOON + timedelta(days=1)])
    create(path).close()
    with KeyRing.open(path, given(), lambda: next(moments)) as ring:
        first = ring.add_signing_key("dealstate/one")
        assert ring.sign(b"m").key == first
        second = ring.add_signing_key("dealstate/two")
        signed = ring.sign(b"m")
        assert signed.key == second
        Ed25519PublicKey.from_public_bytes(second.public).verify(signed.value, b"m")
        with pytest.raises(InvalidSignature):
            Ed25519PublicKey.from_public_bytes(second.public).verify(signed.value, b"n")
        old, new = ring.signing_keys()
    assert (old.name, old.since, old.until) == ("dealstate/one", NOON, NOON + timedelta(days=1))
    assert (new.name, new.since, new.until) == ("dealstate/two", NOON + timedelta(days=1), None)
    assert new.since.tzinfo is UTC


def test_without_a_key_nothing_is_signed(ring: KeyRing) -> None:
    assert ring.signing_keys() == ()
    with pytest.raises(StoreError, match="has no signing key"):
        ring.sign(b"m")


def test_signing_keys_stay_after_reopening_and_rotation(ring: KeyRing, path: Path) -> None:
    ring.add_signing_key("s")
    signed = ring.sign(b"m")
    ring.rotate(OTHER)
    assert ring.sign(b"m") == signed
    with reopen(path, given(OTHER)) as again:
        assert again.sign(b"m") == signed
        assert again.signing_keys() == ring.signing_keys()


def test_another_process_signs_with_the_newest_key_too(ring: KeyRing, path: Path) -> None:
    ring.add_signing_key("s")
    with reopen(path) as other:
        other.sign(b"m")
        newest = ring.add_signing_key("s")
        assert other.sign(b"m").key == newest


def test_a_damaged_signing_key_is_told(ring: KeyRing, path: Path) -> None:
    ring.add_signing_key("s")
    ask(path, "UPDATE signing_keys SET wrapped = zeroblob(60)")
    with reopen(path) as again, pytest.raises(KeysDamaged):
        again.sign(b"m")


def test_times_of_other_zones_are_kept_in_utc(path: Path) -> None:
    create(path).close()
    late = datetime.fromisoformat("2026-03-04T14:00:00+02:00")
    with KeyRing.open(path, given(), lambda: late) as ring:
        assert ring.add_signing_key("s").since == NOON
        assert ask(path, "SELECT since FROM signing_keys") == [("2026-03-04T12:00:00.000000Z",)]
