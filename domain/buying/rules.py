"""The customer's process: which facts can follow which state, for every history."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

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
    CriteriaStatus,
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
    Vocabulary,
)
from domain.lifecycle.life import Status
from domain.process import BuyingPhase
from domain.references import (
    require_competitors,
    require_contacts,
    require_distinct,
    require_needs,
    require_stakeholders,
    require_vendors,
)
from domain.refusals import IdTaken, PersonErased, UnknownReference, require_range, there_are
from domain.values import Party

if TYPE_CHECKING:
    from domain.buying.purchase import Purchase
    from domain.deal import Deal
    from domain.process import ProcessBook

LARGEST_VERSION = 2**53
MOST_VENDORS = 1000
MOST_ENVELOPES = 3


def admissible(fact: AnyBuyingFact, deal: Deal, processes: ProcessBook) -> None:
    """Raise the refusal of the structural rule that `fact` would break on `deal`."""
    match fact:
        case BuyingPhaseObserved(stakeholder=stakeholder, contact=contact):
            _phase(fact, deal, processes)
            require_stakeholders(deal, stakeholder)
            _not_of_the_erased(fact, deal)
            require_contacts(deal, contact)
        case ProjectApproved(by=stakeholder):
            require_stakeholders(deal, stakeholder)
        case BudgetObserved(told_by=stakeholder) | OurPartObserved(told_by=stakeholder):
            require_stakeholders(deal, stakeholder)
        case PurchaseModeDeclared(pre_selected=vendor, told_by=stakeholder, envelopes=envelopes):
            require_range("envelopes", 1 if envelopes is None else envelopes, 1, MOST_ENVELOPES)
            require_vendors(deal, vendor)
            require_stakeholders(deal, stakeholder)
        case VendorStatusChanged(vendor=vendor, told_by=stakeholder):
            require_vendors(deal, vendor)
            require_stakeholders(deal, stakeholder)
        case DecisionCriterionSet(weight=weight, need=need):
            require_range("weight", weight or 0, 0, 100)
            require_needs(deal, need)
        case DecisionCriterionDropped(criterion=criterion):
            _require_criterion(criterion, deal.purchase)
        case CriterionScored(criterion=criterion, vendor=vendor, score=score, told_by=stakeholder):
            require_range("score", score, 0, 100)
            _require_criterion(criterion, deal.purchase)
            require_vendors(deal, vendor)
            require_stakeholders(deal, stakeholder)
        case CriteriaStatusObserved():
            _criteria_status(fact, deal)
        case ProposalSubmitted():
            _proposal(fact, deal.purchase)
        case BidOpened():
            _bids(fact, deal)
        case CommitmentRecorded() | CommitmentKept() | CommitmentBroken():
            _commitment(fact, deal)
        case ApprovalStepRecorded() | BidReviewed() | CustomerEventObserved():
            pass
        case _:
            assert_never(fact)


def _phase(fact: BuyingPhaseObserved, deal: Deal, processes: ProcessBook) -> None:
    match fact.vocabulary:
        case Vocabulary.DECISION_CYCLE:
            whose, what, known = "the decision cycle", "phase", list(map(str, BuyingPhase))
        case Vocabulary.PURCHASE_STEPS:
            assert deal.life.process is not None
            process = processes.get(deal.life.process)
            whose, what = str(process.ref), "purchase step"
            known = [step.id for step in process.purchase_steps]
        case _:
            assert_never(fact.vocabulary)
    if fact.phase not in known:
        raise UnknownReference(
            f"{whose} has no {what} {fact.phase!r}",
            there_are(known) if known else "Tell the phase in the words of the decision cycle.",
        )


def _not_of_the_erased(fact: BuyingPhaseObserved, deal: Deal) -> None:
    person = deal.people.stakeholder(fact.stakeholder or "")
    if fact.evidence is not None and person is not None and person.erased is not None:
        raise PersonErased(
            f"{fact.stakeholder!r} was erased", "Record the phase without `evidence`."
        )


def _require_criterion(criterion_id: str, purchase: Purchase) -> None:
    if purchase.criterion(criterion_id) is None:
        known = [one.id for one in purchase.criteria]
        raise UnknownReference(
            f"the customer scores on no criterion {criterion_id!r}",
            f"{there_are(known)} Set it first with set-decision-criterion.".lstrip(),
        )


def _criteria_status(fact: CriteriaStatusObserved, deal: Deal) -> None:
    if fact.competitor is not None and fact.status is not CriteriaStatus.WITH_COMPETITOR:
        raise UnknownReference(
            f"criteria that are {fact.status} are with no competitor, {fact.competitor!r} is named",
            f"Leave `competitor` out, or give the status {CriteriaStatus.WITH_COMPETITOR}.",
        )
    require_competitors(deal, fact.competitor)
    require_stakeholders(deal, fact.told_by)


def _proposal(fact: ProposalSubmitted, purchase: Purchase) -> None:
    require_range("version", fact.version, 1, LARGEST_VERSION)
    taken = [one.fact.version for one in purchase.proposals if one.fact.kind is fact.kind]
    if fact.version in taken:
        raise IdTaken(
            f"version {fact.version} of the {fact.kind} proposal was submitted with other content",
            f"Submit it as version {max(taken) + 1}.",
        )


def _bids(fact: BidOpened, deal: Deal) -> None:
    require_distinct("the bids", [bid.vendor for bid in fact.bids])
    ranked = [bid for bid in fact.bids if bid.rank is not None]
    require_distinct("the ranks of the bids", [str(bid.rank) for bid in ranked])
    for bid in ranked:
        require_range(f"rank of {bid.vendor}", bid.rank or 0, 1, MOST_VENDORS)
    require_vendors(deal, *(bid.vendor for bid in fact.bids))


def _commitment(fact: CommitmentRecorded | CommitmentKept | CommitmentBroken, deal: Deal) -> None:
    purchase = deal.purchase
    if isinstance(fact, CommitmentRecorded):
        if purchase.commitment(fact.id) is not None:
            raise IdTaken(
                f"commitment {fact.id!r} was recorded with other content",
                "Record the new one under another id.",
            )
        if fact.side is Party.CUSTOMER:
            require_stakeholders(deal, fact.by)
        return
    commitment = purchase.commitment(fact.commitment)
    if commitment is None or commitment.settled is not None:
        still_open = [one.id for one in purchase.commitments if one.settled is None]
        raise UnknownReference(
            f"there is no open commitment {fact.commitment!r}",
            f"{there_are(still_open)} Record it first with record-commitment.".lstrip(),
        )


def allowed_after_outcome(fact: AnyBuyingFact, status: Status) -> bool:
    """Rule 2: after winning the customer's phases may be observed, and nothing else."""
    return status is Status.WON and isinstance(fact, BuyingPhaseObserved)
