"""Wrapping: the keys of a store are only ever written encrypted under one other key.

That other key, the key-encryption key, is reached through the port
`KeyEncryption`. A key management service implements it without ever handing
its key out; `AesKeyEncryption` implements it over 32 bytes in memory.
"""

import hashlib
import hmac
import os
from typing import Protocol, runtime_checkable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from store.errors import StoreError
from store.keys.errors import CannotUnwrap, KeysDamaged

KEY_BYTES = 32
"""Length of every key here: 256 bits."""

_NONCE_BYTES = 12
_ID_LABEL = b"dealstate/key-encryption-key/id"
_ID_LENGTH = 16


@runtime_checkable
class KeyEncryption(Protocol):
    """A key-encryption key: the port to a key management service."""

    @property
    def id(self) -> str:
        """Names the key-encryption key: always the same for it, and telling nothing about it."""

    def wrap(self, key: bytes, name: str) -> bytes:
        """`key` encrypted and bound to `name`. Raises StoreUnavailable."""

    def unwrap(self, wrapped: bytes, name: str) -> bytes:
        """The key that `wrap` was given.

        Raises CannotUnwrap when the bytes were changed or belong to another name,
        StoreUnavailable when the service cannot be reached.
        """


class AesKeyEncryption:
    """AES-256-GCM (NIST SP 800-38D): 12 bytes of random nonce, then ciphertext and tag.

    The name is the associated data, so wrapped keys cannot be swapped. One key
    may wrap up to 2^32 keys, as the nonces are random.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise StoreError(
                f"a key-encryption key has {KEY_BYTES} bytes, this one {len(key)}",
                "Give it whole, or make a new one for a new store.",
            )
        self._cipher = AESGCM(key)
        self._id = hmac.digest(key, _ID_LABEL, hashlib.sha256).hex()[:_ID_LENGTH]

    def __repr__(self) -> str:
        return f"<AesKeyEncryption {self._id}>"

    @property
    def id(self) -> str:
        """The first 16 hexadecimal digits of HMAC-SHA256 of a fixed label under the key."""
        return self._id

    def wrap(self, key: bytes, name: str) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, key, name.encode())

    def unwrap(self, wrapped: bytes, name: str) -> bytes:
        nonce, ciphertext = wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:]
        try:
            return self._cipher.decrypt(nonce, ciphertext, name.encode())
        except (InvalidTag, ValueError):
            raise CannotUnwrap(
                f"the wrapped key {name} was changed, or is not of this key-encryption key",
                "Restore the key store from its backup.",
            ) from None


class Wrapping:
    """How one key store wraps: each key bound to the store, to its purpose and to its name."""

    def __init__(self, store_id: str, encryption: KeyEncryption) -> None:
        self.encryption = encryption
        self._store_id = store_id

    def __repr__(self) -> str:
        return f"<Wrapping under {self.encryption.id}>"

    def under(self, encryption: KeyEncryption) -> "Wrapping":
        """The same under another key-encryption key."""
        return Wrapping(self._store_id, encryption)

    def wrap(self, purpose: str, name: str, key: bytes) -> bytes:
        assert len(key) == KEY_BYTES
        return self.encryption.wrap(key, f"{self._store_id}/{purpose}/{name}")

    def unwrap(self, purpose: str, name: str, wrapped: bytes) -> bytes:
        """The key. Raises KeysDamaged."""
        try:
            key = self.encryption.unwrap(wrapped, f"{self._store_id}/{purpose}/{name}")
        except CannotUnwrap as error:
            raise damaged(error.message) from error
        except TypeError:
            raise damaged(f"the wrapped {purpose} key {name} is not of bytes") from None
        if len(key) != KEY_BYTES:
            raise damaged(f"the {purpose} key {name} has {len(key)} bytes instead of {KEY_BYTES}")
        return key


def damaged(what: str) -> KeysDamaged:
    """The error for a key store whose content is not as it was written."""
    return KeysDamaged(
        f"the key store is damaged: {what}",
        "Restore the key store from its backup, and apply the erasures since then again.",
    )
