"""Whether an event makes an entry of the waterfall: whether it is another one without the event."""

from collections.abc import Sequence
from itertools import combinations

from domain.deal import DealEvent
from projections.waterfall.asking import Question
from projections.waterfall.deals import Entry
from projections.waterfall.steps import (
    CORRECTED,
    CREATED,
    DECREASED,
    END,
    INCREASED,
    MERGED,
    REVALUED,
    START,
    SUSPENDED,
    WON,
)
from tests.projections.histories import MICROSECOND
from tests.projections.waterfall.plain import fact_at, happened, knowledge, learned


def makes_it(events: Sequence[DealEvent], version: int, entry: Entry, question: Question) -> bool:
    """Whether an entry is another one without an event; or, where others did the same, without
    it and some of these."""
    others = [event for event in events if event.version != version]
    if entry.line not in (START, END, REVALUED, CORRECTED):
        assert events[version - 1].occurred_at == entry.moment
        others = [event for event in others if event.occurred_at == entry.moment]
    for size in range(len(others) + 1):
        for left_out in combinations(others, size):
            some = [event for event in events if event not in left_out]
            without = [event for event in some if event.version != version]
            if told_by(some, entry, question) != told_by(without, entry, question):
                return True
    return False


def told_by(events: Sequence[DealEvent], entry: Entry, question: Question) -> list[object]:
    """What histories tell on the line of an entry, at its moment: only what the line is about."""
    line, at = entry.line, entry.moment
    known = knowledge(question)
    if line == CORRECTED:
        return list(learned(events, question))
    if line in (START, END, REVALUED):
        fact = fact_at(events, at, known[line == END], question)
        return [] if fact is None else [fact.inside, fact.place, fact.wanted, fact.amount]
    before = fact_at(events, at - MICROSECOND, known[1], question)
    after = fact_at(events, at, known[1], question)
    steps = [one for one in happened(before, after) if one.line == str(line)] if after else []
    if line in (INCREASED, DECREASED):
        return [one.amount for one in steps]
    if line == CREATED:
        return list(steps)
    if line in (WON, MERGED, SUSPENDED) or line.name in ("lost", "pushed-out"):
        return [one.line for one in steps]
    return [(one.line, one.place, one.wanted) for one in steps]
