"""Folding the customer's process: how it buys, and where it stands in doing so."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import pytest

from domain.buying.facts import (
    AnyBuyingFact,
    ApprovalResult,
    ApprovalStepKind,
    ApprovalStepRecorded,
    BidOpened,
    BidReviewed,
    BudgetObserved,
    BudgetStatus,
    BuyingPhaseObserved,
    CommitmentBroken,
    CommitmentKept,
    CommitmentRecorded,
    CriteriaStatus,
    CriteriaStatusObserved,
    CriterionScored,
    CustomerEventKind,
    CustomerEventObserved,
    DecisionCriterionDropped,
    DecisionCriterionSet,
    OurPart,
    OurPartObserved,
    ProjectApproved,
    ProposalKind,
    ProposalSubmitted,
    PurchaseMethod,
    PurchaseModeDeclared,
    VendorBid,
    VendorStatus,
    VendorStatusChanged,
)
from domain.buying.purchase import Purchase
from domain.values import Party
from tests.domain.buying.asked import AROUND
from tests.scenario import Scenario, given, opened

if TYPE_CHECKING:
    from domain.deal import DealFact
    from domain.history import Fact, Recorded

UPTIME = DecisionCriterionSet("uptime", "Hours between failures", weight=60)
PRICE = DecisionCriterionSet("price", "Price", weight=40)


def after(*facts: DealFact) -> Purchase:
    return given(opened(), *AROUND, *facts).deal.purchase


def fact_of(event: Recorded[Fact] | None) -> Fact | None:
    return None if event is None else event.fact


LATEST: list[tuple[str, AnyBuyingFact, AnyBuyingFact]] = [
    ("approval", ProjectApproved(), ProjectApproved(by="li")),
    ("budget", BudgetObserved(BudgetStatus.NONE), BudgetObserved(BudgetStatus.APPROVED)),
    (
        "mode",
        PurchaseModeDeclared(PurchaseMethod.DIRECT),
        PurchaseModeDeclared(PurchaseMethod.SINGLE_SOURCE),
    ),
    (
        "criteria_status",
        CriteriaStatusObserved(CriteriaStatus.NONE),
        CriteriaStatusObserved(CriteriaStatus.FORMING),
    ),
    ("our_part", OurPartObserved(OurPart.BACKUP), OurPartObserved(OurPart.CONTENDER)),
    ("bid_review", BidReviewed(True, True, False), BidReviewed(True, True, True)),
]


@pytest.mark.parametrize(("part", "first", "second"), LATEST)
def test_the_latest_word_counts(part: str, first: AnyBuyingFact, second: AnyBuyingFact) -> None:
    assert getattr(after(), part) is None
    assert fact_of(getattr(after(first), part)) == first
    assert fact_of(getattr(after(first, second), part)) == second


KEPT: list[tuple[str, AnyBuyingFact, AnyBuyingFact]] = [
    ("phases", BuyingPhaseObserved("criteria"), BuyingPhaseObserved("criteria", stakeholder="li")),
    (
        "proposals",
        ProposalSubmitted(ProposalKind.FORMAL, 1),
        ProposalSubmitted(ProposalKind.FORMAL, 2),
    ),
    (
        "customer_events",
        CustomerEventObserved(CustomerEventKind.TRIGGER, "Press broke"),
        CustomerEventObserved(CustomerEventKind.BUDGET, "Cut"),
    ),
]


@pytest.mark.parametrize(("part", "first", "second"), KEPT)
def test_these_are_kept_in_order(part: str, first: AnyBuyingFact, second: AnyBuyingFact) -> None:
    assert [event.fact for event in getattr(after(first, second), part)] == [first, second]


def test_the_last_phase_of_a_person_and_of_the_whole() -> None:
    whole, li, li_later = (
        BuyingPhaseObserved("decision"),
        BuyingPhaseObserved("criteria", stakeholder="li"),
        BuyingPhaseObserved("decision", stakeholder="li"),
    )
    purchase = after(whole, li, li_later)
    assert fact_of(purchase.phase_of(None)) == whole
    assert fact_of(purchase.phase_of("li")) == li_later
    assert purchase.phase_of("wang") is None


def test_an_approval_step_recorded_again_replaces() -> None:
    listed = ApprovalStepRecorded("board", ApprovalStepKind.APPROVAL)
    other = ApprovalStepRecorded("roi", ApprovalStepKind.COST_AND_ROI)
    passed = ApprovalStepRecorded("board", ApprovalStepKind.APPROVAL, result=ApprovalResult.PASSED)
    purchase = after(listed, other, passed)
    assert [event.fact for event in purchase.approval_steps] == [other, passed]
    assert fact_of(purchase.approval_step("board")) == passed
    assert purchase.approval_step("plan") is None


def test_a_criterion_set_again_keeps_its_place_and_its_scores() -> None:
    score = CriterionScored("uptime", "us", 80)
    reworded = DecisionCriterionSet("uptime", "Uptime", weight=50)
    purchase = after(UPTIME, PRICE, score, reworded)
    assert [one.set.fact for one in purchase.criteria] == [reworded, PRICE]
    criterion = purchase.criterion("uptime")
    assert criterion is not None
    assert fact_of(criterion.score("us")) == score


def test_the_latest_score_of_each_vendor_counts() -> None:
    ours, better = CriterionScored("uptime", "us", 60), CriterionScored("uptime", "us", 80)
    theirs = CriterionScored("uptime", "acme", 70)
    criterion = after(UPTIME, PRICE, ours, theirs, better).criterion("uptime")
    assert criterion is not None
    assert [event.fact for event in criterion.scores] == [theirs, better]
    assert (fact_of(criterion.score("us")), criterion.score("zenith")) == (better, None)


def test_a_dropped_criterion_is_gone_until_it_is_set_again_without_its_scores() -> None:
    drop = DecisionCriterionDropped("uptime", "Nobody measures it")
    history = (UPTIME, PRICE, CriterionScored("uptime", "us", 80), drop)
    purchase = after(*history)
    assert [one.id for one in purchase.criteria] == ["price"]
    assert fact_of(purchase.dropped_criterion("uptime")) == drop
    assert purchase.dropped_criterion("price") is None
    again = after(*history, UPTIME)
    assert [(one.id, one.scores) for one in again.criteria][1] == ("uptime", ())
    assert again.dropped_criteria == ()
    twice = after(*history, UPTIME, DecisionCriterionDropped("uptime"))
    assert [event.fact.reason for event in twice.dropped_criteria] == [None]


def test_proposals_are_counted_for_each_kind() -> None:
    third = ProposalSubmitted(ProposalKind.FORMAL, 3)
    first = ProposalSubmitted(ProposalKind.FORMAL, 1)
    purchase = after(third, first, ProposalSubmitted(ProposalKind.BID, 5))
    assert fact_of(purchase.proposal(ProposalKind.FORMAL)) == first
    assert purchase.proposal_version(ProposalKind.FORMAL) == 3
    assert purchase.proposal(ProposalKind.SIMPLIFIED) is None
    assert purchase.proposal_version(ProposalKind.SIMPLIFIED) == 0


def test_bids_and_the_standing_of_each_vendor() -> None:
    bids = BidOpened((VendorBid("us", rank=1),))
    entered = VendorStatusChanged("acme", VendorStatus.ENTERED)
    ours = VendorStatusChanged("us", VendorStatus.FIRST_CHOICE)
    out = VendorStatusChanged("acme", VendorStatus.OUT)
    purchase = after(bids, entered, ours, out)
    assert fact_of(purchase.bids) == bids
    assert [event.fact for event in purchase.vendor_statuses] == [ours, out]
    assert fact_of(purchase.vendor_status("acme")) == out
    assert purchase.vendor_status("zenith") is None


def test_promises_and_what_became_of_them() -> None:
    promises = [CommitmentRecorded(name, "Do it", Party.US) for name in ("a", "b", "c")]
    kept, broken = CommitmentKept("a"), CommitmentBroken("c")
    purchase = after(*promises, kept, broken)
    assert [fact_of(one.settled) for one in purchase.commitments] == [kept, None, broken]
    b = purchase.commitment("b")
    assert b is not None
    assert b.recorded.fact == promises[1]
    assert purchase.commitment("d") is None


@pytest.mark.parametrize("method", PurchaseMethod)
def test_some_methods_are_tenders(method: PurchaseMethod) -> None:
    assert after(PurchaseModeDeclared(method)).tender is method.value.endswith("tender")
    assert not Purchase().tender


def test_what_refers_to_nothing_is_folded_all_the_same() -> None:
    nonsense = (
        DecisionCriterionDropped("uptime"),
        CriterionScored("uptime", "us", 80),
        CommitmentKept("plan"),
        CommitmentBroken("plan"),
    )
    purchase = Scenario().and_given(opened(), *nonsense).deal.purchase
    assert (purchase.criteria, purchase.commitments) == ((), ())


def test_every_fact_is_folded_here() -> None:
    tried = {type(fact) for _, *pair in (*LATEST, *KEPT) for fact in pair}
    others = {
        ApprovalStepRecorded,
        DecisionCriterionSet,
        DecisionCriterionDropped,
        CriterionScored,
        BidOpened,
        VendorStatusChanged,
        CommitmentRecorded,
        CommitmentKept,
        CommitmentBroken,
    }
    assert tried | others == set(get_args(AnyBuyingFact))


def test_a_score_is_on_the_criterion_that_it_names() -> None:
    purchase = after(UPTIME, PRICE, CriterionScored("price", "us", 40))
    assert [(one.id, len(one.scores)) for one in purchase.criteria] == [("uptime", 0), ("price", 1)]


def test_the_opening_that_ranked_the_bids_counts() -> None:
    ranked = BidOpened((VendorBid("us", rank=1),))
    prices = BidOpened((VendorBid("us", rank=None),))
    assert fact_of(after(ranked, prices).bids) == ranked
    assert fact_of(after(prices, ranked).bids) == ranked
    assert fact_of(after(prices).bids) == prices
    assert after().bids is None
