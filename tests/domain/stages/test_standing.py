"""Folding stages and forecast: where the deal stands and what is forecast."""

from datetime import date

from domain.lifecycle.facts import (
    LostOutcome,
    OpportunityLost,
    OpportunityReopened,
    OpportunityWon,
    ProcessChanged,
)
from domain.stages.facts import (
    ForecastRevised,
    GateCriterionAttested,
    GateCriterionRevoked,
    StageAdvanced,
    StageRegressed,
)
from domain.stages.standing import Stages
from domain.values import ForecastCategory
from tests.scenario import LONGER, day, given, opened, usd


def test_a_deal_that_is_not_open_stands_nowhere() -> None:
    assert (Stages().stage, Stages().entered_at) == (None, None)


def test_every_stay_is_a_visit_from_when_it_began() -> None:
    stages = given(
        opened(),
        StageAdvanced("contact", "proposal"),
        StageRegressed("proposal", "contact"),
        StageAdvanced("contact", "closing"),
    ).deal.stages
    assert [(visit.stage, visit.entered_at, visit.version) for visit in stages.visits] == [
        ("contact", day(0), 1),
        ("proposal", day(1), 2),
        ("contact", day(2), 3),
        ("closing", day(3), 4),
    ]
    assert (stages.stage, stages.entered_at) == ("closing", day(3))


def test_a_deal_that_stays_in_its_stage_does_not_enter_it_again() -> None:
    lost = (opened(), OpportunityLost(LostOutcome.WITHDRAWN))
    assert given(*lost, OpportunityReopened("contact", "R")).deal.stages.entered_at == day(0)
    assert given(opened(), ProcessChanged(LONGER.ref, "contact")).deal.stages.entered_at == day(0)


def test_reopening_and_a_change_of_process_may_place_it_elsewhere() -> None:
    stages = given(
        opened(stage="closing"),
        OpportunityWon(),
        StageAdvanced("closing", "delivery"),
        OpportunityReopened("closing", "Cancelled"),
        ProcessChanged(LONGER.ref, "lead"),
    ).deal.stages
    assert [visit.stage for visit in stages.visits] == ["closing", "delivery", "closing", "lead"]


def test_a_criterion_is_attested_until_it_is_revoked() -> None:
    attested = (
        opened(),
        GateCriterionAttested("plan", "One"),
        GateCriterionAttested("signed", "Two"),
        GateCriterionAttested("plan", "Three"),
    )
    stages = given(*attested).deal.stages
    kept = stages.attestation("plan")
    assert kept is not None
    assert (kept.fact.note, kept.version) == ("Three", 4)
    assert [event.fact.criterion for event in stages.attestations] == ["signed", "plan"]
    part = GateCriterionAttested("plan", "Nobody", applies=False, aspect="user")
    both = given(*attested, part).deal.stages
    assert [event.version for event in both.attestations] == [3, 4, 5]
    of_part = both.attestation("plan", "user")
    assert of_part is not None
    assert of_part.fact == part
    whole = given(*attested, part, GateCriterionRevoked("plan", "R", "user")).deal.stages
    assert [event.version for event in whole.attestations] == [3, 4]
    revoked = given(*attested, GateCriterionRevoked("plan", "R")).deal.stages
    assert revoked.attestation("plan") is None
    assert revoked.attestation("signed") is not None


def test_a_revision_changes_what_it_names() -> None:
    stages = given(
        opened(),
        ForecastRevised(amount=usd("100"), expected_close=date(2026, 6, 30)),
        ForecastRevised(probability=70, category=ForecastCategory.COMMIT),
        ForecastRevised(expected_close=date(2026, 9, 30)),
    ).deal.stages
    assert (stages.amount, stages.amount_set_by) == (usd("100"), 2)
    assert (stages.expected_close, stages.expected_close_set_by) == (date(2026, 9, 30), 4)
    assert (stages.probability, stages.category) == (70, ForecastCategory.COMMIT)


def test_what_is_revised_to_nothing_is_unknown_again() -> None:
    forecast = ForecastRevised(
        amount=usd("100"),
        expected_close=date(2026, 6, 30),
        probability=70,
        category=ForecastCategory.COMMIT,
    )
    emptied = ForecastRevised(amount=None, expected_close=None, probability=None, category=None)
    stages = given(opened(), forecast, emptied).deal.stages
    assert stages == given(opened()).deal.stages
    assert (stages.amount_set_by, stages.expected_close_set_by) == (None, None)
