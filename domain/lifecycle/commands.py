"""The life of a deal: what can be asked for. Each command leads to the fact of its name."""

from datetime import date
from typing import Annotated, ClassVar

import msgspec
from msgspec import UNSET, UnsetType

from domain.intent import Command
from domain.lifecycle.facts import (
    Account,
    BantStatus,
    DeliveryMilestone,
    Grade,
    LostOutcome,
    PursuitDecision,
    QualificationLevel,
    QualifiedBy,
    ReasonDriver,
    SatisfactionMeasure,
    SpendKind,
    Strategy,
    SuccessFactor,
    Teller,
    Temperature,
)
from domain.values import (
    BusinessType,
    Identifier,
    Label,
    Money,
    Percent,
    ProcessRef,
    Score,
    Text,
)


class LifecycleCommand(Command, frozen=True):
    """Base of the commands of the life of the deal."""


class OpenOpportunity(LifecycleCommand, tag="open-opportunity", frozen=True):
    """Begin a deal. Without `stage` it starts at the first of the process."""

    replaces: ClassVar[bool] = False

    name: Label
    owner: Identifier
    currency: Identifier
    process: ProcessRef = ProcessRef("key-account", 1)
    stage: Identifier | None = None
    """Where it begins; null: at the first stage of the process."""
    account: Account | None = None
    business_type: BusinessType | None = None
    spend_kind: SpendKind | None = None
    products: tuple[Label, ...] = ()
    territory: Label | None = None
    region: Label | None = None
    route: Label | None = None
    lead_source: Label | None = None
    reference: Identifier | None = None


class ReviseOpportunity(LifecycleCommand, tag="revise-opportunity", frozen=True):
    """Change facts of the deal. Leave out what stays; null means no longer known."""

    replaces: ClassVar[bool] = True

    name: Label | UnsetType = UNSET
    account: Account | None | UnsetType = UNSET
    business_type: BusinessType | None | UnsetType = UNSET
    spend_kind: SpendKind | None | UnsetType = UNSET
    products: tuple[Label, ...] | UnsetType = UNSET
    territory: Label | None | UnsetType = UNSET
    region: Label | None | UnsetType = UNSET
    route: Label | None | UnsetType = UNSET
    lead_source: Label | None | UnsetType = UNSET


class ChangeProcess(LifecycleCommand, tag="change-process", frozen=True):
    """Move the deal to another process or version. Without `stage` it keeps its stage's id."""

    replaces: ClassVar[bool] = True

    process: ProcessRef
    stage: Identifier | None = None
    """Where it then stands; null: in the stage of the same id."""
    reason: Text | None = None


class ChangeOwner(LifecycleCommand, tag="change-owner", frozen=True):
    """Hand the deal to someone else."""

    replaces: ClassVar[bool] = True

    owner: Identifier
    reason: Text | None = None


class AssignTeamMember(LifecycleCommand, tag="assign-team-member", frozen=True):
    """Put someone of ours on the deal in a role."""

    replaces: ClassVar[bool] = False

    member: Identifier
    role: Label
    level: Label | None = None


class ReleaseTeamMember(LifecycleCommand, tag="release-team-member", frozen=True):
    """Take a member off a role."""

    replaces: ClassVar[bool] = False

    member: Identifier
    role: Label


class QualifyLead(LifecycleCommand, tag="qualify-lead", frozen=True):
    """Judge budget, authority, need and timeline."""

    replaces: ClassVar[bool] = True

    level: QualificationLevel
    budget: BantStatus = BantStatus.UNKNOWN
    authority: BantStatus = BantStatus.UNKNOWN
    need: BantStatus = BantStatus.UNKNOWN
    timeline: BantStatus = BantStatus.UNKNOWN
    temperature: Temperature | None = None
    qualified_by: QualifiedBy | None = None


class AssessOpportunity(LifecycleCommand, tag="assess-opportunity", frozen=True):
    """Say whether it is worth winning, whether we can, and whether we go for it."""

    replaces: ClassVar[bool] = True

    worth_winning: Score
    can_win: Score
    grade: Grade | None = None
    success_factors: tuple[SuccessFactor, ...] = ()
    decision: PursuitDecision | None = None


class SetWinPlan(LifecycleCommand, tag="set-win-plan", frozen=True):
    """Write down how the deal is to be won."""

    replaces: ClassVar[bool] = True

    plan: Text


class ChooseStrategy(LifecycleCommand, tag="choose-strategy", frozen=True):
    """Choose the line we take."""

    replaces: ClassVar[bool] = True

    strategy: Strategy
    reason: Text | None = None


class PlanNextStep(LifecycleCommand, tag="plan-next-step", frozen=True):
    """Plan a step. Planning under the id of an open step changes that step."""

    replaces: ClassVar[bool] = True

    id: Identifier
    what: Text
    owner: Identifier
    objective: Text | None = None
    due: date | None = None


class CompleteNextStep(LifecycleCommand, tag="complete-next-step", frozen=True):
    """Say that a planned step was done."""

    replaces: ClassVar[bool] = False

    id: Identifier
    result: Text | None = None


class SuspendOpportunity(LifecycleCommand, tag="suspend-opportunity", frozen=True):
    """Let the deal rest."""

    replaces: ClassVar[bool] = False

    reason: Text
    until: date | None = None


class ResumeOpportunity(LifecycleCommand, tag="resume-opportunity", frozen=True):
    """Go on with a resting deal."""

    replaces: ClassVar[bool] = False

    reason: Text | None = None


class WinOpportunity(LifecycleCommand, tag="win-opportunity", frozen=True):
    """The contract is signed."""

    replaces: ClassVar[bool] = False

    value: Money | None = None
    signed_on: date | None = None
    contract_reference: Label | None = None
    reasons: tuple[Text, ...] = ()
    share_percent: Percent | None = None


class LoseOpportunity(LifecycleCommand, tag="lose-opportunity", frozen=True):
    """The deal ended without our winning; losing to a competitor names it."""

    replaces: ClassVar[bool] = False

    outcome: LostOutcome
    competitor: Label | None = None
    reasons: tuple[Text, ...] = ()


class RecordOutcomeReason(LifecycleCommand, tag="record-outcome-reason", frozen=True):
    """Record why the deal ended as it did, by whose account, and in which contact it was told."""

    replaces: ClassVar[bool] = False

    told_by: Teller
    driver: ReasonDriver
    text: Text
    contact: Identifier | None = None


class ReopenOpportunity(LifecycleCommand, tag="reopen-opportunity", frozen=True):
    """Open an ended deal again. Without `stage` it stands where it stood."""

    replaces: ClassVar[bool] = False

    reason: Text
    stage: Identifier | None = None
    """Where it stands again; null: where it stood."""


class ReachDeliveryMilestone(LifecycleCommand, tag="reach-delivery-milestone", frozen=True):
    """Record a step of the delivery."""

    replaces: ClassVar[bool] = False

    milestone: DeliveryMilestone
    note: Text | None = None


class MeasureSatisfaction(LifecycleCommand, tag="measure-satisfaction", frozen=True):
    """Record a satisfaction score: NPS -100 to 100, CSI and TSI 0 to 100."""

    replaces: ClassVar[bool] = False

    measure: SatisfactionMeasure
    score: Annotated[int, msgspec.Meta(ge=-100, le=100)]


class IdentifyExpansion(LifecycleCommand, tag="identify-expansion", frozen=True):
    """Record the customer's next need."""

    replaces: ClassVar[bool] = False

    description: Text
    business_type: BusinessType | None = None
    amount: Money | None = None


class RecordDebrief(LifecycleCommand, tag="record-debrief", frozen=True):
    """Record what was learned."""

    replaces: ClassVar[bool] = False

    lessons: Annotated[tuple[Text, ...], msgspec.Meta(min_length=1)]


class AddNote(LifecycleCommand, tag="add-note", frozen=True):
    """Add a remark."""

    replaces: ClassVar[bool] = False

    text: Text


AnyLifecycleCommand = (
    OpenOpportunity
    | ReviseOpportunity
    | ChangeProcess
    | ChangeOwner
    | AssignTeamMember
    | ReleaseTeamMember
    | QualifyLead
    | AssessOpportunity
    | SetWinPlan
    | ChooseStrategy
    | PlanNextStep
    | CompleteNextStep
    | SuspendOpportunity
    | ResumeOpportunity
    | WinOpportunity
    | LoseOpportunity
    | RecordOutcomeReason
    | ReopenOpportunity
    | ReachDeliveryMilestone
    | MeasureSatisfaction
    | IdentifyExpansion
    | RecordDebrief
    | AddNote
)
