"""The rules about proposals: each with a history that fires it, one that nearly does, others."""

import pytest

from domain.buying.facts import (
    CriteriaStatus,
    CriteriaStatusObserved,
    DecisionCriterionSet,
    OurPart,
    OurPartObserved,
    ProposalKind,
    ProposalSubmitted,
)
from domain.deal import DealFact
from domain.lifecycle.facts import Strategy, StrategyChosen
from domain.needs.facts import NeedDeveloped, NeedKind, NeedUncovered, ValueConfirmed
from domain.negotiation.facts import Issue, IssueKind, NegotiationOpened
from domain.people.facts import ContactKind, ContactMade, StakeholderIdentified
from projections.findings import Settings, Weight
from projections.findings.finding import Kind
from tests.projections.findings.telling import assessed, found, lost, not_assessable, opened, told
from tests.scenario import day

LI = StakeholderIdentified("li", "Li Wei")
DEMO = ContactMade("c-1", ContactKind.DEMO, ("li",))
IMPLIED = NeedUncovered("n-1", "Too much scrap")
EXPLICIT = NeedUncovered("n-2", "Cut the scrap by half", NeedKind.EXPLICIT)
PRICE = DecisionCriterionSet("price", "The price", weight=60)
FORMAL = ProposalSubmitted(ProposalKind.FORMAL, 1)
BID = ProposalSubmitted(ProposalKind.BID, 1)
PRELIMINARY = ProposalSubmitted(ProposalKind.PRELIMINARY, 1)
SIMPLIFIED = ProposalSubmitted(ProposalKind.SIMPLIFIED, 1)

SAID = {ProposalKind.FORMAL: "a formal proposal", ProposalKind.BID: "a bid"}


class TestSolutionTooEarly:
    def test_fires_on_a_demo_before_any_explicit_need(self) -> None:
        events = told((0, opened()), (1, LI), (2, IMPLIED), (3, DEMO), (9, NeedDeveloped("n-1")))
        [one] = found("solution-too-early", events, until=30)
        assert (one.since, one.until, one.trigger) == (day(3), day(9), 4)
        assert (one.evidence, one.weight) == ((4,), Weight.MISTAKE)
        assert one.sentence.en == (
            "We showed a solution (a demo) before the customer had said that they want a problem "
            "solved."
        )

    def test_fires_on_a_formal_proposal(self) -> None:
        events = told((0, opened()), (2, IMPLIED), (3, FORMAL), (40, lost()))
        [one] = found("solution-too-early", events, until=60)
        assert (one.since, one.until) == (day(3), day(40))

    @pytest.mark.parametrize("shown", [PRELIMINARY, SIMPLIFIED, BID])
    def test_not_on_what_is_no_formal_proposal(self, shown: DealFact) -> None:
        events = told((0, opened()), (2, IMPLIED), (3, shown))
        assert found("solution-too-early", events, until=30) == []

    def test_not_when_the_need_is_explicit(self) -> None:
        events = told((0, opened()), (1, LI), (2, EXPLICIT), (3, DEMO), (4, FORMAL))
        assert found("solution-too-early", events, until=30) == []

    def test_a_need_known_later_than_the_demo_counts_from_when_it_is_known(self) -> None:
        events = told(
            (0, opened()), (1, LI), (2, EXPLICIT), (3, DEMO), (4, IMPLIED), known={3: 20, 5: 2}
        )
        assert found("solution-too-early", events, until=30) == []
        [one] = found("solution-too-early", events, until=30, as_known=True)
        assert (one.since, one.until) == (day(4), day(20))

    def test_cannot_tell_where_no_need_is_on_record(self) -> None:
        events = told((0, opened()), (1, LI), (3, DEMO))
        assert found("solution-too-early", events, until=30) == []
        assert "solution-too-early" in not_assessable(events, until=30)

    def test_leaves_a_blind_proposal_to_its_own_rule(self) -> None:
        recorded = Settings(records={"cli": (Kind.NEEDS, Kind.CRITERIA)})
        events = told((0, opened()), (3, FORMAL))
        assert found("solution-too-early", events, until=30, settings=recorded) == []
        [one] = found("blind-proposal", events, until=30, settings=recorded)
        assert (one.since, one.until) == (day(3), None)

    def test_speaks_of_a_blind_proposal_until_it_shows_to_be_blind(self) -> None:
        status = CriteriaStatusObserved(CriteriaStatus.FORMING)
        events = told((0, opened()), (3, FORMAL), (5, IMPLIED), (8, status), (40, lost()))
        [early] = found("solution-too-early", events, until=60)
        assert (early.since, early.until) == (day(5), day(8))
        [blind] = found("blind-proposal", events, until=60)
        assert (blind.since, blind.until) == (day(8), day(40))

    def test_speaks_of_a_proposal_that_cannot_be_told_to_be_blind(self) -> None:
        events = told((0, opened()), (3, FORMAL), (5, IMPLIED))
        [early] = found("solution-too-early", events, until=60)
        assert (early.since, early.until) == (day(5), None)
        assert "blind-proposal" in not_assessable(events, until=60)


class TestBlindProposal:
    RECORDED = Settings(records={"cli": (Kind.NEEDS, Kind.CRITERIA)})

    @pytest.mark.parametrize("kind", [ProposalKind.FORMAL, ProposalKind.BID])
    def test_fires_when_neither_needs_nor_criteria_are_known(self, kind: ProposalKind) -> None:
        proposal = ProposalSubmitted(kind, 1)
        events = told((0, opened()), (3, proposal), (5, IMPLIED), (9, PRICE), (40, lost()))
        [one] = found("blind-proposal", events, until=60, settings=self.RECORDED)
        assert (one.since, one.until, one.trigger) == (day(3), day(9), 2)
        assert (one.evidence, one.weight, one.subject) == ((2,), Weight.BLUNDER, "2")
        assert one.sentence.en == (
            f"We handed in {SAID[kind]} blind: neither a need nor a decision criterion of the "
            "customer was known."
        )

    def test_is_made_good_when_both_are_known(self) -> None:
        events = told((0, opened()), (3, FORMAL), (5, PRICE), (9, IMPLIED))
        [one] = found("blind-proposal", events, until=60, settings=self.RECORDED)
        assert one.until == day(9)

    @pytest.mark.parametrize("known", [IMPLIED, PRICE])
    def test_not_when_one_of_them_is_known(self, known: DealFact) -> None:
        events = told((0, opened()), (2, known), (3, FORMAL))
        assert found("blind-proposal", events, until=60, settings=self.RECORDED) == []

    def test_not_when_the_criteria_are_ours(self) -> None:
        ours = CriteriaStatusObserved(CriteriaStatus.WITH_US)
        events = told((0, opened()), (2, ours), (3, FORMAL))
        assert found("blind-proposal", events, until=60, settings=self.RECORDED) == []

    @pytest.mark.parametrize("shown", [PRELIMINARY, SIMPLIFIED])
    def test_not_of_what_binds_nobody(self, shown: DealFact) -> None:
        events = told((0, opened()), (3, shown))
        assert found("blind-proposal", events, until=60, settings=self.RECORDED) == []

    @pytest.mark.parametrize("shown", [IMPLIED, PRICE])
    def test_cannot_tell_where_only_one_of_them_is_on_record(self, shown: DealFact) -> None:
        events = told((0, opened()), (3, FORMAL), (5, shown))
        assert found("blind-proposal", events, until=60) == []
        assert "blind-proposal" in not_assessable(events, until=60)


class TestProposalWithoutCriteria:
    @pytest.mark.parametrize("kind", [ProposalKind.FORMAL, ProposalKind.BID])
    def test_fires_when_needs_are_known_and_criteria_are_not(self, kind: ProposalKind) -> None:
        proposal = ProposalSubmitted(kind, 1)
        forming = CriteriaStatusObserved(CriteriaStatus.FORMING)
        events = told((0, opened()), (1, forming), (2, EXPLICIT), (3, proposal), (9, PRICE))
        [one] = found("proposal-without-criteria", events, until=60)
        assert (one.since, one.until, one.trigger) == (day(3), day(9), 4)
        assert (one.evidence, one.weight) == ((4,), Weight.NOTE)
        assert one.sentence.en == (
            f"We handed in {SAID[kind]} without knowing what the customer scores on."
        )

    def test_not_when_a_criterion_is_known(self) -> None:
        events = told((0, opened()), (2, EXPLICIT), (2.5, PRICE), (3, FORMAL))
        assert found("proposal-without-criteria", events, until=60) == []

    def test_not_of_a_simplified_one(self) -> None:
        events = told((0, opened("P4")), (2, EXPLICIT), (3, SIMPLIFIED), (9, PRICE))
        assert found("proposal-without-criteria", events, until=60) == []

    @pytest.mark.parametrize(("stage", "times"), [("P2", 0), ("P3", 1)])
    def test_a_preliminary_one_is_no_fault_before_criteria_are_set(
        self, stage: str, times: int
    ) -> None:
        events = told((0, opened(stage)), (2, EXPLICIT), (3, PRELIMINARY), (9, PRICE))
        assert len(found("proposal-without-criteria", events, until=60)) == times

    def test_not_when_the_needs_are_unknown_too(self) -> None:
        events = told((0, opened()), (3, FORMAL), (9, PRICE), (10, IMPLIED))
        assert found("proposal-without-criteria", events, until=60) == []

    def test_cannot_tell_where_no_criterion_is_on_record(self) -> None:
        events = told((0, opened()), (2, EXPLICIT), (3, FORMAL))
        assert found("proposal-without-criteria", events, until=60) == []
        assert "proposal-without-criteria" in not_assessable(events, until=60)


class TestColumnFodder:
    LEVER = OurPartObserved(OurPart.PRICE_LEVER)

    @pytest.mark.parametrize("kind", [ProposalKind.FORMAL, ProposalKind.BID])
    def test_fires_when_we_serve_as_a_lever_and_have_no_strategy(self, kind: ProposalKind) -> None:
        events = told(
            (0, opened()),
            (2, self.LEVER),
            (3, ProposalSubmitted(kind, 1)),
            (9, StrategyChosen(Strategy.RECAST_THE_NEED)),
        )
        [one] = found("column-fodder", events, until=60)
        assert (one.since, one.until, one.trigger) == (day(3), day(9), 3)
        assert (one.evidence, one.weight) == ((2, 3), Weight.MISTAKE)
        assert one.sentence.en == (
            f"They use us as a price lever, and we handed in {SAID[kind]} without a chosen "
            "strategy."
        )
        assert "压价工具" in (one.sentence.zh or "")

    @pytest.mark.parametrize("part", [OurPart.BACKUP, OurPart.PROCESS_FILLER])
    def test_fires_in_any_part_but_that_of_a_contender(self, part: OurPart) -> None:
        events = told((0, opened()), (2, OurPartObserved(part)), (3, BID))
        assert len(found("column-fodder", events, until=60)) == 1

    def test_fires_when_our_part_is_learnt_later(self) -> None:
        events = told((0, opened()), (3, BID), (5, self.LEVER), (40, lost()))
        [one] = found("column-fodder", events, until=60)
        assert (one.since, one.until, one.trigger) == (day(5), day(40), 3)

    def test_ends_when_they_take_us_for_a_contender(self) -> None:
        contender = OurPartObserved(OurPart.CONTENDER)
        events = told((0, opened()), (2, self.LEVER), (3, BID), (7, contender))
        [one] = found("column-fodder", events, until=60)
        assert one.until == day(7)

    def test_not_with_a_strategy(self) -> None:
        along = StrategyChosen(Strategy.GO_ALONG)
        events = told((0, opened()), (1, along), (2, self.LEVER), (3, BID))
        assert found("column-fodder", events, until=60) == []

    def test_not_as_a_contender(self) -> None:
        events = told((0, opened()), (2, OurPartObserved(OurPart.CONTENDER)), (3, BID))
        assert found("column-fodder", events, until=60) == []

    def test_not_of_a_simplified_proposal(self) -> None:
        events = told((0, opened()), (2, self.LEVER), (3, SIMPLIFIED))
        assert found("column-fodder", events, until=60) == []

    def test_cannot_tell_where_our_part_is_not_on_record(self) -> None:
        events = told((0, opened()), (3, BID))
        assert assessed(events, 60).not_assessable["column-fodder"] == (Kind.PART,)
        strategy = StrategyChosen(Strategy.DEEPEN)
        with_strategy = told((0, opened()), (2, strategy), (3, BID))
        assert "column-fodder" not in not_assessable(with_strategy, until=60)


class TestPriceBeforeValue:
    TALKS = NegotiationOpened("talks", (Issue("price", IssueKind.PRICE),))
    VALUE = ValueConfirmed("v-1", "Half the scrap", "li")

    def test_fires_without_a_confirmed_value(self) -> None:
        events = told((0, opened("P6")), (1, LI), (2, EXPLICIT), (3, self.TALKS), (9, self.VALUE))
        [one] = found("price-before-value", events, until=60)
        assert (one.since, one.until, one.trigger) == (day(3), day(9), 4)
        assert (one.evidence, one.weight, one.subject) == ((4,), Weight.MISTAKE, "talks")
        assert one.sentence.en == (
            "The negotiation was opened before anybody at the customer had confirmed a value: "
            "nothing defends the price."
        )
        assert not one.secret

    def test_fires_without_an_explicit_need(self) -> None:
        events = told((0, opened("P6")), (1, LI), (2, IMPLIED), (2, self.VALUE), (3, self.TALKS))
        [one] = found("price-before-value", events, until=60)
        assert one.sentence.en == (
            "The negotiation was opened before the customer had said that they want a problem "
            "solved."
        )

    def test_is_made_good_when_both_are_there(self) -> None:
        events = told(
            (0, opened("P6")),
            (1, LI),
            (2, IMPLIED),
            (3, self.TALKS),
            (5, self.VALUE),
            (8, NeedDeveloped("n-1")),
        )
        [one] = found("price-before-value", events, until=60)
        assert (one.since, one.until) == (day(3), day(8))
        assert "no confirmed value and no explicit need" in one.sentence.en

    def test_not_with_both(self) -> None:
        events = told((0, opened("P6")), (1, LI), (2, EXPLICIT), (2, self.VALUE), (3, self.TALKS))
        assert found("price-before-value", events, until=60) == []

    def test_cannot_tell_where_no_need_is_on_record(self) -> None:
        events = told((0, opened("P6")), (3, self.TALKS))
        assert found("price-before-value", events, until=60) == []
        assert "price-before-value" in not_assessable(events, until=60)
