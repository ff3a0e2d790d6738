"""Erasure: a person is forgotten on every deal, for good, and the log still proves itself.

Theory of operation. What is stored is never changed. All that was recorded of
a person is encrypted under keys that only they have, and erasing destroys the
keys. The steps, in an order in which a crash between any two loses nothing:

1. the keys are doomed: from now on nobody, in any process, can read with them or
   record under them (`KeyRing.begin_erasure`, which also notes what is to be done);
2. `subject-erased` is appended on every deal where the person appears, all in
   one transaction, deals that have ended included;
3. the fingerprints of the commands that told of the person, or may have and changed
   nothing, are cleared, and with the write-ahead log their former pages;
4. the keys are destroyed (`KeyRing.finish_erasure`), and the note with them.

Each step finds what is left to do and may be done again. An erasure that was
cut short after step 1 is finished when the store is opened next. What it was
for, the reason, is then not recorded: until the end it is nowhere but in memory.
Whoever erases holds a lock, so that nobody takes a living erasure for one cut short.

No step needs to decrypt anything: what is appended follows from public facts, and
what is damaged is counted and left. Step 1 also leaves keyed hashes of the person's
full names, which no text on their deals may hold from then on (store/erased_names.py).
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import uuid4

import msgspec

from domain.access import NO_DEAL, Action, Principal, Role, require
from domain.deciding import require_legible
from domain.history import Draft, Fact, StreamKind, stored_name, stream_of
from domain.intent import Intent
from domain.people.commands import EraseSubject
from domain.people.facts import StakeholderIdentified, StakeholderRevised, SubjectErased
from domain.refusals import PersonErased
from domain.subjects import Subjects, encrypted_fields
from store.erased_names import ErasedNames
from store.events.fields import Encrypted, FieldCipher, KeyErased, KeyLost, KeyMissing, Keys, Place
from store.events.stored import encrypted_in, read_stored, type_of
from store.events.writing import Batch
from store.forgetting.appearances import Person, everywhere, folded, of_keys
from store.forgetting.tolerant import readable_events, whole
from store.keys.errors import CannotUnwrap, KeysDamaged
from store.keys.holding import Held
from store.recorder import Row

if TYPE_CHECKING:
    from store.log import DealLog

At: TypeAlias = Callable[[str], None]
"""Told each step once it is done: begun, appended, cleared, purged, finished."""

SYSTEM = Principal("system", frozenset({Role.OPERATOR}))
"""Who finishes what was cut short."""

_NAMED_THERE = {stored_name(StakeholderIdentified), stored_name(StakeholderRevised)}


class Mention(msgspec.Struct, frozen=True, order=True):
    """A field that stays readable, and holds a full name of the person."""

    deal: str
    version: int
    type: str
    field: str


class Erasure(msgspec.Struct, frozen=True):
    """What an erasure takes away, or took away, and what it leaves."""

    person: Person
    gone: Mapping[tuple[str, str, str], int]
    """How many events lose a field, by deal, type of event and field."""
    mentions: tuple[Mention, ...]
    """What is left to be withdrawn or disclosed by whoever erases."""
    appended: int = 0
    """Events `subject-erased`."""
    keys: int = 0
    """Destroyed."""
    commands: int = 0
    """Whose fingerprints were cleared."""
    unreadable: int = 0
    """Events and fields on their deals that cannot be read, though nobody erased them."""

    @property
    def is_empty(self) -> bool:
        """Whether there was nothing left to erase."""
        return not (self.gone or self.appended or self.keys)


def _unwatched(_: str) -> None: ...


def survey(log: "DealLog", person: Person) -> Erasure:
    """What erasing the person would take away and leave. Changes nothing."""
    names = _folded_names_of(log, person)
    names_before = ErasedNames(log.keys)
    kept, doomed = FieldCipher(log.keys), FieldCipher(_Without(log.keys, person.keys))
    gone: Counter[tuple[str, str, str]] = Counter()
    mentions: list[Mention] = []
    unreadable = 0
    for row, fields in _stored_rows(log, person):
        if fields is None:
            unreadable += 1
            continue
        stream, version, topic, _ = row
        deal, type_ = stream.partition(":")[2], type_of(topic)
        readable: dict[str, Any] = dict(read_stored(row[3]).fact)
        for place, encrypted in fields:
            try:
                value = _value(doomed, place, encrypted)
                if value is not None:
                    readable[place.field] = msgspec.json.decode(value)
                elif _value(kept, place, encrypted) is not None:
                    gone[deal, type_, place.field] += 1
            except _Unreadable:
                unreadable += 1
        mentions += (
            Mention(deal, version, type_, field)
            for field, value in readable.items()
            if not (field == "name" and type_ in _NAMED_THERE)
            and (_tells(value, names) or names_before.are_in(stream, _texts(value)))
        )
    counted = dict(sorted(gone.items()))
    return Erasure(person, counted, tuple(sorted(mentions)), unreadable=unreadable)


def erase(
    log: "DealLog",
    person: Person,
    intent: Intent,
    reason: str | None = None,
    at: At = _unwatched,
) -> Erasure:
    """Forget a person on every deal.

    Erasing again erases what was recorded since. Raises NotAllowed, PersonErased for
    a reason that names the person, StoreError; a StoreError may come after the keys
    were doomed, and then the rest is done when the store is opened next.
    """
    require(intent.principal, Action.ERASE, NO_DEAL)
    with log.keys.erasing():
        person = everywhere(log, person.persons, person.appearances)
        if reason is not None:
            _check_reason(log, person, reason)
        planned = survey(log, person)
        names = _names_of(log, person)
        return _carry_through(
            log, person.keys[0], planned, intent, reason=reason, names=names, at=at
        )


def finish_pending(log: "DealLog", at: At = _unwatched) -> int:
    """Finish the erasures that a crash has cut short; how many there were.

    Somebody who erases at this moment finishes for themselves.
    """
    try:
        with log.keys.erasing(wait_seconds=0):
            return _finish_pending(log, at)
    except Held:
        return 0


def _finish_pending(log: "DealLog", at: At) -> int:
    pending = log.keys.pending_erasures()
    for one in pending:
        planned = Erasure(of_keys(log, one.names), {}, ())
        now = log.now()
        intent = Intent(
            command_id=str(uuid4()), principal=SYSTEM, source="system", now=now, occurred_at=now
        )
        _carry_through(log, one.subject, planned, intent, reason=None, names=(), at=at)
    return len(pending)


def _carry_through(
    log: "DealLog",
    subject: str,
    planned: Erasure,
    intent: Intent,
    *,
    reason: str | None,
    names: Collection[str],
    at: At,
) -> Erasure:
    person = _doomed(log, subject, planned.person, names)
    at("begun")
    appended = _append(log, person, intent, reason)
    at("appended")
    commands = log.records.clear_fingerprints(_unreadable_events(log, person), person.streams)
    at("cleared")
    log.records.purge()
    at("purged")
    keys = log.keys.finish_erasure(subject)
    at("finished")
    return msgspec.structs.replace(
        planned, person=person, appended=appended, keys=keys, commands=commands
    )


def _doomed(log: "DealLog", subject: str, person: Person, names: Collection[str]) -> Person:
    """The person with all keys doomed, also those made while we looked for them.

    `names`: their full names, which no text on their deals may hold from now on.
    """
    doomed: set[str] = set()
    while not doomed.issuperset(person.keys):
        told = [(stream, name) for stream in person.streams for name in names]
        log.keys.begin_erasure(person.keys, subject, full_names=told)
        doomed |= set(person.keys)
        person = everywhere(log, person.persons, person.appearances)
    return person


# The events that say so.


def _append(log: "DealLog", person: Person, intent: Intent, reason: str | None) -> int:
    """Append `subject-erased` wherever it is not yet; how many."""
    drafts: list[Draft[Fact]] = []

    def decided() -> list[Batch]:
        drafts.clear()
        batches = []
        for stream in person.streams:
            facts = [SubjectErased(one, reason) for one in _not_erased_yet(log, person, stream)]
            if facts:
                told = [intent.draft(fact) for fact in facts]
                named = Subjects() if reason is None else _subjects_with_names(log, stream)
                batches.append(Batch(stream, log.records.version(stream), told, named))
                drafts.extend(told)
        return batches

    log.append_alone(decided)
    return len(drafts)


def _not_erased_yet(log: "DealLog", person: Person, stream: str) -> list[str]:
    """The stakeholders on a deal that the person is, and the deal does not call erased."""
    facts = (event.fact for event in readable_events(log.records, stream))
    erased = {fact.stakeholder for fact in facts if isinstance(fact, SubjectErased)}
    return [
        one.stakeholder
        for one in person.appearances
        if stream_of(StreamKind.DEAL, one.deal) == stream and one.stakeholder not in erased
    ]


def _check_reason(log: "DealLog", person: Person, reason: str) -> None:
    """Refuse a reason that speaks of the person, by the full name or a part of it."""
    require_legible(EraseSubject(person.appearances[0].stakeholder, reason))
    told = _tells(reason, _folded_names_of(log, person))
    for one in person.appearances:
        stream = stream_of(StreamKind.DEAL, one.deal)
        fact = SubjectErased(one.stakeholder, reason)
        fields = encrypted_fields(fact, stream, _subjects_with_names(log, stream))
        needed = {key for field in fields for key in (*field.outer, *field.inner)}
        if told or needed.intersection(person.keys):
            raise PersonErased(
                "the reason names the person", "Say it without names; nothing was erased."
            )


def _subjects_with_names(log: "DealLog", stream: str) -> Subjects:
    subjects = Subjects()
    for event in readable_events(log.records, stream, whole(log)):
        subjects = subjects.after(event.fact)
    return subjects


def _names_of(log: "DealLog", person: Person) -> frozenset[str]:
    """Every full name that the person ever had, on any deal."""
    found: set[str] = set()
    for one in person.appearances:
        stream = stream_of(StreamKind.DEAL, one.deal)
        subject = _subjects_with_names(log, stream).stakeholders.get(one.stakeholder)
        found |= set(subject.names if subject else ())
    return frozenset(found)


def _folded_names_of(log: "DealLog", person: Person) -> frozenset[str]:
    return frozenset(folded(name) for name in _names_of(log, person))


# The fields of stored events.


class _Without:
    """A key ring as it will be once the keys of these names are erased."""

    def __init__(self, ring: Keys, doomed: Collection[str]) -> None:
        self._ring = ring
        self._doomed = frozenset(doomed)

    @property
    def generation(self) -> int:
        return self._ring.generation

    def ensure(self, names: Collection[str]) -> dict[str, bytes]:
        return self._ring.ensure(names)

    def find(self, names: Collection[str]) -> dict[str, bytes]:
        return self._ring.find([name for name in names if name not in self._doomed])

    def is_erased(self, names: Collection[str]) -> set[str]:
        return self._ring.is_erased(names) | self._doomed.intersection(names)

    def is_lost(self, names: Collection[str]) -> set[str]:
        return self._ring.is_lost(names)


class _Unreadable(Exception):
    """A field is damaged, or its key is missing, though nobody erased it."""


def _value(cipher: FieldCipher, place: Place, encrypted: Encrypted) -> bytes | None:
    """The JSON that the field holds; nothing where it was erased. Raises _Unreadable."""
    try:
        return cipher.decrypt(place, encrypted).value
    except KeyErased:
        return None
    except KeyLost:
        # Lost is not erased. Nobody can read it, so there is nothing in it to tell of.
        return b"null"
    except (KeyMissing, KeysDamaged, CannotUnwrap, ValueError):
        raise _Unreadable from None


def _unreadable_events(log: "DealLog", person: Person) -> list[tuple[str, int]]:
    """Stream and version of each event on the person's deals that has lost a field."""
    cipher = FieldCipher(log.keys)
    found = []
    for row, fields in _stored_rows(log, person):
        if fields is None or any(_is_gone(cipher, *field) for field in fields):
            found.append(row[:2])
    return found


def _is_gone(cipher: FieldCipher, place: Place, encrypted: Encrypted) -> bool:
    try:
        return _value(cipher, place, encrypted) is None
    except _Unreadable:
        return True


def _stored_rows(
    log: "DealLog", person: Person
) -> Iterator[tuple[Row, list[tuple[Place, Encrypted]] | None]]:
    """The events on the person's deals with their encrypted fields; None: its bytes are damaged."""
    for row in log.records.rows_of(person.streams):
        try:
            fields = list(encrypted_in(row, read_stored(row[3])))
        except msgspec.MsgspecError:
            yield row, None
        else:
            yield row, fields


def _texts(value: Any) -> Iterator[str]:
    """Each text anywhere in a value, as JSON has it."""
    match value:
        case str():
            yield value
        case list():
            for one in value:
                yield from _texts(one)
        case dict():
            for one in value.values():
                yield from _texts(one)
        case _:
            pass


def _tells(value: Any, names: Collection[str]) -> bool:
    """Whether a text anywhere in a value, as JSON has it, holds one of the names."""
    return any(name in folded(text) for text in _texts(value) for name in names)
