"""Keys that were lost and given up: neither there nor erased."""

from pathlib import Path

import pytest

from store.keys.ring import KeyRing
from tests.store.keys.making import create, reopen


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "k"


def test_what_is_given_up_is_neither_there_nor_erased(path: Path) -> None:
    with create(path) as ring:
        ring.ensure(["person:here"])
        ring.begin_erasure(["person:gone"], "gone")
        ring.finish_erasure("gone")
        names = ["person:here", "person:gone", "person:lost", "person:new"]
        ring.give_up(names[:3])
        assert ring.is_lost(names) == {"person:lost"}
        assert ring.is_erased(names) == {"person:gone"}
        assert ring.find(names).keys() == {"person:here"}
        assert ring.describe().given_up == 1
    with reopen(path) as ring:
        assert ring.is_lost(names) == {"person:lost"}


def test_a_name_that_was_given_up_gets_a_new_key(path: Path) -> None:
    with create(path) as ring:
        ring.give_up(["deal:d"])
        assert ring.ensure(["deal:d"]).keys() == {"deal:d"}
        assert ring.is_lost(["deal:d"]) == {"deal:d"}


def test_who_is_erased_is_lost_no_more(path: Path) -> None:
    with create(path) as ring:
        ring.give_up(["person:a"])
        ring.begin_erasure(["person:a"], "a")
        assert (ring.is_lost(["person:a"]), ring.is_erased(["person:a"])) == (set(), {"person:a"})


def test_other_processes_learn_of_it(path: Path) -> None:
    with create(path) as ring, reopen(path) as other:
        before = other.generation
        ring.give_up(["person:a"])
        assert other.generation > before
        assert other.is_lost(["person:a"]) == {"person:a"}


def test_names_of_lost_keys_are_not_in_the_file(path: Path) -> None:
    with create(path) as ring:
        _give_up_and_copy(ring, path)
    assert b"somebody" not in path.read_bytes()


def _give_up_and_copy(ring: KeyRing, path: Path) -> None:
    ring.give_up(["person:somebody"])
    copy = path.with_name("copy")
    ring.copy_to(copy)
    with reopen(copy) as copied:
        assert copied.is_lost(["person:somebody"]) == {"person:somebody"}
