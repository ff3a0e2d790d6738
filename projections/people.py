"""The stakeholder map of one deal: its people, the threads between them, how well we know them.

It is computed when asked for, from the deal's state at (as of, known at); nothing
of it is stored. docs/people.md gives the formula of every figure.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import msgspec

from domain.deal import Deal
from domain.history import Recorded
from domain.people import People
from domain.people.facts import BuyingRole, Focus, Level, RelationRecorded
from domain.people.people import Contact, Stakeholder
from projections.instants import days_between

RECENT = timedelta(days=30)
"""How long somebody counts as contacted lately."""

_ROLES = tuple(BuyingRole)
_LEVELS = (*reversed(Level), None)
"""The order in which levels are told; None: those whose level is not known."""


class PersonOnMap(msgspec.Struct, frozen=True):
    """One of the customer's people, and our contacts with them."""

    stakeholder: Stakeholder
    depth: int
    """How many stand above in the line of reporting, as far as it is known."""
    contacts: tuple[Contact, ...]

    @property
    def last_met(self) -> datetime | None:
        return self.contacts[-1].made.occurred_at if self.contacts else None


class LevelFigures(msgspec.Struct, frozen=True):
    """The people of one level of the customer's organisation who have a part in the purchase."""

    level: Level | None
    """None: those whose level is not known."""
    people: int
    support: int
    """Sum of attitude (-2 to 2) × influence (1 to 5) over those of whom both are known."""


class Way(msgspec.Struct, frozen=True):
    """A way into the buying centre: who holds the focus, and when one of them was first met."""

    focus: Focus
    people: tuple[str, ...]
    reached_at: datetime | None
    """None: nobody of them was met yet."""


class Coverage(msgspec.Struct, frozen=True):
    """How well we know and meet the customer's people. Shares are whole per cent."""

    roles_filled: tuple[BuyingRole, ...]
    roles_missing: tuple[BuyingRole, ...]
    contacted_lately: tuple[str, ...]
    """Who was contacted in the last 30 days, of those who have a part in the purchase."""
    levels: tuple[LevelFigures, ...]
    support: int
    """The support of all levels together."""
    unassessed: int
    """People with a part in the purchase whose attitude or influence is not known."""
    busiest: str | None
    """Who took part in most of our contacts; of several, who was identified first."""
    busiest_share: int | None
    days_since_decision_maker_met: int | None
    """None: nobody decides as far as we know, or nobody who does was ever met."""
    entry_path: tuple[Way, ...]
    """The known foci: those reached in the order of the first contact, then those not reached."""


class StakeholderMap(msgspec.Struct, frozen=True):
    """The people in the order of the reporting lines, each behind whoever stands above."""

    people: tuple[PersonOnMap, ...]
    relations: tuple[Recorded[RelationRecorded], ...]
    coverage: Coverage


def stakeholder_map(deal: Deal, at: datetime) -> StakeholderMap:
    """The map of `deal`, a state folded up to `at`, from which days are counted back."""
    people = deal.people
    placed = tuple(
        PersonOnMap(one, depth, _contacts_with((one,), people))
        for one, depth in _in_lines(people.stakeholders)
    )
    return StakeholderMap(placed, people.relations, coverage(people, at))


def _in_lines(people: Sequence[Stakeholder]) -> Iterator[tuple[Stakeholder, int]]:
    """Everybody once, with their depth, behind whoever they report to.

    Where an unsound history has lines in a circle, the circle is cut at whoever
    of it was identified first.
    """
    known = {one.id for one in people}
    below: dict[str | None, list[Stakeholder]] = {}
    for one in people:
        below.setdefault(one.reports_to if one.reports_to in known else None, []).append(one)
    seen: set[str] = set()
    for top in (*below.get(None, ()), *people):
        waiting = [(top, 0)]
        while waiting:
            one, depth = waiting.pop()
            if one.id not in seen:
                seen.add(one.id)
                yield one, depth
                waiting += [(next_, depth + 1) for next_ in reversed(below.get(one.id, ()))]


def _contacts_with(people: Sequence[Stakeholder], all_people: People) -> tuple[Contact, ...]:
    """The contacts in which one of them took part, in order of occurrence."""
    ids = {one.id for one in people}
    return tuple(one for one in all_people.contacts if ids.intersection(one.made.fact.their_people))


def coverage(people: People, at: datetime) -> Coverage:
    """How well `people`, as known at `at`, are covered then."""
    present = people.present
    filled, by_level = roles_filled(present), levels(present)
    busiest, share = _busiest(people)
    decider_met_at = decision_maker_met_at(people)
    return Coverage(
        roles_filled=filled,
        roles_missing=tuple(role for role in BuyingRole if role not in filled),
        contacted_lately=_contacted_lately(people, at),
        levels=by_level,
        support=sum(level.support for level in by_level),
        unassessed=sum(_support(one) is None for one in present),
        busiest=busiest,
        busiest_share=share,
        days_since_decision_maker_met=(
            None if decider_met_at is None else days_between(decider_met_at, at)
        ),
        entry_path=_entry_path(people),
    )


def roles_filled(present: Sequence[Stakeholder]) -> tuple[BuyingRole, ...]:
    """The buying roles that somebody of those who have a part in the purchase holds."""
    held = {role for one in present for role in one.roles}
    return tuple(role for role in _ROLES if role in held)


def levels(present: Sequence[Stakeholder]) -> tuple[LevelFigures, ...]:
    """The figures of every level, the highest first, last of those whose level is not known."""
    of: dict[Level | None, list[Stakeholder]] = {level: [] for level in _LEVELS}
    for one in present:
        of[one.level].append(one)
    return tuple(
        LevelFigures(level, len(there), sum(_support(one) or 0 for one in there))
        for level, there in of.items()
    )


def _support(one: Stakeholder) -> int | None:
    if one.attitude is None or one.influence is None:
        return None
    return one.attitude.points * one.influence


def _contacted_lately(people: People, at: datetime) -> tuple[str, ...]:
    lately = {
        one
        for contact in people.contacts
        if at - contact.made.occurred_at <= RECENT
        for one in contact.made.fact.their_people
    }
    return tuple(one.id for one in people.present if one.id in lately)


def _busiest(people: People) -> tuple[str | None, int | None]:
    """Who took part in most contacts, and in how many per cent of them, rounded half up."""
    parts = Counter(one for contact in people.contacts for one in contact.made.fact.their_people)
    known = [one.id for one in people.stakeholders if parts[one.id]]
    if not known:
        return None, None
    busiest = max(known, key=lambda one: parts[one])
    contacts = len(people.contacts)
    return busiest, (200 * parts[busiest] + contacts) // (2 * contacts)


def decision_maker_met_at(people: People) -> datetime | None:
    """When somebody who decides was last met; None: nobody is known to decide, or was met."""
    met = _contacts_with(people.with_role(BuyingRole.DECISION_MAKER), people)
    return met[-1].made.occurred_at if met else None


def _entry_path(people: People) -> tuple[Way, ...]:
    ways = []
    for focus in Focus:
        holders = [one for one in people.stakeholders if focus in one.focus]
        if holders:
            met = _contacts_with(holders, people)
            reached_at = met[0].made.occurred_at if met else None
            ways.append(Way(focus, tuple(one.id for one in holders), reached_at))
    reached = sorted(
        (way for way in ways if way.reached_at is not None),
        key=lambda way: (way.reached_at, list(Focus).index(way.focus)),
    )
    return (*reached, *(way for way in ways if way.reached_at is None))
