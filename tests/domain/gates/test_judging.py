"""Gates: which criteria are met, by which events, and how likely the deal is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from domain.competition.facts import PositionAssessed, Rank
from domain.gates import gate_state, win_probability
from domain.lifecycle.facts import (
    LostOutcome,
    NoteAdded,
    OpportunityLost,
    OpportunityReopened,
    OpportunitySuspended,
    OpportunityWon,
    WinPlanSet,
)
from domain.refusals import GateNotMet
from domain.stages.commands import AdvanceStage
from domain.stages.facts import (
    ForecastRevised,
    GateCriterionAttested,
    GateCriterionRevoked,
    GateResult,
    MetCriterion,
    StageAdvanced,
)
from tests.scenario import BOOK, LONGER, SHORT, day, given, on, opened

if TYPE_CHECKING:
    from domain.deal import Deal, DealFact
    from domain.process import Stage


def proposal() -> Stage:
    stage = SHORT.stage("proposal")
    assert stage is not None
    return stage


IN_PROPOSAL = opened(stage="proposal")
ATTESTED = GateCriterionAttested("need-confirmed", "Told by Li")
LATER = day(100)


@pytest.mark.parametrize(
    ("facts", "met", "missing"),
    [
        ((), (), ("need-confirmed", "plan")),
        ((WinPlanSet("W"),), (MetCriterion("plan", (2,)),), ("need-confirmed",)),
        ((ATTESTED,), (MetCriterion("need-confirmed", (2,), attested=True),), ("plan",)),
        ((ATTESTED, GateCriterionRevoked("need-confirmed", "R")), (), ("need-confirmed", "plan")),
        (
            (ATTESTED, WinPlanSet("W")),
            (MetCriterion("need-confirmed", (2,), attested=True), MetCriterion("plan", (3,))),
            (),
        ),
        (
            (GateCriterionAttested("plan", "None needed", applies=False),),
            (MetCriterion("plan", (2,), attested=True),),
            ("need-confirmed",),
        ),
        (
            # What the state itself shows comes before what someone says.
            (GateCriterionAttested("plan", "There is one"), WinPlanSet("W")),
            (MetCriterion("plan", (3,)),),
            ("need-confirmed",),
        ),
        ((GateCriterionAttested("signed", "Other stage"),), (), ("need-confirmed", "plan")),
        (
            # Of a part of the criterion alone.
            (GateCriterionAttested("plan", "None for that", aspect="price"),),
            (),
            ("need-confirmed", "plan"),
        ),
        (
            (
                ATTESTED,
                GateCriterionAttested("need-confirmed", "Not theirs", False, aspect="user"),
                GateCriterionRevoked("need-confirmed", "R", "user"),
            ),
            (MetCriterion("need-confirmed", (2,), attested=True),),
            ("plan",),
        ),
    ],
)
def test_a_gate_tells_what_is_met_and_what_is_missing(
    facts: tuple[DealFact, ...], met: tuple[MetCriterion, ...], missing: tuple[str, ...]
) -> None:
    state = gate_state(given(IN_PROPOSAL, *facts).deal, proposal(), LATER)
    assert (state.stage, state.met, state.missing) == ("proposal", met, missing)
    assert state.result() == GateResult(met, missing)
    assert tuple(criterion.id for criterion in state.missing_criteria()) == missing


def test_what_is_met_because_there_is_nothing_to_do_has_no_evidence() -> None:
    stage = BOOK.latest("key-account").stage("P5")
    assert stage is not None
    state = gate_state(given(opened()).deal, stage, LATER)
    assert state.met == (MetCriterion("concerns-have-owners", ()),)


def test_a_gate_is_judged_at_a_moment() -> None:
    stage = BOOK.latest("key-account").stage("P4")
    assert stage is not None
    deal = given(opened(), PositionAssessed(Rank.LEADING)).deal
    missing = [set(gate_state(deal, stage, day(number)).missing) for number in (31, 32)]
    assert missing[1] - missing[0] == {"position-recent"}


def test_a_move_is_judged_at_its_time() -> None:
    process = BOOK.latest("key-account")
    stage = process.stage("P4")
    assert stage is not None
    others = [one.id for one in stage.gate if one.id != "position-recent"]
    deal = given(
        on(0, opened(process=process.ref, stage="P4")),
        *(on(0, GateCriterionAttested(criterion, "Seen")) for criterion in others),
        on(1, PositionAssessed(Rank.LEADING)),
        on(50, NoteAdded("Later")),
    )
    deal.when(AdvanceStage("P5"), at=day(31)).accepted()
    deal.when(AdvanceStage("P5"), at=day(32)).refused(
        GateNotMet, "position-recent", "assess-position"
    )


def test_the_advice_tells_what_would_meet_each_missing_criterion() -> None:
    state = gate_state(given(IN_PROPOSAL).deal, proposal(), LATER)
    assert state.advice() == (
        "need-confirmed: attest-gate-criterion; plan: set-win-plan; or attest-gate-criterion"
    )


def probability(deal: Deal) -> int | None:
    process = deal.life.process
    return win_probability(deal, BOOK.get(process or SHORT.ref), LATER)


LOST = OpportunityLost(LostOutcome.VOIDED)


@pytest.mark.parametrize(
    ("facts", "per_cent"),
    [
        ((), 10),
        ((StageAdvanced("contact", "proposal"),), 40),
        ((StageAdvanced("contact", "closing", ("proposal",)),), 80),
        ((ForecastRevised(probability=0),), 0),
        ((ForecastRevised(probability=65), StageAdvanced("contact", "proposal")), 65),
        ((ForecastRevised(probability=65), ForecastRevised(probability=None)), 10),
        ((ForecastRevised(probability=65), OpportunityWon()), 100),
        ((ForecastRevised(probability=65), LOST), 0),
        ((LOST, OpportunityReopened("contact", "R")), 10),
        ((OpportunitySuspended("Rest"),), 10),
    ],
)
def test_the_probability_of_winning(facts: tuple[DealFact, ...], per_cent: int) -> None:
    assert probability(given(opened(), *facts).deal) == per_cent


@pytest.mark.parametrize(
    ("stage", "facts", "per_cent"),
    [
        ("lead", (), 5),
        ("contact", (), 10),
        ("proposal", (), 10),
        ("proposal", (ATTESTED,), 10),
        ("proposal", (ATTESTED, WinPlanSet("W")), 40),
        ("closing", (), 40),
        ("closing", (GateCriterionAttested("signed", "Tomorrow"),), 80),
        ("closing", (ForecastRevised(probability=60),), 60),
    ],
)
def test_the_probability_of_a_stage_may_hold_only_from_its_milestone(
    stage: str, facts: tuple[DealFact, ...], per_cent: int
) -> None:
    deal = given(opened(process=LONGER.ref, stage=stage), *facts).deal
    assert probability(deal) == per_cent


def test_before_the_first_milestone_nothing_is_won_yet() -> None:
    alone = msgspec.structs.replace(LONGER, stages=(proposal(),))
    assert win_probability(given(IN_PROPOSAL).deal, alone, LATER) == 0
    ready = given(IN_PROPOSAL, ATTESTED, WinPlanSet("W"))
    assert win_probability(ready.deal, alone, LATER) == 40


def test_a_deal_that_stands_nowhere_in_the_process_has_no_probability() -> None:
    assert win_probability(given().deal, SHORT, LATER) is None
    elsewhere = given(opened(process=LONGER.ref, stage="lead")).deal
    assert win_probability(elsewhere, SHORT, LATER) is None
