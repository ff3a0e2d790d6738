"""Deal periods: when which reported facts of a deal held, on both time axes.

Each row is a rectangle: the facts held in the world from `occurred_from` until
`occurred_until`, and that is what the record said from `known_from` until
`known_until` (from inclusive, until exclusive). The rectangles of a deal do not
overlap, so a point (as of, known at) lies in one at most; in none before the
opening or before the deal was known.
"""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import groupby, pairwise
from operator import itemgetter

import msgspec
from sqlalchemy import Connection, delete, insert

from domain.deal import DealEvent
from domain.process import ProcessBook
from projections.frames import Batch, Timeline
from projections.instants import FOREVER, micros
from projections.reported import Reported, reported
from projections.rows import reported_row
from projections.tables import deal_periods

NAME = "deal-periods"
VERSION = 1
TABLES = (deal_periods,)


class Segment(msgspec.Struct, frozen=True):
    """An interval of the world's time, as the record says at one moment."""

    occurred_from: int
    occurred_until: int
    facts: Reported


class Period(msgspec.Struct, frozen=True):
    """A segment, and from when until when the record said so."""

    segment: Segment
    known_from: int
    known_until: int


class _Turns:
    """What is reported after each event, of those known so far."""

    def __init__(self, processes: ProcessBook) -> None:
        self._processes = processes
        self._timeline = Timeline()
        self._turns: list[tuple[int, Reported | None]] = []

    def learn(self, events: Sequence[DealEvent]) -> int | None:
        """Take in what became known at one moment. Answers from when on the world may differ."""
        start = self._timeline.learn(events)
        if start is None:
            return None
        before = self._turns[start : start + 1]
        del self._turns[start:]
        self._turns += [
            (micros(at := frame.event.occurred_at), reported(frame.after, self._processes, at))
            for frame in self._timeline.frames[start:]
        ]
        return min(at for at, _ in before + self._turns[start : start + 1])

    def segments(self, start: int | None) -> list[Segment]:
        """The segments from the turn at `start` on (None: all), equal neighbours joined."""
        first = 0 if start is None else bisect_left(self._turns, start, key=itemgetter(0))
        # Of several events at one instant the state after the last one counts.
        last_at = dict(self._turns[first:])
        joined = [next(group) for _, group in groupby(last_at.items(), key=itemgetter(1))]
        # Nothing is reported before the opening, which may become known late.
        return [
            Segment(at, end, facts)
            for (at, facts), (end, _) in pairwise([*joined, (FOREVER, None)])
            if facts is not None
        ]


def periods_of(events: Sequence[DealEvent], processes: ProcessBook) -> list[Period]:
    """All periods of one deal, given every event of it."""
    turns = _Turns(processes)
    current: list[Period] = []
    ended: list[Period] = []
    by_knowledge = sorted(events, key=lambda event: (event.known_at, event.version))
    for known_at, group in groupby(by_knowledge, key=lambda event: event.known_at):
        changed_from = turns.learn(list(group))
        if changed_from is not None:
            _advance(current, ended, turns, changed_from, micros(known_at))
    return ended + current


def _advance(
    current: list[Period], ended: list[Period], turns: _Turns, since: int, known: int
) -> None:
    """Replace the current periods that end at or after `since` by what the record says now."""
    kept = bisect_left(current, since, key=lambda period: period.segment.occurred_until)
    old = {period.segment: period for period in current[kept:]}
    start = current[kept].segment.occurred_from if kept else None
    del current[kept:]
    for segment in turns.segments(start):
        period = old.pop(segment, None)
        current.append(Period(segment, known, FOREVER) if period is None else period)
    ended.extend(Period(p.segment, p.known_from, known) for p in old.values())


def apply(connection: Connection, batch: Batch) -> None:
    """Replace the rows of the deals in the batch."""
    connection.execute(delete(deal_periods).where(deal_periods.c.deal_id.in_(batch.deal_ids)))
    rows = [
        {
            "deal_id": fold.deal_id,
            "occurred_from": period.segment.occurred_from,
            "occurred_until": period.segment.occurred_until,
            "known_from": period.known_from,
            "known_until": period.known_until,
            **reported_row(period.segment.facts),
        }
        for fold in batch.folds
        for period in periods_of(fold.events, fold.processes)
    ]
    if rows:
        connection.execute(insert(deal_periods), rows)
