"""The page on who sees which field leaves none out that is not public."""

import re

import pytest

from api.commands import fields_of
from domain.history import Fact, stored_name
from store.events.codec import REGISTERED
from tests.docs.reference import page
from tests.domain.test_sensitivity import is_free_text

TEXT = page("audience.md").read_text(encoding="utf-8")
FIELDS, _, PUBLIC = TEXT.partition("\n## Short texts that are public\n")

ABOUT_OURSELVES = {("process-published", "process")}
"""Free text about how we sell, whoever the customer is."""


def listed(part: str, fact_type: type[Fact]) -> list[str]:
    """The fields of a type that the page names there."""
    name = stored_name(fact_type)
    rows = re.findall(rf"^\| \[`{name}`\]\S+ \| ([^|]+) \|", part, re.MULTILINE)
    return [field for row in rows for field in re.findall(r"`(\w+)`", row)]


@pytest.mark.parametrize("fact_type", REGISTERED, ids=stored_name)
def test_every_field_that_is_not_public_is_listed_once(fact_type: type[Fact]) -> None:
    marked = {*fact_type.personal, *fact_type.secret}
    names = [field.encode_name for field in fields_of(fact_type) if field.name in marked]
    assert listed(FIELDS, fact_type) == names
    assert not {*names} & {*listed(PUBLIC, fact_type)}


@pytest.mark.parametrize("fact_type", REGISTERED, ids=stored_name)
def test_no_free_text_is_public(fact_type: type[Fact]) -> None:
    name = stored_name(fact_type)
    free = {field.encode_name for field in fields_of(fact_type) if is_free_text(field.type)}
    free -= {field for owner, field in ABOUT_OURSELVES if owner == name}
    assert free <= {*listed(FIELDS, fact_type)}


def test_it_says_whose_a_field_is_and_who_sees_it() -> None:
    assert (
        "| [`contact-made`](events.md#contact-made) | `summary` | personal |"
        " `their_people`, whoever is named in the text | seller, manager, auditor, operator |"
    ) in FIELDS
    assert "| `reading` | secret | the deal | seller, manager, auditor, operator |" in FIELDS
    assert "| `name` | personal | `user` | everybody who has a role |" in FIELDS
    assert "| analyst | everywhere | yes | no | no |" in FIELDS
