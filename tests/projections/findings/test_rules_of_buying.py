"""The rules about the customer's process: each fired by one history, not by others."""

from datetime import date, timedelta

import pytest

from api.simulate import portfolio
from domain.alignment import alignment
from domain.buying.facts import (
    BuyingPhaseObserved,
    CommitmentBroken,
    CommitmentRecorded,
    CriteriaStatus,
    CriteriaStatusObserved,
    DecisionCriterionDropped,
    DecisionCriterionSet,
    ProposalKind,
    ProposalSubmitted,
    PurchaseMethod,
    PurchaseModeDeclared,
    VendorStatus,
    VendorStatusChanged,
)
from domain.competition.facts import CompetitorIdentified
from domain.corrections import EventWithdrawn
from domain.deal import DealFact
from domain.lifecycle.facts import (
    NextStepPlanned,
    OpportunityAssessed,
    OpportunityResumed,
    OpportunitySuspended,
    PursuitDecision,
)
from domain.people.facts import BuyingRole, ContactKind, ContactMade, StakeholderIdentified
from domain.process import BuyingPhase
from domain.process_files import built_in_processes
from domain.values import OURSELVES, Party, Side
from projections.findings import Settings, Weight, judge
from projections.findings.case import Case, runs
from projections.findings.rules.buying import RULES
from projections.frames import frames_of
from tests.projections.findings.telling import (
    advanced,
    back,
    found,
    lost,
    not_assessable,
    opened,
    told,
)
from tests.scenario import OWNER, day

LI = StakeholderIdentified("li", "Li Wei", roles=(BuyingRole.DECISION_MAKER,))
WU = StakeholderIdentified("wu", "Wu Min", roles=(BuyingRole.PURCHASER,))
ZHAO = StakeholderIdentified("zhao", "Zhao Lei", roles=(BuyingRole.USER,))
ACME = CompetitorIdentified("acme", "Acme Presses")
JUST_BEHIND = timedelta.resolution


def seen(
    phase: BuyingPhase, who: str | None = None, driven_by: Side | None = None
) -> BuyingPhaseObserved:
    return BuyingPhaseObserved(phase.value, stakeholder=who, driven_by=driven_by)


def met(name: str = "c-1") -> ContactMade:
    return ContactMade(name, ContactKind.VISIT, ("li",))


class TestAheadOfBuyer:
    def test_fires_two_phases_ahead_until_nobody_knows_where_they_are(self) -> None:
        events = told(
            (0, opened("P3")), (1, LI), (2, seen(BuyingPhase.DECISION, "li")),
            (5, advanced("P3", "P4")), (200, lost()),
        )  # fmt: skip
        [one] = found("ahead-of-buyer", events, until=300)
        assert (one.since, one.until, one.trigger) == (day(5), day(62) + JUST_BEHIND, 4)
        assert (one.evidence, one.weight, one.subject) == ((3, 4), Weight.MISTAKE, "li")
        assert one.sentence.en == (
            "We stand in P4, 2 phases ahead of Li Wei, who was seen in decision on 2026-03-04."
        )
        assert "“决定”" in (one.sentence.zh or "")

    def test_ends_when_the_customer_follows(self) -> None:
        events = told(
            (0, opened("P4")), (2, seen(BuyingPhase.DECISION)), (9, seen(BuyingPhase.CRITERIA))
        )
        [one] = found("ahead-of-buyer", events, until=300)
        assert (one.since, one.until, one.trigger) == (day(2), day(9), 2)
        assert one.sentence.en == (
            "We stand in P4, 2 phases ahead of the customer, who was seen in decision on "
            "2026-03-04."
        )

    def test_not_one_phase_ahead(self) -> None:
        events = told((0, opened("P4")), (2, seen(BuyingPhase.CRITERIA)))
        assert found("ahead-of-buyer", events, until=300) == []

    def test_the_decision_maker_counts_before_the_others(self) -> None:
        events = told(
            (0, opened("P4")), (1, LI), (1, WU), (2, seen(BuyingPhase.MEASUREMENT, "li")),
            (3, seen(BuyingPhase.ACKNOWLEDGEMENT, "wu")), (4, seen(BuyingPhase.ACKNOWLEDGEMENT)),
        )  # fmt: skip
        assert found("ahead-of-buyer", events, until=61) == []

    def test_falls_back_to_the_purchaser_when_an_observation_grows_old(self) -> None:
        events = told(
            (0, opened("P4")), (1, LI), (1, WU), (2, seen(BuyingPhase.MEASUREMENT, "li")),
            (12, seen(BuyingPhase.ACKNOWLEDGEMENT, "wu")),
        )  # fmt: skip
        [one] = found("ahead-of-buyer", events, until=300)
        assert (one.since, one.until) == (day(62) + JUST_BEHIND, day(72) + JUST_BEHIND)
        assert (one.trigger, one.subject) == (None, "wu")

    def test_a_user_does_not_count(self) -> None:
        events = told((0, opened("P4")), (1, ZHAO), (2, seen(BuyingPhase.SATISFACTION, "zhao")))
        assert found("ahead-of-buyer", events, until=300) == []

    def test_the_distance_is_a_setting(self) -> None:
        events = told((0, opened("P4")), (2, seen(BuyingPhase.DECISION)))
        assert found("ahead-of-buyer", events, until=9, settings=Settings(ahead_phases=3)) == []

    @pytest.mark.parametrize("number", range(12))
    def test_holds_exactly_while_the_alignment_says_so(self, number: int) -> None:
        period = portfolio.period(24, date(2026, 6, 30))
        processes = built_in_processes()
        events = portfolio.simulated(11, number, period, processes).history.events
        end = max(event.occurred_at for event in events) + timedelta(days=90)
        case = Case(frames_of(events), processes, end)
        rules = [rule for rule in RULES if rule.id == "ahead-of-buyer"]
        findings = judge(case, secrets=False, rules=rules).findings
        for index, moment in enumerate(case.moments):
            later = case.moments[index + 1].at if index + 1 < len(case.moments) else end
            for at in (moment.at, moment.at + (later - moment.at) / 2):
                if at == later or not runs(moment.deal):
                    continue
                assert moment.process is not None
                ahead = alignment(moment.deal, moment.process, at)
                holds = any(one.holds_at(at) for one in findings)
                assert holds == (ahead is not None and ahead >= 2), (number, at)


class TestBuyerWentBack:
    def test_fires_on_a_regression_until_the_ground_is_regained(self) -> None:
        events = told(
            (0, opened("P3")), (5, back("P3", "P2", driven_by=Side.COMPETITOR)),
            (20, advanced("P2", "P4")),
        )  # fmt: skip
        [one] = found("buyer-went-back", events, until=60)
        assert (one.since, one.until, one.trigger) == (day(5), day(20), 2)
        assert (one.evidence, one.weight) == ((2,), Weight.MISTAKE)
        assert one.sentence.en == "The deal went back from P3 to P2, driven by a competitor."
        assert one.sentence.zh == "项目从 P3 退回 P2，由竞争对手推动。"

    def test_a_regression_driven_by_nobody_known_is_a_mistake_and_by_us_a_note(self) -> None:
        events = told(
            (0, opened("P4")), (5, back("P4", "P3")), (6, back("P3", "P2", driven_by=Side.US))
        )
        unknown, ours = found("buyer-went-back", events, until=60)
        assert (unknown.weight, ours.weight) == (Weight.MISTAKE, Weight.NOTE)
        assert unknown.sentence.en.endswith("driven by nobody known.")
        assert ours.sentence.en.endswith("driven by us.")

    def test_not_on_a_regression_driven_by_the_customer(self) -> None:
        events = told((0, opened("P3")), (5, back("P3", "P2", driven_by=Side.CUSTOMER)))
        assert found("buyer-went-back", events, until=60) == []

    def test_fires_on_an_earlier_phase_of_the_same_person(self) -> None:
        events = told(
            (0, opened("P3")), (1, LI), (2, seen(BuyingPhase.CRITERIA, "li")),
            (5, seen(BuyingPhase.ACKNOWLEDGEMENT, "li")), (7, seen(BuyingPhase.DECISION, "li")),
            (9, seen(BuyingPhase.CRITERIA, "li")),
        )  # fmt: skip
        [one] = found("buyer-went-back", events, until=60)
        assert (one.since, one.until, one.trigger) == (day(5), day(9), 4)
        assert (one.evidence, one.weight) == ((3, 4), Weight.MISTAKE)
        assert one.sentence.en == (
            "Li Wei went back from criteria to acknowledgement (seen on 2026-03-07), "
            "driven by nobody known."
        )

    def test_fires_on_an_earlier_phase_of_the_customer(self) -> None:
        events = told(
            (0, opened("P3")), (2, seen(BuyingPhase.CRITERIA)),
            (5, seen(BuyingPhase.DECISION, None, Side.US)), (30, lost()),
        )  # fmt: skip
        [one] = found("buyer-went-back", events, until=60)
        assert (one.since, one.until, one.weight) == (day(5), day(30), Weight.NOTE)
        assert one.sentence.en.startswith("The customer went back from criteria to decision")

    def test_not_driven_by_the_customer(self) -> None:
        events = told(
            (0, opened("P3")), (2, seen(BuyingPhase.CRITERIA)),
            (5, seen(BuyingPhase.DECISION, None, Side.CUSTOMER)),
        )  # fmt: skip
        assert found("buyer-went-back", events, until=60) == []

    def test_not_between_two_people(self) -> None:
        events = told(
            (0, opened("P3")), (1, LI), (1, WU), (2, seen(BuyingPhase.CRITERIA, "li")),
            (5, seen(BuyingPhase.DECISION, "wu")), (6, seen(BuyingPhase.ACKNOWLEDGEMENT)),
        )  # fmt: skip
        assert found("buyer-went-back", events, until=60) == []

    def test_not_on_the_same_phase_again(self) -> None:
        phase = seen(BuyingPhase.CRITERIA)
        events = told((0, opened("P3")), (2, phase), (5, phase))
        assert found("buyer-went-back", events, until=60) == []

    def test_a_late_entry_shows_that_they_had_gone_back(self) -> None:
        events = told(
            (0, opened("P3")), (5, seen(BuyingPhase.DECISION)), (2, seen(BuyingPhase.CRITERIA)),
            known={3: 8},
        )  # fmt: skip
        [one] = found("buyer-went-back", events, until=60, as_known=True)
        assert (one.since, one.trigger, one.evidence) == (day(8), 3, (2, 3))

    def test_ends_when_what_they_went_back_from_is_withdrawn(self) -> None:
        events = told(
            (0, opened("P3")), (2, seen(BuyingPhase.CRITERIA)), (5, seen(BuyingPhase.DECISION)),
            (9, EventWithdrawn((2,), "Somebody else.")),
        )  # fmt: skip
        [one] = found("buyer-went-back", events, until=60, as_known=True)
        assert (one.since, one.until) == (day(5), day(9))
        assert found("buyer-went-back", events, until=60) == []


class TestCriteriaNotOurs:
    THEIRS = DecisionCriterionSet("speed", "Strokes a minute", 60, set_by=Side.COMPETITOR)
    OURS = DecisionCriterionSet("scrap", "Share of scrap", 40, set_by=Side.US)

    def test_fires_when_measurement_is_reached_with_a_competitors_criteria(self) -> None:
        events = told(
            (0, opened("P3")), (1, self.THEIRS), (2, self.OURS), (5, advanced("P3", "P4")),
            (9, DecisionCriterionSet("scrap", "Share of scrap", 70, set_by=Side.US)),
        )  # fmt: skip
        [one] = found("criteria-not-ours", events, until=60)
        assert (one.since, one.until, one.trigger) == (day(5), day(9), 4)
        assert (one.evidence, one.weight) == ((2, 4), Weight.MISTAKE)
        assert one.sentence.en == (
            "Measurement was reached, and a competitor set the heaviest criteria "
            "(“Strokes a minute”)."
        )

    def test_fires_when_nobody_knows_who_set_the_heaviest(self) -> None:
        heaviest = DecisionCriterionSet("speed", "Strokes a minute", 60)
        events = told(
            (0, opened("P3")),
            (1, self.OURS),
            (2, advanced("P3", "P4")),
            (4, heaviest),
            (30, lost()),
        )
        [one] = found("criteria-not-ours", events, until=60)
        assert (one.since, one.until, one.trigger) == (day(4), day(30), 4)
        assert one.evidence == (3, 4)
        assert one.sentence.en == (
            "Measurement was reached, and nobody knows who set the heaviest criteria "
            "(“Strokes a minute”)."
        )

    def test_whose_they_are_as_a_whole_tells_who_set_them(self) -> None:
        heaviest = DecisionCriterionSet("speed", "Strokes a minute", 60)
        with_them = CriteriaStatusObserved(CriteriaStatus.WITH_COMPETITOR)
        their_own = CriteriaStatusObserved(CriteriaStatus.THEIR_OWN)
        events = told(
            (0, opened("P3")),
            (1, with_them),
            (2, advanced("P3", "P4")),
            (4, heaviest),
            (9, their_own),
        )
        whole, single = found("criteria-not-ours", events, until=60)
        assert (whole.since, whole.until, whole.evidence) == (day(2), day(4), (2, 3))
        assert whole.sentence.en == (
            "Measurement was reached, and the criteria are with a competitor."
        )
        assert (single.since, single.until, single.evidence) == (day(4), day(9), (2, 3, 4))

    def test_without_weights_each_may_be_the_heaviest(self) -> None:
        theirs = DecisionCriterionSet("speed", "Strokes a minute", set_by=Side.COMPETITOR)
        ours = DecisionCriterionSet("scrap", "Share of scrap", set_by=Side.US)
        events = told((0, opened("P3")), (1, ours), (2, theirs), (3, advanced("P3", "P4")))
        [one] = found("criteria-not-ours", events, until=60)
        assert (one.since, one.known) == (day(3), {"criteria": ("speed",)})

    def test_not_when_the_first_criteria_on_record_are_ours(self) -> None:
        events = told((0, opened("P3")), (2, advanced("P3", "P4")), (9, self.OURS))
        assert found("criteria-not-ours", events, until=8) == []
        assert found("criteria-not-ours", events, until=60) == []

    def test_fires_when_the_criteria_are_unknown(self) -> None:
        dropped = DecisionCriterionDropped("scrap")
        events = told((0, opened("P3")), (1, self.OURS), (2, dropped), (5, advanced("P3", "P4")))
        [one] = found("criteria-not-ours", events, until=60)
        assert (one.since, one.until, one.evidence) == (day(5), None, (4,))
        assert one.sentence.en.endswith("the customer's criteria are not known.")

    def test_not_before_measurement(self) -> None:
        events = told((0, opened("P3")), (1, self.THEIRS))
        assert found("criteria-not-ours", events, until=60) == []

    @pytest.mark.parametrize("side", [Side.US, Side.CUSTOMER])
    def test_not_when_the_heaviest_are_ours_or_their_own(self, side: Side) -> None:
        heaviest = DecisionCriterionSet("scrap", "Share of scrap", 70, set_by=side)
        events = told((0, opened("P3")), (1, heaviest), (2, self.THEIRS), (3, advanced("P3", "P4")))
        assert found("criteria-not-ours", events, until=60) == []

    def test_cannot_tell_where_no_criterion_is_on_record(self) -> None:
        events = told((0, opened("P4")), (30, lost()))
        assert found("criteria-not-ours", events, until=60) == []
        assert "criteria-not-ours" in not_assessable(events, until=60)


class TestPreSelectedVendor:
    TENDER = PurchaseModeDeclared(PurchaseMethod.INVITED_TENDER, pre_selected="acme")
    NO_GO = OpportunityAssessed(2, 1, decision=PursuitDecision.NO_GO)

    def test_fires_in_a_tender_while_another_is_believed_pre_selected(self) -> None:
        open_again = PurchaseModeDeclared(PurchaseMethod.INVITED_TENDER)
        events = told((0, opened()), (1, ACME), (3, self.TENDER), (20, open_again))
        [one] = found("pre-selected-vendor", events, until=60)
        assert (one.since, one.until, one.trigger) == (day(3), day(20), 3)
        assert (one.evidence, one.weight, one.subject) == ((3,), Weight.MISTAKE, "acme")
        assert one.sentence.en == (
            "We are in a tender in which Acme Presses is believed to be pre-selected."
        )

    @pytest.mark.parametrize("vendor", [None, OURSELVES])
    def test_not_when_nobody_is_or_we_are(self, vendor: str | None) -> None:
        mode = PurchaseModeDeclared(PurchaseMethod.OPEN_TENDER, pre_selected=vendor)
        events = told((0, opened()), (3, mode))
        assert found("pre-selected-vendor", events, until=60) == []

    def test_not_where_no_tender_is_held(self) -> None:
        mode = PurchaseModeDeclared(PurchaseMethod.REQUEST_FOR_QUOTATIONS, pre_selected="acme")
        events = told((0, opened()), (1, ACME), (3, mode))
        assert found("pre-selected-vendor", events, until=60) == []

    def test_not_when_we_decided_against_it(self) -> None:
        events = told((0, opened()), (1, ACME), (2, self.NO_GO), (3, self.TENDER))
        assert found("pre-selected-vendor", events, until=60) == []

    def test_a_bid_enters_it_all_the_same(self) -> None:
        bid = ProposalSubmitted(ProposalKind.BID, 1)
        events = told((0, opened()), (1, ACME), (2, self.NO_GO), (3, self.TENDER), (9, bid))
        [one] = found("pre-selected-vendor", events, until=60)
        assert one.since == day(9)

    def test_ends_when_we_are_out(self) -> None:
        out = VendorStatusChanged(OURSELVES, VendorStatus.OUT)
        events = told((0, opened()), (1, ACME), (3, self.TENDER), (9, out))
        [one] = found("pre-selected-vendor", events, until=60)
        assert (one.since, one.until) == (day(3), day(9))


class TestPromiseBroken:
    OURS = CommitmentRecorded("pilot", "A pilot", Party.US)
    THEIRS = CommitmentRecorded("visit", "A visit", Party.CUSTOMER)

    def test_fires_at_once_when_we_break_ours(self) -> None:
        events = told((0, opened()), (1, self.OURS), (5, CommitmentBroken("pilot")), (30, lost()))
        [one] = found("promise-broken", events, until=60)
        assert (one.since, one.until, one.trigger) == (day(5), day(30), 3)
        assert (one.evidence, one.weight, one.subject) == ((2, 3), Weight.MISTAKE, "pilot")
        assert one.sentence.en == "We broke our promise “A pilot” on 2026-03-07."

    def test_fires_when_theirs_goes_unanswered_for_seven_days(self) -> None:
        events = told(
            (0, opened()), (1, LI), (1, met()), (2, self.THEIRS), (5, CommitmentBroken("visit")),
            (20, met("c-2")),
        )  # fmt: skip
        [one] = found("promise-broken", events, until=60)
        assert (one.since, one.until, one.trigger) == (day(12), day(20), None)
        assert (one.evidence, one.weight) == ((4, 5), Weight.MISTAKE)
        assert one.sentence.en == (
            "They broke their promise “A visit” on 2026-03-07, and for 7 days we did not respond."
        )

    @pytest.mark.parametrize(
        "response",
        [
            met("c-2"),
            NextStepPlanned("s-1", "Ask why", OWNER.id),
            CommitmentRecorded("call", "A call", Party.CUSTOMER),
        ],
    )
    def test_not_when_we_respond_in_time(self, response: DealFact) -> None:
        events = told(
            (0, opened()), (1, LI), (1, met()), (2, self.THEIRS), (5, CommitmentBroken("visit")),
            (11.9, response),
        )  # fmt: skip
        assert found("promise-broken", events, until=60) == []

    def test_a_promise_of_ours_is_no_response(self) -> None:
        events = told(
            (0, opened()), (1, LI), (1, met()), (2, self.THEIRS), (5, CommitmentBroken("visit")),
            (6, self.OURS),
        )  # fmt: skip
        assert len(found("promise-broken", events, until=60)) == 1

    def test_not_while_the_promise_is_open(self) -> None:
        events = told((0, opened()), (1, LI), (1, met()), (2, self.OURS), (2, self.THEIRS))
        assert found("promise-broken", events, until=60) == []

    def test_rest_does_not_count(self) -> None:
        events = told(
            (0, opened()), (1, LI), (1, met()), (2, self.THEIRS), (5, CommitmentBroken("visit")),
            (6, OpportunitySuspended("Reorganised")), (30, OpportunityResumed()),
        )  # fmt: skip
        [one] = found("promise-broken", events, until=60)
        assert one.since == day(37)

    def test_cannot_tell_a_missing_response_where_no_contact_is_on_record(self) -> None:
        events = told((0, opened()), (2, self.THEIRS), (5, CommitmentBroken("visit")))
        assert found("promise-broken", events, until=60) == []
        assert "promise-broken" in not_assessable(events, until=60)
