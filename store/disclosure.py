"""Handing out the value of one encrypted field, so that others can check that it was recorded.

Beside each encrypted field the event holds a commitment to its value. Who is
given the value and the salt of the commitment can check them against the sealed
event (store/seals/verify.py); all other fields stay closed. That it was handed
out is recorded before it is, on a stream of its own.
"""

import msgspec

from domain.access import Sensitivity
from domain.accesses import FieldDisclosed
from domain.history import StreamKind, stored_name, stream_of
from domain.intent import Intent
from domain.refusals import VersionConflict
from store.errors import StoreError
from store.events.codec import REGISTERED
from store.events.fields import Encrypted, FieldCipher, KeyErased, KeyLost, KeyMissing, Place
from store.events.reading import field_forms
from store.events.stored import read_stored
from store.events.writing import Batch
from store.log import DealLog
from store.notary import Notary, stored_event
from store.seals.proofs import Disclosure

_ATTEMPTS = 5


class FieldNotEncrypted(StoreError):
    """The event has no encrypted field of that name."""


class FieldErased(StoreError):
    """The value is gone for good: a key that it needs was destroyed."""


class ClosedField(msgspec.Struct, frozen=True):
    """An encrypted field of a stored event."""

    place: Place
    encrypted: Encrypted
    sensitivity: Sensitivity


def closed_field(log: DealLog, deal_id: str, version: int, field: str) -> ClosedField:
    """The field as it is stored. Raises UnknownEvent, FieldNotEncrypted."""
    stream = stream_of(StreamKind.DEAL, deal_id)
    _, state = stored_event(log.records, stream, version)
    event = read_stored(state)
    if field not in event.encrypted:
        told = ", ".join(event.encrypted) or "none"
        raise FieldNotEncrypted(
            f"version {version} of {stream} has no encrypted field {field!r}",
            f"Those that it has: {told}.",
        )
    place = Place(stream, version, event.type, field)
    return ClosedField(place, event.encrypted[field], _sensitivity(event.type, field))


def _sensitivity(event_type: str, field: str) -> Sensitivity:
    """How far the field may be shown; one that today's types do not have any more: least far."""
    for fact_type in REGISTERED:
        form = field_forms(fact_type).get(field) if stored_name(fact_type) == event_type else None
        if form is not None:
            return form.sensitivity
    return Sensitivity.SECRET


def disclose(log: DealLog, notary: Notary, closed: ClosedField, intent: Intent) -> str:
    """The receipt of the event with the value of the field in it; that it was made is recorded.

    Raises FieldErased, and StoreError where the key is missing; then nothing is recorded.
    """
    place = closed.place
    try:
        opened = FieldCipher(log.keys).decrypt(place, closed.encrypted)
    except KeyErased:
        raise FieldErased(
            f"the field {place.field} of version {place.version} of {place.stream} was erased",
            "Its value is gone for good; nobody can disclose it any more.",
        ) from None
    except KeyLost:
        raise StoreError(
            f"the key of the field {place.field} of version {place.version} of {place.stream} was"
            " lost, and given up when a backup was restored",
            "Only an older receipt can tell the value.",
        ) from None
    except KeyMissing as error:
        raise StoreError(
            f"the key store has no key {error}, and nobody erased it",
            "Restore the key store that belongs to this log.",
        ) from None
    disclosure = Disclosure(place.field, opened.salt, opened.value.decode())
    receipt = notary.receipt(place.stream, place.version, (disclosure,))
    _record(log, place, intent)
    return receipt


def _record(log: DealLog, place: Place, intent: Intent) -> None:
    deal_id = place.stream.partition(":")[2]
    stream = stream_of(StreamKind.ACCESS, deal_id)
    draft = intent.draft(FieldDisclosed(deal_id, place.version, place.field))
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            log.append([Batch(stream, log.records.version(stream), [draft])])
            return
        except VersionConflict:
            if attempt == _ATTEMPTS:
                raise
