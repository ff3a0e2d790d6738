"""How good the cohort estimate was. Probabilities and scores are numbers of four digits."""

import msgspec

from api.wire.values import Instant
from projections.cohort import quality as projected

_DIGITS = 4


class EstimateScore(msgspec.Struct, frozen=True, kw_only=True):
    """Brier scores over some points: 0 is perfect, lower is better. A deal weighs 1 in each."""

    group: str
    """`all`, `point` (where on its way a deal was judged) or `boundary` (of the model)."""
    name: str
    """Of the point, or the moment of the boundary; empty for all."""
    cohort_size: int | None
    """Decided deals behind the model of a boundary; else null."""
    deals: int
    points: int
    won: float
    """Share of the deals that was won."""
    cohort: float
    process: float | None
    """Null: no point has a process estimate."""
    base_rate: float
    """Of a forecast that gives every deal the share of the cohort that was won."""


class ReliabilityBin(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the points whose cohort estimate lay between two bounds."""

    low: float
    high: float
    points: int
    deals: int
    estimated: float | None
    """The mean estimate; null: no points."""
    won: float | None
    """Share of the points that was of deals won later."""


class ScoreParts(msgspec.Struct, frozen=True, kw_only=True):
    """What the cohort's Brier score over all points is made of, by ten steps of the estimate.

    score = reliability - resolution + uncertainty + within, up to rounding.
    """

    reliability: float
    """How far estimates miss the share won, squared: 0 is perfect."""
    resolution: float
    """How far the steps tell the won from the lost: more is better."""
    uncertainty: float
    """Of the outcomes themselves: share won times share not won."""
    within: float
    """What estimates that differ inside a step add, or take off."""


class ScoreDifference(msgspec.Struct, frozen=True, kw_only=True):
    """The cohort's Brier score less another's, with a 95 % interval over deals. Below 0: better."""

    against: str
    """`base-rate` or `process`."""
    deals: int
    mean: float
    low: float
    high: float
    verdict: str
    """`better`, `no-better`, `worse` or `too-few`."""


class EstimateQuality(msgspec.Struct, frozen=True, kw_only=True):
    """How good the cohort estimate was on deals that no model had seen."""

    known_at: Instant
    decided: int
    """Deals won or lost by then."""
    undetermined: int
    """Points at which there was no model, since too few deals had been decided."""
    scores: list[EstimateScore]
    """All first; empty where nothing could be judged."""
    reliability: list[ReliabilityBin]
    parts: ScoreParts | None
    """Null where nothing could be judged."""
    differences: list[ScoreDifference]
    verdict: str
    """Against the base rate, in one sentence."""
    caveats: list[str]
    """What limits the answer."""

    @classmethod
    def of(
        cls, quality: projected.Quality, known_at: Instant, verdict: str, caveats: list[str]
    ) -> "EstimateQuality":
        overall = [] if quality.overall is None else [projected.Group("", quality.overall)]
        return cls(
            known_at=known_at,
            decided=quality.decided,
            undetermined=quality.undetermined,
            scores=[
                *(_score("all", one) for one in overall),
                *(_score("point", one) for one in quality.by_point),
                *(_score("boundary", one) for one in quality.by_boundary),
            ],
            reliability=[_bin(one) for one in quality.reliability],
            parts=None if quality.parts is None else _parts(quality.parts),
            differences=[_difference(one) for one in quality.differences],
            verdict=verdict,
            caveats=caveats,
        )


def _score(group: str, one: projected.Group) -> EstimateScore:
    score = one.score
    return EstimateScore(
        group=group,
        name=one.name,
        cohort_size=one.cohort_size,
        deals=score.deals,
        points=score.points,
        won=_rounded(score.won),
        cohort=_rounded(score.cohort),
        process=_optional(score.process),
        base_rate=_rounded(score.base),
    )


def _bin(one: projected.Bin) -> ReliabilityBin:
    return ReliabilityBin(
        low=_rounded(one.low),
        high=_rounded(one.high),
        points=one.points,
        deals=one.deals,
        estimated=_optional(one.estimated),
        won=_optional(one.won),
    )


def _parts(one: projected.Parts) -> ScoreParts:
    return ScoreParts(
        reliability=_rounded(one.reliability),
        resolution=_rounded(one.resolution),
        uncertainty=_rounded(one.uncertainty),
        within=_rounded(one.within),
    )


def _difference(one: projected.Difference) -> ScoreDifference:
    return ScoreDifference(
        against=one.against,
        deals=one.deals,
        mean=_rounded(one.mean),
        low=_rounded(one.low),
        high=_rounded(one.high),
        verdict=one.verdict.value,
    )


def _rounded(value: float) -> float:
    return round(value, _DIGITS)


def _optional(value: float | None) -> float | None:
    return None if value is None else _rounded(value)
