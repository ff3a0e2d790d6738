"""Commitments to the values of encrypted fields, which stay open to proof after encryption.

A commitment is SHA-256 over a label, a random salt of 32 bytes, the field's
context and its value as JSON text. The salt makes it say nothing about the
value; whoever is given salt and value can check that this value was recorded,
here and nowhere else, since the context names the place.
"""

import json
from collections.abc import Sequence
from hashlib import sha256

COMMITMENT_LABEL = b"dealstate/commitment/1\0"
CONTEXT_LABEL = "dealstate/field/1"
SALT_BYTES = 32


def context(stream: str, version: int, event_type: str, field: str, keys: Sequence[str]) -> bytes:
    """Where a field stands: a compact JSON array in UTF-8, which encryption and commitment bind.

    `keys` are the names of the keys that the event itself gives for the field.
    """
    place = [CONTEXT_LABEL, stream, version, event_type, field, list(keys)]
    return json.dumps(place, separators=(",", ":"), ensure_ascii=False).encode()


def commitment(salt: bytes, field_context: bytes, value: bytes) -> bytes:
    """The 32 bytes that commit to `value`, the field's JSON text in UTF-8."""
    assert len(salt) == SALT_BYTES
    return sha256(COMMITMENT_LABEL + salt + field_context + value).digest()
