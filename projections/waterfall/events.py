"""The events behind an entry of the waterfall: which versions of the deal's events did it."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from domain.corrections import EventWithdrawn
from domain.deal import DealEvent
from domain.process import ProcessBook
from projections.frames import Frame, frames_of
from projections.instants import instant_of
from projections.reported import UNREPORTED, reported
from projections.waterfall.asking import Question
from projections.waterfall.steps import CORRECTED, END, REVALUED, START, Line

_FACTS = ("status", "outcome", "amount", "expected_close")


def versions_behind(
    events: Sequence[DealEvent],
    line: Line,
    moment: datetime,
    question: Question,
    processes: ProcessBook,
) -> list[int]:
    """The versions of the events that made an entry of a line at a moment, ascending.

    `events` are all of one deal. Of what stands at the start or the end it is the last one that
    made the deal what the waterfall counts. Raises UnknownProcess.
    """
    if line == CORRECTED:
        return _learned(events, question)
    if line in (START, REVALUED):
        known = instant_of(question.start.known)
        return _changing(frames_of(events, moment, known), question, processes)[-1:]
    known = instant_of(question.end.known)
    changing = _changing(frames_of(events, moment, known), question, processes)
    if line == END:
        return changing[-1:]
    at = {event.version for event in events if event.occurred_at == moment}
    return [version for version in changing if version in at]


def _changing(frames: Iterable[Frame], question: Question, processes: ProcessBook) -> list[int]:
    """The frames in which something changes that the waterfall counts, by version, in order."""
    names = (*_FACTS, *question.by, *question.where)
    before: tuple[object, ...] | None = None
    found = []
    for frame in frames:
        facts = reported(frame.after, processes, frame.event.occurred_at)
        after = None if facts is None else tuple(getattr(facts, name) for name in names)
        if after != before:
            found.append(frame.event.version)
        before = after
    return found


def _learned(events: Sequence[DealEvent], question: Question) -> list[int]:
    """What became known of the time up to the start: late events, and withdrawals."""
    bearing = [event for event in events if type(event.fact) not in UNREPORTED]
    earlier = {event.version for event in bearing if event.occurred_at <= question.since}
    return [
        event.version
        for event in bearing
        if question.since < event.known_at <= question.until
        and (
            not earlier.isdisjoint(event.fact.versions)
            if isinstance(event.fact, EventWithdrawn)
            else event.version in earlier
        )
    ]
