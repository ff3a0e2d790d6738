"""The flow of deals: stage visits, cohorts, time in stage, outcomes over time, and stuck deals."""

from datetime import date
from fractions import Fraction

import msgspec

from api.wire.numbers import ratio
from api.wire.values import Instant, Names, User
from domain.lifecycle import Status
from domain.lifecycle.facts import LostOutcome
from projections.flow import conversion, survival
from projections.flow import stuck as projected
from projections.flow import visits as visited
from projections.flow.survival import Ending
from projections.flow.visits import Came, Went

_DIGITS = 6
"""Of estimated shares."""


class Exit(msgspec.Struct, frozen=True, kw_only=True):
    """How visits to a stage ended, or that they have not."""

    how: Went
    stage: str | None
    """The stage that was entered instead."""
    process: str | None
    """Of that stage, where it is another process or version."""
    outcome: LostOutcome | None
    """Of a loss."""
    visits: int


class StuckFigures(msgspec.Struct, frozen=True, kw_only=True):
    """How many deals are stuck in a stage."""

    visits_of_won_deals: int
    """What the threshold rests on: visits to the stage by all deals won by then."""
    threshold_days: int | None
    """The smallest number of days within which 80 % of these visits had ended; null: fewer than
    30 visits, too few."""
    open: int
    """Deals that are open in the stage, without suspended ones."""
    stuck: int | None
    """How many of them have been there for more days than that; null: too few to tell."""

    @classmethod
    def of(cls, found: projected.StuckIn) -> "StuckFigures":
        return cls(
            visits_of_won_deals=found.threshold.visits,
            threshold_days=found.threshold.days,
            open=found.open,
            stuck=found.stuck,
        )


class StageFlow(msgspec.Struct, frozen=True, kw_only=True):
    """All visits to one stage of one process. Days are whole calendar days."""

    process: str
    stage: str
    visits: int
    deals: int
    """Deals that made them."""
    reentries: int
    """Visits by deals that had been in the stage before."""
    entered: dict[Came, int]
    """How many visits began how; they add up to all."""
    exits: list[Exit]
    """How many visits ended how, or have not; they add up to all."""
    still_there: int
    completed: int
    """Visits that ended by a move to another stage of the process or by an outcome. A merge or a
    change of the process ends a visit too, and completes none."""
    moved_on: int
    """Completed visits that ended forward, or with the deal won."""
    conversion: str | None
    """Moved on ÷ completed; null: none is completed."""
    mean_days: float | None
    """Of the completed visits."""
    lower_quartile_days: int | None
    """The smallest number of days within which a quarter of the completed visits had ended."""
    median_days: int | None
    upper_quartile_days: int | None
    suspended_visits: int
    """Visits during which the deal was suspended for a time."""
    suspended_days: int
    """Days on which it was, of all visits; they are among the days of the visits."""
    stuck: StuckFigures

    @classmethod
    def of(cls, found: visited.StageVisits, stuck_in: projected.StuckIn) -> "StageFlow":
        completed = found.completed
        count, days = sum(completed.values()), sum(d * n for d, n in completed.items())
        quartiles = visited.quartiles(completed)
        on = found.count(Went.FORWARD, Went.WON)
        return cls(
            process=found.place.process,
            stage=found.place.stage,
            visits=found.visits,
            deals=found.deals,
            reentries=found.again,
            entered=found.entered,
            exits=[_exit(one, number) for one, number in found.exits.items()],
            still_there=found.count(*visited.STILL_THERE),
            completed=count,
            moved_on=on,
            conversion=_share(on, count),
            mean_days=round(days / count, 2) if count else None,
            lower_quartile_days=quartiles.lower if quartiles else None,
            median_days=quartiles.median if quartiles else None,
            upper_quartile_days=quartiles.upper if quartiles else None,
            suspended_visits=found.suspended,
            suspended_days=found.suspended_days,
            stuck=StuckFigures.of(stuck_in),
        )


def _exit(found: visited.Exit, number: int) -> Exit:
    return Exit(
        how=found.how,
        stage=found.stage,
        process=found.process,
        outcome=LostOutcome(found.outcome) if found.outcome else None,
        visits=number,
    )


def _share(part: int, whole: int) -> str | None:
    return ratio(Fraction(part, whole)) if whole else None


class Flow(msgspec.Struct, frozen=True, kw_only=True):
    """The stages of every process, each on its own, and how deals pass through them."""

    as_of: Instant
    known_at: Instant
    stages: list[StageFlow]
    """By process, in the order of its stages."""
    caveats: list[str]
    """What limits the answer."""


class ReachedStage(msgspec.Struct, frozen=True):
    """How many deals of a cohort came to a stage, or past it."""

    stage: str
    deals: int
    share: str | None
    """Of the deals opened; null: there are none."""


class Cohort(msgspec.Struct, frozen=True, kw_only=True):
    """The deals that were opened in one period, and go by one process at the moment asked for."""

    period: str
    first_day: date
    last_day: date
    process: str
    opened: int
    """Without those that turned out to be duplicates; all shares are of these deals."""
    reached: list[ReachedStage]
    """By the furthest stage that a deal ever came to in this process; of every stage."""
    won: int
    won_share: str | None
    lost_to_competitor: int
    no_decision: int
    lost_otherwise: int
    """Withdrawn, disqualified, or nobody knows."""
    lost_share: str | None
    """Of the three together."""
    voided: int
    """A voided tender is no loss."""
    open: int
    """Suspended ones are among them."""
    open_share: str | None
    merged: int
    """Duplicates, which are not among those opened."""

    @classmethod
    def of(cls, found: conversion.Cohort) -> "Cohort":
        opened = found.opened
        lost, open_ = found.count(Status.LOST), found.count(Status.OPEN, Status.SUSPENDED)
        named = (LostOutcome.LOST_TO_COMPETITOR, LostOutcome.NO_DECISION)
        return cls(
            period=found.period.label,
            first_day=found.period.first,
            last_day=found.period.last,
            process=found.process,
            opened=opened,
            reached=[
                ReachedStage(one.stage, one.deals, _share(one.deals, opened))
                for one in found.reached
            ],
            won=found.count(Status.WON),
            won_share=_share(found.count(Status.WON), opened),
            lost_to_competitor=found.lost_as(named[0]),
            no_decision=found.lost_as(named[1]),
            lost_otherwise=lost - found.lost_as(*named),
            lost_share=_share(lost, opened),
            voided=found.count(Status.VOIDED),
            open=open_,
            open_share=_share(open_, opened),
            merged=found.count(Status.MERGED),
        )


class CohortTable(msgspec.Struct, frozen=True, kw_only=True):
    """Conversion by the period in which deals were opened."""

    as_of: Instant
    known_at: Instant
    cohorts: list[Cohort]
    """In order of time, then of process."""
    caveats: list[str]


class CurvePoint(msgspec.Struct, frozen=True):
    """The share of visits that go on behind a day on which some ended."""

    days: int
    at_risk: int
    """Visits that went on before that day."""
    left: int
    share: float
    low: float | None
    """Of the interval that holds the share with a confidence of 95 %; null: nobody is left."""
    high: float | None


class StageSurvival(msgspec.Struct, frozen=True, kw_only=True):
    """How long a stage is stayed in, visits that go on included."""

    value: str | User | None
    """Of the dimension that deals are told apart by."""
    process: str
    stage: str
    visits: int
    ended: int
    """Completed visits; the others are censored."""
    longest_days: int
    """Of all visits, ended or not: beyond them nothing is known."""
    lower_quartile_days: int | None
    """After how many days a quarter had left, by the estimate; null: it never had."""
    median_days: int | None
    upper_quartile_days: int | None
    curve: list[CurvePoint]

    @classmethod
    def of(
        cls, found: visited.StageVisits, curve: survival.Curve, value: str | User | None
    ) -> "StageSurvival":
        return cls(
            value=value,
            process=found.place.process,
            stage=found.place.stage,
            visits=curve.visits,
            ended=curve.ended,
            longest_days=curve.longest,
            lower_quartile_days=curve.days_until(0.25),
            median_days=curve.days_until(0.5),
            upper_quartile_days=curve.days_until(0.75),
            curve=[
                CurvePoint(days, at_risk, left, _estimate(share), _optional(low), _optional(high))
                for days, at_risk, left, share, low, high in zip(
                    curve.days,
                    curve.at_risk,
                    curve.left,
                    curve.share,
                    curve.low,
                    curve.high,
                    strict=True,
                )
            ],
        )


def _estimate(share: float) -> float:
    return round(share, _DIGITS)


def _optional(share: float | None) -> float | None:
    return None if share is None else _estimate(share)


class TimeInStage(msgspec.Struct, frozen=True, kw_only=True):
    """Time in stage by Kaplan and Meier, a curve for each stage of each process."""

    as_of: Instant
    known_at: Instant
    by: str | None
    stages: list[StageSurvival]
    caveats: list[str]


class IncidencePoint(msgspec.Struct, frozen=True, kw_only=True):
    """Which share of the deals had come to what, so many days after their opening."""

    days: int
    at_risk: int
    """Deals that were open before that day, and not censored."""
    shares: dict[Ending, float]


class GroupOutcomes(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the deals with one value."""

    value: str | User | None
    """Of what deals are told apart by."""
    deals: int
    ended: dict[Ending, int]
    censored: int
    """Without an outcome: open, suspended, or merged into another deal."""
    longest_days: int
    """For which a deal has been seen at most: beyond them nothing is known."""
    curve: list[IncidencePoint]

    @classmethod
    def of(cls, found: survival.Incidence, value: str | User | None) -> "GroupOutcomes":
        return cls(
            value=value,
            deals=found.deals,
            ended=found.ended,
            censored=found.censored,
            longest_days=found.longest,
            curve=[
                IncidencePoint(
                    days=days,
                    at_risk=at_risk,
                    shares={one: _estimate(of[number]) for one, of in found.shares.items()},
                )
                for number, (days, at_risk) in enumerate(
                    zip(found.days, found.at_risk, strict=True)
                )
            ],
        )


class OutcomesOverTime(msgspec.Struct, frozen=True, kw_only=True):
    """Outcomes by days since the opening, in competition, by Aalen and Johansen."""

    as_of: Instant
    known_at: Instant
    by: str | None
    groups: list[GroupOutcomes]
    caveats: list[str]


def value_shown(value: str | None, by: str | None, names: Names) -> str | User | None:
    """The value of a dimension; an owner with the name."""
    return names.optional(value) if by == "owner" else value
