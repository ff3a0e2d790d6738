"""Calibration: the probability that was on record a while before the outcome, against the outcome.

Decided are the deals that are won or lost at a moment of both axes of time. So many days before its
outcome, to the microsecond, a deal is looked up with the knowledge of that moment, on both axes:
what was entered later, about whichever time, changes nothing. `as_occurred` looks up what was true
then by today's knowledge: for imports that do not say when they knew. Hindsight then counts.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from domain.lifecycle import Status
from projections.columns.source import Reach
from projections.forecast.brier import FEWEST, Bin, Brier, Said, bins_of, brier_of
from projections.forecast.grouping import Grouping, Values
from projections.forecast.months import DAY
from projections.forecast.slices import Moment

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from projections.columns import Periods
    from projections.columns.relation import Relation

LEADS = (90, 60, 30, 7)
"""Days before the outcome."""


class Without(StrEnum):
    """Why a decided deal has no probability on record at a lead."""

    NOT_OPENED = "not-opened"
    """It was opened later."""
    NOT_KNOWN = "not-known"
    """It had been opened, and that was not on record yet."""
    NOT_RUNNING = "not-running"
    """It was closed on record then: it has been taken up again since."""
    NO_PROBABILITY = "no-probability"
    """It ran, in a stage that has none."""


class GroupScore(msgspec.Struct, frozen=True):
    """The score of the deals that stood in one group then."""

    group: dict[str, str | None]
    deals: int
    won: int
    brier: Brier | None
    """None: too few."""
    bins: list[Bin]
    """Empty if too few."""


class LeadScore(msgspec.Struct, frozen=True):
    """How good the probabilities were that were on record so many days before the outcome."""

    days: int
    deals: int
    """Decided deals with a probability on record then."""
    won: int
    without: dict[Without, int]
    """The other decided deals, by why they have none."""
    brier: Brier | None
    """None: too few."""
    bins: list[Bin]
    """Empty if too few."""
    groups: list[GroupScore]
    """By the dimensions asked for, as they were on record then."""


class Calibration(msgspec.Struct, frozen=True):
    """The deals decided at a moment, and how far their probabilities could be trusted."""

    at: Moment
    won: int
    lost: int
    voided: int
    """Not among the decided, as are those merged."""
    merged: int
    leads: list[LeadScore]


class CalibrationAsked(msgspec.Struct, frozen=True):
    """Of which decided deals, how long before their outcome, and by what."""

    at: Moment
    leads: Sequence[int] = LEADS
    by: Sequence[str] = ()
    """Dimensions, as on record at the lead."""
    where: Mapping[str, str] = {}
    """Values of dimensions (`""`: without one), as they are at the moment of asking."""
    as_occurred: bool = False
    fewest: int = FEWEST
    """Of fewer deals there is neither a score nor a bin; at least 1."""


def calibration(connection: Connection, periods: Periods, asked: CalibrationAsked) -> Calibration:
    """How far the probabilities could be trusted. Raises ValueError for an unknown dimension."""
    known_at = (asked.at.known_at,) if asked.as_occurred else ()
    return periods.ask(connection, lambda relation: _calibration(relation, asked), Reach(known_at))


def _calibration(relation: Relation, asked: CalibrationAsked) -> Calibration:
    grouping = Grouping(relation, asked.by)
    statuses = relation.texts("status")
    in_slice = f"{asked.at.holds()} AND {relation.matching(asked.where)}"
    counts = Counter(
        {
            Status(statuses[status]): count
            for status, count in relation.rows(
                f"SELECT status, count(*) FROM periods WHERE {in_slice} GROUP BY status"
            )
        }
    )
    steps = _steps(relation, in_slice, asked.leads)
    found = _looked_up(relation, asked, grouping, steps)
    return Calibration(
        asked.at,
        won=counts[Status.WON],
        lost=counts[Status.LOST],
        voided=counts[Status.VOIDED],
        merged=counts[Status.MERGED],
        leads=[
            _lead_score(one, found[one.days], asked, grouping)
            for one in _decided(relation, asked.leads, steps)
        ],
    )


class _Decided(NamedTuple):
    """A lead, and how many deals are decided."""

    days: int
    deals: int
    early: int
    """Those that, by what is known now, were not open yet at the lead."""


class _Found(NamedTuple):
    """Decided deals that were on record as the same at a lead."""

    values: Values
    percent: int | None
    runs: bool
    """Open or suspended then."""
    early: bool
    """By what is known now they were not open yet."""
    deals: int
    won: int


def _steps(relation: Relation, in_slice: str, leads: Sequence[int]) -> dict[str, str]:
    won = relation.code("status", Status.WON.value)
    closed = relation.codes("status", (Status.WON.value, Status.LOST.value))
    days = ", ".join(f"({int(one)})" for one in leads) or "(0)"
    return {
        "decided": "SELECT deal, closed_at AS ended, opened_at AS begun,"
        f" (status = {won})::INTEGER AS won FROM periods WHERE {in_slice} AND status IN {closed}",
        "leads": f"SELECT days, days::BIGINT * {DAY} AS span FROM (VALUES {days}) AS given (days)",
    }


def _decided(relation: Relation, leads: Sequence[int], steps: dict[str, str]) -> list[_Decided]:
    counts = {
        days: (deals, early)
        for days, deals, early in relation.rows(
            "SELECT days, count(*), count(*) FILTER (begun > ended - span)"
            " FROM decided, leads GROUP BY days",
            **steps,
        )
    }
    return [_Decided(days, *counts.get(days, (0, 0))) for days in leads]


def _looked_up(
    relation: Relation, asked: CalibrationAsked, grouping: Grouping, steps: dict[str, str]
) -> Mapping[int, list[_Found]]:
    """What was on record of the decided deals at each lead."""
    running = relation.codes("status", (Status.OPEN.value, Status.SUSPENDED.value))
    at = "ended - span"
    known = str(asked.at.point.known) if asked.as_occurred else at
    # What no lead reaches is left out first: it costs less than to ask it of every lead.
    nearest, farthest = (f"ended - {wanted(asked.leads, default=0) * DAY}" for wanted in (min, max))
    rows = relation.rows(
        f"SELECT days, {grouping.names} probability, running, begun > {at} AS early,"
        " count(*), sum(won) FROM at_leads WHERE"
        f" occurred_from <= {at} AND occurred_until > {at}"
        f" AND known_from <= {known} AND known_until > {known} GROUP BY ALL",
        **steps,
        reached=f"SELECT ended, begun, won, {grouping.keys('periods')} probability,"
        f" status IN {running} AS running, occurred_from, occurred_until, known_from, known_until"
        " FROM periods JOIN decided ON periods.deal = decided.deal"
        f" AND occurred_from <= {nearest} AND occurred_until > {farthest}",
        # Not joined: of conditions that are all inequalities the database makes a slow join.
        at_leads=f"SELECT *, days::BIGINT * {DAY} AS span FROM"
        f" (SELECT *, unnest({list(map(int, asked.leads))}) AS days FROM reached)",
    )
    found: defaultdict[int, list[_Found]] = defaultdict(list)
    for days, *row in rows:
        codes, (percent, runs, early, deals, won) = row[: len(grouping)], row[len(grouping) :]
        found[days].append(_Found(grouping.values(codes), percent, runs, early, deals, int(won)))
    return found


def _lead_score(
    decided: _Decided,
    found: Sequence[_Found],
    asked: CalibrationAsked,
    grouping: Grouping,
) -> LeadScore:
    said: defaultdict[Values, list[Said]] = defaultdict(list)
    without = dict.fromkeys(Without, 0)
    without[Without.NOT_OPENED] = decided.early - sum(one.deals for one in found if one.early)
    without[Without.NOT_KNOWN] = (
        decided.deals - decided.early - sum(one.deals for one in found if not one.early)
    )
    for one in found:
        if not one.runs:
            without[Without.NOT_RUNNING] += one.deals
        elif one.percent is None:
            without[Without.NO_PROBABILITY] += one.deals
        else:
            said[one.values].append(Said(one.percent, one.deals, one.won))
    everything = [one for some in said.values() for one in some]
    groups = [
        GroupScore(dict(zip(asked.by, values, strict=True)), *_score(said[values], asked.fewest))
        for values in sorted(said, key=grouping.order)
    ]
    deals, won, brier, bins = _score(everything, asked.fewest)
    return LeadScore(
        days=decided.days,
        deals=deals,
        won=won,
        without=without,
        brier=brier,
        bins=bins,
        groups=groups if asked.by else [],
    )


def _score(said: Sequence[Said], fewest: int) -> tuple[int, int, Brier | None, list[Bin]]:
    deals, won = sum(one.deals for one in said), sum(one.won for one in said)
    if deals < fewest:
        return deals, won, None, []
    return deals, won, brier_of(said), bins_of(said)
