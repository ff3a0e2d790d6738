"""The rules about the forecast: each with a history that fires it, one that nearly does, others."""

from datetime import date

from domain.competition.facts import PositionAssessed, Rank
from domain.corrections import EventWithdrawn
from domain.stages.facts import ForecastRevised, GateCriterionAttested, RevisionCause
from projections.findings import Settings, Weight
from tests.projections.findings.telling import advanced, back, found, opened, told
from tests.scenario import BOOK as PROCESSES
from tests.scenario import day

GATE = tuple(one.id for one in PROCESSES.latest("key-account").stages[3].gate)
"""The criteria to leave P3."""


def close(month: int, cause: RevisionCause | None = None) -> ForecastRevised:
    return ForecastRevised(expected_close=date(2026, month, 1), cause=cause)


START = ((0, opened("P2")), (1, close(6)), (10, close(7, RevisionCause.CUSTOMER)))
"""Versions 1 to 3, with one push."""


class TestCloseDateSlipped:
    RULE = "close-date-slipped"

    def test_fires_at_the_second_push_and_at_the_third(self) -> None:
        events = told(*START, (20, close(8)), (30, close(9, RevisionCause.US)), (40, close(8)))
        one, other = found(self.RULE, events, until=90)
        assert (one.since, one.until, one.trigger) == (day(20), None, 4)
        assert (one.evidence, one.weight) == ((3, 4), Weight.MISTAKE)
        assert (other.since, other.until, other.trigger) == (day(30), day(40), 5)
        assert other.evidence == (3, 4, 5)
        assert one.sentence.en == (
            "The expected close was pushed from 2026-07-01 to 2026-08-01, "
            "2 pushes by now; cause: unknown."
        )

    def test_not_at_the_first(self) -> None:
        assert found(self.RULE, told(*START), until=90) == []

    def test_by_customer_or_tender_it_is_a_note(self) -> None:
        for cause in (RevisionCause.CUSTOMER, RevisionCause.TENDER):
            [one] = found(self.RULE, told(*START, (20, close(8, cause))), until=90)
            assert one.weight is Weight.NOTE

    def test_a_correction_is_no_push_nor_is_a_first_date_or_an_earlier_one(self) -> None:
        fixed = (20, close(8, RevisionCause.CORRECTION))
        assert found(self.RULE, told(*START, fixed), until=90) == []
        assert found(self.RULE, told(*START, (20, close(5))), until=90) == []
        unset = (20, ForecastRevised(expected_close=None))
        assert found(self.RULE, told(*START, unset, (21, close(9))), until=90) == []

    def test_a_push_that_was_withdrawn_does_not_count(self) -> None:
        gone = (15, EventWithdrawn((3,), "A typo."))
        events = told(*START, gone, (20, close(8)))
        assert found(self.RULE, events, until=90) == []
        assert found(self.RULE, events, until=90, as_known=True) == []


def override(percent: int | None) -> ForecastRevised:
    return ForecastRevised(probability=percent)


MET = tuple((2, GateCriterionAttested(one, "It is.")) for one in GATE)
LEADS = (3, PositionAssessed(Rank.LEADING))


class TestOptimisticForecast:
    RULE = "optimistic-forecast"

    def test_fires_15_points_above_with_an_open_gate(self) -> None:
        events = told((0, opened("P3")), *MET[1:], (5, override(45)), (9, override(44)))
        [one] = found(self.RULE, events, until=90)
        number = len(MET) + 1
        assert (one.since, one.until, one.trigger) == (day(5), day(9), number)
        assert (one.evidence, one.weight) == ((1, number), Weight.MISTAKE)
        assert one.sentence.en == (
            "45 % was forecast in P3 instead of 30 %, while its gate lacked"
            " “Relationship of 2 or more with the front line”."
        )

    def test_not_14_points_above(self) -> None:
        events = told((0, opened("P3")), (5, override(44)))
        assert found(self.RULE, events, until=90) == []
        assert len(found(self.RULE, events, 90, settings=Settings(optimistic_points=14))) == 1

    def test_not_with_the_gate_complete_and_in_the_lead(self) -> None:
        events = told((0, opened("P3")), *MET, LEADS, (5, override(90)))
        assert found(self.RULE, events, until=90) == []

    def test_fires_with_the_gate_complete_where_we_do_not_lead(self) -> None:
        for rank in (Rank.LEVEL, Rank.LAGGING, Rank.UNKNOWN):
            events = told((0, opened("P3")), *MET, (3, PositionAssessed(rank)), (5, override(90)))
            [one] = found(self.RULE, events, until=90)
            assert one.evidence == (1, len(MET) + 2, len(MET) + 3)
            assert one.sentence.en.endswith(f"while our position was {rank}.")

    def test_an_open_gate_and_a_poor_position_are_told_together(self) -> None:
        events = told((0, opened("P3")), (3, PositionAssessed(Rank.LEVEL)), (5, override(90)))
        [one] = found(self.RULE, events, until=90)
        assert one.sentence.en.endswith("and our position was level.")

    def test_is_judged_when_recorded(self) -> None:
        events = told((0, opened("P3")), *MET, LEADS, (5, override(90)), (6, back("P3", "P1")))
        assert found(self.RULE, events, until=90) == []

    def test_ends_when_the_override_is_gone_or_the_stage_has_caught_up(self) -> None:
        on = ((9, advanced("P3", "P4")), (12, advanced("P4", "P5")))
        [one] = found(self.RULE, told((0, opened("P3")), (5, override(80)), *on), until=90)
        assert one.until == day(12)
        taken = told((0, opened("P3")), (5, override(80)), (7, override(None)))
        assert [one.until for one in found(self.RULE, taken, until=90)] == [day(7)]

    def test_fires_once_where_something_else_is_revised_later(self) -> None:
        events = told((0, opened("P3")), (5, override(90)), (6, close(9)))
        assert [one.trigger for one in found(self.RULE, events, until=90)] == [2]
