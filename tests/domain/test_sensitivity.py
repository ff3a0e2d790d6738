"""Which fields of a fact speak of people, and which only the deal team may see."""

from __future__ import annotations

import pytest
from msgspec import inspect

from domain.deal import FACT_TYPES
from domain.history import Fact, stored_name

FREE_TEXT_CHARACTERS = 20_000
SECRETS = {
    "negotiation-opened": {"targets", "walk_aways"},
    "walk-away-revised": {"walk_away", "reason"},
    "their-walk-away-estimated": {"walk_away", "basis"},
    "walk-away-pressed": {"reading"},
}
NAMED = {
    "stakeholder-identified": {"name", "title", "contact_points"},
    "stakeholder-revised": {"name", "title", "contact_points"},
    "stakeholder-assessed": {"business_motive", "personal_motive"},
    "contact-made": {"purpose", "summary"},
}


def fields(fact_type: type[Fact]) -> tuple[inspect.Field, ...]:
    info = inspect.type_info(fact_type)
    assert isinstance(info, inspect.StructType)
    return info.fields


def is_free_text(kind: inspect.Type) -> bool:
    match kind:
        case inspect.StrType(max_length=longest):
            return longest == FREE_TEXT_CHARACTERS
        case inspect.UnionType(types=types):
            return any(map(is_free_text, types))
        case inspect.VarTupleType(item_type=item):
            return is_free_text(item)
        case inspect.StructType(fields=parts):
            return any(is_free_text(part.type) for part in parts)
        case _:
            return False


@pytest.mark.parametrize("fact_type", FACT_TYPES)
def test_free_text_is_never_public(fact_type: type[Fact]) -> None:
    free = {field.name for field in fields(fact_type) if is_free_text(field.type)}
    assert free <= {*fact_type.personal, *fact_type.secret}


@pytest.mark.parametrize("fact_type", FACT_TYPES)
def test_a_marked_field_exists_and_is_marked_once(fact_type: type[Fact]) -> None:
    marked = [*fact_type.personal, *fact_type.secret]
    assert len(marked) == len(set(marked))
    assert set(marked) <= {field.name for field in fields(fact_type)}


def test_secrets_are_those_of_negotiating() -> None:
    assert {stored_name(one): set(one.secret) for one in FACT_TYPES if one.secret} == SECRETS


def test_what_names_people_is_personal() -> None:
    by_name = {stored_name(one): set(one.personal) for one in FACT_TYPES}
    assert {name: by_name[name] for name in NAMED} == NAMED
