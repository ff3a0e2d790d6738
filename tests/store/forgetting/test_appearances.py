"""Finding people on all deals: by id without a key, by name with them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.people.commands import IdentifyStakeholder, ReviseStakeholder
from store.forgetting import appearances
from store.forgetting.appearances import Appearance, everywhere, named, of_keys
from store.location import Location
from store.log import DealLog
from tests.contract.asking import OPEN
from tests.store.people import NAME, PERSON, PLACES, tell, told_log


@pytest.fixture
def log(tmp_path: Path) -> Iterator[DealLog]:
    with told_log(Location.beside(tmp_path / "x.db")) as log:
        yield log


def test_a_person_is_found_on_every_deal_with_all_their_keys(log: DealLog) -> None:
    person = everywhere(log, [PERSON])
    assert person.persons == (PERSON,)
    assert person.appearances == PLACES
    assert person.keys == ("person:p-nadja", "stakeholder:d-1/nadja", "stakeholder:d-2/buyer")
    assert person.streams == ("deal:d-1", "deal:d-2")


def test_a_stakeholder_without_an_id_across_deals_is_on_one_deal(log: DealLog) -> None:
    person = everywhere(log, (), [Appearance("d-1", "wang")])
    assert (person.persons, person.keys) == ((), ("stakeholder:d-1/wang",))


def test_nobody_is_found_under_an_unknown_id(log: DealLog) -> None:
    assert everywhere(log, ["p-nobody"]).appearances == ()


def test_who_was_taken_for_two_persons_makes_them_one(log: DealLog) -> None:
    more = (
        ("d-3", OPEN),
        ("d-3", IdentifyStakeholder("n", "N. B.", person="p-other")),
        ("d-4", OPEN),
        ("d-4", IdentifyStakeholder("b", "Nadja", person="p-other")),
        ("d-4", ReviseStakeholder("b", person=PERSON)),
        ("d-4", ReviseStakeholder("b", person=None)),
    )
    tell(log, more, "more")
    for start in (PERSON, "p-other"):
        person = everywhere(log, [start])
        assert person.persons == (PERSON, "p-other")
        assert person.appearances == (*PLACES, Appearance("d-3", "n"), Appearance("d-4", "b"))
    assert everywhere(log, (), [Appearance("d-4", "b")]) == person


def test_keys_tell_whose_they_are(log: DealLog) -> None:
    person = everywhere(log, [PERSON])
    assert of_keys(log, person.keys) == person
    tell(
        log,
        (("odd/50%", OPEN), ("odd/50%", IdentifyStakeholder("a/b", "Ann"))),
        "odd",
    )
    odd = everywhere(log, (), [Appearance("odd/50%", "a/b")])
    assert odd.keys == ("stakeholder:odd%2F50%25/a/b",)
    assert of_keys(log, odd.keys) == odd


def test_a_name_finds_its_person_whatever_the_case(log: DealLog) -> None:
    (person,) = named(log, NAME.upper())
    assert person == everywhere(log, [PERSON])
    assert named(log, "Nadja") == []


def test_two_bearers_of_a_name_are_two(log: DealLog) -> None:
    more = (("d-5", OPEN), ("d-5", IdentifyStakeholder("namesake", NAME)))
    tell(log, more, "more")
    assert [one.keys for one in named(log, NAME)] == [
        everywhere(log, [PERSON]).keys,
        ("stakeholder:d-5/namesake",),
    ]


def test_a_former_name_counts(log: DealLog) -> None:
    tell(log, (("d-1", ReviseStakeholder("wang", name="Wang Da Wei")),), "more")
    assert named(log, "wang wei") == named(log, "Wang Da Wei") != []


def test_the_log_is_read_in_pages(log: DealLog, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = everywhere(log, [PERSON])
    monkeypatch.setattr(appearances, "PAGE_EVENTS", 1)
    told: list[tuple[int, int]] = []
    assert (
        everywhere(log, [PERSON], progress=lambda done, total: told.append((done, total))) == whole
    )
    assert told == [(3, 12), (4, 12), (10, 12), (11, 12)]
