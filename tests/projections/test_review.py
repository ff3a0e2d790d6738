"""The review of a deal: which turning points stand first, and when there was no return."""

from datetime import datetime

from projections.findings import Assessment, Finding, Weight
from projections.review import Review
from projections.turning import TurningPoint
from tests.projections.test_turning import finding
from tests.scenario import day


def reviewed(points: list[TurningPoint], findings: list[Finding]) -> Review:
    return Review((), (), Assessment(tuple(findings), {}), tuple(points), None)


def at(number: float) -> datetime:
    return day(number)


def test_falls_do_not_crowd_out_mistakes() -> None:
    falls = [TurningPoint(move, float(10 + move), ()) for move in range(6)]
    mistakes = [TurningPoint(10, None, (0,)), TurningPoint(11, None, (1, 2))]
    found = [finding(at(1)), finding(at(2)), finding(at(2))]
    main = reviewed([*falls, *mistakes], found).main_turning_points(5)
    assert [point.move for point in main] == [3, 4, 5, 10, 11]


def test_a_blunder_stands_before_two_mistakes() -> None:
    points = [TurningPoint(1, None, (0, 1)), TurningPoint(2, None, (2,))]
    found = [finding(at(1)), finding(at(1)), finding(at(2), Weight.BLUNDER)]
    assert [p.move for p in reviewed(points, found).main_turning_points(1)] == [2]


def test_without_mistakes_falls_take_all_places() -> None:
    falls = [TurningPoint(move, float(10 + move), ()) for move in range(7)]
    assert [p.move for p in reviewed(falls, []).main_turning_points(5)] == [2, 3, 4, 5, 6]


def test_a_fall_with_a_mistake_is_one_point() -> None:
    points = [TurningPoint(1, 20.0, (0,)), TurningPoint(2, None, (1,))]
    main = reviewed(points, [finding(at(1)), finding(at(2))]).main_turning_points(5)
    assert [p.move for p in main] == [1, 2]
