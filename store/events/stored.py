"""The bytes of a stored event, as far as they can be read without any key.

Two forms of the same bytes: its heading, which is read of millions of events at a
time, and all of it.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from store.events.fields import Encrypted, Place
from store.recorder import Row


class _Fact(msgspec.Struct, gc=False, frozen=True):
    type: str


class Heading(msgspec.Struct, gc=False, frozen=True):
    """What an event says it is."""

    stream: str
    version: int
    schema: int
    fact: _Fact

    @property
    def topic(self) -> str:
        """As it stands in the column beside the bytes."""
        return f"{self.fact.type}@{self.schema}"


class StoredEvent(msgspec.Struct, frozen=True):
    """The public part of a fact as JSON has it, and what is encrypted."""

    fact: dict[str, Any]
    encrypted: dict[str, Encrypted] = {}
    """By the stored name of the field."""

    @property
    def type(self) -> str:
        """The stored name of the fact. Raises KeyError where it has none."""
        name: str = self.fact["type"]
        return name


UNREADABLE = (msgspec.MsgspecError, ValueError, RecursionError)
"""What reading bytes that are no event raises."""

read_heading = msgspec.json.Decoder(Heading).decode
read_stored = msgspec.json.Decoder(StoredEvent).decode


def type_of(topic: str) -> str:
    """The stored name of the fact, without its schema version."""
    return topic.partition("@")[0]


def encrypted_in(row: Row, stored: StoredEvent) -> Iterator[tuple[Place, Encrypted]]:
    """The encrypted fields of an event, and where each stands."""
    stream, version, topic, _ = row
    for field, encrypted in stored.encrypted.items():
        yield Place(stream, version, type_of(topic), field), encrypted
