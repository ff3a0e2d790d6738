"""The rules about stages: each with a history that fires it, one that nearly does, and others."""

from datetime import date
from typing import Any

from domain.buying.facts import PurchaseMethod, PurchaseModeDeclared
from domain.corrections import EventWithdrawn
from domain.gates import PREDICATES
from domain.lifecycle.facts import (
    BantStatus,
    LeadQualified,
    NextStepCompleted,
    NextStepPlanned,
    OpportunityAssessed,
    OpportunityLost,
    OpportunityResumed,
    OpportunitySuspended,
    QualificationLevel,
)
from domain.needs.facts import ConcernKind, ConcernRaised, NeedKind, NeedUncovered
from domain.people.facts import ContactKind, ContactMade, StakeholderIdentified
from domain.stages.facts import (
    GateCriterionAttested,
    GateCriterionRevoked,
    GateResult,
    MetCriterion,
    Override,
)
from domain.values import ProcessRef
from projections.findings.finding import Weight
from projections.findings.rules.stages import SHOWN_MISSING_BY
from tests.projections.findings.telling import (
    advanced,
    back,
    found,
    lost,
    not_assessable,
    opened,
    told,
)
from tests.scenario import SHORT, day

LI = StakeholderIdentified("li", "Li Wei")
LEAVE = Override("mei", "The customer is in a hurry.")
RESTS = OpportunitySuspended("Budget freeze.")
GOES_ON = OpportunityResumed()


class TestGateOverridden:
    OPENING = (0, opened("proposal", process=SHORT.ref))
    CONFIRMED = GateCriterionAttested("need-confirmed", "By mail.")
    PLAN = GateCriterionAttested("plan", "On paper.")
    MOVE = (
        5, advanced("proposal", "closing", gate=GateResult(missing=("plan",)), override=LEAVE),
    )  # fmt: skip

    def test_fires_on_the_move(self) -> None:
        events = told(self.OPENING, (2, self.CONFIRMED), self.MOVE)
        [one] = found("gate-overridden", events, until=30)
        assert (one.since, one.until, one.trigger) == (day(5), None, 3)
        assert (one.evidence, one.weight, one.subject) == ((3,), Weight.MISTAKE, "proposal")
        assert one.sentence.en == "“proposal” was left by override; missing were “plan is met”."
        assert one.known["missing"] == one.known["held_missing"] == ("plan",)

    def test_not_where_nothing_was_missing_as_is_known_since(self) -> None:
        start = (self.OPENING, (2, self.CONFIRMED), self.MOVE)
        events = told(*start, (4, self.PLAN), known={4: 9})
        assert found("gate-overridden", events, until=30) == []
        assert len(found("gate-overridden", events, until=30, as_known=True)) == 1

    def test_says_what_was_missing_as_is_known_since(self) -> None:
        start = (self.OPENING, (2, self.CONFIRMED), self.MOVE)
        events = told(*start, (4, self.PLAN), (8, EventWithdrawn((2,), "Another deal.")))
        [one] = found("gate-overridden", events, until=30)
        assert (one.known["missing"], one.known["held_missing"]) == (("need-confirmed",), ("plan",))

    def test_an_imported_one_is_judged_as_other_imported_moves(self) -> None:
        called = ContactMade("c-1", ContactKind.CALL, ("li",))
        move = (5, advanced("P3", "P4", override=LEAVE))
        [one] = found("gate-overridden", told((0, opened("P3")), (1, LI), (2, called), move), 90)
        assert one.known == {"stage": "P3", "missing": ("engineers-met",)}
        events = told((0, opened("P3")), move)
        assert found("gate-overridden", events, until=90) == []
        assert "gate-overridden" in not_assessable(events, until=90)


class TestGateSkipped:
    def test_fires_when_stages_were_passed_over(self) -> None:
        move = advanced("P1", "P4", skipped=("P2", "P3"), gate=GateResult(), override=LEAVE)
        events = told((0, opened("P1")), (5, move), (60, lost()))
        [one] = found("gate-skipped", events, until=90)
        assert (one.since, one.until, one.trigger) == (day(5), day(60), 2)
        assert (one.evidence, one.weight, one.subject) == ((2,), Weight.MISTAKE, "P1")
        assert one.sentence.en == "The deal went from P1 to P4 and passed over P2, P3."

    def test_not_where_the_stages_passed_over_have_no_criteria(self) -> None:
        opening = opened("lead", process=ProcessRef("short", 2))
        events = told((0, opening), (5, advanced("lead", "proposal", skipped=("contact",))))
        assert found("gate-skipped", events, until=90) == []

    def test_fires_on_an_imported_move_without_the_criteria_that_are_on_record(self) -> None:
        called = ContactMade("c-1", ContactKind.CALL, ("li",))
        events = told((0, opened("P3")), (1, LI), (2, called), (5, advanced("P3", "P4")))
        [one] = found("gate-skipped", events, until=90)
        assert (one.since, one.trigger, one.evidence) == (day(5), 4, (4,))
        assert one.sentence.en == (
            "P3 was left though its gate was not met; missing were “Our engineers met theirs”."
        )

    def test_not_when_what_is_on_record_meets_them(self) -> None:
        exchange = ContactMade("c-1", ContactKind.TECHNICAL_EXCHANGE, ("li",))
        events = told((0, opened("P3")), (1, LI), (2, exchange), (5, advanced("P3", "P4")))
        assert found("gate-skipped", events, until=90) == []

    def test_cannot_tell_of_an_imported_move_where_nothing_is_on_record(self) -> None:
        events = told((0, opened("P3")), (5, advanced("P3", "P4")))
        assert found("gate-skipped", events, until=90) == []
        assert "gate-skipped" in not_assessable(events, until=90)

    def test_what_is_put_on_record_after_an_imported_move_does_not_count_for_it(self) -> None:
        called = ContactMade("c-1", ContactKind.CALL, ("li",))
        events = told((0, opened("P3")), (5, advanced("P3", "P4")), (8, LI), (9, called))
        assert found("gate-skipped", events, until=90) == []
        assert "gate-skipped" in not_assessable(events, until=90)

    def test_silent_where_the_process_has_no_criteria(self) -> None:
        opening = opened("contact", process=SHORT.ref)
        events = told((0, opening), (5, advanced("contact", "proposal")))
        assert found("gate-skipped", events, until=90) == []
        assert "gate-skipped" not in not_assessable(events, until=90)

    def test_what_nobody_can_know_the_source_to_record_does_not_count(self) -> None:
        """The gate asks for a confirmation and for a win plan."""
        opening = opened("proposal", process=SHORT.ref)
        events = told((0, opening), (5, advanced("proposal", "closing")))
        assert found("gate-skipped", events, until=90) == []
        assert "gate-skipped" not in not_assessable(events, until=90)

    def test_attested_criteria_count_where_something_was_attested(self) -> None:
        opening = opened("proposal", process=SHORT.ref)
        plan = GateCriterionAttested("plan", "On paper.")
        events = told((0, opening), (2, plan), (5, advanced("proposal", "closing")))
        [one] = found("gate-skipped", events, until=90)
        assert one.known["missing"] == ("need-confirmed",)
        confirmed = GateCriterionAttested("need-confirmed", "By mail.")
        events = told((0, opening), (2, plan), (3, confirmed), (5, advanced("proposal", "closing")))
        assert found("gate-skipped", events, until=90) == []

    def test_what_is_missing_by_what_is_on_record_always_counts(self) -> None:
        worry = ConcernRaised("w", ConcernKind.CONCERN, "Delivery")
        events = told((0, opened("P5")), (1, worry), (5, advanced("P5", "P6")))
        [one] = found("gate-skipped", events, until=90)
        assert one.known["missing"] == ("concerns-have-owners",)

    def test_a_move_decided_here_is_judged_anew(self) -> None:
        """Met when it was decided, by an attestation that was withdrawn since."""
        opening = opened("proposal", process=SHORT.ref)
        gate = GateResult((MetCriterion("need-confirmed", (2,)), MetCriterion("plan", (3,))))
        start = (
            (0, opening), (2, GateCriterionAttested("need-confirmed", "By mail.")),
            (3, GateCriterionAttested("plan", "On paper.")),
            (5, advanced("proposal", "closing", gate=gate)),
        )  # fmt: skip
        assert found("gate-skipped", told(*start), until=90) == []
        revoked = GateCriterionRevoked("plan", "Lost.")
        assert found("gate-skipped", told(*start, (8, revoked)), until=90) == []
        events = told(*start, (8, EventWithdrawn((3,), "Another deal.")))
        [one] = found("gate-skipped", events, until=90)
        assert (one.since, one.known["missing"]) == (day(5), ("plan",))

    def test_not_by_leave_which_is_another_finding(self) -> None:
        move = advanced("P3", "P4", gate=GateResult(missing=("engineers-met",)), override=LEAVE)
        events = told((0, opened("P3")), (5, move))
        assert found("gate-skipped", events, until=90) == []

    def test_every_predicate_it_knows_is_there(self) -> None:
        assert SHOWN_MISSING_BY.keys() <= PREDICATES.keys()


def judged(
    budget: BantStatus = BantStatus.CONFIRMED, timeline: BantStatus = BantStatus.CONFIRMED
) -> LeadQualified:
    return LeadQualified(
        QualificationLevel.OPPORTUNITY,
        budget=budget,
        authority=BantStatus.CONFIRMED,
        need=BantStatus.CONFIRMED,
        timeline=timeline,
    )


class TestUnqualified:
    def test_fires_in_p2_while_something_is_unknown(self) -> None:
        events = told(
            (0, opened("P1")), (1, judged(BantStatus.UNKNOWN)), (5, advanced("P1", "P2")),
            (9, judged(BantStatus.PARTIAL)),
        )  # fmt: skip
        [one] = found("unqualified", events, until=30)
        assert (one.since, one.until, one.trigger) == (day(5), day(9), 3)
        assert (one.evidence, one.weight) == ((2, 3), Weight.MISTAKE)
        assert one.sentence.en == "The deal stood in P2, and we did not know of: budget."
        assert one.sentence.zh == "项目已到 P2，以下情况仍不清楚：预算。"

    def test_fires_in_p4_while_something_is_not_confirmed(self) -> None:
        partly = judged(timeline=BantStatus.PARTIAL)
        events = told((0, opened("P1")), (1, partly), (5, advanced("P1", "P4")), (60, lost()))
        [one] = found("unqualified", events, until=90)
        assert (one.since, one.until, one.trigger) == (day(5), day(60), 3)
        assert one.sentence.en == "The deal stood in P4, and not confirmed were: timeline."

    def test_not_in_p3_when_something_is_known_in_part(self) -> None:
        partly = judged(BantStatus.PARTIAL)
        events = told((0, opened("P1")), (1, partly), (5, advanced("P1", "P3")))
        assert found("unqualified", events, until=90) == []

    def test_not_in_p1_nor_when_all_is_confirmed(self) -> None:
        events = told((0, opened("P1")), (1, judged(BantStatus.UNKNOWN)), (30, lost()))
        assert found("unqualified", events, until=90) == []
        events = told((0, opened("P1")), (1, judged()), (5, advanced("P1", "P4")))
        assert found("unqualified", events, until=90) == []

    def test_ends_when_the_deal_goes_back(self) -> None:
        events = told(
            (0, opened("P1")), (1, judged(BantStatus.UNKNOWN)), (5, advanced("P1", "P2")),
            (8, back("P2", "P1")),
        )  # fmt: skip
        [one] = found("unqualified", events, until=90)
        assert (one.since, one.until) == (day(5), day(8))

    def test_cannot_tell_where_leads_are_not_qualified_on_record(self) -> None:
        events = told((0, opened("P2")), (60, lost()))
        assert found("unqualified", events, until=90) == []
        assert "unqualified" in not_assessable(events, until=90)


class TestNotWorthWinning:
    def test_fires_60_days_after_it_was_first_judged_so(self) -> None:
        events = told(
            (0, opened()), (2, OpportunityAssessed(4, 2)), (5, OpportunityAssessed(2, 2)),
            (40, OpportunityAssessed(1, 2)), (80, OpportunityAssessed(3, 2)),
        )  # fmt: skip
        [one] = found("not-worth-winning", events, until=90)
        assert (one.since, one.until, one.trigger) == (day(65), day(80), None)
        assert (one.evidence, one.weight) == ((3, 4), Weight.MISTAKE)
        assert one.sentence.en == (
            "Judged worth winning 1 and can win 2 of 5 since 2026-03-07, the deal was still "
            "pursued after 60 days."
        )

    def test_not_when_it_is_given_up_or_judged_better_in_time(self) -> None:
        start = ((0, opened()), (5, OpportunityAssessed(2, 2)))
        gone: tuple[float, OpportunityLost] = (64.9, lost())
        assert found("not-worth-winning", told(*start, gone), until=90) == []
        better = (60, OpportunityAssessed(2, 3))
        assert found("not-worth-winning", told(*start, better), until=200) == []

    def test_not_when_only_one_of_the_two_is_low(self) -> None:
        events = told((0, opened()), (5, OpportunityAssessed(3, 1)))
        assert found("not-worth-winning", events, until=200) == []

    def test_a_judgement_between_begins_anew(self) -> None:
        events = told(
            (0, opened()), (5, OpportunityAssessed(2, 2)), (30, OpportunityAssessed(3, 3)),
            (40, OpportunityAssessed(2, 2)),
        )  # fmt: skip
        [one] = found("not-worth-winning", events, until=200)
        assert (one.since, one.evidence) == (day(100), (4,))

    def test_a_judgement_that_was_withdrawn_does_not_count(self) -> None:
        events = told(
            (0, opened()), (5, OpportunityAssessed(2, 2)), (40, OpportunityAssessed(2, 2)),
            (50, EventWithdrawn((2,), "Another deal.")),
        )  # fmt: skip
        for as_known in (False, True):
            [one] = found("not-worth-winning", events, until=200, as_known=as_known)
            assert (one.since, one.evidence) == (day(100), (3,))

    def test_a_resting_deal_is_not_pursued(self) -> None:
        start = ((0, opened()), (5, OpportunityAssessed(2, 2)), (50, RESTS))
        assert found("not-worth-winning", told(*start), until=200) == []
        [one] = found("not-worth-winning", told(*start, (90, GOES_ON)), until=200)
        assert one.since == day(150)


def step(name: str = "s-1", objective: str | None = "Learn the budget") -> NextStepPlanned:
    return NextStepPlanned(name, "Visit", "ann", objective)


class TestNextStepMissing:
    def test_fires_7_days_after_the_last_step_was_done(self) -> None:
        events = told(
            (0, opened("P1")), (1, step()), (3, NextStepCompleted("s-1")), (20, step("s-2"))
        )
        [one] = found("next-step-missing", events, until=60)
        assert (one.since, one.until, one.trigger) == (day(10), day(20), None)
        assert (one.evidence, one.weight) == ((3,), Weight.NOTE)
        assert one.sentence.en == "For 7 days there was no next step that had an objective."

    def test_fires_7_days_after_p1_was_entered_without_one(self) -> None:
        events = told(
            (0, opened("P0")), (3, advanced("P0", "P1")), (4, step(objective=None)), (30, step("2"))
        )
        [one] = found("next-step-missing", events, until=60)
        assert (one.since, one.until, one.evidence) == (day(10), day(30), (2,))

    def test_not_when_one_is_planned_in_time_and_stays_open(self) -> None:
        events = told(
            (0, opened("P1")), (1, step()), (3, NextStepCompleted("s-1")), (9.9, step("s-2"))
        )
        assert found("next-step-missing", events, until=200) == []

    def test_not_while_another_is_open(self) -> None:
        events = told(
            (0, opened("P1")), (1, step()), (1, step("s-2")), (3, NextStepCompleted("s-1"))
        )
        assert found("next-step-missing", events, until=200) == []

    def test_not_in_p0(self) -> None:
        events = told((0, opened("P0")), (1, step()), (3, NextStepCompleted("s-1")), (40, lost()))
        assert found("next-step-missing", events, until=60) == []

    def test_not_while_the_deal_rests_or_waits_for_the_award(self) -> None:
        start: tuple[Any, ...] = ((0, opened("P5")), (1, step()), (3, NextStepCompleted("s-1")))
        assert found("next-step-missing", told(*start, (5, RESTS)), until=60) == []
        [one] = found("next-step-missing", told(*start, (5, RESTS), (30, GOES_ON)), until=60)
        assert one.since == day(37)
        tender = PurchaseModeDeclared(PurchaseMethod.INVITED_TENDER, deadline=date(2026, 3, 8))
        assert found("next-step-missing", told(*start, (4, tender)), until=60) == []

    def test_cannot_tell_where_no_step_is_on_record(self) -> None:
        events = told((0, opened("P1")), (2, NeedUncovered("n", "Scrap", NeedKind.IMPLIED)))
        assert found("next-step-missing", events, until=60) == []
        assert "next-step-missing" in not_assessable(events, until=60)
