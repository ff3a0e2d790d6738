"""The features of the cohort estimate: what of a deal's state it looks at, always in one order.

A **measure** is one number of the deal as it stands, in its own unit; not known is NaN. A
**feature** is a column of the regression: a measure brought to a scale on which one step
means about the same everywhere, with 0 in place of what is not known, or a flag that says
whether a measure is known. Nothing of it is derived from secrets.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from math import isnan, log, log1p, nan

import msgspec
import numpy as np
from numpy.typing import NDArray

from domain.buying.facts import CriteriaStatus, ProposalKind, VendorStatus
from domain.competition.facts import Rank
from domain.corrections import EventWithdrawn
from domain.deal import Deal
from domain.lifecycle import Status
from domain.process import ProcessBook, SalesProcess
from domain.stages.facts import ForecastRevised
from domain.values import OURSELVES, BusinessType
from projections.frames import Frame
from projections.indicators import Indicators, indicators

VERSION = 1
"""Of the measures and of how features are made of them. Models of another version are not used."""

Vector = NDArray[np.float64]
"""One number for each measure, or each feature."""
Matrix = NDArray[np.float64]
"""A vector a row."""


class Tally(msgspec.Struct, frozen=True):
    """What of a deal's course the features need and its state does not keep."""

    pushes: frozenset[int] = frozenset()
    """Versions of the events that moved the expected close to a later day."""
    amounts: tuple[tuple[datetime, int, Decimal], ...] = ()
    """Each amount that was forecast: when, in which version, how much."""

    def after(self, frame: Frame) -> "Tally":
        """The tally behind a frame; frames come in the order of their moments."""
        match frame.event.fact:
            case ForecastRevised():
                return self._revised(frame, frame.event.fact)
            case EventWithdrawn(versions=gone):
                return Tally(
                    self.pushes.difference(gone),
                    tuple(one for one in self.amounts if one[1] not in gone),
                )
            case _:
                return self

    def _revised(self, frame: Frame, fact: ForecastRevised) -> "Tally":
        pushes, amounts, event = self.pushes, self.amounts, frame.event
        old, new = frame.before.stages.expected_close, fact.expected_close
        if old and new and new > old:
            pushes |= {event.version}
        if fact.amount:
            amounts = (*amounts, (event.occurred_at, event.version, fact.amount.amount))
        return Tally(pushes, amounts)

    @property
    def first_amount(self) -> Decimal | None:
        """The amount forecast first, by when it was so."""
        return min(self.amounts)[2] if self.amounts else None


class Standing(msgspec.Struct, frozen=True):
    """One deal at one moment, as the measures see it."""

    deal: Deal
    process: SalesProcess
    indicators: Indicators
    tally: Tally

    @classmethod
    def of(cls, deal: Deal, process: SalesProcess, at: datetime, tally: Tally) -> "Standing":
        """`deal` is the state at `at`, was opened and runs under `process`."""
        return cls(deal, process, indicators(deal, process, at), tally)


def standing_of(frame: Frame, tally: Tally, processes: ProcessBook) -> Standing | None:
    """The deal behind a frame; None where it does not run, or its process is not known."""
    deal, ref = frame.after, frame.after.life.process
    opened = deal.life.opened_at is not None
    runs = opened and deal.life.status in (Status.OPEN, Status.SUSPENDED)
    if not runs or ref is None or ref not in processes:
        return None
    return Standing.of(deal, processes.get(ref), frame.at, tally)


class Measure(msgspec.Struct, frozen=True):
    """One number of a deal, and the scale that makes a feature of it."""

    name: str
    """Of the indicator, or of the public fact."""
    read: Callable[[Standing], float | None]
    scale: str = "linear"
    """`linear`; `log`: sign(x) · ln(1 + |x|); `logit`: ln(p / (1 - p)) of per cent, 2 to 98."""
    flagged: bool = False
    """Whether a second feature says if it is known."""


def _probability(one: Standing) -> float | None:
    return one.indicators.probability


def _gate(one: Standing) -> float | None:
    total = one.indicators.gate_total
    return one.indicators.gate_met / total if total else None


_RANKS = {Rank.LEADING: 1.0, Rank.LEVEL: 0.0, Rank.LAGGING: -1.0}


def _position(one: Standing) -> float | None:
    rank = one.indicators.position
    return None if rank is None else _RANKS.get(rank)


def _amount_growth(one: Standing) -> float | None:
    """ln of the amount over that forecast first: currencies and sizes cancel out."""
    first, amount = one.tally.first_amount, one.indicators.amount
    if not first or amount is None or not amount.amount:
        return None
    return log(amount.amount / first)


def _conceded(one: Standing) -> float | None:
    """What our concessions cost so far, as a share of the amount, at most all of it."""
    conceded, amount = one.indicators.conceded, one.indicators.amount
    if conceded is None or amount is None or not amount.amount:
        return None
    return float(max(min(conceded / amount.amount, Decimal(1)), Decimal(-1)))


def _new_business(one: Standing) -> float | None:
    kind = one.deal.life.business_type
    return None if kind is None else float(kind is BusinessType.NEW)


def _tender(one: Standing) -> float | None:
    return None if one.deal.purchase.mode is None else float(one.deal.purchase.tender)


_CRITERIA = {CriteriaStatus.WITH_US: 1.0, CriteriaStatus.WITH_COMPETITOR: -1.0}


def _criteria(one: Standing) -> float:
    seen = one.deal.purchase.criteria_status
    return 0.0 if seen is None else _CRITERIA.get(seen.fact.status, 0.0)


def _choice(one: Standing) -> float:
    """1: we are their first choice; -1: somebody else is, or we are out."""
    purchase = one.deal.purchase
    first, ours = purchase.first_choice, purchase.vendor_status(OURSELVES)
    if ours is not None and ours.fact.status is VendorStatus.OUT:
        return -1.0
    if first is None:
        return 0.0
    return 1.0 if first.fact.vendor == OURSELVES else -1.0


def _regressions(one: Standing) -> float:
    places = [one.process.position(visit.stage) for visit in one.deal.stages.visits]
    known = [place for place in places if place is not None]
    return sum(later < earlier for earlier, later in pairwise(known))


MEASURES: tuple[Measure, ...] = (
    Measure("process-probability", _probability, "logit", flagged=True),
    Measure("gate-met", _gate, flagged=True),
    Measure("day", lambda one: one.indicators.day, "log"),
    Measure("days-in-stage", lambda one: one.indicators.days_in_stage, "log"),
    Measure("alignment", lambda one: one.indicators.alignment, flagged=True),
    Measure("roles-filled", lambda one: one.indicators.roles_filled),
    Measure("people-contacted", lambda one: one.indicators.people_contacted, "log"),
    Measure("contacts", lambda one: one.indicators.contacts, "log"),
    Measure(
        "days-since-contact", lambda one: one.indicators.days_since_contact, "log", flagged=True
    ),
    Measure(
        "days-since-decision-maker-met",
        lambda one: one.indicators.days_since_decision_maker_met,
        "log",
        flagged=True,
    ),
    Measure("support", lambda one: one.indicators.support, "log"),
    Measure("open-concerns", lambda one: one.indicators.open_concerns, "log"),
    Measure("position", _position, flagged=True),
    Measure("amount-growth", _amount_growth, flagged=True),
    Measure(
        "days-to-expected-close",
        lambda one: one.indicators.days_to_expected_close,
        "log",
        flagged=True,
    ),
    Measure("conceded", _conceded),
    Measure("new-business", _new_business, flagged=True),
    Measure("tender", _tender, flagged=True),
    Measure("competitors", lambda one: len(one.deal.field.competitors), "log"),
    Measure(
        "explicit-needs", lambda one: sum(need.explicit for need in one.deal.needs.needs), "log"
    ),
    Measure("values-confirmed", lambda one: len(one.deal.needs.values), "log"),
    Measure("close-date-pushes", lambda one: len(one.tally.pushes), "log"),
    Measure("regressions", _regressions, "log"),
    Measure(
        "formal-proposal",
        lambda one: one.deal.purchase.proposal(ProposalKind.FORMAL) is not None,
    ),
    Measure("criteria-status", _criteria),
    Measure("their-choice", _choice),
)
"""What is measured of a deal, in order."""

NAMES = tuple(one.name for one in MEASURES)
FEATURES = (*NAMES, *(f"{one.name}:known" for one in MEASURES if one.flagged))
"""The columns of the regression, in order: each measure, then the flags."""
MEASURE_OF = (*range(len(NAMES)), *(i for i, one in enumerate(MEASURES) if one.flagged))
"""By feature: the index of its measure."""

_FLAGGED = [i for i, one in enumerate(MEASURES) if one.flagged]
_LOG = [i for i, one in enumerate(MEASURES) if one.scale == "log"]
_LOGIT = [i for i, one in enumerate(MEASURES) if one.scale == "logit"]


def measures(standing: Standing) -> Vector:
    """The measures of a deal at a moment, in the order of `MEASURES`; NaN: not known."""
    values = [one.read(standing) for one in MEASURES]
    return np.array([nan if value is None else value for value in values], dtype=np.float64)


def features(measured: Vector) -> Vector:
    """The features of one vector of measures. Plain Python: so few numbers are faster without."""
    values = measured.tolist()
    flags = [0.0 if isnan(values[index]) else 1.0 for index in _FLAGGED]
    for index in _LOG:
        value = values[index]
        values[index] = log1p(value) if value >= 0 else -log1p(-value)
    for index in _LOGIT:
        share = max(2.0, min(values[index], 98.0)) / 100
        values[index] = log(share / (1 - share))
    return np.array([0.0 if isnan(value) else value for value in values] + flags)


def features_of_all(measured: NDArray[np.floating]) -> Matrix:
    """The features of a vector a row."""
    values = measured.astype(np.float64)
    unknown = np.isnan(values)
    logged = values[:, _LOG]
    values[:, _LOG] = np.copysign(np.log1p(np.abs(logged)), logged)
    share = values[:, _LOGIT].clip(2, 98) / 100
    values[:, _LOGIT] = np.log(share / (1 - share))
    values[unknown] = 0.0
    return np.hstack((values, ~unknown[:, _FLAGGED]))


def tallies(frames: Sequence[Frame]) -> list[Tally]:
    """The tally behind each frame."""
    tally, found = Tally(), []
    for frame in frames:
        tally = tally.after(frame)
        found.append(tally)
    return found
