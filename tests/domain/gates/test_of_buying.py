"""Predicates over how the customer buys, and against whom we sell."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from domain.buying.facts import (
    ApprovalStepKind,
    ApprovalStepRecorded,
    BidOpened,
    BidReviewed,
    BuyingPhaseObserved,
    CriterionScored,
    DecisionCriterionDropped,
    DecisionCriterionSet,
    ProjectApproved,
    ProposalKind,
    ProposalSubmitted,
    PurchaseMethod,
    PurchaseModeDeclared,
    VendorBid,
    VendorStatus,
    VendorStatusChanged,
)
from domain.competition.facts import (
    CompetitorIdentified,
    CompetitorKind,
    CompetitorMoved,
    PositionAssessed,
    Rank,
)
from domain.lifecycle.facts import OpportunityAssessed, PursuitDecision
from domain.people.facts import BuyingRole, StakeholderDeparted, StakeholderIdentified
from tests.domain.gates.judged import judged
from tests.scenario import day, on, opened

if TYPE_CHECKING:
    from domain.deal import DealFact
    from domain.gates.evidence import Versions
    from tests.domain.gates.judged import Shown

OPENED = opened()
TENDER = PurchaseModeDeclared(PurchaseMethod.OPEN_TENDER)
QUOTES = PurchaseModeDeclared(PurchaseMethod.REQUEST_FOR_QUOTATIONS)
SINGLE = PurchaseModeDeclared(PurchaseMethod.SINGLE_SOURCE)
GO = OpportunityAssessed(4, 4, decision=PursuitDecision.GO)
MAYBE = OpportunityAssessed(4, 4, decision=PursuitDecision.CONDITIONAL)
REVIEWED = BidReviewed(True, True, True)
FORMAL = ProposalSubmitted(ProposalKind.FORMAL, 1)
ACME = CompetitorIdentified("acme", "Acme")
PRICE, SPEED = DecisionCriterionSet("price", "Price", 60), DecisionCriterionSet("speed", "Speed")
OURS, THEIRS = CriterionScored("price", "us", 80), CriterionScored("price", "acme", 70)
LI = StakeholderIdentified("li", "Li", roles=(BuyingRole.DECISION_MAKER,))
WANG = StakeholderIdentified("wang", "Wang", roles=(BuyingRole.USER,))
BUYER = StakeholderIdentified("li", "Li", roles=(BuyingRole.PURCHASER,))
FIRST = VendorStatus.FIRST_CHOICE
BY_LI = VendorStatusChanged("us", FIRST, told_by="li")
RANKED = BidOpened((VendorBid("us", rank=1), VendorBid("acme", rank=2)))
SECOND = BidOpened((VendorBid("us", rank=2), VendorBid("acme", rank=1)))
MOVED = CompetitorMoved("acme", "Cut the price")

SHOWN: list[Shown] = [
    ("project-approved", (OPENED,), None),
    ("project-approved", (OPENED, ProjectApproved()), (2,)),
    ("customer-resolved-to-act", (OPENED, BuyingPhaseObserved("acknowledgement")), None),
    ("customer-resolved-to-act", (OPENED, BuyingPhaseObserved("decision")), (2,)),
    (
        "customer-resolved-to-act",
        (OPENED, BuyingPhaseObserved("criteria"), BuyingPhaseObserved("satisfaction")),
        None,
    ),
    (
        "customer-resolved-to-act",
        (OPENED, ProjectApproved(), BuyingPhaseObserved("satisfaction")),
        (2,),
    ),
    ("purchase-mode-known", (OPENED,), None),
    ("purchase-mode-known", (OPENED, QUOTES, TENDER), (3,)),
    ("approval-steps-listed", (OPENED,), None),
    (
        "approval-steps-listed",
        (OPENED, ApprovalStepRecorded("board", ApprovalStepKind.APPROVAL)),
        (2,),
    ),
    ("decision-criteria-known", (OPENED,), None),
    ("decision-criteria-known", (OPENED, PRICE), (2,)),
    ("decision-criteria-known", (OPENED, PRICE, SPEED), None),
    (
        "decision-criteria-known",
        (OPENED, PRICE, DecisionCriterionSet("speed", "Speed", mandatory=True)),
        (2, 3),
    ),
    ("decision-criteria-known", (OPENED, PRICE, DecisionCriterionDropped("price")), None),
    ("proposal-submitted-or-bid-reviewed", (OPENED,), None),
    ("proposal-submitted-or-bid-reviewed", (OPENED, FORMAL), (2,)),
    (
        "proposal-submitted-or-bid-reviewed",
        (OPENED, QUOTES, ProposalSubmitted(ProposalKind.PRELIMINARY, 1)),
        None,
    ),
    ("proposal-submitted-or-bid-reviewed", (OPENED, TENDER, FORMAL), None),
    ("proposal-submitted-or-bid-reviewed", (OPENED, TENDER, GO), None),
    ("proposal-submitted-or-bid-reviewed", (OPENED, TENDER, REVIEWED), None),
    ("proposal-submitted-or-bid-reviewed", (OPENED, TENDER, MAYBE, REVIEWED), None),
    ("proposal-submitted-or-bid-reviewed", (OPENED, TENDER, GO, REVIEWED), (2, 3, 4)),
    *(
        ("proposal-submitted-or-bid-reviewed", (OPENED, TENDER, GO, lacking), None)
        for lacking in (
            BidReviewed(False, True, True),
            BidReviewed(True, False, True),
            BidReviewed(True, True, False),
        )
    ),
    ("scored-against-competitor", (OPENED, ACME, PRICE, OURS), None),
    ("scored-against-competitor", (OPENED, ACME, PRICE, THEIRS), None),
    ("scored-against-competitor", (OPENED, ACME, PRICE, OURS, THEIRS), (3, 4, 5)),
    (
        "scored-against-competitor",
        (OPENED, ACME, PRICE, SPEED, OURS, CriterionScored("speed", "acme", 9)),
        None,
    ),
    (
        "scored-against-competitor",
        (OPENED, ACME, PRICE, OURS, THEIRS, DecisionCriterionDropped("price")),
        None,
    ),
    ("scored-against-competitor", (OPENED, SINGLE), (2,)),
    ("scored-against-competitor", (OPENED, TENDER), None),
    ("first-choice-confirmed", (OPENED, LI, VendorStatusChanged("us", FIRST)), None),
    (
        "first-choice-confirmed",
        (OPENED, WANG, VendorStatusChanged("us", FIRST, told_by="wang")),
        None,
    ),
    (
        "first-choice-confirmed",
        (OPENED, LI, VendorStatusChanged("us", VendorStatus.SHORTLISTED, told_by="li")),
        None,
    ),
    (
        "first-choice-confirmed",
        (OPENED, LI, ACME, VendorStatusChanged("acme", FIRST, told_by="li")),
        None,
    ),
    ("first-choice-confirmed", (OPENED, LI, BY_LI), (2, 3)),
    ("first-choice-confirmed", (OPENED, BUYER, BY_LI), (2, 3)),
    ("first-choice-confirmed", (OPENED, LI, BY_LI, StakeholderDeparted("li")), None),
    ("first-choice-confirmed", (OPENED, TENDER), None),
    ("first-choice-confirmed", (OPENED, TENDER, ACME, SECOND), None),
    ("first-choice-confirmed", (OPENED, ACME, RANKED), None),
    ("first-choice-confirmed", (OPENED, QUOTES, ACME, RANKED), None),
    ("first-choice-confirmed", (OPENED, TENDER, ACME, RANKED), (2, 4)),
    (
        "first-choice-confirmed",
        (OPENED, TENDER, ACME, RANKED, VendorStatusChanged("us", VendorStatus.OUT)),
        None,
    ),
    ("competitors-known", (OPENED,), None),
    (
        "competitors-known",
        (OPENED, ACME, CompetitorIdentified("none", "As is", CompetitorKind.DOING_NOTHING)),
        (2, 3),
    ),
    ("competitor-move-known", (OPENED, ACME), None),
    ("competitor-move-known", (OPENED, ACME, MOVED), (3,)),
    ("competitor-moves-recent", (OPENED, ACME), None),
    ("competitor-moves-recent", (OPENED, ACME, MOVED), (3,)),
    ("position-recent", (OPENED,), None),
    ("position-recent", (OPENED, PositionAssessed(Rank.UNKNOWN)), None),
    ("position-recent", (OPENED, PositionAssessed(Rank.LAGGING)), (2,)),
    (
        "position-recent",
        (OPENED, PositionAssessed(Rank.LEADING), PositionAssessed(Rank.UNKNOWN)),
        None,
    ),
]


@pytest.mark.parametrize(("name", "facts", "versions"), SHOWN)
def test_it_is_met_by_exactly_these_events(
    name: str, facts: tuple[DealFact, ...], versions: Versions | None
) -> None:
    assert judged(name, *facts) == versions


@pytest.mark.parametrize(
    ("name", "fact"),
    [
        ("competitor-moves-recent", MOVED),
        ("position-recent", PositionAssessed(Rank.LEVEL)),
    ],
)
def test_what_was_seen_counts_for_thirty_days(name: str, fact: DealFact) -> None:
    facts = (OPENED, on(1, ACME), on(10, fact))
    assert judged(name, *facts, at=day(40)) == (3,)
    assert judged(name, *facts, at=day(40) + timedelta(microseconds=1)) is None


def test_of_several_moves_the_recent_ones_count() -> None:
    facts = (OPENED, on(1, ACME), on(2, MOVED), on(30, CompetitorMoved("acme", "Sent a demo")))
    assert judged("competitor-moves-recent", *facts, at=day(32)) == (3, 4)
    assert judged("competitor-moves-recent", *facts, at=day(33)) == (4,)
