"""The customer's people as we come to know them: identified, mapped, assessed, gone."""

from datetime import timedelta
from functools import partial

import msgspec
from msgspec import UNSET

from api.simulate.plot import Chapter, Cue, Entries, Plot
from domain.buying.commands import ObserveCustomerEvent
from domain.buying.facts import CustomerEventKind
from domain.people.commands import (
    AssessStakeholder,
    IdentifyStakeholder,
    ObserveLeaning,
    RecordDeparture,
    RecordRelation,
    ReviseStakeholder,
)
from domain.people.facts import Attitude, BuyingRole, Focus, RelationKind, Relationship
from domain.process import BuyingPhase
from domain.values import OURSELVES

_ABOVE = {"user": "mid", "eng": "mid", "mid": "dm", "buyer": "dm", "fin": "dm"}
_FROM_DECISION_ON = list(BuyingPhase)[2:7]
_ATTITUDES = list(Attitude)
_RELATIONSHIPS = list(Relationship)


def cues(plot: Plot, chapter: Chapter) -> list[Cue]:
    """Who is mapped and judged in this stay, who comes and who goes."""
    discipline = plot.owner.habits.discipline
    planned: list[Cue] = []
    if chapter.phase not in _FROM_DECISION_ON:
        return planned
    if plot.chance(0.15 + 0.7 * discipline):
        planned.append(Cue(chapter.moment(plot.rng.uniform(0.3, 0.9)), review_map))
    if chapter.phase in _MAPPING and plot.chance(0.2 + 0.6 * discipline):
        planned.append(Cue(chapter.moment(plot.rng.uniform(0.2, 0.8)), relate))
    if plot.knows("fin") is None and plot.chance(0.22):
        enters = partial(identify_and_judge, key="fin")
        planned.append(Cue(chapter.moment(plot.rng.uniform(0.2, 0.9)), enters))
    if plot.chance(0.05):
        planned.append(Cue(chapter.moment(plot.rng.uniform(0.2, 0.8)), somebody_leaves))
    if plot.chance(0.05):
        planned.append(Cue(chapter.moment(plot.rng.uniform(0.2, 0.9)), correct_somebody))
    return planned


_MAPPING = (BuyingPhase.DECISION, BuyingPhase.CRITERIA, BuyingPhase.MEASUREMENT)


def identify(plot: Plot, key: str) -> Entries:
    """Put whoever fills a function on the map, if they are not there yet."""
    if plot.knows(key) is not None:
        return
    person = plot.centre[key]
    careful = plot.owner.habits.diligence
    roles = person.roles
    if key == "mid" and plot.chance(0.2):
        roles = (*roles, BuyingRole.INFLUENCER)
    yield plot.happened(
        IdentifyStakeholder(
            id=person.id,
            name=person.name,
            person=person.person,
            title=person.title,
            department=person.department if plot.chance(0.3 + 0.7 * careful) else None,
            level=person.level,
            roles=roles,
            powers=person.powers if plot.chance(0.4 + 0.5 * careful) else (),
            reports_to=plot.knows(_ABOVE[key]) if key in _ABOVE else None,
            contact_points=person.contact_points if plot.chance(0.3 + 0.65 * careful) else (),
        )
    )


def take_stock(plot: Plot, taken_over: bool) -> Entries:
    """Whom we know at the opening: one of them mostly, more in a deal that is under way."""
    keys = ["user", "mid", "buyer"] if taken_over else []
    if not taken_over and plot.chance(0.45):
        keys = ["user" if plot.chance(0.6) else "mid"]
    for key in keys:
        yield from identify(plot, key)


def identify_and_judge(plot: Plot, key: str) -> Entries:
    yield from identify(plot, key)
    yield from assess(plot, key)


# Judgements.


def attitude(plot: Plot, key: str) -> Attitude:
    """How somebody stands to us now, as far as anybody can see."""
    person = plot.centre[key]
    points = person.warmth + 0.5 * plot.health + 0.1 * min(6, plot.centre.contacts_with(key))
    if person.id in plot.centre.turned:
        points -= 1.6
    return _ATTITUDES[max(-2, min(2, round(points))) + 2]


def relationship(plot: Plot, key: str) -> Relationship:
    """How close somebody is to us: contacts make it, and a cool mind limits it."""
    met = plot.centre.contacts_with(key)
    points = 0 if met == 0 else 1 if met == 1 else 2 if met <= 4 else 3 if met <= 8 else 4
    limit = max(2, 2 + attitude(plot, key).points)
    return _RELATIONSHIPS[min(points, limit)]


def assess(plot: Plot, key: str, hoping: bool = False) -> Entries:
    """Say how somebody stands to us. Hope sees more than there is."""
    known = plot.knows(key)
    if known is None:
        return
    person = plot.centre[key]
    if plot.met(key) is None:
        yield from _place(plot, key)
        return
    seen, close = attitude(plot, key), relationship(plot, key)
    if hoping or plot.chance(0.22 * plot.owner.habits.optimism):
        seen = _ATTITUDES[min(4, _ATTITUDES.index(seen) + 1)]
        close = _RELATIONSHIPS[min(4, close.points + 1)]
    before = plot.deal.people.stakeholder(known)
    assert before is not None
    first = before.attitude is None
    held = before.relationship
    if held is not None and known not in plot.centre.turned and close.points < held.points:
        close = held
    diligent = plot.chance(0.25 + 0.5 * plot.owner.habits.discipline)
    yield plot.typed(
        AssessStakeholder(
            stakeholder=known,
            influence=person.influence if first else UNSET,
            attitude=seen,
            relationship=close,
            openness=person.openness if first and diligent else UNSET,
            focus=_focus(plot, key) if first and diligent else UNSET,
            business_motive=plot.text(f"motive.business.{key}") if first and diligent else UNSET,
            personal_motive=plot.text(f"motive.personal.{key}")
            if first and diligent and plot.chance(0.5)
            else UNSET,
        )
    )


def _place(plot: Plot, key: str) -> Entries:
    """Say how much somebody counts whom nobody has met yet, and that they are not close to us."""
    person = plot.centre[key]
    close = Relationship.NONE
    yield plot.typed(AssessStakeholder(person.id, influence=person.influence, relationship=close))


def _focus(plot: Plot, key: str) -> tuple[Focus, ...]:
    match key:
        case "dm":
            return (Focus.POWER,)
        case "user":
            hurt = plot.chance(0.55)
            return (Focus.RECEPTIVITY, Focus.DISSATISFACTION) if hurt else (Focus.RECEPTIVITY,)
        case "mid":
            return (Focus.DISSATISFACTION,) if plot.chance(0.75) else (Focus.RECEPTIVITY,)
        case _:
            return (Focus.RECEPTIVITY,) if plot.chance(0.5) else ()


def review_map(plot: Plot) -> Entries:
    """Go through the map: who stands where by now."""
    for key in plot.known_people:
        if plot.chance(0.6):
            yield from assess(plot, key)
    if plot.known_people and plot.chance(0.5):
        yield from lean(plot, plot.rng.choice(plot.known_people))


def lean(plot: Plot, key: str) -> Entries:
    """Hear whose offer somebody prefers."""
    known = plot.met(key)
    if known is None:
        return
    seen = attitude(plot, key)
    vendor = OURSELVES if seen.points >= 1 else None
    if seen.points < 0 and plot.rivals:
        vendor = plot.rivals[0]
    side = "us" if vendor == OURSELVES else "nobody" if vendor is None else "rival"
    reason = plot.text(f"leaning.{side}") if plot.chance(0.75) else None
    yield plot.happened(ObserveLeaning(known, vendor, reason))


# The web.

_THREADS = (
    ("mid", "dm", RelationKind.INFLUENCES, 4),
    ("user", "mid", RelationKind.INFLUENCES, 3),
    ("eng", "mid", RelationKind.ALLIED, 3),
    ("buyer", "mid", RelationKind.RIVAL, 2),
    ("fin", "dm", RelationKind.INFLUENCES, 3),
    ("buyer", "fin", RelationKind.ALLIED, 2),
    ("eng", "user", RelationKind.RIVAL, 2),
    ("dm", "buyer", RelationKind.INFLUENCES, 4),
)


def relate(plot: Plot) -> Entries:
    """Draw one to three threads between the people we know."""
    possible = [
        (one, other, kind, strength)
        for from_, to, kind, strength in _THREADS
        if (one := plot.knows(from_)) is not None and (other := plot.knows(to)) is not None
    ]
    count = min(len(possible), plot.rng.choice((1, 2, 2, 3)))
    for one, other, kind, strength in plot.rng.sample(possible, count):
        felt = max(1, min(5, strength + plot.rng.choice((-1, 0, 0, 1))))
        yield plot.typed(RecordRelation(one, other, kind, felt if plot.chance(0.8) else None))


# Coming and going.


def somebody_leaves(plot: Plot) -> Entries:
    """Someone leaves; it hurts most where they were for us."""
    known = [key for key in plot.known_people if key not in ("buyer", "fin")]
    if known:
        yield from leave(plot, plot.rng.choice(known), warmth=plot.rng.gauss(-0.1, 0.6))


def leave(plot: Plot, key: str, warmth: float) -> Entries:
    """Someone leaves, and a successor takes over, who is met soon or too late or not at all."""
    gone = plot.knows(key)
    assert gone is not None
    lost = attitude(plot, key).points > 0
    plot.feels(-0.2 if lost else 0.05)
    reason = plot.text(f"departure.{plot.rng.choice(('left', 'moved'))}")
    plot.centre.succeed(key, warmth)
    if plot.chance(0.45 + 0.45 * plot.owner.habits.discipline):
        yield from identify(plot, key)
        yield plot.happened(RecordDeparture(gone, plot.knows(key), reason))
    else:
        yield plot.happened(RecordDeparture(gone, None, reason))
    if key == "dm":
        event = CustomerEventKind.CHANGE_OF_LEADERSHIP
        yield plot.happened(ObserveCustomerEvent(event, plot.text(f"event.{event.value}")))


def lose_champion(plot: Plot) -> Entries:
    """Whoever spoke for us leaves, and the successor comes from the other camp."""
    key = "mid" if plot.knows("mid") else next(iter(plot.known_people), None)
    if key is None:
        return
    yield from leave(plot, key, warmth=-1.6)
    plot.scene(plot.desk + plot.days(4, 15), lag=timedelta(hours=3))
    yield from identify(plot, key)
    yield from assess(plot, key)


def turn_away(plot: Plot, key: str) -> Entries:
    """Somebody who mattered is against us now."""
    known = plot.knows(key)
    if known is None:
        return
    plot.centre.turned.add(known)
    plot.feels(-0.1)
    yield from assess(plot, key)
    yield from lean(plot, key)


def correct_somebody(plot: Plot) -> Entries:
    """A title, a department or a way to reach somebody was wrong or is new."""
    known = plot.known_people
    if not known:
        return
    person = plot.centre[plot.rng.choice(known)]
    revised = ReviseStakeholder(
        person.id, department=person.department, contact_points=person.contact_points
    )
    if plot.chance(0.4) and BuyingRole.INFLUENCER not in person.roles:
        revised = msgspec.structs.replace(revised, roles=(*person.roles, BuyingRole.INFLUENCER))
    yield plot.typed(revised)
