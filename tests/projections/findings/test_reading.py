"""A rule is asked only where something it reads happened, and says the same as if asked everywhere.

That holds as far as `reads` of the rule names all that bears on it.
"""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.deal import DealEvent
from projections.findings.book import BOOK
from projections.findings.case import Case, Moment, lasting
from projections.findings.finding import Firing
from projections.findings.rule import COURSE, Rule
from projections.frames import frames_as_known, frames_of
from tests.laws.deals import histories
from tests.laws.test_findings import NUMBERS, last_moment, simulated
from tests.scenario import BOOK as PROCESSES

AXES = (frames_of, frames_as_known)


def firings(events: Sequence[DealEvent], rule: Rule) -> tuple[list[Firing], list[Firing]]:
    """What it says where it is asked everywhere, and only where something it reads happened."""
    everywhere, read = [], []
    for axis in AXES:
        case = Case(axis(events), PROCESSES, last_moment(events))
        everywhere += list(rule.find(case))
        read += list(rule.find(case.read_by((*COURSE, *rule.reads))))
    return everywhere, read


@pytest.mark.parametrize("rule", BOOK, ids=lambda rule: rule.id)
def test_on_deals_as_they_are(rule: Rule) -> None:
    for number in NUMBERS:
        everywhere, read = firings(simulated(number), rule)
        assert read == everywhere


@given(histories(), st.sampled_from(BOOK))
def test_on_histories_that_know_no_rules(events: Sequence[DealEvent], rule: Rule) -> None:
    everywhere, read = firings(events, rule)
    assert read == everywhere


def test_what_is_not_read_is_not_asked_about() -> None:
    asked: list[Moment] = []

    def judge(moment: Moment) -> list[Firing]:
        asked.append(moment)
        return []

    events = simulated(0)
    case = Case(frames_of(events), PROCESSES, last_moment(events) + timedelta(days=1))
    list(lasting(case.read_by(COURSE), judge))
    read = [one for one in case.moments if isinstance(one.fact, COURSE)]
    assert {one.event.version for one in asked} <= {one.event.version for one in read}
    assert 0 < len(asked) < len(case.moments) / 2
