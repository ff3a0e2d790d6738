"""How good the estimates were: where deals are judged, and what the scores are."""

from datetime import timedelta

import numpy as np
import pytest
from msgspec.structs import astuple

from domain.lifecycle.facts import LostOutcome, NoteAdded, OpportunityLost
from domain.stages.facts import StageAdvanced
from projections.cohort.features import NAMES
from projections.cohort.quality import (
    LEAST_JUDGED,
    Difference,
    Judged,
    Point,
    Verdict,
    points_of,
    quality,
    quality_of,
)
from tests.projections.cohort.portfolios import NOW, first_of, models
from tests.projections.histories import EPOCH
from tests.projections.stores import draft, events_of
from tests.scenario import BOOK, opened

FAR = EPOCH + timedelta(days=5000)
LOST = OpportunityLost(LostOutcome.NO_DECISION)


def judged(
    deal: int,
    won: bool,
    cohort: float,
    *,
    name: str = "entering P0",
    base: float = 0.5,
    process: float | None = 0.5,
) -> Judged:
    measured = np.zeros(len(NAMES))
    point = Point(f"d-{deal:03}", name, NOW, won, process, measured)
    return Judged(point, first_of(2026, 6), 100, cohort, base)


def test_a_deal_is_judged_on_entering_each_stage_and_at_fixed_leads() -> None:
    events = events_of(
        draft(opened(), 0, 0),
        draft(StageAdvanced("contact", "proposal"), 20, 20),
        draft(NoteAdded("x"), 45, 45),
        draft(LOST, 100, 100),
    )
    points = points_of(events, FAR, BOOK)
    assert {one.name: (one.at - EPOCH).days for one in points} == {
        "entering contact": 0,
        "entering proposal": 20,
        "90 days before": 10,
        "60 days before": 40,
        "30 days before": 70,
    }
    days = {one.name: one.measured[NAMES.index("day")] for one in points}
    assert days["60 days before"] == 40
    assert not any(one.won for one in points)


def test_a_deal_is_judged_by_what_was_known_then() -> None:
    events = events_of(
        draft(opened(), 0, 0),
        draft(StageAdvanced("contact", "proposal"), 20, 50),
        draft(LOST, 100, 100),
    )
    points = {one.name: one for one in points_of(events, FAR, BOOK)}
    assert (points["entering proposal"].at - EPOCH).days == 50
    early, late = points["60 days before"], points["30 days before"]
    assert (early.process, late.process) == (0.1, 0.4)


def test_a_deal_that_is_not_decided_is_not_judged() -> None:
    assert points_of(events_of(draft(opened(), 0, 0)), FAR, BOOK) == []


def test_scores_are_means_of_squares_and_each_deal_counts_once() -> None:
    found = quality_of(
        [judged(1, True, 0.8), judged(1, True, 0.6), judged(2, False, 0.1, base=0.3)], 2, 5
    )
    assert found.overall is not None
    assert found.overall.cohort == pytest.approx(((0.04 + 0.16) / 2 + 0.01) / 2)
    assert found.overall.base == pytest.approx((0.25 + 0.09) / 2)
    assert found.overall.process == pytest.approx(0.25)
    assert (found.overall.deals, found.overall.points, found.overall.won) == (2, 3, 0.5)
    assert (found.decided, found.undetermined) == (2, 5)


def test_points_without_a_process_estimate_are_left_out_of_its_score_alone() -> None:
    found = quality_of(
        [judged(1, True, 0.8, process=None), judged(2, True, 0.8, process=0.9)], 2, 0
    )
    assert found.overall is not None
    assert found.overall.process == pytest.approx(0.01)
    assert found.overall.without_process == 1
    assert [one.deals for one in found.differences] == [2, 1]
    nothing = quality_of([judged(1, True, 0.8, process=None)], 1, 0)
    assert nothing.overall is not None
    assert nothing.overall.process is None
    assert [one.against for one in nothing.differences] == ["base-rate"]


def test_groups_are_by_point_and_by_boundary() -> None:
    found = quality_of([judged(1, True, 0.8), judged(2, True, 0.6, name="30 days before")], 2, 0)
    assert [(one.name, one.score.points) for one in found.by_point] == [
        ("30 days before", 1),
        ("entering P0", 1),
    ]
    [boundary] = found.by_boundary
    assert (boundary.cohort_size, boundary.score.points) == (100, 2)


def test_reliability_has_ten_bins_and_certainty_is_in_the_last() -> None:
    found = quality_of([judged(1, True, 1.0), judged(1, True, 0.95), judged(2, False, 0.05)], 2, 0)
    bins = found.reliability
    assert [one.points for one in bins] == [1, *[0] * 8, 2]
    assert (bins[-1].deals, bins[-1].won) == (1, 1.0)
    assert bins[-1].estimated == pytest.approx(0.975)
    assert (bins[1].estimated, bins[1].won) == (None, None)


def test_the_verdict_needs_thirty_deals_and_an_interval_that_excludes_nothing() -> None:
    def verdict(deals: int, low: float, high: float) -> Verdict:
        return Difference("base-rate", deals, (low + high) / 2, low, high).verdict

    assert verdict(LEAST_JUDGED, -0.2, -0.1) is Verdict.BETTER
    assert verdict(LEAST_JUDGED, -0.2, 0.0) is Verdict.NO_BETTER
    assert verdict(LEAST_JUDGED, 0.01, 0.1) is Verdict.WORSE
    assert verdict(LEAST_JUDGED - 1, -0.2, -0.1) is Verdict.TOO_FEW


def test_knowing_better_is_found_and_knowing_nothing_is_not() -> None:
    rng = np.random.default_rng(2)
    outcomes = rng.random(200) < 0.5
    knowing = [judged(i, bool(w), 0.7 if w else 0.3) for i, w in enumerate(outcomes)]
    guessing = [judged(i, bool(w), float(rng.choice([0.45, 0.55]))) for i, w in enumerate(outcomes)]
    wrong = [judged(i, bool(w), 0.3 if w else 0.7) for i, w in enumerate(outcomes)]
    verdicts = [quality_of(some, 200, 0).verdict for some in (knowing, guessing, wrong)]
    assert verdicts == [Verdict.BETTER, Verdict.NO_BETTER, Verdict.WORSE]


def test_the_interval_is_over_deals_not_points() -> None:
    rng = np.random.default_rng(4)
    some = [judged(i, bool(rng.random() < 0.5), 0.6) for i in range(60)]
    once, often = quality_of(some, 60, 0), quality_of(some * 5, 60, 0)
    assert once.differences == often.differences


def test_nothing_judged_is_told_so() -> None:
    found = quality_of([], 7, 3)
    assert (found.overall, found.verdict, found.differences) == (None, Verdict.TOO_FEW, ())


def test_the_models_of_a_portfolio_are_judged_on_deals_that_they_had_not_seen() -> None:
    told: list[tuple[int, int]] = []
    found = quality(models(60), NOW, lambda *at: told.append(at))
    assert found.overall is not None
    assert found.undetermined > 0
    assert found.overall.points > 40
    assert found.overall.deals < found.decided
    assert told[-1][0] == told[-1][1] > 5


def test_the_parts_of_the_score_add_up() -> None:
    rng = np.random.default_rng(5)
    some = [
        judged(int(deal), bool(deal % 3 == 0), float(said))
        for deal, said in zip(rng.integers(0, 40, 300), rng.random(300), strict=True)
    ]
    found = quality_of(some, 40, 0)
    assert found.parts is not None
    assert found.overall is not None
    parts = found.parts
    total = parts.reliability - parts.resolution + parts.uncertainty + parts.within
    assert total == pytest.approx(found.overall.cohort, abs=1e-12)
    assert parts.uncertainty == pytest.approx(found.overall.won * (1 - found.overall.won))


def test_the_parts_of_the_score_by_hand() -> None:
    """Two steps: 0.31 and 0.39, of which half were won, and 0.9, which was won."""
    some = [judged(1, False, 0.31), judged(2, True, 0.39), judged(3, True, 0.9)]
    parts = quality_of(some, 3, 0).parts
    assert parts is not None
    assert parts.reliability == pytest.approx((2 * 0.15**2 + 0.1**2) / 3)
    assert parts.resolution == pytest.approx((2 * (1 / 6) ** 2 + (1 / 3) ** 2) / 3)
    assert parts.uncertainty == pytest.approx(2 / 9)
    assert parts.within == pytest.approx((2 * 0.04**2 - 2 * 2 * 0.04 * 0.5) / 3)


def test_points_of_one_deal_share_its_weight_in_the_parts() -> None:
    once = [judged(1, False, 0.2), judged(2, True, 0.8)]
    often = [judged(1, False, 0.2)] * 7 + once
    some, others = quality_of(often, 2, 0).parts, quality_of(once, 2, 0).parts
    assert some is not None
    assert others is not None
    assert astuple(some) == pytest.approx(astuple(others))
