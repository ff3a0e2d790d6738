"""How events are stored: canonical bytes, made once, and read in one typed pass.

Theory of operation. An event is one JSON object, its keys in the order of
`_Envelope`, without spaces, in UTF-8. Times are in UTC with six digits and a Z;
amounts are strings with their currency's minor digits; fields at their default
are left out. So equal events have equal bytes. The bytes are made when the
event is appended and kept as they are: nothing encodes an event a second time.

The topic beside the bytes, `<stored name>@<schema version>`, chooses the type
to read them with. Bytes of an earlier schema go through the upcasters first.

What is personal or secret in a fact does not stand in it: behind the fact stands
each such field encrypted (store/events/fields.py), and reading puts back what its
audience may see (store/events/reading.py).
"""

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from datetime import UTC, datetime
from functools import cache
from operator import getitem
from typing import Any, TypeAlias, cast

import msgspec

from domain.accesses import FieldDisclosed
from domain.deal import FACT_TYPES
from domain.directory import MembershipEnded, MembershipGranted, UnitRegistered, UserRegistered
from domain.history import Fact, Recorded, stored_name
from domain.organisation import AuthorityLimitsSet
from domain.process import ProcessPublished
from domain.restoring import StoreRestored
from domain.subjects import EncryptedField
from store.errors import EventWithoutKey, NotStorable, UnreadableEvent
from store.events.contract import check_contract
from store.events.fields import Encrypted, FieldCipher, KeyMissing, Place
from store.events.reading import FieldForm, Reading, field_forms, with_encrypted, with_values
from store.events.upcasters import UPCASTERS, Upcaster
from store.recorder import Row

REGISTERED: tuple[type[Fact], ...] = (
    *FACT_TYPES,
    ProcessPublished,
    UserRegistered,
    UnitRegistered,
    MembershipGranted,
    MembershipEnded,
    AuthorityLimitsSet,
    FieldDisclosed,
    StoreRestored,
)
"""Every type of fact that the log can hold."""

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
        self._forms = {name: field_forms(each) for name, each in self._types.items()}
        self._decoders: dict[str, _Decoder] = {}

    def to_row(
        self, event: Recorded[Fact], fields: Sequence[EncryptedField], cipher: FieldCipher
    ) -> tuple[Row, Recorded[Fact]]:
        """The row that stores `event`, and the event as it is read back from it.

        `fields` are those that are encrypted; their keys have to be there. Raises
        NotStorable where the event could not be read back: a text that is too long,
        an amount of the wrong type, a fact of an unregistered type.
        """
        fact_type = type(event.fact)
        topic = self._topics.get(fact_type)
        if topic is None:
            raise NotStorable(
                f"{fact_type.__name__} is not a registered type of fact",
                "Record one of the facts of the domain.",
            )
        try:
            decoder = self._decoder(topic)
            public, values = _parted(event.fact, fields)
            state = _to_json(_envelope(event, public))
            read = decoder.decode(with_values(state, values) if fields else state)
            if fields:
                state = with_encrypted(state, _closed(event, decoder.type, fields, values, cipher))
        except (msgspec.ValidationError, UnicodeEncodeError, TypeError, OverflowError) as error:
            raise NotStorable(
                f"{event.type} on {event.stream} cannot be stored: {error}",
                "Correct the value; nothing was recorded.",
            ) from error
        return (event.stream, event.version, topic, state), read

    def to_event(
        self, stream: str, version: int, topic: str, state: bytes, reading: Reading
    ) -> Recorded[Fact]:
        """The event that a row stores, as far as the audience sees it. Raises UnreadableEvent."""
        try:
            decoder = self._decoder(topic)
            if decoder.forms:
                state = reading.opened(stream, version, decoder.type, state, decoder.forms)
            event = decoder.decode(state)
        except KeyMissing as error:
            raise EventWithoutKey(
                f"version {version} of {stream} ({topic}) cannot be read: the key store has no key"
                f" {error}, and nobody erased it",
                "Restore the key store that belongs to this log.",
                stream,
                version,
            ) from error
        except _UNREADABLE as error:
            raise _unreadable(stream, version, topic, str(error)) from error
        if event.version != version or event.stream != stream:
            reason = f"its bytes are of version {event.version} of {event.stream}"
            raise _unreadable(stream, version, topic, reason)
        return event

    def _decoder(self, topic: str) -> "_Decoder":
        decoder = self._decoders.get(topic)
        if decoder is None:
            decoder = self._decoders[topic] = self._new_decoder(topic)
        return decoder

    def _new_decoder(self, topic: str) -> "_Decoder":
        name, _, schema = topic.rpartition("@")
        fact_type = self._types.get(name)
        if fact_type is None or not 1 <= int(schema) <= fact_type.schema_version:
            raise LookupError(f"this release does not know the type {topic!r}")
        recorded = getitem(cast("Any", Recorded), fact_type)
        forms = self._forms[name]
        if int(schema) == fact_type.schema_version:
            return _Decoder(name, forms, _decode_current(recorded))
        steps = [
            self._upcasters[name, step] for step in range(int(schema), fact_type.schema_version)
        ]
        return _Decoder(name, forms, _decode_earlier(recorded, steps))


class _Decoder(msgspec.Struct, frozen=True):
    """How the bytes of one topic are read."""

    type: str
    forms: Mapping[str, FieldForm]
    """Of the fields that may be encrypted."""
    decode: _Decode


def _envelope(event: Recorded[Fact], fact: Fact) -> _Envelope:
    return _Envelope(
        event.stream,
        event.version,
        fact.schema_version,
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


def _parted(fact: Fact, fields: Sequence[EncryptedField]) -> tuple[Fact, dict[str, bytes]]:
    """The fact without the fields that are encrypted, and these as JSON by their stored names."""
    if not fields:
        return fact, {}
    fact_type = type(fact)
    public = copy(fact)
    values = {}
    for field in fields:
        values[_stored_field(fact_type, field.name)] = _to_json(getattr(fact, field.name))
        # What is unset is not written, whatever the field's type.
        msgspec.structs.force_setattr(public, field.name, msgspec.UNSET)
    return public, values


def _closed(
    event: Recorded[Fact],
    type_: str,
    fields: Sequence[EncryptedField],
    values: Mapping[str, bytes],
    cipher: FieldCipher,
) -> dict[str, Encrypted]:
    """The fields that are encrypted, by their stored names. `values` are in their order."""
    secret = type(event.fact).secret
    return {
        name: cipher.encrypt(
            Place(event.stream, event.version, type_, name),
            field.outer,
            field.inner,
            value,
            secret=field.name in secret,
        )
        for field, (name, value) in zip(fields, values.items(), strict=True)
    }


@cache
def _stored_field(fact_type: type[Fact], field: str) -> str:
    encoded = fact_type.__struct_encode_fields__
    return encoded[fact_type.__struct_fields__.index(field)]


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
