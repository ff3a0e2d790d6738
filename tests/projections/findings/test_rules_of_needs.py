"""The rules about needs: each with a history that fires it, one that nearly does, and others."""

from typing import Any

import pytest

from domain.buying.facts import (
    BudgetObserved,
    BudgetStatus,
    CriteriaStatus,
    CriteriaStatusObserved,
    CriterionScored,
    DecisionCriterionSet,
    PurchaseMethod,
    PurchaseModeDeclared,
)
from domain.deal import DealFact
from domain.lifecycle.facts import (
    LostOutcome,
    OpportunityReopened,
    OpportunityResumed,
    OpportunityRevised,
    OpportunitySuspended,
)
from domain.needs.facts import (
    CheckResult,
    ConcernAccepted,
    ConcernAssigned,
    ConcernKind,
    ConcernRaised,
    ConcernResolved,
    FactChecked,
    FactRecorded,
    NeedDeveloped,
    NeedKind,
    NeedUncovered,
    RequirementResponse,
    RequirementStated,
    Topic,
)
from domain.people.facts import (
    Attitude,
    ContactKind,
    ContactMade,
    Focus,
    Level,
    StakeholderAssessed,
    StakeholderDeparted,
    StakeholderIdentified,
    StakeholderRevised,
)
from domain.stages.facts import ForecastRevised
from domain.values import OURSELVES, BusinessType, Money
from projections.findings import Weight
from tests.projections.findings.telling import (
    advanced,
    back,
    found,
    lost,
    not_assessable,
    opened,
    told,
    won,
)
from tests.scenario import OWNER, day

LI = StakeholderIdentified("li", "Li Wei", level=Level.FRONT_LINE)
WU = StakeholderIdentified("wu", "Wu Min", level=Level.FRONT_LINE)
HAN = StakeholderIdentified("han", "Han Bo", level=Level.TOP)
LIKES_US = StakeholderAssessed("li", attitude=Attitude.SUPPORTER, focus=(Focus.RECEPTIVITY,))
SUFFERS = StakeholderAssessed("li", focus=(Focus.DISSATISFACTION,))
P2_LEFT = advanced("P2", "P3")


def met(name: str, *people: str) -> ContactMade:
    return ContactMade(name, ContactKind.VISIT, people or ("li",))


class TestNoDissatisfaction:
    def test_fires_when_p2_is_left_without_one(self) -> None:
        events = told((0, opened("P2")), (1, LI), (2, LIKES_US), (5, P2_LEFT), (20, SUFFERS))
        [one] = found("no-dissatisfaction", events, until=60)
        assert (one.since, one.until, one.trigger) == (day(5), day(20), 4)
        assert (one.evidence, one.weight) == ((4,), Weight.MISTAKE)
        assert one.sentence.en == (
            "P3 was entered without having found anybody who is dissatisfied with how things are."
        )

    def test_fires_when_p2_is_skipped(self) -> None:
        events = told((0, opened("P1")), (1, LI), (2, LIKES_US), (5, advanced("P1", "P4")))
        assert len(found("no-dissatisfaction", events, until=60)) == 1

    def test_fires_when_the_one_found_has_left(self) -> None:
        events = told(
            (0, opened("P2")), (1, LI), (2, SUFFERS), (3, StakeholderDeparted("li")), (5, P2_LEFT)
        )
        assert len(found("no-dissatisfaction", events, until=60)) == 1

    def test_ends_when_the_deal_is_back_in_p2_and_begins_anew(self) -> None:
        events = told(
            (0, opened("P2")),
            (1, LI),
            (2, LIKES_US),
            (5, P2_LEFT),
            (9, back("P3", "P2")),
            (12, P2_LEFT),
            (30, lost()),
        )
        first, second = found("no-dissatisfaction", events, until=60)
        assert (first.since, first.until) == (day(5), day(9))
        assert (second.since, second.until) == (day(12), day(30))

    def test_not_when_one_is_found(self) -> None:
        events = told((0, opened("P2")), (1, LI), (4.9, SUFFERS), (5, P2_LEFT))
        assert found("no-dissatisfaction", events, until=60) == []

    def test_not_before_p2_is_left(self) -> None:
        events = told((0, opened("P1")), (1, LI), (2, LIKES_US), (5, advanced("P1", "P2")))
        assert found("no-dissatisfaction", events, until=60) == []

    @pytest.mark.parametrize("business", [BusinessType.RENEWAL, BusinessType.ADD_ON])
    def test_not_for_a_renewal_or_an_add_on(self, business: BusinessType) -> None:
        events = told(
            (0, opened("P2", business_type=business)), (1, LI), (2, LIKES_US), (5, P2_LEFT)
        )
        assert found("no-dissatisfaction", events, until=60) == []

    def test_a_cross_sale_is_no_exception(self) -> None:
        revised = OpportunityRevised(business_type=BusinessType.CROSS_SELL)
        events = told((0, opened("P2")), (1, LI), (2, LIKES_US), (3, revised), (5, P2_LEFT))
        assert len(found("no-dissatisfaction", events, until=60)) == 1

    def test_not_for_a_single_source(self) -> None:
        mode = PurchaseModeDeclared(PurchaseMethod.SINGLE_SOURCE)
        events = told((0, opened("P2")), (1, LI), (2, LIKES_US), (3, mode), (5, P2_LEFT))
        assert found("no-dissatisfaction", events, until=60) == []

    def test_cannot_tell_where_nobody_was_assessed(self) -> None:
        events = told((0, opened("P2")), (1, LI), (5, P2_LEFT))
        assert found("no-dissatisfaction", events, until=60) == []
        assert "no-dissatisfaction" in not_assessable(events, until=60)


class TestUnsolvableDissatisfaction:
    NOT_OURS = NeedUncovered("n-1", "A new hall", NeedKind.EXPLICIT, solvable_by_us=False)

    def test_fires_while_all_that_is_explicit_is_unsolvable(self) -> None:
        implied = NeedUncovered("n-2", "Too much scrap", solvable_by_us=False)
        ours = NeedUncovered("n-3", "Less noise", NeedKind.EXPLICIT, solvable_by_us=True)
        events = told(
            (0, opened()), (1, implied), (3, NeedDeveloped("n-2")), (4, self.NOT_OURS), (9, ours)
        )
        [one] = found("unsolvable-dissatisfaction", events, until=60)
        assert (one.since, one.until, one.trigger) == (day(3), day(9), 3)
        assert (one.evidence, one.weight) == ((2, 3), Weight.MISTAKE)
        assert one.sentence.en == (
            "All that the customer wants solved (“Too much scrap”) is what we cannot solve."
        )

    @pytest.mark.parametrize("solvable", [True, None])
    def test_not_when_we_can_solve_one_or_do_not_know(self, solvable: bool | None) -> None:
        other = NeedUncovered("n-2", "Less noise", NeedKind.EXPLICIT, solvable_by_us=solvable)
        events = told((0, opened()), (1, other), (4, self.NOT_OURS))
        assert found("unsolvable-dissatisfaction", events, until=60) == []

    def test_not_while_the_need_is_implied(self) -> None:
        implied = NeedUncovered("n-1", "A new hall", solvable_by_us=False)
        events = told((0, opened()), (1, implied))
        assert found("unsolvable-dissatisfaction", events, until=60) == []


class TestRequirementUntraced:
    def test_fires_until_the_need_behind_it_is_known(self) -> None:
        accepted = RequirementStated("r-1", "Blue", response=RequirementResponse.ACCEPTED)
        need = NeedUncovered("n-1", "To be seen")
        traced = RequirementStated("r-1", "Blue", need="n-1", response=RequirementResponse.ACCEPTED)
        events = told((0, opened()), (2, accepted), (5, need), (9, traced))
        [one] = found("requirement-untraced", events, until=60)
        assert (one.since, one.until, one.trigger) == (day(2), day(9), 2)
        assert (one.evidence, one.weight, one.subject) == ((2,), Weight.NOTE, "r-1")
        assert one.sentence.en == (
            "We accepted requirement “Blue” without knowing the need or the reason behind it."
        )

    @pytest.mark.parametrize(
        "more",
        [
            {"why": "The line must be seen.", "response": RequirementResponse.ACCEPTED},
            {"response": RequirementResponse.OPEN},
            {"response": RequirementResponse.ALTERNATIVE},
            {"response": None},
        ],
    )
    def test_not_with_a_reason_nor_before_it_is_accepted(self, more: dict[str, Any]) -> None:
        events = told((0, opened()), (2, RequirementStated("r-1", "Blue", **more)))
        assert found("requirement-untraced", events, until=60) == []


class TestConcernUnresolved:
    RISK = ConcernRaised("risk", ConcernKind.CONCERN, "What if it stops?", by="li")

    def test_fires_when_a_concern_is_open_at_the_outcome(self) -> None:
        events = told((0, opened("P4")), (1, LI), (2, self.RISK), (30, lost()))
        [one] = found("concern-unresolved", events, until=60)
        assert (one.since, one.until, one.trigger) == (day(30), None, 4)
        assert (one.evidence, one.weight, one.subject) == ((3, 4), Weight.MISTAKE, "risk")
        assert one.of_outcome
        assert (
            one.sentence.en == "The concern “What if it stops?” was still open when the deal ended."
        )

    def test_is_a_note_when_the_deal_was_won_until_it_is_dealt_with(self) -> None:
        resolved = ConcernResolved("risk", "A spare")
        events = told((0, opened("P4")), (1, LI), (2, self.RISK), (30, won()), (40, resolved))
        [one] = found("concern-unresolved", events, until=60)
        assert (one.since, one.until, one.weight) == (day(30), day(40), Weight.NOTE)

    def test_is_a_note_when_the_purchase_came_to_nothing(self) -> None:
        void = lost(LostOutcome.VOIDED)
        events = told((0, opened("P4")), (1, LI), (2, self.RISK), (30, void))
        assert [one.weight for one in found("concern-unresolved", events, 60)] == [Weight.NOTE]

    def test_an_objection_is_called_so(self) -> None:
        dear = ConcernRaised("dear", ConcernKind.OBJECTION, "“Over budget.”", by="li")
        events = told((0, opened("P6")), (1, LI), (2, dear), (3, met("c-1")), (30, lost()))
        alone, open_ = found("concern-unresolved", events, until=60)
        assert alone.sentence.en == "The objection “Over budget” was left alone for 14 days in P6."
        assert alone.sentence.zh == "在 P6 阶段，异议“Over budget”已 14 天无人处理。"
        assert open_.sentence.en == (
            "The objection “Over budget” was still open when the deal ended."
        )

    def test_counts_anew_after_a_reopening(self) -> None:
        events = told(
            (0, opened("P6")), (1, LI), (2, self.RISK), (3, met("c-1")), (6, lost()),
            (40, OpportunityReopened("P6", "They called.")),
        )  # fmt: skip
        one = found("concern-unresolved", events, until=70)[-1]
        assert (one.since, one.of_outcome) == (day(54), False)

    def test_ends_when_the_deal_goes_on(self) -> None:
        again = OpportunityReopened("P4", "They called.")
        events = told((0, opened("P4")), (1, LI), (2, self.RISK), (30, lost()), (40, again))
        [one] = found("concern-unresolved", events, until=60)
        assert (one.since, one.until) == (day(30), day(40))

    @pytest.mark.parametrize(
        "closed", [ConcernResolved("risk", "A spare"), ConcernAccepted("risk")]
    )
    def test_not_when_it_was_resolved_or_accepted(self, closed: DealFact) -> None:
        events = told((0, opened("P6")), (1, LI), (2, self.RISK), (15.9, closed), (30, lost()))
        assert found("concern-unresolved", events, until=60) == []

    def test_fires_after_14_days_in_p6_without_a_step_on_it(self) -> None:
        events = told(
            (0, opened("P5")),
            (1, LI),
            (2, self.RISK),
            (3, met("c-1")),
            (5, advanced("P5", "P6")),
            (25, met("c-2")),
            (30, ConcernAccepted("risk")),
        )
        [one] = found("concern-unresolved", events, until=60)
        assert (one.since, one.until, one.trigger) == (day(19), day(25), None)
        assert (one.evidence, one.weight, one.subject) == ((3, 4, 5), Weight.MISTAKE, "risk")
        assert (
            one.sentence.en == "The concern “What if it stops?” was left alone for 14 days in P6."
        )

    @pytest.mark.parametrize("step", [met("c-2"), ConcernAssigned("risk", OWNER.id)])
    def test_not_when_a_step_is_taken_in_time(self, step: DealFact) -> None:
        events = told((0, opened("P6")), (1, LI), (2, self.RISK), (3, met("c-1")), (16, step))
        assert found("concern-unresolved", events, until=29) == []

    def test_a_contact_with_somebody_else_is_no_step(self) -> None:
        events = told((0, opened("P6")), (1, LI), (1, WU), (2, self.RISK), (10, met("c-1", "wu")))
        [one] = found("concern-unresolved", events, until=29)
        assert one.since == day(16)

    def test_where_nobody_is_named_any_contact_is_a_step(self) -> None:
        unnamed = ConcernRaised("risk", ConcernKind.CONCERN, "What if it stops?")
        events = told((0, opened("P6")), (1, WU), (2, unnamed), (10, met("c-1", "wu")))
        [one] = found("concern-unresolved", events, until=29)
        assert one.since == day(24)

    def test_not_before_p6(self) -> None:
        events = told((0, opened("P5")), (1, LI), (2, self.RISK), (3, met("c-1")))
        assert found("concern-unresolved", events, until=60) == []

    def test_rest_does_not_count(self) -> None:
        events = told(
            (0, opened("P6")),
            (1, LI),
            (2, self.RISK),
            (3, met("c-1")),
            (6, OpportunitySuspended("Year's end")),
            (30, OpportunityResumed()),
        )
        [one] = found("concern-unresolved", events, until=60)
        assert one.since == day(44)

    def test_cannot_tell_a_missing_step_where_no_contact_is_on_record(self) -> None:
        events = told((0, opened("P6")), (1, LI), (2, self.RISK))
        assert found("concern-unresolved", events, until=60) == []
        assert "concern-unresolved" in not_assessable(events, until=60)


class TestUnverifiedInformation:
    SCALE = FactRecorded("f-1", Topic.SCALE, "Two halls", source="The web")

    def test_fires_when_one_person_told_the_criteria(self) -> None:
        status = CriteriaStatusObserved(CriteriaStatus.FORMING, told_by="han")
        check = FactChecked("f-1", CheckResult.CONFIRMS, source="The press")
        events = told((0, opened()), (1, HAN), (2, self.SCALE), (3, status), (9, check))
        [one] = found("unverified-information", events, until=60)
        assert (one.since, one.until, one.trigger) == (day(3), day(9), 4)
        assert (one.evidence, one.weight, one.subject) == ((4,), Weight.NOTE, "criteria")
        assert one.sentence.en == (
            "What we know of the criteria was told by Han Bo alone, and no information was checked."
        )
        assert one.sentence.zh == "我们对决策标准的了解仅来自Han Bo一人，且没有任何信息经过核实。"

    def test_fires_when_front_line_people_alone_told_the_forecast(self) -> None:
        amount = ForecastRevised(amount=Money.parse("1000", "USD"), told_by="li")
        budget = BudgetObserved(BudgetStatus.APPROVED, told_by="wu")
        events = told(
            (0, opened()), (1, LI), (1, WU), (2, self.SCALE), (3, budget), (4, amount),
            (9, StakeholderRevised("wu", level=Level.MIDDLE)),
        )  # fmt: skip
        alone, both = found("unverified-information", events, until=60)
        assert (alone.since, alone.until) == (day(3), day(4))
        assert (both.since, both.until, both.evidence) == (day(4), day(9), (5, 6))
        assert both.subject == "forecast"
        assert both.sentence.en == (
            "What we know of the forecast was told by front-line people only (Li Wei, Wu Min), "
            "and no information was checked."
        )

    def test_what_was_told_before_does_not_count(self) -> None:
        first = ForecastRevised(amount=Money.parse("1000", "USD"), told_by="li")
        ours = ForecastRevised(amount=Money.parse("900", "USD"))
        events = told((0, opened()), (1, LI), (2, self.SCALE), (3, first), (9, ours))
        [one] = found("unverified-information", events, until=60)
        assert one.until == day(9)

    def test_not_when_two_told_it_and_one_is_no_front_line(self) -> None:
        criterion = DecisionCriterionSet("price", "The price")
        facts = (
            FactRecorded("f-2", Topic.CRITERIA, "Price and speed", told_by="li"),
            CriterionScored("price", OURSELVES, 60, told_by="han"),
        )
        events = told(
            (0, opened()), (1, LI), (1, HAN), (2, criterion), *((3, one) for one in facts)
        )
        assert found("unverified-information", events, until=60) == []

    def test_not_when_a_fact_was_checked(self) -> None:
        status = CriteriaStatusObserved(CriteriaStatus.FORMING, told_by="li")
        check = FactChecked("f-1", CheckResult.CONTRADICTS, source="The press")
        events = told((0, opened()), (1, LI), (2, self.SCALE), (2.5, check), (3, status))
        assert found("unverified-information", events, until=60) == []

    def test_not_where_nobody_is_named(self) -> None:
        amount = ForecastRevised(amount=Money.parse("1000", "USD"))
        events = told((0, opened()), (2, self.SCALE), (3, amount))
        assert found("unverified-information", events, until=60) == []

    def test_not_on_other_topics(self) -> None:
        rival = FactRecorded("f-2", Topic.COMPETITION, "Acme called", told_by="li")
        events = told((0, opened()), (1, LI), (3, rival))
        assert found("unverified-information", events, until=60) == []

    def test_cannot_tell_where_no_information_is_on_record(self) -> None:
        status = CriteriaStatusObserved(CriteriaStatus.FORMING, told_by="li")
        events = told((0, opened()), (1, LI), (3, status))
        assert found("unverified-information", events, until=60) == []
        assert "unverified-information" in not_assessable(events, until=60)
