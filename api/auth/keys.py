"""API keys: what a program sends, and whose it is.

A key is `dealstate_<id>_<secret>`, the secret being 256 random bits. The log has its SHA-256
alone, which is enough: nobody finds so many random bits by trying, so a slow hash would only
slow down every request. The prefix lets scanners find keys that were published by mistake.
"""

import re
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
    principal = directory.principal(key.user)
    limit = frozenset(key.actions) if key.actions else None
    return msgspec.structs.replace(principal, limited_to=limit)


def is_good(key: ApiKeyIssued, now: datetime) -> bool:
    """Whether a key that is not revoked is good now: its last day, in UTC, is not over."""
    return key.last_day is None or now.astimezone(UTC).date() <= key.last_day


def _digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
