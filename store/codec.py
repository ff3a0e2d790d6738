"""How events are stored: canonical bytes, made once, and read in one typed pass.

Theory of operation. An event is one JSON object, its keys in the order of
`_Envelope`, without spaces, in UTF-8. Times are in UTC with six digits and a Z;
amounts are strings with their currency's minor digits; fields at their default
are left out. So equal events have equal bytes. The bytes are made when the
event is appended and kept as they are: nothing encodes an event a second time.

The topic beside the bytes, `<stored name>@<schema version>`, chooses the type
to read them with. Bytes of an earlier schema go through the upcasters first.
A fact is turned into bytes in `_encode_fact` and back in `_decode_current` and
`_decode_earlier`, and nowhere else.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from operator import getitem
from typing import Any, TypeAlias, cast

import msgspec
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import Mapper, StoredEvent

from domain.deal import FACT_TYPES
from domain.directory import MembershipEnded, MembershipGranted, UnitRegistered, UserRegistered
from domain.history import Fact, Recorded, stored_name
from domain.organisation import AuthorityLimitsSet
from domain.process import ProcessPublished
from store.contract import check_contract
from store.errors import NotStorable, UnreadableEvent
from store.upcasters import UPCASTERS, Upcaster

REGISTERED: tuple[type[Fact], ...] = (
    *FACT_TYPES,
    ProcessPublished,
    UserRegistered,
    UnitRegistered,
    MembershipGranted,
    MembershipEnded,
    AuthorityLimitsSet,
)
"""Every type of fact that the log can hold."""

Row: TypeAlias = tuple[str, int, str, bytes]
"""A stored event: stream, version, topic, canonical bytes."""

_Decode: TypeAlias = Callable[[bytes], Recorded[Fact]]


class _Envelope(msgspec.Struct, gc=False):
    """The written form of an event. The order of the fields is part of the stored contract."""

    stream: str
    version: int
    schema: int
    occurred_at: datetime | str
    known_at: datetime | str
    recorded_at: datetime | str
    actor: str
    source: str
    command_id: str
    correlation_id: str
    inferred: bool
    fact: Fact


# What msgspec, a type's own checks and the upcasters raise over bytes that are not as written.
_UNREADABLE = (
    msgspec.MsgspecError,
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)

_to_json = msgspec.json.Encoder().encode


def _written(moment: datetime) -> datetime | str:
    """The moment in the one form that is written. msgspec leaves out a fraction of zero."""
    if moment.tzinfo is not UTC:
        if moment.utcoffset() is None:
            raise NotStorable(f"{moment} has no time zone", "Give times with their offset to UTC.")
        moment = moment.astimezone(UTC)
    if moment.microsecond:
        return moment
    return _to_json(moment)[1:20].decode() + ".000000Z"


class Codec:
    """Events to rows and back.

    Raises StoredContractError at construction when the types and upcasters do
    not fit together.
    """

    def __init__(
        self,
        fact_types: Sequence[type[Fact]] = REGISTERED,
        upcasters: Mapping[tuple[str, int], Upcaster] = UPCASTERS,
    ) -> None:
        check_contract(fact_types, upcasters)
        self._types = {stored_name(fact_type): fact_type for fact_type in fact_types}
        self._topics = {
            fact_type: f"{name}@{fact_type.schema_version}"
            for name, fact_type in self._types.items()
        }
        self._upcasters = upcasters
        self._decoders: dict[str, _Decode] = {}

    def to_row(self, event: Recorded[Fact]) -> Row:
        """The row that stores `event`.

        Raises NotStorable where the event could not be read back: a text that is
        too long, an amount of the wrong type, a fact of an unregistered type.
        """
        fact_type = type(event.fact)
        topic = self._topics.get(fact_type)
        if topic is None:
            raise NotStorable(
                f"{fact_type.__name__} is not a registered type of fact",
                "Record one of the facts of the domain.",
            )
        try:
            state = self._encode_fact(event)
            self._decoder(topic)(state)
        except (msgspec.ValidationError, UnicodeEncodeError, TypeError, OverflowError) as error:
            raise NotStorable(
                f"{event.type} on {event.stream} cannot be stored: {error}",
                "Correct the value; nothing was recorded.",
            ) from error
        return (event.stream, event.version, topic, state)

    def to_event(self, stream: str, version: int, topic: str, state: bytes) -> Recorded[Fact]:
        """The event that a row stores. Raises UnreadableEvent."""
        try:
            event = self._decoder(topic)(state)
        except _UNREADABLE as error:
            raise _unreadable(stream, version, topic, str(error)) from error
        if event.version != version or event.stream != stream:
            reason = f"its bytes are of version {event.version} of {event.stream}"
            raise _unreadable(stream, version, topic, reason)
        return event

    def _encode_fact(self, event: Recorded[Fact]) -> bytes:
        fact = event.fact
        return _to_json(
            _Envelope(
                event.stream,
                event.version,
                type(fact).schema_version,
                _written(event.occurred_at),
                _written(event.known_at),
                _written(event.recorded_at),
                event.actor,
                event.source,
                event.command_id,
                event.correlation_id,
                event.inferred,
                fact,
            )
        )

    def _decoder(self, topic: str) -> _Decode:
        decode = self._decoders.get(topic)
        if decode is None:
            decode = self._decoders[topic] = self._new_decoder(topic)
        return decode

    def _new_decoder(self, topic: str) -> _Decode:
        name, _, schema = topic.rpartition("@")
        fact_type = self._types.get(name)
        if fact_type is None or not 1 <= int(schema) <= fact_type.schema_version:
            raise LookupError(f"this release does not know the type {topic!r}")
        recorded = getitem(cast("Any", Recorded), fact_type)
        if int(schema) == fact_type.schema_version:
            return _decode_current(recorded)
        steps = [
            self._upcasters[name, step] for step in range(int(schema), fact_type.schema_version)
        ]
        return _decode_earlier(recorded, steps)


def _decode_current(recorded: Any) -> _Decode:
    decode: _Decode = msgspec.json.Decoder(recorded).decode
    return decode


def _decode_earlier(recorded: Any, steps: Sequence[Upcaster]) -> _Decode:
    def decode(state: bytes) -> Recorded[Fact]:
        envelope = msgspec.json.decode(state)
        for step in steps:
            envelope["fact"] = step(envelope["fact"])
        event: Recorded[Fact] = msgspec.convert(envelope, recorded)
        return event

    return decode


def _unreadable(stream: str, version: int, topic: str, reason: str) -> UnreadableEvent:
    return UnreadableEvent(
        f"version {version} of {stream} ({topic}) cannot be read: {reason}",
        "Use the newest release of dealstate; if it cannot read it either, restore a backup.",
        stream,
        version,
    )


@cache
def codec() -> Codec:
    """The codec of all registered types, checked and built once for the process."""
    return Codec()


class EventMapper(Mapper[str]):
    """The library's view of the codec. Its transcoder, compressor and cipher stay out."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec

    def to_stored_event(self, domain_event: DomainEventProtocol[str]) -> StoredEvent:
        return StoredEvent(*self._codec.to_row(cast("Recorded[Fact]", domain_event)))

    def to_domain_event(self, stored_event: StoredEvent) -> DomainEventProtocol[str]:
        event = self._codec.to_event(
            str(stored_event.originator_id),
            stored_event.originator_version,
            stored_event.topic,
            stored_event.state,
        )
        return cast("DomainEventProtocol[str]", event)
