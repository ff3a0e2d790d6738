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
from datetime import UTC, datetime
from functools import cache, lru_cache
from operator import getitem
from typing import Any, TypeAlias, cast

import msgspec
from msgspec import UNSET
from msgspec.structs import force_setattr

from domain.accesses import DataExported, FieldDisclosed, SecretsRead
from domain.deal import FACT_TYPES
from domain.directory import (
    ApiKeyIssued,
    ApiKeyRevoked,
    MembershipEnded,
    MembershipGranted,
    UnitRegistered,
    UserRegistered,
)
from domain.history import Fact, Recorded, stored_name
from domain.organisation import AuthorityLimitsSet
from domain.process import ProcessPublished
from domain.rates import ExchangeRatesPublished
from domain.restoring import StoreRestored
from domain.sessions import SessionEnded, SessionOpened
from domain.subjects import EncryptedField
from domain.targets import TargetSet
from domain.webhooks import (
    WebhookChanged,
    WebhookDisabled,
    WebhookEnabled,
    WebhookRegistered,
    WebhookReplayAsked,
    WebhookSecretRotated,
)
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
    ApiKeyIssued,
    ApiKeyRevoked,
    AuthorityLimitsSet,
    FieldDisclosed,
    SecretsRead,
    DataExported,
    SessionOpened,
    SessionEnded,
    StoreRestored,
    ExchangeRatesPublished,
    TargetSet,
    WebhookRegistered,
    WebhookChanged,
    WebhookSecretRotated,
    WebhookDisabled,
    WebhookEnabled,
    WebhookReplayAsked,
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
    """The moment in the one form that is written."""
    if moment.tzinfo is not UTC:
        if moment.utcoffset() is None:
            raise NotStorable(f"{moment} has no time zone", "Give times with their offset to UTC.")
        moment = moment.astimezone(UTC)
    # msgspec leaves out a fraction of zero.
    return moment if moment.microsecond else _with_fraction(moment)


@lru_cache(maxsize=64)
def _with_fraction(moment: datetime) -> str:
    """A moment in UTC, its fraction of zero written too. Many events have the same."""
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
            decoder = self._decoders.get(topic) or self._new_decoder(topic)
            if fields:
                public, values, closed = _parted(event, decoder.type, fields, cipher)
                state = _to_json(_envelope(event, public))
                read = decoder.decode(with_values(state, values))
                state = with_encrypted(state, closed)
            else:
                state = _to_json(_envelope(event, event.fact))
                read = decoder.decode(state)
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
            decoder = self._decoders.get(topic) or self._new_decoder(topic)
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

    def _new_decoder(self, topic: str) -> "_Decoder":
        """The decoder of a topic, made when it is first asked for."""
        name, _, schema = topic.rpartition("@")
        fact_type = self._types.get(name)
        if fact_type is None or not 1 <= int(schema) <= fact_type.schema_version:
            raise LookupError(f"this release does not know the type {topic!r}")
        recorded = getitem(cast("Any", Recorded), fact_type)
        if int(schema) == fact_type.schema_version:
            decode = _decode_current(recorded)
        else:
            steps = range(int(schema), fact_type.schema_version)
            decode = _decode_earlier(recorded, [self._upcasters[name, step] for step in steps])
        decoder = self._decoders[topic] = _Decoder(name, self._forms[name], decode)
        return decoder


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


def _parted(
    event: Recorded[Fact], type_: str, fields: Sequence[EncryptedField], cipher: FieldCipher
) -> tuple[Fact, dict[str, bytes], dict[str, Encrypted]]:
    """The fact without the fields that are encrypted; and these by their stored names.

    First as JSON, then closed for where they stand: in a fact stored as `type_`.
    """
    fact, stream, version = event.fact, event.stream, event.version
    stored, secret = _stored_fields(type(fact)), fact.secret
    # The method itself takes a quarter of the time that `copy` does.
    public, values, closed = cast("Any", fact).__copy__(), {}, {}
    for field in fields:
        own = field.name
        name = stored[own]
        values[name] = value = _to_json(getattr(fact, own))
        # What is unset is not written, whatever the field's type.
        force_setattr(public, own, UNSET)
        closed[name] = cipher.encrypt(
            Place(stream, version, type_, name), field.outer, field.inner, value, own in secret
        )
    return public, values, closed


@cache
def _stored_fields(fact_type: type[Fact]) -> dict[str, str]:
    """By the name of each field of a fact, the name under which it is stored."""
    return dict(zip(fact_type.__struct_fields__, fact_type.__struct_encode_fields__, strict=True))


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
