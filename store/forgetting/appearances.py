"""Where people appear: on which deals, as which stakeholders, under which keys.

Theory of operation. Who a stakeholder is taken for is public, so a person is found
on all deals by reading every fact that identifies or revises a stakeholder: one
pass over the log, without a key. Erasing is rare; an index of all people would
have to be kept up with every append. To find somebody by name, the same facts
are decrypted.

Who was ever taken for the same person belongs together: what was recorded of them
stands under the keys of each person they were taken for. So a stakeholder who was
taken for two persons, one after the other, makes the two one.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import TYPE_CHECKING, TypeAlias
from unicodedata import normalize

import msgspec

from domain.history import WITHHELD, Fact, StreamKind, stored_name, stream_of
from domain.people.facts import StakeholderIdentified, StakeholderRevised
from domain.subjects import Subjects
from store.errors import StoreError
from store.events.codec import codec
from store.events.reading import PUBLIC, Reading
from store.forgetting.tolerant import Unread, ignored, readable_events, whole

if TYPE_CHECKING:
    from store.log import DealLog

PAGE_EVENTS = 5_000

Progress: TypeAlias = Callable[[int, int], None]
"""Called with (positions of the log read, positions in all)."""

_TYPES = (StakeholderIdentified, StakeholderRevised)
_TOPICS = tuple(
    f"{stored_name(one)}@{schema}" for one in _TYPES for schema in range(1, one.schema_version + 1)
)
_PERSON, _STAKEHOLDER = "person", "stakeholder"


class Appearance(msgspec.Struct, frozen=True, order=True):
    """One of the customer's people on one deal, by ids."""

    deal: str
    stakeholder: str


class Person(msgspec.Struct, frozen=True):
    """One human being, as far as ids tell: who was ever taken for the same person."""

    persons: tuple[str, ...]
    """Person ids, sorted."""
    appearances: tuple[Appearance, ...]
    """Sorted."""
    keys: tuple[str, ...]
    """The names of all keys under which their data is encrypted, sorted. Never empty."""

    @property
    def streams(self) -> tuple[str, ...]:
        """The streams of the deals where they appear, in order."""
        return tuple(dict.fromkeys(_stream(one) for one in self.appearances))


def silent(done: int, total: int) -> None:
    """Progress that nobody watches."""


def subjects_of(log: "DealLog", stream: str, upto: int | None = None) -> Subjects:
    """Who is on a deal, by ids alone: without names, so without any key."""
    subjects = Subjects()
    for event in readable_events(log.records, stream):
        if upto is None or event.version <= upto:
            subjects = subjects.after(event.fact)
    return subjects


def everywhere(
    log: "DealLog",
    persons: Iterable[str],
    appearances: Iterable[Appearance] = (),
    progress: Progress = silent,
) -> Person:
    """All that belongs together with these persons and stakeholders."""
    sought, read = set(persons), set[str]()
    found = set(appearances)
    known = {stream: subjects_of(log, stream) for stream in {_stream(one) for one in found}}
    while True:
        if sought - read:
            for stream in _streams_naming(log, sought - read, progress) - known.keys():
                known[stream] = subjects_of(log, stream)
            read = set(sought)
        before = len(found)
        for stream, subjects in known.items():
            deal = stream.partition(":")[2]
            found |= {
                Appearance(deal, one)
                for person in sought
                for one in subjects.stakeholders_of(person)
            }
        for one in found:
            subject = known[_stream(one)].stakeholders.get(one.stakeholder)
            sought |= set(subject.persons if subject else ())
        if sought == read and len(found) == before:
            break
    keys = {f"{_PERSON}:{person}" for person in sought}
    for one in found:
        keys |= set(known[_stream(one)].keys_of(one.stakeholder, _stream(one)))
    return Person(tuple(sorted(sought)), tuple(sorted(found)), tuple(sorted(keys)))


def of_keys(log: "DealLog", keys: Collection[str]) -> Person:
    """Whom keys of these names belong to. The inverse of `Person.keys`, as of now."""
    persons, appearances = [], []
    for key in keys:
        kind, _, rest = key.partition(":")
        if kind == _PERSON:
            persons.append(rest)
        elif kind == _STAKEHOLDER:
            deal, _, stakeholder = rest.partition("/")
            deal = deal.replace("%2F", "/").replace("%25", "%")
            appearances.append(Appearance(deal, stakeholder))
    return everywhere(log, persons, appearances)


def named(
    log: "DealLog", name: str, progress: Progress = silent, unread: Unread = ignored
) -> list[Person]:
    """Each person who ever had this full name; upper and lower case are the same.

    `unread` is told where a name cannot be read, which may be theirs.
    """
    wanted = folded(name)
    called = {
        Appearance(stream.partition(":")[2], _stakeholder(fact))
        for stream, fact in _facts(log, whole(log), progress, unread=unread)
        if isinstance(fact.name, str) and fact.name not in WITHHELD and folded(fact.name) == wanted
    }
    people: list[Person] = []
    for one in sorted(called):
        if not any(one in person.appearances for person in people):
            subject = subjects_of(log, _stream(one)).stakeholders.get(one.stakeholder)
            if subject is not None:
                people.append(everywhere(log, subject.persons, [one]))
    return people


def called_like(
    log: "DealLog", text: str, progress: Progress = silent, most: int | None = None
) -> list[tuple[str, Person]]:
    """Whoever ever had a name with this text in it, with that name, in order of names.

    At most so many; None: all of them.
    """
    wanted = folded(text)
    found: dict[Appearance, str] = {}
    for stream, fact in _facts(log, whole(log), progress):
        name = fact.name
        if isinstance(name, str) and name not in WITHHELD and wanted in folded(name):
            found[Appearance(stream.partition(":")[2], _stakeholder(fact))] = name
    people: list[tuple[str, Person]] = []
    for one, name in sorted(found.items(), key=lambda item: (folded(item[1]), item[0])):
        if len(people) == most:
            break
        if not any(one in person.appearances for _, person in people):
            subject = subjects_of(log, _stream(one)).stakeholders.get(one.stakeholder)
            people.append((name, everywhere(log, subject.persons if subject else (), [one])))
    return people


def folded(text: str) -> str:
    """The text as names are compared: composed (Unicode NFC), upper and lower case the same."""
    return normalize("NFC", text).casefold()


def _streams_naming(log: "DealLog", persons: Collection[str], progress: Progress) -> set[str]:
    ids = [msgspec.json.encode(person) for person in persons]
    found = _facts(log, PUBLIC, progress, ids)
    return {stream for stream, fact in found if fact.person in persons}


def _facts(
    log: "DealLog",
    reading: Reading,
    progress: Progress,
    holding: Collection[bytes] = (),
    unread: Unread = ignored,
) -> Iterator[tuple[str, StakeholderIdentified | StakeholderRevised]]:
    """Every fact that says who a stakeholder is, with its stream, in order of the log.

    `holding`: only those whose bytes hold one of these; decoding takes the most time.
    """
    to_event, head, position = codec().to_event, log.head(), 0
    while found := log.recorder.select_notifications(
        position, PAGE_EVENTS, topics=_TOPICS, inclusive_of_start=False
    ):
        for one in found:
            if holding and not any(some in one.state for some in holding):
                continue
            stream, version = str(one.originator_id), one.originator_version
            try:
                fact: Fact = to_event(stream, version, one.topic, one.state, reading).fact
            except StoreError:
                unread(stream, version)
                continue
            assert isinstance(fact, _TYPES)
            yield stream, fact
        position = found[-1].id
        progress(position, max(head, position))


def _stakeholder(fact: StakeholderIdentified | StakeholderRevised) -> str:
    return fact.id if isinstance(fact, StakeholderIdentified) else fact.stakeholder


def _stream(one: Appearance) -> str:
    return stream_of(StreamKind.DEAL, one.deal)
