"""The customer's process: what a command leads to. What can follow which state is in `rules`."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from domain.buying.commands import (
    AnyBuyingCommand,
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
    ProposalSubmitted,
    PurchaseModeDeclared,
    VendorStatusChanged,
)
from domain.deciding import mirrored, unless_current, unless_just_said
from domain.references import next_proposal
from domain.refusals import OutOfRange

if TYPE_CHECKING:
    from datetime import datetime

    from domain.buying.purchase import Purchase
    from domain.deal import Deal

Facts = tuple[AnyBuyingFact, ...]

ALL_WEIGHTS_PERCENT = 100


def decide(command: AnyBuyingCommand, deal: Deal, at: datetime) -> Facts:
    """The facts that `command`, of what occurred at `at`, leads to on `deal`. Raises Refusal."""
    purchase = deal.purchase
    match command:
        case ObserveBuyingPhase(stakeholder=stakeholder):
            seen = mirrored(command, BuyingPhaseObserved)
            return unless_just_said(seen, purchase.phase_of(stakeholder), at)
        case ApproveProject():
            return unless_current(mirrored(command, ProjectApproved), purchase.approval)
        case RecordApprovalStep(id=step):
            recorded = mirrored(command, ApprovalStepRecorded)
            return unless_current(recorded, purchase.approval_step(step))
        case ObserveBudget():
            return unless_current(mirrored(command, BudgetObserved), purchase.budget)
        case DeclarePurchaseMode():
            return unless_current(mirrored(command, PurchaseModeDeclared), purchase.mode)
        case SetDecisionCriterion() | DropDecisionCriterion() | ScoreCriterion():
            return _criterion(command, purchase)
        case ObserveCriteriaStatus():
            status = mirrored(command, CriteriaStatusObserved)
            return unless_current(status, purchase.criteria_status)
        case ObserveOurPart():
            return unless_current(mirrored(command, OurPartObserved), purchase.our_part)
        case SubmitProposal():
            return _submit(command, deal)
        case ReviewBid():
            return unless_current(mirrored(command, BidReviewed), purchase.bid_review)
        case OpenBids():
            return unless_current(
                mirrored(command, BidOpened), purchase.openings[-1] if purchase.openings else None
            )
        case ChangeVendorStatus(vendor=vendor):
            changed = mirrored(command, VendorStatusChanged)
            return unless_current(changed, purchase.vendor_status(vendor))
        case RecordCommitment() | KeepCommitment() | BreakCommitment():
            return _commitment(command, purchase)
        case ObserveCustomerEvent():
            happened = mirrored(command, CustomerEventObserved)
            earlier = (one for one in reversed(purchase.customer_events) if one.fact == happened)
            return unless_just_said(happened, next(earlier, None), at)
        case _:
            assert_never(command)


def _criterion(
    command: SetDecisionCriterion | DropDecisionCriterion | ScoreCriterion, purchase: Purchase
) -> Facts:
    match command:
        case SetDecisionCriterion(id=criterion_id):
            fact = mirrored(command, DecisionCriterionSet)
            criterion = purchase.criterion(criterion_id)
            changed = unless_current(fact, criterion.set if criterion else None)
            if changed:
                _weights_fit(fact, purchase)
            return changed
        case DropDecisionCriterion(criterion=criterion_id):
            dropped = purchase.dropped_criterion(criterion_id)
            return unless_current(mirrored(command, DecisionCriterionDropped), dropped)
        case ScoreCriterion(criterion=criterion_id, vendor=vendor):
            criterion = purchase.criterion(criterion_id)
            latest = criterion.score(vendor) if criterion else None
            return unless_current(mirrored(command, CriterionScored), latest)
        case _:
            assert_never(command)


def _weights_fit(fact: DecisionCriterionSet, purchase: Purchase) -> None:
    """The weights of what the customer scores on are shares of one whole.

    A rule of deciding alone: each weight is sound by itself and no fold rests on their
    sum, so an import of a customer's own sloppy table is kept as it was. What lowers
    a sum that is too high already is let pass.
    """
    before = purchase.criterion(fact.id)
    was = (before.set.fact.weight if before else None) or 0
    others = sum(one.set.fact.weight or 0 for one in purchase.criteria if one is not before)
    weight = fact.weight or 0
    if weight > was and others + weight > ALL_WEIGHTS_PERCENT:
        left = max(0, ALL_WEIGHTS_PERCENT - others)
        raise OutOfRange(
            f"with {fact.id} at {weight} the criteria weigh {others + weight} per cent together",
            f"Give up to {left}, or lower the weight of another criterion first.",
        )


def _submit(command: SubmitProposal, deal: Deal) -> Facts:
    """Without a version: the next of its kind, unless it says what the latest says."""
    purchase = deal.purchase
    latest = purchase.proposal_version(command.kind)
    same = mirrored(command, ProposalSubmitted, version=command.version or latest)
    if any(event.fact == same for event in purchase.proposals):
        return ()
    version = command.version or next_proposal(deal, command.kind)
    return (mirrored(command, ProposalSubmitted, version=version),)


def _commitment(
    command: RecordCommitment | KeepCommitment | BreakCommitment, purchase: Purchase
) -> Facts:
    commitment_id = command.id if isinstance(command, RecordCommitment) else command.commitment
    commitment = purchase.commitment(commitment_id)
    settled = commitment.settled if commitment else None
    match command:
        case RecordCommitment():
            recorded = mirrored(command, CommitmentRecorded)
            return unless_current(recorded, commitment.recorded if commitment else None)
        case KeepCommitment():
            return unless_current(mirrored(command, CommitmentKept), settled)
        case BreakCommitment():
            return unless_current(mirrored(command, CommitmentBroken), settled)
        case _:
            assert_never(command)
