"""Predicates over the customer's people and our contacts with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from domain.competition.facts import CompetitorIdentified
from domain.people.facts import (
    Attitude,
    BuyingRole,
    Channel,
    ContactKind,
    ContactMade,
    ContactPoint,
    ContactPointKind,
    LeaningObserved,
    Level,
    Relationship,
    StakeholderAssessed,
    StakeholderDeparted,
    StakeholderIdentified,
    StakeholderRevised,
    SubjectErased,
)
from domain.stages.facts import GateCriterionAttested, GateCriterionRevoked
from tests.domain.gates.judged import judged
from tests.scenario import opened

if TYPE_CHECKING:
    from domain.deal import DealFact
    from domain.gates.evidence import Versions
    from tests.domain.gates.judged import Shown

OPENED = opened()
MAKER, PURCHASER = BuyingRole.DECISION_MAKER, BuyingRole.PURCHASER
USER, RECOMMENDER = BuyingRole.USER, BuyingRole.RECOMMENDER
PHONE = ContactPoint(ContactPointKind.PHONE, "555")
ALL_ROLES = tuple(BuyingRole)
ACME = CompetitorIdentified("acme", "Acme")


def known(stakeholder: str, *roles: BuyingRole, **more: Any) -> StakeholderIdentified:
    return StakeholderIdentified(stakeholder, stakeholder.title(), roles=roles, **more)


def close(stakeholder: str, relationship: Relationship) -> StakeholderAssessed:
    return StakeholderAssessed(stakeholder, relationship=relationship)


def minded(stakeholder: str, attitude: Attitude | None) -> StakeholderAssessed:
    return StakeholderAssessed(stakeholder, attitude=attitude)


def absent(role: BuyingRole, criterion: str = "plan") -> GateCriterionAttested:
    return GateCriterionAttested(criterion, "Nobody", applies=False, aspect=role)


def contact(kind: ContactKind, *people: str, channel: Channel | None = None) -> ContactMade:
    return ContactMade(f"{kind}-{channel}", kind, people or ("li",), channel=channel)


LI = known("li", MAKER)
CHAIN = known("li", MAKER, PURCHASER), known("wang", USER, RECOMMENDER)
WEIGHED = (
    StakeholderAssessed("li", influence=5),
    StakeholderAssessed("wang", influence=3),
    LeaningObserved("li"),
    LeaningObserved("wang", "us"),
)
FRONT, MIDDLE = known("li", level=Level.FRONT_LINE), known("li", level=Level.MIDDLE)
LEFT = StakeholderDeparted("li")
KINDS_NEAR = (ContactKind.VISIT, ContactKind.TOP_EXCHANGE, ContactKind.SOCIAL)
KINDS_FAR = (ContactKind.CALL, ContactKind.MAIL, ContactKind.OTHER)

SHOWN: list[Shown] = [
    ("stakeholder-recorded", (OPENED,), None),
    ("stakeholder-recorded", (OPENED, LI, known("wang")), (2, 3)),
    ("stakeholder-recorded", (OPENED, LI, LEFT), None),
    ("reachable-contact", (OPENED, LI), None),
    ("reachable-contact", (OPENED, known("li", contact_points=(PHONE,))), (2,)),
    ("reachable-contact", (OPENED, LI, StakeholderRevised("li", contact_points=(PHONE,))), (3,)),
    (
        "reachable-contact",
        (
            OPENED,
            known("li", contact_points=(PHONE,)),
            StakeholderRevised("li", contact_points=()),
        ),
        None,
    ),
    ("reachable-contact", (OPENED, LI, contact(ContactKind.MAIL)), (3,)),
    ("reachable-contact", (OPENED, LI, contact(ContactKind.MAIL), LEFT), None),
    (
        "reachable-contact",
        (OPENED, known("li", contact_points=(PHONE,)), SubjectErased("li")),
        None,
    ),
    ("reachable-contact", (OPENED, LI, contact(ContactKind.CALL), SubjectErased("li")), None),
    ("leaning-known", (OPENED, LI), None),
    ("leaning-known", (OPENED, LI, LeaningObserved("li")), (3,)),
    ("leaning-known", (OPENED, LI, LeaningObserved("li"), LeaningObserved("li", "us")), (4,)),
    ("leaning-known", (OPENED, LI, LeaningObserved("li", "us"), LEFT), None),
    ("decision-chain-known", (OPENED, *CHAIN), (2, 3)),
    ("decision-chain-known", (OPENED, known("li", MAKER, PURCHASER, USER)), None),
    ("decision-chain-known", (OPENED, *CHAIN, StakeholderDeparted("wang")), None),
    (
        "decision-chain-known",
        (OPENED, known("li", MAKER, PURCHASER, USER), absent(RECOMMENDER, "signed")),
        (2, 3),
    ),
    (
        "decision-chain-known",
        (
            OPENED,
            known("li", MAKER, PURCHASER, USER),
            GateCriterionAttested("signed", "There is one", aspect=RECOMMENDER),
        ),
        None,
    ),
    (
        "decision-chain-known",
        (
            OPENED,
            known("li", MAKER, PURCHASER, USER),
            absent(RECOMMENDER),
            GateCriterionRevoked("plan", "R", RECOMMENDER),
        ),
        None,
    ),
    (
        # Who holds the role counts, and no longer the word that nobody does.
        "decision-chain-known",
        (OPENED, known("li", MAKER, PURCHASER, USER), absent(RECOMMENDER), CHAIN[1]),
        (2, 4),
    ),
    (
        "decision-chain-known",
        (OPENED, known("li"), StakeholderRevised("li", roles=(MAKER, PURCHASER)), CHAIN[1]),
        (3, 4),
    ),
    ("buying-roles-filled", (OPENED, known("li", *ALL_ROLES)), (2,)),
    ("buying-roles-filled", (OPENED, *CHAIN), None),
    (
        "buying-roles-filled",
        (
            OPENED,
            *CHAIN,
            absent(BuyingRole.IMPLEMENTER),
            absent(BuyingRole.INFLUENCER, "signed"),
        ),
        (2, 3, 4, 5),
    ),
    (
        "buying-roles-filled",
        (OPENED, *CHAIN, absent(BuyingRole.IMPLEMENTER), absent(BuyingRole.IMPLEMENTER, "signed")),
        None,
    ),
    ("decision-chain-detailed", (OPENED,), None),
    ("decision-chain-detailed", (OPENED, *CHAIN), None),
    ("decision-chain-detailed", (OPENED, *CHAIN, *WEIGHED[:3]), None),
    ("decision-chain-detailed", (OPENED, *CHAIN, *WEIGHED[1:]), None),
    ("decision-chain-detailed", (OPENED, *CHAIN, *WEIGHED), (2, 3, 4, 5, 6, 7)),
    (
        "decision-chain-detailed",
        (OPENED, *CHAIN, *WEIGHED, known("zhao", BuyingRole.INFLUENCER)),
        (2, 3, 4, 5, 6, 7),
    ),
    ("front-line-relationship", (OPENED, FRONT), None),
    (
        "front-line-relationship",
        (OPENED, FRONT, close("li", Relationship.ACQUAINTED)),
        None,
    ),
    (
        "front-line-relationship",
        (OPENED, FRONT, close("li", Relationship.INTERACTING)),
        (2, 3),
    ),
    (
        "front-line-relationship",
        (OPENED, FRONT, close("li", Relationship.ALLY), LEFT),
        None,
    ),
    ("front-line-relationship", (OPENED, MIDDLE, close("li", Relationship.ALLY)), None),
    ("middle-level-relationship", (OPENED, FRONT, close("li", Relationship.ALLY)), None),
    ("middle-level-relationship", (OPENED, MIDDLE, close("li", Relationship.TRUSTED)), (2, 3)),
    ("decision-maker-relationship", (OPENED, MIDDLE, close("li", Relationship.ALLY)), None),
    ("decision-maker-relationship", (OPENED, LI, close("li", Relationship.ACQUAINTED)), None),
    ("decision-maker-relationship", (OPENED, LI, close("li", Relationship.INTERACTING)), (2, 3)),
    ("decision-maker-attitude", (OPENED, LI), None),
    ("decision-maker-attitude", (OPENED, LI, minded("li", Attitude.SCEPTIC)), None),
    ("decision-maker-attitude", (OPENED, LI, minded("li", Attitude.NEUTRAL)), (2, 3)),
    (
        "decision-maker-attitude",
        (OPENED, LI, minded("li", Attitude.NEUTRAL), known("wang", MAKER)),
        (2, 3),
    ),
    (
        "decision-maker-attitude",
        (OPENED, known("wang", MAKER), LI, minded("li", Attitude.NEUTRAL)),
        (3, 4),
    ),
    (
        "decision-maker-attitude",
        (
            OPENED,
            LI,
            minded("li", Attitude.NEUTRAL),
            known("wang", MAKER),
            minded("wang", Attitude.CHAMPION),
        ),
        (2, 3, 4, 5),
    ),
    (
        "decision-maker-attitude",
        (
            OPENED,
            LI,
            minded("li", Attitude.CHAMPION),
            known("wang", MAKER),
            minded("wang", Attitude.SCEPTIC),
        ),
        None,
    ),
    ("middle-level-supportive", (OPENED, MIDDLE, minded("li", Attitude.NEUTRAL)), None),
    ("middle-level-supportive", (OPENED, MIDDLE, minded("li", Attitude.SUPPORTER)), (2, 3)),
    ("middle-level-supportive", (OPENED, FRONT, minded("li", Attitude.CHAMPION)), None),
    (
        "middle-level-supportive",
        (OPENED, MIDDLE, minded("li", Attitude.SUPPORTER), minded("li", None)),
        None,
    ),
    ("engineers-met", (OPENED, LI, contact(ContactKind.VISIT)), None),
    *(
        ("engineers-met", (OPENED, LI, contact(kind)), (3,))
        for kind in (ContactKind.TECHNICAL_EXCHANGE, ContactKind.WORKSHOP, ContactKind.DEMO)
    ),
    *(("decision-maker-met", (OPENED, LI, contact(kind)), (2, 3)) for kind in KINDS_NEAR),
    *(("decision-maker-met", (OPENED, LI, contact(kind)), None) for kind in KINDS_FAR),
    (
        "decision-maker-met",
        (OPENED, LI, contact(ContactKind.OTHER, channel=Channel.VIDEO)),
        (2, 3),
    ),
    ("decision-maker-met", (OPENED, LI, contact(ContactKind.VISIT, channel=Channel.PHONE)), None),
    ("decision-maker-met", (OPENED, LI, contact(ContactKind.VISIT), LEFT), None),
    (
        "decision-maker-met",
        (OPENED, LI, known("wang", USER), contact(ContactKind.VISIT, "wang")),
        None,
    ),
    (
        "decision-maker-met",
        (OPENED, LI, known("wang", USER), contact(ContactKind.VISIT, "wang", "li")),
        (2, 4),
    ),
    ("solution-presented", (OPENED, LI, contact(ContactKind.VISIT)), None),
    ("solution-presented", (OPENED, LI, contact(ContactKind.PITCH)), (2, 3)),
    (
        "solution-presented",
        (OPENED, LI, known("wang", USER), contact(ContactKind.DEMO, "wang")),
        None,
    ),
    ("preference-stated", (OPENED, LI, LeaningObserved("li")), None),
    ("preference-stated", (OPENED, LI, ACME, LeaningObserved("li", "acme")), None),
    ("preference-stated", (OPENED, LI, LeaningObserved("li", "us")), (2, 3)),
    ("preference-stated", (OPENED, known("li", USER), LeaningObserved("li", "us")), None),
    (
        "preference-stated",
        (OPENED, known("li", RECOMMENDER), LeaningObserved("li", "us")),
        (2, 3),
    ),
]


@pytest.mark.parametrize(("name", "facts", "versions"), SHOWN)
def test_it_is_met_by_exactly_these_events(
    name: str, facts: tuple[DealFact, ...], versions: Versions | None
) -> None:
    assert judged(name, *facts) == versions
