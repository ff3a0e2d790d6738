"""What is recorded of looking at encrypted fields."""

import msgspec
import pytest

from domain.access import EVERYTHING, PUBLIC_ONLY, Principal, Role, Sensitivity
from domain.accesses import DataExported, FieldDisclosed, SecretsRead, describe, is_recorded


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


def test_readings_and_exports_are_told_with_how_they_were_asked() -> None:
    read = SecretsRead("harbour", "GET /v1/deals/{deal_id}", tuple(sorted(EVERYTHING)))
    assert describe(read) == "read deal harbour with its secrets: GET /v1/deals/{deal_id}"
    taken = DataExported("audit", "dealstate audit trail", tuple(sorted(EVERYTHING)))
    assert describe(taken) == "read audit with the secrets of all deals: dealstate audit trail"
    people = DataExported("people", "POST /v1/erasures/lookup", (Sensitivity.PERSONAL,))
    assert describe(people) == "looked for people by name: POST /v1/erasures/lookup"


@pytest.mark.parametrize(
    ("role", "visible", "recorded"),
    [
        (Role.SELLER, EVERYTHING, True),
        (Role.AUDITOR, EVERYTHING, True),
        (Role.AUDITOR, frozenset({Sensitivity.SECRET}), True),
        (Role.ANALYST, PUBLIC_ONLY, False),
        (Role.SELLER, frozenset({Sensitivity.PUBLIC, Sensitivity.PERSONAL}), False),
        (Role.OPERATOR, EVERYTHING, False),
    ],
)
def test_who_may_see_secrets_is_recorded_but_for_who_holds_the_keys(
    role: Role, visible: frozenset[Sensitivity], *, recorded: bool
) -> None:
    assert is_recorded(Principal("ann", frozenset({role})), visible) is recorded
