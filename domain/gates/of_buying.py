"""Predicates over how the customer buys, and against whom we sell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.buying.facts import (
    ProposalKind,
    PurchaseMethod,
    VendorStatus,
    Vocabulary,
)
from domain.competition.facts import Rank
from domain.gates.evidence import Predicate, Versions, recent, shown_by, shown_by_events
from domain.gates.of_people import holders
from domain.lifecycle.facts import PursuitDecision
from domain.people.facts import BuyingRole
from domain.process import BuyingPhase
from domain.values import OURSELVES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from domain.buying.purchase import DecisionCriterion
    from domain.deal import Deal

RESOLVED = frozenset(list(BuyingPhase)[list(BuyingPhase).index(BuyingPhase.DECISION) :])
"""The phases in which the customer has resolved to act, or went on from there."""


def _project_approved(deal: Deal, _: datetime) -> Versions | None:
    return shown_by_events([deal.purchase.approval])


def _resolved_to_act(deal: Deal, _: datetime) -> Versions | None:
    """The project is approved, or the customer was last seen in a phase after resolving."""
    cycle = [
        event
        for event in deal.purchase.phases
        if event.fact.vocabulary is Vocabulary.DECISION_CYCLE
    ]
    latest = cycle[-1] if cycle and cycle[-1].fact.phase in RESOLVED else None
    return shown_by_events([deal.purchase.approval, latest])


def _mode(deal: Deal, _: datetime) -> Versions | None:
    return shown_by_events([deal.purchase.mode])


def _approval_steps(deal: Deal, _: datetime) -> Versions | None:
    return shown_by_events(deal.purchase.approval_steps)


def _criteria(deal: Deal, _: datetime) -> Versions | None:
    """There are criteria, and each has its weight or is a must."""
    criteria = [one.set for one in deal.purchase.criteria]
    if any(event.fact.weight is None and not event.fact.mandatory for event in criteria):
        return None
    return shown_by_events(criteria)


def _proposal_or_bid(deal: Deal, _: datetime) -> Versions | None:
    """In a tender we decided to bid and reviewed the bid; else a formal proposal is in."""
    purchase = deal.purchase
    if not purchase.tender:
        return shown_by_events([purchase.proposal(ProposalKind.FORMAL)])
    assessment, review = deal.life.assessment, purchase.bid_review
    if assessment is None or assessment.fact.decision is not PursuitDecision.GO or review is None:
        return None
    checked = review.fact
    if not (checked.requirements_met and checked.attachments_complete and checked.seals_complete):
        return None
    return shown_by_events([purchase.mode, assessment, review])


def _scored(deal: Deal, _: datetime) -> Versions | None:
    """Single source, or we and a competitor have a score on the same criterion."""
    compared = (version for one in deal.purchase.criteria for version in _comparison(one))
    return shown_by([*_single_source(deal), *compared])


def _single_source(deal: Deal) -> Iterator[int]:
    mode = deal.purchase.mode
    if mode is not None and mode.fact.method is PurchaseMethod.SINGLE_SOURCE:
        yield mode.version


def _comparison(criterion: DecisionCriterion) -> Iterator[int]:
    vendors = {event.fact.vendor for event in criterion.scores}
    if OURSELVES in vendors and len(vendors) > 1:
        yield criterion.set.version
        yield from (event.version for event in criterion.scores)


def _first_choice(deal: Deal, _: datetime) -> Versions | None:
    """By word of a decision maker or purchaser, or as first candidate in the tender."""
    status = deal.purchase.vendor_status(OURSELVES)
    if status is not None and status.fact.status is VendorStatus.OUT:
        return None
    return shown_by([*_by_word(deal), *_by_rank(deal)])


def _by_word(deal: Deal) -> Iterator[int | None]:
    status = deal.purchase.first_choice
    if status is None or status.fact.vendor != OURSELVES:
        return
    for one in holders(deal, [BuyingRole.DECISION_MAKER, BuyingRole.PURCHASER]):
        if one.id == status.fact.told_by:
            yield from (one.set_by.get("roles"), status.version)


def _by_rank(deal: Deal) -> Iterator[int]:
    mode, bids = deal.purchase.mode, deal.purchase.bids
    if mode is None or bids is None or not mode.fact.method.tender:
        return
    if any(bid.vendor == OURSELVES and bid.rank == 1 for bid in bids.fact.bids):
        yield from (mode.version, bids.version)


def _competitors(deal: Deal, _: datetime) -> Versions | None:
    return shown_by_events(deal.field.competitors)


def _competitor_move(deal: Deal, _: datetime) -> Versions | None:
    return shown_by_events(deal.field.moves)


def _recent_moves(deal: Deal, at: datetime) -> Versions | None:
    return shown_by_events(move for move in deal.field.moves if recent(move, at))


def _recent_position(deal: Deal, at: datetime) -> Versions | None:
    position = deal.field.position
    if position is None or position.fact.rank is Rank.UNKNOWN or not recent(position, at):
        return None
    return (position.version,)


PREDICATES = {
    "project-approved": Predicate(_project_approved, "approve-project"),
    "customer-resolved-to-act": Predicate(
        _resolved_to_act, "approve-project, or observe-buying-phase with phase decision or later"
    ),
    "purchase-mode-known": Predicate(_mode, "declare-purchase-mode"),
    "approval-steps-listed": Predicate(_approval_steps, "record-approval-step"),
    "decision-criteria-known": Predicate(
        _criteria, "set-decision-criterion, each with its weight or mandatory"
    ),
    "proposal-submitted-or-bid-reviewed": Predicate(
        _proposal_or_bid,
        "submit-proposal with kind formal; in a tender assess-opportunity with decision go, and "
        "review-bid with nothing missing",
    ),
    "scored-against-competitor": Predicate(
        _scored,
        "score-criterion for us and for a competitor on the same criterion, or "
        "declare-purchase-mode with method single-source",
    ),
    "first-choice-confirmed": Predicate(
        _first_choice,
        "change-vendor-status of us to first-choice told_by a decision-maker or purchaser, or in "
        "a tender open-bids with our rank 1",
    ),
    "competitors-known": Predicate(_competitors, "identify-competitor"),
    "competitor-move-known": Predicate(_competitor_move, "record-competitor-move"),
    "competitor-moves-recent": Predicate(
        _recent_moves, "record-competitor-move of the last 30 days"
    ),
    "position-recent": Predicate(
        _recent_position, "assess-position with a known rank, within the last 30 days"
    ),
}
