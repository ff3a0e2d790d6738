"""People: what can be asked for. Each command leads to the fact of its name."""

from typing import Annotated, ClassVar

import msgspec
from msgspec import UNSET, UnsetType

from domain.access import Action
from domain.intent import Command
from domain.people.facts import (
    Attitude,
    BuyingRole,
    Channel,
    ContactKind,
    ContactOutcome,
    ContactPoint,
    Focus,
    Level,
    Openness,
    Power,
    RelationKind,
    Relationship,
)
from domain.values import Identifier, Label, Party, Score, Text


class PeopleCommand(Command, frozen=True):
    """Base of the commands about the customer's people."""


class IdentifyStakeholder(PeopleCommand, tag="identify-stakeholder", frozen=True):
    """Put one of the customer's people on the map."""

    replaces: ClassVar[bool] = False

    id: Identifier
    name: Label
    person: Identifier | None = None
    title: Label | None = None
    department: Label | None = None
    level: Level | None = None
    roles: tuple[BuyingRole, ...] = ()
    powers: tuple[Power, ...] = ()
    reports_to: Identifier | None = None
    contact_points: tuple[ContactPoint, ...] = ()


class ReviseStakeholder(PeopleCommand, tag="revise-stakeholder", frozen=True):
    """Change what is known of someone. Leave out what stays; null means no longer known."""

    replaces: ClassVar[bool] = True

    stakeholder: Identifier
    name: Label | UnsetType = UNSET
    person: Identifier | None | UnsetType = UNSET
    title: Label | None | UnsetType = UNSET
    department: Label | None | UnsetType = UNSET
    level: Level | None | UnsetType = UNSET
    roles: tuple[BuyingRole, ...] | UnsetType = UNSET
    powers: tuple[Power, ...] | UnsetType = UNSET
    reports_to: Identifier | None | UnsetType = UNSET
    contact_points: tuple[ContactPoint, ...] | UnsetType = UNSET


class AssessStakeholder(PeopleCommand, tag="assess-stakeholder", frozen=True):
    """Say how someone stands to us and to the deal. Leave out what stays; null means unknown."""

    replaces: ClassVar[bool] = True

    stakeholder: Identifier
    influence: Score | None | UnsetType = UNSET
    attitude: Attitude | None | UnsetType = UNSET
    relationship: Relationship | None | UnsetType = UNSET
    openness: Openness | None | UnsetType = UNSET
    focus: tuple[Focus, ...] | UnsetType = UNSET
    business_motive: Text | None | UnsetType = UNSET
    personal_motive: Text | None | UnsetType = UNSET


class RecordRelation(PeopleCommand, tag="record-relation", frozen=True):
    """Say how two of the customer's people stand to each other."""

    replaces: ClassVar[bool] = False

    from_: Identifier = msgspec.field(name="from")
    to: Identifier
    kind: RelationKind
    strength: Score | None = None


class ObserveLeaning(PeopleCommand, tag="observe-leaning", frozen=True):
    """Say whose offer someone prefers: a competitor's by its id, `us`, or nobody's."""

    replaces: ClassVar[bool] = False

    stakeholder: Identifier
    vendor: Identifier | None = None
    reason: Text | None = None


class RecordDeparture(PeopleCommand, tag="record-departure", frozen=True):
    """Record that someone left, or has no part in the purchase any more."""

    replaces: ClassVar[bool] = False

    stakeholder: Identifier
    successor: Identifier | None = None
    reason: Text | None = None


class RecordContact(PeopleCommand, tag="record-contact", frozen=True):
    """Record a visit, a call, a demo: whoever of them and of us took part."""

    replaces: ClassVar[bool] = False

    id: Identifier
    kind: ContactKind
    their_people: Annotated[tuple[Identifier, ...], msgspec.Meta(min_length=1)]
    our_people: tuple[Identifier, ...] = ()
    channel: Channel | None = None
    initiated_by: Party | None = None
    purpose: Text | None = None
    summary: Text | None = None
    outcome: ContactOutcome | None = None


class SendMinutes(PeopleCommand, tag="send-minutes", frozen=True):
    """Record that the minutes of a contact went to the customer."""

    replaces: ClassVar[bool] = False

    contact: Identifier


class EraseSubject(PeopleCommand, tag="erase-subject", frozen=True):
    """Show nothing personal of someone any more. Needs the right to erase."""

    right: ClassVar[Action] = Action.ERASE
    replaces: ClassVar[bool] = False

    stakeholder: Identifier
    reason: Text | None = None


AnyPeopleCommand = (
    IdentifyStakeholder
    | ReviseStakeholder
    | AssessStakeholder
    | RecordRelation
    | ObserveLeaning
    | RecordDeparture
    | RecordContact
    | SendMinutes
    | EraseSubject
)
