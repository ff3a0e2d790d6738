"""The rules about competition: each with a history that fires it, one that nearly does, others."""

from datetime import timedelta
from typing import Any

from domain.buying.facts import PurchaseMethod, PurchaseModeDeclared
from domain.competition.facts import (
    CompetitorIdentified,
    CompetitorKind,
    PositionAssessed,
    Rank,
)
from domain.lifecycle.facts import (
    LostOutcome,
    OpportunityReopened,
    OpportunityResumed,
    OpportunitySuspended,
    Strategy,
    StrategyChosen,
)
from domain.stages.facts import GateCriterionAttested, GateCriterionRevoked
from domain.values import BusinessType
from projections.findings import Settings, Weight
from projections.findings.finding import Kind
from tests.projections.findings.telling import (
    advanced,
    back,
    found,
    lost,
    not_assessable,
    opened,
    told,
)
from tests.scenario import day

ACME = CompetitorIdentified("acme", "Acme Presses")
IN_HOUSE = CompetitorIdentified("own", "Own workshop", CompetitorKind.IN_HOUSE)
RECORDS = Settings(records={"cli": (Kind.COMPETITORS,)})
LEFT = (5, advanced("P2", "P3"))
NONE = GateCriterionAttested("competitors-known", "They talk to nobody else.")


def unseen(*facts: Any, **more: Any) -> list[Any]:
    return found("competitor-unseen", told(*facts), until=90, settings=RECORDS, **more)


class TestCompetitorUnseen:
    def test_fires_when_p2_is_left_until_one_is_known(self) -> None:
        [one] = unseen((0, opened("P2")), LEFT, (9, ACME))
        assert (one.since, one.until, one.trigger) == (day(5), day(9), 2)
        assert (one.evidence, one.weight, one.of_outcome) == ((2,), Weight.MISTAKE, False)
        assert one.sentence.en == (
            "P2 was left without a competitor known, and nobody had attested that there is none."
        )

    def test_fires_when_p2_is_skipped(self) -> None:
        assert len(unseen((0, opened("P1")), (5, advanced("P1", "P4", skipped=("P2", "P3"))))) == 1

    def test_not_when_one_is_known_or_attested_absent(self) -> None:
        for known in (ACME, IN_HOUSE, NONE):
            assert unseen((0, opened("P2")), (4, known), LEFT) == []

    def test_fires_when_the_attestation_was_revoked_or_is_of_something_else(self) -> None:
        gone = GateCriterionRevoked("competitors-known", "They do.")
        assert len(unseen((0, opened("P2")), (3, NONE), (4, gone), LEFT)) == 1
        other = GateCriterionAttested("win-plan-set", "There is one.")
        assert len(unseen((0, opened("P2")), (3, other), LEFT)) == 1

    def test_not_when_a_criterion_about_competitors_does_not_apply(self) -> None:
        """Of whichever process: that of four phases asks of them by another name."""
        for criterion in ("competitor-move-known", "competitors-compared"):
            none = GateCriterionAttested(criterion, "They talk to nobody else.", applies=False)
            assert unseen((0, opened("P2")), (4, none), LEFT) == []
            met = GateCriterionAttested(criterion, "By phone.")
            assert len(unseen((0, opened("P2")), (4, met), LEFT)) == 1
        plan = GateCriterionAttested("win-plan-set", "None needed.", applies=False)
        assert len(unseen((0, opened("P2")), (4, plan), LEFT)) == 1

    def test_not_before_p2_is_left(self) -> None:
        assert unseen((0, opened("P1")), (5, advanced("P1", "P2"))) == []
        assert unseen((0, opened("P3")), (5, advanced("P3", "P4"))) == []

    def test_not_for_renewals_add_ons_and_single_source(self) -> None:
        for kind in (BusinessType.RENEWAL, BusinessType.ADD_ON):
            assert unseen((0, opened("P2", business_type=kind)), LEFT) == []
        assert len(unseen((0, opened("P2", business_type=BusinessType.UPSELL)), LEFT)) == 1
        single = PurchaseModeDeclared(PurchaseMethod.SINGLE_SOURCE)
        assert unseen((0, opened("P2")), (1, single), LEFT) == []

    def test_ends_when_the_deal_goes_back_or_none_is_attested(self) -> None:
        for end in (back("P3", "P2"), NONE):
            assert [one.until for one in unseen((0, opened("P2")), LEFT, (8, end))] == [day(8)]

    def test_fires_when_lost_to_one_never_recorded(self) -> None:
        end = lost(LostOutcome.LOST_TO_COMPETITOR, "Zenith")
        [one] = unseen((0, opened("P2")), (4, ACME), LEFT, (50, end))
        assert (one.since, one.until, one.trigger) == (day(50), None, 4)
        assert (one.evidence, one.of_outcome) == ((4,), True)
        assert one.sentence.en == (
            "The deal was lost to Zenith, whom we had never recorded as a competitor."
        )

    def test_not_when_lost_to_one_known_by_id_or_name(self) -> None:
        for name in ("acme", "ACME presses "):
            end = lost(LostOutcome.LOST_TO_COMPETITOR, name)
            assert unseen((0, opened("P2")), (4, ACME), LEFT, (50, end)) == []
        assert unseen((0, opened("P2")), (4, ACME), LEFT, (50, lost())) == []

    def test_lost_to_nobody_knows_whom_fires_only_where_no_vendor_was_known(self) -> None:
        end = (50, lost(LostOutcome.LOST_TO_COMPETITOR, "unknown"))
        assert unseen((0, opened("P2")), (4, ACME), LEFT, end) == []
        [one] = unseen((0, opened("P2")), (4, IN_HOUSE), LEFT, end)
        assert one.sentence.en.startswith("The deal was lost to a competitor whom nobody knows")

    def test_cannot_tell_where_no_competitor_is_on_record(self) -> None:
        end = (50, lost(LostOutcome.LOST_TO_COMPETITOR, "Zenith"))
        events = told((0, opened("P2")), LEFT, end)
        assert found("competitor-unseen", events, until=90) == []
        assert "competitor-unseen" in not_assessable(events, until=90)


BEHIND = PositionAssessed(Rank.LAGGING)
DEEPEN = StrategyChosen(Strategy.DEEPEN)
STRATEGY = (1, StrategyChosen(Strategy.INFLUENCE_CRITERIA))


class TestLaggingUnanswered:
    RULE = "lagging-unanswered"

    def test_fires_after_30_days_until_a_strategy_is_chosen(self) -> None:
        events = told((0, opened("P3")), STRATEGY, (2, BEHIND), (20, BEHIND), (40, DEEPEN))
        [one] = found(self.RULE, events, until=90)
        assert (one.since, one.until, one.trigger) == (day(32), day(40), None)
        assert (one.evidence, one.weight) == ((3, 4), Weight.MISTAKE)
        assert one.sentence.en == (
            "We have lagged behind the competition since 2026-03-04, "
            "and in 30 days chose no strategy against it."
        )

    def test_not_when_one_is_chosen_in_time(self) -> None:
        for number in (2, 31.9):
            events = told((0, opened("P3")), (2, BEHIND), (number, DEEPEN))
            assert found(self.RULE, events, until=90) == []

    def test_not_when_we_do_not_lag_any_more(self) -> None:
        for rank in (Rank.LEVEL, Rank.UNKNOWN, Rank.LEADING):
            again = (10, PositionAssessed(rank))
            events = told((0, opened("P3")), STRATEGY, (2, BEHIND), again, (60, lost()))
            assert found(self.RULE, events, until=90) == []

    def test_counts_anew_from_when_we_fell_back_again(self) -> None:
        events = told(
            (0, opened("P3")), STRATEGY, (2, BEHIND), (10, PositionAssessed(Rank.LEVEL)),
            (20, BEHIND),
        )  # fmt: skip
        assert [one.since for one in found(self.RULE, events, until=90)] == [day(50)]

    def test_not_while_the_deal_rests(self) -> None:
        rest, on = (10, OpportunitySuspended("Budget.")), (50, OpportunityResumed())
        events = told((0, opened("P3")), STRATEGY, (2, BEHIND), rest, on)
        assert [one.since for one in found(self.RULE, events, until=90)] == [day(80)]

    def test_tells_of_it_where_no_strategy_was_ever_chosen(self) -> None:
        events = told((0, opened("P3")), (2, BEHIND), (60, lost()))
        [one] = found(self.RULE, events, until=90)
        assert (one.since, one.until) == (day(32), day(60))
        assert self.RULE not in not_assessable(events, until=90)

    def test_not_while_the_deal_is_closed(self) -> None:
        again = (70, OpportunityReopened("P3", "They called."))
        events = told((0, opened("P3")), (2, BEHIND), (20, lost()), again)
        assert [one.since for one in found(self.RULE, events, until=120)] == [day(100)]

    def test_the_days_are_a_setting(self) -> None:
        events = told((0, opened("P3")), STRATEGY, (2, BEHIND), (12, DEEPEN))
        [one] = found(self.RULE, events, until=90, settings=Settings(lagging_days=9))
        assert (one.since, one.until) == (day(2) + timedelta(days=9), day(12))
