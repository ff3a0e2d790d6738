"""Signing secrets of webhooks: each is made of a key of its own in the key store.

So a secret is in no event and in no file but the key store, wrapped like all keys there,
and comes and goes with its backups. A key that is not there is never made by reading.
"""

import hmac
from hashlib import sha256

from store.keys.ring import KeyRing

_PURPOSE = b"dealstate/webhook signing secret/1"


def make_secret(keys: KeyRing, webhook_id: str, name: str) -> bytes:
    """The 32 bytes of a signing secret, whose key is durable when this returns.

    The same for the same names.
    """
    key = _key_of(webhook_id, name)
    return _derived(keys.ensure({key})[key])


def find_secret(keys: KeyRing, webhook_id: str, name: str) -> bytes | None:
    """The bytes of a signing secret; None where the key store does not have its key."""
    key = _key_of(webhook_id, name)
    found = keys.find({key})
    return _derived(found[key]) if key in found else None


def _derived(key: bytes) -> bytes:
    """What is handed out tells nothing of the key itself."""
    return hmac.digest(key, _PURPOSE, sha256)


def _key_of(webhook_id: str, name: str) -> str:
    """A slash in the id of a webhook is escaped: no two secrets ever share a name."""
    webhook = webhook_id.replace("%", "%25").replace("/", "%2F")
    return f"webhook-secret:{webhook}/{name}"
