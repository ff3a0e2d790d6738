"""A model of the cohort estimate: plain data, and what it says of one deal at one moment.

The probability is 1 / (1 + exp(-η)) with η = b₀ + Σ bⱼ zⱼ, and zⱼ the feature less its mean,
over its scale. Its interval is that of η, η ± 1.645 √(zᵀ V z), brought to probabilities: 90 % of
such intervals hold the value that fits of the same form scatter about. V is the cluster-robust
covariance that `training` computes.
"""

from datetime import datetime
from functools import cached_property
from math import exp, sqrt

import msgspec
import numpy as np

from projections.cohort.features import (
    FEATURES,
    MEASURE_OF,
    NAMES,
    VERSION,
    Matrix,
    Vector,
    features,
)

Z90 = 1.6448536269514722
"""Half the width of a 90 % interval of the normal distribution, in standard deviations."""

LEAST = 100
"""Below so many decided deals there is no estimate."""


class Estimate(msgspec.Struct, frozen=True):
    """How likely the deal is won, from 0 to 1, with its 90 % interval.

    `probability` and its bounds are None where the estimate is undetermined: the cohort is too
    small, or all of it ended alike.
    """

    cohort: int
    """Decided deals that it rests on."""
    boundary: datetime
    """Up to when they were decided and known."""
    probability: float | None = None
    low: float | None = None
    high: float | None = None


class Move(msgspec.Struct, frozen=True):
    """What one measure did to the log-odds between two moments."""

    measure: str
    change: float
    """In log-odds: positive towards winning."""


class Model(msgspec.Struct, frozen=True, dict=True):
    """A fitted regression. Lists are in the order of `features`."""

    features: tuple[str, ...]
    means: tuple[float, ...]
    scales: tuple[float, ...]
    intercept: float
    coefficients: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]
    """Of the intercept and the coefficients."""
    strength: float
    """Of the shrinking: λ in ½ λ |b|²."""
    version: int = VERSION

    @property
    def fits(self) -> bool:
        """Whether it is of the features as they are made now, and whole."""
        size = len(FEATURES)
        sizes = {len(self.means), len(self.scales), len(self.coefficients)}
        square = {len(self.covariance), *map(len, self.covariance)}
        ours = self.version == VERSION and self.features == FEATURES
        return ours and sizes == {size} and square == {size + 1}

    @cached_property
    def _arrays(self) -> tuple[float, Vector, Matrix]:
        """η is the first and features times the second; its variance cᵀQc, with c 1 and the
        features, and Q the third. So features are not standardised for each vector anew."""
        scales, means = np.array(self.scales), np.array(self.means)
        slopes = np.array(self.coefficients) / scales
        standardised = np.zeros((len(scales) + 1, len(scales) + 1))
        standardised[0, 0] = 1
        standardised[1:, 0] = -means / scales
        standardised[1:, 1:] = np.diag(1 / scales)
        covariance = standardised.T @ np.array(self.covariance) @ standardised
        return self.intercept - float(means @ slopes), slopes, covariance

    def log_odds(self, measured: Vector) -> tuple[float, float]:
        """η of a vector of measures, and its standard error."""
        constant, slopes, covariance = self._arrays
        columns = features(measured)
        with_one = np.concatenate(([1.0], columns))
        variance = float(with_one @ covariance @ with_one)
        # What is rounded may bring a variance of nearly nothing below it.
        return constant + float(columns @ slopes), sqrt(max(variance, 0.0))

    def contributions(self, before: Vector, after: Vector) -> tuple[Move, ...]:
        """What moved the log-odds between two vectors of measures, the largest change first.

        Both are judged by this model, so that a change of model is no move of the deal. The
        changes sum up to the change of η.
        """
        by_feature = self._arrays[1] * (features(after) - features(before))
        changes = np.bincount(np.array(MEASURE_OF), by_feature, len(NAMES))
        moved = [Move(NAMES[i], float(changes[i])) for i in np.flatnonzero(changes)]
        return tuple(sorted(moved, key=lambda one: (-abs(one.change), one.measure)))


class Cohort(msgspec.Struct, frozen=True):
    """The decided deals of one boundary, and the model of them, where they are enough for one."""

    boundary: datetime
    won: int
    lost: int
    model: Model | None = None

    @property
    def size(self) -> int:
        return self.won + self.lost

    @property
    def base_rate(self) -> float | None:
        """Which share of them was won; None: there are none."""
        return self.won / self.size if self.size else None

    def estimate(self, measured: Vector) -> Estimate:
        """How likely a deal with these measures is won."""
        if self.model is None:
            return Estimate(self.size, self.boundary)
        eta, error = self.model.log_odds(measured)
        chances = [_chance(eta + z * error) for z in (0, -Z90, Z90)]
        return Estimate(self.size, self.boundary, *chances)


def _chance(eta: float) -> float:
    return 1 / (1 + exp(-eta)) if eta > -700 else 0.0
