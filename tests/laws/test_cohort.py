"""Laws of the cohort estimate: nothing later changes it, and it is total.

On deals as the simulator tells them, which are coherent, and on histories that know no rules.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import TypeAlias

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.deal import DealEvent
from projections.cohort.boundaries import just_before
from projections.cohort.comparison import Compared, Comparison, compare
from projections.cohort.courses import Course, course_of, final_from, outcome_of
from projections.cohort.features import features, measures, standing_of, tallies
from projections.cohort.model import Estimate, Move
from projections.cohort.models import CohortModels
from projections.frames import Frame, frames_as_known, frames_of
from projections.instants import micros
from tests.laws.deals import histories as nonsense
from tests.projections.cohort.portfolios import (
    NOW,
    PROCESSES,
    events_of,
    first_of,
    histories,
    models,
    models_of,
)
from tests.scenario import BOOK

COUNT = 90
BOUNDARIES = [first_of(2025, 9), first_of(2026, 1), first_of(2026, 5)]
FAR = NOW + timedelta(days=4000)

few = settings(max_examples=max(8, settings().max_examples // 12))

Axis: TypeAlias = Callable[[Sequence[DealEvent]], list[Frame]]
Said: TypeAlias = tuple[Estimate | None, tuple[Move, ...], Comparison | None]

coherent = st.integers(0, COUNT - 1).map(events_of)
axes: st.SearchStrategy[Axis] = st.sampled_from([frames_of, frames_as_known])
boundaries = st.sampled_from(BOUNDARIES)


def known_by(events: Sequence[DealEvent], limit: datetime) -> list[DealEvent]:
    """What had happened, and was known."""
    return [one for one in events if max(one.occurred_at, one.known_at) <= limit]


@cache
def models_then(limit: datetime) -> CohortModels:
    """The models of the portfolio as it was at a moment."""
    cut = {deal_id: known_by(events, limit) for deal_id, events in histories(COUNT).items()}
    return models_of({deal_id: events for deal_id, events in cut.items() if events})


def said(
    events: Sequence[DealEvent], axis: Axis, since: datetime, until: datetime, by: CohortModels
) -> list[tuple[datetime, Said]]:
    """By frame between two moments: the estimate, what moved it, and how the deal compares."""
    frames = [frame for frame in axis(events) if frame.at <= until]
    found: list[tuple[datetime, Said]] = []
    before = None
    for frame, tally in zip(frames, tallies(frames), strict=True):
        standing = standing_of(frame, tally, PROCESSES)
        one = Compared.of(frame, measures(standing), PROCESSES) if standing else None
        if one is None:
            found.append((frame.at, (None, (), None)))
        elif frame.at >= since:
            cohort = by.at(frame.at)
            estimate = cohort.estimate(one.measured)
            assert cohort.model is not None
            before = one.measured if before is None else before
            moved = cohort.model.contributions(before, one.measured)
            compared = compare(one, by.boundary(frame.at), by.courses(frame.at))
            found.append((frame.at, (estimate, moved, compared)))
        before = one.measured if one else None
    return found


@few
@given(coherent, axes, st.data())
def test_what_is_said_of_a_frame_does_not_depend_on_what_came_later(
    events: Sequence[DealEvent], axis: Axis, data: st.DataObject
) -> None:
    """Nothing later of the deal, nor anything later of any other deal."""
    boundary = data.draw(boundaries)
    moments = [max(one.occurred_at, one.known_at) for one in events]
    inside = [at for at in moments if boundary <= at < boundary + timedelta(days=31)]
    at = data.draw(st.sampled_from(inside or [boundary]))
    visible = [one for one in events if one.known_at <= at] if axis is frames_of else events
    whole = said(visible, axis, boundary, at, models(COUNT))
    then = said(known_by(events, at), axis, boundary, at, models_then(just_before(boundary)))
    assert whole == then


@few
@given(boundaries)
def test_a_model_does_not_depend_on_what_came_after_its_boundary(boundary: datetime) -> None:
    cohort = models(COUNT).at(boundary)
    assert cohort.model is not None
    assert models_then(just_before(boundary)).at(boundary) == cohort


def equal(one: Course, other: Course) -> bool:
    return one.packed() == other.packed()


@given(coherent, st.data())
def test_a_course_does_not_depend_on_what_became_known_after_its_limit(
    events: Sequence[DealEvent], data: st.DataObject
) -> None:
    limit = data.draw(st.sampled_from([max(one.occurred_at, one.known_at) for one in events]))
    limit += timedelta(days=data.draw(st.sampled_from([0, 1, 40])))
    whole, then = outcome_of(events, limit), outcome_of(known_by(events, limit), limit)
    assert (whole is None) == (then is None)
    if whole is not None and then is not None:
        assert whole.key == then.key
        one, other = course_of(whole, PROCESSES), course_of(then, PROCESSES)
        assert one is not None
        assert other is not None
        assert equal(one, other)


@given(st.one_of(coherent, nonsense()), st.sampled_from([0, 1, 40]))
def test_from_the_final_moment_on_the_course_is_the_same(
    events: Sequence[DealEvent], days: int
) -> None:
    """So what is kept of it holds at every later limit without the history."""
    last, final = final_from(events)
    for moment in {at for one in events for at in (one.occurred_at, one.known_at)}:
        limit = moment + timedelta(days=days)
        if micros(limit) >= final:
            then = outcome_of(events, limit)
            assert (then.key if then else None) == (last.key if last else None)


@given(nonsense(), axes)
def test_nonsense_can_be_measured(events: Sequence[DealEvent], axis: Axis) -> None:
    frames = axis(events)
    for frame, tally in zip(frames, tallies(frames), strict=True):
        standing = standing_of(frame, tally, BOOK)
        if standing is not None:
            assert np.isfinite(features(measures(standing))).all()
    outcome = outcome_of(events, FAR)
    found = course_of(outcome, BOOK) if outcome else None
    if outcome is not None and found is not None:
        assert found.won == outcome.won
        assert (np.diff(found.moments) > 0).all()
        assert found.moments[-1] < found.closed_at
        assert equal(Course.unpacked(found.packed()), found)
