"""Lift: summaries of decided deals, tables by furthest stage, pooled ratios, and what they find."""

from functools import cache
from math import exp, log, sqrt

import msgspec
import pytest

from api.simulate import PLANTABLE, UNTIL
from api.simulate.portfolio import period, simulated
from domain.buying.facts import OurPart, OurPartObserved, ProposalKind, ProposalSubmitted
from domain.competition.facts import CompetitorIdentified
from domain.corrections import EventWithdrawn
from domain.deal import DealEvent
from domain.lifecycle.facts import LostOutcome, OpportunityReopened
from domain.needs.facts import ConcernKind, ConcernRaised, NeedKind, NeedUncovered
from domain.people.facts import ContactKind, ContactMade, StakeholderIdentified
from domain.process_files import built_in_processes
from projections.findings.book import BOOK
from projections.findings.finding import Weight
from projections.findings.lift import (
    DealSummary,
    Fired,
    Lift,
    LiftTable,
    Reached,
    Result,
    lift_table,
    pooled,
    summary_of,
)
from projections.findings.rule import Rule
from tests.projections.findings import telling
from tests.projections.findings.telling import advanced, back, lost, opened, told, won
from tests.scenario import BOOK as PROCESSES
from tests.scenario import day

LI = StakeholderIdentified("li", "Li Wei")
DEMO = ContactMade("c-1", ContactKind.DEMO, ("li",))
NEED = NeedUncovered("n-1", "Downtime", NeedKind.EXPLICIT)
TO_ACME = lost(LostOutcome.LOST_TO_COMPETITOR, "acme")
STAGES = [("P0", "P1"), ("P1", "P2"), ("P2", "P3")]


def summary(events: list[DealEvent], *, secrets: bool = True) -> DealSummary | None:
    return summary_of("d-1", events, PROCESSES, secrets=secrets)


class TestSummary:
    def test_tells_how_far_a_deal_came_and_what_fired_first(self) -> None:
        moves = [(10.0 * n, advanced(*move)) for n, move in enumerate(STAGES, start=1)]
        events = told((0, opened()), (1, LI), (2, DEMO), *moves, (40, NEED), (90, lost()))
        one = summary(events)
        assert one is not None
        assert (one.result, one.opened_at, one.decided_at) == (Result.LOST, day(0), day(90))
        assert one.reached == Reached("key-account", 3, "P3", 3)
        told_since = Fired("solution-too-early", day(40), day(2))
        assert told_since in one.fired, "since needs are on record"
        assert [fired.rule for fired in one.fired].count("gone-silent") == 1

    def test_keeps_the_furthest_stage_of_a_deal_that_fell_back(self) -> None:
        events = told((0, opened()), (5, advanced("P0", "P1")), (9, back("P1", "P0")), (60, lost()))
        one = summary(events)
        assert one is not None
        assert one.reached.stage == "P1"

    def test_takes_the_stage_before_what_follows_a_win(self) -> None:
        events = told((0, opened("P6")), (40, won()), (41, advanced("P6", "P7")))
        one = summary(events)
        assert one is not None
        assert (one.result, one.reached.stage) == (Result.WON, "P6")

    def test_names_the_rules_that_cannot_tell(self) -> None:
        one = summary(told((0, opened("P2")), (60, lost())))
        assert one is not None
        assert "gone-silent" in one.not_assessable

    def test_looks_at_nothing_behind_the_outcome(self) -> None:
        late = ContactMade("c-1", ContactKind.VISIT, ("li",))
        one = summary(told((0, opened("P2")), (1, LI), (60, lost()), (61, late)))
        assert one is not None
        assert "gone-silent" in one.not_assessable

    def test_leaves_out_what_an_earlier_outcome_showed(self) -> None:
        raised = ConcernRaised("c", ConcernKind.CONCERN, "Will it run?")
        again = OpportunityReopened("P2", "They called")
        events = told((0, opened("P2")), (5, raised), (30, lost()), (35, again), (120, won()))
        assert telling.found("concern-unresolved", events, until=130)
        one = summary(events)
        assert one is not None
        assert "concern-unresolved" not in {fired.rule for fired in one.fired}

    def test_does_not_know_what_was_learned_behind_the_outcome(self) -> None:
        formal = ProposalSubmitted(ProposalKind.FORMAL, 1)
        facts = (
            (0, opened("P3")),
            (20, formal),
            (100, lost()),
            (21, OurPartObserved(OurPart.BACKUP)),
        )
        entered_late = summary(told(*facts, known={4: 130}))
        in_time = summary(told(*facts))
        assert entered_late is not None
        assert in_time is not None
        assert "column-fodder" in {fired.rule for fired in in_time.fired}
        assert "column-fodder" not in {fired.rule for fired in entered_late.fired}

    def test_takes_the_last_outcome_of_a_deal_taken_up_again(self) -> None:
        again = OpportunityReopened("P2", "They called")
        events = told((0, opened("P2")), (30, won()), (35, again), (80, lost()))
        one = summary(events)
        assert one is not None
        assert (one.result, one.decided_at) == (Result.LOST, day(80))

    @pytest.mark.parametrize(
        "end",
        [
            (),
            ((60, lost(LostOutcome.VOIDED)),),
            ((60, lost()), (61, EventWithdrawn((2,), "Another deal"))),
        ],
    )
    def test_there_is_none_of_a_deal_neither_won_nor_lost(self, end: tuple[object, ...]) -> None:
        assert summary(told((0, opened("P2")), *end)) is None  # type: ignore[arg-type]

    def test_leaves_out_what_is_about_the_outcome(self) -> None:
        bolt = CompetitorIdentified("bolt", "Bolt")
        events = told((0, opened("P0")), (1, bolt), (60, TO_ACME))
        assert telling.found("competitor-unseen", events, until=60), "the rule itself says so"
        one = summary(events)
        assert one is not None
        assert "competitor-unseen" not in {fired.rule for fired in one.fired}

    def test_what_cannot_tell_does_not_depend_on_the_outcome(self) -> None:
        ends = (TO_ACME, lost(LostOutcome.NO_DECISION), won())
        tell = [summary(told((0, opened("P0")), (60, end))) for end in ends]
        assert len({one.not_assessable for one in tell if one}) == 1


P2, P6 = Reached("p", 2, "P2", 2), Reached("p", 6, "P6", 6)
RULES = (
    Rule("plain", lambda _: (), Weight.NOTE),
    Rule("hidden", lambda _: (), Weight.NOTE, secret=True),
)


def deal(result: Result, *, fired: float | None = None, at: Reached = P6) -> DealSummary:
    """A deal of 100 days in which the rule `plain` fired so many days before the end."""
    since = () if fired is None else (Fired("plain", day(100 - fired)),)
    return DealSummary("d", result, day(0), day(100), at, since, ())


def test_what_could_be_told_only_near_the_end_is_neither_fired_nor_not() -> None:
    late = (Fired("plain", day(90), day(10)),)
    deal_of = DealSummary("d", Result.LOST, day(0), day(100), P6, late, ())
    [plain] = table([deal_of]).rules
    assert (plain.not_assessable, plain.lost) == (1, 0)


def deals(lost_fired: int, lost: int, won_fired: int, won: int, at: Reached) -> list[DealSummary]:
    """So many deals, `lost` and `won` in all."""
    return [
        *[deal(Result.LOST, fired=50, at=at)] * lost_fired,
        *[deal(Result.LOST, at=at)] * (lost - lost_fired),
        *[deal(Result.WON, fired=50, at=at)] * won_fired,
        *[deal(Result.WON, at=at)] * (won - won_fired),
    ]


def table(summaries: list[DealSummary], *, secrets: bool = False) -> LiftTable:
    return lift_table(summaries, secrets=secrets, rules=RULES)


def lift(summaries: list[DealSummary]) -> Lift:
    return table(summaries).rules[0]


class TestTable:
    def test_one_stage_gives_the_plain_odds_ratio_with_woolfs_interval(self) -> None:
        one = lift(deals(20, 50, 10, 60, P6))
        assert (one.lost_fired, one.lost, one.won_fired, one.won) == (20, 50, 10, 60)
        ratio, error = (20 * 50) / (30 * 10), sqrt(1 / 20 + 1 / 30 + 1 / 10 + 1 / 50)
        assert one.lift == pytest.approx(ratio)
        assert one.low == pytest.approx(exp(log(ratio) - 1.959964 * error))
        assert one.high == pytest.approx(exp(log(ratio) + 1.959964 * error))

    def test_stages_are_pooled_by_mantel_and_haenszel(self) -> None:
        """Σ ad/n ÷ Σ bc/n; put together without stages, the deals would say something else."""
        one = lift([*deals(30, 40, 5, 10, P2), *deals(4, 10, 20, 80, P6)])
        expected = (30 * 5 / 50 + 4 * 60 / 90) / (10 * 5 / 50 + 6 * 20 / 90)
        assert one.lift == pytest.approx(expected)
        assert expected != pytest.approx(34 * 65 / (16 * 25), rel=0.1)

    def test_stages_of_one_outcome_alone_tell_nothing(self) -> None:
        plain = lift(deals(20, 50, 10, 60, P6))
        more = lift([*deals(20, 50, 10, 60, P6), *deals(40, 40, 0, 0, P2)])
        assert (more.lift, more.low, more.lost) == (plain.lift, plain.low, 50)
        assert [(one.reached.stage, one.lost) for one in more.strata] == [("P2", 40), ("P6", 50)]

    def test_what_fired_later_than_thirty_days_before_does_not_count(self) -> None:
        rest = deals(10, 20, 10, 20, P6)
        assert lift([*rest, deal(Result.LOST, fired=30)]).lost_fired == 11
        assert lift([*rest, deal(Result.LOST, fired=29.9)]).lost_fired == 10

    def test_deals_in_which_the_rule_cannot_tell_are_left_out_and_counted(self) -> None:
        silent = msgspec.structs.replace(deal(Result.LOST), not_assessable=("plain",))
        one = lift([*deals(10, 20, 10, 20, P6), silent, silent])
        assert (one.lost, one.not_assessable) == (20, 2)

    def test_deals_shorter_than_the_lead_are_left_out_and_counted(self) -> None:
        short = msgspec.structs.replace(deal(Result.LOST), opened_at=day(71))
        found = table([*deals(10, 20, 10, 20, P6), short])
        assert (found.too_short, found.lost, found.rules[0].lost) == (1, 21, 20)

    @pytest.mark.parametrize(
        ("counts", "few"),
        [
            ((4, 30, 0, 30), True),
            ((4, 30, 1, 30), False),
            ((30, 30, 26, 30), True),
            ((2, 4, 20, 60), True),
            ((20, 60, 2, 4), True),
            ((20, 60, 2, 5), False),
        ],
    )
    def test_below_five_of_any_kind_it_says_too_few(
        self, counts: tuple[int, int, int, int], few: bool
    ) -> None:
        one = lift(deals(*counts, P6))
        assert one.too_few is few
        assert (one.lift is None, one.low is None, one.high is None) == (few, few, few)

    @pytest.mark.parametrize(("counts", "above"), [((9, 30, 0, 30), 1), ((0, 30, 9, 30), 0)])
    def test_an_empty_cell_still_gives_an_interval(
        self, counts: tuple[int, int, int, int], above: int
    ) -> None:
        one = lift(deals(*counts, P6))
        assert one.lift is not None
        assert one.low is not None
        assert one.high is not None
        assert 0 < one.low < one.lift < one.high < 1000
        assert (one.low > 1) is bool(above)

    def test_an_empty_cell_in_one_stage_of_several_changes_nothing(self) -> None:
        ratio = pooled([((9, 0), (21, 30)), ((20, 10), (30, 50))])[0]
        assert ratio == pytest.approx((9 * 30 / 60 + 20 * 50 / 110) / (10 * 30 / 110))

    def test_a_stage_in_which_the_rule_fired_always_does_not_move_the_ratio(self) -> None:
        assert pooled([((20, 10), (30, 50)), ((7, 9), (0, 0))]) == pooled([((20, 10), (30, 50))])

    def test_where_it_fired_always_or_never_in_every_stage_there_is_none(self) -> None:
        assert pooled([((9, 9), (0, 0)), ((0, 0), (9, 9))]) == (None, None, None)

    def test_rules_that_rest_on_secrets_are_for_those_who_may_see_them(self) -> None:
        summaries = deals(10, 20, 10, 20, P6)
        assert [one.rule for one in table(summaries).rules] == ["plain"]
        assert {one.rule for one in table(summaries, secrets=True).rules} == {"plain", "hidden"}

    def test_the_surest_come_first_and_those_with_too_few_last(self) -> None:
        rules = tuple(Rule(name, lambda _: (), Weight.NOTE) for name in ("few", "wide", "plain"))
        wide = [
            msgspec.structs.replace(one, fired=(*one.fired, Fired("wide", day(1))))
            if number in (0, 1, 2, 3, 4, 5, 50)
            else one
            for number, one in enumerate(deals(35, 50, 20, 60, P6))
        ]
        found = lift_table(wide, secrets=False, rules=rules).rules
        assert [one.rule for one in found] == ["plain", "wide", "few"]
        assert (found[1].lift or 0) > (found[0].lift or 0), "ratios of few deals do not come first"

    def test_no_deals_at_all(self) -> None:
        found = table([])
        assert (found.lost, found.won, found.rules[0].lift) == (0, 0, None)


# What it finds in portfolios of which it is known what costs deals.

MONTHS = 60


@cache
def known(seed: int, number: int, causes: tuple[str, ...]) -> LiftTable:
    """The lift in a portfolio with these causes of losing and no others."""
    processes = built_in_processes()
    span = period(MONTHS, UNTIL)
    made = (simulated(seed, n, span, processes, causes) for n in range(number))
    summaries = (
        summary_of(one.stream, one.history.events, processes, secrets=True) for one in made
    )
    return lift_table([one for one in summaries if one is not None], secrets=True)


def ranks_first(found: LiftTable, causes: tuple[str, ...]) -> bool:
    return {one.rule for one in found.rules[: len(causes)]} == set(causes)


def around_one(found: LiftTable) -> float:
    """Share of the rules with a ratio whose interval includes 1."""
    intervals = [(one.low, one.high) for one in found.rules if not one.too_few]
    assert len(intervals) >= 12
    return sum((low or 0) <= 1 <= (high or 0) for low, high in intervals) / len(intervals)


def test_what_is_planted_comes_first() -> None:
    causes = ("gate-overridden", "minutes-missing")
    found = known(1, 160, causes)
    assert ranks_first(found, causes)
    assert all((one.low or 0) > 1 for one in found.rules[:2])


def test_where_nothing_is_planted_nothing_is_found() -> None:
    assert around_one(known(1, 100, ())) >= 0.8


def test_every_rule_of_the_book_has_a_row() -> None:
    rows = {one.rule for one in known(1, 100, ()).rules}
    assert rows == {rule.id for rule in BOOK}
    assert set(PLANTABLE) <= rows


@pytest.mark.drill
@pytest.mark.parametrize("seed", range(1, 11))
class TestTenPortfolios:
    def test_all_that_is_planted_comes_first(self, seed: int) -> None:
        assert ranks_first(known(seed, 400, PLANTABLE), PLANTABLE)

    def test_where_nothing_is_planted_most_intervals_include_one(self, seed: int) -> None:
        assert around_one(known(seed, 400, ())) >= 0.8
