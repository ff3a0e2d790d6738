"""Random users of one deal: after every command it is as a deal has to be.

What the deal should be is read off the events by functions of a few lines that
share nothing with the fold.
"""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from domain.corrections import EventWithdrawn
from domain.deal import DealEvent, DealFact, History, violations
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
from domain.stages.facts import ForecastRevised, StageAdvanced, StageRegressed
from domain.values import Money
from tests.laws.deals import asked, carry_out
from tests.scenario import BOOK, STREAM, given, opened


class RandomUsers(RuleBasedStateMachine):
    """Users ask for anything of a deal, at any time of its life."""

    history = History(STREAM)

    @initialize()
    def open_the_deal(self) -> None:
        self.history = given(opened()).history

    @rule(data=st.data())
    def ask(self, data: st.DataObject) -> None:
        step = carry_out(data.draw(asked(self.history)), self.history)
        assert step.refusal is None or step.facts == ()
        assert self.history.deal == step.before.deal
        self.history = step.after

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
        assert violations(self.history.events, BOOK) == []

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
                case _:
                    pass
        assert self.history.deal.life.status is status

    @invariant()
    def a_deal_has_an_outcome_exactly_when_it_ended(self) -> None:
        life = self.history.deal.life
        assert (life.outcome is not None) is life.status.closed
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
        assert deal.life.status is Status.WON or not stage.after_win

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


TestRandomUsers = RandomUsers.TestCase
