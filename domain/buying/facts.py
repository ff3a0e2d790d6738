"""The customer's process: what is stored.

These types are the stored contract; see `Fact` for what a change of shape needs.
Vendors are named by the id of a competitor, or `us` for our side.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated, ClassVar

import msgspec

from domain.history import Fact, Whose
from domain.values import DecimalText, Identifier, Label, Money, Party, Percent, Side, Text, Value


class Vocabulary(StrEnum):
    """In whose words a phase of buying is told."""

    DECISION_CYCLE = "decision-cycle"
    """The eight phases of the customer's decision, see `BuyingPhase`."""
    PURCHASE_STEPS = "purchase-steps"
    """The steps that the deal's process lists."""


class ApprovalStepKind(StrEnum):
    """What has to pass on the customer's side (技术论证 部署方案 成本与投资回报 审批)."""

    TECHNICAL_PROOF = "technical-proof"
    DEPLOYMENT_PLAN = "deployment-plan"
    COST_AND_ROI = "cost-and-roi"
    APPROVAL = "approval"


class ApprovalResult(StrEnum):
    """How an approval step went."""

    PENDING = "pending"
    PASSED = "passed"
    FAILED = "failed"


class BudgetStatus(StrEnum):
    """Where the customer's money stands."""

    NONE = "none"
    ESTIMATED = "estimated"
    APPLIED_FOR = "applied-for"
    APPROVED = "approved"
    FROZEN = "frozen"


class PurchaseMethod(StrEnum):
    """How the customer buys (公开招标 邀请招标 议标 竞争性谈判 询价 单一来源 直接采购)."""

    OPEN_TENDER = "open-tender"
    INVITED_TENDER = "invited-tender"
    NEGOTIATED_TENDER = "negotiated-tender"
    COMPETITIVE_NEGOTIATION = "competitive-negotiation"
    REQUEST_FOR_QUOTATIONS = "request-for-quotations"
    SINGLE_SOURCE = "single-source"
    DIRECT = "direct"

    @property
    def tender(self) -> bool:
        """Whether bids are handed in and opened."""
        return self in TENDERS


TENDERS = (
    PurchaseMethod.OPEN_TENDER,
    PurchaseMethod.INVITED_TENDER,
    PurchaseMethod.NEGOTIATED_TENDER,
)


class PriceForm(StrEnum):
    """How prices are given: sealed and read aloud (唱标), in rounds, or by reverse auction."""

    SEALED = "sealed"
    ROUNDS = "rounds"
    REVERSE_AUCTION = "reverse-auction"


class CriteriaStatus(StrEnum):
    """How far the customer's criteria are, and whose they are."""

    NONE = "none"
    FORMING = "forming"
    WITH_US = "with-us"
    WITH_COMPETITOR = "with-competitor"
    THEIR_OWN = "their-own"


class OurPart(StrEnum):
    """What the customer uses us for; a process filler is only there for the number (陪标)."""

    CONTENDER = "contender"
    BACKUP = "backup"
    PRICE_LEVER = "price-lever"
    PROCESS_FILLER = "process-filler"


class ProposalKind(StrEnum):
    """What we handed in."""

    PRELIMINARY = "preliminary"
    SIMPLIFIED = "simplified"
    FORMAL = "formal"
    BID = "bid"


class VendorStatus(StrEnum):
    """Where a vendor stands in the customer's choice."""

    ENTERED = "entered"
    SHORTLISTED = "shortlisted"
    FIRST_CHOICE = "first-choice"
    OUT = "out"


class CustomerEventKind(StrEnum):
    """What happened at the customer."""

    TRIGGER = "trigger"
    CHANGE_OF_LEADERSHIP = "change-of-leadership"
    REORGANISATION = "reorganisation"
    STRATEGY = "strategy"
    BUDGET = "budget"


class VendorBid(Value, frozen=True):
    """What a vendor's bid showed when it was opened."""

    vendor: Identifier
    price: Money | None = None
    """As read aloud."""
    rank: Annotated[int, msgspec.Meta(ge=1, le=1000)] | None = None
    """1 is the first candidate."""
    score: DecimalText | None = None
    """Points that the bid was given."""


class BuyingFact(Fact, frozen=True):
    """Base of the facts of the customer's process."""


class BuyingPhaseObserved(BuyingFact, tag="buying-phase-observed", frozen=True):
    """The customer, or one of its people, was seen in a phase of buying, forward or back."""

    personal: ClassVar[Whose] = {"evidence": ("stakeholder", "contact")}

    phase: Identifier
    """One of the vocabulary, by its id."""
    vocabulary: Vocabulary = Vocabulary.DECISION_CYCLE
    stakeholder: Identifier | None = None
    """In whom it was observed; null: in the customer as a whole."""
    driven_by: Side | None = None
    evidence: Text | None = None
    """What it was seen by."""
    contact: Identifier | None = None


class ProjectApproved(BuyingFact, tag="project-approved", frozen=True):
    """The customer set the project up (立项)."""

    personal: ClassVar[Whose] = {"note": ("by",)}

    by: Identifier | None = None
    """The stakeholder who approved it."""
    body: Label | None = None
    """The committee or department that did."""
    note: Text | None = None


class ApprovalStepRecorded(BuyingFact, tag="approval-step-recorded", frozen=True):
    """A step of the customer's approval; recorded again, it replaces what was said of it."""

    personal: ClassVar[Whose] = {"note": ()}

    id: Identifier
    kind: ApprovalStepKind
    departments: tuple[Label, ...] = ()
    """Who has to agree."""
    result: ApprovalResult = ApprovalResult.PENDING
    note: Text | None = None


class BudgetObserved(BuyingFact, tag="budget-observed", frozen=True):
    """What is known of the customer's money for this."""

    status: BudgetStatus
    amount: Money | None = None
    """How much there is, or is asked for."""
    told_by: Identifier | None = None


class PurchaseModeDeclared(BuyingFact, tag="purchase-mode-declared", frozen=True):
    """How the customer will buy."""

    method: PurchaseMethod
    price_form: PriceForm | None = None
    envelopes: Annotated[int, msgspec.Meta(ge=1, le=3)] | None = None
    """In how many envelopes a bid is handed in: technical and price apart are two."""
    bound_by_law: bool | None = None
    """Whether procurement law binds the customer here."""
    deadline: date | None = None
    """Last day for bids or offers."""
    pre_selected: Identifier | None = None
    """The vendor believed to be chosen beforehand."""
    told_by: Identifier | None = None


class DecisionCriterionSet(BuyingFact, tag="decision-criterion-set", frozen=True):
    """What suppliers are scored on; set again, it replaces what was said under this id."""

    personal: ClassVar[Whose] = {"text": ()}

    id: Identifier
    text: Text
    """What it asks for."""
    weight: Percent | None = None
    """Its part of the whole score."""
    mandatory: bool = False
    """Who does not meet it is out."""
    set_by: Side | None = None
    need: Identifier | None = None
    """The need it serves."""


class DecisionCriterionDropped(BuyingFact, tag="decision-criterion-dropped", frozen=True):
    """The customer no longer scores on this."""

    personal: ClassVar[Whose] = {"reason": ()}

    criterion: Identifier
    reason: Text | None = None


class CriteriaStatusObserved(BuyingFact, tag="criteria-status-observed", frozen=True):
    """How far the customer's criteria are, and whose they are."""

    status: CriteriaStatus
    competitor: Identifier | None = None
    """With whom they are, where they are with a competitor."""
    told_by: Identifier | None = None


class CriterionScored(BuyingFact, tag="criterion-scored", frozen=True):
    """How a vendor does on a criterion, out of 100; the latest score counts."""

    criterion: Identifier
    vendor: Identifier
    score: Percent
    """0 is worst, 100 is best."""
    told_by: Identifier | None = None


class OurPartObserved(BuyingFact, tag="our-part-observed", frozen=True):
    """What the customer uses us for."""

    personal: ClassVar[Whose] = {"evidence": ("told_by",)}

    part: OurPart
    evidence: Text | None = None
    """What it was seen by."""
    told_by: Identifier | None = None


class ProposalSubmitted(BuyingFact, tag="proposal-submitted", frozen=True):
    """We handed a proposal or a bid in."""

    personal: ClassVar[Whose] = {"note": ()}

    kind: ProposalKind
    version: Annotated[int, msgspec.Meta(ge=1)]
    """Counted for each kind."""
    amount: Money | None = None
    """The price in it."""
    note: Text | None = None


class BidReviewed(BuyingFact, tag="bid-reviewed", frozen=True):
    """Our bid was checked before it was handed in: requirements, attachments, seals."""

    personal: ClassVar[Whose] = {"note": ()}

    requirements_met: bool
    """Everything asked for is answered."""
    attachments_complete: bool
    """Every certificate and form is there."""
    seals_complete: bool
    """Everything is signed and sealed."""
    note: Text | None = None


class BidOpened(BuyingFact, tag="bid-opened", frozen=True):
    """The bids were opened (开标), or the next of their envelopes."""

    bids: Annotated[tuple[VendorBid, ...], msgspec.Meta(min_length=1)]


class VendorStatusChanged(BuyingFact, tag="vendor-status-changed", frozen=True):
    """A vendor entered, was shortlisted, became the first choice, or is out."""

    personal: ClassVar[Whose] = {"reason": ("told_by",)}

    vendor: Identifier
    status: VendorStatus
    told_by: Identifier | None = None
    """The stakeholder by whose word."""
    reason: Text | None = None


class CommitmentRecorded(BuyingFact, tag="commitment-recorded", frozen=True):
    """One side promised the other something."""

    personal: ClassVar[Whose] = {"what": ("by",)}

    id: Identifier
    what: Text
    side: Party
    kind: Label | None = None
    """Such as a pilot, a visit, a reference."""
    by: Identifier | None = None
    """The user or the stakeholder who promised it, by the side."""
    due: date | None = None


class CommitmentKept(BuyingFact, tag="commitment-kept", frozen=True):
    """A promise was kept."""

    personal: ClassVar[Whose] = {"note": ()}

    commitment: Identifier
    note: Text | None = None


class CommitmentBroken(BuyingFact, tag="commitment-broken", frozen=True):
    """A promise was not kept."""

    personal: ClassVar[Whose] = {"reason": ()}

    commitment: Identifier
    reason: Text | None = None


class CustomerEventObserved(BuyingFact, tag="customer-event-observed", frozen=True):
    """Something happened at the customer that bears on the deal."""

    personal: ClassVar[Whose] = {"description": ()}

    kind: CustomerEventKind
    description: Text
    deadline: date | None = None
    """By when it makes the customer act."""


AnyBuyingFact = (
    BuyingPhaseObserved
    | ProjectApproved
    | ApprovalStepRecorded
    | BudgetObserved
    | PurchaseModeDeclared
    | DecisionCriterionSet
    | DecisionCriterionDropped
    | CriteriaStatusObserved
    | CriterionScored
    | OurPartObserved
    | ProposalSubmitted
    | BidReviewed
    | BidOpened
    | VendorStatusChanged
    | CommitmentRecorded
    | CommitmentKept
    | CommitmentBroken
    | CustomerEventObserved
)
