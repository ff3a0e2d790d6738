"""API keys: what a program sends, and whose it is.

A key is `dealstate_<id>_<secret>`, the secret being 256 random bits. The log has its SHA-256
alone, which is enough: nobody finds so many random bits by trying, so a slow hash would only
slow down every request. The prefix lets scanners find keys that were published by mistake.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from hmac import compare_digest
from secrets import token_hex

import msgspec

from domain.access import Principal
from domain.directory import ApiKeyIssued, Directory

PREFIX = "dealstate_"
_TOKEN = re.compile(rf"{PREFIX}([0-9a-f]{{12}})_([0-9a-f]{{64}})", re.ASCII)


class NewKey(msgspec.Struct, frozen=True):
    """A key just made. The token is shown once and kept nowhere."""

    id: str
    digest: str
    token: str


def make_key() -> NewKey:
    """A key that nobody has."""
    key_id, secret = token_hex(6), token_hex(32)
    return NewKey(key_id, _digest(secret), f"{PREFIX}{key_id}_{secret}")


def derived_key(mac: Callable[[bytes], bytes], principal: str, command_id: str) -> NewKey:
    """The key that this request asks for, always the same one: who repeats it has to be told it.

    `mac` is a keyed hash of 32 bytes whose key only the store has. So the key is kept nowhere,
    and nobody else works it out.
    """
    asked = f"{principal}\0{command_id}".encode()
    key_id = mac(b"id of an api key\0" + asked).hex()[:12]
    secret = mac(b"secret of an api key\0" + asked).hex()
    return NewKey(key_id, _digest(secret), f"{PREFIX}{key_id}_{secret}")


def holder_of(token: str, directory: Directory, now: datetime) -> Principal | None:
    """Who a program acts as that sends this key; None where it is good for nobody now."""
    found = _TOKEN.fullmatch(token)
    if found is None:
        return None
    key = directory.key(found[1])
    if key is None or not compare_digest(key.digest.encode(), _digest(found[2]).encode()):
        return None
    if not is_good(key, now):
        return None
    return as_holder(key, directory)


def id_in(token: str) -> str | None:
    """The id of the key that a program sends; None where it sends something else."""
    found = _TOKEN.fullmatch(token)
    return found[1] if found else None


def as_holder(key: ApiKeyIssued, directory: Directory) -> Principal:
    """Who a program acts as that has this key: its user, limited to what the key is good for."""
    limit = frozenset(key.actions) if key.actions else None
    return msgspec.structs.replace(directory.principal(key.user), limited_to=limit)


def is_good(key: ApiKeyIssued, now: datetime) -> bool:
    """Whether a key that is not revoked is good now: its last day, in UTC, is not over."""
    return key.last_day is None or now.astimezone(UTC).date() <= key.last_day


def _digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
