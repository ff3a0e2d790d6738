"""Stuck deals: longer in their stage than four fifths of the deals that were won stayed there."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from heapq import merge
from itertools import islice
from typing import TypeAlias

import msgspec

from domain.deal import Deal, DealEvent
from domain.lifecycle import Status
from projections.columns.relation import Place, Relation, literal
from projections.days import stepped
from projections.flow.asking import Asked, Progress, Slice, untold
from projections.flow.visits import StageVisits, in_order, percentile, stage_visits
from projections.frames import frames_of
from projections.instants import instant_of, micros

PERCENT = 80
FEWEST = 30
"""With fewer visits of won deals to a stage, nothing is said of it."""

After: TypeAlias = tuple[int, str]
"""Behind which deal a page goes on: when it entered its stage, in microseconds, and its id."""


class Threshold(msgspec.Struct, frozen=True):
    """How long deals that were won stayed in a stage."""

    place: Place
    visits: int
    """Of deals that were won by the moment asked for."""
    days: int | None
    """The smallest number of days within which 80 % of these visits had ended; None: too few."""


class StuckIn(msgspec.Struct, frozen=True):
    """How many deals are stuck in a stage."""

    threshold: Threshold
    open: int
    """Deals that are open there; suspended ones are not among them."""
    stuck: int | None
    """How many of them have been there for more days than the threshold; None: too few to tell."""


class StuckDeal(msgspec.Struct, frozen=True):
    """A deal that has been in its stage for long."""

    deal_id: str
    place: Place
    owner: str
    entered_at: datetime
    days: int
    threshold: int

    @property
    def after(self) -> After:
        return micros(self.entered_at), self.deal_id


def thresholds(relation: Relation, asked: Asked, progress: Progress = untold) -> list[Threshold]:
    """The threshold of every stage, from the visits of all deals that were won, filtered or not."""
    won = msgspec.structs.replace(asked, where={}, by=None, only=Status.WON)
    return [_threshold(one) for one in stage_visits(relation, won, progress)]


def _threshold(visits: StageVisits) -> Threshold:
    by_days = visits.of_won_deals
    count = sum(by_days.values())
    days = percentile(by_days, PERCENT) if count >= FEWEST else None
    return Threshold(visits.place, count, days)


def stuck_deals(
    relation: Relation,
    asked: Asked,
    thresholds: Iterable[Threshold],
    *,
    limit: int,
    after: After | None = None,
    progress: Progress = untold,
) -> list[StuckDeal]:
    """The deals that are stuck, the longest in their stage first, at most `limit` behind `after`.

    Raises ValueError for an unknown dimension.
    """
    part = Slice(relation, asked)
    days = {one.place: one.days for one in thresholds if one.days is not None}
    owners, places = relation.texts("owner"), relation.places
    found: list[StuckDeal] = []
    for some in part.portions(progress):
        rows = [
            StuckDeal(id_, places[place], owners[owner], instant_of(since), stayed, most)
            for id_, place, owner, since, stayed, most in relation.rows(
                _page(limit, after), **_steps(part, days, some)
            )
        ]
        found = list(islice(merge(found, rows, key=lambda one: one.after), limit))
    return found


def count_stuck(
    relation: Relation,
    asked: Asked,
    thresholds: Iterable[Threshold],
    progress: Progress = untold,
) -> list[StuckIn]:
    """How many deals are open in each stage, and how many of them are stuck.

    In order of process and stage; of every stage that has a threshold or holds an open deal.
    Raises ValueError for an unknown dimension.
    """
    part = Slice(relation, asked)
    known = {one.place: one for one in thresholds}
    days = {place: one.days for place, one in known.items() if one.days is not None}
    open_: Counter[Place] = Counter()
    stuck: Counter[Place] = Counter()
    for some in part.portions(progress):
        counted = "SELECT place, count(*), count(*) FILTER (days > most) FROM stays GROUP BY place"
        for code, deals, long in relation.rows(counted, **_steps(part, days, some)):
            place = relation.places[code]
            open_[place] += deals
            stuck[place] += long
    return [
        StuckIn(
            known.get(place, Threshold(place, 0, None)),
            open_[place],
            stuck[place] if place in days else None,
        )
        for place in sorted(known.keys() | open_.keys(), key=in_order)
    ]


def _page(limit: int, after: After | None) -> str:
    behind = "true"
    if after is not None:
        id_ = f"encode({literal(after[1])})"
        behind = f"(since > {after[0]} OR (since = {after[0]} AND encode(id) > {id_}))"
    return f"""
        SELECT id, place, owner, since, days, most FROM stays JOIN deals USING (deal)
        WHERE days > most AND {behind} ORDER BY since, encode(id) LIMIT {limit}
    """


def _steps(part: Slice, days: Mapping[Place, int], some: str) -> dict[str, str]:
    """Of open deals, since when they have been in their stage without leaving it."""
    most = [(code, days.get(place, _NEVER)) for code, place in enumerate(part.relation.places)]
    open_ = part.relation.code("status", Status.OPEN.value)
    return {
        "stood": part.stood(
            f"status = {open_} AND {some}", "place AS final_place, owner AS final_owner"
        ),
        "course": part.course(some, more=", final_place, final_owner"),
        "entered": f"""
            SELECT deal, min(final_place) AS place, min(final_owner) AS owner, coalesce(
                max(occurred_until) FILTER (
                    place <> final_place OR status NOT IN {part.running}
                ), min(occurred_from)
            ) AS since FROM course GROUP BY deal
        """,
        "stays": f"""
            SELECT *, {part.today} - {part.days.sql("since")} AS days,
                {stepped("place", _NEVER, most)} AS most
            FROM entered
        """,
    }


_NEVER = 2**31


def entering_version(
    events: Iterable[DealEvent], stuck: StuckDeal, as_of: datetime, known_at: datetime
) -> int | None:
    """The version of the event by which a deal entered its stage.

    Of several events at that instant, the last one that changed where the deal stood.
    """
    entered = [
        frame.event.version
        for frame in frames_of(events, as_of, known_at)
        if frame.event.occurred_at == stuck.entered_at
        and _standing(frame.before) != _standing(frame.after)
    ]
    return entered[-1] if entered else None


def _standing(deal: Deal) -> tuple[object, ...]:
    """The process, the stage, and whether the deal runs there."""
    runs = deal.life.status in (Status.OPEN, Status.SUSPENDED)
    return (deal.life.process, deal.stages.stage, runs)
