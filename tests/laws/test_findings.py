"""Laws of the findings: nothing later changes them, nor does what a rule does not read.

On deals as the simulator tells them, which are coherent, and on histories that know no rules.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import cache

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.simulate import portfolio
from domain.corrections import EventWithdrawn
from domain.deal import DealEvent
from domain.history import Draft
from domain.lifecycle.facts import NoteAdded
from domain.process_files import built_in_processes
from projections.findings import Finding, judge
from projections.findings.book import BOOK
from projections.findings.case import Case
from projections.findings.rule import COURSE, Rule
from projections.frames import Frame, frames_as_known, frames_of
from tests.laws.deals import deal_facts, histories
from tests.scenario import BOOK as PROCESSES
from tests.scenario import day

FAR = timedelta(days=400)
NUMBERS = range(24)


@cache
def simulated(number: int) -> tuple[DealEvent, ...]:
    """The events of one deal of a made-up portfolio."""
    period = portfolio.period(24, date(2026, 6, 30))
    return portfolio.simulated(11, number, period, built_in_processes()).history.events


coherent = st.sampled_from(NUMBERS).map(simulated)
axes = st.sampled_from([frames_of, frames_as_known])


def found(frames: Sequence[Frame], until: datetime, rules: Sequence[Rule] = BOOK) -> list[Finding]:
    case = Case(frames, PROCESSES, until)
    return list(judge(case, secrets=True, rules=rules).findings)


def as_seen_at(findings: Sequence[Finding], at: datetime) -> list[Finding]:
    """The findings that had begun by then, without what ended them later."""
    return [
        msgspec.structs.replace(one, until=one.until if one.until and one.until <= at else None)
        for one in findings
        if one.since <= at
    ]


def last_moment(events: Sequence[DealEvent]) -> datetime:
    moments = [max(event.occurred_at, event.known_at) for event in events]
    return max(moments, default=day(0)) + FAR


@given(coherent | histories(), axes, st.data())
def test_what_was_found_by_a_moment_does_not_depend_on_what_came_later(
    events: Sequence[DealEvent], axis: type, data: st.DataObject
) -> None:
    end = last_moment(events)
    moments = [day(0), *(max(event.occurred_at, event.known_at) for event in events)]
    at = data.draw(st.sampled_from(moments)) + data.draw(
        st.sampled_from([timedelta(), timedelta(days=1), timedelta(days=15), timedelta(days=45)])
    )
    at = min(at, end)
    whole, then = axis(events), axis(events, at)
    assert as_seen_at(found(whole, end), at) == found(then, at)


@pytest.mark.parametrize("rule", BOOK, ids=lambda rule: rule.id)
@given(st.data())
def test_an_event_that_a_rule_does_not_read_changes_nothing(
    rule: Rule, data: st.DataObject
) -> None:
    events = data.draw(coherent)
    strange = data.draw(deal_facts())
    if isinstance(strange, (*COURSE, *rule.reads, EventWithdrawn)):
        strange = NoteAdded("Something else.")
    place = data.draw(st.sampled_from(events[:-1]))
    moment = place.occurred_at + timedelta(microseconds=data.draw(st.integers(1, 3)))
    added = Draft(
        fact=strange,
        occurred_at=moment,
        actor=place.actor,
        source=place.source,
        command_id="c-strange",
        correlation_id="c-strange",
        known_at=moment,
    ).recorded(place.stream, len(events) + 1, events[-1].recorded_at)
    end = last_moment(events)
    before = found(frames_of(events), end, [rule])
    assert found(frames_of([*events, added]), end, [rule]) == before


@given(histories())
def test_rules_are_total(events: Sequence[DealEvent]) -> None:
    for axis in (frames_of, frames_as_known):
        for one in found(axis(events), last_moment(events)):
            assert one.until is None or one.since <= one.until
            assert list(one.evidence) == sorted(set(one.evidence))
            assert one.sentence.en
            assert one.sentence.zh
