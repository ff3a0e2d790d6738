"""What one fact says fits what the others say: approvals, returns, plans, offers, people, gaps."""

import re
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from statistics import mean

from api.simulate import SimulatedDeal
from domain.buying.facts import (
    ApprovalResult,
    ApprovalStepRecorded,
    ProposalKind,
    ProposalSubmitted,
    PurchaseMethod,
    VendorStatus,
    VendorStatusChanged,
)
from domain.corrections import withdrawn_versions
from domain.history import in_fold_order
from domain.lifecycle.facts import (
    NextStepCompleted,
    NextStepPlanned,
    OpportunityLost,
    OpportunityWon,
    OutcomeReasonRecorded,
)
from domain.lifecycle.life import Status
from domain.negotiation.facts import (
    OfferReply,
    QuoteIssued,
)
from domain.negotiation.positions import Negotiation, Offer
from domain.people.facts import (
    ContactMade,
    LeaningObserved,
    Relationship,
    StakeholderAssessed,
)
from domain.values import OURSELVES, BusinessType, Party
from tests.api.simulate.portfolios import SEEDS, facts, people, portfolio, status


def every() -> Iterator[SimulatedDeal]:
    for seed in SEEDS:
        yield from portfolio(seed)


def won() -> list[SimulatedDeal]:
    return [deal for deal in every() if status(deal) is Status.WON]


def name(deal: SimulatedDeal) -> str:
    return deal.history.deal.life.reference or deal.stream


# Approvals.


def test_the_customer_has_approved_what_it_signs() -> None:
    pending = [
        (name(deal), event.fact.id)
        for deal in won()
        for event in deal.history.deal.purchase.approval_steps
        if event.fact.result is not ApprovalResult.PASSED
    ]
    assert pending == []
    assert sum(bool(deal.history.deal.purchase.approval_steps) for deal in won()) > 50


def test_an_approval_that_failed_passes_with_words() -> None:
    repeated = 0
    for deal in won():
        failed: set[str] = set()
        for step in facts(deal, ApprovalStepRecorded):
            if step.result is ApprovalResult.FAILED:
                failed.add(step.id)
            elif step.result is ApprovalResult.PASSED and step.id in failed:
                failed.remove(step.id)
                repeated += 1
                assert step.note, name(deal)
    assert repeated > 3


# Negotiations.


def talks(deals: list[SimulatedDeal] | None = None) -> Iterator[tuple[SimulatedDeal, Negotiation]]:
    for deal in deals if deals is not None else every():
        for negotiation in deal.history.deal.negotiations.opened:
            yield deal, negotiation


def conditional(negotiation: Negotiation) -> list[Offer]:
    """What they agreed to that asks for something in return."""
    offers = (one for one in negotiation.offers if one.made.fact.side is Party.US)
    return [one for one in offers if one.accepted and one.made.fact.in_return_for]


def test_what_we_asked_for_comes_before_the_end_where_sellers_are_careful() -> None:
    came: list[bool] = []
    for seed in SEEDS:
        for deal, negotiation in talks(list(portfolio(seed))):
            if people(seed)[deal.drafts[0].actor].habits.discipline < 0.65:
                continue
            end = negotiation.concluded
            for offer in conditional(negotiation):
                fulfilled = [one.occurred_at for one in offer.fulfilled]
                came.append(end is not None and any(one < end.occurred_at for one in fulfilled))
    assert len(came) > 50
    assert mean(came) > 0.8


def test_the_last_offer_asks_again_for_what_has_not_come() -> None:
    last = [
        next(one for one in reversed(negotiation.offers) if one.made.fact.side is Party.US)
        for _, negotiation in talks(won())
        if any(one.made.fact.in_return_for and not one.fulfilled for one in negotiation.offers[:-1])
    ]
    assert len(last) > 10
    assert mean(bool(offer.made.fact.in_return_for) for offer in last) > 0.8


def gaps() -> list[timedelta]:
    """The time from each offer to the next of the other side."""
    found: list[timedelta] = []
    for _, negotiation in talks():
        made = sorted((one.made for one in negotiation.offers), key=lambda one: one.occurred_at)
        found += [
            after.occurred_at - before.occurred_at
            for before, after in pairwise(made)
            if before.fact.side is not after.fact.side
        ]
    return found


def test_offers_are_thought_over() -> None:
    assert len(gaps()) > 500
    assert min(gaps()) >= timedelta(hours=1)
    assert mean(gap > timedelta(hours=20) for gap in gaps()) > 0.7


def test_an_offer_is_countered_when_the_counter_offer_is_made() -> None:
    countered = 0
    for deal, negotiation in talks():
        for offer in negotiation.offers:
            if offer.answer is None or offer.answer.fact.reply is not OfferReply.COUNTERED:
                continue
            countered += 1
            at = offer.answer.occurred_at
            counters = (
                one.made.occurred_at - at
                for one in negotiation.offers
                if one.made.fact.side is not offer.made.fact.side
            )
            near = [gap for gap in counters if timedelta() <= gap <= timedelta(minutes=10)]
            assert near, (name(deal), offer.made.fact.id)
    assert countered > 500


def test_their_limit_is_estimated_and_not_known() -> None:
    errors = []
    for _, negotiation in talks():
        price = negotiation.issue("price")
        if price is None or price.their_walk_away is None or price.agreed is None:
            continue
        estimate = Decimal(price.their_walk_away.fact.walk_away)
        errors.append(abs(estimate / Decimal(price.agreed.fact.value) - 1))
    assert len(errors) > 30
    assert min(errors) > Decimal("0.01")
    assert max(errors) < Decimal("0.1")


# Next steps.


def test_nothing_planned_stays_open_when_a_deal_ends() -> None:
    left = []
    ended = 0
    for deal in every():
        steps: set[str] = set()
        mistakes = withdrawn_versions(deal.history.events)
        for event in in_fold_order(deal.history.events):
            fact = event.fact
            if isinstance(fact, NextStepPlanned):
                steps.add(fact.id)
            elif isinstance(fact, NextStepCompleted):
                steps.discard(fact.id)
            elif isinstance(fact, OpportunityWon | OpportunityLost):
                if event.version in mistakes:
                    continue
                ended += 1
                left += [(name(deal), step) for step in steps]
    assert ended > 400
    assert left == []


def test_no_step_is_planned_twice_while_it_is_open() -> None:
    for deal in every():
        steps: dict[str, str] = {}
        for event in in_fold_order(deal.history.events):
            fact = event.fact
            if isinstance(fact, NextStepPlanned):
                others = [what for step, what in steps.items() if step != fact.id]
                assert fact.what not in others, name(deal)
                assert not others, name(deal)
                steps[fact.id] = fact.what
            elif isinstance(fact, NextStepCompleted):
                steps.pop(fact.id, None)


# People.


def test_nobody_is_judged_or_quoted_before_somebody_met_them() -> None:
    early: list[tuple[str, str, str]] = []
    for deal in every():
        met: set[str] = set()
        stakeholders = {one.id for one in deal.history.deal.people.stakeholders}
        for event in in_fold_order(deal.history.events):
            fact = event.fact
            if isinstance(fact, ContactMade):
                met.update(fact.their_people)
            who = getattr(fact, "told_by", None)
            if isinstance(fact, LeaningObserved):
                who = fact.stakeholder
            elif isinstance(fact, StakeholderAssessed):
                close = isinstance(fact.relationship, Relationship) and fact.relationship.points
                who = fact.stakeholder if close or fact.attitude else None
            if who in stakeholders and who not in met:
                early.append((name(deal), event.type, str(who)))
    assert early == []


# Proposals.


def renews_alone(deal: SimulatedDeal) -> bool:
    mode = deal.history.deal.purchase.mode
    alone = mode is not None and mode.fact.method is PurchaseMethod.SINGLE_SOURCE
    return alone and deal.history.deal.life.business_type is BusinessType.RENEWAL


def test_a_formal_proposal_comes_before_quotes_choices_and_wins() -> None:
    for deal in every():
        renewal = renews_alone(deal)
        offered = False
        for event in in_fold_order(deal.history.events):
            fact = event.fact
            if isinstance(fact, ProposalSubmitted):
                offered |= fact.kind in (ProposalKind.FORMAL, ProposalKind.BID)
            elif isinstance(fact, QuoteIssued):
                assert offered or renewal, name(deal)
                offered = True
            elif isinstance(fact, OpportunityWon) or (
                isinstance(fact, VendorStatusChanged)
                and fact.status is VendorStatus.FIRST_CHOICE
                and fact.vendor == OURSELVES
            ):
                assert offered, (name(deal), event.type)


# Reasons.

_GAP = re.compile(r"(\d+) % (?:cheaper|below)|expensive by (\d+) %|价格低(\d+)%|价格太高，差(\d+)%")


def test_the_gap_told_is_the_gap_at_the_table() -> None:
    told = 0
    for deal in every():
        tables = [
            (price.position(Party.US), price.position(Party.CUSTOMER))
            for negotiation in deal.history.deal.negotiations.opened
            if (price := negotiation.issue("price")) is not None
        ]
        if status(deal) is not Status.LOST or not tables:
            continue
        ours, theirs = tables[-1]
        if ours is None or theirs is None:
            continue
        gap = 100 * (1 - float(theirs) / float(ours))
        texts = list(facts(deal, OpportunityLost)[-1].reasons)
        texts += [fact.text or "" for fact in facts(deal, OutcomeReasonRecorded)]
        for text in texts:
            for match in _GAP.finditer(text):
                told += 1
                assert abs(int(next(filter(None, match.groups()))) - gap) <= 3, name(deal)
    assert told > 1


# The team.


def test_every_deal_has_its_manager() -> None:
    for seed in SEEDS:
        for deal in portfolio(seed):
            team = {event.fact.role: event.fact.member for event in deal.history.deal.life.team}
            assert team["manager"] in people(seed), name(deal)
