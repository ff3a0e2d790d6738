"""Who is meant by what somebody types: a person's id, a stakeholder on a deal, or a full name."""

from collections.abc import Sequence

from msgspec import Struct

from api.queries.listing import find_deal, references_of
from api.workspace import Workspace
from domain.access import NO_DEAL, Action, require
from domain.history import StreamKind, stream_of
from domain.intent import Intent
from domain.people.facts import SubjectErased
from projections.deals import DealNotFound
from store.forgetting.appearances import (
    Appearance,
    Person,
    Progress,
    called_like,
    everywhere,
    named,
    silent,
    subjects_of,
)
from store.forgetting.erasure import erase
from store.forgetting.tolerant import Unread, ignored, readable_events


class PersonNotFound(LookupError):
    """Nobody answers to that, or several do. `ways`: how each of them is named for certain."""

    def __init__(self, message: str, ways: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.ways = tuple(ways)


def find_person(
    store: Workspace,
    wanted: Sequence[str],
    progress: Progress = silent,
    unread: Unread = ignored,
    *,
    by_name: bool = True,
) -> Person:
    """The one human being that all of these name. Raises PersonNotFound.

    Each is the id of a person, DEAL/STAKEHOLDER, or, with `by_name`, a full name that only one
    person ever had; names are gone once somebody was erased, ids stay. Several are given where
    somebody was taken for several persons: who is erased with them has to be named too.
    """
    persons: set[str] = set()
    appearances: set[Appearance] = set()
    meant: set[str] = set()
    for one in wanted:
        person = _found(store, one, progress, unread, by_name=by_name)
        persons |= set(person.persons)
        appearances |= set(person.appearances)
        meant |= _meant(store, one, person)
    others = persons - meant
    if others:
        raise PersonNotFound(
            "they were also taken for other persons, and cannot be erased apart from them",
            [
                f"{other}  on {_places(store, everywhere(store.log, [other]))}"
                for other in sorted(others)
            ],
        )
    return everywhere(store.log, persons, appearances)


def _found(
    store: Workspace, wanted: str, progress: Progress, unread: Unread, *, by_name: bool
) -> Person:
    person = everywhere(store.log, [wanted], progress=progress)
    if person.appearances:
        return person
    on_deal = _on_deal(store, wanted)
    if on_deal is not None:
        return everywhere(store.log, (), [on_deal], progress)
    if not by_name:
        raise PersonNotFound("no person has that id, or that place on a deal")
    people = named(store.log, wanted, progress, unread)
    if len(people) == 1:
        return people[0]
    if people:
        ways = [f"{_way(store, person)}  on {_places(store, person)}" for person in people]
        raise PersonNotFound(f"{len(people)} persons had that name", ways)
    raise PersonNotFound("no person has that id, that place on a deal, or that full name")


def _meant(store: Workspace, wanted: str, person: Person) -> set[str]:
    """The persons that whoever typed this has in mind."""
    if wanted in person.persons:
        return {wanted}
    on_deal = _on_deal(store, wanted)
    if on_deal is None:
        return set(person.persons)
    stream = stream_of(StreamKind.DEAL, on_deal.deal)
    now = subjects_of(store.log, stream).stakeholders[on_deal.stakeholder].person
    return {now} if now is not None else set(person.persons)


def _on_deal(store: Workspace, wanted: str) -> Appearance | None:
    """The stakeholder of DEAL/STAKEHOLDER. Slashes may also be in the ids."""
    for at in (place for place, character in enumerate(wanted) if character == "/"):
        try:
            deal = find_deal(store, wanted[:at])
        except DealNotFound:
            continue
        subjects = subjects_of(store.log, stream_of(StreamKind.DEAL, deal))
        if wanted[at + 1 :] in subjects.stakeholders:
            return Appearance(deal, wanted[at + 1 :])
    return None


class Forgotten(Struct, frozen=True):
    """Somebody who was forgotten, and the events that say so."""

    person: Person
    events: tuple[tuple[str, int], ...]
    """Stream and version of each."""
    repeated: bool


def forget_once(
    store: Workspace, wanted: Sequence[str], reason: str | None, asked: Struct, intent: Intent
) -> Forgotten:
    """Erase the person that these ids name, once for each command id of a principal.

    `asked` tells one request from another. Raises PersonNotFound, Refusal, StoreError.
    """
    require(intent.principal, Action.ERASE, NO_DEAL)
    person = find_person(store, wanted, by_name=False)
    stream = stream_of(StreamKind.USER, intent.principal.id)
    begun = store.log.undertake(stream, asked, intent)
    # One that was cut short before its events were there is carried out now.
    if not (begun.repeated and _told(store, person, intent)):
        erase(store.log, person, intent, reason)
    return Forgotten(person, _told(store, person, intent), begun.repeated)


def _told(store: Workspace, person: Person, intent: Intent) -> tuple[tuple[str, int], ...]:
    """The events that this command led to."""
    who = (intent.principal.id, intent.command_id)
    return tuple(
        (stream, event.version)
        for stream in person.streams
        for event in readable_events(store.log.records, stream)
        if isinstance(event.fact, SubjectErased) and (event.actor, event.command_id) == who
    )


def look_up(store: Workspace, text: str, progress: Progress = silent) -> list[tuple[str, str, str]]:
    """Who ever had a name with this in it: the name, how to name them, where they appear."""
    return [
        (name, _way(store, person), _places(store, person))
        for name, person in called_like(store.log, text, progress)
    ]


def _way(store: Workspace, person: Person) -> str:
    return " ".join(person.persons) or _places(store, person).partition(", ")[0]


def _places(store: Workspace, person: Person) -> str:
    called = references_of(store, [one.deal for one in person.appearances])
    return ", ".join(f"{called[one.deal]}/{one.stakeholder}" for one in person.appearances)
