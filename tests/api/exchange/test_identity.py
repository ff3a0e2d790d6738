"""Ids derive from the source's name and its own ids."""

import pytest

from api.exchange.identity import Identity, again
from api.exchange.report import ImportFailure


def test_ids_are_the_same_in_every_run_and_release() -> None:
    crm = Identity("crm")
    assert crm.deal("D1") == "4170d0c5-9dd5-57ff-9c09-d52b163cbc06"
    assert crm.person("contact/C1") == "a823f600-9d3f-5a6e-84f4-c1b2c00e0c88"
    assert crm.stamp == "import:crm"


def test_ids_of_two_sources_two_kinds_or_two_rows_differ() -> None:
    east, west = Identity("east"), Identity("west")
    ids = [east.deal("1"), west.deal("1"), east.user("1"), east.account("1"), east.deal("2")]
    ids += [
        east.person("1"),
        west.person("1"),
        east.command("1"),
        east.command("1", "note-added"),
        again(east.command("1")),
    ]
    assert len(set(ids)) == len(ids)


def test_parts_of_an_id_do_not_run_into_each_other() -> None:
    crm = Identity("crm")
    assert crm.command("a", "bc") != crm.command("ab", "c")


@pytest.mark.parametrize("name", ["", "CRM", "crm east", "crm_east", "-crm", "crm:1", "x" * 61])
def test_a_name_that_does_not_fit_is_refused(name: str) -> None:
    with pytest.raises(ImportFailure, match="is not a name for a source"):
        Identity(name)
