"""Restoring: the same bytes in place, all or nothing, nothing older or altered unnoticed."""

import random
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from domain.history import ERASED, LOST
from domain.lifecycle.commands import AddNote
from domain.lifecycle.facts import NoteAdded
from domain.people.commands import IdentifyStakeholder
from domain.people.facts import StakeholderIdentified
from domain.restoring import StoreRestored
from store.backups.backup import BackedUp, NotABackup, back_up, mark, unmark
from store.backups.comparing import Contradicted, OlderThanKnown, Wanted
from store.backups.needed_keys import KeysMissing
from store.backups.restore import At, Restored, restore
from store.disclosure import closed_field, disclose
from store.errors import StoreBusy, StoreError
from store.events.writing import Batch
from store.forgetting.appearances import Appearance, everywhere, named
from store.forgetting.erasure import erase
from store.forgetting.known import erasures_of
from store.fsck.check import check
from store.keys.errors import KeyEncryptionMissing
from store.keys.signing import Signed
from store.location import Location
from store.log import DealLog
from store.notary import Notary
from store.seals import tiles
from tests.contract.asking import OPEN, Ticking, intent, notes
from tests.shared_data import REPOSITORY
from tests.store.people import NAME, PERSON, TOLD, WAITING, facts, tell, told_log

STEPS = ("copied", "checked", "erased", "moving")
CLOCK = Ticking()


@pytest.fixture
def location(tmp_path: Path) -> Location:
    """Of a store in which all was told, and closed."""
    folder = tmp_path / "store"
    folder.mkdir()
    location = Location.beside(folder / "x.db")
    told_log(location).close()
    return location


@pytest.fixture
def saved(location: Location, tmp_path: Path) -> BackedUp:
    """A backup of it."""
    with DealLog.open(location) as log:
        return back_up(log, tmp_path / "b")


@pytest.fixture
def elsewhere(location: Location, tmp_path: Path) -> Location:
    """A place without a store, with the key file."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    shutil.copy(location.log.with_name("x.key"), folder / "y.key")
    return Location.beside(folder / "y.db")


def put(saved: BackedUp, location: Location, at: At = lambda _: None, **more: Any) -> Restored:
    wanted = Wanted(saved.log, saved.keys, **more)
    return restore(wanted, location, CLOCK, at=at)


def add(location: Location, count: int = 3) -> str:
    """Record more; a checkpoint of it all."""
    with DealLog.open(location) as log:
        version = log.history("d-1").version
        log.append([Batch("deal:d-1", version, notes(count))])
        return Notary(log.records, log.keys, log.now).checkpoint()


def content(location: Location) -> list[Any]:
    with DealLog.open(location) as log:
        return [
            log.records.feed(0, 1_000),
            list(log.records.commands()),
            tiles.root(log.records, log.head()),
            facts(log, "d-1"),
            facts(log, "d-2"),
        ]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_bytes_positions_root_and_commands_are_the_same_in_another_place(
    saved: BackedUp, location: Location, elsewhere: Location
) -> None:
    done = put(saved, elsewhere)
    assert (done.events, done.root) == (saved.events, saved.root)
    assert (done.known_events, done.erased_keys, done.missing_keys) == (len(TOLD), 0, {})
    assert names(elsewhere.log.parent) == ["y.db", "y.key", "y.keys.db"]
    assert content(elsewhere) == content(location)
    with DealLog.open(elsewhere, Ticking()) as log:
        assert log.handle("d-1", AddNote(WAITING), intent("told-7")).repeated
        assert log.handle("d-1", AddNote("and on it goes"), intent("new")).version == 9
        assert log.keys.describe().keys


def test_a_store_in_place_is_kept_unless_replaced(saved: BackedUp, location: Location) -> None:
    before = content(location)
    with pytest.raises(StoreError, match="there already"):
        put(saved, location)
    assert content(location) == before


def test_the_files_of_a_replaced_store_get_other_names(saved: BackedUp, location: Location) -> None:
    before = location.log.read_bytes()
    done = put(saved, location, replace=True)
    assert [path.name.partition(".before")[0] for path in done.moved_aside] == ["x.db", "x.keys.db"]
    assert all(path.is_file() for path in done.moved_aside)
    assert len(done.moved_aside[0].read_bytes()) == len(before)
    again = put(saved, location, replace=True)
    assert not set(done.moved_aside) & set(again.moved_aside)
    assert len(names(location.log.parent)) == 3 + 4


def test_a_store_in_use_is_not_replaced(saved: BackedUp, location: Location) -> None:
    with DealLog.open(location) as log:
        log.head()
        with pytest.raises(StoreBusy, match="in use"):
            put(saved, location, replace=True)
        assert log.head() == len(TOLD)
    assert not [name for name in names(location.log.parent) if "restoring" in name]


@pytest.mark.parametrize("still_open", [False, True])
def test_what_is_recorded_while_a_backup_is_checked_is_not_lost(
    saved: BackedUp, location: Location, still_open: bool
) -> None:
    opened: list[DealLog] = []

    def record(step: str) -> None:
        if step == "erased":
            opened.append(DealLog.open(location))
            opened[0].handle("d-1", AddNote("at the last moment"), intent("late"))
            if not still_open:
                opened[0].close()

    with pytest.raises(StoreBusy, match="in use" if still_open else "while the backup was checked"):
        put(saved, location, replace=True, accept_older=True, at=record)
    opened[0].close()
    with DealLog.open(location) as log:
        assert log.head() == len(TOLD) + 1
        assert not check(log.records, log.keys).problems
    assert not [name for name in names(location.log.parent) if "restoring" in name]


def test_without_the_key_file_nothing_is_restored(saved: BackedUp, elsewhere: Location) -> None:
    elsewhere.log.with_name("y.key").unlink()
    with pytest.raises(KeyEncryptionMissing):
        put(saved, elsewhere)
    assert names(elsewhere.log.parent) == []


# Older, or altered.


def test_a_backup_older_than_the_store_in_place_is_flagged(
    saved: BackedUp, location: Location
) -> None:
    add(location)
    with pytest.raises(OlderThanKnown, match="12 events, and 15 are known"):
        put(saved, location, replace=True)
    assert len(content(location)[0]) == len(TOLD) + 3
    done = put(saved, location, replace=True, accept_older=True)
    assert (done.events, done.known_events) == (12, 15)
    told = content(location)[0]
    assert len(told) == len(TOLD) + 1
    with DealLog.open(location) as log:
        assert log.keys.signed_last() == Signed(12, done.root)
        Notary(log.records, log.keys, log.now).checkpoint()
        assert check(log.records, log.keys).sound
        (event,) = log.events_in(f"store:{log.keys.id}")
    assert event.fact == StoreRestored(12, 15, done.made_at.date())


def test_what_the_keys_in_place_have_signed_is_known(saved: BackedUp, location: Location) -> None:
    add(location)
    with closing(sqlite3.connect(location.log)) as connection, connection:
        connection.execute("DELETE FROM stored_events WHERE position > 12")
        connection.execute("DELETE FROM edge WHERE position > 12")
        connection.execute("DELETE FROM checkpoints WHERE size > 12")
    with pytest.raises(OlderThanKnown, match="12 events, and 15 are known"):
        put(saved, location, replace=True)


def test_a_backup_remembers_what_it_was_signed_with(
    saved: BackedUp, location: Location, elsewhere: Location
) -> None:
    add(location)
    done = put(saved, elsewhere)
    with DealLog.open(elsewhere) as log:
        assert log.keys.signed_last() == Signed(done.events, done.root)


def test_a_backup_older_than_a_checkpoint_is_flagged(
    saved: BackedUp, location: Location, elsewhere: Location
) -> None:
    checkpoint = add(location)
    with pytest.raises(OlderThanKnown):
        put(saved, elsewhere, checkpoint=checkpoint)
    assert names(elsewhere.log.parent) == ["y.key"]
    assert put(saved, elsewhere, checkpoint=checkpoint, accept_older=True).known_events == 15


def test_a_checkpoint_that_the_backup_goes_beyond_holds(
    location: Location, elsewhere: Location, tmp_path: Path
) -> None:
    checkpoint = add(location)
    add(location)
    with DealLog.open(location) as log:
        saved = back_up(log, tmp_path / "later")
    assert put(saved, elsewhere, checkpoint=checkpoint).events == 18


def forked(location: Location, tmp_path: Path) -> tuple[BackedUp, str]:
    """A backup of a copy of the store that went another way, and a checkpoint of the store."""
    folder = tmp_path / "fork"
    shutil.copytree(location.log.parent, folder)
    fork = Location.beside(folder / "x.db")
    with DealLog.open(fork) as log:
        log.append([Batch("deal:d-1", log.history("d-1").version, notes(3, "forged"))])
        saved = back_up(log, tmp_path / "forked")
    return saved, add(location)


@pytest.mark.parametrize("accept_older", [False, True])
def test_a_history_that_went_another_way_is_refused_always(
    location: Location, elsewhere: Location, tmp_path: Path, accept_older: bool
) -> None:
    saved, checkpoint = forked(location, tmp_path)
    with pytest.raises(Contradicted):
        put(saved, elsewhere, checkpoint=checkpoint, accept_older=accept_older)
    with pytest.raises(Contradicted):
        put(saved, location, replace=True, accept_older=accept_older)
    assert names(elsewhere.log.parent) == ["y.key"]


def test_a_fork_is_told_also_where_it_is_the_shorter_one(
    location: Location, tmp_path: Path
) -> None:
    saved, _ = forked(location, tmp_path)
    add(location)
    with pytest.raises(Contradicted):
        put(saved, location, replace=True, accept_older=True)


def test_a_fork_is_told_by_the_store_in_place_without_any_checkpoint(
    location: Location, tmp_path: Path
) -> None:
    folder = tmp_path / "fork"
    shutil.copytree(location.log.parent, folder)
    for place, about in ((Location.beside(folder / "x.db"), "forged"), (location, "true")):
        with DealLog.open(place) as log:
            log.append([Batch("deal:d-1", log.history("d-1").version, notes(3, about))])
    with DealLog.open(Location.beside(folder / "x.db")) as log:
        saved = back_up(log, tmp_path / "forged")
    with pytest.raises(Contradicted, match="the store in place"):
        put(saved, location, replace=True, accept_older=True)


def test_a_backup_has_to_hold_its_own_checkpoint(saved: BackedUp, elsewhere: Location) -> None:
    unmark(saved.log)
    with closing(sqlite3.connect(saved.log)) as connection, connection:
        connection.execute("DELETE FROM checkpoints")
    mark(saved.log, CLOCK())
    with pytest.raises(NotABackup, match="no checkpoint"):
        put(saved, elsewhere)


def test_a_backup_with_a_trigger_of_somebody_else_is_refused(
    saved: BackedUp, elsewhere: Location
) -> None:
    unmark(saved.log)
    with closing(sqlite3.connect(saved.log)) as connection, connection:
        connection.execute(
            "CREATE TRIGGER swallow BEFORE INSERT ON stored_events BEGIN SELECT RAISE(IGNORE); END"
        )
    mark(saved.log, CLOCK())
    with pytest.raises(NotABackup, match="trigger swallow is not one of the log"):
        put(saved, elsewhere)
    assert not elsewhere.log.exists()


def test_a_checkpoint_of_somebody_else_is_no_measure(
    saved: BackedUp, elsewhere: Location, tmp_path: Path
) -> None:
    with DealLog.create(Location.beside(tmp_path / "z.db")) as other:
        checkpoint = Notary(other.records, other.keys, other.now).checkpoint()
    for text in (checkpoint, "nonsense"):
        with pytest.raises(StoreError, match="cannot be compared"):
            put(saved, elsewhere, checkpoint=text)


def test_a_damaged_log_can_be_replaced_by_who_accepts_that_it_is_not_compared(
    saved: BackedUp, location: Location
) -> None:
    with location.log.open("rb+") as file:
        file.write(b"\0" * 4_096)
    with pytest.raises(OlderThanKnown, match="cannot be read"):
        put(saved, location, replace=True)
    done = put(saved, location, replace=True, accept_older=True)
    assert done.known_events is None
    with DealLog.open(location) as log:
        (event,) = log.events_in(f"store:{log.keys.id}")
        assert event.fact == StoreRestored(12, None, done.made_at.date())
        assert log.head() == len(TOLD) + 1


# Damaged, or of another kind.


def test_a_flipped_bit_is_refused_or_harmless(
    saved: BackedUp, location: Location, elsewhere: Location, tmp_path: Path
) -> None:
    whole = content(location)
    good = saved.log.read_bytes()
    refused = 0
    for seed in range(60):
        chance = random.Random(seed)
        bad = bytearray(good)
        bad[chance.randrange(len(bad))] ^= 1 << chance.randrange(8)
        (tmp_path / "bad").write_bytes(bad)
        try:
            put(saved._replace(log=tmp_path / "bad"), elsewhere)
        except StoreError:
            refused += 1
            assert names(elsewhere.log.parent) == ["y.key"]
        else:
            assert content(elsewhere) == whole
            for name in ("y.db", "y.keys.db"):
                elsewhere.log.with_name(name).unlink()
    assert refused


def test_an_event_that_was_changed_is_noticed(saved: BackedUp, elsewhere: Location) -> None:
    with closing(sqlite3.connect(saved.log)) as connection, connection:
        connection.execute(
            "UPDATE stored_events SET state = CAST(replace(state, 'Press', 'Prise') AS BLOB)"
        )
    with pytest.raises(NotABackup, match="damaged"):
        put(saved, elsewhere)
    assert names(elsewhere.log.parent) == ["y.key"]


def test_log_and_keys_taken_for_each_other_are_refused(
    saved: BackedUp, elsewhere: Location
) -> None:
    swapped = saved._replace(log=saved.keys, keys=saved.log)
    with pytest.raises(NotABackup, match="another kind"):
        put(swapped, elsewhere)
    with pytest.raises(StoreError, match="not a key store"):
        put(saved._replace(keys=saved.log), elsewhere)
    with pytest.raises(NotABackup, match="no file"):
        put(saved._replace(keys=saved.log.with_name("nothing")), elsewhere)
    assert names(elsewhere.log.parent) == ["y.key"]


def test_truncated_keys_are_refused(saved: BackedUp, elsewhere: Location) -> None:
    saved.keys.write_bytes(saved.keys.read_bytes()[:-5_000])
    with pytest.raises(StoreError):
        put(saved, elsewhere)
    assert names(elsewhere.log.parent) == ["y.key"]


# Keys.


def test_keys_of_another_store_are_refused(
    saved: BackedUp, location: Location, elsewhere: Location, tmp_path: Path
) -> None:
    folder = tmp_path / "other"
    folder.mkdir()
    shutil.copy(location.log.with_name("x.key"), folder / "z.key")
    with DealLog.create(Location.beside(folder / "z.db")) as other:
        others = back_up(other, tmp_path / "o")
    with pytest.raises(StoreError, match="the keys of another store"):
        put(saved._replace(keys=others.keys), elsewhere)
    with pytest.raises(StoreError, match="the store in place is"):
        put(others, location, replace=True)


def test_keys_older_than_the_log_are_told_by_kind(
    saved: BackedUp, location: Location, elsewhere: Location, tmp_path: Path
) -> None:
    with DealLog.open(location, Ticking()) as log:
        more = (
            ("d-3", OPEN),
            ("d-3", AddNote("hello")),
            ("d-3", IdentifyStakeholder("x", "Xaver")),
            ("d-3", IdentifyStakeholder("y", "Yvonne", person="p-y")),
            ("d-3", IdentifyStakeholder("z", "Zoe")),
        )
        tell(log, more, "more")
        later = back_up(log, tmp_path / "later")
    mixed = later._replace(keys=saved.keys)
    with pytest.raises(
        KeysMissing, match="1 of kind deal, 1 of kind person, 2 of kind stakeholder"
    ):
        put(mixed, elsewhere)
    done = put(mixed, elsewhere, accept_missing_keys=True)
    assert done.missing_keys == {"deal": 1, "person": 1, "stakeholder": 2}
    with DealLog.open(elsewhere) as log:
        assert NoteAdded(WAITING) in facts(log, "d-1")


# Erasures.


def forget(location: Location) -> None:
    with DealLog.open(location, Ticking()) as log:
        moment = log.now()
        erase(log, everywhere(log, [PERSON]), intent("e", now=moment, occurred_at=moment))


def is_forgotten(location: Location) -> bool:
    with DealLog.open(location) as log:
        told = facts(log, "d-1")[2]
        assert isinstance(told, StakeholderIdentified)
        assert log.keys.is_erased(["person:p-nadja"]) == {"person:p-nadja"}
        return told.name == ERASED


def test_what_the_replaced_store_had_erased_is_erased_again(
    saved: BackedUp, location: Location
) -> None:
    forget(location)
    done = put(saved, location, replace=True, accept_older=True)
    assert done.erased_keys == 1
    assert is_forgotten(location)


def test_erasures_kept_elsewhere_are_applied(
    saved: BackedUp, location: Location, elsewhere: Location
) -> None:
    forget(location)
    with DealLog.open(location) as log:
        erasures = erasures_of(log.keys)
    assert put(saved, elsewhere, erasures=erasures).erased_keys == 1
    assert is_forgotten(elsewhere)


def test_erasures_that_the_log_tells_of_are_applied_to_older_keys(
    saved: BackedUp, location: Location, elsewhere: Location, tmp_path: Path
) -> None:
    forget(location)
    with DealLog.open(location) as log:
        later = back_up(log, tmp_path / "later")
    assert put(later._replace(keys=saved.keys), elsewhere).erased_keys == 1
    assert is_forgotten(elsewhere)


def test_erasures_of_another_store_are_refused(
    saved: BackedUp, elsewhere: Location, tmp_path: Path
) -> None:
    with DealLog.create(Location.beside(tmp_path / "z.db")) as other:
        erasures = erasures_of(other.keys)
    with pytest.raises(StoreError, match="the erasures are of the store"):
        put(saved, elsewhere, erasures=erasures)


def test_where_erasures_cannot_be_read_they_have_to_be_given(
    saved: BackedUp, location: Location
) -> None:
    forget(location)
    with DealLog.open(location) as log:
        erasures = erasures_of(log.keys)
    location.keys.write_bytes(b"\0" * 4_096)
    with pytest.raises(StoreError, match="what was erased"):
        put(saved, location, replace=True, accept_older=True)
    put(saved, location, replace=True, accept_older=True, erasures=erasures)
    assert is_forgotten(location)


def test_an_erasure_holds_where_the_keys_of_the_replaced_store_are_lost(
    saved: BackedUp, location: Location
) -> None:
    forget(location)
    location.keys.unlink()
    with pytest.raises(StoreError, match=r"what was erased .* there is no key store"):
        put(saved, location, replace=True, accept_older=True)
    done = put(saved, location, replace=True, accept_older=True, accept_unknown_erasures=True)
    assert (done.erased_keys, done.erasures_known) == (1, False)
    assert is_forgotten(location)


def test_it_is_told_whether_anything_was_known_of_erasures(
    saved: BackedUp, location: Location, elsewhere: Location
) -> None:
    assert not put(saved, elsewhere).erasures_known
    assert put(saved, location, replace=True).erasures_known


# Keys that are given up.


@pytest.fixture
def with_lost_keys(location: Location, saved: BackedUp, elsewhere: Location) -> Location:
    """A store restored from a log with a third deal, and keys from before it."""
    with DealLog.open(location, Ticking()) as log:
        more = (
            ("d-3", OPEN),
            ("d-3", AddNote("hello")),
            ("d-3", IdentifyStakeholder("x", "Xaver")),
            ("d-3", AddNote("Xaver rang")),
        )
        tell(log, more, "more")
        later = back_up(log, saved.log.with_name("later"))
    put(later._replace(keys=saved.keys), elsewhere, accept_missing_keys=True)
    return elsewhere


def test_keys_that_were_given_up_cost_their_fields_alone(with_lost_keys: Location) -> None:
    with DealLog.open(with_lost_keys, Ticking()) as log:
        told = facts(log, "d-3")
        assert told[1:] == [
            NoteAdded(LOST),
            StakeholderIdentified("x", LOST),
            NoteAdded(LOST),
        ]
        assert named(log, "Xaver") == []
        (person,) = named(log, NAME)
        assert person.persons == (PERSON,)
        findings = check(log.records, log.keys, fields=True)
        assert (findings.sound, findings.fields_lost) == (True, 3)


def test_a_lost_field_cannot_be_disclosed(with_lost_keys: Location) -> None:
    with DealLog.open(with_lost_keys, Ticking()) as log:
        closed = closed_field(log, "d-3", 2, "text")
        now = log.now()
        notary = Notary(log.records, log.keys, log.now)
        with pytest.raises(StoreError, match="was lost, and given up"):
            disclose(log, notary, closed, intent("d", now=now, occurred_at=now))


def test_what_is_recorded_later_has_keys_of_its_own(with_lost_keys: Location) -> None:
    with DealLog.open(with_lost_keys, Ticking()) as log:
        log.handle("d-3", AddNote("we go on"), intent("on"))
    with DealLog.open(with_lost_keys, Ticking()) as log:
        assert facts(log, "d-3")[1:] == [
            NoteAdded(LOST),
            StakeholderIdentified("x", LOST),
            NoteAdded(LOST),
            NoteAdded("we go on"),
        ]


def test_who_was_lost_can_still_be_erased(with_lost_keys: Location) -> None:
    with DealLog.open(with_lost_keys, Ticking()) as log:
        now = log.now()
        person = everywhere(log, (), [Appearance("d-3", "x")])
        done = erase(log, person, intent("e", now=now, occurred_at=now))
        assert (done.keys, done.appended) == (0, 1)
        told = facts(log, "d-3")[2]
        assert isinstance(told, StakeholderIdentified)
        assert told.name == ERASED


# The files.


@pytest.mark.parametrize("mode", [0o644, 0o640])
def test_the_log_keeps_the_mode_of_the_one_it_replaces(
    saved: BackedUp, location: Location, mode: int
) -> None:
    location.log.chmod(mode)
    put(saved, location, replace=True)
    assert location.log.stat().st_mode & 0o777 == mode
    assert location.keys.stat().st_mode & 0o777 == 0o600


def test_a_log_in_a_new_place_has_the_mode_of_any_new_file(
    saved: BackedUp, elsewhere: Location, tmp_path: Path
) -> None:
    put(saved, elsewhere)
    (tmp_path / "new").touch()
    assert elsewhere.log.stat().st_mode == (tmp_path / "new").stat().st_mode


def test_errors_name_the_files_that_were_given(saved: BackedUp, elsewhere: Location) -> None:
    saved.keys.write_bytes(saved.keys.read_bytes()[:-5_000])
    with pytest.raises(NotABackup, match="is damaged") as caught:
        put(saved, elsewhere)
    assert str(saved.keys) in str(caught.value)
    assert "dealstate backup" in caught.value.advice
    saved.log.write_bytes(b"nothing of the kind")
    with pytest.raises(NotABackup) as caught:
        put(saved, elsewhere)
    assert str(saved.log) in str(caught.value)
    assert "restoring" not in str(caught.value)


def test_keys_of_another_store_are_told_though_another_key_wraps_them(
    saved: BackedUp, elsewhere: Location, tmp_path: Path
) -> None:
    with DealLog.create(Location.beside(tmp_path / "z.db")) as other:
        others = back_up(other, tmp_path / "o")
    with pytest.raises(NotABackup, match="the keys of another store"):
        put(saved._replace(keys=others.keys), elsewhere)


def test_a_lost_log_is_told_beside_its_keys(location: Location) -> None:
    location.log.unlink()
    with pytest.raises(StoreError, match=r"though its keys are there.*dealstate restore"):
        DealLog.open(location)
    with pytest.raises(StoreError, match=r"a log that is not there.*dealstate restore"):
        DealLog.create(location)


# Killed.


class Killed(BaseException):
    """Ends a restore where a crash would."""


def is_one_or_the_other(location: Location, old: list[Any], new: list[Any]) -> str:
    found = content(location)
    if found == old:
        return "old"
    # An event says so, where the new store is the older one.
    assert found[0][: len(new[0])] == new[0]
    assert [row[3] for row in found[0][len(new[0]) :]] in ([], ["store-restored@1"])
    assert (found[1], found[3:]) == (new[1], new[3:])
    return "new"


@pytest.mark.parametrize("step", STEPS)
def test_a_restore_that_fails_leaves_the_old_store_or_the_new(
    saved: BackedUp, location: Location, elsewhere: Location, step: str
) -> None:
    put(saved, elsewhere)
    new = content(elsewhere)
    add(location)
    old = content(location)

    def at(done: str) -> None:
        if done == step:
            raise Killed

    with pytest.raises(Killed):
        put(saved, location, at=at, replace=True, accept_older=True)
    assert is_one_or_the_other(location, old, new) == "old"
    assert names(location.log.parent) == ["x.db", "x.key", "x.keys.db"]


PROGRAM = """
import os, signal, sys
from pathlib import Path
from store.location import Location
from store.log import utc_now
from store.backups.comparing import Wanted
from store.backups.restore import restore
left = int(sys.argv[4])
def at(step):
    global left
    print(step, flush=True)
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
wanted = Wanted(Path(sys.argv[2]), Path(sys.argv[3]), replace=True, accept_older=True)
restore(wanted, Location.parse(sys.argv[1]), utc_now, at=at)
"""


def start(saved: BackedUp, location: Location, left: int) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(location), str(saved.log), str(saved.keys), str(left)],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(
    ("left", "found"), [(1, "old"), (3, "old"), (4, "old"), (5, "new"), (6, "new"), (8, "new")]
)
def test_a_restore_that_is_killed_leaves_the_old_store_or_the_new(
    saved: BackedUp, location: Location, elsewhere: Location, left: int, found: str
) -> None:
    put(saved, elsewhere)
    add(location)
    old, new = content(location), content(elsewhere)
    with start(saved, location, left) as killed:
        killed.communicate(timeout=60)
    assert killed.returncode == -9
    assert is_one_or_the_other(location, old, new) == found
    put(saved, location, replace=True, accept_older=True)
    assert is_one_or_the_other(location, old, new) == "new"


def test_a_restore_after_one_that_was_killed_finishes_that_one_first(
    saved: BackedUp, location: Location
) -> None:
    with start(saved, location, 6) as killed:
        killed.communicate(timeout=60)
    assert "x.db" not in names(location.log.parent)
    put(saved, location, replace=True)
    kinds = [name.partition(".before")[0] for name in names(location.log.parent)]
    assert kinds == ["x.db"] * 3 + ["x.key"] + ["x.keys.db"] * 3


@pytest.mark.drill
def test_restores_killed_at_random_leave_the_old_store_or_the_new(
    saved: BackedUp, location: Location, elsewhere: Location
) -> None:
    put(saved, elsewhere)
    new = content(elsewhere)
    seen = set()
    for seed in range(60):
        add(location)
        old = content(location)
        with start(saved, location, 1_000) as killed:
            assert killed.stdout is not None
            killed.stdout.readline()
            time.sleep(random.Random(seed).uniform(0, 0.12))
            killed.kill()
            killed.communicate()
        seen.add(is_one_or_the_other(location, old, new))
    assert seen == {"old", "new"}


def test_later_keys_with_an_older_log_forget_what_is_given_up(
    saved: BackedUp, location: Location, elsewhere: Location, tmp_path: Path
) -> None:
    add(location)
    with DealLog.open(location) as log:
        later = saved._replace(keys=back_up(log, tmp_path / "later").keys)
    with pytest.raises(OlderThanKnown, match="12 events, and 15 are known"):
        put(later, elsewhere)
    done = put(later, elsewhere, accept_older=True)
    with DealLog.open(elsewhere) as log:
        assert log.keys.signed_last() == Signed(12, done.root)
