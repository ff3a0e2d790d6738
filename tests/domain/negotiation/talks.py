"""A negotiation told in full, for the reckoning: five rounds over a price, payment and delivery."""

from domain.negotiation.facts import (
    ApprovalGranted,
    ConditionFulfilled,
    NegotiationOpened,
    OfferAnswered,
    OfferReply,
    Tactic,
    Term,
    WalkAwayRevised,
)
from domain.negotiation.positions import IssueState, Negotiation
from tests.domain.negotiation.table import DAYS, PRICE, THEM, US, WANG, WAY, made, offer
from tests.scenario import Scenario, given, opened


def talked() -> Scenario:
    """The target for the price is 960; the walk-away first 900, from the fifth round on 850."""
    start = given(
        opened(),
        WANG,
        NegotiationOpened(
            "main",
            (PRICE, DAYS, WAY),
            targets=(Term("price", "960"),),
            walk_aways=(Term("price", "900"),),
        ),
        made("o1", US, price=1000, days=30, way="rail"),
        made("t1", THEM, 2, price=800, days=90, way="air"),
    )
    return (
        start.when(offer("o2", US, {"price": 960, "days": 40}, tactic=Tactic.DIMINISHING_STEPS))
        .accepted()
        .when(offer("o3", US, {"price": 940, "way": "road"}, in_return_for="Prepayment"))
        .accepted()
        .when(offer("t2", THEM, {"price": 850, "days": 95, "way": "rail"}))
        .accepted()
        .and_given(WalkAwayRevised("price", "850"), ApprovalGranted("price", "890"))
        .when(offer("o4", US, {"price": 890, "days": 30}, made_to=("wang",)))
        .accepted()
        .and_given(ConditionFulfilled("o3", "30 per cent paid"))
        .and_given(OfferAnswered("o4", OfferReply.ACCEPTED))
    )


def the(scenario: Scenario) -> Negotiation:
    (negotiation,) = scenario.deal.negotiations.opened
    return negotiation


def issue_of(scenario: Scenario, issue_id: str) -> IssueState:
    state = the(scenario).issue(issue_id)
    assert state is not None
    return state
