"""Single fields of an event, encrypted each on its own.

Theory of operation. The value of a field is its JSON. It is bound to where it
stands (stream, version, type, field, keys) as the associated data of
AES-256-GCM, under the keys of everybody the field belongs to by structure (the
outer keys, which stand beside the ciphertext). Who else is named in the text
is nobody's business: their keys (the inner ones) encrypt the value once more,
and their names stand inside. Losing any one of these keys loses the value.

Beside the ciphertext stands a commitment to the value, SHA-256 over a random
salt that is encrypted with the value, so that one field can be disclosed and
checked against the sealed bytes while all others stay closed.

    plaintext   = length (2) ‖ inner key names ‖ length (4) ‖ body ‖ zeros
    body        = salt (32) ‖ value, or, with inner keys,
                  nonce (12) ‖ AES-256-GCM(salt ‖ value)
    ciphertext  = nonce (12) ‖ AES-256-GCM(plaintext)

Lengths are big-endian; the names are a JSON array. The plaintext is filled up
to a multiple of 64 bytes, that of a secret to 1 KiB, 4 KiB, 16 KiB…, so that a
secret does not show in its length.
"""

import hmac
from collections.abc import Callable, Collection
from copy import copy
from hashlib import sha256
from io import BytesIO
from os import urandom
from typing import NamedTuple, Protocol

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from store.seals.commitments import CONTEXT_LABEL, commitment

SALT_BYTES = 32
NONCE_BYTES = 12
STEP_BYTES = 64
_RANDOM_BYTES = SALT_BYTES + 2 * NONCE_BYTES
SMALLEST_SECRET_BYTES = 1_024
MOST_CACHED = 10_000

_SEVERAL_KEYS = b"dealstate/several/1"
_NAMES = msgspec.json.Decoder(tuple[str, ...])
_to_json = msgspec.json.Encoder().encode


class Keys(Protocol):
    """What encrypting and decrypting needs of the key ring."""

    @property
    def generation(self) -> int: ...

    def ensure(self, names: Collection[str]) -> dict[str, bytes]: ...

    def find(self, names: Collection[str]) -> dict[str, bytes]: ...

    def is_erased(self, names: Collection[str]) -> set[str]: ...

    def is_lost(self, names: Collection[str]) -> set[str]: ...


class Place(NamedTuple):
    """Where a field stands."""

    stream: str
    version: int
    type: str
    field: str


class Encrypted(msgspec.Struct, frozen=True, gc=False):
    """An encrypted field as it is stored; bytes are written in base64."""

    keys: tuple[str, ...]
    """Names of the outer keys, in order."""
    commitment: bytes
    ciphertext: bytes


class Opened(NamedTuple):
    """A value and the salt of its commitment."""

    salt: bytes
    value: bytes
    """JSON."""


class KeyErased(Exception):
    """A key that is needed was destroyed on purpose: the value is gone for good."""


class KeyLost(Exception):
    """A key that is needed was lost, and that was accepted: the value cannot be read."""


class KeyMissing(Exception):
    """A key that is needed is not in the key store, though nobody erased it or gave it up."""

    def __init__(self, names: Collection[str]) -> None:
        super().__init__(", ".join(sorted(names)))
        self.names = frozenset(names)


class FieldCipher:
    """Encrypts and decrypts fields with the keys of one ring."""

    def __init__(self, ring: Keys, random: Callable[[int], bytes] = urandom) -> None:
        self._ring = ring
        self._random = random
        self._aeads: dict[tuple[str, ...], AESGCM] = {}
        self._at_hand: dict[str, bytes] = {}
        self._generation = ring.generation

    def prepared(self, names: Collection[str], fields: int) -> "FieldCipher":
        """One to encrypt so many fields with these keys; those missing are made, durably.

        What it needs is at hand: the keys, and all that is random, drawn at once. It is
        for a single append. Raises KeysErased.
        """
        cipher = copy(self)
        cipher._at_hand = self._ring.ensure(names)
        cipher._aeads = {}
        cipher._random = BytesIO(self._random(fields * _RANDOM_BYTES)).read
        return cipher

    def refresh(self) -> bool:
        """Forget keys where any were erased or exchanged meanwhile, and tell whether they were."""
        generation = self._ring.generation
        if generation == self._generation:
            return False
        # Another thread may be about to put in what it made of an old key: into the old one.
        self._aeads = {}
        self._generation = generation
        return True

    def encrypt(
        self,
        place: Place,
        outer: tuple[str, ...],
        inner: tuple[str, ...],
        value: bytes,
        *,
        secret: bool,
    ) -> Encrypted:
        """The value, closed. Its keys have to be there: see `prepared`."""
        bound = context(place, outer)
        random = self._random(_RANDOM_BYTES)
        assert len(random) == _RANDOM_BYTES, "more fields than were drawn for"
        salt, nonces = random[:SALT_BYTES], random[SALT_BYTES:]
        body = salt + value
        if inner:
            body = _encrypt(self._aead(inner), nonces[:NONCE_BYTES], body, bound)
        plaintext = _filled(_framed(inner, body), secret=secret)
        return Encrypted(
            outer,
            commitment(salt, bound, value),
            _encrypt(self._aead(outer), nonces[NONCE_BYTES:], plaintext, bound),
        )

    def decrypt(self, place: Place, encrypted: Encrypted) -> Opened:
        """The value.

        Raises KeyErased, KeyLost, KeyMissing; ValueError for bytes that are not as written.
        """
        bound = context(place, encrypted.keys)
        plaintext = self._decrypted(encrypted.keys, encrypted.ciphertext, bound)
        inner, body = _unframed(plaintext)
        if inner:
            body = self._decrypted(inner, body, bound)
        salt, value = body[:SALT_BYTES], body[SALT_BYTES:]
        if commitment(salt, bound, value) != encrypted.commitment:
            raise ValueError("the commitment beside the ciphertext is of another value")
        return Opened(salt, value)

    def _decrypted(self, names: tuple[str, ...], ciphertext: bytes, bound: bytes) -> bytes:
        try:
            return _decrypt(self._aead(names), ciphertext, bound)
        except ValueError:
            # A key made anew under a name that was given up opens only what came after it.
            if self._ring.is_lost(names):
                raise KeyLost from None
            raise

    def _aead(self, names: tuple[str, ...]) -> AESGCM:
        aeads = self._aeads
        aead = aeads.get(names)
        if aead is None:
            if len(aeads) >= MOST_CACHED:
                aeads.clear()
            aead = aeads[names] = AESGCM(_together(names, self._found(names)))
        return aead

    def _found(self, names: tuple[str, ...]) -> dict[str, bytes]:
        found = self._at_hand or self._ring.find(names)
        missing = [name for name in names if name not in found]
        if missing:
            if self._ring.is_erased(missing):
                raise KeyErased
            unaccounted = set(missing) - self._ring.is_lost(missing)
            if unaccounted:
                raise KeyMissing(unaccounted)
            raise KeyLost
        return found


def context(place: Place, keys: tuple[str, ...]) -> bytes:
    """The same bytes as `store.seals.commitments.context`, made faster."""
    stream, version, type_, field = place
    return _to_json((CONTEXT_LABEL, stream, version, type_, field, keys))


def _together(names: tuple[str, ...], keys: dict[str, bytes]) -> bytes:
    """One key that needs all of them: HKDF-Extract (RFC 5869) where there are several."""
    if len(names) == 1:
        return keys[names[0]]
    return hmac.digest(_SEVERAL_KEYS, b"".join(keys[name] for name in names), sha256)


def _encrypt(aead: AESGCM, nonce: bytes, plaintext: bytes, bound: bytes) -> bytes:
    return nonce + aead.encrypt(nonce, plaintext, bound)


def _decrypt(aead: AESGCM, ciphertext: bytes, bound: bytes) -> bytes:
    try:
        return aead.decrypt(ciphertext[:NONCE_BYTES], ciphertext[NONCE_BYTES:], bound)
    except InvalidTag:
        raise ValueError("the ciphertext does not belong to its key, or not here") from None


def _framed(inner: tuple[str, ...], body: bytes) -> bytes:
    names = _to_json(inner) if inner else b""
    return len(names).to_bytes(2, "big") + names + len(body).to_bytes(4, "big") + body


def _unframed(plaintext: bytes) -> tuple[tuple[str, ...], bytes]:
    behind_names = 2 + int.from_bytes(plaintext[:2], "big")
    names = plaintext[2:behind_names]
    start = behind_names + 4
    length = int.from_bytes(plaintext[behind_names:start], "big")
    return (_NAMES.decode(names) if names else ()), plaintext[start : start + length]


def _filled(plaintext: bytes, *, secret: bool) -> bytes:
    if not secret:
        return plaintext + bytes(-len(plaintext) % STEP_BYTES)
    size = SMALLEST_SECRET_BYTES
    while size < len(plaintext):
        size *= 4
    return plaintext.ljust(size, b"\0")
