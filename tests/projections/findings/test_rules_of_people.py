"""The rules about people: each with a history that fires it, one that nearly does, and others."""

from datetime import date
from typing import Any

from domain.buying.facts import (
    PurchaseMethod,
    PurchaseModeDeclared,
    VendorStatus,
    VendorStatusChanged,
)
from domain.corrections import EventWithdrawn
from domain.lifecycle.facts import OpportunityResumed, OpportunitySuspended
from domain.people.facts import (
    Attitude,
    BuyingRole,
    Channel,
    ContactKind,
    ContactMade,
    Focus,
    Level,
    MinutesSent,
    StakeholderAssessed,
    StakeholderDeparted,
    StakeholderIdentified,
    StakeholderRevised,
)
from domain.stages.facts import GateCriterionAttested
from projections.findings import Settings
from projections.findings.finding import Kind, Weight
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
from tests.scenario import day

LI = StakeholderIdentified("li", "Li Wei")
WANG = StakeholderIdentified("wang", "Wang Fang")
BOSS = StakeholderIdentified("zhao", "Zhao Min", roles=(BuyingRole.DECISION_MAKER,))
TOP = StakeholderIdentified("zhao", "Zhao Min", level=Level.TOP)


def met(name: str = "c-1", *people: str, **more: Any) -> ContactMade:
    return ContactMade(name, ContactKind.VISIT, people or ("li",), **more)


def absent(role: BuyingRole) -> GateCriterionAttested:
    return GateCriterionAttested(
        "buying-roles-filled", "Nobody does.", applies=False, aspect=role.value
    )


def backs(who: str = "li", attitude: Attitude = Attitude.SUPPORTER) -> StakeholderAssessed:
    return StakeholderAssessed(who, influence=4, attitude=attitude)


def listens(who: str, *focus: Focus) -> StakeholderAssessed:
    return StakeholderAssessed(who, focus=focus or (Focus.RECEPTIVITY,))


TENDER = PurchaseModeDeclared(PurchaseMethod.OPEN_TENDER, deadline=date(2026, 3, 11))
"""Bids until the end of day 9; OPENED_AT is the morning of 2 March."""
AWARD = VendorStatusChanged("rival", VendorStatus.FIRST_CHOICE)


class TestDecisionMakerUnmet:
    def test_fires_when_nobody_knows_who_decides(self) -> None:
        events = told(
            (0, opened("P4")), (1, LI), (2, met()), (5, advanced("P4", "P5")), (9, BOSS),
            (20, met("c-2", "zhao")), (40, lost()),
        )  # fmt: skip
        one, *more = found("decision-maker-unmet", events, until=90)
        assert more == []
        assert (one.since, one.until, one.trigger) == (day(5), day(20), 4)
        assert (one.evidence, one.weight) == ((4,), Weight.MISTAKE)
        assert one.sentence.en == "P5 was entered, and we did not know who decides."

    def test_fires_when_who_decides_was_never_contacted(self) -> None:
        events = told((0, opened("P4")), (1, LI), (1, BOSS), (2, met()), (5, advanced("P4", "P5")))
        [one] = found("decision-maker-unmet", events, until=30)
        assert (one.since, one.until, one.evidence) == (day(5), None, (3, 5))
        assert one.sentence.en == (
            "P5 was entered, and we had never been in touch with the decision maker Zhao Min."
        )
        assert one.sentence.zh == "进入 P5 时，我们从未与决策者Zhao Min接触过。"

    def test_ends_when_the_deal_goes_back(self) -> None:
        events = told(
            (0, opened("P4")), (1, BOSS), (1, LI), (2, met()), (5, advanced("P4", "P5")),
            (8, back("P5", "P4")),
        )  # fmt: skip
        [one] = found("decision-maker-unmet", events, until=20)
        assert (one.since, one.until) == (day(5), day(8))

    def test_not_when_one_of_those_who_decide_was_contacted_before(self) -> None:
        another = StakeholderIdentified("wang", "Wang", roles=(BuyingRole.DECISION_MAKER,))
        events = told(
            (0, opened("P4")), (1, BOSS), (1, another), (4.9, met("c-1", "wang")),
            (5, advanced("P4", "P5")),
        )  # fmt: skip
        assert found("decision-maker-unmet", events, until=90) == []

    def test_a_contact_with_who_has_left_does_not_count(self) -> None:
        gone = StakeholderDeparted("zhao", successor="wang")
        heir = StakeholderIdentified("wang", "Wang", roles=(BuyingRole.DECISION_MAKER,))
        events = told(
            (0, opened("P4")), (1, BOSS), (2, met("c-1", "zhao")), (3, gone), (3, heir),
            (5, advanced("P4", "P5")),
        )  # fmt: skip
        [one] = found("decision-maker-unmet", events, until=6)
        assert one.known["who"] == ("wang",)

    def test_not_when_it_is_attested_that_nobody_decides_alone(self) -> None:
        events = told(
            (0, opened("P4")), (1, LI), (2, met()), (3, absent(BuyingRole.DECISION_MAKER)),
            (5, advanced("P4", "P5")),
        )  # fmt: skip
        assert found("decision-maker-unmet", events, until=90) == []

    def test_a_note_in_p4_past_its_expected_days(self) -> None:
        events = told((0, opened("P3")), (1, BOSS), (2, advanced("P3", "P4")), (3, LI), (4, met()))
        [one] = found("decision-maker-unmet", events, until=90)
        assert (one.since, one.until, one.trigger) == (day(32), None, None)
        assert (one.weight, one.evidence) == (Weight.NOTE, (2, 3))
        assert one.sentence.en == (
            "After more than the expected 30 days in P4 we had never been in touch with the "
            "decision maker Zhao Min."
        )
        assert found("decision-maker-unmet", events, until=31.9) == []

    def test_no_note_where_p4_is_left_in_time_or_the_deal_rests(self) -> None:
        start = ((0, opened("P4")), (1, BOSS), (3, LI), (4, met()))
        left = told(*start, (29, back("P4", "P3")))
        assert found("decision-maker-unmet", left, until=90) == []
        rests = told(*start, (20, OpportunitySuspended("Budget freeze.")))
        assert found("decision-maker-unmet", rests, until=90) == []
        goes_on = told(
            *start, (20, OpportunitySuspended("Budget freeze.")), (40, OpportunityResumed())
        )
        [one] = found("decision-maker-unmet", goes_on, until=90)
        assert one.since == day(70)

    def test_cannot_tell_where_neither_people_nor_contacts_are_on_record(self) -> None:
        events = told((0, opened("P4")), (5, advanced("P4", "P5")))
        assert found("decision-maker-unmet", events, until=6) == []
        assert "decision-maker-unmet" in not_assessable(events, until=6)
        events = told((0, opened("P4")), (1, BOSS), (5, advanced("P4", "P5")))
        assert found("decision-maker-unmet", events, until=6) == []
        assert "decision-maker-unmet" in not_assessable(events, until=6)


class TestReceptiveOnly:
    def test_fires_after_30_days_of_contacts_with_those_who_listen(self) -> None:
        events = told(
            (0, opened("P1")), (1, LI), (2, listens("li")), (3, advanced("P1", "P2")),
            (4, met("c-1")), (30, met("c-2")), (45, WANG), (50, met("c-3", "li", "wang")),
        )  # fmt: skip
        [one] = found("receptive-only", events, until=90)
        assert (one.since, one.until, one.trigger) == (day(33), day(50), None)
        assert (one.evidence, one.weight) == ((5, 6), Weight.MISTAKE)
        assert one.sentence.en == (
            "For 30 days all our contacts were with people who listen, and neither suffer from "
            "the problem nor decide: Li Wei."
        )

    def test_ends_when_contacts_cease(self) -> None:
        events = told(
            (0, opened("P2")), (1, LI), (2, listens("li")), (4, met("c-1")), (10, met("2"))
        )
        [one] = found("receptive-only", events, until=90)
        assert (one.since, one.until) == (day(30), day(40))

    def test_not_when_somebody_else_was_met_within_30_days(self) -> None:
        events = told(
            (0, opened("P2")), (1, LI), (2, listens("li")), (3, WANG), (29, met("c-1", "wang")),
            (40, met("c-2")), (58.9, met("c-3", "wang")), (70, lost()),
        )  # fmt: skip
        assert found("receptive-only", events, until=90) == []

    def test_not_when_who_listens_suffers_too(self) -> None:
        both = listens("li", Focus.RECEPTIVITY, Focus.DISSATISFACTION)
        events = told((0, opened("P2")), (1, LI), (2, both), (20, met()))
        assert found("receptive-only", events, until=90) == []

    def test_not_in_p1(self) -> None:
        events = told((0, opened("P1")), (1, LI), (2, listens("li")), (20, met()), (30, met("2")))
        assert found("receptive-only", events, until=59) == []

    def test_counts_anew_after_a_rest(self) -> None:
        events = told(
            (0, opened("P2")), (1, LI), (2, listens("li")), (20, met()),
            (25, OpportunitySuspended("Frozen.")), (40, OpportunityResumed()), (60, met("c-2")),
        )  # fmt: skip
        [one] = found("receptive-only", events, until=90)
        assert (one.since, one.until) == (day(70), day(90))


class TestSingleThreaded:
    def test_fires_when_one_person_is_left_of_those_contacted(self) -> None:
        events = told(
            (0, opened("P3")), (1, LI), (1, WANG), (5, met("c-1", "li", "wang")), (20, met("c-2")),
            (50, met("c-3")), (60, met("c-4", "wang")),
        )  # fmt: skip
        one = found("single-threaded", events, until=70)[0]
        assert (one.since, one.until, one.trigger) == (day(35), day(60), None)
        assert (one.evidence, one.weight, one.subject) == ((5,), Weight.MISTAKE, "li")
        assert one.sentence.en == (
            "Of those who still have a part in the purchase, Li Wei was the only one we were in "
            "touch with in 30 days."
        )

    def test_fires_on_entering_p3(self) -> None:
        events = told((0, opened("P2")), (1, LI), (30, met()), (40, advanced("P2", "P3")))
        [one] = found("single-threaded", events, until=50)
        assert (one.since, one.trigger, one.evidence) == (day(40), 4, (3,))

    def test_ends_when_even_that_contact_is_30_days_old(self) -> None:
        events = told((0, opened("P3")), (1, LI), (10, met()))
        [one] = found("single-threaded", events, until=90)
        assert (one.since, one.until) == (day(30), day(40))

    def test_not_with_a_second_person_in_time(self) -> None:
        events = told(
            (0, opened("P3")), (1, LI), (1, WANG), (5, met("c-1", "wang")), (20, met("c-2")),
            (34.9, met("c-3", "wang")), (40, met("c-4")), (60, won()),
        )  # fmt: skip
        assert found("single-threaded", events, until=90) == []

    def test_who_departed_is_no_active_contact(self) -> None:
        events = told(
            (0, opened("P3")), (1, LI), (1, WANG), (28, met("c-1", "li", "wang")),
            (40, StakeholderDeparted("wang")),
        )  # fmt: skip
        [one] = found("single-threaded", events, until=50)
        assert (one.since, one.trigger) == (day(40), 5)

    def test_not_in_p2_nor_in_the_first_30_days(self) -> None:
        assert found("single-threaded", told((0, opened("P2")), (1, LI), (30, met())), 40) == []
        assert found("single-threaded", told((0, opened("P3")), (1, LI), (2, met())), 29.9) == []

    def test_not_between_the_deadline_of_a_tender_and_the_award(self) -> None:
        start = ((0, opened("P5")), (1, LI), (2, TENDER), (8, met()), (28, met("c-2")))
        assert found("single-threaded", told(*start), until=57) == []
        [one] = found("single-threaded", told(*start, (30, AWARD), (50, met("c-3"))), until=61)
        assert one.since == day(60)


class TestChampionLost:
    def test_fires_21_days_after_a_supporter_of_weight_departed(self) -> None:
        events = told(
            (0, opened()), (1, LI), (2, backs()), (5, StakeholderDeparted("li")), (20, WANG),
            (40, backs("wang", Attitude.CHAMPION)), (60, lost()),
        )  # fmt: skip
        [one] = found("champion-lost", events, until=90)
        assert (one.since, one.until, one.trigger) == (day(26), day(40), None)
        assert (one.evidence, one.weight, one.subject) == ((3, 4), Weight.MISTAKE, "li")
        assert one.sentence.en == (
            "Li Wei, who supported us, left, and after 21 days nobody of such influence had taken "
            "that place."
        )

    def test_fires_when_a_supporter_turned(self) -> None:
        events = told((0, opened()), (1, LI), (2, backs()), (5, backs(attitude=Attitude.NEUTRAL)))
        [one] = found("champion-lost", events, until=90)
        assert (one.since, one.evidence) == (day(26), (3, 4))
        assert one.sentence.en.startswith("Li Wei no longer supported us, and after 21 days")

    def test_not_when_replaced_or_won_back_in_time(self) -> None:
        start = ((0, opened()), (1, LI), (1, WANG), (2, backs()), (5, StakeholderDeparted("li")))
        assert found("champion-lost", told(*start, (25.9, backs("wang"))), until=90) == []
        turned = backs(attitude=Attitude.SCEPTIC)
        events = told((0, opened()), (1, LI), (2, backs()), (5, turned), (20, backs()))
        assert found("champion-lost", events, until=90) == []

    def test_not_when_another_of_weight_backs_us_already(self) -> None:
        events = told(
            (0, opened()), (1, LI), (1, WANG), (2, backs()), (3, backs("wang")),
            (5, StakeholderDeparted("li")),
        )  # fmt: skip
        assert found("champion-lost", events, until=90) == []

    def test_a_supporter_without_weight_replaces_nobody_and_is_no_loss(self) -> None:
        light = StakeholderAssessed("wang", influence=3, attitude=Attitude.CHAMPION)
        events = told(
            (0, opened()), (1, LI), (1, WANG), (2, backs()), (3, light),
            (5, StakeholderDeparted("li")), (6, StakeholderDeparted("wang")),
        )  # fmt: skip
        [one] = found("champion-lost", events, until=90)
        assert one.subject == "li"

    def test_not_while_the_deal_rests(self) -> None:
        start = (
            (0, opened()), (1, LI), (2, backs()), (5, StakeholderDeparted("li")),
            (10, OpportunitySuspended("Frozen.")),
        )  # fmt: skip
        assert found("champion-lost", told(*start), until=90) == []
        [one] = found("champion-lost", told(*start, (40, OpportunityResumed())), until=90)
        assert one.since == day(61)

    def test_not_when_the_departure_is_withdrawn(self) -> None:
        events = told(
            (0, opened()), (1, LI), (2, backs()), (5, StakeholderDeparted("li")),
            (8, EventWithdrawn((4,), "A rumour.")),
        )  # fmt: skip
        assert found("champion-lost", events, until=90) == []
        assert found("champion-lost", events, until=90, as_known=True) == []

    def test_not_when_it_turns_out_that_there_was_no_support(self) -> None:
        events = told(
            (0, opened()), (1, LI), (2, backs()), (5, StakeholderDeparted("li")),
            (8, EventWithdrawn((3,), "Wishful thinking.")),
        )  # fmt: skip
        assert found("champion-lost", events, until=90) == []
        assert found("champion-lost", events, until=90, as_known=True) == []
        late = told(
            (0, opened()), (1, LI), (2, backs()), (5, StakeholderDeparted("li")),
            (40, EventWithdrawn((3,), "Wishful thinking.")),
        )  # fmt: skip
        [one] = found("champion-lost", late, until=90, as_known=True)
        assert (one.since, one.until) == (day(26), day(40))


class TestUncoveredRoles:
    EVERYBODY = StakeholderIdentified(
        "li", "Li Wei", roles=tuple(one for one in BuyingRole if one is not BuyingRole.INFLUENCER)
    )

    def test_fires_when_a_role_is_open_on_entering_p5(self) -> None:
        all_roles = StakeholderRevised("li", roles=tuple(BuyingRole))
        events = told(
            (0, opened("P4")), (1, self.EVERYBODY), (5, advanced("P4", "P5")), (9, all_roles)
        )
        [one] = found("uncovered-roles", events, until=90)
        assert (one.since, one.until, one.trigger) == (day(5), day(9), 3)
        assert (one.evidence, one.weight) == ((3,), Weight.MISTAKE)
        assert one.sentence.en == (
            "P5 was entered, and of these roles we did not know who holds them: influencer."
        )
        assert one.sentence.zh == "进入 P5 时，以下角色还不知道由谁担任：影响者。"

    def test_not_when_the_last_role_is_attested_absent(self) -> None:
        events = told(
            (0, opened("P4")), (1, self.EVERYBODY), (2, absent(BuyingRole.INFLUENCER)),
            (5, advanced("P4", "P5")),
        )  # fmt: skip
        assert found("uncovered-roles", events, until=90) == []

    def test_an_attestation_that_names_no_role_covers_none(self) -> None:
        whole = GateCriterionAttested("buying-roles-filled", "All clear.")
        events = told((0, opened("P4")), (1, self.EVERYBODY), (2, whole), (5, advanced("P4", "P5")))
        assert len(found("uncovered-roles", events, until=90)) == 1

    def test_an_attestation_that_a_role_is_filled_names_nobody(self) -> None:
        filled = GateCriterionAttested("buying-roles-filled", "Some.", aspect="influencer")
        events = told(
            (0, opened("P4")), (1, self.EVERYBODY), (2, filled), (5, advanced("P4", "P5"))
        )
        assert len(found("uncovered-roles", events, until=90)) == 1

    def test_not_before_p5(self) -> None:
        events = told((0, opened("P3")), (1, LI), (5, advanced("P3", "P4")))
        assert found("uncovered-roles", events, until=90) == []

    def test_who_departed_holds_no_role(self) -> None:
        all_roles = StakeholderIdentified("li", "Li Wei", roles=tuple(BuyingRole))
        start = ((0, opened("P4")), (1, all_roles))
        stays = told(*start, (5, advanced("P4", "P5")))
        assert found("uncovered-roles", stays, until=90) == []
        leaves = told(*start, (3, StakeholderDeparted("li")), (5, advanced("P4", "P5")))
        [one] = found("uncovered-roles", leaves, until=90)
        assert one.known["roles"] == tuple(role.value for role in BuyingRole)

    def test_cannot_tell_where_nobody_is_on_record(self) -> None:
        events = told((0, opened("P4")), (5, advanced("P4", "P5")))
        assert found("uncovered-roles", events, until=90) == []
        assert "uncovered-roles" in not_assessable(events, until=90)


class TestGoneSilent:
    def test_fires_when_nobody_was_met_for_21_days(self) -> None:
        events = told((0, opened("P2")), (1, LI), (2, met()), (60, lost()))
        [one] = found("gone-silent", events, until=90)
        assert (one.since, one.until, one.trigger) == (day(23), day(60), None)
        assert one.evidence == (3,)
        assert one.sentence.en == "No contact for 21 days; the last one was on 2026-03-04."

    def test_ends_with_the_next_contact(self) -> None:
        events = told((0, opened("P2")), (1, LI), (2, met()), (30, met("c-2")), (45, lost()))
        [one] = found("gone-silent", events, until=90)
        assert (one.since, one.until) == (day(23), day(30))

    def test_not_when_somebody_is_met_in_time(self) -> None:
        events = told((0, opened("P2")), (1, LI), (2, met()), (22.9, met("c-2")), (40, lost()))
        assert found("gone-silent", events, until=90) == []

    def test_not_before_the_customer_has_resolved_to_act(self) -> None:
        events = told((0, opened("P0")), (1, LI), (2, met()), (50, advanced("P0", "P1")))
        assert found("gone-silent", events, until=90) == []

    def test_a_phase_can_have_a_limit_of_its_own(self) -> None:
        settings = Settings(silent_days_by_phase={"criteria": 7})
        events = told((0, opened("P2")), (1, LI), (2, met()), (5, advanced("P2", "P3")))
        [one] = found("gone-silent", events, until=90, settings=settings)
        assert one.since == day(9)
        [one] = found("gone-silent", events, until=90)
        assert one.since == day(23)

    def test_not_while_the_deal_rests_and_counts_anew_after_it(self) -> None:
        start = ((0, opened("P2")), (1, LI), (2, met()), (10, OpportunitySuspended("Frozen.")))
        assert found("gone-silent", told(*start), until=90) == []
        [one] = found("gone-silent", told(*start, (50, OpportunityResumed())), until=90)
        assert (one.since, one.until, one.evidence) == (day(71), None, (3,))

    def test_ends_where_a_rest_begins(self) -> None:
        events = told((0, opened("P2")), (1, LI), (2, met()), (30, OpportunitySuspended("Frozen.")))
        [one] = found("gone-silent", events, until=90)
        assert (one.since, one.until) == (day(23), day(30))

    def test_not_from_the_deadline_of_a_tender_to_the_award(self) -> None:
        start = ((0, opened("P4")), (1, LI), (2, met()), (3, TENDER))
        assert found("gone-silent", told(*start), until=90) == []
        [one] = found("gone-silent", told(*start, (40, AWARD)), until=90)
        assert (one.since, one.until) == (day(61), None)

    def test_before_the_deadline_silence_counts(self) -> None:
        late = PurchaseModeDeclared(PurchaseMethod.OPEN_TENDER, deadline=date(2026, 3, 31))
        events = told((0, opened("P4")), (1, LI), (2, met()), (3, late))
        [one] = found("gone-silent", events, until=90)
        # The deadline is the end of 31 March; the deal was opened at nine on 2 March.
        assert (one.since, one.until) == (day(23), day(30).replace(hour=0))

    def test_a_deadline_without_a_tender_is_no_pause(self) -> None:
        quotes = PurchaseModeDeclared(
            PurchaseMethod.REQUEST_FOR_QUOTATIONS, deadline=date(2026, 3, 11)
        )
        events = told((0, opened("P4")), (1, LI), (2, met()), (3, quotes))
        [one] = found("gone-silent", events, until=90)
        assert one.since == day(23)

    def test_cannot_tell_where_no_contact_is_on_record(self) -> None:
        events = told((0, opened("P2")), (60, lost()))
        assert found("gone-silent", events, until=90) == []
        assert "gone-silent" in not_assessable(events, until=90)

    def test_can_tell_where_the_source_records_contacts(self) -> None:
        settings = Settings(records={"cli": (Kind.CONTACTS,)})
        events = told((0, opened("P2")), (60, lost()))
        [one] = found("gone-silent", events, until=90, settings=settings)
        assert (one.since, one.evidence) == (day(21), (1,))
        assert one.sentence.en == (
            "No contact for 21 days, and none before; the deal was opened on 2026-03-02."
        )


class TestMinutesMissing:
    MINUTES = ((1, LI), (2, met("c-0")), (3, MinutesSent("c-0")))
    """So minutes are put on record."""

    def test_fires_two_days_after_a_meeting_at_the_top(self) -> None:
        events = told(
            (0, opened()), *self.MINUTES, (4, TOP), (5, met("c-1", "zhao")),
            (9, MinutesSent("c-1")),
        )  # fmt: skip
        [one] = found("minutes-missing", events, until=90)
        assert (one.since, one.until, one.trigger) == (day(7), day(9), None)
        assert (one.evidence, one.weight, one.subject) == ((6,), Weight.NOTE, "c-1")
        assert one.sentence.en == (
            "Of the meeting with Zhao Min on 2026-03-07 no minutes were sent within 2 days."
        )

    def test_fires_for_an_exchange_at_the_top_with_whomever(self) -> None:
        exchange = ContactMade("c-1", ContactKind.TOP_EXCHANGE, ("li",))
        events = told((0, opened()), *self.MINUTES, (5, exchange))
        [one] = found("minutes-missing", events, until=90)
        assert (one.since, one.until) == (day(7), None)

    def test_not_when_they_go_out_in_time(self) -> None:
        events = told(
            (0, opened()), *self.MINUTES, (4, TOP), (5, met("c-1", "zhao")),
            (6.9, MinutesSent("c-1")),
        )  # fmt: skip
        assert found("minutes-missing", events, until=90) == []

    def test_not_for_a_call_or_a_meeting_below_the_top(self) -> None:
        call = met("c-1", "zhao", channel=Channel.PHONE)
        events = told((0, opened()), *self.MINUTES, (4, TOP), (5, call), (6, met("c-2")))
        assert found("minutes-missing", events, until=90) == []

    def test_video_is_a_meeting(self) -> None:
        video = ContactMade("c-1", ContactKind.OTHER, ("zhao",), channel=Channel.VIDEO)
        events = told((0, opened()), *self.MINUTES, (4, TOP), (5, video))
        assert len(found("minutes-missing", events, until=90)) == 1

    def test_not_when_the_meeting_is_withdrawn(self) -> None:
        events = told(
            (0, opened()), *self.MINUTES, (4, TOP), (5, met("c-1", "zhao")),
            (6, EventWithdrawn((6,), "Another deal.")),
        )  # fmt: skip
        assert found("minutes-missing", events, until=90, as_known=True) == []

    def test_cannot_tell_where_no_minutes_are_on_record(self) -> None:
        events = told((0, opened()), (4, TOP), (5, met("c-1", "zhao")))
        assert found("minutes-missing", events, until=90) == []
        assert "minutes-missing" in not_assessable(events, until=90)
