"""Signing keys: the newest signs, all stay known, and none is handed out."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from store.errors import StoreError
from store.keys.errors import KeysDamaged
from store.keys.ring import KeyRing
from store.keys.signing import Signed
from tests.store.keys.making import NOON, OTHER, ask, create, given, reopen, sign


def test_the_newest_key_signs(path: Path) -> None:
    moments = iter([NOON, NOON + timedelta(days=1)])
    create(path).close()
    with KeyRing.open(path, given(), lambda: next(moments)) as ring:
        first = ring.add_signing_key("dealstate/one")
        assert sign(ring, "m").key == first
        second = ring.add_signing_key("dealstate/two")
        signed = sign(ring, "m")
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
        sign(ring, "m")


def test_signing_keys_stay_after_reopening_and_rotation(ring: KeyRing, path: Path) -> None:
    ring.add_signing_key("s")
    signed = sign(ring, "m")
    ring.rotate(OTHER)
    assert sign(ring, "m") == signed
    with reopen(path, given(OTHER)) as again:
        assert sign(again, "m") == signed
        assert again.signing_keys() == ring.signing_keys()


def test_another_process_signs_with_the_newest_key_too(ring: KeyRing, path: Path) -> None:
    ring.add_signing_key("s")
    with reopen(path) as other:
        sign(other, "m")
        newest = ring.add_signing_key("s")
        assert sign(other, "m").key == newest


def test_a_damaged_signing_key_is_told(ring: KeyRing, path: Path) -> None:
    ring.add_signing_key("s")
    ask(path, "UPDATE signing_keys SET wrapped = zeroblob(60)")
    with reopen(path) as again, pytest.raises(KeysDamaged):
        sign(again, "m")


def test_times_of_other_zones_are_kept_in_utc(path: Path) -> None:
    create(path).close()
    late = datetime.fromisoformat("2026-03-04T14:00:00+02:00")
    with KeyRing.open(path, given(), lambda: late) as ring:
        assert ring.add_signing_key("s").since == NOON
        assert ask(path, "SELECT since FROM signing_keys") == [("2026-03-04T12:00:00.000000Z",)]


# What was signed last.


def test_what_was_signed_last_is_remembered(ring: KeyRing, path: Path) -> None:
    ring.add_signing_key("s")
    assert ring.signed_last() is None
    asked: list[Signed] = []
    five, three = Signed(5, bytes(range(32))), Signed(3, b"3" * 32)
    ring.sign_checkpoint(five, "five", asked.append)
    ring.sign_checkpoint(three, "three", asked.append)
    assert asked == [five]
    with reopen(path) as again:
        assert again.signed_last() == five
        again.set_signed(three)
    assert ring.signed_last() == three


def test_what_contradicts_what_was_signed_last_is_not_signed(ring: KeyRing) -> None:
    ring.add_signing_key("s")
    sign(ring, "five", 5)
    told = Signed(6, b"6" * 32)

    def refuse(last: Signed) -> None:
        raise StoreError(f"does not extend {last.size}", "Look.")

    with pytest.raises(StoreError, match="does not extend 5"):
        ring.sign_checkpoint(told, "six", refuse)
    assert ring.signed_last() == Signed(5, bytes(32))


def test_a_copy_may_know_of_less(ring: KeyRing, path: Path) -> None:
    ring.add_signing_key("s")
    sign(ring, "five", 5)
    three = Signed(3, b"3" * 32)
    ring.copy_to(path.with_name("whole"))
    ring.copy_to(path.with_name("part"), three)
    for name, known in (("whole", Signed(5, bytes(32))), ("part", three)):
        with reopen(path.with_name(name)) as copy:
            assert copy.signed_last() == known
    assert sorted(each.name for each in path.parent.iterdir()) == ["part", "whole", path.name]


@pytest.mark.parametrize("told", ["", "x", "5", "5 00", "5 zz", f"5x {'00' * 32}"])
def test_damage_to_what_was_signed_last_is_told(ring: KeyRing, path: Path, told: str) -> None:
    ring.add_signing_key("s")
    ask(path, f"INSERT INTO properties VALUES ('signed', '{told}')")
    with pytest.raises(KeysDamaged, match="what was signed last"):
        ring.signed_last()
    with pytest.raises(KeysDamaged):
        sign(ring, "m")


@pytest.mark.parametrize(
    "change",
    ["since = 'x'", "since = x'00'", "until = '?'", "public = x'00'", "name = x'00'"],
)
def test_a_damaged_row_of_a_signing_key_is_told(ring: KeyRing, path: Path, change: str) -> None:
    ring.add_signing_key("s")
    ask(path, f"UPDATE signing_keys SET {change}")
    for use in (ring.signing_keys, ring.describe, lambda: sign(ring, "m")):
        with pytest.raises(KeysDamaged, match="signing key"):
            use()
