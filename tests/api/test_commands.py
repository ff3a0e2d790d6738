"""Every command can be explained, and its example is one."""

import msgspec
import pytest

from api.commands import (
    BY_NAME,
    CommandError,
    command_type,
    decode_command,
    example,
    explain,
    summary,
)
from api.wire.gates import MET_BY
from domain.deal import COMMAND_TYPES
from domain.gates import PREDICATES


def test_every_command_of_the_domain_is_there() -> None:
    assert list(BY_NAME.values()) == list(COMMAND_TYPES)


@pytest.mark.parametrize("name", BY_NAME)
def test_the_example_is_such_a_command(name: str) -> None:
    sample = example(BY_NAME[name])
    decoded = decode_command(name, msgspec.json.encode(sample))
    assert isinstance(decoded, BY_NAME[name])
    assert sample


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


def test_every_predicate_of_a_gate_names_a_command_that_meets_it() -> None:
    assert set(MET_BY) == set(PREDICATES)
    named = {words.partition(" ")[0].rstrip(",") for words in MET_BY.values()}
    assert named <= set(BY_NAME)
