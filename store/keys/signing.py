"""The keys that sign for the log: Ed25519 (RFC 8032), kept wrapped like all others.

With them is kept what was signed last, so that who can write the database of the
log, and not the keys, cannot have another history signed than the one before.
"""

import sqlite3
from datetime import datetime

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from store.errors import StoreError
from store.keys.tables import read_properties, set_property
from store.keys.wrapping import Wrapping, damaged
from store.times import written

PURPOSE = "signing"
SIGNED = "signed"
"""The property that says what was signed last."""

_PUBLIC_BYTES = _ROOT_BYTES = 32


class SigningKey(msgspec.Struct, frozen=True):
    """A key that signs or has signed for the log, without its private half."""

    name: str
    """As signatures name it."""
    public: bytes
    """32 bytes, RFC 8032."""
    since: datetime
    until: datetime | None
    """When a newer one took over; none for the one that signs."""


class Signed(msgspec.Struct, frozen=True):
    """What a signature says of the log: its first `size` events have this root hash."""

    size: int
    root: bytes
    """32 bytes."""


class Signature(msgspec.Struct, frozen=True):
    """Who signed, and 64 bytes as of RFC 8032."""

    key: SigningKey
    value: bytes


class Signer:
    """The newest key, ready to sign."""

    def __init__(self, key: SigningKey, private: Ed25519PrivateKey) -> None:
        self._key = key
        self._private = private

    def sign(self, message: bytes) -> Signature:
        return Signature(self._key, self._private.sign(message))


def add(cursor: sqlite3.Cursor, wrapping: Wrapping, name: str, now: datetime) -> SigningKey:
    """Make a key that signs from now on; the one before signs no more."""
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    wrapped = wrapping.wrap(PURPOSE, public.hex(), private.private_bytes_raw())
    since = written(now)
    cursor.execute("UPDATE signing_keys SET until = ? WHERE until IS NULL", (since,))
    cursor.execute(
        "INSERT INTO signing_keys(public, name, since, wrapped) VALUES (?, ?, ?, ?)",
        (public, name, since, wrapped),
    )
    return SigningKey(name, public, datetime.fromisoformat(since), None)


def listed(cursor: sqlite3.Cursor) -> tuple[SigningKey, ...]:
    """All of them, in the order they were made."""
    rows = cursor.execute("SELECT name, public, since, until FROM signing_keys ORDER BY id")
    return tuple(_read(*row) for row in rows.fetchall())


def _read(name: object, public: object, since: str, until: str | None) -> SigningKey:
    try:
        times = (
            datetime.fromisoformat(since),
            None if until is None else datetime.fromisoformat(until),
        )
    except (TypeError, ValueError):
        raise damaged("it does not say from when to when a signing key has signed") from None
    if not isinstance(name, str) or not isinstance(public, bytes) or len(public) != _PUBLIC_BYTES:
        raise damaged("a signing key has no name, or its public half is not one")
    return SigningKey(name, public, *times)


def newest(cursor: sqlite3.Cursor, wrapping: Wrapping) -> Signer:
    """The key that signs now. Raises StoreError when there is none, KeysDamaged."""
    keys = listed(cursor)
    if not keys:
        raise StoreError("the key store has no signing key", "Add one, then sign.")
    wrapped = cursor.execute(
        "SELECT wrapped FROM signing_keys WHERE public = ?", (keys[-1].public,)
    ).fetchone()[0]
    private = wrapping.unwrap(PURPOSE, keys[-1].public.hex(), wrapped)
    return Signer(keys[-1], Ed25519PrivateKey.from_private_bytes(private))


def signed_last(cursor: sqlite3.Cursor) -> Signed | None:
    """What was signed last of the log; None where nothing was. Raises KeysDamaged."""
    told = read_properties(cursor).get(SIGNED)
    if told is None:
        return None
    size, _, root = told.partition(" ")
    try:
        found = Signed(int(size), bytes.fromhex(root))
    except ValueError:
        raise damaged("it does not say what was signed last") from None
    if len(found.root) != _ROOT_BYTES:
        raise damaged("it does not say what was signed last")
    return found


def remember_signed(cursor: sqlite3.Cursor, signed: Signed) -> None:
    """From now on this is what was signed last."""
    set_property(cursor, SIGNED, f"{signed.size} {signed.root.hex()}")
