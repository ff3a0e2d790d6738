"""Deal periods: when which reported facts of a deal held, on both time axes.

Each row is a rectangle: the facts held in the world from `occurred_from` until
`occurred_until`, and that is what the record said from `known_from` until
`known_until` (from inclusive, until exclusive). The rectangles of a deal do not
overlap, so a point (as of, known at) lies in one at most; in none before the
opening or before the deal was known.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import TypeAlias

import msgspec

from domain.deal import Deal, DealEvent
from projections.frames import DealFold, Timeline
from projections.instants import FOREVER, micros
from projections.models import Row, Rows, Told
from projections.rows import ReportedRows
from projections.tables import deal_marks, deal_periods

NAME = "deal-periods"
VERSION = 3
TABLES = (deal_periods, deal_marks)
REPLACED_BY = deal_periods.c.deal_id


Turn: TypeAlias = tuple[int, Row | None]
"""Since when, in the world, and what is reported then; None before the opening."""

Learned: TypeAlias = tuple[int, int, list[Turn]]
"""When something became known, and the turns from an index on, as they are then known."""

_AT = itemgetter(0)
_UNTIL = attrgetter("occurred_until")
_KNOWN_AT = attrgetter("known_at")


class Period(msgspec.Struct, frozen=True, gc=False):
    """What is reported; from when until when it held, and the record said so."""

    occurred_from: int
    occurred_until: int
    known_from: int
    known_until: int
    facts: Row


class _Record:
    """The periods of one deal, while its turns become known."""

    def __init__(self) -> None:
        self.ended: list[Period] = []
        self.current: list[Period] = []
        """What the record says now, in the order of the world's time."""
        self._turns: list[Turn] = []

    def learn(self, known: int, start: int, new: list[Turn]) -> None:
        """Replace the current periods that the new turns reach."""
        turns, current = self._turns, self.current
        if len(new) == 1 and start == len(turns) and self._goes_on(known, *new[0]):
            turns += new
            return
        since = min(at for at, _ in (*turns[start : start + 1], *new[:1]))
        turns[start:] = new
        # A period that ends where these turns begin may go on with them.
        kept = bisect_left(current, since, key=_UNTIL)
        first = bisect_left(turns, current[kept].occurred_from, key=_AT) if kept else 0
        self._replace(kept, turns[first:], known)

    def _goes_on(self, known: int, at: int, facts: Row | None) -> bool:
        """Let the last current period end with a turn behind its beginning, as most do."""
        if not self.current:
            return False
        assert facts is not None  # once opened a deal stays so
        last = self.current[-1]
        if at <= last.occurred_from:
            return False
        if facts != last.facts:
            self.ended.append(_ended(last, known))
            self.current[-1] = Period(last.occurred_from, at, known, FOREVER, last.facts)
            self.current.append(Period(at, FOREVER, known, FOREVER, facts))
        return True

    def _replace(self, kept: int, turns: Sequence[Turn], known: int) -> None:
        """Current are the first `kept` periods, and what these turns make of the time behind."""
        old = {(one.occurred_from, one.occurred_until): one for one in self.current[kept:]}
        del self.current[kept:]
        for since, until, facts in _segments(turns):
            same = old.get((since, until))
            if same is not None and same.facts == facts:
                self.current.append(old.pop((since, until)))
            else:
                self.current.append(Period(since, until, known, FOREVER, facts))
        self.ended += [_ended(period, known) for period in old.values()]


def _ended(period: Period, known: int) -> Period:
    """What was said until it became known otherwise."""
    return Period(
        period.occurred_from, period.occurred_until, period.known_from, known, period.facts
    )


def _segments(turns: Sequence[Turn]) -> list[tuple[int, int, Row]]:
    """From when until when the same is reported, and what."""
    joined: list[Turn] = []
    # Of several events at one instant the state after the last one counts.
    for turn in dict(turns).items():
        if not joined or joined[-1][1] != turn[1]:
            joined.append(turn)
    ends = [*(at for at, _ in joined[1:]), FOREVER]
    return [
        (at, end, facts)
        for (at, facts), end in zip(joined, ends, strict=False)
        if facts is not None
    ]


def periods_of(fold: DealFold) -> list[Period]:
    """All periods of one deal."""
    return periods_from(as_it_occurred(fold) if fold.in_one_order else in_any_order(fold))


def periods_from(learned: Iterable[Learned]) -> list[Period]:
    """All periods of what was learned, those first that the record has ended."""
    record = _Record()
    for known, start, turns in learned:
        record.learn(known, start, turns)
    return record.ended + record.current


def as_it_occurred(fold: DealFold) -> Iterator[Learned]:
    """What was learned one after another, of a deal whose events came in one order."""
    rows = ReportedRows(fold.processes)
    start = 0
    for known_at, group in groupby(fold.states, key=lambda state: state[0].known_at):
        turns = [_turn(rows, event, deal) for event, deal in group]
        yield micros(known_at), start, turns
        start += len(turns)


def in_any_order(fold: DealFold) -> Iterator[Learned]:
    """What was learned one after another, of any deal: late events and withdrawals fold anew."""
    rows = ReportedRows(fold.processes)
    timeline = Timeline()
    for known_at, group in groupby(sorted(fold.bearing, key=_KNOWN_AT), key=_KNOWN_AT):
        start = timeline.learn(list(group))
        if start is not None:
            frames = timeline.frames[start:]
            turns = [_turn(rows, frame.event, frame.after) for frame in frames]
            yield micros(known_at), start, turns


def _turn(rows: ReportedRows, event: DealEvent, deal: Deal) -> Turn:
    at = event.occurred_at
    return micros(at), rows.of(deal, at)


def rows(told: Told) -> Rows:
    """The rectangles of a deal, and its mark."""
    fold = told.fold
    if fold is None:
        return {}
    return {
        deal_periods: [
            (
                fold.deal_id,
                period.occurred_from,
                period.known_from,
                period.occurred_until,
                period.known_until,
                *period.facts,
            )
            for period in periods_of(fold)
        ],
        deal_marks: [(fold.deal_id, told.positions[-1])],
    }
