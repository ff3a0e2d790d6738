"""Comparison: where a deal stands among won deals at the same age, measure by measure.

Compared are won deals decided before the frame's boundary, each as it stood on the same day of its
life, if it still ran then. They match on business type, purchase method, size band and the phase
that the stage assumes. Where fewer than ten match, criteria are dropped in the order of `RELAXED`
until ten do; the age stays.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from domain.process import ProcessBook
from projections.cohort.courses import UNKNOWN, Course, Traits
from projections.cohort.features import MEASURES, Vector
from projections.frames import Frame
from projections.instants import micros

LEAST_MATCHING = 10
"""Below so many won deals there is no comparison."""

_BANDS = 3

Mask: TypeAlias = NDArray[np.bool_]


class Criterion(StrEnum):
    """What compared deals have in common."""

    SIZE = "size"
    """Which third of the compared deals in the currency the amount is in; not known is its own."""
    PURCHASE_METHOD = "purchase-method"
    BUSINESS_TYPE = "business-type"
    STATE = "state"
    """The phase of the decision cycle that the stage assumes, else the stage."""


RELAXED = tuple(Criterion)
"""The order in which criteria are dropped."""


class Place(msgspec.Struct, frozen=True):
    """Where the deal stands in one measure."""

    measure: str
    value: float
    """Of the deal."""
    median: float
    """Of the compared deals."""
    percentile: float
    """Mid-rank, 0 to 100: how many stand lower, and half of those that stand equal."""
    count: int
    """Compared deals in which the measure is known."""


class Comparison(msgspec.Struct, frozen=True):
    """A deal among won deals. Without places: too few are comparable."""

    boundary: datetime
    """Before which they were decided."""
    won: int
    """Compared with so many."""
    matched_on: tuple[Criterion, ...]
    relaxed: tuple[Criterion, ...]
    """What was dropped, in this order, to find enough."""
    places: tuple[Place, ...] = ()


class Compared(msgspec.Struct, frozen=True, eq=False):
    """The deal at the frame."""

    deal_id: str
    opened_at: datetime
    at: datetime
    currency: str
    traits: Traits
    measured: Vector

    @classmethod
    def of(cls, frame: Frame, measured: Vector, processes: ProcessBook) -> "Compared":
        """The deal behind a frame at which it runs, and what was measured of it there."""
        deal = frame.after
        life = deal.life
        assert life.opened_at is not None
        assert life.process is not None
        return cls(
            frame.event.identifier,
            life.opened_at,
            frame.at,
            life.currency or "",
            Traits.of(deal, processes.get(life.process)),
            measured,
        )


def compare(one: Compared, boundary: datetime, courses: Sequence[Course]) -> Comparison:
    """Where a deal stands among the won ones of `courses`, those decided before the boundary."""
    age = micros(one.at) - micros(one.opened_at)
    before = micros(boundary)
    rows = [
        (course, course.row_at(course.opened_at + age))
        for course in courses
        if course.won and course.closed_at < before and course.deal_id != one.deal_id
    ]
    then = [(course, row) for course, row in rows if row is not None]
    if len(then) < LEAST_MATCHING:
        return Comparison(boundary, len(then), (), RELAXED)
    alike = _alike(one, then)
    for dropped in range(len(RELAXED) + 1):
        kept = RELAXED[dropped:]
        matching = _all_of(alike, kept, len(then))
        if matching.sum() >= LEAST_MATCHING:
            break
    others = np.array([course.measured[row] for course, row in then])[matching]
    places = tuple(_places(one.measured, others))
    return Comparison(boundary, len(others), kept, RELAXED[:dropped], places)


def _all_of(alike: Mapping[Criterion, Mask], kept: Iterable[Criterion], count: int) -> Mask:
    """Which of so many deals match in all that is kept."""
    matching: Mask = np.ones(count, dtype=np.bool_)
    for criterion in kept:
        matching &= alike[criterion]
    return matching


def _alike(one: Compared, then: Sequence[tuple[Course, int]]) -> dict[Criterion, Mask]:
    """By criterion: which of the deals match the one."""
    codes = np.array([course.codes[row] for course, row in then], dtype=np.int8)
    same: Mask = codes == np.array(one.traits.codes, dtype=np.int8)
    business_type, method, phase, stage = same.T
    # Where the stages of a process tell no phase, it is the stage that counts.
    state: Mask = phase if one.traits.phase != UNKNOWN else phase & stage
    return {
        Criterion.SIZE: _same_size(one, then),
        Criterion.PURCHASE_METHOD: method,
        Criterion.BUSINESS_TYPE: business_type,
        Criterion.STATE: state,
    }


def _same_size(one: Compared, then: Sequence[tuple[Course, int]]) -> Mask:
    amounts = np.array([course.amounts[row] for course, row in then], dtype=np.float64)
    here: Mask = np.array([course.currency == one.currency for course, _ in then], dtype=np.bool_)
    unknown: Mask = np.isnan(amounts)
    known: Mask = here & ~unknown
    if np.isnan(one.traits.amount):
        return here & unknown
    if not known.any():
        return known
    cuts = np.quantile(amounts[known], [band / _BANDS for band in range(1, _BANDS)])
    bands = np.searchsorted(cuts, amounts)
    same: Mask = known & (bands == np.searchsorted(cuts, one.traits.amount))
    return same


def _places(measured: Vector, others: NDArray[np.float32]) -> list[Place]:
    """A place for each measure that is known of the deal and of ten others at least."""
    places = []
    for index, ours in enumerate(measured.astype(np.float32)):
        theirs = others[:, index]
        theirs = theirs[~np.isnan(theirs)]
        if np.isnan(ours) or len(theirs) < LEAST_MATCHING:
            continue
        rank = (theirs < ours).sum() + (theirs == ours).sum() / 2
        places.append(
            Place(
                MEASURES[index].name,
                float(measured[index]),
                float(np.median(theirs)),
                100 * float(rank) / len(theirs),
                len(theirs),
            )
        )
    return places
