"""Wrapping: what is wrapped opens under the same key and name, and under no other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.errors import StoreError
from store.keys.errors import CannotUnwrap, KeysDamaged
from store.keys.wrapping import AesKeyEncryption, KeyEncryption, Wrapping
from tests.store.keys.making import ENCRYPTION, OTHER

KEYS = st.binary(min_size=32, max_size=32)


@given(kek=KEYS, key=KEYS, name=st.text())
def test_what_is_wrapped_opens_again(kek: bytes, key: bytes, name: str) -> None:
    wrapped = AesKeyEncryption(kek).wrap(key, name)
    assert AesKeyEncryption(kek).unwrap(wrapped, name) == key
    assert key not in wrapped
    assert len(wrapped) == 12 + 32 + 16


@given(key=KEYS, names=st.lists(st.text(), min_size=2, max_size=2, unique=True))
def test_a_wrapped_key_opens_under_its_own_name_only(key: bytes, names: list[str]) -> None:
    with pytest.raises(CannotUnwrap):
        ENCRYPTION.unwrap(ENCRYPTION.wrap(key, names[0]), names[1])


@given(key=KEYS, at=st.integers(0, 59), change=st.integers(1, 255))
def test_a_changed_byte_is_noticed(key: bytes, at: int, change: int) -> None:
    wrapped = bytearray(ENCRYPTION.wrap(key, "a"))
    wrapped[at] ^= change
    with pytest.raises(CannotUnwrap):
        ENCRYPTION.unwrap(bytes(wrapped), "a")


@pytest.mark.parametrize("length", [0, 1, 11, 12, 20, 27])
def test_a_part_of_a_wrapped_key_does_not_open(length: int) -> None:
    with pytest.raises(CannotUnwrap):
        ENCRYPTION.unwrap(ENCRYPTION.wrap(bytes(32), "a")[:length], "a")


def test_another_key_does_not_open_it() -> None:
    with pytest.raises(CannotUnwrap, match="changed, or is not of this key-encryption key"):
        OTHER.unwrap(ENCRYPTION.wrap(bytes(32), "a"), "a")


def test_the_same_key_is_wrapped_differently_each_time() -> None:
    assert ENCRYPTION.wrap(bytes(32), "a") != ENCRYPTION.wrap(bytes(32), "a")


def test_the_id_is_the_same_for_the_same_key_and_tells_nothing_of_it() -> None:
    assert AesKeyEncryption(bytes(range(32))).id == ENCRYPTION.id
    assert ENCRYPTION.id == "4adc5c741497722c"
    assert OTHER.id != ENCRYPTION.id


def test_it_is_the_port_that_a_key_management_service_implements() -> None:
    assert isinstance(ENCRYPTION, KeyEncryption)


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_key_encryption_key_has_32_bytes(length: int) -> None:
    with pytest.raises(StoreError, match=f"has 32 bytes, this one {length}"):
        AesKeyEncryption(bytes(length))


# Bound to a store and a purpose.


def test_a_key_cannot_be_moved_to_another_store_or_purpose() -> None:
    wrapped = Wrapping("s1", ENCRYPTION).wrap("data", "a", bytes(32))
    assert Wrapping("s1", ENCRYPTION).unwrap("data", "a", wrapped) == bytes(32)
    for store, purpose, name in [("s2", "data", "a"), ("s1", "store", "a"), ("s1", "data", "b")]:
        with pytest.raises(KeysDamaged, match=r"is damaged.*Restore the key store"):
            Wrapping(store, ENCRYPTION).unwrap(purpose, name, wrapped)


def test_a_key_of_the_wrong_length_is_refused() -> None:
    wrapped = ENCRYPTION.wrap(bytes(16), "s1/data/a")
    with pytest.raises(KeysDamaged, match="has 16 bytes instead of 32"):
        Wrapping("s1", ENCRYPTION).unwrap("data", "a", wrapped)
