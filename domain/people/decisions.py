"""The customer's people: what a command leads to, and which facts can follow which state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, assert_never

from msgspec import UNSET, UnsetType

from domain.deciding import mirrored, unless_current
from domain.lifecycle.life import Status
from domain.people.commands import (
    AnyPeopleCommand,
    AssessStakeholder,
    EraseSubject,
    IdentifyStakeholder,
    ObserveLeaning,
    RecordContact,
    RecordDeparture,
    RecordRelation,
    ReviseStakeholder,
    SendMinutes,
)
from domain.people.facts import (
    AnyPeopleFact,
    ContactMade,
    LeaningObserved,
    MinutesSent,
    PeopleFact,
    RelationRecorded,
    StakeholderAssessed,
    StakeholderDeparted,
    StakeholderIdentified,
    StakeholderRevised,
    SubjectErased,
)
from domain.people.people import ASSESSED, KNOWN_AT_FIRST, thread
from domain.references import (
    require_contacts,
    require_distinct,
    require_stakeholders,
    require_vendors,
)
from domain.refusals import (
    IdTaken,
    PersonErased,
    ReportingLoop,
    SamePerson,
    UnknownReference,
    require_range,
)

if TYPE_CHECKING:
    from domain.deal import Deal
    from domain.people.people import People, Stakeholder
    from domain.process import ProcessBook

Facts = tuple[AnyPeopleFact, ...]


def decide(command: AnyPeopleCommand, deal: Deal) -> Facts:
    """The facts that `command` leads to on `deal`. Raises Refusal."""
    match command:
        case IdentifyStakeholder():
            return _identify(mirrored(command, StakeholderIdentified), deal.people)
        case ReviseStakeholder():
            changed = _changes(command, _not_erased(command.stakeholder, deal), KNOWN_AT_FIRST)
            return (StakeholderRevised(command.stakeholder, **changed),) if changed else ()
        case AssessStakeholder():
            changed = _changes(command, _not_erased(command.stakeholder, deal), ASSESSED)
            return (StakeholderAssessed(command.stakeholder, **changed),) if changed else ()
        case RecordRelation():
            return _relate(mirrored(command, RelationRecorded), deal.people)
        case ObserveLeaning():
            stakeholder = _not_erased(command.stakeholder, deal)
            return unless_current(mirrored(command, LeaningObserved), stakeholder.leaning)
        case RecordDeparture():
            return _depart(mirrored(command, StakeholderDeparted), deal)
        case RecordContact():
            return _contact(mirrored(command, ContactMade), deal.people)
        case SendMinutes(contact=contact_id):
            contact = deal.people.contact(contact_id)
            return () if contact and contact.minutes else (MinutesSent(contact_id),)
        case EraseSubject(stakeholder=stakeholder_id, reason=reason):
            erased = _known(stakeholder_id, deal).erased
            return () if erased else (SubjectErased(stakeholder_id, reason),)
        case _:
            assert_never(command)


def require_not_erased_since(command: AnyPeopleCommand, now: Deal) -> None:
    """Nothing personal is entered late of who was erased by now. Raises PersonErased."""
    match command:
        case (
            ReviseStakeholder(stakeholder=one)
            | AssessStakeholder(stakeholder=one)
            | ObserveLeaning(stakeholder=one)
        ):
            known = now.people.stakeholder(one)
            if known is not None and known.erased is not None:
                raise _erased(one)
        case _:
            pass


def _erased(stakeholder_id: str) -> PersonErased:
    return PersonErased(
        f"{stakeholder_id!r} was erased", "Nothing personal of theirs is recorded any more."
    )


def _identify(fact: StakeholderIdentified, people: People) -> Facts:
    known = people.stakeholder(fact.id)
    return unless_current(fact, known.identified if known else None)


def _contact(fact: ContactMade, people: People) -> Facts:
    known = people.contact(fact.id)
    return unless_current(fact, known.made if known else None)


def _changes(
    command: ReviseStakeholder | AssessStakeholder, before: Stakeholder, names: tuple[str, ...]
) -> dict[str, Any]:
    """By the name of a field: what the command gives that is not so already."""
    return {
        name: value
        for name in names
        if (value := getattr(command, name)) is not UNSET
        and not _same(value, getattr(before, name))
    }


def _same(value: object, before: object) -> bool:
    """The order in which roles, powers or ways to reach someone are named says nothing."""
    if isinstance(value, tuple) and isinstance(before, tuple):
        return frozenset(value) == frozenset(before)
    return value == before


def _relate(fact: RelationRecorded, people: People) -> Facts:
    for one in people.relations:
        if thread(one.fact) == thread(fact) and one.fact.strength == fact.strength:
            return ()
    return (fact,)


def _depart(fact: StakeholderDeparted, deal: Deal) -> Facts:
    """Departing again is quiet, unless it tells who took over or why, and that is new."""
    departed = _known(fact.stakeholder, deal).departed
    if departed is None:
        return (fact,)
    says_nothing_new = fact.successor in (None, departed.fact.successor) and fact.reason in (
        None,
        departed.fact.reason,
    )
    return () if says_nothing_new else (fact,)


def admissible(fact: AnyPeopleFact, deal: Deal, processes: ProcessBook) -> None:
    """Raise the refusal of the structural rule that `fact` would break on `deal`."""
    match fact:
        case StakeholderIdentified(id=new, reports_to=above):
            _free(new, deal)
            require_distinct("the roles", fact.roles)
            require_distinct("the powers", fact.powers)
            _reports_without_loop(new, above, deal)
        case StakeholderRevised(stakeholder=stakeholder, reports_to=above):
            _not_erased(stakeholder, deal)
            _reports_without_loop(stakeholder, above, deal)
        case StakeholderAssessed(stakeholder=stakeholder, influence=influence):
            _not_erased(stakeholder, deal)
            _scored("influence", influence)
        case RelationRecorded(from_=one, to=other, strength=strength):
            if one == other:
                raise SamePerson(
                    f"a relation runs between two people, and both ends are {one!r}",
                    "Name two different people.",
                )
            require_stakeholders(deal, one, other)
            _scored("strength", strength)
        case LeaningObserved(stakeholder=stakeholder, vendor=vendor):
            _not_erased(stakeholder, deal)
            require_vendors(deal, vendor)
        case StakeholderDeparted():
            _can_depart(fact, deal)
        case ContactMade():
            _can_have_met(fact, deal)
        case MinutesSent(contact=contact):
            _require_made(contact, deal)
        case SubjectErased(stakeholder=stakeholder):
            _known(stakeholder, deal)
        case _:
            assert_never(fact)


def _known(stakeholder_id: str, deal: Deal) -> Stakeholder:
    known = deal.people.stakeholder(stakeholder_id)
    if known is None:
        require_stakeholders(deal, stakeholder_id)
        raise UnknownReference(
            f"{stakeholder_id!r} was put on the map later than this",
            "Give a time after that, or identify them at their true time first.",
        )
    return known


def _not_erased(stakeholder_id: str, deal: Deal) -> Stakeholder:
    """The stakeholder, of whom personal things may be said. Raises PersonErased."""
    known = _known(stakeholder_id, deal)
    if known.erased is not None:
        raise _erased(stakeholder_id)
    return known


def _free(new: str, deal: Deal) -> None:
    if deal.people.stakeholder(new) is not None:
        raise IdTaken(
            f"stakeholder {new!r} is on the map already",
            "Change them with revise-stakeholder, or identify the other person under another id.",
        )


def _reports_without_loop(one: str, above: str | None | UnsetType, deal: Deal) -> None:
    """Following the reporting lines upward from `above` never leads to `one`."""
    if above is UNSET or above is None:
        return
    line = [one]
    at: str | None = above
    while at is not None:
        if at == one:
            raise ReportingLoop(
                f"the reporting line would run in a circle: {' → '.join([*line, at])}",
                "Name somebody who stands above, or nobody.",
            )
        if at in line:
            break
        line.append(at)
        known = deal.people.stakeholder(at)
        at = known.reports_to if known else None
    require_stakeholders(deal, above)


def _scored(name: str, score: int | None | UnsetType) -> None:
    if score is not UNSET and score is not None:
        require_range(name, score, 1, 5)


def _can_depart(fact: StakeholderDeparted, deal: Deal) -> None:
    if fact.reason is None:
        _known(fact.stakeholder, deal)
    else:
        _not_erased(fact.stakeholder, deal)
    if fact.successor == fact.stakeholder:
        raise SamePerson(
            f"{fact.stakeholder!r} cannot follow on themselves",
            "Name whoever took over, or nobody.",
        )
    require_stakeholders(deal, fact.successor)


def _require_made(contact_id: str, deal: Deal) -> None:
    require_contacts(deal, contact_id)
    if deal.people.contact(contact_id) is None:
        raise UnknownReference(
            f"contact {contact_id!r} was made later than this", "Minutes go out after a contact."
        )


def _can_have_met(fact: ContactMade, deal: Deal) -> None:
    if deal.people.contact(fact.id) is not None:
        raise IdTaken(
            f"contact {fact.id!r} is recorded already", "Record the other contact under another id."
        )
    if not fact.their_people:
        raise UnknownReference(
            f"contact {fact.id!r} names nobody of the customer's", "Name whoever took part."
        )
    require_distinct("their people", fact.their_people, SamePerson)
    require_distinct("our people", fact.our_people, SamePerson)
    require_stakeholders(deal, *fact.their_people)


def allowed_after_outcome(fact: PeopleFact, status: Status) -> bool:
    """Rule 2: everything here after winning; erasing somebody always."""
    return status is Status.WON or isinstance(fact, SubjectErased)
