"""How good recorded probabilities were: the Brier score, its parts, reliability; pure functions.

Probabilities are whole per cents, so deals that share one share it exactly, and Murphy's
decomposition, which is of groups with one forecast each, holds exactly; figures are fractions.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import sqrt
from statistics import NormalDist
from typing import NamedTuple

import msgspec

FEWEST = 30
"""Below so many decided deals there is no score."""

MOST_VALUES = 12
"""Up to so many different probabilities each has a row of its own; more are taken by tens."""

_Z = NormalDist().inv_cdf(0.975)


class Said(NamedTuple):
    """Decided deals of which the same was said."""

    percent: int
    deals: int
    won: int


class Brier(msgspec.Struct, frozen=True):
    """The mean squared difference of probability and outcome, 0 to 1; 0 is perfect.

    score = reliability - resolution + uncertainty, exactly. The score is that of G. W. Brier,
    Monthly Weather Review 78 (1950) 1-3, in the form for one event; its parts those of A. H.
    Murphy, Journal of Applied Meteorology 12 (1973) 595-600.
    """

    deals: int
    won: int
    score: Fraction
    reliability: Fraction
    """By how much probabilities miss the share won where they were given, squared."""
    resolution: Fraction
    """By how much those shares differ from that of all, squared; more is better."""
    uncertainty: Fraction
    """The score of saying the base rate of every deal."""

    @property
    def base_rate(self) -> Fraction:
        """The share of the deals that was won."""
        return Fraction(self.won, self.deals)

    @property
    def skill(self) -> Fraction | None:
        """1 - score ÷ uncertainty: 1 is perfect, 0 as good as the base rate.

        None: all ended alike, which the base rate tells without fault.
        """
        return 1 - self.score / self.uncertainty if self.uncertainty else None


class Bin(msgspec.Struct, frozen=True):
    """What became of the deals of which about the same was said."""

    low: int
    """Per cent; this and `high` are the least and the most that the bin takes."""
    high: int
    deals: int
    won: int
    said: Fraction
    """The mean probability, 0 to 1."""
    least: float
    """Of the 95 % interval of the share won, 0 to 1."""
    most: float

    @property
    def share(self) -> Fraction:
        """Of the deals that was won."""
        return Fraction(self.won, self.deals)


def brier_of(said: Iterable[Said]) -> Brier | None:
    """The score of these deals and its parts; None of no deals."""
    by_percent = _by_percent(said)
    deals, won = (sum(column) for column in zip((0, 0), *by_percent.values(), strict=True))
    if not deals:
        return None
    base = Fraction(won, deals)
    score = reliability = resolution = Fraction(0)
    for percent, (count, hits) in by_percent.items():
        stated, share = Fraction(percent, 100), Fraction(hits, count)
        score += hits * (stated - 1) ** 2 + (count - hits) * stated**2
        reliability += count * (stated - share) ** 2
        resolution += count * (share - base) ** 2
    return Brier(
        deals, won, score / deals, reliability / deals, resolution / deals, base * (1 - base)
    )


def bins_of(said: Iterable[Said]) -> list[Bin]:
    """Reliability by each probability that was given, or by tens where there are many."""
    by_percent = _by_percent(said)
    if len(by_percent) <= MOST_VALUES:
        return [_bin(one, one, [Said(one, *by_percent[one])]) for one in sorted(by_percent)]
    by_ten: defaultdict[int, list[Said]] = defaultdict(list)
    for percent, counts in by_percent.items():
        by_ten[min(percent // 10, 9)].append(Said(percent, *counts))
    # The last ten takes certainty in.
    return [_bin(10 * n, 100 if n == 9 else 10 * n + 9, by_ten[n]) for n in sorted(by_ten)]


def _by_percent(said: Iterable[Said]) -> dict[int, tuple[int, int]]:
    found: dict[int, tuple[int, int]] = {}
    for one in said:
        deals, won = found.get(one.percent, (0, 0))
        if one.deals:
            found[one.percent] = (deals + one.deals, won + one.won)
    return found


def _bin(low: int, high: int, said: Sequence[Said]) -> Bin:
    deals, won = sum(one.deals for one in said), sum(one.won for one in said)
    mean = Fraction(sum(one.deals * one.percent for one in said), 100 * deals)
    return Bin(low, high, deals, won, mean, *wilson(won, deals))


def wilson(won: int, deals: int) -> tuple[float, float]:
    """The 95 % interval of a share, from 0 to 1, of at least one deal.

    E. B. Wilson, Journal of the American Statistical Association 22 (1927) 209-212: unlike the
    usual one it holds for few deals, and where all or none was won.
    """
    share, spread = won / deals, _Z**2 / deals
    middle = (share + spread / 2) / (1 + spread)
    half = sqrt(share * (1 - share) * spread + spread**2 / 4) / (1 + spread)
    return max(middle - half, 0.0), min(middle + half, 1.0)
