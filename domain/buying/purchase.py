"""The customer's process: the part of the state, and how facts change it. Folding never fails."""

from typing import assert_never, cast

import msgspec

from domain.buying.facts import (
    AnyBuyingFact,
    ApprovalStepRecorded,
    BidOpened,
    BidReviewed,
    BudgetObserved,
    BuyingPhaseObserved,
    CommitmentBroken,
    CommitmentKept,
    CommitmentRecorded,
    CriteriaStatusObserved,
    CriterionScored,
    CustomerEventObserved,
    DecisionCriterionDropped,
    DecisionCriterionSet,
    OurPartObserved,
    ProjectApproved,
    ProposalKind,
    ProposalSubmitted,
    PurchaseModeDeclared,
    VendorStatus,
    VendorStatusChanged,
)
from domain.history import Recorded

replace = msgspec.structs.replace


class Commitment(msgspec.Struct, frozen=True, gc=False):
    """A promise, and what became of it."""

    recorded: Recorded[CommitmentRecorded]
    settled: Recorded[CommitmentKept] | Recorded[CommitmentBroken] | None = None

    @property
    def id(self) -> str:
        return self.recorded.fact.id


class DecisionCriterion(msgspec.Struct, frozen=True, gc=False):
    """What suppliers are scored on, and how the vendors did; the latest score of each vendor."""

    set: Recorded[DecisionCriterionSet]
    scores: tuple[Recorded[CriterionScored], ...] = ()

    @property
    def id(self) -> str:
        return self.set.fact.id

    def score(self, vendor: str) -> Recorded[CriterionScored] | None:
        return next((one for one in self.scores if one.fact.vendor == vendor), None)


class Purchase(msgspec.Struct, frozen=True, gc=False):
    """How the customer buys, and where it stands in doing so."""

    phases: tuple[Recorded[BuyingPhaseObserved], ...] = ()
    """Every observation, in order."""
    approval: Recorded[ProjectApproved] | None = None
    approval_steps: tuple[Recorded[ApprovalStepRecorded], ...] = ()
    """The latest under each id."""
    budget: Recorded[BudgetObserved] | None = None
    mode: Recorded[PurchaseModeDeclared] | None = None
    criteria: tuple[DecisionCriterion, ...] = ()
    """Those that count; dropped ones are gone."""
    dropped_criteria: tuple[Recorded[DecisionCriterionDropped], ...] = ()
    """Of those that do not count now, the latest drop of each."""
    criteria_status: Recorded[CriteriaStatusObserved] | None = None
    our_part: Recorded[OurPartObserved] | None = None
    proposals: tuple[Recorded[ProposalSubmitted], ...] = ()
    bid_review: Recorded[BidReviewed] | None = None
    openings: tuple[Recorded[BidOpened], ...] = ()
    """Every opening of bids: two envelopes are opened one after the other."""
    vendor_statuses: tuple[Recorded[VendorStatusChanged], ...] = ()
    """The latest of each vendor."""
    commitments: tuple[Commitment, ...] = ()
    customer_events: tuple[Recorded[CustomerEventObserved], ...] = ()

    @property
    def tender(self) -> bool:
        """Whether the customer buys by a tender, as far as we know."""
        return self.mode is not None and self.mode.fact.method.tender

    def phase_of(self, stakeholder: str | None) -> Recorded[BuyingPhaseObserved] | None:
        """The latest observed in this person; in the customer as a whole where None."""
        of_them = (one for one in reversed(self.phases) if one.fact.stakeholder == stakeholder)
        return next(of_them, None)

    def approval_step(self, step_id: str) -> Recorded[ApprovalStepRecorded] | None:
        return next((one for one in self.approval_steps if one.fact.id == step_id), None)

    def criterion(self, criterion_id: str) -> DecisionCriterion | None:
        return next((one for one in self.criteria if one.id == criterion_id), None)

    def dropped_criterion(self, criterion_id: str) -> Recorded[DecisionCriterionDropped] | None:
        dropped = (one for one in self.dropped_criteria if one.fact.criterion == criterion_id)
        return next(dropped, None)

    def vendor_status(self, vendor: str) -> Recorded[VendorStatusChanged] | None:
        return next((one for one in self.vendor_statuses if one.fact.vendor == vendor), None)

    @property
    def bids(self) -> Recorded[BidOpened] | None:
        """The latest opening that ranked the bids, else the latest."""
        ranked = [one for one in self.openings if any(bid.rank for bid in one.fact.bids)]
        return next(reversed(ranked or self.openings), None)

    @property
    def first_choice(self) -> Recorded[VendorStatusChanged] | None:
        """Who is the first choice: the vendor who became it last, if they still are."""
        named = [
            one for one in self.vendor_statuses if one.fact.status is VendorStatus.FIRST_CHOICE
        ]
        return named[-1] if named else None

    def commitment(self, commitment_id: str) -> Commitment | None:
        return next((one for one in self.commitments if one.id == commitment_id), None)

    def proposal(self, kind: ProposalKind) -> Recorded[ProposalSubmitted] | None:
        """The latest of this kind."""
        return next((one for one in reversed(self.proposals) if one.fact.kind is kind), None)

    def proposal_version(self, kind: ProposalKind) -> int:
        """The highest version of this kind, 0 without any."""
        versions = (one.fact.version for one in self.proposals if one.fact.kind is kind)
        return max(versions, default=0)


def evolve(purchase: Purchase, event: Recorded[AnyBuyingFact]) -> Purchase:
    """The part after `event`."""
    match event.fact:
        case BuyingPhaseObserved():
            observed = cast("Recorded[BuyingPhaseObserved]", event)
            return replace(purchase, phases=(*purchase.phases, observed))
        case ProjectApproved():
            return replace(purchase, approval=event)
        case ApprovalStepRecorded(id=step):
            others = tuple(one for one in purchase.approval_steps if one.fact.id != step)
            recorded = cast("Recorded[ApprovalStepRecorded]", event)
            return replace(purchase, approval_steps=(*others, recorded))
        case BudgetObserved():
            return replace(purchase, budget=event)
        case PurchaseModeDeclared():
            return replace(purchase, mode=event)
        case DecisionCriterionSet() | DecisionCriterionDropped() | CriterionScored():
            return replace(
                purchase,
                criteria=_criteria_after(purchase, event, event.fact),
                dropped_criteria=_dropped_after(purchase, event, event.fact),
            )
        case CriteriaStatusObserved():
            return replace(purchase, criteria_status=event)
        case OurPartObserved():
            return replace(purchase, our_part=event)
        case ProposalSubmitted():
            submitted = cast("Recorded[ProposalSubmitted]", event)
            return replace(purchase, proposals=(*purchase.proposals, submitted))
        case BidReviewed():
            return replace(purchase, bid_review=event)
        case BidOpened():
            opened = cast("Recorded[BidOpened]", event)
            return replace(purchase, openings=(*purchase.openings, opened))
        case VendorStatusChanged(vendor=vendor):
            rest = tuple(one for one in purchase.vendor_statuses if one.fact.vendor != vendor)
            changed = cast("Recorded[VendorStatusChanged]", event)
            return replace(purchase, vendor_statuses=(*rest, changed))
        case CommitmentRecorded() | CommitmentKept() | CommitmentBroken():
            return replace(purchase, commitments=_commitments_after(purchase, event, event.fact))
        case CustomerEventObserved():
            happened = cast("Recorded[CustomerEventObserved]", event)
            return replace(purchase, customer_events=(*purchase.customer_events, happened))
        case _:
            assert_never(event.fact)


def _criteria_after(
    purchase: Purchase,
    event: Recorded[AnyBuyingFact],
    fact: DecisionCriterionSet | DecisionCriterionDropped | CriterionScored,
) -> tuple[DecisionCriterion, ...]:
    match fact:
        case DecisionCriterionSet(id=criterion_id):
            said = cast("Recorded[DecisionCriterionSet]", event)
            before = purchase.criterion(criterion_id)
            if before is None:
                return (*purchase.criteria, DecisionCriterion(said))
            after = replace(before, set=said)
            return tuple(after if one is before else one for one in purchase.criteria)
        case DecisionCriterionDropped(criterion=criterion_id):
            return tuple(one for one in purchase.criteria if one.id != criterion_id)
        case CriterionScored(criterion=criterion_id):
            scored = cast("Recorded[CriterionScored]", event)
            return tuple(
                _scored(one, scored) if one.id == criterion_id else one for one in purchase.criteria
            )
        case _:
            assert_never(fact)


def _dropped_after(
    purchase: Purchase,
    event: Recorded[AnyBuyingFact],
    fact: DecisionCriterionSet | DecisionCriterionDropped | CriterionScored,
) -> tuple[Recorded[DecisionCriterionDropped], ...]:
    """One that is set again is no longer dropped."""
    if isinstance(fact, CriterionScored):
        return purchase.dropped_criteria
    named = fact.id if isinstance(fact, DecisionCriterionSet) else fact.criterion
    others = tuple(one for one in purchase.dropped_criteria if one.fact.criterion != named)
    if isinstance(fact, DecisionCriterionSet):
        return others
    return (*others, cast("Recorded[DecisionCriterionDropped]", event))


def _scored(criterion: DecisionCriterion, event: Recorded[CriterionScored]) -> DecisionCriterion:
    others = tuple(one for one in criterion.scores if one.fact.vendor != event.fact.vendor)
    return replace(criterion, scores=(*others, event))


def _commitments_after(
    purchase: Purchase,
    event: Recorded[AnyBuyingFact],
    fact: CommitmentRecorded | CommitmentKept | CommitmentBroken,
) -> tuple[Commitment, ...]:
    if isinstance(fact, CommitmentRecorded):
        return (*purchase.commitments, Commitment(cast("Recorded[CommitmentRecorded]", event)))
    return tuple(
        replace(one, settled=event) if one.id == fact.commitment else one
        for one in purchase.commitments
    )
