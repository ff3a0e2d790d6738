"""A deal on which the customer buys, and one sound command of every type to ask of it."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from domain.buying.commands import (
    ApproveProject,
    BreakCommitment,
    ChangeVendorStatus,
    DeclarePurchaseMode,
    DropDecisionCriterion,
    KeepCommitment,
    ObserveBudget,
    ObserveBuyingPhase,
    ObserveCriteriaStatus,
    ObserveCustomerEvent,
    ObserveOurPart,
    OpenBids,
    RecordApprovalStep,
    RecordCommitment,
    ReviewBid,
    ScoreCriterion,
    SetDecisionCriterion,
    SubmitProposal,
)
from domain.buying.facts import (
    ApprovalStepKind,
    BudgetStatus,
    CommitmentRecorded,
    CriteriaStatus,
    CustomerEventKind,
    DecisionCriterionSet,
    OurPart,
    ProposalKind,
    PurchaseMethod,
    VendorBid,
    VendorStatus,
)
from domain.competition.facts import CompetitorIdentified
from domain.needs.facts import NeedDimension, NeedKind, NeedUncovered
from domain.people.facts import BuyingRole, ContactKind, ContactMade, StakeholderIdentified
from domain.values import Party
from tests.scenario import usd

if TYPE_CHECKING:
    from domain.deal import DealCommand, DealFact
    from domain.intent import Command

LI = StakeholderIdentified("li", "Li Na", roles=(BuyingRole.DECISION_MAKER,))
WANG = StakeholderIdentified("wang", "Wang Wei", roles=(BuyingRole.PURCHASER,))
VISIT = ContactMade("visit-1", ContactKind.VISIT, ("li",))
ACME = CompetitorIdentified("acme", "Acme")
SPEED = NeedUncovered("speed", "The line is slow", NeedKind.EXPLICIT, NeedDimension.BUSINESS)
UPTIME = DecisionCriterionSet("uptime", "Hours between failures", weight=60)
PLAN = CommitmentRecorded("plan", "Send the layout", Party.US, due=date(2026, 3, 20))
AROUND: tuple[DealFact, ...] = (LI, WANG, VISIT, ACME, SPEED)
"""Whom and what the facts of buying name."""

ASKED: list[tuple[tuple[DealFact, ...], DealCommand]] = [
    ((LI,), ObserveBuyingPhase("criteria", stakeholder="li")),
    ((LI,), ApproveProject(by="li")),
    ((), RecordApprovalStep("board", ApprovalStepKind.APPROVAL)),
    ((LI,), ObserveBudget(BudgetStatus.APPROVED, usd("500"), told_by="li")),
    ((ACME,), DeclarePurchaseMode(PurchaseMethod.OPEN_TENDER, pre_selected="acme")),
    ((SPEED,), SetDecisionCriterion("price", "Price over ten years", 40, need="speed")),
    ((UPTIME,), DropDecisionCriterion("uptime")),
    ((ACME,), ObserveCriteriaStatus(CriteriaStatus.WITH_COMPETITOR, "acme")),
    ((UPTIME,), ScoreCriterion("uptime", "us", 80)),
    ((LI,), ObserveOurPart(OurPart.CONTENDER, told_by="li")),
    ((), SubmitProposal(ProposalKind.FORMAL, amount=usd("450"))),
    ((), ReviewBid(True, True, True)),
    ((ACME,), OpenBids((VendorBid("us", usd("450"), 2), VendorBid("acme", usd("440"), 1)))),
    ((ACME,), ChangeVendorStatus("acme", VendorStatus.SHORTLISTED)),
    ((LI,), RecordCommitment("visit", "See our plant", Party.CUSTOMER, by="li")),
    ((PLAN,), KeepCommitment("plan")),
    ((PLAN,), BreakCommitment("plan", "Forgotten")),
    ((), ObserveCustomerEvent(CustomerEventKind.TRIGGER, "The old press broke")),
]
"""What has to have happened before, and a command that then is accepted."""

AFTER_ANY_OUTCOME: set[type[Command]] = set()
AFTER_WINNING: set[type[Command]] = {ObserveBuyingPhase}
"""What may follow the outcome; beside what may follow any."""
