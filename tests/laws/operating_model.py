"""The operating figures in plain Python, from the definition: over folded deals, one by one."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from fractions import Fraction
from itertools import pairwise
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from domain.currencies import MINOR_DIGITS
from domain.deal import Deal, DealEvent
from domain.lifecycle import Status
from projections.calendar import Period
from projections.frames import frames_of
from projections.operating.worth import Worth
from projections.reported import quoted
from tests.laws.test_pipeline import amount_of, value_of
from tests.scenario import BOOK

RUNNING = (Status.OPEN, Status.SUSPENDED)
CLOSED = (Status.WON, Status.LOST, Status.VOIDED)

Group = tuple[str | None, ...]
Key = tuple[int, Group]


class Asked(NamedTuple):
    as_of: datetime
    known_at: datetime
    periods: Sequence[Period]
    by: Sequence[str]
    where: Mapping[str, str]
    team: Callable[[str], str | None]
    worth: Worth


class State(NamedTuple):
    """A deal from one instant on."""

    since: datetime
    until: datetime | None
    deal: Deal

    @property
    def runs(self) -> bool:
        return self.deal.life.status in RUNNING

    @property
    def close(self) -> date | None:
        return self.deal.stages.expected_close

    def holds(self, moment: datetime) -> bool:
        return self.since <= moment and (self.until is None or moment < self.until)

    def reaches_into(self, start: datetime, end: datetime) -> bool:
        return self.since <= end and (self.until is None or self.until > start)


class Found:
    """What is counted, by period and group."""

    def __init__(self) -> None:
        self.counts: defaultdict[Key, Counter[str]] = defaultdict(Counter)
        self.money: defaultdict[Key, defaultdict[str, Counter[str]]] = defaultdict(
            lambda: defaultdict(Counter)
        )
        self.stages: defaultdict[Key, Counter[tuple[str, str, str]]] = defaultdict(Counter)


def states_of(events: Sequence[DealEvent], asked: Asked) -> list[State]:
    """Of several events at one instant only the state after the last one."""
    by_instant: dict[datetime, Deal] = {}
    for frame in frames_of(events, asked.as_of, asked.known_at):
        by_instant[frame.event.occurred_at] = frame.after
    there = [
        (at, deal) for at, deal in by_instant.items() if deal.life.opened_at and deal.life.process
    ]
    ends = [*(at for at, _ in there[1:]), None]
    return [State(at, end, deal) for (at, deal), end in zip(there, ends, strict=False)]


def counted(portfolio: Sequence[Sequence[DealEvent]], asked: Asked) -> Found:
    found = Found()
    for events in portfolio:
        states = states_of(events, asked)
        if states and states[-1].deal.life.status is not Status.MERGED:
            for number, period in enumerate(asked.periods):
                if period.start < asked.as_of:
                    _OfOne(found, asked, states, number, period).count()
    return found


class _OfOne:
    """One deal in one period."""

    def __init__(
        self, found: Found, asked: Asked, states: Sequence[State], number: int, period: Period
    ) -> None:
        self.found, self.asked, self.states = found, asked, states
        self.number, self.period = number, period
        self.end = min(period.end, asked.as_of)

    def count(self) -> None:
        life = self.states[-1].deal.life
        assert life.opened_at is not None
        if self._is_in(life.opened_at):
            self._fresh(life.opened_at, life.status)
        if life.status in CLOSED and life.closed_at is not None and self._is_in(life.closed_at):
            self._decided(life.opened_at, life.closed_at)
        self._active()
        for before, after in self._steps():
            self._departure(before, after)

    def _is_in(self, moment: datetime) -> bool:
        return self.period.start < moment <= self.end

    def _key(self, deal: Deal) -> Key | None:
        """None: not asked for."""
        asked = self.asked
        if any((value_of(name, deal) or "") != value for name, value in asked.where.items()):
            return None
        return self.number, tuple(
            asked.team(deal.life.owner or "") if name == "team" else value_of(name, deal)
            for name in asked.by
        )

    def _at(self, moment: datetime) -> Deal:
        return next(state.deal for state in self.states if state.holds(moment))

    def _fresh(self, opened_at: datetime, status: Status) -> None:
        if key := self._key(self._at(opened_at)):
            self.found.counts[key]["new"] += 1
            if status in CLOSED:
                self.found.counts[key][f"cohort_{status.value}"] += 1

    def _decided(self, opened_at: datetime, closed_at: datetime) -> None:
        key = self._key(self._at(closed_at))
        if key is None:
            return
        deal, counts = self.states[-1].deal, self.found.counts[key]
        days = (_day(closed_at, self.zone) - _day(opened_at, self.zone)).days
        status = deal.life.status
        counts[status.value] += 1
        counts["lost_to_competitor"] += deal.life.outcome_name == "lost-to-competitor"
        counts["decided_days"] += days if status is not Status.VOIDED else 0
        if status is not Status.WON:
            return
        counts["won_days"] += days
        amount = amount_of(deal)
        listed, _ = quoted(deal)
        counts["won_without_amount"] += amount is None
        counts["won_quoted"] += listed is not None
        self._value(key, deal, _day(closed_at, self.zone))

    def _value(self, key: Key, deal: Deal, day: date) -> None:
        currency = deal.life.currency or ""
        rate, target = self._rate(currency, day)
        money: dict[str, Any] = self.found.money[key][target]
        amount = amount_of(deal)
        listed, quoted_at = quoted(deal)
        unit = rate / 10 ** MINOR_DIGITS[currency]
        money["won"] += amount is not None
        money["won_amount"] += Fraction(amount or 0) * rate
        money["quoted_deals"] += listed is not None
        money["listed"] += (listed or 0) * unit
        money["quoted"] += (quoted_at or 0) * unit

    def _rate(self, currency: str, day: date) -> tuple[Fraction, str]:
        worth = self.asked.worth
        found = worth.currency and worth.rates.rate(currency, worth.currency, day)
        if not found or worth.currency is None:
            return Fraction(1), currency
        return Fraction(found.value), worth.currency

    def _active(self) -> None:
        seen = [s for s in self.states if s.runs and s.reaches_into(self.period.start, self.end)]
        if not seen:
            return
        key = self._key(seen[-1].deal)
        if key is not None:
            pushes = [(b, a) for b, a in self._steps() if a.runs and _is_later(a.close, b.close)]
            counts = self.found.counts[key]
            counts["active"] += 1
            counts["expected"] += any(self._is_expected(state) for state in seen)
            counts["pushes"] += len(pushes)
            counts["pushed_out"] += any(
                self._is_expected(before) and _is_later(after.close, self.period.last)
                for before, after in pushes
            )
        last = seen[-1]
        key = self._key(last.deal)
        if key and last.deal.life.status is Status.OPEN and last.holds(self.end):
            self.found.counts[key]["open"] += 1
            currency = self._rate(last.deal.life.currency or "", _day(self.end, self.zone))[1]
            self.found.money[key][currency]["open"] += 1

    def _is_expected(self, state: State) -> bool:
        return state.close is not None and self.period.first <= state.close <= self.period.last

    def _steps(self) -> Iterator[tuple[State, State]]:
        """From a state in which the deal ran to the next one."""
        for before, after in pairwise(self.states):
            if before.runs and self._is_in(after.since):
                yield before, after

    def _departure(self, before: State, after: State) -> None:
        key, way = self._key(before.deal), _way(before.deal, after.deal)
        if key and way:
            process, stage = value_of("process", before.deal), before.deal.stages.stage
            self.found.stages[key][process or "", stage or "", way] += 1

    @property
    def zone(self) -> ZoneInfo:
        return self.asked.worth.zone


def _day(moment: datetime, zone: ZoneInfo) -> date:
    return moment.astimezone(zone).date()


def _is_later(one: date | None, other: date | None) -> bool:
    return one is not None and other is not None and one > other


def _way(before: Deal, after: Deal) -> str | None:
    """How a deal left its stage."""
    status = after.life.status
    if status is Status.WON:
        return "forward"
    if status in CLOSED:
        return "ended"
    if status is Status.MERGED:
        return None
    if before.life.process != after.life.process:
        return "elsewhere"
    here, there = (_position(deal) for deal in (before, after))
    return None if here == there else "forward" if there > here else "back"


def _position(deal: Deal) -> int:
    assert deal.life.process is not None
    return BOOK.get(deal.life.process).position(deal.stages.stage or "") or 0
