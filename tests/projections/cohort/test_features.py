"""The measures of a deal, and the features made of them."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import msgspec
import numpy as np
import pytest

from domain.buying.facts import (
    CriteriaStatus,
    CriteriaStatusObserved,
    ProposalKind,
    ProposalSubmitted,
    PurchaseMethod,
    PurchaseModeDeclared,
    VendorStatus,
    VendorStatusChanged,
)
from domain.competition.facts import CompetitorIdentified, PositionAssessed, Rank
from domain.corrections import EventWithdrawn
from domain.deal import DealEvent, DealFact
from domain.lifecycle.facts import LostOutcome, OpportunityLost
from domain.needs.facts import NeedKind, NeedUncovered
from domain.negotiation.facts import NegotiationOpened
from domain.stages.facts import ForecastRevised, StageAdvanced, StageRegressed
from domain.values import OURSELVES
from projections.cohort.features import (
    FEATURES,
    MEASURE_OF,
    MEASURES,
    NAMES,
    features,
    features_of_all,
    measures,
    standing_of,
    tallies,
)
from projections.frames import Frame, frames_as_known, frames_of
from projections.indicators import Indicators
from tests.projections.cohort.portfolios import PROCESSES, events_of
from tests.projections.histories import EPOCH
from tests.projections.stores import draft
from tests.projections.stores import events_of as recorded
from tests.scenario import BOOK, opened, usd


def told(*facts: DealFact) -> list[Frame]:
    """The frames of a deal to which one fact happens each day."""
    drafts = [draft(fact, index) for index, fact in enumerate((opened(), *facts))]
    return frames_of(recorded(*drafts))


def measured(*facts: DealFact) -> dict[str, float]:
    """The measures behind the last of these facts, known ones."""
    frames = told(*facts)
    standing = standing_of(frames[-1], tallies(frames)[-1], BOOK)
    assert standing is not None
    values = measures(standing)
    return {name: float(v) for name, v in zip(NAMES, values, strict=True) if not np.isnan(v)}


def test_names_are_fixed_and_told_once() -> None:
    assert len(set(FEATURES)) == len(FEATURES)
    assert NAMES[:2] == ("process-probability", "gate-met")
    assert FEATURES[len(NAMES)] == "process-probability:known"
    assert [NAMES[i] for i in MEASURE_OF[len(NAMES) :]] == [
        name.removesuffix(":known") for name in FEATURES[len(NAMES) :]
    ]


def test_a_new_deal_is_known_little_of() -> None:
    values = measured()
    assert values["day"] == 0
    assert "position" not in values
    assert "tender" not in values
    assert "days-since-contact" not in values


def test_public_facts_are_measured() -> None:
    values = measured(
        PurchaseModeDeclared(PurchaseMethod.OPEN_TENDER),
        CompetitorIdentified("c-1", "Globex"),
        PositionAssessed(Rank.LAGGING),
        NeedUncovered("n-1", "Too slow", NeedKind.EXPLICIT),
        NeedUncovered("n-2", "Too loud"),
        CriteriaStatusObserved(CriteriaStatus.WITH_US),
        ProposalSubmitted(ProposalKind.FORMAL, 1),
        VendorStatusChanged(OURSELVES, VendorStatus.FIRST_CHOICE),
    )
    assert {
        "tender": 1.0,
        "competitors": 1.0,
        "position": -1.0,
        "explicit-needs": 1.0,
        "criteria-status": 1.0,
        "formal-proposal": 1.0,
        "their-choice": 1.0,
    }.items() <= values.items()


def test_their_choice_of_somebody_else_or_our_being_out_counts_against_us() -> None:
    rival = VendorStatusChanged("c-1", VendorStatus.FIRST_CHOICE)
    out = VendorStatusChanged(OURSELVES, VendorStatus.OUT)
    assert measured(CompetitorIdentified("c-1", "Globex"), rival)["their-choice"] == -1
    assert measured(out)["their-choice"] == -1
    assert measured()["their-choice"] == 0


def test_a_regression_counts_and_a_move_forward_does_not() -> None:
    forward = StageAdvanced("contact", "proposal")
    back = StageRegressed("proposal", "contact")
    assert measured(forward)["regressions"] == 0
    assert measured(forward, back)["regressions"] == 1


def test_a_push_of_the_close_date_counts_and_pulling_it_in_does_not() -> None:
    first, later, sooner = (date(2026, 9, 1), date(2026, 10, 1), date(2026, 8, 1))
    revised = [ForecastRevised(expected_close=one) for one in (first, later, sooner)]
    assert [measured(*revised[:n])["close-date-pushes"] for n in (1, 2, 3)] == [0, 1, 1]


def test_the_amount_is_measured_by_how_it_grew() -> None:
    twice = [ForecastRevised(amount=usd("100")), ForecastRevised(amount=usd("200"))]
    assert measured(twice[0])["amount-growth"] == 0
    assert measured(*twice)["amount-growth"] == pytest.approx(np.log(2))


def test_a_withdrawn_push_does_not_count() -> None:
    facts: list[DealFact] = [
        opened(),
        ForecastRevised(expected_close=date(2026, 9, 1)),
        ForecastRevised(expected_close=date(2026, 10, 1), amount=usd("5")),
        EventWithdrawn((3,), "a slip"),
    ]
    events = recorded(*(draft(fact, index, index) for index, fact in enumerate(facts)))
    frames = frames_as_known(events)
    assert [len(one.pushes) for one in tallies(frames)] == [0, 0, 1, 0]
    assert [one.first_amount for one in tallies(frames)] == [None, None, usd("5").amount, None]


def test_a_decided_deal_does_not_stand_anywhere() -> None:
    frames = told(OpportunityLost(LostOutcome.NO_DECISION))
    assert standing_of(frames[-1], tallies(frames)[-1], BOOK) is None


def test_features_scale_and_flag() -> None:
    values = np.full(len(NAMES), np.nan)
    for name, value in {"process-probability": 50.0, "support": -3.0, "day": 0.0}.items():
        values[NAMES.index(name)] = value
    by_name = dict(zip(FEATURES, features(values), strict=True))
    assert by_name["process-probability"] == 0
    assert by_name["support"] == pytest.approx(-np.log(4))
    assert by_name["process-probability:known"] == 1
    assert by_name["position"] == 0
    assert by_name["position:known"] == 0


def test_features_of_many_are_those_of_each() -> None:
    some = np.random.default_rng(3).normal(size=(5, len(NAMES))) * 20
    some[some < -25] = np.nan
    assert np.allclose(features_of_all(some), [features(one) for one in some], rtol=1e-15)


def test_certainties_stay_finite() -> None:
    for percent in (0.0, 100.0):
        values = np.zeros(len(NAMES))
        values[0] = percent
        assert np.isfinite(features(values)).all()


# Nothing of it is secret.


def _other(value: Any) -> Any:
    """Something else of the same shape."""
    match value:
        case str():
            return f"{value}9"
        case tuple():
            return ()
        case _:
            return None


def with_other_secrets(event: DealEvent) -> DealEvent:
    fact = event.fact
    changes = {name: _other(getattr(fact, name)) for name in fact.secret}
    return msgspec.structs.replace(event, fact=msgspec.structs.replace(fact, **changes))


def vectors(events: Sequence[DealEvent]) -> list[bytes]:
    frames = frames_of(events)
    found = []
    for frame, tally in zip(frames, tallies(frames), strict=True):
        standing = standing_of(frame, tally, PROCESSES)
        if standing is not None:
            found.append(measures(standing).tobytes())
    return found


def test_secrets_have_no_part_in_it() -> None:
    negotiated = 0
    for number in range(25):
        events = events_of(number)
        changed = [with_other_secrets(event) for event in events]
        negotiated += any(isinstance(event.fact, NegotiationOpened) for event in events)
        assert vectors(changed) == vectors(events)
    assert negotiated > 2


def test_the_indicators_measured_are_public_ones() -> None:
    """Each measure of an indicator is named as the indicator is."""
    fields = {name.replace("_", "-") for name in Indicators.__struct_fields__}
    own = {
        *("process-probability", "amount-growth", "new-business", "tender", "competitors"),
        *("explicit-needs", "values-confirmed", "close-date-pushes", "regressions"),
        *("formal-proposal", "criteria-status", "their-choice"),
    }
    assert {one.name for one in MEASURES} - own <= fields


def test_time_alone_changes_measures() -> None:
    frames = told()
    later = msgspec.structs.replace(frames[-1], learned_at=EPOCH + timedelta(days=30))
    standing = standing_of(later, tallies(frames)[-1], BOOK)
    assert standing is not None
    assert measures(standing)[NAMES.index("day")] == 30
