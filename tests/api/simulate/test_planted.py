"""Portfolios with causes of their own: what is planted shows and costs deals, and nothing else."""

from collections import Counter
from collections.abc import Iterator
from itertools import takewhile

import pytest

from api.simulate import PLANTABLE, UNTIL, SimulatedDeal, chosen, deals
from api.simulate.causes import Fate
from api.simulate.portfolio import period, simulated
from domain.deal import DealFact
from domain.history import Draft
from domain.lifecycle.facts import (
    NextStepCompleted,
    OpportunityLost,
    OpportunityReopened,
    OpportunityWon,
)
from domain.lifecycle.life import Status
from domain.process import BuyingPhase
from domain.process_files import built_in_processes
from domain.stages.facts import StageAdvanced, StageRegressed
from projections.findings import judge
from projections.findings.case import Case
from projections.frames import frames_of
from tests.api.simulate.portfolios import facts, status
from tests.api.simulate.test_determinism import digest_of

MONTHS = 60
SELECTION = BuyingPhase.SELECTION
PROCESSES = built_in_processes()


def planted(seed: int, count: int, causes: tuple[str, ...] = PLANTABLE) -> list[SimulatedDeal]:
    return list(deals(count, seed, MONTHS, UNTIL, causes=causes))


def fate(seed: int, deal: SimulatedDeal) -> Fate:
    return Fate(PLANTABLE, f"{seed}/{deal.number}")


@pytest.fixture(scope="module")
def portfolio() -> list[SimulatedDeal]:
    return planted(5, 60)


class TestWhatShows:
    def test_a_planted_flaw_shows_in_the_deals_that_have_it_and_in_no_others(
        self, portfolio: list[SimulatedDeal]
    ) -> None:
        seen: Counter[tuple[str, bool, bool]] = Counter()
        for deal in portfolio:
            if status(deal) in (Status.WON, Status.LOST) and came_far(deal):
                fired = findings(deal)
                for cause in PLANTABLE:
                    seen[cause, fate(5, deal).flaw(cause) is True, cause in fired] += 1
        for cause in PLANTABLE:
            right = seen[cause, True, True] + seen[cause, False, False]
            wrong = seen[cause, True, False] + seen[cause, False, True]
            assert seen[cause, True, True] >= 8
            assert wrong <= 0.05 * (right + wrong), (cause, seen)

    def test_the_flaws_are_drawn_apart_from_each_other(self) -> None:
        fates = [Fate(PLANTABLE, f"9/{number}") for number in range(2000)]
        for one in PLANTABLE:
            for other in PLANTABLE:
                both = sum(bool(f.flaw(one) and f.flaw(other)) for f in fates) / 2000
                expected = 0.35 if one == other else 0.35**2
                assert both == pytest.approx(expected, abs=0.04)


def came_far(deal: SimulatedDeal) -> bool:
    """It reached the last stage before winning, on the usual way from the first."""
    visits = [visit.stage for visit in deal.history.deal.stages.visits]
    return bool({"P6", "resolution-of-concerns"} & set(visits)) and visits[0] in (
        "P0",
        "recognition-of-needs",
    )


def findings(deal: SimulatedDeal) -> set[str]:
    """The rules that fired before the outcome."""
    at = deal.history.deal.life.closed_at
    assert at is not None
    frames = frames_of(deal.history.events, at)
    return {one.rule for one in judge(Case(frames, PROCESSES, at), secrets=True).findings}


class TestWhatItCosts:
    def test_each_flaw_costs_deals(self) -> None:
        """By the fates alone, which are quickly drawn."""
        fates = [Fate(PLANTABLE, f"3/{number}") for number in range(1500)]
        lost = {one: one.loses(SELECTION, last=True) for one in fates}
        for cause in PLANTABLE:
            with_it = [lost[one] for one in fates if one.flaw(cause)]
            without = [lost[one] for one in fates if not one.flaw(cause)]
            assert sum(with_it) / len(with_it) > 0.2 + sum(without) / len(without)

    def test_about_half_is_lost_however_many_are_planted(self) -> None:
        for causes in ((), PLANTABLE[:1], PLANTABLE):
            fates = [Fate(causes, f"4/{number}") for number in range(1000)]
            lost = sum(one.loses(SELECTION, last=True) for one in fates)
            assert 400 < lost < 600

    def test_nobody_in_the_story_knows_how_it_ends(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Up to its end a lost deal is, entry for entry, what it would be if it were not lost.

        It is lost where it would have moved on or been won.
        """
        told = {number: planted_deal(number) for number in (*range(30), *NUMBERS)}
        lost = {n: deal for n, deal in told.items() if status(deal) is Status.LOST}
        assert len(lost) >= 8
        monkeypatch.setattr(Fate, "loses", lambda *_, **__: False)
        for number, deal in lost.items():
            before = list(entries_before_the_end(deal))
            spared = planted_deal(number).drafts
            assert before == [plain(draft) for draft in spared[: len(before)]], number
            moves = [one.fact for one in spared[len(before) :] if isinstance(one.fact, MOVES)]
            assert not isinstance(moves[0], StageRegressed), number

    def test_a_loss_is_final(self, portfolio: list[SimulatedDeal]) -> None:
        for deal in portfolio:
            assert facts(deal, OpportunityReopened) == []
            assert status(deal) is not Status.VOIDED


NUMBERS = (86,)
"""A review falls between the last scene and the end."""
MOVES = (StageAdvanced, StageRegressed, OpportunityWon)


def planted_deal(number: int) -> SimulatedDeal:
    return simulated(6, number, period(MONTHS, UNTIL), PROCESSES, PLANTABLE)


def entries_before_the_end(deal: SimulatedDeal) -> Iterator[object]:
    """Those made before the loss, without the step that is closed with it."""
    going = list(takewhile(lambda one: not isinstance(one.fact, OpportunityLost), deal.drafts))
    if isinstance(going[-1].fact, NextStepCompleted):
        going.pop()
    return (plain(draft) for draft in going)


def plain(draft: Draft[DealFact]) -> object:
    return (draft.fact, draft.occurred_at, draft.known_at, draft.actor)


class TestTheNames:
    def test_they_are_put_in_one_order(self) -> None:
        assert chosen("minutes-missing, solution-too-early") == (PLANTABLE[0], PLANTABLE[2])

    def test_none_is_none(self) -> None:
        assert chosen("none") == ()

    def test_others_are_refused_with_those_there_are(self) -> None:
        with pytest.raises(ValueError, match=r"gone-silent.*minutes-missing"):
            chosen("minutes-missing,gone-silent")


USUAL = "0850ed8266fc804c5c5e8d8f96c74914af072a725dc7cf0d462dc4797fc07af0"


def test_the_usual_stories_stay_as_they_are() -> None:
    """What is planted elsewhere must not change a byte of the portfolios that people know."""
    assert digest_of(9) == USUAL
