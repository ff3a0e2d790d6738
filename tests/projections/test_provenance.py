"""Which event stands behind each reported fact, on histories that can be told by hand."""

from datetime import date

import pytest

from domain.corrections import DealMerged, EventWithdrawn
from domain.deal import DealFact
from domain.history import Draft
from domain.lifecycle.facts import (
    Account,
    Grade,
    LostOutcome,
    NoteAdded,
    OpportunityAssessed,
    OpportunityLost,
    OpportunityReopened,
    OpportunityResumed,
    OpportunityRevised,
    OpportunitySuspended,
    OpportunityWon,
    OwnerChanged,
    ProcessChanged,
    WinPlanSet,
)
from domain.negotiation.facts import QuoteIssued, QuoteLine
from domain.stages.facts import (
    ForecastRevised,
    GateCriterionAttested,
    StageAdvanced,
    StageRegressed,
)
from domain.values import BusinessType, ForecastCategory
from projections.provenance import facts_set_by
from tests.projections.histories import EPOCH
from tests.projections.stores import draft, events_of
from tests.projections.test_pipeline import day
from tests.scenario import BOOK, LONGER, opened, usd

ALWAYS = {"process", "currency", "owner", "opened_at"}


def set_by(
    *drafts: Draft[DealFact], as_of: float | None = None, known_at: float | None = None
) -> dict[str, int]:
    then, known = (None if one is None else day(one) for one in (as_of, known_at))
    return facts_set_by(events_of(*drafts), then, known, BOOK)


def in_order(*facts: DealFact) -> dict[str, int]:
    return set_by(*(draft(fact, number) for number, fact in enumerate(facts)))


def test_before_the_opening_there_is_nothing() -> None:
    assert set_by() == {}
    assert in_order(OpportunityWon()) == {}
    assert set_by(draft(opened(), 3), as_of=2) == {}


def test_the_opening_sets_what_it_names() -> None:
    found = in_order(opened())
    assert found.keys() >= ALWAYS
    assert set(found.values()) == {1}
    assert not found.keys() & {"amount", "expected_close", "region", "closed_at", "outcome"}


@pytest.mark.parametrize(
    ("fact", "names"),
    [
        (ForecastRevised(amount=usd("5")), {"amount"}),
        (ForecastRevised(expected_close=date(2026, 9, 30)), {"expected_close"}),
        (ForecastRevised(probability=33), {"probability"}),
        (ForecastRevised(category=ForecastCategory.COMMIT), {"forecast_category"}),
        (StageAdvanced("contact", "proposal"), {"stage", "stage_order", "probability"}),
        (OwnerChanged("bo"), {"owner"}),
        (OpportunityRevised(region="EMEA"), {"region"}),
        (OpportunityRevised(account=Account("Acme", industry="steel")), {"industry"}),
        (OpportunityRevised(territory="North"), {"territory"}),
        (OpportunityRevised(products=("press",)), {"product"}),
        (OpportunityRevised(business_type=BusinessType.RENEWAL), {"business_type"}),
        (OpportunityRevised(lead_source="fair"), {"lead_source"}),
        (OpportunityAssessed(3, 3, grade=Grade.B), {"grade"}),
        (OpportunitySuspended("…"), {"status"}),
        (
            OpportunityWon(usd("9")),
            {"status", "outcome", "amount", "probability", "forecast_category", "closed_at"},
        ),
        (
            OpportunityLost(LostOutcome.NO_DECISION),
            {"status", "outcome", "probability", "forecast_category", "closed_at"},
        ),
        (
            QuoteIssued(1, usd("8"), (QuoteLine("press", "2", usd("4"), usd("5")),)),
            {"listed_minor", "quoted_minor"},
        ),
        (NoteAdded("…"), set()),
    ],
)
def test_each_fact_is_set_by_its_own_event(fact: DealFact, names: set[str]) -> None:
    found = in_order(opened(), NoteAdded("…"), fact, NoteAdded("…"))
    assert {name for name, version in found.items() if version == 3} == names
    assert {version for name, version in found.items() if name not in names} == {1}


def test_what_is_said_again_was_set_the_first_time() -> None:
    worth = ForecastRevised(amount=usd("5"))
    assert in_order(opened(), worth, worth)["amount"] == 2
    back = in_order(opened(), worth, ForecastRevised(amount=usd("6")), worth)
    assert back["amount"] == 4
    again = in_order(
        opened(), StageAdvanced("contact", "proposal"), StageRegressed("proposal", "contact")
    )
    assert (again["stage"], again["probability"], again["owner"]) == (3, 3, 1)


def test_a_value_that_was_taken_away_was_set_by_what_took_it() -> None:
    found = in_order(
        opened(), OpportunityLost(LostOutcome.NO_DECISION), OpportunityReopened("proposal", "…")
    )
    assert {found[name] for name in ("status", "outcome", "closed_at", "probability")} == {3}


def test_a_late_event_counts_from_when_it_occurred() -> None:
    drafts: list[Draft[DealFact]] = [
        draft(opened(), 0, 0),
        draft(ForecastRevised(amount=usd("6")), 4, 4),
        draft(ForecastRevised(amount=usd("5")), 2, 7),
    ]
    assert set_by(*drafts)["amount"] == 2
    assert set_by(*drafts, as_of=3)["amount"] == 3
    assert "amount" not in set_by(*drafts, as_of=3, known_at=6)


def test_a_late_event_that_says_the_same_first_has_set_it() -> None:
    worth = ForecastRevised(amount=usd("5"))
    drafts: list[Draft[DealFact]] = [draft(opened(), 0, 0), draft(worth, 4, 4), draft(worth, 2, 7)]
    assert set_by(*drafts)["amount"] == 3
    assert set_by(*drafts, known_at=6)["amount"] == 2


def test_a_withdrawn_event_has_set_nothing_once_that_is_known() -> None:
    drafts: list[Draft[DealFact]] = [
        draft(opened(), 0, 0),
        draft(ForecastRevised(amount=usd("5")), 1, 1),
        draft(ForecastRevised(amount=usd("6")), 2, 2),
        draft(EventWithdrawn((3,), "…"), 3, 5),
    ]
    assert set_by(*drafts)["amount"] == 2
    assert set_by(*drafts, known_at=4)["amount"] == 3


def test_at_one_instant_the_last_event_counts() -> None:
    drafts: list[Draft[DealFact]] = [
        draft(opened(), 0),
        draft(ForecastRevised(amount=usd("5")), 1),
        draft(ForecastRevised(amount=usd("6")), 1),
    ]
    assert set_by(*drafts)["amount"] == 3


def test_a_probability_that_holds_from_a_milestone_is_set_by_what_met_the_gate() -> None:
    found = in_order(
        opened(process=LONGER.ref, stage="proposal"),
        GateCriterionAttested("need-confirmed", "…"),
        WinPlanSet("…"),
    )
    assert (found["probability"], found["stage"]) == (3, 1)


def test_resuming_and_moving_to_another_process_and_merging() -> None:
    found = in_order(opened(), OpportunitySuspended("…"), OpportunityResumed())
    assert found["status"] == 3
    moved = in_order(opened(), ProcessChanged(LONGER.ref, "lead"))
    assert (moved["process"], moved["stage"], moved["owner"]) == (2, 2, 1)
    assert in_order(opened(), DealMerged("d-2", "…"))["status"] == 2
    assert day(0) == EPOCH
