"""The customer's people: how they come to a deal, and what a source says of them anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET

from domain.history import ERASED
from domain.lifecycle import Life, Status
from domain.people.facts import StakeholderIdentified, StakeholderRevised

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from api.exchange.intake.snapshot import Reading, SourcePerson
    from domain.people import People

replace = msgspec.structs.replace

SAID = ("name", "title", "department", "roles", "powers", "reports_to", "contact_points")
"""What sources say of people."""


class Arrival(msgspec.Struct, frozen=True):
    """Somebody comes to a deal, or is found to report to somebody who came."""

    reading: Reading
    fact: StakeholderIdentified | StakeholderRevised

    @property
    def at(self) -> datetime:
        return self.reading.at


def has_ended_without_win(life: Life) -> bool:
    """Whether nothing may be said of people any more."""
    return life.status.closed and life.status is not Status.WON


def lined_up(
    people: Sequence[SourcePerson],
) -> tuple[tuple[SourcePerson, ...], list[SourcePerson]]:
    """The people, their lines of reporting among themselves; and whose line made a circle."""
    above: dict[str, str] = {}
    loops = []
    ids = {one.id for one in people}
    for one in sorted(people, key=_id):
        boss = one.said.reports_to
        if not isinstance(boss, str) or boss not in ids:
            continue
        if one.id in _line(boss, above):
            loops.append(one)
        else:
            above[one.id] = boss
    return tuple(_reporting(one, above.get(one.id)) for one in people), loops


def _id(person: SourcePerson) -> str:
    return person.id


def _line(one: str, above: Mapping[str, str]) -> list[str]:
    """Somebody, and everybody above them."""
    line = [one]
    while (boss := above.get(line[-1])) is not None:
        line.append(boss)
    return line


def _reporting(person: SourcePerson, boss: str | None) -> SourcePerson:
    """A line to somebody who is not told of here says nothing of the deal."""
    if person.said.reports_to in (boss, None):
        return person
    return replace(person, said=replace(person.said, reports_to=UNSET))


def arrivals(people: Iterable[SourcePerson], opening: Reading) -> list[Arrival]:
    """How the people come to a deal, in order of time; nobody before it is opened.

    Whoever came before somebody they report to is found to do so when that one comes.
    """
    came = {one.id: max(one.reading.at, opening.at) for one in people}
    above = {one.id: boss for one in people if isinstance(boss := one.said.reports_to, str)}
    found, later = [], []
    for one in sorted(people, key=lambda one: (came[one.id], len(_line(one.id, above)), one.id)):
        reading = one.reading
        if came[one.id] != reading.at:
            reading = replace(reading, at=opening.at, day=opening.day, inferred=True)
        boss = above.get(one.id)
        if boss is not None and came[boss] > came[one.id]:
            reports = StakeholderRevised(one.id, reports_to=boss)
            then = replace(reading, at=came[boss], day=None, inferred=True)
            later.append(Arrival(then, reports))
            boss = None
        found.append(Arrival(reading, _identification(one, boss)))
    return sorted([*found, *later], key=lambda arrival: arrival.at)


def _identification(person: SourcePerson, boss: str | None) -> StakeholderIdentified:
    said = {name: getattr(person.said, name) for name in changed_fields(person.said)}
    return StakeholderIdentified(person.id, person=person.person, **(said | {"reports_to": boss}))


def news(person: SourcePerson, before: People, now: People) -> StakeholderRevised | None:
    """What the source says of somebody other than `before`, and other than is known `now`.

    What was erased with another person stays so: nobody can tell whether the source
    says the same as then.
    """
    told, known = before.stakeholder(person.id), now.stakeholder(person.id)
    assert told is not None, "was told of before"
    assert known is not None, "is on the deal"
    changed: dict[str, Any] = {}
    for name in SAID:
        value, earlier = getattr(person.said, name), getattr(told, name)
        if value is UNSET or value in (earlier, getattr(known, name)) or earlier == ERASED:
            continue
        if name == "reports_to" and value is not None and not _may_be_named(value, now):
            continue
        changed[name] = value
    return StakeholderRevised(person.id, **changed) if changed else None


def _may_be_named(boss: str, now: People) -> bool:
    known = now.stakeholder(boss)
    return known is not None and known.erased is None


def changed_fields(fact: StakeholderRevised) -> tuple[str, ...]:
    """The fields that the fact speaks of."""
    return tuple(name for name in SAID if getattr(fact, name) is not UNSET)
