"""Time in stage, and outcomes over time, of deals of which many have not ended yet.

An open deal tells that its outcome took longer than it has been open: it is censored. How long
visits last is estimated by E. L. Kaplan and P. Meier, "Nonparametric estimation from incomplete
observations" (1958); which outcome came when, with the others in competition, by O. Aalen and
S. Johansen, "An empirical transition matrix for non-homogeneous Markov chains" (1978). Both are
worked out by statsmodels, `SurvfuncRight` and `CumIncidenceRight`, from how many deals ended, or
were censored, on each day. Who is censored on a day was still there when others ended on it.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum
from statistics import NormalDist
from typing import Any, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from domain.lifecycle import Status
from domain.lifecycle.facts import LostOutcome
from projections.columns.relation import Relation
from projections.flow.asking import Asked, Slice
from projections.flow.visits import StageVisits
from store.errors import StoreError

Integers: TypeAlias = NDArray[np.int64]

_NORMAL = NormalDist().inv_cdf(0.975)
_ROUNDING = 1e-9
"""A share of exactly a half is reached, whatever the last digit of a floating number says."""


class StatisticsMissing(StoreError):
    """The library that estimates survival is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "time in stage and outcomes over time need statsmodels, which is not installed",
            "Install it with the extra: pip install 'dealstate[analysis]'. Visits, cohorts and"
            " stuck deals need nothing.",
        )
        self.args = ()


class Curve(msgspec.Struct, frozen=True):
    """The share that is still there, by days. It falls on the days given, and only then."""

    visits: int
    ended: int
    longest: int
    """Days of the longest visit, ended or not: beyond them nothing is known."""
    days: list[int]
    at_risk: list[int]
    """Still there, and not censored, before that day."""
    left: list[int]
    """On that day."""
    share: list[float]
    """Still there behind that day."""
    low: list[float | None]
    """Of the interval that holds the share with a confidence of 95 %, each day for itself; None
    where nobody is left."""
    high: list[float | None]

    @property
    def censored(self) -> int:
        return self.visits - self.ended

    def days_until(self, left: float) -> int | None:
        """After how many days this share had left, at the earliest; None: it never had."""
        for days, share in zip(self.days, self.share, strict=True):
            if share <= 1 - left + _ROUNDING:
                return days
        return None


def time_in_stage(visits: StageVisits) -> Curve:
    """How long a stage is stayed in. Raises StatisticsMissing.

    Completed visits have ended. Those that go on are censored at the moment asked for, those that
    a merge or a change of the process cut short on that day.
    """
    counts: Counter[tuple[int, bool]] = Counter()
    for lasted, number in visits.lasted.items():
        counts[lasted.days, lasted.completed] += number
    return kaplan_meier(counts)


def kaplan_meier(counts: Mapping[tuple[int, bool], int]) -> Curve:
    """The curve of how many ended (True), or were censored, after how many days.

    The standard error is Greenwood's, Σ d/(n(n - d)) of the log share, and the interval that of the
    log of minus that log, which stays between 0 and 1 (J. Kalbfleisch, R. Prentice, "The
    Statistical Analysis of Failure Time Data", 1980). Raises StatisticsMissing.
    """
    total = sum(counts.values())
    ended = sum(number for (_, has_ended), number in counts.items() if has_ended)
    longest = max((days for days, _ in counts), default=0)
    if not ended:
        return Curve(total, 0, longest, [], [], [], [], [], [])
    days, statuses, weights = _columns(counts)
    found = _statistics().SurvfuncRight(days, statuses, freq_weights=weights)
    at_risk, left = found.n_risk.astype(int).tolist(), found.n_events.astype(int).tolist()
    share: list[float] = found.surv_prob.tolist()
    # With weights, statsmodels gives another standard error: that of the cumulative hazard.
    bands = [_band(one, sum_) for one, sum_ in zip(share, _greenwood(at_risk, left), strict=True)]
    return Curve(
        total,
        ended,
        longest,
        found.surv_times.astype(int).tolist(),
        at_risk,
        left,
        share,
        [low for low, _ in bands],
        [high for _, high in bands],
    )


def _columns(
    counts: Mapping[tuple[int, bool], int] | Mapping[tuple[int, int], int],
) -> tuple[Integers, Integers, Integers]:
    """Days, what happened, and to how many."""
    days, statuses = zip(*counts, strict=True)
    numbers = (days, statuses, tuple(counts.values()))
    return tuple(np.array(column, dtype=np.int64) for column in numbers)  # type: ignore[return-value]


def _greenwood(at_risk: Sequence[int], left: Sequence[int]) -> list[float]:
    """The variance of the log share by each day; infinite where nobody stays."""
    variance, found = 0.0, []
    for n, d in zip(at_risk, left, strict=True):
        variance += d / (n * (n - d)) if n > d else math.inf
        found.append(variance)
    return found


def _band(share: float, variance: float) -> tuple[float | None, float | None]:
    if math.isinf(variance):
        return None, None
    spread = math.exp(_NORMAL * math.sqrt(variance) / abs(math.log(share)))
    return share**spread, share ** (1 / spread)


class Ending(StrEnum):
    """What deals come to, in competition with one another."""

    WON = "won"
    LOST = "lost-to-competitor"
    NO_DECISION = "no-decision"
    OTHER = "other"
    """Withdrawn, disqualified, voided, or nobody knows."""


ENDINGS = tuple(Ending)


class Incidence(msgspec.Struct, frozen=True):
    """Which share of the deals had come to what, by days since their opening."""

    deals: int
    ended: dict[Ending, int]
    longest: int
    """Days for which a deal has been seen at most: beyond them nothing is known."""
    days: list[int]
    """Those on which a deal ended, and 0."""
    at_risk: list[int]
    """Open before that day, and not censored."""
    shares: dict[Ending, list[float]]
    """By each of these days, for every ending."""

    @property
    def censored(self) -> int:
        """Deals that had come to nothing: open, suspended, or merged into another one."""
        return self.deals - sum(self.ended.values())


def aalen_johansen(counts: Mapping[tuple[int, Ending | None], int]) -> Incidence:
    """The shares, of how many deals came to what (None: censored) after how many days.

    Raises StatisticsMissing.
    """
    ended = {one: sum(n for (_, how), n in counts.items() if how is one) for one in ENDINGS}
    deals = sum(counts.values())
    longest = max((days for days, _ in counts), default=0)
    if not any(ended.values()):
        return Incidence(deals, ended, longest, [0], [deals], {one: [0.0] for one in ENDINGS})
    status = {how: number for number, how in enumerate((None, *ENDINGS))}
    numbered = {(days, status[how]): number for (days, how), number in counts.items()}
    # Nobody, so that there are figures for every ending and for the day of the opening.
    for number in status.values():
        numbered.setdefault((0, number), 0)
    days, statuses, weights = _columns(numbered)
    found = _statistics().CumIncidenceRight(days, statuses, freq_weights=weights)
    told = np.isin(found.times, [0, *(day for day, how in counts if how)])
    gone = np.array([weights[days < day].sum() for day in found.times[told]])
    return Incidence(
        deals,
        ended,
        longest,
        found.times[told].tolist(),
        (deals - gone).tolist(),
        {one: found.cinc[number][told].tolist() for number, one in enumerate(ENDINGS)},
    )


def _statistics() -> Any:
    try:
        from statsmodels.duration import survfunc
    except ImportError as error:
        raise StatisticsMissing from error
    return survfunc


class Outcomes(msgspec.Struct, frozen=True):
    """What became of the deals with one value of a dimension."""

    value: str | None
    counts: dict[tuple[int, Ending | None], int]
    """How many deals came to what (None: censored) after how many days."""


def outcome_counts(relation: Relation, asked: Asked) -> list[Outcomes]:
    """What became of the deals that match, by the value of a dimension.

    A deal counts with the outcome that stands at the moment asked for, on its day. Open and
    suspended deals are censored at that moment, merged ones on the day of the merge. Raises
    ValueError for an unknown dimension.
    """
    part = Slice(relation, asked)
    closed = relation.codes("status", [one.value for one in Status if one.closed])
    columns = f"{part.day_until('ended_at')} - {part.days.sql('opened_at')}"
    rows = relation.rows(
        f"SELECT value, final, outcome, greatest({columns}, 0), count(*) FROM ended GROUP BY ALL",
        stood=part.stood(more="outcome, opened_at, closed_at"),
        ended=f"""
            SELECT *, CASE WHEN final IN {closed} THEN coalesce(closed_at, {part.at})
                ELSE {part.at} END AS ended_at
            FROM stood
        """,
    )
    found: dict[str | None, Counter[tuple[int, Ending | None]]] = {}
    for value, final, outcome, days, deals in rows:
        ending = _ending(relation.texts("status")[final], relation.texts("outcome")[outcome])
        found.setdefault(part.value_of(value), Counter())[days, ending] += deals
    return [
        Outcomes(value, dict(found[value]))
        for value in sorted(found, key=lambda one: (one is None, one or ""))
    ]


def _ending(status: str, outcome: str | None) -> Ending | None:
    match Status(status):
        case Status.WON:
            return Ending.WON
        case Status.VOIDED:
            return Ending.OTHER
        case Status.LOST if outcome == LostOutcome.LOST_TO_COMPETITOR:
            return Ending.LOST
        case Status.LOST if outcome == LostOutcome.NO_DECISION:
            return Ending.NO_DECISION
        case Status.LOST:
            return Ending.OTHER
        case _:
            return None
