"""Whom we know at the customer, and whom we met."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec

from domain.corrections import EventWithdrawn
from domain.deal import Deal
from domain.gates.of_people import AT_A_DISTANCE, FACE_TO_FACE, SUPPORTER
from domain.people.facts import (
    BuyingRole,
    ContactKind,
    ContactMade,
    Focus,
    Level,
    MinutesSent,
    StakeholderAssessed,
    StakeholderDeparted,
    StakeholderIdentified,
    StakeholderRevised,
    SubjectErased,
)
from domain.people.people import Contact, Stakeholder
from domain.stages.facts import GateCriterionAttested, GateCriterionRevoked
from domain.values import END_OF_TIME
from projections.findings.case import PHASES, Case, Moment, lasting, runs
from projections.findings.finding import Firing, Kind, Weight
from projections.findings.pauses import later
from projections.findings.rule import Rule
from projections.findings.rules.stages import LAST_PHASE, came_to

replace = msgspec.structs.replace

_COMMITMENT = 5
"""The phase in which the customer compares vendors, and commits itself: P5."""


# The decision maker, and the other roles.


def decision_maker_unmet(case: Case) -> Iterator[Firing]:
    """P5 entered though nobody is known to decide, or nobody who does was ever contacted."""
    for moment in case.moments:
        if _entered_commitment(moment) and _unmet(moment.deal):
            yield replace(
                _of_deciders(moment, "", moment.event.version),
                until=case.first(moment, lambda later: _before(later) or not _unmet(later.deal)),
                trigger=moment.event.version,
            )
    yield from lasting(case, _unmet_late)


def _unmet_late(now: Moment) -> Iterator[Firing]:
    """In P4, past its expected days: a note."""
    stage = now.stage
    if stage is None or now.phase != _COMMITMENT - 1 or not _unmet(now.deal):
        return
    visit = now.deal.stages.visits[-1]
    clock = now.case.clock(visit.entered_at, now)
    if clock is not None:
        yield replace(
            _of_deciders(now, "-late", visit.version),
            since=later(clock[0], timedelta(days=stage.expected_days)),
            until=clock[1],
            weight=Weight.NOTE,
        )


def _of_deciders(now: Moment, variant: str, version: int) -> Firing:
    """What is said of those who decide; the version is that of the entry into the stage."""
    deciders = now.deal.people.with_role(BuyingRole.DECISION_MAKER)
    versions = {version, *(one.set_by["roles"] for one in deciders)}
    stage = now.stage
    return Firing(
        since=now.at,
        evidence=tuple(sorted(versions)),
        told={
            "stage": stage.id if stage else "",
            "days": stage.expected_days if stage else 0,
            "who": tuple(one.id for one in deciders),
        },
        needs=(Kind.CONTACTS,) if deciders else (Kind.PEOPLE,),
        wording=("unmet" if deciders else "unknown") + variant,
    )


def _entered_commitment(moment: Moment) -> bool:
    return runs(moment.deal) and moment.entered(_COMMITMENT)


def _before(later: Moment) -> bool:
    """Whether the deal went back, or to a process that tells no phases."""
    return later.phase is None or later.phase < _COMMITMENT


def _unmet(deal: Deal) -> bool:
    deciders = {one.id for one in deal.people.with_role(BuyingRole.DECISION_MAKER)}
    if not deciders:
        return not _attested_absent(deal, BuyingRole.DECISION_MAKER)
    return not any(deciders & {*one.made.fact.their_people} for one in deal.people.contacts)


def _attested_absent(deal: Deal, role: BuyingRole) -> bool:
    return any(
        event.fact.aspect == role and not event.fact.applies for event in deal.stages.attestations
    )


def uncovered_roles(case: Case) -> Iterator[Firing]:
    """P5 entered with a buying role that nobody holds and that is not attested absent."""
    for moment in case.moments:
        if _entered_commitment(moment) and (roles := _uncovered(moment.deal)):
            yield Firing(
                since=moment.at,
                until=case.first(
                    moment, lambda later: _before(later) or not _uncovered(later.deal)
                ),
                evidence=(moment.event.version,),
                trigger=moment.event.version,
                told={"stage": moment.deal.stages.stage or "", "roles": roles},
                needs=(Kind.PEOPLE,),
            )


def _uncovered(deal: Deal) -> tuple[str, ...]:
    return tuple(
        role.value
        for role in BuyingRole
        if not deal.people.with_role(role) and not _attested_absent(deal, role)
    )


# With whom we are in touch.


def receptive_only(case: Case) -> Iterator[Firing]:
    """For so many days from P2 on, contacts with people of the focus of receptivity alone."""
    return lasting(case, _receptive)


def _receptive(now: Moment) -> Iterator[Firing]:
    came = came_to(2, now)
    contacts = now.deal.people.contacts
    if came is None or not contacts or not _receives_only(contacts[-1], now.deal):
        return
    others = [one.made.occurred_at for one in contacts if not _receives_only(one, now.deal)]
    clock = now.case.clock(max([came.entered_at, *others]), now)
    if clock is None:
        return
    window = timedelta(days=now.settings.contact_window_days)
    since = later(clock[0], window)
    lately = _within(window, contacts, max(since, now.at))
    yield Firing(
        since=since,
        until=min(clock[1], later(contacts[-1].made.occurred_at, window)),
        evidence=tuple(one.made.version for one in lately),
        told={
            "days": now.settings.contact_window_days,
            "who": tuple(
                dict.fromkeys(who for one in lately for who in one.made.fact.their_people)
            ),
        },
    )


def _receives_only(contact: Contact, deal: Deal) -> bool:
    """Everybody who took part listens, and neither suffers nor decides, as far as we know."""
    met = [deal.people.stakeholder(one) for one in contact.made.fact.their_people]
    return all(one is not None and {*one.focus} == {Focus.RECEPTIVITY} for one in met)


def _within(window: timedelta, contacts: tuple[Contact, ...], at: datetime) -> list[Contact]:
    """The contacts less than a window before a moment, in order of version."""
    # The difference, because a moment so long before the first there is cannot be told.
    lately = (one for one in contacts if at - one.made.occurred_at < window)
    return sorted(lately, key=lambda one: one.made.version)


def single_threaded(case: Case) -> Iterator[Firing]:
    """From P3 on, all contacts of so many days with one and the same person."""
    return lasting(case, _single)


def _single(now: Moment) -> Iterator[Firing]:
    opened = now.deal.life.opened_at
    if opened is None or now.phase is None or not 3 <= now.phase <= LAST_PHASE:
        return
    latest, clock = _latest_contacts(now.deal), now.case.clock(opened, now)
    if not latest or clock is None:
        return
    who, *others = sorted(latest, key=lambda one: latest[one], reverse=True)
    window = timedelta(days=now.settings.contact_window_days)
    since = later(max([clock[0], *(latest[one] for one in others[:1])]), window)
    lately = _within(window, now.deal.people.contacts, max(since, now.at))
    yield Firing(
        since=since,
        until=min(clock[1], later(latest[who], window)),
        evidence=tuple(o.made.version for o in lately if who in o.made.fact.their_people),
        subject=who,
        told={"days": now.settings.contact_window_days, "who": who},
    )


def _latest_contacts(deal: Deal) -> dict[str, datetime]:
    """When each of those who have a part in the purchase was last in touch with us."""
    present = {one.id for one in deal.people.present}
    return {
        who: one.made.occurred_at
        for one in deal.people.contacts
        for who in one.made.fact.their_people
        if who in present
    }


def gone_silent(case: Case) -> Iterator[Firing]:
    """No contact for so many days in the phases from decision to selection."""
    return lasting(case, _silent)


def _silent(now: Moment) -> Iterator[Firing]:
    if now.phase is None or not 2 <= now.phase <= LAST_PHASE:
        return
    contacts, opening = now.deal.people.contacts, now.deal.life.opening
    last = contacts[-1].made if contacts else opening
    clock = now.case.clock(last.occurred_at, now) if last else None
    if last is None or clock is None:
        return
    days = now.settings.silent_days_by_phase.get(PHASES[now.phase], now.settings.silent_days)
    yield Firing(
        since=later(clock[0], timedelta(days=days)),
        until=clock[1],
        evidence=(last.version,),
        told={"days": days, "last": last.occurred_at.date().isoformat()},
        needs=(Kind.CONTACTS,),
        wording="met" if contacts else "unmet",
    )


# Who backs us.


def champion_lost(case: Case) -> Iterator[Firing]:
    """A supporter of weight left or turned from us, and nobody took the place in time."""
    for moment in case.of(StakeholderDeparted, StakeholderAssessed):
        who = moment.fact.stakeholder
        before, after = (one.people.stakeholder(who) for one in (moment.before, moment.deal))
        least = case.settings.champion_influence
        if before is None or after is None or not _backs_us(before, least):
            continue
        turned = after.attitude is not None and after.attitude.points <= 0
        if after.present and not turned:
            continue
        yield from _unreplaced(moment, before, "turned" if after.present else "departed")


def _unreplaced(moment: Moment, lost: Stakeholder, wording: str) -> Iterator[Firing]:
    case, settings = moment.case, moment.settings
    least = settings.champion_influence
    evidence = {moment.event.version, lost.set_by["attitude"], lost.set_by["influence"]}
    due = _deadline(case, moment.event.occurred_at, settings.champion_days)
    if due is None or _backed(moment.deal, least):
        return
    until = case.first(
        moment, lambda later: _backed(later.deal, least) or _withdraws(later, evidence)
    )
    since = max(due, moment.at)
    if until is None or until > since:
        yield Firing(
            since=since,
            until=until,
            evidence=tuple(sorted(evidence)),
            trigger=moment.event.version if since == moment.at else None,
            subject=lost.id,
            told={"who": lost.id, "days": settings.champion_days},
            wording=wording,
        )


def _backs_us(one: Stakeholder, least: int) -> bool:
    return (
        one.present
        and one.attitude is not None
        and one.attitude.points >= SUPPORTER
        and one.influence is not None
        and one.influence >= least
    )


def _backed(deal: Deal, least: int) -> bool:
    return any(_backs_us(one, least) for one in deal.people.stakeholders)


def _withdraws(later: Moment, versions: set[int]) -> bool:
    return isinstance(later.fact, EventWithdrawn) and not versions.isdisjoint(later.fact.versions)


def _deadline(case: Case, since: datetime, days: int) -> datetime | None:
    """When so many days are over, counted anew from the end of a pause; None: it goes on."""
    term = timedelta(days=days)
    due = later(since, term)
    for start, end in case.pauses:
        if start < due and end > since:
            if end == END_OF_TIME:
                return None
            due = later(end, term)
    return due


# What was agreed at the top.


def minutes_missing(case: Case) -> Iterator[Firing]:
    """A meeting at the top without minutes so many days later."""
    for moment in case.of(ContactMade):
        contact = _contact(moment.deal, moment.event.version)
        if contact is not None and _at_the_top(contact, moment.deal):
            yield from _unminuted(moment, contact)


def _unminuted(moment: Moment, contact: Contact) -> Iterator[Firing]:
    version, days = moment.event.version, moment.settings.minutes_days
    since = max(later(moment.event.occurred_at, timedelta(days=days)), moment.at)
    until = moment.case.first(moment, lambda later: not _owed(later.deal, version))
    if not _owed(moment.deal, version) or (until is not None and until <= since):
        return
    yield Firing(
        since=since,
        until=until,
        evidence=(version,),
        trigger=version if since == moment.at else None,
        subject=contact.id,
        told={
            "who": contact.made.fact.their_people,
            "on": contact.made.occurred_at.date().isoformat(),
            "days": days,
        },
        needs=(Kind.MINUTES,),
    )


def _contact(deal: Deal, version: int) -> Contact | None:
    return next((one for one in deal.people.contacts if one.made.version == version), None)


def _owed(deal: Deal, version: int) -> bool:
    contact = _contact(deal, version)
    return contact is not None and contact.minutes is None


def _at_the_top(contact: Contact, deal: Deal) -> bool:
    """An exchange at the top, or a meeting with somebody who stands there, as then known."""
    fact = contact.made.fact
    if fact.kind is ContactKind.TOP_EXCHANGE:
        return True
    by_kind = fact.channel is None and fact.kind not in AT_A_DISTANCE
    met = by_kind or fact.channel in FACE_TO_FACE
    people = [deal.people.stakeholder(one) for one in fact.their_people]
    return met and any(one is not None and one.level is Level.TOP for one in people)


_PEOPLE = (StakeholderIdentified, StakeholderRevised, StakeholderDeparted, SubjectErased)
"""What changes who there is, which part they have, and what they are called."""
_ATTESTED = (GateCriterionAttested, GateCriterionRevoked)

RULES = (
    Rule(
        "decision-maker-unmet",
        decision_maker_unmet,
        Weight.MISTAKE,
        reads=(*_PEOPLE, *_ATTESTED, ContactMade),
    ),
    Rule(
        "receptive-only",
        receptive_only,
        Weight.MISTAKE,
        reads=(*_PEOPLE, StakeholderAssessed, ContactMade),
    ),
    Rule("single-threaded", single_threaded, Weight.MISTAKE, reads=(*_PEOPLE, ContactMade)),
    Rule("champion-lost", champion_lost, Weight.MISTAKE, reads=(*_PEOPLE, StakeholderAssessed)),
    Rule("uncovered-roles", uncovered_roles, Weight.MISTAKE, reads=(*_PEOPLE, *_ATTESTED)),
    Rule("gone-silent", gone_silent, Weight.MISTAKE, reads=(ContactMade,)),
    Rule(
        "minutes-missing", minutes_missing, Weight.NOTE, reads=(*_PEOPLE, ContactMade, MinutesSent)
    ),
)
"""The rules of this family."""
