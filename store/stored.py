"""The bytes of a stored event, as far as they can be read without any key."""

from collections.abc import Iterator
from typing import Any

import msgspec

from store.fields import Encrypted, Place
from store.recorder import Row


class StoredEvent(msgspec.Struct, frozen=True):
    """The public part of a fact as JSON has it, and what is encrypted."""

    fact: dict[str, Any]
    encrypted: dict[str, Encrypted] = {}
    """By the stored name of the field."""


_decode = msgspec.json.Decoder(StoredEvent).decode


def read_stored(state: bytes) -> StoredEvent:
    """Raises msgspec.MsgspecError for bytes that are no event."""
    return _decode(state)


def type_of(topic: str) -> str:
    """The stored name of the fact, without its schema version."""
    return topic.partition("@")[0]


def encrypted_in(row: Row, stored: StoredEvent) -> Iterator[tuple[Place, Encrypted]]:
    """The encrypted fields of an event, and where each stands."""
    stream, version, topic, _ = row
    for field, encrypted in stored.encrypted.items():
        yield Place(stream, version, type_of(topic), field), encrypted
