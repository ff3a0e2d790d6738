"""A deal looked back on: its moves, how likely it was to be won at each, and where it turned.

What was known at a move is all that its estimate rests on: the state behind it on the axis asked
for, and a model trained on deals that were decided, and known, before the month of the move.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from domain.lifecycle import Status
from domain.process import ProcessBook
from projections.cohort.comparison import Compared, Comparison, compare
from projections.cohort.courses import Course
from projections.cohort.features import Standing, Tally, Vector, measures, tallies
from projections.cohort.model import Cohort, Estimate
from projections.cohort.model import Move as Contribution
from projections.findings import Assessment, Finding, Weight
from projections.frames import Frame
from projections.replay import Move, moves_of
from projections.turning import TurningPoint, point_of_no_return, turning_points

_RUNNING = (Status.OPEN, Status.SUSPENDED)


class Cohorts(Protocol):
    """The models by month, and the decided deals that they were trained on."""

    def at(self, moment: datetime) -> Cohort | None:
        """That of the last boundary at or before a moment; None: there is none yet."""
        ...

    def courses(self, moment: datetime) -> Sequence[Course] | None:
        """Those of the deals decided before that boundary; None: they are not at hand."""
        ...

    def boundary(self, moment: datetime) -> datetime:
        """The last boundary at or before a moment."""
        ...


class Judged(msgspec.Struct, frozen=True, eq=False):
    """How likely the deal was to be won behind a move."""

    estimate: Estimate | None = None
    """None: it did not run, or there is no cohort."""
    before: float | None = None
    """As likely by the same model behind the move before, from 0 to 1."""
    moved_by: tuple[Contribution, ...] = ()
    """What moved the log-odds since the move before, the largest change first."""
    measured: Vector | None = None
    """What the estimate rests on; None: the deal did not run."""

    @property
    def fall(self) -> float | None:
        """By how many points, of a hundred, the estimate fell since the move before."""
        after = self.estimate.probability if self.estimate else None
        return None if after is None or self.before is None else 100 * (self.before - after)


class Review(msgspec.Struct, frozen=True):
    """One deal, move by move, and what it comes to."""

    moves: tuple[Move, ...]
    judged: tuple[Judged, ...]
    """For each move."""
    assessment: Assessment
    turning_points: tuple[TurningPoint, ...]
    no_return: int | None
    """Index of the move behind which a lost deal could not be won any more."""

    def main_turning_points(self, most: int) -> list[TurningPoint]:
        """Those at which the most was lost, in order of time.

        The deepest falls take three places of five; the heaviest mistakes have the others.
        """
        falls = [one for one in self.turning_points if one.fall is not None]
        deepest = sorted(falls, key=lambda one: one.fall or 0.0, reverse=True)
        first = deepest[: -(-most * 3 // 5)]
        mistakes = sorted(
            (one for one in self.turning_points if one.findings and one not in first),
            key=self._weight,
            reverse=True,
        )
        chosen = [*first, *mistakes, *(one for one in deepest if one not in first)]
        unique = list({one.move: one for one in chosen}.values())
        return sorted(unique[:most], key=lambda point: point.move)

    def _weight(self, point: TurningPoint) -> tuple[int, int]:
        weights = [self.assessment.findings[number].weight for number in point.findings]
        return weights.count(Weight.BLUNDER), len(weights)


def review(
    frames: Sequence[Frame],
    processes: ProcessBook,
    assessment: Assessment,
    cohorts: Cohorts | None,
    *,
    secrets: bool,
) -> Review:
    """The review of a deal whose frames were folded and judged already.

    Without `cohorts` there are no estimates beside that of the process.
    """
    moves = moves_of(frames, processes, secrets=secrets)
    judged = _judged(frames, moves, processes, cohorts)
    found: Sequence[Finding] = assessment.findings
    return Review(
        moves=tuple(moves),
        judged=judged,
        assessment=assessment,
        turning_points=tuple(
            turning_points([move.at for move in moves], [one.fall for one in judged], found)
        ),
        no_return=_no_return(moves, judged),
    )


def compared(
    seen: Review,
    index: int,
    frames: Sequence[Frame],
    processes: ProcessBook,
    cohorts: Cohorts,
) -> Comparison | None:
    """Where the deal stood behind move `index` among deals that were won; None: it did not run."""
    frame, measured = frames[index], seen.judged[index].measured
    if measured is None:
        return None
    one = Compared.of(frame, measured, processes)
    courses = cohorts.courses(frame.at)
    return None if courses is None else compare(one, cohorts.boundary(frame.at), courses)


def _judged(
    frames: Sequence[Frame],
    moves: Sequence[Move],
    processes: ProcessBook,
    cohorts: Cohorts | None,
) -> tuple[Judged, ...]:
    if cohorts is None:
        return (Judged(),) * len(moves)
    found: list[Judged] = []
    last, model = Judged(), None
    for frame, move, tally in zip(frames, moves, tallies(frames), strict=True):
        measured, cohort = _measured(frame, move, tally, processes), None
        one = Judged()
        if measured is not None:
            cohort = cohorts.at(frame.at)
            one = _one(cohort, last, measured, same=cohort is model)
        found.append(one)
        last, model = one, cohort
    return tuple(found)


def _measured(frame: Frame, move: Move, tally: Tally, processes: ProcessBook) -> Vector | None:
    """None while the deal does not run: then it is known how it ended, or there is none."""
    deal, indicators = frame.after, move.indicators
    if indicators is None or indicators.status not in _RUNNING:
        return None
    assert deal.life.process is not None
    return measures(Standing(deal, processes.get(deal.life.process), indicators, tally))


def _one(cohort: Cohort | None, last: Judged, measured: Vector, *, same: bool) -> Judged:
    """`last` is what was judged of the move before, by the same cohort or another."""
    if cohort is None:
        return Judged(measured=measured)
    estimate = cohort.estimate(measured)
    if cohort.model is None or last.measured is None:
        return Judged(estimate, measured=measured)
    known = last.estimate if same else cohort.estimate(last.measured)
    before = known.probability if known else None
    return Judged(estimate, before, cohort.model.contributions(last.measured, measured), measured)


def _no_return(moves: Sequence[Move], judged: Sequence[Judged]) -> int | None:
    """Of a deal that is lost at its last move, or behind which only remarks follow."""
    last = moves[-1].indicators if moves else None
    if last is None or last.status is not Status.LOST:
        return None
    running = [
        index
        for index, move in enumerate(moves)
        if move.indicators is not None and move.indicators.status in _RUNNING
    ]
    estimates = [one.estimate.probability if one.estimate else None for one in judged]
    before = [estimates[index] for index in running]
    found = point_of_no_return([None if one is None else 100 * one for one in before])
    return None if found is None else running[found]
