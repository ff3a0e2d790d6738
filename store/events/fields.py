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
_NO_NAMES = bytes(2)
"""How the plaintext begins of a field without inner keys."""
_LENGTH_BYTES = 4
_FRAME_BYTES = len(_NO_NAMES) + _LENGTH_BYTES
"""What stands before the body then."""
_NAMES = msgspec.json.Decoder(tuple[str, ...])
_to_json = msgspec.json.Encoder().encode
_number = int.from_bytes


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
        secret: bool,
    ) -> Encrypted:
        """The value, closed. Its keys have to be there: see `prepared`."""
        bound = _to_json((CONTEXT_LABEL, *place, outer))
        random = self._random(_RANDOM_BYTES)
        assert len(random) == _RANDOM_BYTES, "more fields than were drawn for"
        salt, nonce = random[:SALT_BYTES], random[-NONCE_BYTES:]
        body = salt + value
        if inner:
            within = random[SALT_BYTES:-NONCE_BYTES]
            framed = _framed(inner, within + self._aead(inner).encrypt(within, body, bound))
        else:
            framed = _NO_NAMES + len(body).to_bytes(_LENGTH_BYTES, "big") + body
        plaintext = _filled(framed) if secret else framed + bytes(-len(framed) % STEP_BYTES)
        aead = self._aeads.get(outer) or self._aead(outer)
        closed = nonce + aead.encrypt(nonce, plaintext, bound)
        return Encrypted(outer, commitment(salt, bound, value), closed)

    def decrypt(self, place: Place, encrypted: Encrypted) -> Opened:
        """The value.

        Raises KeyErased, KeyLost, KeyMissing; ValueError for bytes that are not as written.
        """
        names = encrypted.keys
        bound = _to_json((CONTEXT_LABEL, *place, names))
        aead = self._aeads.get(names) or self._aead(names)
        try:
            plaintext = _decrypt(aead, encrypted.ciphertext, bound)
        except InvalidTag:
            raise self._unopened(names) from None
        if plaintext.startswith(_NO_NAMES):
            start = _FRAME_BYTES + SALT_BYTES
            salt = plaintext[_FRAME_BYTES:start]
            value = plaintext[start : _FRAME_BYTES + _number(plaintext[2:_FRAME_BYTES], "big")]
        else:
            salt, value = self._opened_within(plaintext, bound)
        if commitment(salt, bound, value) != encrypted.commitment:
            raise ValueError("the commitment beside the ciphertext is of another value")
        return Opened(salt, value)

    def _opened_within(self, plaintext: bytes, bound: bytes) -> tuple[bytes, bytes]:
        """Salt and value where inner keys are needed too."""
        inner, ciphertext = _unframed(plaintext)
        try:
            body = _decrypt(self._aead(inner), ciphertext, bound)
        except InvalidTag:
            raise self._unopened(inner) from None
        return body[:SALT_BYTES], body[SALT_BYTES:]

    def _unopened(self, names: tuple[str, ...]) -> Exception:
        """Why keys that are there do not open what is closed under their names."""
        # A key made anew under a name that was given up opens only what came after it.
        if self._ring.is_lost(names):
            return KeyLost()
        return ValueError("the ciphertext does not belong to its key, or not here")

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


def _decrypt(aead: AESGCM, ciphertext: bytes, bound: bytes) -> bytes:
    return aead.decrypt(ciphertext[:NONCE_BYTES], ciphertext[NONCE_BYTES:], bound)


def _framed(inner: tuple[str, ...], body: bytes) -> bytes:
    names = _to_json(inner)
    return len(names).to_bytes(2, "big") + names + len(body).to_bytes(4, "big") + body


def _unframed(plaintext: bytes) -> tuple[tuple[str, ...], bytes]:
    behind_names = 2 + int.from_bytes(plaintext[:2], "big")
    names = plaintext[2:behind_names]
    start = behind_names + 4
    length = int.from_bytes(plaintext[behind_names:start], "big")
    return (_NAMES.decode(names) if names else ()), plaintext[start : start + length]


def _filled(secret: bytes) -> bytes:
    """The plaintext of a secret, which does not show in its length."""
    size = SMALLEST_SECRET_BYTES
    while size < len(secret):
        size *= 4
    return secret.ljust(size, b"\0")
