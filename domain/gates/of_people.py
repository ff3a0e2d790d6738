"""Predicates over the customer's people and our contacts with them.

Only people who still have a part in the purchase count. A buying role that
nobody holds may be attested absent, under any criterion: the attestation's
aspect is the role, and `applies` is false.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.gates.evidence import Predicate, Versions, shown_by, shown_by_events
from domain.people.facts import BuyingRole, Channel, ContactKind, Level
from domain.values import OURSELVES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from domain.deal import Deal
    from domain.history import Recorded
    from domain.people.facts import ContactMade
    from domain.people.people import Stakeholder

DECISION_CHAIN = (
    BuyingRole.DECISION_MAKER,
    BuyingRole.PURCHASER,
    BuyingRole.USER,
    BuyingRole.RECOMMENDER,
)

INTERACTING = 2
NEUTRAL = 0
SUPPORTER = 1

TECHNICAL_EXCHANGES = (ContactKind.TECHNICAL_EXCHANGE, ContactKind.WORKSHOP, ContactKind.DEMO)
PRESENTATIONS = (ContactKind.PITCH, ContactKind.DEMO, ContactKind.WORKSHOP)
FACE_TO_FACE = (Channel.IN_PERSON, Channel.VIDEO)
AT_A_DISTANCE = (ContactKind.CALL, ContactKind.MAIL, ContactKind.OTHER)


def holders(deal: Deal, roles: Iterable[BuyingRole]) -> tuple[Stakeholder, ...]:
    """Who has a part in the purchase now and holds one of the roles."""
    wanted = set(roles)
    return tuple(one for one in deal.people.present if wanted & set(one.roles))


def _of_level(deal: Deal, level: Level) -> tuple[Stakeholder, ...]:
    return tuple(one for one in deal.people.present if one.level is level)


def _recorded(deal: Deal, _: datetime) -> Versions | None:
    return shown_by_events(one.identified for one in deal.people.present)


def _reachable(deal: Deal, _: datetime) -> Versions | None:
    """A way to reach someone is on record, or someone was reached."""
    people = [one for one in deal.people.present if one.erased is None]
    ids = {one.id for one in people}
    points = [one.set_by.get("contact_points") for one in people if one.contact_points]
    reached = [
        contact.made.version
        for contact in deal.people.contacts
        if ids & set(contact.made.fact.their_people)
    ]
    return shown_by([*points, *reached])


def _leaning(deal: Deal, _: datetime) -> Versions | None:
    return shown_by_events(one.leaning for one in deal.people.present)


def _filled(deal: Deal, roles: Iterable[BuyingRole]) -> Versions | None:
    """Each of the roles is held by someone, or was attested absent."""
    found: list[int | None] = []
    for role in roles:
        held = [one.set_by.get("roles") for one in deal.people.with_role(role)]
        shown = held or list(_attested_absent(deal, role))
        if not shown:
            return None
        found += shown
    return shown_by(found)


def _attested_absent(deal: Deal, role: BuyingRole) -> Iterator[int]:
    for event in deal.stages.attestations:
        if event.fact.aspect == role and not event.fact.applies:
            yield event.version


def _decision_chain(deal: Deal, _: datetime) -> Versions | None:
    return _filled(deal, DECISION_CHAIN)


def _every_role(deal: Deal, _: datetime) -> Versions | None:
    return _filled(deal, BuyingRole)


def _decision_chain_detailed(deal: Deal, _: datetime) -> Versions | None:
    found: list[int | None] = []
    for one in holders(deal, DECISION_CHAIN):
        if one.influence is None or one.leaning is None:
            return None
        found += [one.set_by.get("roles"), one.set_by.get("influence"), one.leaning.version]
    return shown_by(found)


def _relationship(people: Iterable[Stakeholder], known_by: str) -> Versions | None:
    """With one of them it is interacting or closer. `known_by` names what makes them count."""
    return shown_by(
        version
        for one in people
        if one.relationship is not None and one.relationship.points >= INTERACTING
        for version in (one.set_by.get(known_by), one.set_by.get("relationship"))
    )


def _front_line_relationship(deal: Deal, _: datetime) -> Versions | None:
    return _relationship(_of_level(deal, Level.FRONT_LINE), "level")


def _middle_level_relationship(deal: Deal, _: datetime) -> Versions | None:
    return _relationship(_of_level(deal, Level.MIDDLE), "level")


def _decision_maker_relationship(deal: Deal, _: datetime) -> Versions | None:
    return _relationship(holders(deal, [BuyingRole.DECISION_MAKER]), "roles")


def _middle_level_support(deal: Deal, _: datetime) -> Versions | None:
    return shown_by(
        version
        for one in _of_level(deal, Level.MIDDLE)
        if one.attitude is not None and one.attitude.points >= SUPPORTER
        for version in (one.set_by.get("level"), one.set_by.get("attitude"))
    )


def _decision_maker_attitude(deal: Deal, _: datetime) -> Versions | None:
    """Of several decision makers none may stand against us."""
    found: list[int | None] = []
    for one in holders(deal, [BuyingRole.DECISION_MAKER]):
        if one.attitude is None:
            continue
        if one.attitude.points < NEUTRAL:
            return None
        found += [one.set_by.get("roles"), one.set_by.get("attitude")]
    return shown_by(found)


def _engineers_met(deal: Deal, _: datetime) -> Versions | None:
    return shown_by_events(
        one.made for one in deal.people.contacts if one.made.fact.kind in TECHNICAL_EXCHANGES
    )


def _decision_maker_met(deal: Deal, _: datetime) -> Versions | None:
    return _with_decision_maker(
        deal, [one.made for one in deal.people.contacts if _met(one.made.fact)]
    )


def _solution_presented(deal: Deal, _: datetime) -> Versions | None:
    return _with_decision_maker(
        deal,
        [one.made for one in deal.people.contacts if one.made.fact.kind in PRESENTATIONS],
    )


def _met(contact: ContactMade) -> bool:
    if contact.channel is not None:
        return contact.channel in FACE_TO_FACE
    return contact.kind not in AT_A_DISTANCE


def _with_decision_maker(deal: Deal, contacts: Iterable[Recorded[ContactMade]]) -> Versions | None:
    found: list[int | None] = []
    makers = {one.id: one for one in holders(deal, [BuyingRole.DECISION_MAKER])}
    for contact in contacts:
        for who in contact.fact.their_people:
            if who in makers:
                found += [makers[who].set_by.get("roles"), contact.version]
    return shown_by(found)


def _preference(deal: Deal, _: datetime) -> Versions | None:
    return shown_by(
        version
        for one in holders(deal, [BuyingRole.DECISION_MAKER, BuyingRole.RECOMMENDER])
        if one.leaning is not None and one.leaning.fact.vendor == OURSELVES
        for version in (one.set_by.get("roles"), one.leaning.version)
    )


_ABSENT = "or attest-gate-criterion with applies false and the role as aspect where nobody holds it"

PREDICATES = {
    "stakeholder-recorded": Predicate(_recorded, "identify-stakeholder"),
    "reachable-contact": Predicate(
        _reachable,
        "identify-stakeholder or revise-stakeholder with contact_points, or record-contact",
    ),
    "leaning-known": Predicate(_leaning, "observe-leaning of someone who is still there"),
    "decision-chain-known": Predicate(
        _decision_chain,
        "identify-stakeholder or revise-stakeholder with roles, for each of decision-maker, "
        f"purchaser, user and recommender; {_ABSENT}",
    ),
    "decision-chain-detailed": Predicate(
        _decision_chain_detailed,
        "assess-stakeholder with influence and observe-leaning, for each decision-maker, "
        "purchaser, user and recommender",
    ),
    "buying-roles-filled": Predicate(
        _every_role,
        "identify-stakeholder or revise-stakeholder with roles, for each of the six buying "
        f"roles; {_ABSENT}",
    ),
    "front-line-relationship": Predicate(
        _front_line_relationship,
        "identify-stakeholder with level front-line, then assess-stakeholder with relationship "
        "interacting or closer",
    ),
    "middle-level-relationship": Predicate(
        _middle_level_relationship,
        "identify-stakeholder with level middle, then assess-stakeholder with relationship "
        "interacting or closer",
    ),
    "decision-maker-relationship": Predicate(
        _decision_maker_relationship,
        "assess-stakeholder of a decision-maker with relationship interacting or closer",
    ),
    "decision-maker-attitude": Predicate(
        _decision_maker_attitude,
        "assess-stakeholder of a decision-maker with attitude neutral or better, and of no "
        "decision-maker with a worse one",
    ),
    "decision-maker-met": Predicate(
        _decision_maker_met,
        "record-contact with a decision-maker among their_people, in person or by video",
    ),
    "middle-level-supportive": Predicate(
        _middle_level_support,
        "identify-stakeholder with level middle, then assess-stakeholder with attitude supporter "
        "or champion",
    ),
    "engineers-met": Predicate(
        _engineers_met, "record-contact with kind technical-exchange, workshop or demo"
    ),
    "solution-presented": Predicate(
        _solution_presented,
        "record-contact with kind pitch, demo or workshop and a decision-maker among their_people",
    ),
    "preference-stated": Predicate(
        _preference, "observe-leaning of a decision-maker or recommender with vendor us"
    ),
}
