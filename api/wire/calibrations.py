"""How far the probabilities on record could be trusted."""

from fractions import Fraction

import msgspec

from api.wire.numbers import ratio
from api.wire.values import Instant, Names, User
from projections.forecast import brier, calibration
from projections.forecast.calibration import Without
from store.times import written


class CalibrationScore(msgspec.Struct, frozen=True, kw_only=True):
    """The Brier score of recorded probabilities, and its parts. Decimal numbers as text.

    score = reliability - resolution + uncertainty.
    """

    score: str
    """The mean squared difference of probability and outcome: 0 is perfect, lower is better."""
    reliability: str
    """By how much probabilities miss the share won where they were given, squared."""
    resolution: str
    """By how much those shares differ from that of all, squared; more is better."""
    uncertainty: str
    """The score of saying the base rate of every deal."""
    base_rate: str
    """The share of the deals that was won."""
    skill: str | None
    """1 - score ÷ uncertainty: 1 is perfect, 0 as good as the base rate; null: all ended alike."""

    @classmethod
    def of(cls, found: brier.Brier) -> "CalibrationScore":
        return cls(
            score=_digits(found.score),
            reliability=_digits(found.reliability),
            resolution=_digits(found.resolution),
            uncertainty=_digits(found.uncertainty),
            base_rate=_digits(found.base_rate),
            skill=None if found.skill is None else _digits(found.skill),
        )


def _digits(value: Fraction) -> str:
    text = ratio(value)
    assert text is not None
    return text


class CalibrationBin(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the deals of which about the same was said."""

    low_percent: int
    high_percent: int
    """Probabilities from the one to the other, both included."""
    deals: int
    won: int
    mean_probability: str
    """0 to 1, as a decimal number in text, as the three that follow."""
    share_won: str
    low: str
    """Of the 95 % interval of the share won (Wilson)."""
    high: str

    @classmethod
    def of(cls, found: brier.Bin) -> "CalibrationBin":
        return cls(
            low_percent=found.low,
            high_percent=found.high,
            deals=found.deals,
            won=found.won,
            mean_probability=_digits(found.said),
            share_won=_digits(found.share),
            low=_digits(Fraction(found.least)),
            high=_digits(Fraction(found.most)),
        )


class CalibrationGroup(msgspec.Struct, frozen=True, kw_only=True):
    """The deals that stood in one group at the lead."""

    group: dict[str, str | User | None]
    """Value of each dimension, as on record then; null: without one."""
    deals: int
    won: int
    score: CalibrationScore | None
    """Null: too few."""
    too_few: bool
    bins: list[CalibrationBin]
    """As those of all groups together; empty if too few."""


class CalibrationLead(msgspec.Struct, frozen=True, kw_only=True):
    """How good the probabilities were that were on record so many days before the outcome."""

    days: int
    deals: int
    """Decided deals with a probability on record then."""
    won: int
    without: dict[Without, int]
    """The other decided deals, by why they have none."""
    score: CalibrationScore | None
    """Null: too few."""
    too_few: bool
    """They are fewer than `fewest`."""
    bins: list[CalibrationBin]
    """Each probability that was given, or tens where they are more than twelve; empty if too
    few."""
    groups: list[CalibrationGroup]
    """Empty without groups."""

    @classmethod
    def of(cls, found: calibration.LeadScore, names: Names) -> "CalibrationLead":
        return cls(
            days=found.days,
            deals=found.deals,
            won=found.won,
            without=dict(found.without),
            score=CalibrationScore.of(found.brier) if found.brier else None,
            too_few=found.brier is None,
            bins=[CalibrationBin.of(one) for one in found.bins],
            groups=[
                CalibrationGroup(
                    group={
                        name: names.optional(value) if name == "owner" else value
                        for name, value in one.group.items()
                    },
                    deals=one.deals,
                    won=one.won,
                    score=CalibrationScore.of(one.brier) if one.brier else None,
                    too_few=one.brier is None,
                    bins=[CalibrationBin.of(each) for each in one.bins],
                )
                for one in found.groups
            ],
        )


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """The deals decided at (as of, known at), and what was said of them before."""

    as_of: Instant
    known_at: Instant
    as_occurred: bool
    """Whether what was true at a lead counts, whenever it was entered; else what was on record."""
    group_by: list[str]
    decided: int
    """Won or lost."""
    won: int
    lost: int
    voided: int
    """Neither: not among the decided, as those merged are not."""
    merged: int
    fewest: int
    """Of fewer deals there is neither a score nor a table of reliability."""
    leads: list[CalibrationLead]
    caveats: list[str]
    """What limits the answer."""

    @classmethod
    def of(
        cls,
        found: calibration.Calibration,
        asked: calibration.CalibrationAsked,
        names: Names,
        caveats: list[str],
    ) -> "Calibration":
        return cls(
            as_of=written(found.at.as_of),
            known_at=written(found.at.known_at),
            as_occurred=asked.as_occurred,
            group_by=list(asked.by),
            decided=found.won + found.lost,
            won=found.won,
            lost=found.lost,
            voided=found.voided,
            merged=found.merged,
            fewest=asked.fewest,
            leads=[CalibrationLead.of(one, names) for one in found.leads],
            caveats=caveats,
        )
