"""Laws of variations: they begin as the original, and go on as a history that was recorded so.

On deals as the simulator tells them, which are coherent, and on histories that know no rules, and
so break every gate.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache
from typing import Any

import msgspec
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from api.simulate import portfolio
from domain.corrections import EventWithdrawn, standing
from domain.deal import Deal, DealEvent, DealFact, admissible, violations
from domain.gates import gate_state
from domain.history import fold_order
from domain.lifecycle.facts import OpportunityOpened, ProcessChanged
from domain.people.facts import SubjectErased
from domain.process_files import built_in_processes
from domain.refusals import Refusal
from domain.stages.facts import StageAdvanced
from projections.findings import judge
from projections.findings.case import Case
from projections.frames import Frame, frames_of
from projections.replay import moves_of
from projections.whatif import EditFault, Edits, Insertion, Variation, Viewpoint, variation_of
from tests.laws.deals import deal_facts, histories
from tests.scenario import BOOK as PROCESSES
from tests.scenario import day

FAR = timedelta(days=400)
FEW = settings(max_examples=settings().max_examples // 4)
"""Each example folds and judges two histories, some of them of hundreds of events."""
OUTSIDE = (OpportunityOpened, EventWithdrawn, SubjectErased)
"""What is neither dropped nor inserted: the deal itself, and what takes back."""


@cache
def simulated(number: int) -> tuple[DealEvent, ...]:
    """The events of one deal of a made-up portfolio."""
    period = portfolio.period(24, date(2026, 6, 30))
    return portfolio.simulated(11, number, period, built_in_processes()).history.events


def begun(events: tuple[DealEvent, ...]) -> tuple[DealEvent, ...]:
    """The history with its opening before everything else; none where it has no opening there."""
    if not events or not isinstance(events[0].fact, OpportunityOpened):
        return ()
    first = msgspec.structs.replace(events[0], occurred_at=day(-1))
    folded = standing([first, *events[1:]])
    return (first, *events[1:]) if folded and folded[0].version == 1 else ()


coherent = st.sampled_from(range(24)).map(simulated)
anything = st.one_of(coherent, *[histories().map(begun).filter(bool)] * 3)


def viewpoint(events: Sequence[DealEvent], **more: Any) -> Viewpoint:
    until = max(max(event.occurred_at, event.known_at) for event in events) + FAR
    return Viewpoint(processes=PROCESSES, until=until, secrets=True, **more)


def first_of(events: Sequence[DealEvent]) -> int:
    return standing(events)[0].version


def whole_command(event: DealEvent, events: Sequence[DealEvent]) -> list[DealEvent]:
    return [one for one in events if (one.actor, one.command_id) == (event.actor, event.command_id)]


def droppable(events: Sequence[DealEvent]) -> list[int]:
    """Versions that stand, of commands that can be dropped."""
    return [
        event.version
        for event in standing(events)
        if not any(
            isinstance(one.fact, OpportunityOpened | SubjectErased)
            for one in whole_command(event, events)
        )
    ]


@st.composite
def varied(draw: st.DrawFn, *, strict: bool = False) -> tuple[Sequence[DealEvent], Edits]:
    """A history, and edits behind some fork."""
    events = draw(anything)
    folded = standing(events)
    assume(folded)
    fork = draw(st.sampled_from(folded))
    behind = [one for one in folded if fold_order(one) >= fold_order(fork)]
    drop = draw(st.lists(st.sampled_from([one.version for one in behind]), max_size=3))
    facts = deal_facts().filter(lambda fact: not isinstance(fact, (*OUTSIDE, ProcessChanged)))
    when = st.integers(0, 40).map(lambda days: fork.occurred_at + timedelta(days=days))
    inserted = draw(st.lists(st.builds(Insertion, facts, when), max_size=2))
    return events, Edits(fork.version, tuple(drop), {}, tuple(inserted), strict)


def made(events: Sequence[DealEvent], edits: Edits) -> Variation:
    """The variation; nothing to look at where it cannot be made."""
    try:
        return variation_of(events, edits, viewpoint(events))
    except (EditFault, Refusal):
        assume(False)
        raise


@FEW
@given(anything, st.data())
def test_without_edits_it_is_the_replay(events: Sequence[DealEvent], data: st.DataObject) -> None:
    at = data.draw(st.sampled_from([one.version for one in standing(events)]))
    view = viewpoint(events)
    for strict in (False, True):
        found = variation_of(events, Edits(at, strict=strict), view)
        assert found.variation == found.original == frames_of(events)
        assert [pair.variation for pair in found.pairs] == [pair.original for pair in found.pairs]
        told = [one.variation for one in found.pairs]
        assert told == moves_of(frames_of(events), PROCESSES, secrets=True)
        case = Case(frames_of(events), PROCESSES, view.until)
        assert found.assessments == (judge(case, secrets=True),) * 2
        assert (found.refused, found.findings) == ((), ())
        assert not any(pair.differs or pair.edit for pair in found.pairs)


@FEW
@given(anything, st.data())
def test_dropping_a_command_equals_the_history_that_never_had_it(
    events: Sequence[DealEvent], data: st.DataObject
) -> None:
    assume(droppable(events))
    version = data.draw(st.sampled_from(droppable(events)))
    gone = {one.version for one in whole_command(events[version - 1], events)}
    try:
        found = variation_of(events, Edits(first_of(events), drop=(version,)), viewpoint(events))
    except EditFault:
        # A withdrawal, of something that occurred before all that stands.
        assert any(isinstance(events[one - 1].fact, EventWithdrawn) for one in gone)
        return
    never = without(events, gone)
    assert states(found.variation) == states(frames_of(never))


def without(events: Sequence[DealEvent], gone: set[int]) -> list[DealEvent]:
    """The history as it would be in the log without these, its versions without gaps."""
    kept = [event for event in events if event.version not in gone]
    now = {event.version: version for version, event in enumerate(kept, start=1)}
    return [
        msgspec.structs.replace(event, version=now[event.version], fact=_renamed(event.fact, now))
        for event in kept
    ]


def _renamed(fact: DealFact, now: dict[int, int]) -> DealFact:
    if isinstance(fact, EventWithdrawn):
        return EventWithdrawn(tuple(now[one] for one in fact.versions if one in now), fact.reason)
    return fact


def states(frames: Sequence[Frame]) -> list[Any]:
    """The states behind the frames, versions apart."""
    return [_without_versions(msgspec.to_builtins(frame.after)) for frame in frames]


def _without_versions(value: Any) -> Any:
    match value:
        case dict():
            return {
                name: None
                if name == "version" or name.endswith("set_by")
                else _without_versions(one)
                for name, one in value.items()
            }
        case list() | tuple():
            return [_without_versions(one) for one in value]
        case _:
            return value


@FEW
@given(st.booleans().flatmap(lambda strict: varied(strict=strict)))
def test_nothing_before_the_fork_changes(made_of: tuple[Sequence[DealEvent], Edits]) -> None:
    events, edits = made_of
    found = made(events, edits)
    fork = fold_order(events[edits.at - 1])
    before = [frame for frame in frames_of(events) if fold_order(frame.event) < fork]
    assert list(found.variation[: len(before)]) == before
    assert all(fold_order(one.event) >= fork for one in found.variation[len(before) :])
    for pair in found.pairs[: len(before)]:
        assert pair.original == pair.variation
        assert not pair.differs
    at = fork[0]
    assert [one for one in found.assessments[0].findings if one.until and one.until < at] == [
        one for one in found.assessments[1].findings if one.until and one.until < at
    ]


@FEW
@given(varied(strict=True))
def test_strictly_nothing_is_left_that_became_inadmissible(
    made_of: tuple[Sequence[DealEvent], Edits],
) -> None:
    events, edits = made_of
    found = made(events, edits)
    fork = fold_order(events[edits.at - 1])
    inserted = [frame.event for frame in found.variation if frame.event.version > len(events)]
    before = refused_in(found.original, events)
    after = refused_in(found.variation, (*events, *inserted))
    newly = after - before
    by_version = {frame.event.version: frame for frame in found.variation}
    assert [one for one in newly if fold_order(by_version[one].event) >= fork] == []
    assert all(one.dropped for one in found.refused)
    assert {one.frame.event.version for one in found.refused}.isdisjoint(by_version)


def refused_in(frames: Sequence[Frame], events: Sequence[DealEvent]) -> set[int]:
    """Versions that break a structural rule, or pass a gate that is not met without an override."""
    whole = frames[-1].after if frames else Deal()
    found = set()
    for frame in frames:
        fact = frame.event.fact
        try:
            admissible(fact, msgspec.structs.replace(frame.before, whole=whole), PROCESSES, events)
        except Refusal:
            found.add(frame.event.version)
        else:
            if isinstance(fact, StageAdvanced) and not fact.override and unmet(frame):
                found.add(frame.event.version)
    return found


def unmet(frame: Frame) -> bool:
    process = PROCESSES.get(frame.before.life.process)  # type: ignore[arg-type]
    stage = process.stage(frame.before.stages.stage or "")
    assert stage is not None
    assert isinstance(frame.event.fact, StageAdvanced)
    steps = (process.position(frame.event.fact.to) or 0) - (process.position(stage.id) or 0)
    return steps > 1 or bool(gate_state(frame.before, stage, frame.event.occurred_at).missing)


@FEW
@given(varied())
def test_what_is_listed_is_what_the_rules_refuse_now_and_did_not_before(
    made_of: tuple[Sequence[DealEvent], Edits],
) -> None:
    events, edits = made_of
    found = made(events, edits)
    fork = fold_order(events[edits.at - 1])
    inserted = [frame.event for frame in found.variation if frame.event.version > len(events)]
    newly = refused_in(found.variation, (*events, *inserted)) - refused_in(found.original, events)
    behind = {one.event.version for one in found.variation if fold_order(one.event) >= fork}
    assert {one.frame.event.version for one in found.refused} == newly & behind
    assert not any(one.dropped for one in found.refused)
    assert {version for version, _ in violations(events, PROCESSES)} <= refused_in(
        found.original, events
    )
