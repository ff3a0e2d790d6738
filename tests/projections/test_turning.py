"""Turning points and the point of no return, from given estimates and findings."""

from datetime import datetime

import pytest

from domain.process import Words
from projections.findings import Finding, Weight
from projections.turning import TurningPoint, point_of_no_return, turning_points
from tests.scenario import day

MOMENTS = [day(number) for number in (0, 10, 20, 30)]


def finding(
    since: datetime, weight: Weight = Weight.MISTAKE, happened_at: datetime | None = None
) -> Finding:
    return Finding(
        happened_at=happened_at or since,
        rule="gone-silent",
        weight=weight,
        since=since,
        until=None,
        trigger=None,
        evidence=(),
        subject="",
        known={},
        sentence=Words("Silence.", "沉默。"),
        practice=Words("Talk.", "联系。"),
    )


def test_a_fall_of_ten_points_turns_a_deal() -> None:
    assert turning_points(MOMENTS, [None, 9.9, 10.0, -20.0], []) == [TurningPoint(2, 10.0, ())]


def test_a_mistake_turns_a_deal_and_a_note_does_not() -> None:
    findings = [finding(day(5), Weight.NOTE), finding(day(10)), finding(day(12), Weight.BLUNDER)]
    assert turning_points(MOMENTS, [None] * 4, findings) == [TurningPoint(1, None, (1, 2))]


def test_both_at_one_move_are_one_turning_point() -> None:
    turned = turning_points(MOMENTS, [None, None, 30.0, None], [finding(day(20))])
    assert turned == [TurningPoint(2, 30.0, (0,))]


def test_a_deadline_belongs_to_the_move_before_it() -> None:
    assert turning_points(MOMENTS, [None] * 4, [finding(day(29))])[0].move == 2
    assert turning_points(MOMENTS, [None] * 4, [finding(day(99))])[0].move == 3


def test_a_mistake_told_late_belongs_to_the_move_at_which_it_was_made() -> None:
    told_late = finding(day(29), happened_at=day(10))
    assert turning_points(MOMENTS, [None] * 4, [told_late]) == [TurningPoint(1, None, (0,))]


@pytest.mark.parametrize(
    ("estimates", "move"),
    [
        ([60.0, 14.9, 40.0, 14.9, 3.0], 3),
        ([60.0, 15.0], None),
        ([5.0, 5.0], 0),
        ([60.0, None, 5.0], None),
        ([None, 60.0, 5.0], 2),
        ([60.0, 5.0, None], None),
        ([], None),
    ],
)
def test_there_is_no_return_once_the_estimate_stays_low(
    estimates: list[float | None], move: int | None
) -> None:
    assert point_of_no_return(estimates) == move
