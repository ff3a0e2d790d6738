"""How good the estimates were: judged on deals that were decided after the models were made.

Every decided deal is judged at fixed points of its way, as it was known then: as it entered each
stage, and 90, 60 and 30 days before its outcome. The model is that of the boundary at or before the
point, so no model has seen the deal that it judges. Points at which the cohort was too small are
counted and left out. The score is Brier's, the mean squared difference of the probability
and the outcome (Monthly Weather Review 78 (1950) 1-3): 0 is perfect, and lower is better. In every
figure a deal weighs 1 however many of its points are in it.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec
import numpy as np
from numpy.typing import NDArray

from domain.deal import DealEvent
from domain.process import ProcessBook
from projections.cohort.courses import outcome_of
from projections.cohort.features import Vector, measures, standing_of, tallies
from projections.cohort.model import Cohort
from projections.cohort.models import CohortModels
from projections.frames import Frame, frames_as_known
from store.interruption import go_on

LEADS = (90, 60, 30)
"""Days before the outcome."""

LEAST_JUDGED = 30
"""Below so many judged deals there is no verdict."""

BINS = 10
_RESAMPLES = 2_000
_SEED = 20260101


class Point(msgspec.Struct, frozen=True, eq=False):
    """A deal at a point at which it is judged."""

    deal_id: str
    name: str
    """`entering <stage>` or `<n> days before`."""
    at: datetime
    won: bool
    process: float | None
    """The process estimate, 0 to 1."""
    measured: Vector


class Judged(msgspec.Struct, frozen=True, eq=False):
    """A point, and what was said of it."""

    point: Point
    boundary: datetime
    cohort_size: int
    cohort: float
    base: float
    """The share of the cohort that was won."""


class Score(msgspec.Struct, frozen=True):
    """Brier scores over some points. Those beside the process estimate's are of the same points."""

    deals: int
    points: int
    won: float
    """Share of the deals that was won, 0 to 1."""
    cohort: float
    base: float
    process: float | None
    """None: no point has a process estimate."""
    without_process: int
    """Points that have none; they are left out of its score alone."""


class Group(msgspec.Struct, frozen=True):
    """The score of the points of one name, or of one boundary."""

    name: str
    score: Score
    cohort_size: int | None = None
    """Of a boundary: the decided deals of its model."""


class Bin(msgspec.Struct, frozen=True):
    """What became of the points whose estimate lay between two bounds."""

    low: float
    high: float
    points: int
    deals: int
    estimated: float | None
    """The mean estimate; None: no points."""
    won: float | None
    """Share of the points that was of deals won later."""


class Parts(msgspec.Struct, frozen=True):
    """What the cohort's Brier score is made of, by the ten steps of the estimate.

    score = reliability - resolution + uncertainty + within: Murphy, Journal of Applied Meteorology
    12 (1973) 595-600; with `within`, which makes it exact for estimates that differ inside a step,
    Stephenson, Coelho and Jolliffe, Weather and Forecasting 23 (2008) 752-757. A deal weighs 1.
    """

    reliability: float
    """By how much the estimates of a step miss the share won there, squared; 0 is perfect."""
    resolution: float
    """By how much the shares of the steps differ from that of all, squared; more is better."""
    uncertainty: float
    """The score of a forecast that gives all the share won of all; nobody can lower it."""
    within: float
    """Of the differences of estimates inside a step: their variance less twice their covariance
    with the outcome."""


class Verdict(StrEnum):
    """What can be said of the cohort estimate beside another forecast."""

    BETTER = "better"
    NO_BETTER = "no-better"
    """The data do not tell them apart."""
    WORSE = "worse"
    TOO_FEW = "too-few"


class Difference(msgspec.Struct, frozen=True):
    """The cohort's Brier score less another's, with a 95 % interval. Negative is better.

    The interval is a paired bootstrap over deals: percentiles of 2,000 resamples (Efron and
    Tibshirani, An Introduction to the Bootstrap, 1993, ch. 13).
    """

    against: str
    deals: int
    mean: float
    low: float
    high: float

    @property
    def verdict(self) -> Verdict:
        """What can be said of the cohort estimate beside the other forecast."""
        if self.deals < LEAST_JUDGED:
            return Verdict.TOO_FEW
        if self.high < 0:
            return Verdict.BETTER
        return Verdict.WORSE if self.low > 0 else Verdict.NO_BETTER


class Quality(msgspec.Struct, frozen=True):
    """How good the estimates were on deals that no model had seen."""

    decided: int
    """Deals that were won or lost by now."""
    undetermined: int
    """Points at which there was no model."""
    overall: Score | None
    """None: no point could be judged."""
    by_point: tuple[Group, ...]
    by_boundary: tuple[Group, ...]
    reliability: tuple[Bin, ...]
    parts: Parts | None
    """Of the overall score of the cohort estimate."""
    differences: tuple[Difference, ...]
    """Against the base rate, and against the process estimate where there are any."""
    verdict: Verdict
    """Against the base rate."""


# Points.


def points_of(events: Sequence[DealEvent], limit: datetime, processes: ProcessBook) -> list[Point]:
    """Where a deal is judged that is decided at the limit; none of any other."""
    outcome = outcome_of(events, limit)
    if outcome is None:
        return []
    frames = frames_as_known(events, known_at=outcome.at)
    counted = tallies(frames)
    found = []
    for name, index, at in _places(frames, outcome.at):
        frame = msgspec.structs.replace(frames[index], learned_at=at)
        standing = standing_of(frame, counted[index], processes)
        if standing is not None:
            percent = standing.indicators.probability
            process = None if percent is None else percent / 100
            deal_id = frame.event.identifier
            found.append(Point(deal_id, name, at, outcome.won, process, measures(standing)))
    return found


def _places(frames: Sequence[Frame], end: datetime) -> Iterator[tuple[str, int, datetime]]:
    """The name of each point, the last frame at it, and its moment."""
    entered: set[str] = set()
    for index, frame in enumerate(frames):
        stage = frame.after.stages.stage
        if stage is not None and stage not in entered and frame.at < end:
            entered.add(stage)
            yield f"entering {stage}", index, frame.at
    for days in LEADS:
        at = end - timedelta(days=days)
        index = sum(frame.at <= at for frame in frames) - 1
        if index >= 0:
            yield f"{days} days before", index, at


# Scores.


def quality(
    models: CohortModels,
    limit: datetime,
    progress: Callable[[int, int], None],
    cohort_at: Callable[[datetime], Cohort | None] | None = None,
) -> Quality:
    """How good the models were on the deals decided by now, the limit.

    `progress` is told how many models are made, and of how many; with `cohort_at`, which gives
    the cohort that holds at a moment where it is there, none is made. Raises AnalysisMissing,
    StoreError; Interrupted.
    """
    portfolio = models.portfolio
    decided = [one.deal_id for one in portfolio.decided(limit)]
    points: list[Point] = []
    for _, events in portfolio.histories(decided):
        go_on()
        points += points_of(events, limit, portfolio.processes)
    if cohort_at is None:
        models.prepare((point.at for point in points), progress)
    look = cohort_at or models.at
    judged = [one for point in points if (one := _judged(point, look(point.at))) is not None]
    return quality_of(judged, len(decided), len(points) - len(judged))


def _judged(point: Point, cohort: Cohort | None) -> Judged | None:
    if cohort is None:
        return None
    said, base = cohort.estimate(point.measured).probability, cohort.base_rate
    if said is None or base is None:
        return None
    return Judged(point, cohort.boundary, cohort.size, said, base)


def quality_of(judged: Sequence[Judged], decided: int, undetermined: int) -> Quality:
    """The scores of points that were judged."""
    against_base = _difference("base-rate", judged, lambda one: one.base)
    with_process = [one for one in judged if one.point.process is not None]
    against_process = _difference("process", with_process, lambda one: one.point.process or 0.0)
    return Quality(
        decided,
        undetermined,
        _score(judged) if judged else None,
        tuple(Group(name, _score(some)) for name, some in _by(judged, _name)),
        tuple(
            Group(name, _score(some), some[0].cohort_size) for name, some in _by(judged, _boundary)
        ),
        _reliability(judged),
        _parts(judged) if judged else None,
        tuple(one for one in (against_base, against_process) if one is not None),
        against_base.verdict if against_base else Verdict.TOO_FEW,
    )


def _name(one: Judged) -> str:
    return one.point.name


def _boundary(one: Judged) -> str:
    return one.boundary.isoformat()


def _by(judged: Iterable[Judged], key: Callable[[Judged], str]) -> list[tuple[str, list[Judged]]]:
    groups: dict[str, list[Judged]] = {}
    for one in judged:
        groups.setdefault(key(one), []).append(one)
    return sorted(groups.items())


def _score(judged: Sequence[Judged]) -> Score:
    with_process = [one for one in judged if one.point.process is not None]
    outcomes = {one.point.deal_id: one.point.won for one in judged}
    return Score(
        len(outcomes),
        len(judged),
        sum(outcomes.values()) / len(outcomes),
        _mean(judged, lambda one: one.cohort),
        _mean(judged, lambda one: one.base),
        _mean(with_process, lambda one: one.point.process or 0.0) if with_process else None,
        len(judged) - len(with_process),
    )


def _mean(judged: Sequence[Judged], said: Callable[[Judged], float]) -> float:
    return float(_by_deal(judged, said).mean())


def _by_deal(judged: Sequence[Judged], said: Callable[[Judged], float]) -> NDArray[np.float64]:
    """The mean squared error of each deal, in order of their ids."""
    errors: dict[str, list[float]] = {}
    for one in judged:
        errors.setdefault(one.point.deal_id, []).append((said(one) - one.point.won) ** 2)
    return np.array([sum(some) / len(some) for _, some in sorted(errors.items())])


def _difference(
    against: str, judged: Sequence[Judged], said: Callable[[Judged], float]
) -> Difference | None:
    if not judged:
        return None
    by_deal = _by_deal(judged, lambda one: one.cohort) - _by_deal(judged, said)
    rng = np.random.default_rng(_SEED)
    drawn = rng.integers(0, len(by_deal), (_RESAMPLES, len(by_deal)))
    low, high = np.quantile(by_deal[drawn].mean(axis=1), (0.025, 0.975))
    return Difference(against, len(by_deal), float(by_deal.mean()), float(low), float(high))


def _reliability(judged: Sequence[Judged]) -> tuple[Bin, ...]:
    bins: list[list[Judged]] = [[] for _ in range(BINS)]
    for one in judged:
        bins[_bin(one)].append(one)
    return tuple(
        Bin(
            index / BINS,
            (index + 1) / BINS,
            len(some),
            len({one.point.deal_id for one in some}),
            sum(one.cohort for one in some) / len(some) if some else None,
            sum(one.point.won for one in some) / len(some) if some else None,
        )
        for index, some in enumerate(bins)
    )


def _bin(one: Judged) -> int:
    return min(int(one.cohort * BINS), BINS - 1)


def _parts(judged: Sequence[Judged]) -> Parts:
    points = Counter(one.point.deal_id for one in judged)
    weights = np.array([1 / points[one.point.deal_id] for one in judged]) / len(points)
    said = np.array([one.cohort for one in judged])
    won = np.array([float(one.point.won) for one in judged])
    bins = np.array([_bin(one) for one in judged])
    share = float(weights @ won)
    reliability = resolution = within = 0.0
    for index in set(bins.tolist()):
        w, f, o = (column[bins == index] for column in (weights, said, won))
        total = w.sum()
        mean, rate = w @ f / total, w @ o / total
        reliability += total * (mean - rate) ** 2
        resolution += total * (rate - share) ** 2
        within += w @ (f - mean) ** 2 - 2 * (w @ ((f - mean) * (o - rate)))
    return Parts(float(reliability), float(resolution), share * (1 - share), float(within))
