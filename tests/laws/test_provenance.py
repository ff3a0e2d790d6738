"""Law: an event that is said to have set a fact did, and nothing since has changed that."""

from collections.abc import Sequence
from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from domain.corrections import EventWithdrawn
from domain.deal import DealEvent, replay
from domain.history import Draft
from domain.values import END_OF_TIME, START_OF_TIME
from projections.provenance import facts_set_by
from projections.reported import Reported, reported
from tests.projections.histories import around, histories
from tests.scenario import BOOK

NAMES = Reported.__struct_fields__
LAST = datetime(2028, 1, 1, tzinfo=END_OF_TIME.tzinfo)


def standing_in_order(
    events: Sequence[DealEvent], as_of: datetime, known_at: datetime
) -> list[DealEvent]:
    """Written from the definition: known by then, occurred by then, not withdrawn by then."""
    known = [event for event in events if event.known_at <= known_at]
    gone = {
        version
        for event in known
        if isinstance(event.fact, EventWithdrawn)
        for version in event.fact.versions
    }
    there = [e for e in known if e.version not in gone and e.occurred_at <= as_of]
    return sorted(there, key=lambda event: (event.occurred_at, event.version))


def facts_of(events: Sequence[DealEvent], processes_at: datetime) -> dict[str, object]:
    """What a plain fold of these events reports; None for each fact where nothing is reported."""
    found = reported(replay(events), BOOK, processes_at)
    return {name: None if found is None else getattr(found, name) for name in NAMES}


def after(events: Sequence[DealEvent], count: int) -> dict[str, object]:
    some = events[:count]
    return facts_of(some, some[-1].occurred_at if some else START_OF_TIME)


@st.composite
def points(draw: st.DrawFn, events: Sequence[DealEvent]) -> tuple[datetime, datetime]:
    occurred = around(sorted({event.occurred_at for event in events}))
    known = around(sorted({event.known_at for event in events}))
    return (
        draw(st.sampled_from([END_OF_TIME, *occurred])),
        draw(st.sampled_from([END_OF_TIME, *known])),
    )


@given(events=histories(), data=st.data())
def test_the_event_that_set_a_fact_is_where_it_last_changed(
    events: tuple[DealEvent, ...], data: st.DataObject
) -> None:
    at = data.draw(points(events))
    order = standing_in_order(events, *at)
    found = facts_set_by(events, *at, BOOK)
    states = [after(order, count) for count in range(len(order) + 1)]
    versions = [event.version for event in order]
    for name in NAMES:
        values = [state[name] for state in states]
        if name not in found:
            assert set(map(repr, values)) == {"None"}
            continue
        place = versions.index(found[name])
        # Without it the fact was another; with it, and with all that came since, it is this.
        assert values[place] != values[place + 1]
        assert all(value == values[-1] for value in values[place + 1 :])


@given(events=histories(), data=st.data())
def test_the_order_in_which_events_are_given_is_of_no_account(
    events: tuple[DealEvent, ...], data: st.DataObject
) -> None:
    at = data.draw(points(events))
    shuffled = data.draw(st.permutations(events))
    assert facts_set_by(shuffled, *at, BOOK) == facts_set_by(events, *at, BOOK)


@given(events=histories(), data=st.data())
def test_an_event_that_is_withdrawn_sets_nothing_from_then_on(
    events: tuple[DealEvent, ...], data: st.DataObject
) -> None:
    before = facts_set_by(events, END_OF_TIME, LAST, BOOK)
    candidates = sorted(
        {version for version in before.values() if version != 1}
        - {e.version for e in events if isinstance(e.fact, EventWithdrawn)}
    )
    if not candidates:
        return
    gone = data.draw(st.sampled_from(candidates))
    fact = EventWithdrawn((gone,), "…")
    draft = Draft(fact, LAST, "ann", "api", "w", "w", END_OF_TIME)
    longer = (*events, draft.recorded(events[0].stream, len(events) + 1, END_OF_TIME))
    assert facts_set_by(longer, END_OF_TIME, LAST, BOOK) == before
    since = facts_set_by(longer, END_OF_TIME, END_OF_TIME, BOOK)
    assert gone not in since.values()
    whole = standing_in_order(longer, END_OF_TIME, END_OF_TIME)
    at = whole[-1].occurred_at if whole else START_OF_TIME
    assert {n for n, v in facts_of(whole, at).items() if v is not None} <= since.keys()
