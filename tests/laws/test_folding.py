"""Laws of folding: total over any history, and one state at each (as of, known at)."""

from __future__ import annotations

from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any, cast

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.corrections import EventWithdrawn
from domain.deal import (
    FACT_TYPES,
    Deal,
    DealEvent,
    DealFact,
    History,
    describe,
    evolve,
    replay,
    standing,
    violations,
)
from domain.gates import PREDICATES, gate_state, win_probability
from domain.refusals import Refusal
from tests.laws.deals import deal_facts, histories
from tests.scenario import BOOK, LONGER, STREAM, day
from tests.strategies import events, facts_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

moments = st.integers(-1, 8).map(day)


def is_total(history: Iterable[DealEvent]) -> Deal:
    deal = Deal()
    for event in history:
        assert describe(event, deal)
        deal = evolve(deal, event)
        gates_can_be_judged(deal, event.occurred_at)
    return deal


def gates_can_be_judged(deal: Deal, at: datetime) -> None:
    win_probability(deal, LONGER, at)
    for stage in LONGER.stages:
        gate_state(deal, stage, at)
    for predicate in PREDICATES.values():
        shown = predicate.judge(deal, at)
        assert shown is None or list(shown) == sorted(set(shown))


@pytest.mark.parametrize("fact_type", FACT_TYPES)
@settings(max_examples=settings().max_examples // 5)
@given(st.data())
def test_every_fact_of_its_type_folds_on_any_deal(fact_type: Any, data: st.DataObject) -> None:
    before = is_total(data.draw(histories()))
    event = data.draw(events(facts_of(fact_type)))
    assert describe(cast("DealEvent", event), before)
    evolve(before, cast("DealEvent", event))


@given(st.lists(events(st.one_of([facts_of(fact_type) for fact_type in FACT_TYPES])), max_size=20))
def test_evolving_is_total_over_any_facts_in_any_order(history: list[DealEvent]) -> None:
    is_total(history)


@given(histories().flatmap(st.permutations))
def test_evolving_is_total_over_facts_that_meet(history: list[DealEvent]) -> None:
    is_total(history)


@given(deal_facts())
def test_random_facts_are_valid_by_their_types(fact: DealFact) -> None:
    assert msgspec.json.decode(msgspec.json.encode(fact), type=type(fact)) == fact


@given(histories())
def test_what_is_unsound_is_told_and_never_fails(history: tuple[DealEvent, ...]) -> None:
    for version, refusal in violations(history, BOOK):
        assert 1 <= version <= len(history)
        assert isinstance(refusal, Refusal)


def withdrawn(event: DealEvent, history: Iterable[DealEvent], known_at: datetime) -> bool:
    """Whether some withdrawal that was known by then names the event."""
    return any(
        isinstance(other.fact, EventWithdrawn)
        and event.version in other.fact.versions
        and other.known_at <= known_at
        for other in history
    )


def folded(history: tuple[DealEvent, ...], as_of: datetime, known_at: datetime) -> Deal:
    """The fold written out: in order of (occurred_at, version), what both limits let through."""
    deal = Deal()
    for event in sorted(history, key=lambda event: (event.occurred_at, event.version)):
        if event.occurred_at > as_of or event.known_at > known_at:
            continue
        if not withdrawn(event, history, known_at):
            deal = evolve(deal, event)
    return deal


ALWAYS = day(999)


@given(histories(), moments, moments)
def test_state_is_the_fold_of_the_filtered_events(
    history: tuple[DealEvent, ...], as_of: datetime, known_at: datetime
) -> None:
    assert replay(history, as_of, known_at) == folded(history, as_of, known_at)
    assert replay(history, as_of=as_of) == folded(history, as_of, ALWAYS)
    assert replay(history, known_at=known_at) == folded(history, ALWAYS, known_at)
    assert replay(history) == folded(history, ALWAYS, ALWAYS)
    assert History.of(STREAM, history).at(as_of, known_at) == folded(history, as_of, known_at)


@given(histories(), moments, moments)
def test_standing_events_are_in_order_known_and_not_withdrawn(
    history: tuple[DealEvent, ...], as_of: datetime, known_at: datetime
) -> None:
    kept = cast("list[DealEvent]", standing(history, as_of, known_at))
    keys = [(event.occurred_at, event.version) for event in kept]
    assert keys == sorted(set(keys))
    versions = {event.version for event in kept}
    for event in history:
        due = event.occurred_at <= as_of and event.known_at <= known_at
        assert (event.version in versions) is (due and not withdrawn(event, history, known_at))


@given(histories().flatmap(lambda history: st.tuples(st.just(history), st.permutations(history))))
def test_the_order_of_arrival_does_not_matter(
    both: tuple[tuple[DealEvent, ...], list[DealEvent]],
) -> None:
    history, shuffled = both
    assert replay(shuffled) == replay(history)


@given(histories(), st.lists(st.integers(0, 5), max_size=8))
def test_a_history_extended_in_any_pieces_is_the_history_of_all(
    history: tuple[DealEvent, ...], sizes: list[int]
) -> None:
    cuts = [0, *accumulate(sizes), len(history)]
    grown = History(STREAM)
    for start, end in pairwise(cuts):
        grown = grown.extended(history[start:end])
        assert grown == History.of(STREAM, grown.events)
    assert grown.events == history[: grown.version]
