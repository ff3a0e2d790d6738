"""Erasure: a person is forgotten on every deal, for good, and the log still proves itself.

Theory of operation. What is stored is never changed. All that was recorded of
a person is encrypted under keys that only they have, and erasing destroys the
keys. The steps, in an order in which a crash between any two loses nothing:

1. the keys are doomed: from now on nobody, in any process, can read with them or
   record under them (`KeyRing.begin_erasure`, which also notes what is to be done);
2. `subject-erased` is appended on every deal where the person appears, all in
   one transaction, deals that have ended included;
3. the fingerprints of the commands that told of the person are cleared, and with
   the write-ahead log their former pages;
4. the keys are destroyed (`KeyRing.finish_erasure`), and the note with them.

Each step finds what is left to do and may be done again. An erasure that was
cut short after step 1 is finished when the store is opened next. What it was
for, the reason, is then not recorded: until the end it is nowhere but in memory.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeAlias
from uuid import uuid4

import msgspec

from domain.access import NO_DEAL, Action, Principal, Role, require
from domain.deal import DealFact, History, decide
from domain.deciding import require_legible
from domain.history import Draft, Fact, StreamKind, stored_name, stream_of
from domain.intent import Intent
from domain.people.commands import EraseSubject
from domain.people.facts import StakeholderIdentified, StakeholderRevised, SubjectErased
from domain.refusals import PersonErased, Refusal
from domain.subjects import Subjects, encrypted_fields
from store.appearances import Person, everywhere, folded, of_keys
from store.fields import Encrypted, FieldCipher, KeyErased, KeyMissing, Keys, Place
from store.log import DealLog
from store.stored import encrypted_in, read_stored, type_of
from store.writing import Batch

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

    @property
    def is_empty(self) -> bool:
        """Whether there was nothing left to erase."""
        return not (self.gone or self.appended or self.keys)


def _unwatched(_: str) -> None: ...


def survey(log: DealLog, person: Person) -> Erasure:
    """What erasing the person would take away and leave. Changes nothing."""
    names = _names_of(log, person)
    kept, doomed = FieldCipher(log.keys), FieldCipher(_Without(log.keys, person.keys))
    gone: Counter[tuple[str, str, str]] = Counter()
    mentions: list[Mention] = []
    for row in log.records.rows_of(person.streams):
        stream, version, topic, _ = row
        deal, type_ = stream.partition(":")[2], type_of(topic)
        stored = read_stored(row[3])
        readable: dict[str, Any] = dict(stored.fact)
        for place, encrypted in encrypted_in(row, stored):
            value = _value(doomed, place, encrypted)
            if value is not None:
                readable[place.field] = msgspec.json.decode(value)
            elif _value(kept, place, encrypted) is not None:
                gone[deal, type_, place.field] += 1
        mentions += (
            Mention(deal, version, type_, field)
            for field, value in readable.items()
            if not (field == "name" and type_ in _NAMED_THERE) and _tells(value, names)
        )
    return Erasure(person, dict(sorted(gone.items())), tuple(sorted(mentions)))


def erase(
    log: DealLog,
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
    person = everywhere(log, person.persons, person.appearances)
    if reason is not None:
        _check_reason(log, person, reason)
    planned = survey(log, person)
    return _carry_through(log, person.keys[0], planned, intent, reason=reason, at=at)


def finish_pending(log: DealLog, at: At = _unwatched) -> int:
    """Finish the erasures that a crash has cut short; how many there were."""
    pending = log.keys.pending_erasures()
    for one in pending:
        planned = Erasure(of_keys(log, one.names), {}, ())
        now = log.now()
        intent = Intent(
            command_id=str(uuid4()), principal=SYSTEM, source="system", now=now, occurred_at=now
        )
        _carry_through(log, one.subject, planned, intent, reason=None, at=at)
    return len(pending)


def _carry_through(
    log: DealLog, subject: str, planned: Erasure, intent: Intent, *, reason: str | None, at: At
) -> Erasure:
    person = _doomed(log, subject, planned.person)
    at("begun")
    appended = _append(log, person, intent, reason)
    at("appended")
    commands = log.records.clear_fingerprints(_unreadable_events(log, person))
    at("cleared")
    log.records.purge()
    at("purged")
    keys = log.keys.finish_erasure(subject)
    at("finished")
    return Erasure(person, planned.gone, planned.mentions, appended, keys, commands)


def _doomed(log: DealLog, subject: str, person: Person) -> Person:
    """The person with all keys doomed, also those made while we looked for them."""
    doomed: set[str] = set()
    while not doomed.issuperset(person.keys):
        log.keys.begin_erasure(person.keys, subject)
        doomed |= set(person.keys)
        person = everywhere(log, person.persons, person.appearances)
    return person


# The events that say so.


def _append(log: DealLog, person: Person, intent: Intent, reason: str | None) -> int:
    """Append `subject-erased` wherever it is not yet; how many."""
    drafts: list[Draft[Fact]] = []

    def decided() -> list[Batch]:
        drafts.clear()
        batches = []
        for stream in person.streams:
            history = log.history(stream.partition(":")[2])
            facts = [
                fact
                for one in person.appearances
                if stream_of(StreamKind.DEAL, one.deal) == stream
                for fact in _facts(log, history, EraseSubject(one.stakeholder, reason), intent)
            ]
            if facts:
                batches.append(Batch(stream, history.version, [intent.draft(f) for f in facts]))
                drafts.extend(batches[-1].drafts)
        return batches

    log.append_alone(decided)
    return len(drafts)


def _facts(
    log: DealLog, history: History, command: EraseSubject, intent: Intent
) -> Sequence[DealFact]:
    """What the rules make of it; where they refuse, the right to be forgotten goes first."""
    erased = (one.fact for one in history.events if isinstance(one.fact, SubjectErased))
    if any(fact.stakeholder == command.stakeholder for fact in erased):
        return ()
    try:
        return decide(command, history, log.processes(), intent, log.organisation())
    except Refusal:
        return (SubjectErased(command.stakeholder, command.reason),)


def _check_reason(log: DealLog, person: Person, reason: str) -> None:
    """Refuse a reason that speaks of the person, by the full name or a part of it."""
    require_legible(EraseSubject(person.appearances[0].stakeholder, reason))
    told = _tells(reason, _names_of(log, person))
    for one in person.appearances:
        stream = stream_of(StreamKind.DEAL, one.deal)
        fact = SubjectErased(one.stakeholder, reason)
        fields = encrypted_fields(fact, stream, _subjects_with_names(log, one.deal))
        needed = {key for field in fields for key in (*field.outer, *field.inner)}
        if told or needed.intersection(person.keys):
            raise PersonErased(
                "the reason names the person", "Say it without names; nothing was erased."
            )


def _subjects_with_names(log: DealLog, deal: str) -> Subjects:
    subjects = Subjects()
    for event in log.history(deal).events:
        subjects = subjects.after(event.fact)
    return subjects


def _names_of(log: DealLog, person: Person) -> frozenset[str]:
    """Every full name that the person ever had, on any deal."""
    found: set[str] = set()
    for one in person.appearances:
        subject = _subjects_with_names(log, one.deal).stakeholders.get(one.stakeholder)
        found |= {folded(name) for name in (subject.names if subject else ())}
    return frozenset(found)


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


def _value(cipher: FieldCipher, place: Place, encrypted: Encrypted) -> bytes | None:
    """The JSON that the field holds; nothing where it was erased."""
    try:
        return cipher.decrypt(place, encrypted).value
    except KeyErased:
        return None
    except KeyMissing:
        # Lost is not erased. Nobody can read it, so there is nothing in it to tell of.
        return b"null"


def _unreadable_events(log: DealLog, person: Person) -> list[tuple[str, int]]:
    """Stream and version of each event on the person's deals that has lost a field."""
    cipher = FieldCipher(log.keys)
    found = []
    for row in log.records.rows_of(person.streams):
        fields = encrypted_in(row, read_stored(row[3]))
        if any(_value(cipher, place, encrypted) is None for place, encrypted in fields):
            found.append((row[0], row[1]))
    return found


def _tells(value: Any, names: Collection[str]) -> bool:
    """Whether a text anywhere in a value, as JSON has it, holds one of the names."""
    match value:
        case str():
            text = folded(value)
            return any(name in text for name in names)
        case list():
            return any(_tells(one, names) for one in value)
        case dict():
            return any(_tells(one, names) for one in value.values())
        case _:
            return False
