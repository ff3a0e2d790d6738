"""Laws of deciding: whatever users ask for, in whatever order and however late."""

from __future__ import annotations

import msgspec
from hypothesis import given

from domain.corrections import EventWithdrawn
from domain.deal import admissible, decide
from domain.history import Recorded
from domain.refusals import NotAllowed, Refusal
from domain.values import Value
from tests.laws.deals import Step, carry_out, courses, unsound
from tests.laws.test_folding import ALWAYS, folded
from tests.scenario import BOOK, ORGANISATION


@given(courses())
def test_accepted_commands_leave_a_sound_history(course: list[Step]) -> None:
    for step in course:
        assert unsound(step.after) == []


@given(courses())
def test_nothing_is_recorded_that_is_inadmissible_at_its_time(course: list[Step]) -> None:
    for step in course:
        for fact in step.facts:
            then = folded(step.before.events, step.intent.occurred_at, ALWAYS)
            then = msgspec.structs.replace(then, whole=step.after.deal)
            admissible(fact, then, BOOK, step.before.events)


@given(courses())
def test_deciding_is_deterministic(course: list[Step]) -> None:
    for step in course:
        again = carry_out(step.ask, step.before)
        assert again.facts == step.facts
        assert type(again.refusal) is type(step.refusal)
        assert str(again.refusal) == str(step.refusal)


@given(courses())
def test_an_accepted_command_repeated_adds_nothing(course: list[Step]) -> None:
    for step in course:
        if not step.facts:
            continue
        try:
            facts = decide(step.ask.command, step.after, BOOK, step.intent, ORGANISATION)
        except NotAllowed:
            # They gave the deal away, or left its team.
            continue
        assert facts == ()


@given(courses())
def test_what_changes_nothing_is_not_recorded(course: list[Step]) -> None:
    for step in course:
        if not step.facts or isinstance(step.facts[0], EventWithdrawn):
            continue
        at = step.intent.occurred_at
        assert meaning(step.after.at(as_of=at)) != meaning(step.before.at(as_of=at))


_BY_WHICH_EVENT = ("set_by", "version", "since", "at")


def meaning(value: object) -> object:
    """What a state says, without when and by which events it came to be so."""
    match value:
        case Recorded(fact=fact):
            return fact
        case Value():
            return value
        case msgspec.Struct():
            fields = [n for n in value.__struct_fields__ if not n.endswith(_BY_WHICH_EVENT)]
            return {name: meaning(getattr(value, name)) for name in fields}
        case tuple():
            return tuple(map(meaning, value))
        case _:
            return value


@given(courses())
def test_what_is_decided_can_be_written_and_read_back(course: list[Step]) -> None:
    for step in course:
        for fact in step.facts:
            written = msgspec.json.encode(fact)
            assert msgspec.json.decode(written, type=type(fact)) == fact


@given(courses())
def test_a_refusal_names_its_rule_and_what_would_satisfy_it(course: list[Step]) -> None:
    for step in course:
        if isinstance(step.refusal, Refusal):
            assert step.refusal.message
            assert step.refusal.satisfied_by.endswith(".")
            assert step.refusal.code in str(step.refusal)
