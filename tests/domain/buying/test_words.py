"""The customer's process told in words, one phrase for each fact."""

from __future__ import annotations

from datetime import date
from typing import get_args

import pytest

from domain.buying import describe
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
    PriceForm,
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
from domain.values import Party, Side
from tests.domain.buying.asked import AROUND, PLAN, UPTIME
from tests.scenario import given, opened, usd

VISIT = CommitmentRecorded("visit", "See our plant", Party.CUSTOMER, by="li")
BEFORE = given(
    opened(),
    *AROUND,
    BuyingPhaseObserved("decision", stakeholder="li"),
    UPTIME,
    CriterionScored("uptime", "acme", 60),
    PLAN,
    VISIT,
).deal.purchase

TOLD: list[tuple[AnyBuyingFact, str]] = [
    (
        BuyingPhaseObserved(
            "criteria", stakeholder="li", driven_by=Side.US, evidence="Asked for a score sheet"
        ),
        "li's buying phase decision → criteria, driven by us: Asked for a score sheet",
    ),
    (BuyingPhaseObserved("decision", stakeholder="li"), "li's buying phase still decision"),
    (
        BuyingPhaseObserved("criteria", driven_by=Side.COMPETITOR),
        "the customer's buying phase: criteria, driven by a competitor",
    ),
    (ProjectApproved(), "project approved"),
    (
        ProjectApproved("li", "Investment committee", "Unanimous"),
        "project approved by li, Investment committee: Unanimous",
    ),
    (
        ApprovalStepRecorded("board", ApprovalStepKind.APPROVAL),
        "approval step board (approval) pending",
    ),
    (
        ApprovalStepRecorded(
            "roi", ApprovalStepKind.COST_AND_ROI, ("Finance", "IT"), ApprovalResult.FAILED, "Slow"
        ),
        "approval step roi (cost and roi by Finance, IT) failed: Slow",
    ),
    (BudgetObserved(BudgetStatus.NONE), "no budget"),
    (
        BudgetObserved(BudgetStatus.APPLIED_FOR, usd("500"), "li"),
        "budget applied for, 500.00 USD (told by li)",
    ),
    (
        PurchaseModeDeclared(
            PurchaseMethod.OPEN_TENDER, PriceForm.SEALED, 2, True, date(2026, 5, 1), "acme", "wang"
        ),
        (
            "they buy by open tender, sealed prices, 2 envelopes, bound by law, until 2026-05-01,"
            " acme is believed pre-selected (told by wang)"
        ),
    ),
    (
        PurchaseModeDeclared(
            PurchaseMethod.DIRECT, envelopes=1, bound_by_law=False, pre_selected="us"
        ),
        "they buy directly, 1 envelope, not bound by law, we are believed pre-selected",
    ),
    (
        DecisionCriterionSet("price", "Price over ten years", 40, True, Side.CUSTOMER),
        "criterion price set by the customer: Price over ten years (40 %, mandatory)",
    ),
    (DecisionCriterionSet("uptime", "Uptime", 0), "criterion uptime changed: Uptime (0 %)"),
    (DecisionCriterionSet("colour", "Colour"), "criterion colour set: Colour"),
    (DecisionCriterionDropped("uptime", "Unclear"), "criterion uptime dropped: Unclear"),
    (
        CriteriaStatusObserved(CriteriaStatus.THEIR_OWN, told_by="li"),
        "the criteria are the customer's own (told by li)",
    ),
    (
        CriteriaStatusObserved(CriteriaStatus.WITH_COMPETITOR, "acme"),
        "the criteria are with acme",
    ),
    (
        CriteriaStatusObserved(CriteriaStatus.WITH_COMPETITOR),
        "the criteria are with a competitor",
    ),
    (CriterionScored("uptime", "acme", 70, "li"), "acme scored 60 → 70 on uptime (told by li)"),
    (CriterionScored("uptime", "us", 80), "we scored 80 on uptime"),
    (
        OurPartObserved(OurPart.PRICE_LEVER, "No time for us", "wang"),
        "our part: price lever (told by wang): No time for us",
    ),
    (
        ProposalSubmitted(ProposalKind.FORMAL, 2, usd("450"), "Without spares"),
        "formal proposal 2 submitted, 450.00 USD: Without spares",
    ),
    (ProposalSubmitted(ProposalKind.BID, 1), "bid 1 submitted"),
    (BidReviewed(True, True, True), "bid reviewed, complete"),
    (
        BidReviewed(False, False, False, "Stamp missing"),
        "bid reviewed, wanting requirements, attachments, seals: Stamp missing",
    ),
    (
        BidOpened(
            (
                VendorBid("us", usd("1200000"), 2, "81.5"),
                VendorBid("acme", usd("1100000"), 1),
                VendorBid("zenith"),
            )
        ),
        (
            "bids opened: us 1,200,000.00 USD (rank 2, score 81.5), acme 1,100,000.00 USD (rank 1),"
            " zenith"
        ),
    ),
    (
        VendorStatusChanged("us", VendorStatus.FIRST_CHOICE, "li"),
        "we became first choice (told by li)",
    ),
    (VendorStatusChanged("acme", VendorStatus.OUT, reason="Late"), "acme is out: Late"),
    (
        CommitmentRecorded("c", "Send it", Party.US, by="ann", due=date(2026, 3, 20)),
        "we promised (ann): Send it, due 2026-03-20",
    ),
    (CommitmentRecorded("c", "Sign", Party.CUSTOMER), "they promised: Sign"),
    (CommitmentKept("plan", "By mail"), "our promise kept, Send the layout: By mail"),
    (CommitmentBroken("visit", "Ill"), "their promise broken, See our plant: Ill"),
    (CommitmentBroken("other"), "promise other broken"),
    (
        CustomerEventObserved(
            CustomerEventKind.CHANGE_OF_LEADERSHIP, "New director", date(2026, 6, 30)
        ),
        "at the customer, change of leadership: New director, deadline 2026-06-30",
    ),
]


@pytest.mark.parametrize(("fact", "words"), TOLD)
def test_each_fact_is_told(fact: AnyBuyingFact, words: str) -> None:
    assert describe(fact, BEFORE) == words


def test_every_fact_is_told_here() -> None:
    assert {type(fact) for fact, _ in TOLD} == set(get_args(AnyBuyingFact))


def test_every_choice_is_told_apart() -> None:
    facts: list[AnyBuyingFact] = [
        *(BudgetObserved(status) for status in BudgetStatus),
        *(PurchaseModeDeclared(method) for method in PurchaseMethod),
        *(PurchaseModeDeclared(PurchaseMethod.DIRECT, form) for form in PriceForm),
        *(BuyingPhaseObserved("criteria", driven_by=side) for side in Side),
        *(CriteriaStatusObserved(status) for status in CriteriaStatus),
        *(VendorStatusChanged(vendor, s) for vendor in ("us", "acme") for s in VendorStatus),
    ]
    assert len({describe(fact, Purchase()) for fact in facts}) == len(facts)
