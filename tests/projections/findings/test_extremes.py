"""The rules hold out at the ends of time: dates in facts, and moments of events."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.deal import DealEvent
from domain.values import END_OF_TIME, START_OF_TIME
from projections.findings import Settings, judge
from projections.findings.case import Case
from projections.frames import frames_as_known, frames_of
from tests.laws.deals import histories
from tests.laws.test_findings import simulated
from tests.scenario import BOOK as PROCESSES

replace = msgspec.structs.replace
DAYS = [name for name in msgspec.structs.asdict(Settings()) if name.endswith("_days")]
LONG = msgspec.convert(dict.fromkeys(DAYS, 3650), Settings)


def dated(value: Any, day: date) -> Any:
    """The same with every date in it moved to one day."""
    if isinstance(value, msgspec.Struct):
        fields = {name: getattr(value, name) for name in value.__struct_fields__}
        changed = {name: dated(one, day) for name, one in fields.items()}
        new = {name: one for name, one in changed.items() if one is not fields[name]}
        return replace(value, **new) if new else value
    if isinstance(value, tuple):
        changed_items = tuple(dated(one, day) for one in value)
        return changed_items if changed_items != value else value
    return day if isinstance(value, date) else value


def judged(events: Sequence[DealEvent], settings: Settings) -> None:
    for axis in (frames_of, frames_as_known):
        case = Case(axis(events), PROCESSES, END_OF_TIME, settings)
        for one in judge(case, secrets=True).findings:
            assert one.until is None or one.since <= one.until


days = st.sampled_from([date.min, date.max])
coherent = st.integers(0, 23).map(simulated)


@given(coherent | histories(), days, st.sampled_from([Settings(), LONG]))
def test_dates_of_facts(events: Sequence[DealEvent], day: date, settings: Settings) -> None:
    judged([replace(one, fact=dated(one.fact, day)) for one in events], settings)


@pytest.mark.parametrize("moment", [START_OF_TIME, END_OF_TIME])
@given(events=coherent | histories(), settings=st.sampled_from([Settings(), LONG]), data=st.data())
def test_moments_of_events(
    moment: datetime, events: Sequence[DealEvent], settings: Settings, data: st.DataObject
) -> None:
    """The first of them at the beginning of time, or the last of them at its end."""
    cut = data.draw(st.integers(0, len(events)))
    before, after = events[:cut], events[cut:]
    if moment == START_OF_TIME:
        judged([*(_moved(one, moment) for one in before), *after], settings)
    else:
        judged([*before, *(_moved(one, moment) for one in after)], settings)


def _moved(event: DealEvent, moment: datetime) -> DealEvent:
    return replace(event, occurred_at=moment, known_at=moment)
