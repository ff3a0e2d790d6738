"""The customer's process: what can be asked for. Each command leads to the fact of its name."""

from datetime import date
from typing import Annotated, ClassVar

import msgspec

from domain.buying.facts import (
    ApprovalResult,
    ApprovalStepKind,
    BudgetStatus,
    CriteriaStatus,
    CustomerEventKind,
    OurPart,
    PriceForm,
    ProposalKind,
    PurchaseMethod,
    VendorBid,
    VendorStatus,
    Vocabulary,
)
from domain.intent import Command
from domain.values import Identifier, Label, Money, Party, Percent, Side, Text


class BuyingCommand(Command, frozen=True):
    """Base of the commands of the customer's process."""


class ObserveBuyingPhase(BuyingCommand, tag="observe-buying-phase", frozen=True):
    """Record the phase of buying in which the customer, or one of its people, was seen."""

    replaces: ClassVar[bool] = False

    phase: Identifier
    vocabulary: Vocabulary = Vocabulary.DECISION_CYCLE
    stakeholder: Identifier | None = None
    driven_by: Side | None = None
    evidence: Text | None = None
    contact: Identifier | None = None


class ApproveProject(BuyingCommand, tag="approve-project", frozen=True):
    """Record that the customer set the project up."""

    replaces: ClassVar[bool] = False

    by: Identifier | None = None
    body: Label | None = None
    note: Text | None = None


class RecordApprovalStep(BuyingCommand, tag="record-approval-step", frozen=True):
    """Record a step of the customer's approval, or how it went."""

    replaces: ClassVar[bool] = True

    id: Identifier
    kind: ApprovalStepKind
    departments: tuple[Label, ...] = ()
    result: ApprovalResult = ApprovalResult.PENDING
    note: Text | None = None


class ObserveBudget(BuyingCommand, tag="observe-budget", frozen=True):
    """Record what is known of the customer's money."""

    replaces: ClassVar[bool] = False

    status: BudgetStatus
    amount: Money | None = None
    told_by: Identifier | None = None


class DeclarePurchaseMode(BuyingCommand, tag="declare-purchase-mode", frozen=True):
    """Record how the customer will buy."""

    replaces: ClassVar[bool] = True

    method: PurchaseMethod
    price_form: PriceForm | None = None
    envelopes: Annotated[int, msgspec.Meta(ge=1, le=3)] | None = None
    bound_by_law: bool | None = None
    deadline: date | None = None
    pre_selected: Identifier | None = None
    told_by: Identifier | None = None


class SetDecisionCriterion(BuyingCommand, tag="set-decision-criterion", frozen=True):
    """Record what suppliers are scored on. Set again, it replaces."""

    replaces: ClassVar[bool] = True

    id: Identifier
    text: Text
    weight: Percent | None = None
    mandatory: bool = False
    set_by: Side | None = None
    need: Identifier | None = None


class DropDecisionCriterion(BuyingCommand, tag="drop-decision-criterion", frozen=True):
    """Record that the customer no longer scores on a criterion."""

    replaces: ClassVar[bool] = False

    criterion: Identifier
    reason: Text | None = None


class ObserveCriteriaStatus(BuyingCommand, tag="observe-criteria-status", frozen=True):
    """Record how far the criteria are, and whose they are."""

    replaces: ClassVar[bool] = False

    status: CriteriaStatus
    competitor: Identifier | None = None
    told_by: Identifier | None = None


class ScoreCriterion(BuyingCommand, tag="score-criterion", frozen=True):
    """Record how a vendor does on a criterion."""

    replaces: ClassVar[bool] = False

    criterion: Identifier
    vendor: Identifier
    score: Percent
    told_by: Identifier | None = None


class ObserveOurPart(BuyingCommand, tag="observe-our-part", frozen=True):
    """Record what the customer uses us for."""

    replaces: ClassVar[bool] = False

    part: OurPart
    evidence: Text | None = None
    told_by: Identifier | None = None


class SubmitProposal(BuyingCommand, tag="submit-proposal", frozen=True):
    """Record a proposal or bid handed in. Without `version` it is the next of its kind."""

    replaces: ClassVar[bool] = False

    kind: ProposalKind
    version: Annotated[int, msgspec.Meta(ge=1)] | None = None
    """Counted for each kind; null: the next one."""
    amount: Money | None = None
    note: Text | None = None


class ReviewBid(BuyingCommand, tag="review-bid", frozen=True):
    """Record the check of our bid before it is handed in."""

    replaces: ClassVar[bool] = False

    requirements_met: bool
    attachments_complete: bool
    seals_complete: bool
    note: Text | None = None


class OpenBids(BuyingCommand, tag="open-bids", frozen=True):
    """Record what the bids showed when they were opened."""

    replaces: ClassVar[bool] = False

    bids: Annotated[tuple[VendorBid, ...], msgspec.Meta(min_length=1)]


class ChangeVendorStatus(BuyingCommand, tag="change-vendor-status", frozen=True):
    """Record that a vendor entered, was shortlisted, became first choice, or is out."""

    replaces: ClassVar[bool] = False

    vendor: Identifier
    status: VendorStatus
    told_by: Identifier | None = None
    reason: Text | None = None


class RecordCommitment(BuyingCommand, tag="record-commitment", frozen=True):
    """Record what one side promised the other."""

    replaces: ClassVar[bool] = False

    id: Identifier
    what: Text
    side: Party
    kind: Label | None = None
    by: Identifier | None = None
    due: date | None = None


class KeepCommitment(BuyingCommand, tag="keep-commitment", frozen=True):
    """Record that a promise was kept."""

    replaces: ClassVar[bool] = False

    commitment: Identifier
    note: Text | None = None


class BreakCommitment(BuyingCommand, tag="break-commitment", frozen=True):
    """Record that a promise was not kept."""

    replaces: ClassVar[bool] = False

    commitment: Identifier
    reason: Text | None = None


class ObserveCustomerEvent(BuyingCommand, tag="observe-customer-event", frozen=True):
    """Record what happened at the customer and bears on the deal."""

    replaces: ClassVar[bool] = False

    kind: CustomerEventKind
    description: Text
    deadline: date | None = None


AnyBuyingCommand = (
    ObserveBuyingPhase
    | ApproveProject
    | RecordApprovalStep
    | ObserveBudget
    | DeclarePurchaseMode
    | SetDecisionCriterion
    | DropDecisionCriterion
    | ObserveCriteriaStatus
    | ScoreCriterion
    | ObserveOurPart
    | SubmitProposal
    | ReviewBid
    | OpenBids
    | ChangeVendorStatus
    | RecordCommitment
    | KeepCommitment
    | BreakCommitment
    | ObserveCustomerEvent
)
