"""Every command can be explained, and the examples make up a deal."""

import pytest
from msgspec.structs import replace

from api.commands import (
    BY_NAME,
    CommandError,
    by_family,
    command_type,
    decode_command,
    explain,
    summary,
)
from api.examples import example, leads_to, story
from domain.deal import COMMAND_TYPES, FACT_TYPES
from domain.gates import PREDICATES
from domain.history import stored_name
from domain.refusals import UnknownReference
from tests.docs.reference.played import played


def test_every_command_of_the_domain_is_there() -> None:
    assert list(BY_NAME.values()) == list(COMMAND_TYPES)


@pytest.mark.parametrize("name", BY_NAME)
def test_every_command_has_an_example(name: str) -> None:
    assert example(BY_NAME[name])
    assert leads_to(BY_NAME[name])


def test_the_story_is_accepted_step_by_step_and_leads_to_what_it_says() -> None:
    days = [step.on for step in story()]
    assert days == sorted(days)
    for step, events in played(story()):
        assert list(dict.fromkeys(event.type for event in events)) == list(step.leads_to), step


def test_the_story_has_every_event_of_a_deal() -> None:
    told = {name for step in story() for name in step.leads_to}
    assert told == {stored_name(one) for one in FACT_TYPES}


def test_a_step_out_of_place_is_noticed() -> None:
    opened, *_ = story()
    later = next(step for step in story() if step.command == "send-minutes")
    with pytest.raises(UnknownReference):
        list(played((opened, later)))
    with pytest.raises(CommandError):
        list(played((replace(opened, data={"name": "x"}),)))


def test_families_are_complete_and_in_order() -> None:
    grouped = by_family(COMMAND_TYPES)
    assert [one for members in grouped.values() for one in members] == list(COMMAND_TYPES)
    assert all(grouped.values())


@pytest.mark.parametrize("name", BY_NAME)
def test_every_field_is_explained(name: str) -> None:
    wanted = BY_NAME[name]
    assert [field.name for field in explain(wanted)] == list(wanted.__struct_encode_fields__)
    assert summary(wanted)


def test_types_in_words() -> None:
    told = {field.name: field.type for field in explain(BY_NAME["open-opportunity"])}
    assert told["name"] == "text of up to 500 characters"
    assert told["business_type"] == "one of new, add-on, renewal, upsell, cross-sell or null"
    assert told["process"] == "object with id, version"
    assert told["products"] == "list of text of up to 500 characters"


def test_an_unknown_command_names_the_nearest() -> None:
    with pytest.raises(CommandError, match="Did you mean win-opportunity"):
        command_type("win-oportunity")
    with pytest.raises(CommandError, match=r"there is no command 'zzz'\.$"):
        command_type("zzz")


def test_a_field_inside_a_field_is_named() -> None:
    content = b'{"name": "x", "owner": "o", "currency": "USD", "account": {"name": 5}}'
    with pytest.raises(CommandError, match=r"^account\.name: Expected `str`, got `int`"):
        decode_command("open-opportunity", content)


@pytest.mark.parametrize("name", PREDICATES)
def test_what_meets_a_gate_names_a_command(name: str) -> None:
    words = PREDICATES[name].satisfied_by
    assert words.partition(" ")[0].rstrip(",:") in BY_NAME, words
