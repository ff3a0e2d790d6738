"""Whole stories: people, tenders and negotiations that hang together, and causes that show."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from statistics import mean, median

import pytest

from api.simulate import SimulatedDeal
from domain.buying.facts import (
    BidOpened,
    CommitmentBroken,
    CommitmentKept,
    PurchaseModeDeclared,
    VendorStatus,
    VendorStatusChanged,
)
from domain.competition.facts import CompetitorIdentified, CompetitorMoved
from domain.deal import describe, evolve
from domain.history import Fact, in_fold_order
from domain.lifecycle.facts import (
    LostOutcome,
    OpportunityLost,
    OpportunityOpened,
    OpportunityWon,
    OutcomeReasonRecorded,
    ReasonDriver,
)
from domain.lifecycle.life import Status
from domain.needs.facts import ConcernCause, ConcernRaised, NeedUncovered, ValueConfirmed
from domain.negotiation import ledger
from domain.negotiation.facts import (
    ApprovalGranted,
    NegotiationOpened,
    NegotiationResult,
    OfferMade,
    TermAgreed,
)
from domain.negotiation.positions import Negotiation
from domain.people.facts import (
    ContactMade,
    LeaningObserved,
    StakeholderAssessed,
    StakeholderDeparted,
    StakeholderIdentified,
)
from domain.stages.facts import StageAdvanced
from domain.values import OURSELVES, Party
from tests.api.simulate.portfolios import DEALS, SEEDS, facts, people, portfolio, status

each_seed = pytest.mark.parametrize("seed", SEEDS)


def ended(seed: int, how: Status) -> list[SimulatedDeal]:
    return [deal for deal in portfolio(seed) if status(deal) is how]


def every(how: Status) -> list[SimulatedDeal]:
    return [deal for seed in SEEDS for deal in ended(seed, how)]


def lost_to_a_competitor(late: bool = True) -> list[SimulatedDeal]:
    """Deals that somebody else won, by default those that came past the early stages."""
    return [
        deal
        for deal in every(Status.LOST)
        if facts(deal, OpportunityLost)[-1].outcome is LostOutcome.LOST_TO_COMPETITOR
        and (not late or len(deal.drafts) > 60)
    ]


def share(deals: list[SimulatedDeal], *fact_types: type[Fact]) -> float:
    """The share of deals that hold a fact of one of the types."""
    held = [any(isinstance(d.fact, fact_types) for d in deal.drafts) for deal in deals]
    return sum(held) / len(held)


# People.


@each_seed
def test_more_people_and_contacts_the_further_a_deal_comes(seed: int) -> None:
    won = [deal.history.deal.people for deal in ended(seed, Status.WON)]
    assert 5 <= median(len(people.stakeholders) for people in won) <= 8
    assert median(len(people.contacts) for people in won) >= 20
    early = [deal for deal in portfolio(seed) if len(deal.drafts) < 30]
    assert median(len(deal.history.deal.people.stakeholders) for deal in early) <= 3


@each_seed
def test_customers_are_seen_a_few_times_a_month(seed: int) -> None:
    a_month = []
    for deal in ended(seed, Status.WON):
        life = deal.history.deal.life
        assert life.opened_at is not None
        assert life.closed_at is not None
        months = (life.closed_at - life.opened_at).days / 30
        a_month.append(len(facts(deal, ContactMade)) / months)
    assert 2.5 < median(a_month) < 7


def test_the_same_function_of_a_customer_is_the_same_person_in_every_deal() -> None:
    names: dict[str, set[str]] = {}
    for deal in portfolio(1):
        for fact in facts(deal, StakeholderIdentified):
            assert fact.person is not None
            names.setdefault(fact.person, set()).add(fact.name)
    assert all(len(of_one) == 1 for of_one in names.values())
    assert len(names) < sum(len(facts(d, StakeholderIdentified)) for d in portfolio(1))


@each_seed
def test_people_of_a_deal_have_names_and_titles_of_their_own(seed: int) -> None:
    for deal in portfolio(seed):
        identified = facts(deal, StakeholderIdentified)
        assert len({fact.name for fact in identified}) == len(identified)
        account = facts(deal, OpportunityOpened)[0].account
        assert account is not None
        chinese = not account.name.isascii() and account.name[0] >= "一"
        assert all((fact.name[0] >= "一") == chinese for fact in identified)


@each_seed
def test_people_leave_and_most_have_successors(seed: int) -> None:
    left = [fact for deal in portfolio(seed) for fact in facts(deal, StakeholderDeparted)]
    assert 0.05 < share(list(portfolio(seed)), StakeholderDeparted) < 0.3
    assert 0.4 < sum(fact.successor is not None for fact in left) / len(left) < 1


@each_seed
def test_attitudes_change(seed: int) -> None:
    changed = 0
    for deal in portfolio(seed):
        seen: dict[str, set[object]] = {}
        for fact in facts(deal, StakeholderAssessed):
            seen.setdefault(fact.stakeholder, set()).add(fact.attitude)
        changed += sum(len(attitudes) > 1 for attitudes in seen.values())
    assert changed > 100


# How the customer buys.


@each_seed
def test_a_good_part_of_the_purchases_are_tenders(seed: int) -> None:
    declared = [deal for deal in portfolio(seed) if facts(deal, PurchaseModeDeclared)]
    tenders = [deal for deal in declared if deal.history.deal.purchase.tender]
    assert 0.25 < len(tenders) / len(declared) < 0.6
    opened = [deal for deal in tenders if facts(deal, BidOpened)]
    assert 0.1 < len(opened) / len(tenders) < 0.8
    assert not any(facts(deal, BidOpened) for deal in declared if deal not in tenders)


def test_the_first_candidate_of_a_tender_is_mostly_the_one_who_gets_the_order() -> None:
    ranks = {
        how: [
            bid.rank
            for deal in every(how)
            for fact in facts(deal, BidOpened)
            for bid in fact.bids
            if bid.vendor == OURSELVES
        ]
        for how in (Status.WON, Status.LOST)
    }
    assert mean(rank == 1 for rank in ranks[Status.WON]) > 0.9
    assert mean(rank == 1 for rank in ranks[Status.LOST]) < 0.7


def test_promises_are_kept_more_often_than_broken() -> None:
    kept = sum(len(facts(d, CommitmentKept)) for seed in SEEDS for d in portfolio(seed))
    broken = sum(len(facts(d, CommitmentBroken)) for seed in SEEDS for d in portfolio(seed))
    assert 0 < broken < kept / 2


# Negotiations.


def negotiations(how: Status) -> Iterator[tuple[SimulatedDeal, Negotiation]]:
    for deal in every(how):
        for negotiation in deal.history.deal.negotiations.opened:
            yield deal, negotiation


@each_seed
def test_most_orders_are_negotiated_in_rounds(seed: int) -> None:
    won = ended(seed, Status.WON)
    assert 0.6 < share(won, NegotiationOpened) < 1
    opened = [n for deal in won for n in deal.history.deal.negotiations.opened]
    assert all(1 <= len(negotiation.issues) <= 4 for negotiation in opened)
    rounds = [negotiation.rounds for negotiation in opened]
    assert 4 <= median(rounds) <= 9
    sides = {fact.side for deal in won for fact in facts(deal, OfferMade)}
    assert sides == set(Party)


def test_won_negotiations_end_in_agreement_and_lost_ones_mostly_do_not() -> None:
    def agreed(how: Status) -> float:
        ends = [n.concluded.fact.result for _, n in negotiations(how) if n.concluded]
        return mean(result is NegotiationResult.AGREED for result in ends)

    assert agreed(Status.WON) > 0.9
    assert agreed(Status.LOST) < 0.6


def test_the_price_agreed_is_the_price_of_the_contract() -> None:
    for deal in every(Status.WON):
        agreed = [fact for fact in facts(deal, TermAgreed) if fact.issue == "price"]
        final = deal.history.deal.negotiations.opened[-1:] if agreed else ()
        if final and final[0].issue("price") is not None:
            value = facts(deal, OpportunityWon)[-1].value
            assert value is not None
            assert value.amount == Decimal(agreed[-1].value)


def price_steps(negotiation: Negotiation) -> list[Decimal]:
    return [
        one.size
        for one in ledger.concessions(negotiation)
        if (one.move.side, one.move.issue) == (Party.US, "price")
    ]


def test_careful_sellers_give_in_by_smaller_steps() -> None:
    shrinking: dict[bool, list[bool]] = {True: [], False: []}
    for seed in SEEDS:
        for deal in portfolio(seed):
            discipline = people(seed)[deal.drafts[0].actor].habits.discipline
            for negotiation in deal.history.deal.negotiations.opened:
                steps = price_steps(negotiation)
                if len(steps) > 1:
                    smaller = all(after < before for before, after in pairwise(steps))
                    shrinking[discipline > 0.65].append(smaller)
    assert mean(shrinking[True]) > mean(shrinking[False]) + 0.3


def test_far_steps_are_approved() -> None:
    assert any(facts(deal, ApprovalGranted) for deal in every(Status.WON))


# Causes.


def test_who_won_instead_was_seen_before() -> None:
    seen = [
        fact.competitor in {known.id for known in facts(deal, CompetitorIdentified)}
        for deal in lost_to_a_competitor()
        for fact in facts(deal, OpportunityLost)[-1:]
    ]
    assert mean(seen) > 0.95


def cause(deal: SimulatedDeal) -> ReasonDriver | None:
    """What the manager or the buyer says it was."""
    told = [f for f in facts(deal, OutcomeReasonRecorded) if f.told_by != "seller"]
    return told[0].driver if told else None


def test_deals_lost_by_price_show_it_before() -> None:
    lost = [deal for deal in lost_to_a_competitor() if cause(deal) is ReasonDriver.PRICE]
    assert len(lost) >= 5
    dear = [
        any(f.cause is ConcernCause.OVER_BUDGET for f in facts(deal, ConcernRaised))
        for deal in lost
    ]
    others = [
        any(f.cause is ConcernCause.OVER_BUDGET for f in facts(deal, ConcernRaised))
        for deal in every(Status.WON)
    ]
    assert mean(dear) > mean(others) + 0.2


def test_deals_lost_by_relationship_show_it_before() -> None:
    lost = [deal for deal in lost_to_a_competitor() if cause(deal) is ReasonDriver.RELATIONSHIP]
    assert len(lost) >= 5
    assert share(lost, StakeholderDeparted) > share(every(Status.WON), StakeholderDeparted) + 0.2


def test_losing_to_a_competitor_shows_in_their_choice() -> None:
    chosen = [
        any(
            f.vendor != OURSELVES and f.status is VendorStatus.FIRST_CHOICE
            for f in facts(deal, VendorStatusChanged)
        )
        for deal in lost_to_a_competitor()
    ]
    assert mean(chosen) > 0.7


# Two stories.


def phrases_of(deal: SimulatedDeal) -> list[tuple[str, str]]:
    """The replay of a deal: type and words of every event, in order of occurrence."""
    told: list[tuple[str, str]] = []
    state = type(deal.history.deal)()
    for event in in_fold_order(deal.history.events):
        told.append((event.type, describe(event, state)))
        state = evolve(state, event)
    return told


def first(deal: SimulatedDeal, fact_type: type[Fact]) -> int:
    """The place of the first fact of a type in the replay."""
    events = in_fold_order(deal.history.events)
    return next(n for n, event in enumerate(events) if isinstance(event.fact, fact_type))


def test_a_won_deal_reads_from_first_contact_to_signature() -> None:
    """Whom we met, what they need, how they buy, what it is worth, what was agreed."""
    whole = (
        StakeholderIdentified,
        ContactMade,
        NeedUncovered,
        LeaningObserved,
        PurchaseModeDeclared,
        ValueConfirmed,
        NegotiationOpened,
        TermAgreed,
    )
    stories = [
        deal
        for deal in every(Status.WON)
        if all(facts(deal, one) for one in whole)
        and facts(deal, OpportunityOpened)[0].stage == "P0"
        and str(deal.history.deal.life.process) == "key-account/1"
    ]
    assert len(stories) > len(SEEDS) * DEALS / 20
    story = stories[0]
    assert 100 < len(story.drafts) < 400
    order = [first(story, one) for one in (StakeholderIdentified, ContactMade, NegotiationOpened)]
    assert order == sorted(order)
    assert first(story, TermAgreed) < first(story, OpportunityWon)
    stages = [fact.to for fact in facts(story, StageAdvanced)]
    assert stages[-1] == "P7" or "P6" in stages
    words = [text for _, text in phrases_of(story)]
    assert len(set(words)) / len(words) > 0.9


def test_a_lost_deal_reads_with_its_competitor_and_its_reason() -> None:
    stories = [deal for deal in lost_to_a_competitor() if facts(deal, OutcomeReasonRecorded)]
    assert len(stories) > 20
    for story in stories[:10]:
        fact = facts(story, OpportunityLost)[-1]
        moved = [f.competitor for f in facts(story, CompetitorMoved)]
        assert fact.competitor == "unknown" or fact.competitor in moved or len(moved) < 3
        words = [text for _, text in phrases_of(story)]
        assert any(text.startswith("lost") for text in words)
        assert len(set(words)) / len(words) > 0.85


@each_seed
def test_stories_are_as_long_as_they_deserve(seed: int) -> None:
    lengths = [len(deal.drafts) for deal in portfolio(seed)]
    assert 60 < mean(lengths) < 130
    won = [len(deal.drafts) for deal in ended(seed, Status.WON)]
    assert 130 < median(won) < 280
