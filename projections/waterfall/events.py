"""The events behind an entry of the waterfall: which versions of the deal's events did it."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple, TypeAlias

from domain.corrections import EventWithdrawn
from domain.deal import DealEvent
from domain.lifecycle import Status
from domain.process import ProcessBook
from projections.frames import frames_of
from projections.instants import instant_of
from projections.reported import Reported, reported
from projections.waterfall.asking import Question
from projections.waterfall.steps import (
    CORRECTED,
    CREATED,
    DECREASED,
    END,
    INCREASED,
    MOVED_IN,
    MOVED_OUT,
    REOPENED,
    RESUMED,
    REVALUED,
    START,
    Line,
    Side,
)

Facts: TypeAlias = dict[str, object]
"""What the waterfall counts of a deal, by name; nothing before its opening."""

_STATUS, _SIDE, _AMOUNT = "its status", "where its expected close lies", "its amount"
_PRICED = "whether its amount is known"
"""Beside these there are dimensions, by their names. An unknown amount comes to nothing: only at
the start and the end it makes a difference that it is unknown."""


class _Seen(NamedTuple):
    """An event, and what counts of the deal after it."""

    version: int
    at: datetime
    status: Status
    facts: Facts


def versions_behind(
    events: Sequence[DealEvent],
    line: Line,
    moment: datetime,
    question: Question,
    processes: ProcessBook,
) -> list[int]:
    """The versions of the events that made an entry of a line at a moment, ascending.

    `events` are all of one deal. Of several that set the same it is the last. Of what stands at
    the start or the end it is the last one that made the deal what the waterfall counts. Raises
    UnknownProcess.
    """
    asked = _Asked(events, question, processes)
    if line == CORRECTED:
        return asked.learned()
    if line in (START, REVALUED):
        return asked.last(moment, instant_of(question.start.known))
    known = instant_of(question.end.known)
    if line == END:
        return asked.last(moment, known)
    return asked.moved(line, moment, known)


class _Asked:
    """The events of a deal, seen by what a question counts."""

    def __init__(
        self, events: Sequence[DealEvent], question: Question, processes: ProcessBook
    ) -> None:
        self._events = events
        self._question = question
        self._processes = processes
        self._group = {*question.by, *question.where}

    def moved(self, line: Line, moment: datetime, known: datetime) -> list[int]:
        """Those at the moment that set what the line depends on."""
        seen = list(self._walk(self._events, moment, known))
        earlier = [one for one in seen if one.at < moment]
        here = seen[len(earlier) :]
        before = earlier[-1] if earlier else None
        found = _last_changes(_facts(before), here, self._deciding(line))
        if line in _ENTRIES:
            found |= _entering(line, before, here)
        return sorted(found)

    def last(self, moment: datetime, known: datetime) -> list[int]:
        """The last up to a moment that changed anything that counts."""
        facts: Facts = {}
        found = []
        for one in self._walk(self._events, moment, known):
            if one.facts != facts:
                found = [one.version]
            facts = one.facts
        return found

    def learned(self) -> list[int]:
        """Late events that set what is known now of the start, and withdrawals that do."""
        since, until = self._question.since, self._question.until
        believed = self._at_start(self._events, since)
        known = list(self._walk(self._events, since, until))
        now = _moving(known)
        late = {one.version for one in self._events if since < one.known_at <= until}
        found = _last_changes({}, known, {name for name in now if now[name] != believed.get(name)})
        withdrawals = [
            one.version
            for one in self._events
            if one.version in late and isinstance(one.fact, EventWithdrawn)
        ]
        changing = {one for one in withdrawals if self._without(one, since, until) != now}
        # Several withdrawals of one event: without any one of them it is withdrawn all the same.
        return sorted((found & late) | changing) or withdrawals

    def _deciding(self, line: Line) -> Collection[str]:
        """What an entry of a line depends on, besides what it comes from."""
        if line in (INCREASED, DECREASED):
            return {_AMOUNT}
        if line in (MOVED_IN, MOVED_OUT):
            return self._group
        if line == CREATED:
            return {_SIDE, _AMOUNT, *self._group}
        if line in (REOPENED, RESUMED) or line.name == "pulled-in":
            return {_SIDE, *self._group}
        return {_SIDE} if line.name == "pushed-out" else {_STATUS}

    def _at_start(self, events: Sequence[DealEvent], known: datetime) -> Facts:
        return _moving(list(self._walk(events, self._question.since, known)))

    def _without(self, version: int, since: datetime, until: datetime) -> Facts:
        others = [one for one in self._events if one.version != version]
        return self._at_start(others, until)

    def _walk(
        self, events: Sequence[DealEvent], as_of: datetime, known: datetime
    ) -> Iterator[_Seen]:
        for frame in frames_of(events, as_of, known):
            facts = reported(frame.after, self._processes, frame.event.occurred_at)
            if facts is not None:
                event = frame.event
                yield _Seen(event.version, event.occurred_at, facts.status, self._counted(facts))

    def _counted(self, facts: Reported) -> Facts:
        return {
            _STATUS: (facts.status, facts.outcome, facts.closed_at),
            _SIDE: Side.of(facts.expected_close, self._question.closing),
            _AMOUNT: facts.amount.minor if facts.amount else 0,
            _PRICED: facts.amount is not None,
            **{name: getattr(facts, name) for name in self._group},
        }


_ENTRIES = {CREATED, REOPENED, RESUMED}
_ENDED = {status for status in Status if status.closed}


def _facts(seen: _Seen | None) -> Facts:
    return {} if seen is None else seen.facts


def _moving(seen: Sequence[_Seen]) -> Facts:
    """What of the last state can bring an entry between the start and the end."""
    facts = _facts(seen[-1] if seen else None)
    return {name: value for name, value in facts.items() if name != _PRICED}


def _last_changes(before: Facts, here: Sequence[_Seen], names: Collection[str]) -> set[int]:
    """Of each fact that is another one in the end: which event set it last."""
    found = set()
    for name in names:
        value, version = before.get(name), None
        for one in here:
            if one.facts[name] != value:
                value, version = one.facts[name], one.version
        if version is not None and value != before.get(name):
            found.add(version)
    return found


def _entering(line: Line, before: _Seen | None, here: Sequence[_Seen]) -> set[int]:
    """The event that opened the deal, or the last that took it up again.

    A deal that ends anew without that was taken up by what ended it.
    """
    if before is None:
        return {here[0].version}
    resting = {Status.SUSPENDED} if line == RESUMED else _ENDED
    opened = [
        one.version
        for last, one in zip((before, *here), here, strict=False)
        if last.status in resting and one.status is Status.OPEN
    ]
    return {opened[-1]} if opened else _last_changes(before.facts, here, {_STATUS})
