"""The life of a deal: what is stored.

These types are the stored contract. A released type keeps its name and the
meaning of its fields for ever; see `Fact` for what a change of shape needs.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated, ClassVar

import msgspec
from msgspec import UNSET, UnsetType

from domain.history import Fact, Whose
from domain.values import (
    BusinessType,
    Identifier,
    Label,
    Money,
    Percent,
    ProcessRef,
    Score,
    Text,
    Value,
)


class AccountRelation(StrEnum):
    """How the customer stood to us when the deal was opened."""

    NEW = "new"
    EXISTING = "existing"
    COMPETITORS_CUSTOMER = "competitors-customer"


class SpendKind(StrEnum):
    """From which of the customer's budgets the deal is paid."""

    CAPITAL = "capital"
    OPERATING = "operating"


class QualificationLevel(StrEnum):
    """How far an interest has become a deal."""

    SUSPECT = "suspect"
    LEAD = "lead"
    OPPORTUNITY = "opportunity"


class BantStatus(StrEnum):
    """What is known of one of budget, authority, need and timeline."""

    UNKNOWN = "unknown"
    PARTIAL = "partial"
    CONFIRMED = "confirmed"


class Temperature(StrEnum):
    """How eager the customer seemed."""

    HOT = "hot"
    COLD = "cold"


class QualifiedBy(StrEnum):
    """Which of our departments qualified the lead."""

    MARKETING = "marketing"
    SALES = "sales"


class Grade(StrEnum):
    """The class in which we put the deal."""

    A = "A"
    B = "B"
    C = "C"


class PursuitDecision(StrEnum):
    """Whether we go for the deal."""

    GO = "go"
    NO_GO = "no-go"
    CONDITIONAL = "conditional"


class Strategy(StrEnum):
    """How we mean to win."""

    DEEPEN = "deepen"
    EXCHANGE_AT_THE_TOP = "exchange-at-the-top"
    INFLUENCE_CRITERIA = "influence-criteria"
    RECAST_THE_NEED = "recast-the-need"
    DISRUPT_BY_SOLUTION = "disrupt-by-solution"
    DISRUPT_BY_PRICE = "disrupt-by-price"
    RAISE_DOUBT = "raise-doubt"
    GO_ALONG = "go-along"
    WITHDRAW = "withdraw"


class LostOutcome(StrEnum):
    """How a deal ended other than by winning. `voided` (流标 废标) is not a loss."""

    LOST_TO_COMPETITOR = "lost-to-competitor"
    NO_DECISION = "no-decision"
    WITHDRAWN = "withdrawn"
    DISQUALIFIED = "disqualified"
    VOIDED = "voided"
    UNKNOWN = "unknown"


class Teller(StrEnum):
    """Whose account of the outcome it is."""

    SELLER = "seller"
    MANAGER = "manager"
    BUYER = "buyer"


class ReasonDriver(StrEnum):
    """What an outcome was put down to."""

    PRICE = "price"
    PRODUCT = "product"
    RELATIONSHIP = "relationship"
    PROCESS = "process"
    TIMING = "timing"
    RISK = "risk"
    OTHER = "other"


class DeliveryMilestone(StrEnum):
    """What was reached after the signature."""

    STARTED = "started"
    DELIVERED = "delivered"
    ACCEPTED = "accepted"


class SatisfactionMeasure(StrEnum):
    """Net promoter score, customer or transaction satisfaction index."""

    NPS = "nps"
    CSI = "csi"
    TSI = "tsi"


class Account(Value, frozen=True):
    """The customer organisation, as known on the deal."""

    name: Label
    id: Identifier | None = None
    """Names the organisation, on all of its deals."""
    industry: Label | None = None
    """The trade it is in."""
    region: Label | None = None
    """Where it is."""
    size: Label | None = None
    """In the classes that the organisation uses."""
    relation: AccountRelation | None = None


class SuccessFactor(Value, frozen=True):
    """Something the deal needs, whether we have it, and whether we can overcome its lack."""

    text: Text
    """What it takes."""
    have: bool
    """Whether we have it."""
    can_overcome: bool = False
    """Whether the deal can be won without it."""


class LifecycleFact(Fact, frozen=True):
    """Base of the facts of the life of the deal."""


class OpportunityOpened(LifecycleFact, tag="opportunity-opened", frozen=True):
    """The deal began. Always the first event of its stream."""

    name: Label
    process: ProcessRef
    stage: Identifier
    """The stage of the process in which it begins."""
    currency: Identifier
    """ISO 4217 code. All money of the deal is in it."""
    owner: Identifier
    account: Account | None = None
    business_type: BusinessType | None = None
    spend_kind: SpendKind | None = None
    products: tuple[Label, ...] = ()
    territory: Label | None = None
    region: Label | None = None
    """Sales region the deal is worked from; without it the account's region counts."""
    route: Label | None = None
    """Way to the market: direct, or through which kind of partner."""
    lead_source: Label | None = None
    reference: Identifier | None = None
    """Id of the deal in the system it came from."""


class OpportunityRevised(LifecycleFact, tag="opportunity-revised", frozen=True):
    """Facts of the deal changed. Absent: as before; null: no longer known."""

    name: Label | UnsetType = UNSET
    account: Account | None | UnsetType = UNSET
    business_type: BusinessType | None | UnsetType = UNSET
    spend_kind: SpendKind | None | UnsetType = UNSET
    products: tuple[Label, ...] | UnsetType = UNSET
    territory: Label | None | UnsetType = UNSET
    region: Label | None | UnsetType = UNSET
    route: Label | None | UnsetType = UNSET
    lead_source: Label | None | UnsetType = UNSET


class ProcessChanged(LifecycleFact, tag="process-changed", frozen=True):
    """The deal moved to another process, or another version, and stands at `stage` of it."""

    personal: ClassVar[Whose] = {"reason": ()}

    process: ProcessRef
    stage: Identifier
    """Where it stands in the new process."""
    reason: Text | None = None


class OwnerChanged(LifecycleFact, tag="owner-changed", frozen=True):
    """Someone else answers for the deal."""

    personal: ClassVar[Whose] = {"reason": ()}

    owner: Identifier
    reason: Text | None = None


class TeamMemberAssigned(LifecycleFact, tag="team-member-assigned", frozen=True):
    """Someone of ours works on the deal in a role."""

    member: Identifier
    role: Label
    level: Label | None = None
    """How high they stand with us, such as director."""


class TeamMemberReleased(LifecycleFact, tag="team-member-released", frozen=True):
    """A member no longer works on the deal in a role."""

    member: Identifier
    role: Label


class LeadQualified(LifecycleFact, tag="lead-qualified", frozen=True):
    """Judged by budget, authority, need and timeline (BANT)."""

    level: QualificationLevel
    budget: BantStatus = BantStatus.UNKNOWN
    authority: BantStatus = BantStatus.UNKNOWN
    need: BantStatus = BantStatus.UNKNOWN
    timeline: BantStatus = BantStatus.UNKNOWN
    temperature: Temperature | None = None
    qualified_by: QualifiedBy | None = None


class OpportunityAssessed(LifecycleFact, tag="opportunity-assessed", frozen=True):
    """Whether it is worth winning and whether we can. Together: the four-field value matrix."""

    personal: ClassVar[Whose] = {"success_factors": ()}

    worth_winning: Score
    """1 is hardly, 5 is very much."""
    can_win: Score
    """1 is hardly, 5 is almost surely."""
    grade: Grade | None = None
    success_factors: tuple[SuccessFactor, ...] = ()
    decision: PursuitDecision | None = None


class WinPlanSet(LifecycleFact, tag="win-plan-set", frozen=True):
    """How the deal is to be won, step by step."""

    personal: ClassVar[Whose] = {"plan": ()}

    plan: Text
    """Step by step."""


class StrategyChosen(LifecycleFact, tag="strategy-chosen", frozen=True):
    """The line we take."""

    personal: ClassVar[Whose] = {"reason": ()}

    strategy: Strategy
    reason: Text | None = None


class NextStepPlanned(LifecycleFact, tag="next-step-planned", frozen=True):
    """A step ahead: what, to which end, until when, by whom."""

    personal: ClassVar[Whose] = {"what": (), "objective": ()}

    id: Identifier
    what: Text
    owner: Identifier
    """The user who does it."""
    objective: Text | None = None
    """To which end."""
    due: date | None = None


class NextStepCompleted(LifecycleFact, tag="next-step-completed", frozen=True):
    """A planned step was done."""

    personal: ClassVar[Whose] = {"result": ()}

    id: Identifier
    """The step that was planned."""
    result: Text | None = None
    """What came of it."""


class OpportunitySuspended(LifecycleFact, tag="opportunity-suspended", frozen=True):
    """The deal rests; silence is no fault meanwhile."""

    personal: ClassVar[Whose] = {"reason": ()}

    reason: Text
    until: date | None = None
    """When it is to be taken up again."""


class OpportunityResumed(LifecycleFact, tag="opportunity-resumed", frozen=True):
    """A resting deal goes on."""

    personal: ClassVar[Whose] = {"reason": ()}

    reason: Text | None = None


class OpportunityWon(LifecycleFact, tag="opportunity-won", frozen=True):
    """Signed."""

    personal: ClassVar[Whose] = {"reasons": ()}

    schema_version: ClassVar[int] = 2

    value: Money | None = None
    """Contract value; null where the source did not say."""
    signed_on: date | None = None
    """The day on the contract."""
    contract_reference: Label | None = None
    """The number of the contract."""
    reasons: tuple[Text, ...] = ()
    share_percent: Percent | None = None
    """Our part of what the customer bought."""


class OpportunityLost(LifecycleFact, tag="opportunity-lost", frozen=True):
    """Ended without our winning."""

    personal: ClassVar[Whose] = {"reasons": ()}

    outcome: LostOutcome
    competitor: Label | None = None
    """To whom it was lost; "unknown" where nobody knows."""
    reasons: tuple[Text, ...] = ()


class OutcomeReasonRecorded(LifecycleFact, tag="outcome-reason-recorded", frozen=True):
    """Why it ended so, by someone's account."""

    personal: ClassVar[Whose] = {"text": ("contact",)}

    told_by: Teller
    driver: ReasonDriver
    text: Text
    contact: Identifier | None = None
    """The contact in which it was told."""


class OpportunityReopened(LifecycleFact, tag="opportunity-reopened", frozen=True):
    """An ended deal is open again, at `stage`."""

    personal: ClassVar[Whose] = {"reason": ()}

    stage: Identifier
    """Where it stands again."""
    reason: Text


class DeliveryMilestoneReached(LifecycleFact, tag="delivery-milestone-reached", frozen=True):
    """A step of the delivery after winning."""

    personal: ClassVar[Whose] = {"note": ()}

    milestone: DeliveryMilestone
    note: Text | None = None


class SatisfactionMeasured(LifecycleFact, tag="satisfaction-measured", frozen=True):
    """What the customer says of us: NPS from -100 to 100, CSI and TSI from 0 to 100."""

    measure: SatisfactionMeasure
    score: Annotated[int, msgspec.Meta(ge=-100, le=100)]
    """On the scale of the measure."""


class ExpansionIdentified(LifecycleFact, tag="expansion-identified", frozen=True):
    """The customer's next need."""

    personal: ClassVar[Whose] = {"description": ()}

    description: Text
    business_type: BusinessType | None = None
    amount: Money | None = None
    """What it may be worth."""


class DebriefRecorded(LifecycleFact, tag="debrief-recorded", frozen=True):
    """What we learned."""

    personal: ClassVar[Whose] = {"lessons": ()}

    lessons: Annotated[tuple[Text, ...], msgspec.Meta(min_length=1)]
    """Each a sentence that the next deal can use."""


class NoteAdded(LifecycleFact, tag="note-added", frozen=True):
    """A remark."""

    personal: ClassVar[Whose] = {"text": ()}

    text: Text


AnyLifecycleFact = (
    OpportunityOpened
    | OpportunityRevised
    | ProcessChanged
    | OwnerChanged
    | TeamMemberAssigned
    | TeamMemberReleased
    | LeadQualified
    | OpportunityAssessed
    | WinPlanSet
    | StrategyChosen
    | NextStepPlanned
    | NextStepCompleted
    | OpportunitySuspended
    | OpportunityResumed
    | OpportunityWon
    | OpportunityLost
    | OutcomeReasonRecorded
    | OpportunityReopened
    | DeliveryMilestoneReached
    | SatisfactionMeasured
    | ExpansionIdentified
    | DebriefRecorded
    | NoteAdded
)
