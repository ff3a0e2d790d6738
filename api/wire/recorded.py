"""What a write is answered with.

It holds what was recorded then and nothing that may come to be otherwise later, such as what
users are called: so whoever repeats a request under its key is answered with the same bytes.
"""

from collections.abc import Sequence
from typing import cast
from urllib.parse import quote

import msgspec

from api.wire.trails import AnyFact
from api.wire.values import Instant
from domain.history import Fact, Recorded
from store.times import written


class RecordedEvent(msgspec.Struct, frozen=True):
    """One event, as it was recorded."""

    version: int
    """In its stream, from 1."""
    type: str
    occurred_at: Instant
    known_at: Instant
    recorded_at: Instant
    actor: str
    """Id of the user who did it."""
    source: str
    """Where it came in: `http`, `cli`, `import:NAME`."""
    command_id: str
    """The key of the request, or the id that it was given."""
    correlation_id: str
    fact: AnyFact
    """As it is stored, as far as whoever recorded it may read it: fields at their default are
    left out."""

    @classmethod
    def of(cls, event: Recorded[Fact]) -> "RecordedEvent":
        return cls(
            version=event.version,
            type=event.type,
            occurred_at=written(event.occurred_at),
            known_at=written(event.known_at),
            recorded_at=written(event.recorded_at),
            actor=event.actor,
            source=event.source,
            command_id=event.command_id,
            correlation_id=event.correlation_id,
            fact=cast("AnyFact", event.fact),
        )


class Recording(msgspec.Struct, frozen=True):
    """What a write led to. No events: it changed nothing."""

    stream: str
    """Kind and id of what it is about, `unit:west`."""
    version: int
    """Of the stream once this was recorded; what `If-Match` names next."""
    token: str | None
    """For the header `Dealstate-Wait-For` of a read, which then includes it. Null where the stream
    has no event."""
    events: list[RecordedEvent]

    @classmethod
    def of(cls, stream: str, version: int, events: Sequence[Recorded[Fact]]) -> "Recording":
        told = [RecordedEvent.of(event) for event in events]
        return cls(stream, version, token_of(stream, version), told)


class DealRecording(msgspec.Struct, frozen=True):
    """What a command on a deal led to. No events: it changed nothing."""

    deal_id: str
    stream: str
    """`deal:` and the id."""
    version: int
    """Of the deal once this was recorded; what `If-Match` names next."""
    token: str
    """For the header `Dealstate-Wait-For` of a read, which then includes it."""
    events: list[RecordedEvent]

    @classmethod
    def of(
        cls, deal_id: str, stream: str, version: int, events: Sequence[Recorded[Fact]]
    ) -> "DealRecording":
        token = token_of(stream, version)
        assert token is not None, "a deal has its opening"
        return cls(deal_id, stream, version, token, [RecordedEvent.of(event) for event in events])


def token_of(stream: str, version: int) -> str | None:
    """An event as `Dealstate-Wait-For` names it; other characters than ASCII percent-encoded."""
    return f"{quote(stream, safe=':')}@{version}" if version else None
