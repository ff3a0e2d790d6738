"""Who is meant: an id, a place on a deal, a name; and who would be erased along."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.erasing import PersonNotFound, find_person
from api.workspace import Workspace
from domain.people.commands import IdentifyStakeholder, ReviseStakeholder
from store.forgetting.appearances import everywhere
from store.location import Location
from tests.contract.asking import OPEN, Ticking
from tests.store.people import NAME, PERSON, tell


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.create(Location.beside(tmp_path / "x.db"), clock=Ticking()) as store:
        tell(store.log)
        yield store


@pytest.mark.parametrize("wanted", [PERSON, "d-1/nadja", "d-2/buyer", NAME, NAME.lower()])
def test_one_person_is_found_by_id_place_and_name(store: Workspace, wanted: str) -> None:
    assert find_person(store, [wanted]) == everywhere(store.log, [PERSON])


def test_a_place_may_have_slashes_in_its_ids(store: Workspace) -> None:
    tell(store.log, (("a/b", OPEN), ("a/b", IdentifyStakeholder("c/d", "Carl"))), "odd")
    assert find_person(store, ["a/b/c/d"]).keys == ("stakeholder:a%2Fb/c/d",)


@pytest.mark.parametrize("wanted", ["nobody", "d-1/nobody", "d-9/nadja", "Nadja", "/", ""])
def test_nobody_is_told(store: Workspace, wanted: str) -> None:
    with pytest.raises(PersonNotFound, match="no person") as caught:
        find_person(store, [wanted])
    assert caught.value.ways == ()


def test_several_bearers_of_a_name_are_listed_with_how_to_name_each(store: Workspace) -> None:
    tell(store.log, (("d-5", OPEN), ("d-5", IdentifyStakeholder("n", NAME))), "more")
    with pytest.raises(PersonNotFound, match="2 persons") as caught:
        find_person(store, [NAME])
    assert caught.value.ways == ("p-nadja  on d-1/nadja, d-2/buyer", "d-5/n  on d-5/n")
    for way in caught.value.ways:
        assert find_person(store, [way.split("  ")[0]]).appearances


def test_who_was_taken_for_others_is_erased_with_them_only_when_they_are_named(
    store: Workspace,
) -> None:
    tell(store.log, (("d-1", ReviseStakeholder("nadja", person="p-new")),), "more")
    for wanted in ("p-new", PERSON, "d-1/nadja"):
        with pytest.raises(PersonNotFound, match="also taken for") as caught:
            find_person(store, [wanted])
        assert len(caught.value.ways) == 1
    whole = everywhere(store.log, [PERSON, "p-new"])
    assert find_person(store, [PERSON, "p-new"]) == whole
    assert find_person(store, [NAME]) == whole
