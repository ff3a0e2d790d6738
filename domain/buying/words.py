"""The customer's process: what happened, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from domain.buying.facts import (
    AnyBuyingFact,
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
    CustomerEventObserved,
    DecisionCriterionDropped,
    DecisionCriterionSet,
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
from domain.naming import BY_ID, Naming, because
from domain.values import OURSELVES, Party, Side

if TYPE_CHECKING:
    from domain.buying.purchase import Purchase

_BUDGETS = {
    BudgetStatus.NONE: "no budget",
    BudgetStatus.ESTIMATED: "budget estimated",
    BudgetStatus.APPLIED_FOR: "budget applied for",
    BudgetStatus.APPROVED: "budget approved",
    BudgetStatus.FROZEN: "budget frozen",
}
_METHODS = {
    PurchaseMethod.OPEN_TENDER: "by open tender",
    PurchaseMethod.INVITED_TENDER: "by invited tender",
    PurchaseMethod.NEGOTIATED_TENDER: "by negotiated tender",
    PurchaseMethod.COMPETITIVE_NEGOTIATION: "by competitive negotiation",
    PurchaseMethod.REQUEST_FOR_QUOTATIONS: "by a request for quotations",
    PurchaseMethod.SINGLE_SOURCE: "from a single source",
    PurchaseMethod.DIRECT: "directly",
}
_PRICES = {
    PriceForm.SEALED: "sealed prices",
    PriceForm.ROUNDS: "prices in rounds",
    PriceForm.REVERSE_AUCTION: "a reverse auction",
}
_STATUSES = {
    CriteriaStatus.NONE: "the customer has no criteria",
    CriteriaStatus.FORMING: "the criteria are forming",
    CriteriaStatus.WITH_US: "the criteria are with us",
    CriteriaStatus.THEIR_OWN: "the criteria are the customer's own",
}
_STANDINGS = {
    VendorStatus.ENTERED: ("we entered", "entered"),
    VendorStatus.SHORTLISTED: ("we were shortlisted", "was shortlisted"),
    VendorStatus.FIRST_CHOICE: ("we became first choice", "became first choice"),
    VendorStatus.OUT: ("we are out", "is out"),
}
_SIDES = {Side.US: "us", Side.CUSTOMER: "the customer", Side.COMPETITOR: "a competitor"}


def describe(fact: AnyBuyingFact, before: Purchase, names: Naming = BY_ID) -> str:
    """One English phrase for `fact`, seen from the part before it."""
    match fact:
        case BuyingPhaseObserved():
            return _phase(fact, before, names)
        case ProjectApproved(by=by, body=body, note=note):
            approver = ", ".join(name for name in (by and names.person(by), body) if name)
            return "project approved" + (f" by {approver}" if approver else "") + because(note)
        case ApprovalStepRecorded(id=step, kind=kind, departments=departments, result=result):
            by = f" by {', '.join(departments)}" if departments else ""
            return f"approval step {step} ({_plain(kind)}{by}) {result}{because(fact.note)}"
        case BudgetObserved(status=status, amount=amount, told_by=told_by):
            return _BUDGETS[status] + (f", {amount}" if amount else "") + _told(told_by, names)
        case PurchaseModeDeclared():
            return _mode(fact, names)
        case DecisionCriterionSet():
            return _criterion(fact, before)
        case DecisionCriterionDropped(criterion=criterion, reason=reason):
            return f"criterion {criterion} dropped{because(reason)}"
        case CriteriaStatusObserved(status=status, competitor=competitor, told_by=told_by):
            them = names.vendor(competitor) if competitor else "a competitor"
            with_them = f"the criteria are with {them}"
            return _STATUSES.get(status, with_them) + _told(told_by, names)
        case CriterionScored():
            return _score(fact, before, names)
        case OurPartObserved(part=part, evidence=evidence, told_by=told_by):
            return f"our part: {_plain(part)}{_told(told_by, names)}{because(evidence)}"
        case ProposalSubmitted(kind=kind, version=version, amount=amount, note=note):
            what = kind if kind is ProposalKind.BID else f"{kind} proposal"
            price = f", {amount}" if amount else ""
            return f"{what} {version} submitted{price}{because(note)}"
        case BidReviewed():
            return _review(fact)
        case BidOpened(bids=bids):
            return f"bids opened: {', '.join(_bid(bid, names) for bid in bids)}"
        case VendorStatusChanged(vendor=vendor, status=status, told_by=told_by, reason=reason):
            ours, theirs = _STANDINGS[status]
            standing = ours if vendor == OURSELVES else f"{names.vendor(vendor)} {theirs}"
            return standing + _told(told_by, names) + because(reason)
        case CommitmentRecorded():
            return _promised(fact, names)
        case CommitmentKept(commitment=commitment, note=note):
            return _settled(commitment, "kept", before) + because(note)
        case CommitmentBroken(commitment=commitment, reason=reason):
            return _settled(commitment, "broken", before) + because(reason)
        case CustomerEventObserved(kind=kind, description=description, deadline=deadline):
            until = f", deadline {deadline}" if deadline else ""
            return f"at the customer, {_plain(kind)}: {description}{until}"
        case _:
            assert_never(fact)


def _phase(fact: BuyingPhaseObserved, before: Purchase, names: Naming) -> str:
    whose = f"{names.person(fact.stakeholder)}'s" if fact.stakeholder else "the customer's"
    earlier = before.phase_of(fact.stakeholder)
    if earlier is None:
        moved = f": {fact.phase}"
    elif earlier.fact.phase == fact.phase:
        moved = f" still {fact.phase}"
    else:
        moved = f" {earlier.fact.phase} → {fact.phase}"
    driven = f", driven by {_SIDES[fact.driven_by]}" if fact.driven_by else ""
    return f"{whose} buying phase{moved}{driven}{because(fact.evidence)}"


def _mode(fact: PurchaseModeDeclared, names: Naming) -> str:
    parts = [f"they buy {_METHODS[fact.method]}"]
    if fact.price_form:
        parts.append(_PRICES[fact.price_form])
    if fact.envelopes is not None:
        parts.append(f"{fact.envelopes} {'envelope' if fact.envelopes == 1 else 'envelopes'}")
    if fact.bound_by_law is not None:
        parts.append("bound by law" if fact.bound_by_law else "not bound by law")
    if fact.deadline:
        parts.append(f"until {fact.deadline}")
    if fact.pre_selected:
        chosen = (
            "we are" if fact.pre_selected == OURSELVES else f"{names.vendor(fact.pre_selected)} is"
        )
        parts.append(f"{chosen} believed pre-selected")
    return ", ".join(parts) + _told(fact.told_by, names)


def _criterion(fact: DecisionCriterionSet, before: Purchase) -> str:
    verb = "set" if before.criterion(fact.id) is None else "changed"
    by = f" by {_SIDES[fact.set_by]}" if fact.set_by else ""
    weight = None if fact.weight is None else f"{fact.weight} %"
    details = [weight, "mandatory" if fact.mandatory else None]
    told = ", ".join(detail for detail in details if detail)
    return f"criterion {fact.id} {verb}{by}: {fact.text}" + (f" ({told})" if told else "")


def _score(fact: CriterionScored, before: Purchase, names: Naming) -> str:
    criterion = before.criterion(fact.criterion)
    earlier = criterion.score(fact.vendor) if criterion else None
    score = f"{earlier.fact.score} → {fact.score}" if earlier else str(fact.score)
    vendor = "we" if fact.vendor == OURSELVES else names.vendor(fact.vendor)
    return f"{vendor} scored {score} on {fact.criterion}{_told(fact.told_by, names)}"


def _review(fact: BidReviewed) -> str:
    wanting = [
        name
        for name, sound in (
            ("requirements", fact.requirements_met),
            ("attachments", fact.attachments_complete),
            ("seals", fact.seals_complete),
        )
        if not sound
    ]
    found = f"wanting {', '.join(wanting)}" if wanting else "complete"
    return f"bid reviewed, {found}{because(fact.note)}"


def _bid(bid: VendorBid, names: Naming) -> str:
    rank = None if bid.rank is None else f"rank {bid.rank}"
    score = None if bid.score is None else f"score {bid.score}"
    told = ", ".join(part for part in (rank, score) if part)
    price = f" {bid.price}" if bid.price else ""
    return names.vendor(bid.vendor) + price + (f" ({told})" if told else "")


def _promised(fact: CommitmentRecorded, names: Naming) -> str:
    who = "we" if fact.side is Party.US else "they"
    by = f" ({names.person(fact.by)})" if fact.by else ""
    due = f", due {fact.due}" if fact.due else ""
    return f"{who} promised{by}: {fact.what}{due}"


def _settled(commitment_id: str, verb: str, before: Purchase) -> str:
    commitment = before.commitment(commitment_id)
    if commitment is None:
        return f"promise {commitment_id} {verb}"
    promised = commitment.recorded.fact
    whose = "our" if promised.side is Party.US else "their"
    return f"{whose} promise {verb}, {promised.what}"


def _plain(name: str) -> str:
    return name.replace("-", " ")


def _told(stakeholder: str | None, names: Naming) -> str:
    return f" (told by {names.person(stakeholder)})" if stakeholder else ""
