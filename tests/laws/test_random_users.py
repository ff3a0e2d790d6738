"""Random users of one deal: after every command it is as a deal has to be.

What the deal should be is read off the events by functions of a few lines that
share nothing with the fold.
"""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from domain.buying.facts import (
    CommitmentRecorded,
    CriteriaStatusObserved,
    CriterionScored,
    DecisionCriterionDropped,
    DecisionCriterionSet,
)
from domain.competition.facts import CompetitorIdentified, CompetitorMoved
from domain.corrections import DealMerged, EventWithdrawn
from domain.deal import DealEvent, DealFact, History
from domain.lifecycle.facts import (
    LostOutcome,
    OpportunityLost,
    OpportunityOpened,
    OpportunityReopened,
    OpportunityResumed,
    OpportunitySuspended,
    OpportunityWon,
    OwnerChanged,
    ProcessChanged,
)
from domain.lifecycle.life import Status
from domain.needs.facts import ConcernRaised, FactRecorded, NeedUncovered
from domain.negotiation.facts import (
    Better,
    ConcessionMade,
    Issue,
    NegotiationConcluded,
    NegotiationOpened,
    OfferAnswered,
    OfferMade,
    OfferReply,
    TermAgreed,
)
from domain.people.facts import ContactMade, RelationRecorded, StakeholderIdentified
from domain.stages.facts import ForecastRevised, StageAdvanced, StageRegressed
from domain.values import OURSELVES, Money, Party
from tests.laws.deals import BEGINNINGS, Step, asked, carry_out, unsound
from tests.scenario import BOOK, STREAM, given

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from domain.history import Fact

REFERENCES = {
    "stakeholder": "stakeholder",
    "successor": "stakeholder",
    "reports_to": "stakeholder",
    "whose": "stakeholder",
    "their_people": "stakeholder",
    "supporters": "stakeholder",
    "counterparts": "stakeholder",
    "contact": "contact",
    "need": "need",
    "concern": "concern",
    "fact": "fact",
    "commitment": "commitment",
    "vendor": "vendor",
    "pre_selected": "vendor",
    "against": "vendor",
    "offer": "offer",
}
"""What a field names by id, wherever it stands."""
REFERENCES_OF: dict[type, dict[str, str]] = {
    RelationRecorded: {"from_": "stakeholder", "to": "stakeholder"},
    CompetitorMoved: {"competitor": "vendor"},
    CriteriaStatusObserved: {"competitor": "vendor"},
    CriterionScored: {"criterion": "criterion"},
    DecisionCriterionDropped: {"criterion": "criterion"},
}
MADE_KNOWN: dict[type, str] = {
    StakeholderIdentified: "stakeholder",
    ContactMade: "contact",
    NeedUncovered: "need",
    ConcernRaised: "concern",
    FactRecorded: "fact",
    CommitmentRecorded: "commitment",
    CompetitorIdentified: "vendor",
    DecisionCriterionSet: "criterion",
    OfferMade: "offer",
}


def named_by(fact: Fact) -> Iterator[tuple[str, str]]:
    """What a fact names, by kind and id."""
    for field, what in (REFERENCES | REFERENCES_OF.get(type(fact), {})).items():
        value = getattr(fact, field, None)
        for name in value if isinstance(value, tuple) else (value,):
            if isinstance(name, str) and not isinstance(name, Enum):
                yield what, name


def made_known_by(fact: DealFact) -> set[tuple[str, str]]:
    what = MADE_KNOWN.get(type(fact))
    return {(what, getattr(fact, "id"))} if what else set()  # noqa: B009


class Table:
    """The table at which a deal is negotiated, kept in plain dictionaries."""

    def __init__(self) -> None:
        self.issues: dict[str, dict[str, Issue]] = {}
        self.closed: set[str] = set()
        self.offers: dict[str, OfferMade] = {}
        self.positions: dict[tuple[str, str, Party], str] = {}

    def lay(self, fact: DealFact) -> None:
        match fact:
            case NegotiationOpened():
                self.issues[fact.id] = {issue.id: issue for issue in fact.issues}
            case NegotiationConcluded():
                self.closed.add(fact.id)
            case OfferMade():
                self.offers[fact.id] = fact
                self.put(fact, fact.side)
            case OfferAnswered(reply=OfferReply.ACCEPTED):
                for side in Party:
                    self.put(self.offers[fact.offer], side)
            case _:
                pass

    def put(self, offer: OfferMade, side: Party) -> None:
        for term in offer.terms:
            self.positions[offer.negotiation, term.issue, side] = term.value

    def negotiation_on(self, issue: str) -> str:
        (where,) = (
            name
            for name, issues in self.issues.items()
            if issue in issues and name not in self.closed
        )
        return where

    def worth(self, where: str, issue_id: str, side: Party) -> Callable[[str], Decimal]:
        """What a value is worth to a side, by the order it declared."""
        issue = self.issues[where][issue_id]
        if issue.options:
            ours = side is Party.US
            worths = {o.name: (o.our_worth if ours else o.their_worth) for o in issue.options}
            return lambda value: Decimal(worths[value] or "NaN")
        better = issue.better_for_us if side is Party.US else issue.better_for_them
        assert better is not None
        sign = 1 if better is Better.HIGHER else -1
        return lambda value: sign * Decimal(value)


class RandomUsers(RuleBasedStateMachine):
    """Users ask for anything of a deal, at any time of its life."""

    history = History(STREAM)

    @initialize(beginning=st.sampled_from(BEGINNINGS))
    def begin(self, beginning: tuple[DealFact, ...]) -> None:
        self.history = given(*beginning).history

    @rule(data=st.data())
    def ask(self, data: st.DataObject) -> None:
        step = carry_out(data.draw(asked(self.history)), self.history)
        assert step.refusal is None or step.facts == ()
        assert self.history.deal == step.before.deal
        self.each_concession_costs_its_maker_something(step)
        self.history = step.after

    def each_concession_costs_its_maker_something(self, step: Step) -> None:
        """It starts where its maker stood at the time, and ends somewhere worse for them."""
        table = Table()
        for event in self.events_that_count():
            if event.occurred_at <= step.intent.occurred_at:
                table.lay(event.fact)
        for fact in step.facts:
            if isinstance(fact, OfferMade):
                table.offers[fact.id] = fact
            if isinstance(fact, ConcessionMade):
                where = table.offers[fact.offer].negotiation
                assert table.positions[where, fact.issue, fact.side] == fact.from_
                worth = table.worth(where, fact.issue, fact.side)
                assert worth(fact.to) < worth(fact.from_)

    def facts(self) -> list[DealFact]:
        """The facts that count, in order of occurrence."""
        return [event.fact for event in self.events_that_count()]

    def events_that_count(self) -> list[DealEvent]:
        withdrawn = {
            version
            for event in self.history.events
            if isinstance(event.fact, EventWithdrawn)
            for version in event.fact.versions
        }
        kept = [event for event in self.history.events if event.version not in withdrawn]
        return sorted(kept, key=lambda event: (event.occurred_at, event.version))

    @invariant()
    def versions_have_no_gaps(self) -> None:
        versions = [event.version for event in self.history.events]
        assert versions == list(range(1, self.history.version + 1))

    @invariant()
    def the_history_is_sound(self) -> None:
        assert unsound(self.history) == []

    @invariant()
    def the_state_is_that_of_the_history(self) -> None:
        assert self.history.deal == History.of(STREAM, self.history.events).deal

    @invariant()
    def the_status_is_that_of_the_last_turn(self) -> None:
        status = Status.UNOPENED
        for fact in self.facts():
            match fact:
                case OpportunityOpened() | OpportunityResumed() | OpportunityReopened():
                    status = Status.OPEN
                case OpportunitySuspended():
                    status = Status.SUSPENDED
                case OpportunityWon():
                    status = Status.WON
                case OpportunityLost(outcome=LostOutcome.VOIDED):
                    status = Status.VOIDED
                case OpportunityLost():
                    status = Status.LOST
                case DealMerged():
                    status = Status.MERGED
                case _:
                    pass
        assert self.history.deal.life.status is status

    @invariant()
    def a_deal_has_an_outcome_exactly_when_it_ended(self) -> None:
        life = self.history.deal.life
        merged = life.status is Status.MERGED
        assert (life.outcome is not None) is (life.status.closed and not merged)
        assert (life.closed_at is not None) is life.status.closed
        assert (life.suspension is not None) is (life.status is Status.SUSPENDED)
        if life.outcome is not None:
            assert life.closed_at == life.outcome.occurred_at
            assert isinstance(life.outcome.fact, OpportunityWon) is (life.status is Status.WON)

    @invariant()
    def it_stands_where_the_last_move_left_it(self) -> None:
        stage = None
        for fact in self.facts():
            match fact:
                case StageAdvanced(from_=origin, to=to) | StageRegressed(from_=origin, to=to):
                    assert origin == stage
                    stage = to
                case OpportunityOpened() | OpportunityReopened() | ProcessChanged():
                    stage = fact.stage
                case _:
                    pass
        assert self.history.deal.stages.stage == stage

    @invariant()
    def its_stage_is_one_of_its_process_and_after_winning_only_when_won(self) -> None:
        deal = self.history.deal
        if deal.life.process is None:
            return
        stage = BOOK.get(deal.life.process).stage(deal.stages.stage or "")
        assert stage is not None
        # A duplicate keeps the stage it was merged in.
        kept = {Status.WON, Status.MERGED}
        assert deal.life.status in kept or not stage.after_win

    @invariant()
    def its_money_is_in_its_currency(self) -> None:
        for event in self.history.events:
            for name in event.fact.__struct_fields__:
                value = getattr(event.fact, name)
                if isinstance(value, Money):
                    assert value.currency == self.history.deal.life.currency

    @invariant()
    def its_forecast_is_the_last_one_given(self) -> None:
        amounts = [
            fact.amount
            for fact in self.facts()
            if isinstance(fact, ForecastRevised) and isinstance(fact.amount, Money | None)
        ]
        assert self.history.deal.stages.amount == (amounts[-1] if amounts else None)

    @invariant()
    def its_owner_is_the_last_one_named(self) -> None:
        named = [
            fact.owner
            for fact in self.facts()
            if isinstance(fact, OpportunityOpened | OwnerChanged)
        ]
        assert self.history.deal.life.owner == (named[-1] if named else None)

    @invariant()
    def what_is_named_is_there(self) -> None:
        there: set[tuple[str, str]] = {("vendor", OURSELVES)}
        there = there.union(*map(made_known_by, self.facts()))
        for fact in self.facts():
            for what, name in named_by(fact):
                assert (what, name) in there, (what, name, fact)

    @invariant()
    def nobody_reports_to_themselves_over_however_many(self) -> None:
        above = {one.id: one.reports_to for one in self.history.deal.people.stakeholders}
        for start in above:
            seen, person = {start}, above[start]
            while person is not None:
                assert person not in seen
                seen.add(person)
                person = above.get(person)

    @invariant()
    def the_sides_stand_where_their_offers_and_acceptances_put_them(self) -> None:
        table = Table()
        for fact in self.facts():
            table.lay(fact)
        for negotiation in self.history.deal.negotiations.opened:
            for state in negotiation.issues:
                for side in Party:
                    wanted = table.positions.get((negotiation.id, state.issue.id, side))
                    assert state.position(side) == wanted

    @invariant()
    def a_term_is_agreed_only_where_both_sides_stand(self) -> None:
        table = Table()
        for fact in self.facts():
            if isinstance(fact, TermAgreed):
                where = table.negotiation_on(fact.issue)
                stand = {table.positions.get((where, fact.issue, side)) for side in Party}
                assert stand == {fact.value}
            table.lay(fact)


TestRandomUsers = RandomUsers.TestCase
