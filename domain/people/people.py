"""People: the part of the state, and how facts change it. Folding never fails."""

from typing import Any, TypeVar, assert_never, cast

import msgspec
from msgspec import UNSET

from domain.history import ERASED, Recorded
from domain.people.facts import (
    AnyPeopleFact,
    Attitude,
    BuyingRole,
    ContactMade,
    ContactPoint,
    Focus,
    LeaningObserved,
    Level,
    MinutesSent,
    Openness,
    PeopleFact,
    Power,
    RelationKind,
    RelationRecorded,
    Relationship,
    StakeholderAssessed,
    StakeholderDeparted,
    StakeholderIdentified,
    StakeholderRevised,
    SubjectErased,
)

replace = msgspec.structs.replace
F = TypeVar("F", bound=PeopleFact)


class Stakeholder(msgspec.Struct, frozen=True, gc=False):
    """One of the customer's people, as known now. None: not known."""

    identified: Recorded[StakeholderIdentified]
    name: str
    person: str | None = None
    title: str | None = None
    department: str | None = None
    level: Level | None = None
    roles: tuple[BuyingRole, ...] = ()
    powers: tuple[Power, ...] = ()
    reports_to: str | None = None
    contact_points: tuple[ContactPoint, ...] = ()
    influence: int | None = None
    attitude: Attitude | None = None
    relationship: Relationship | None = None
    openness: Openness | None = None
    focus: tuple[Focus, ...] = ()
    business_motive: str | None = None
    personal_motive: str | None = None
    set_by: dict[str, int] = {}
    """By the name of a field above: version of the event that last gave it."""
    leaning: Recorded[LeaningObserved] | None = None
    departed: Recorded[StakeholderDeparted] | None = None
    erased: Recorded[SubjectErased] | None = None

    @property
    def id(self) -> str:
        return self.identified.fact.id

    @property
    def present(self) -> bool:
        """Still has a part in the purchase."""
        return self.departed is None


class Contact(msgspec.Struct, frozen=True, gc=False):
    """A contact, and its minutes once they went out."""

    made: Recorded[ContactMade]
    minutes: Recorded[MinutesSent] | None = None

    @property
    def id(self) -> str:
        return self.made.fact.id


class People(msgspec.Struct, frozen=True, gc=False):
    """The customer's people on the deal, the threads between them, and our contacts with them."""

    stakeholders: tuple[Stakeholder, ...] = ()
    relations: tuple[Recorded[RelationRecorded], ...] = ()
    """The latest of each pair and kind."""
    contacts: tuple[Contact, ...] = ()

    @property
    def present(self) -> tuple[Stakeholder, ...]:
        """Who has a part in the purchase now."""
        return tuple([one for one in self.stakeholders if one.departed is None])

    def stakeholder(self, stakeholder_id: str) -> Stakeholder | None:
        return next((one for one in self.stakeholders if one.id == stakeholder_id), None)

    def contact(self, contact_id: str) -> Contact | None:
        return next((one for one in self.contacts if one.id == contact_id), None)

    def with_role(self, role: BuyingRole) -> tuple[Stakeholder, ...]:
        """Who has a part in the purchase now and holds this role."""
        return tuple(
            [one for one in self.stakeholders if one.departed is None and role in one.roles]
        )


def evolve(people: People, event: Recorded[AnyPeopleFact]) -> People:
    """The part after `event`."""
    match event.fact:
        case StakeholderIdentified():
            return _identified(people, cast("Recorded[StakeholderIdentified]", event))
        case StakeholderRevised() | StakeholderAssessed():
            return _changed(people, event.fact, event.version)
        case RelationRecorded():
            return _related(people, cast("Recorded[RelationRecorded]", event))
        case LeaningObserved(stakeholder=stakeholder):
            return _with(people, stakeholder, leaning=event)
        case StakeholderDeparted(stakeholder=stakeholder):
            return _with(people, stakeholder, departed=event)
        case ContactMade():
            contact = Contact(cast("Recorded[ContactMade]", event))
            return replace(people, contacts=(*people.contacts, contact))
        case MinutesSent():
            return _minuted(people, cast("Recorded[MinutesSent]", event))
        case SubjectErased(stakeholder=stakeholder):
            return _erased(people, stakeholder, cast("Recorded[SubjectErased]", event))
        case _:
            assert_never(event.fact)


KNOWN_AT_FIRST = (
    "name",
    "person",
    "title",
    "department",
    "level",
    "roles",
    "powers",
    "reports_to",
    "contact_points",
)
"""Fields that identifying and revising give."""

ASSESSED = (
    "influence",
    "attitude",
    "relationship",
    "openness",
    "focus",
    "business_motive",
    "personal_motive",
)
"""Fields that assessing gives."""


def _identified(people: People, event: Recorded[StakeholderIdentified]) -> People:
    """Somebody identified anew under an id, as only an unsound history does, replaces."""
    known = {name: getattr(event.fact, name) for name in KNOWN_AT_FIRST}
    new = Stakeholder(
        identified=event,
        set_by={name: event.version for name, value in known.items() if value not in (None, ())},
        **known,
    )
    others = tuple(one for one in people.stakeholders if one.id != new.id)
    return replace(people, stakeholders=(*others, new))


def _changed(
    people: People, fact: StakeholderRevised | StakeholderAssessed, version: int
) -> People:
    before = people.stakeholder(fact.stakeholder)
    if before is None:
        return people
    hidden = fact.personal if before.erased else ()
    given = {
        name: value
        for name in fact.__struct_fields__
        if name not in ("stakeholder", *hidden) and (value := getattr(fact, name)) is not UNSET
    }
    set_by = {name: by for name, by in before.set_by.items() if name not in given}
    set_by |= {name: version for name, value in given.items() if value not in (None, ())}
    return _with(people, fact.stakeholder, **given, set_by=set_by)


def _related(people: People, event: Recorded[RelationRecorded]) -> People:
    others = (one for one in people.relations if thread(one.fact) != thread(event.fact))
    return replace(people, relations=(*others, event))


def thread(fact: RelationRecorded) -> tuple[str, str, str]:
    """What a relation is the latest of: a kind between two people, directed where it influences."""
    if fact.kind is RelationKind.INFLUENCES:
        return (fact.from_, fact.to, fact.kind)
    one, other = sorted((fact.from_, fact.to))
    return (one, other, fact.kind)


def _minuted(people: People, event: Recorded[MinutesSent]) -> People:
    contacts = tuple(
        replace(one, minutes=event) if one.id == event.fact.contact else one
        for one in people.contacts
    )
    return replace(people, contacts=contacts)


def _erased(people: People, stakeholder: str, event: Recorded[SubjectErased]) -> People:
    before = people.stakeholder(stakeholder)
    if before is None:
        return people
    identity: dict[str, Any] = {"name": ERASED, "title": None, "contact_points": ()}
    after = replace(
        before,
        erased=event,
        identified=_without(before.identified, **identity),
        leaning=_without(before.leaning, reason=None) if before.leaning else None,
        departed=_without(before.departed, reason=None) if before.departed else None,
        business_motive=None,
        personal_motive=None,
        **identity,
    )
    return replace(
        people,
        stakeholders=tuple(after if one is before else one for one in people.stakeholders),
        contacts=tuple(
            replace(one, made=_without(one.made, purpose=None, summary=None))
            if stakeholder in one.made.fact.their_people
            else one
            for one in people.contacts
        ),
    )


def _without(event: Recorded[F], **cleared: Any) -> Recorded[F]:
    """The event with these fields of its fact blanked."""
    return replace(event, fact=replace(event.fact, **cleared))


def _with(people: People, stakeholder: str, **changes: Any) -> People:
    stakeholders = tuple(
        replace(one, **changes) if one.id == stakeholder else one for one in people.stakeholders
    )
    return replace(people, stakeholders=stakeholders)
