"""What is recorded of looking at encrypted fields."""

import msgspec
import pytest

from domain.accesses import FieldDisclosed, describe


def test_it_is_told_in_a_phrase() -> None:
    fact = FieldDisclosed("harbour", 7, "walk_aways")
    assert describe(fact) == "disclosed the field walk_aways of version 7 of deal harbour"


@pytest.mark.parametrize(
    "changes", [{"version": 0}, {"deal": ""}, {"field": ""}, {"value": "what was disclosed"}]
)
def test_it_names_an_event_and_a_field_and_holds_no_value(changes: dict[str, object]) -> None:
    fact = {"type": "field-disclosed", "deal": "harbour", "version": 7, "field": "text", **changes}
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(fact, FieldDisclosed)
