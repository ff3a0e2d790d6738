"""Erasure: doomed at once, destroyed for good, finished after any crash, applied to old copies."""

import sqlite3
from collections.abc import Collection
from contextlib import closing
from pathlib import Path

import pytest

from store.errors import StoreError
from store.keys import erasure, vault
from store.keys.erasure import PendingErasure
from store.keys.errors import KeysDamaged, KeysErased
from store.keys.ring import KeyRing
from store.keys.vault import Vault
from tests.store.keys.making import NOON, ask, bytes_of_all_files, crash_at, raw, reopen

ANNA = ["person:anna-1", "stakeholder:d/anna-s"]


def wrapped_in(path: Path) -> list[bytes]:
    return [wrapped for (wrapped,) in ask(path, "SELECT wrapped FROM keys ORDER BY id")]


def test_a_doomed_name_has_no_key_from_then_on(ring: KeyRing) -> None:
    ring.ensure(["person:anna-1", "person:ben"])
    before = ring.generation
    ring.begin_erasure(ANNA, "anna-1")
    assert ring.generation > before
    assert set(ring.find([*ANNA, "person:ben"])) == {"person:ben"}
    assert ring.is_erased([*ANNA, "person:ben"]) == set(ANNA)
    with pytest.raises(KeysErased, match="were erased"):
        ring.ensure(ANNA)


@pytest.mark.parametrize("most", [0, 1, 100])
def test_what_is_erased_is_known_also_where_it_is_too_much_to_keep_in_memory(
    ring: KeyRing, path: Path, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(vault, "WARM_ERASED", most)
    assert not ring.has_erased()
    ring.ensure(["person:ben"])
    with reopen(path) as theirs:
        theirs.begin_erasure(ANNA, "anna-1", [("deal:d", "Anna Berg")])
        theirs.finish_erasure("anna-1")
    assert ring.has_erased()
    assert ring.is_erased([*ANNA, "person:ben"]) == set(ANNA)
    assert ring.lengths_of_erased_names("deal:d") == {2}
    assert set(ring.find([*ANNA, "person:ben"])) == {"person:ben"}
    with pytest.raises(KeysErased, match="were erased"):
        ring.ensure(["person:carla", *ANNA])


def test_what_is_pending_is_told_until_it_is_finished(ring: KeyRing, path: Path) -> None:
    assert ring.pending_erasures() == ()
    ring.begin_erasure(ANNA, "anna-1")
    ring.begin_erasure(["person:ben"], "ben")
    anna = PendingErasure("anna-1", tuple(sorted(ANNA)))
    ben = PendingErasure("ben", ("person:ben",))
    with reopen(path) as again:
        assert again.pending_erasures() == (anna, ben)
    ring.finish_erasure("anna-1")
    assert ring.pending_erasures() == (ben,)


def test_an_erasure_begun_again_takes_up_more_names(ring: KeyRing) -> None:
    ring.begin_erasure(["person:a"], "a")
    ring.begin_erasure(["person:a", "user:a"], "a")
    assert ring.pending_erasures() == (PendingErasure("a", ("person:a", "user:a")),)


def test_finishing_destroys_the_keys_and_no_others(ring: KeyRing) -> None:
    kept = ring.ensure(["person:ben", "deal:d"])
    ring.ensure(ANNA)
    ring.begin_erasure(ANNA, "anna-1")
    before = ring.generation
    assert ring.finish_erasure("anna-1") == 2
    assert ring.generation > before
    assert ring.find([*ANNA, *kept]) == kept
    assert ring.is_erased(ANNA) == set(ANNA)
    with pytest.raises(KeysErased):
        ring.ensure(ANNA)


def test_finishing_again_changes_nothing(ring: KeyRing) -> None:
    ring.ensure(ANNA)
    ring.begin_erasure(ANNA, "anna-1")
    ring.finish_erasure("anna-1")
    before = ring.generation
    assert ring.finish_erasure("anna-1") == 0
    assert ring.generation == before


def test_what_has_not_begun_cannot_be_finished(ring: KeyRing) -> None:
    kept = ring.ensure(["person:a"])
    with pytest.raises(StoreError, match="no erasure of a has begun"):
        ring.finish_erasure("a")
    assert ring.find(["person:a"]) == kept


def test_someone_erased_can_be_erased_further(ring: KeyRing) -> None:
    ring.begin_erasure(["person:a"], "a")
    ring.finish_erasure("a")
    ring.ensure(["stakeholder:d/a"])
    ring.begin_erasure(["stakeholder:d/a"], "a")
    assert ring.finish_erasure("a") == 1


def test_another_process_notices_at_once(ring: KeyRing, path: Path) -> None:
    with reopen(path) as other:
        made = ring.ensure(ANNA)
        assert other.find(ANNA) == made
        before = other.generation
        ring.begin_erasure(ANNA, "anna-1")
        assert other.find(ANNA) == {}
        assert other.generation > before
        with pytest.raises(KeysErased):
            other.ensure(ANNA)
        assert other._vault.keys == {}


def test_texts_of_different_kinds_are_kept_apart(ring: KeyRing) -> None:
    ring.begin_erasure(["person:a"], "person:b")
    assert ring.is_erased(["person:a", "person:b"]) == {"person:a"}


# Nothing is left.


def test_after_an_erasure_nothing_of_it_is_in_any_file(ring: KeyRing, path: Path) -> None:
    crowd = [f"person:{number}" for number in range(300)]
    ring.ensure(crowd[:150])
    plain = ring.ensure(ANNA)
    ring.ensure(crowd[150:])
    gone = wrapped_in(path)[150:152]
    assert all(wrapped in bytes_of_all_files(path.parent) for wrapped in gone)
    ring.begin_erasure([*ANNA, *(f"deal:{number}/anna-s" for number in range(500))], "anna-1")
    assert b"anna-s" in bytes_of_all_files(path.parent)
    ring.finish_erasure("anna-1")
    content = bytes_of_all_files(path.parent)
    assert not any(wrapped in content for wrapped in gone)
    assert not any(key in content for key in plain.values())
    assert b"anna" not in content
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def leave_behind(path: Path, trace: bytes) -> None:
    """What a program does that does not zero what it deletes."""
    with raw(path) as other:
        other.execute("PRAGMA secure_delete = OFF")
        other.execute("CREATE TABLE x(y)")
        other.execute("INSERT INTO x VALUES (?)", (trace,))
        other.execute("DROP TABLE x")
    assert path.read_bytes().count(trace) == 2


def test_old_bytes_left_elsewhere_in_the_file_are_found_and_removed(
    ring: KeyRing, path: Path
) -> None:
    kept = ring.ensure(["person:ben"])
    ring.ensure(["person:anna-1"])
    trace = wrapped_in(path)[1]
    leave_behind(path, trace)
    ring.begin_erasure(["person:anna-1"], "anna-1")
    ring.finish_erasure("anna-1")
    assert trace not in path.read_bytes()
    assert ring.find(["person:ben"]) == kept


def test_a_copy_takes_no_deleted_bytes_along(ring: KeyRing, path: Path) -> None:
    ring.ensure(["person:anna-1"])
    trace = wrapped_in(path)[0]
    leave_behind(path, trace)
    ring.copy_to(path.with_name("copy.db"))
    assert path.with_name("copy.db").read_bytes().count(trace) == 1


# A crash at any point.


def test_a_crash_before_the_commit_of_begin_leaves_everything(ring: KeyRing, path: Path) -> None:
    made = ring.ensure(ANNA)
    with crash_at(Vault, "raise_generation"):
        ring.begin_erasure(ANNA, "anna-1")
    assert ring.find(ANNA) == made
    assert ring.pending_erasures() == ()


@pytest.mark.parametrize("point", ["raise_generation", "mark_unscrubbed"])
def test_a_crash_before_the_commit_of_finish_leaves_it_pending(
    point: str, ring: KeyRing, path: Path
) -> None:
    ring.ensure(ANNA)
    gone = wrapped_in(path)
    ring.begin_erasure(ANNA, "anna-1")
    with crash_at(Vault, point):
        ring.finish_erasure("anna-1")
    assert wrapped_in(path) == gone
    with reopen(path) as again:
        assert again.find(ANNA) == {}
        (pending,) = again.pending_erasures()
        assert again.finish_erasure(pending.subject) == 2
        assert again.pending_erasures() == ()
    content = bytes_of_all_files(path.parent)
    assert not any(wrapped in content for wrapped in gone)


@pytest.mark.parametrize("point", ["_holds", "_write_anew", "_remove_marks"])
@pytest.mark.parametrize("resume", ["open", "finish"])
def test_a_crash_after_the_commit_of_finish_is_made_good(
    point: str, resume: str, ring: KeyRing, path: Path
) -> None:
    ring.ensure(["person:anna-1"])
    trace = wrapped_in(path)[0]
    leave_behind(path, trace)
    ring.begin_erasure(["person:anna-1"], "anna-1")
    with crash_at(Vault, point):
        ring.finish_erasure("anna-1")
    assert ask(path, "SELECT count(*) FROM properties WHERE name LIKE 'unscrubbed%'") == [(1,)]
    if resume == "open":
        reopen(path).close()
    else:
        assert ring.finish_erasure("anna-1") == 0
    assert trace not in path.read_bytes()
    assert ask(path, "SELECT count(*) FROM properties WHERE name LIKE 'unscrubbed%'") == [(0,)]


# Older copies.


def test_later_erasures_are_applied_to_an_older_copy(ring: KeyRing, path: Path) -> None:
    kept = ring.ensure(["person:ben"])
    ring.ensure(ANNA)
    copy = path.with_name("copy.db")
    ring.copy_to(copy)
    ring.begin_erasure(ANNA, "anna-1")
    ring.finish_erasure("anna-1")
    hashes = ring.erased_hashes()
    assert len(hashes) == 3
    assert {len(each) for each in hashes} == {32}
    with reopen(copy) as old:
        plain = old.find(ANNA)
        gone = wrapped_in(copy)[1:]
        before = old.generation
        assert len(plain) == len(gone) == 2
        assert old.apply_erasures(hashes) == 2
        assert old.generation > before
        assert old.find([*ANNA, *kept]) == kept
        assert old.erased_hashes() == hashes
        assert old.apply_erasures(hashes) == 0
        assert old.finish_erasure("anna-1") == 0
        with pytest.raises(KeysErased):
            old.ensure(ANNA)
    assert not any(wrapped in copy.read_bytes() for wrapped in gone)


def test_what_is_doomed_counts_as_erased(ring: KeyRing) -> None:
    ring.begin_erasure(["person:a"], "a")
    begun = ring.erased_hashes()
    ring.finish_erasure("a")
    assert ring.erased_hashes() == begun
    assert len(begun) == 2


@pytest.mark.parametrize("hashes", [[b"short"], [b"x" * 32, b"y" * 33]])
def test_what_is_no_hash_is_not_applied(ring: KeyRing, hashes: Collection[bytes]) -> None:
    with pytest.raises(StoreError, match="is not a hash of 32 bytes"):
        ring.apply_erasures(hashes)
    assert ring.erased_hashes() == []


@pytest.mark.parametrize("subject", ["a", 'a"b', "ä", "a\\", "\n"])
def test_the_trace_of_an_erasure_starts_its_stored_text(subject: str) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        cursor = connection.cursor()
        cursor.execute("CREATE TABLE erased(digest)")
        cursor.execute("CREATE TABLE erasures(id INTEGER PRIMARY KEY, pending, began_at)")
        begun = PendingErasure(subject, ("person:a",))
        erasure.begin(cursor, begun, [], NOON)
        text = cursor.execute("SELECT pending FROM erasures").fetchone()[0]
    assert text.encode().startswith(erasure.trace_of(subject))
    assert not text.encode().startswith(erasure.trace_of(subject + "x"))


@pytest.mark.parametrize("pending", ["'{'", "x'00ff'", '\'{"subject":"anna-1"}\'', "7"])
def test_a_damaged_pending_erasure_is_told(ring: KeyRing, path: Path, pending: str) -> None:
    ask(path, f"INSERT INTO erasures(pending, began_at) VALUES ({pending}, 'then')")
    for use in (
        ring.pending_erasures,
        ring.describe,
        lambda: ring.begin_erasure(ANNA, "anna-1"),
        lambda: ring.finish_erasure("anna-1"),
    ):
        with pytest.raises(KeysDamaged, match="cannot be read") as told:
            use()
        assert "anna" not in str(told.value)
