"""Times in which silence is no fault: rests, closed deals, tenders that wait for the award."""

from datetime import date, timedelta
from typing import Any, TypeAlias

import pytest

from domain.buying.facts import (
    BidOpened,
    CommitmentBroken,
    CommitmentRecorded,
    PurchaseMethod,
    PurchaseModeDeclared,
    VendorBid,
    VendorStatus,
    VendorStatusChanged,
)
from domain.competition.facts import PositionAssessed, Rank
from domain.deal import DealFact
from domain.lifecycle.facts import (
    NextStepCompleted,
    NextStepPlanned,
    OpportunityAssessed,
    OpportunityReopened,
    OpportunitySuspended,
)
from domain.needs.facts import ConcernKind, ConcernRaised
from domain.people.facts import (
    Attitude,
    BuyingRole,
    ContactKind,
    ContactMade,
    Focus,
    StakeholderAssessed,
    StakeholderDeparted,
    StakeholderIdentified,
)
from domain.values import END_OF_TIME, START_OF_TIME, Party
from projections.findings import Settings
from projections.findings.pauses import later
from tests.projections.findings.telling import advanced, back, found, lost, opened, told
from tests.scenario import day, usd

Facts: TypeAlias = tuple[tuple[float, DealFact], ...]

LI = StakeholderIdentified("li", "Li Wei")
WANG = StakeholderIdentified("wang", "Wang Fang")
BOSS = StakeholderIdentified("zhao", "Zhao Min", roles=(BuyingRole.DECISION_MAKER,))
BACKS = StakeholderAssessed("li", influence=5, attitude=Attitude.CHAMPION)


def met(name: str = "c-1", who: str = "li") -> ContactMade:
    return ContactMade(name, ContactKind.VISIT, (who,))


CLOSED: dict[str, tuple[str, Facts, float]] = {
    "gone-silent": ("P3", ((2, met()),), 21),
    "not-worth-winning": ("P3", ((2, OpportunityAssessed(1, 1)),), 60),
    "next-step-missing": (
        "P3", ((2, NextStepPlanned("n", "Visit", "ann", "Learn")), (3, NextStepCompleted("n"))), 7,
    ),
    "lagging-unanswered": ("P3", ((2, PositionAssessed(Rank.LAGGING)),), 30),
    "promise-broken": (
        "P3",
        (
            (2, met()), (3, CommitmentRecorded("plan", "Send the plan", Party.CUSTOMER)),
            (4, CommitmentBroken("plan")),
        ),
        7,
    ),
    "decision-maker-unmet": ("P4", ((1, BOSS), (2, met())), 30),
    "concern-unresolved": (
        "P6", ((2, met()), (3, ConcernRaised("risk", ConcernKind.CONCERN, "Risk"))), 14,
    ),
    "champion-lost": ("P3", ((2, BACKS), (3, StakeholderDeparted("li"))), 21),
}  # fmt: skip
"""By rule: a stage, what happens before the deal is lost on day 5, and the days of the rule."""


@pytest.mark.parametrize("rule", CLOSED)
def test_the_time_from_an_outcome_to_the_reopening_does_not_count(rule: str) -> None:
    stage, facts, days = CLOSED[rule]
    again = (100, OpportunityReopened(stage, "They called."))
    start: Facts = ((0, opened(stage)), (1, LI), *facts, (5, lost()))
    before = [one for one in found(rule, told(*start, again), until=100) if not one.of_outcome]
    assert before == []
    [one] = [one for one in found(rule, told(*start, again), until=300) if not one.of_outcome]
    assert (one.since, one.trigger) == (day(100 + days), None)


def test_the_windows_of_contacts_begin_anew_at_a_reopening() -> None:
    again, third = (100, OpportunityReopened("P3", "They called.")), (102, met("c-3"))
    start = ((0, opened("P3")), (1, LI), (1, WANG), (2, met("c-1", "wang")), (3, met("c-2")))
    events = told(*start, (5, lost()), again, third, (125, met("c-4")))
    assert [one.since for one in found("single-threaded", events, until=140)] == [day(130)]
    listens = (2, StakeholderAssessed("li", focus=(Focus.RECEPTIVITY,)))
    events = told(start[0], start[1], listens, (5, lost()), again, third, (125, met("c-4")))
    assert [one.since for one in found("receptive-only", events, until=140)] == [day(130)]


DEADLINE = date(2026, 3, 11)
"""The end of day 9: the deal is opened on the morning of 2 March."""
BEHIND_IT = day(10).replace(hour=0)
TENDER = PurchaseModeDeclared(PurchaseMethod.OPEN_TENDER, deadline=DEADLINE)
CHOSEN = VendorStatusChanged("rival", VendorStatus.FIRST_CHOICE)


def silences(*facts: Any, until: float = 400, **more: Any) -> list[Any]:
    start = ((0, opened("P4")), (1, LI), (2, met()), (3, TENDER))
    return found("gone-silent", told(*start, *facts), until, **more)


class TestWaitingForAnAward:
    def test_it_is_not_waited_for_forever(self) -> None:
        [one] = silences()
        # No event ends the pause, nor does one begin the finding.
        assert one.since == BEHIND_IT + timedelta(days=90 + 21)
        assert (one.until, one.trigger, one.evidence) == (None, None, (3,))

    def test_how_long_is_a_setting(self) -> None:
        [one] = silences(settings=Settings(award_days=30))
        assert one.since == BEHIND_IT + timedelta(days=30 + 21)

    def test_what_happens_in_the_pause_and_behind_it_changes_nothing_else(self) -> None:
        [one] = silences((20, PositionAssessed(Rank.LEVEL)), (115, PositionAssessed(Rank.LEVEL)))
        assert (one.since, one.trigger) == (BEHIND_IT + timedelta(days=111), None)

    def test_a_contact_behind_the_pause_counts(self) -> None:
        [one] = silences((110, met("c-2")))
        assert one.since == day(131)

    def test_a_state_that_lasts_goes_on_through_the_end_of_the_pause(self) -> None:
        events = told((0, opened("P6")), (3, TENDER), (4, advanced("P6", "P7")))
        assert found("gone-silent", events, until=400) == []
        tender = PurchaseModeDeclared(
            PurchaseMethod.OPEN_TENDER, deadline=DEADLINE, pre_selected="rival"
        )
        events = told((0, opened("P4")), (3, tender))
        [one] = found("pre-selected-vendor", events, until=400)
        assert (one.since, one.until, one.trigger) == (day(3), None, 2)

    def test_a_supporter_lost_in_the_pause_is_told_of_behind_it(self) -> None:
        events = told((0, opened("P4")), (1, LI), (2, BACKS), (3, TENDER),
                      (15, StakeholderDeparted("li")))  # fmt: skip
        [one] = found("champion-lost", events, until=400)
        assert one.since == BEHIND_IT + timedelta(days=90 + 21)

    def test_who_negotiates_waits_no_more(self) -> None:
        [one] = silences((20, advanced("P4", "P5")), (40, advanced("P5", "P6")))
        assert (one.since, one.trigger) == (day(61), None)

    def test_it_is_waited_for_again_where_the_deal_went_back(self) -> None:
        [one] = silences((30, advanced("P4", "P6")), (40, back("P6", "P5")))
        assert one.since == BEHIND_IT + timedelta(days=90 + 21)

    def test_a_rank_at_the_opening_of_the_bids_is_none(self) -> None:
        ranked = BidOpened((VendorBid("us", usd("1000"), rank=1),))
        assert silences((11, ranked), until=100) == []

    def test_an_award_counts_for_the_tender_it_belongs_to(self) -> None:
        anew = PurchaseModeDeclared(PurchaseMethod.OPEN_TENDER, deadline=date(2026, 4, 1))
        [one] = silences((15, CHOSEN), (20, met("c-2")), (28, anew))
        assert one.since == day(31).replace(hour=0) + timedelta(days=90 + 21)


@pytest.mark.parametrize("deadline", [date.min, date.max])
def test_a_deadline_may_be_any_day(deadline: date) -> None:
    tender = PurchaseModeDeclared(PurchaseMethod.OPEN_TENDER, deadline=deadline)
    events = told((0, opened("P4")), (1, LI), (2, met()), (3, tender))
    assert [one.since for one in found("gone-silent", events, until=90)] == [day(23)]


def test_a_rest_lasts_until_it_ends() -> None:
    assert silences((8, OpportunitySuspended("Frozen.")), until=3000) == []


def test_the_last_moment_is_the_latest_there_is() -> None:
    assert later(day(0), timedelta(days=2)) == day(2)
    assert later(END_OF_TIME, timedelta.resolution) == END_OF_TIME
    assert later(START_OF_TIME, END_OF_TIME - START_OF_TIME) == END_OF_TIME
    assert later(START_OF_TIME, timedelta.max) == END_OF_TIME
