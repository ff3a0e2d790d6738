"""Fitting the model of one boundary to the courses of the deals decided before it.

The rows of a deal in one stage weigh 1 together, so a deal counts once in each stage that it
reached, however much was recorded of it. Were it all rows of a deal together, who went on
to later stages, as won deals do, would count less in the early ones, and estimates there would
be too low. Features are standardised by weighted mean and deviation; the coefficients, not the
intercept, are shrunk by a ridge penalty. How strongly is chosen in time order: what is fitted to
the first half of the deals is judged by its log loss on the third quarter, and what is fitted to
the first three on the last.

The rows of one deal share an outcome and are no independent observations. So the covariance is the
cluster-robust sandwich H⁻¹ B H⁻¹ · G/(G - 1) with H = XᵀWX + λP the Hessian of the penalised
loss, B = Σ s_g s_gᵀ and s_g = Σ wᵢ (yᵢ - pᵢ) xᵢ over the rows of deal g, of G deals: Liang and
Zeger, Biometrika 73 (1986) 13-22; G/(G - 1) as in Cameron and Miller, Journal of Human
Resources 50 (2015) 317-372, eq. 12 and its footnote; with the penalised Hessian as in Gray, JASA
87 (1992) 942-951.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from itertools import pairwise

import msgspec
import numpy as np
from numpy.typing import NDArray

from projections.cohort.courses import STAGE, Course
from projections.cohort.features import FEATURES, Matrix, Vector, features_of_all
from projections.cohort.model import Model
from store.errors import StoreError

STRENGTHS = (1.0, 3.0, 10.0, 30.0, 100.0)
"""Penalties that are tried, λ in ½ λ |b|² beside the weighted log loss."""

_PARTS = (0.5, 0.75, 1.0)


class AnalysisMissing(StoreError):
    """The library that fits models is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "the cohort estimate needs scikit-learn, which is not installed",
            "Install it with the extra: pip install 'dealstate[analysis]'. The process estimate"
            " needs nothing.",
        )
        self.args = ()


class _Rows(msgspec.Struct, frozen=True, eq=False):
    """The rows of some deals, one deal behind the other."""

    columns: Matrix
    won: Vector
    weights: Vector
    starts: NDArray[np.int64]
    """Index of the first row of each deal."""

    @classmethod
    def of(cls, courses: Sequence[Course]) -> "_Rows":
        counts = np.array([len(one.moments) for one in courses])
        won = np.array([one.won for one in courses], dtype=np.float64)
        return cls(
            features_of_all(np.concatenate([one.measured for one in courses])),
            np.repeat(won, counts),
            np.concatenate([_weights(one) for one in courses]),
            np.concatenate(([0], np.cumsum(counts)[:-1])),
        )

    def head(self, deals: int) -> "_Rows":
        end = self.starts[deals] if deals < len(self.starts) else len(self.won)
        return _Rows(self.columns[:end], self.won[:end], self.weights[:end], self.starts[:deals])

    def tail(self, deals: int) -> "_Rows":
        start = self.starts[deals]
        starts = self.starts[deals:] - start
        return _Rows(self.columns[start:], self.won[start:], self.weights[start:], starts)


def _weights(course: Course) -> Vector:
    """Of each row: one over the rows of the deal in the same stage."""
    _, stages, rows = np.unique(course.codes[:, STAGE], return_inverse=True, return_counts=True)
    weights: Vector = 1 / rows[stages]
    return weights


def train(courses: Sequence[Course]) -> Model | None:
    """The model of these deals; None where all of them ended alike. Raises AnalysisMissing."""
    if len({one.won for one in courses}) < 2:
        return None
    in_order = sorted(courses, key=lambda one: (one.closed_at, one.deal_id))
    with _one_thread():
        rows = _Rows.of(in_order)
        return _model(rows, _strength(rows))


def fitted(courses: Sequence[Course], strength: float) -> Model:
    """The model of these deals, not all of which ended alike, under one penalty."""
    with _one_thread():
        return _model(_Rows.of(courses), strength)


def _one_thread() -> AbstractContextManager[object]:
    """Linear algebra in this thread alone: for matrices so narrow, more threads only wait.

    Raises AnalysisMissing.
    """
    try:
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]
    except ImportError as error:
        raise AnalysisMissing from error
    alone: AbstractContextManager[object] = threadpool_limits(limits=1)
    return alone


def _strength(rows: _Rows) -> float:
    """The penalty that does best on deals decided later; of equal ones the strongest."""
    losses = dict.fromkeys(STRENGTHS, 0.0)
    deals = len(rows.starts)
    for begin, end in pairwise(int(part * deals) for part in _PARTS):
        earlier = rows.head(begin)
        if len(set(earlier.won)) < 2:
            return STRENGTHS[-1]
        later = rows.head(end).tail(begin)
        for strength in STRENGTHS:
            losses[strength] += _loss(_fit(earlier, strength), later)
    return min(reversed(STRENGTHS), key=lambda one: losses[one])


class _Fit(msgspec.Struct, frozen=True, eq=False):
    means: Vector
    scales: Vector
    intercept: float
    coefficients: Vector

    def chances(self, columns: Matrix) -> Vector:
        eta = self.intercept + ((columns - self.means) / self.scales) @ self.coefficients
        chances: Vector = 1 / (1 + np.exp(-eta.clip(-50, 50)))
        return chances


def _loss(fit: _Fit, rows: _Rows) -> float:
    chances = fit.chances(rows.columns)
    right = np.where(rows.won > 0, chances, 1 - chances)
    return float(-rows.weights @ np.log(right))


def _fit(rows: _Rows, strength: float) -> _Fit:
    try:
        from sklearn.linear_model import LogisticRegression
    except ImportError as error:
        raise AnalysisMissing from error

    weights, columns = rows.weights, rows.columns
    means = np.average(columns, axis=0, weights=weights)
    scales = np.sqrt(np.average((columns - means) ** 2, axis=0, weights=weights))
    scales[scales < 1e-9] = 1.0
    regression = LogisticRegression(
        C=1 / strength, solver="newton-cholesky", tol=1e-8, max_iter=200
    )
    regression.fit((columns - means) / scales, rows.won, sample_weight=weights)
    return _Fit(means, scales, float(regression.intercept_[0]), regression.coef_[0])


def _model(rows: _Rows, strength: float) -> Model:
    fit = _fit(rows, strength)
    return Model(
        features=FEATURES,
        means=tuple(fit.means.tolist()),
        scales=tuple(fit.scales.tolist()),
        intercept=fit.intercept,
        coefficients=tuple(fit.coefficients.tolist()),
        covariance=tuple(tuple(row) for row in _covariance(rows, fit, strength).tolist()),
        strength=strength,
    )


def _covariance(rows: _Rows, fit: _Fit, strength: float) -> Matrix:
    """The sandwich, of the intercept and the coefficients."""
    ones = np.ones((len(rows.columns), 1))
    x = np.hstack((ones, (rows.columns - fit.means) / fit.scales))
    chances = fit.chances(rows.columns)
    hessian = (x * (rows.weights * chances * (1 - chances))[:, None]).T @ x
    hessian[1:, 1:] += strength * np.eye(len(FEATURES))
    scores = np.add.reduceat(x * (rows.weights * (rows.won - chances))[:, None], rows.starts)
    deals = len(rows.starts)
    half = np.linalg.solve(hessian, scores.T)
    covariance: Matrix = half @ half.T * (deals / (deals - 1))
    return covariance
