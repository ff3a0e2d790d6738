"""Damage keeps nobody known: what cannot be read is counted, and keys are destroyed anyway."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from domain.history import ERASED
from domain.people.commands import EraseSubject, ReviseStakeholder
from domain.people.facts import StakeholderIdentified, SubjectErased
from store.errors import UnreadableEvent
from store.forgetting.appearances import Appearance, everywhere, named
from store.forgetting.erasure import erase, survey
from store.location import Location
from store.log import DealLog
from tests.contract.asking import Ticking, intent
from tests.store.forgetting.test_erasure import Killed, killed_at, now
from tests.store.people import NAME, PERSON, PLACES, facts, told_log


@pytest.fixture
def location(tmp_path: Path) -> Location:
    location = Location.beside(tmp_path / "x.db")
    told_log(location).close()
    return location


def replaced(location: Location, version: int, change: Callable[[bytes], bytes]) -> None:
    """Changes the bytes of an event on d-1, past all rules."""
    with closing(sqlite3.connect(location.log, isolation_level=None)) as connection:
        where = "WHERE originator_id = 'deal:d-1' AND originator_version = ?"
        (state,) = connection.execute(
            f"SELECT state FROM stored_events {where}", (version,)
        ).fetchone()
        connection.execute(f"UPDATE stored_events SET state = ? {where}", (change(state), version))


def ciphertext_changed(state: bytes) -> bytes:
    head, mark, tail = state.partition(b'"ciphertext":"')
    return head + mark + (b"B" if tail[:1] != b"B" else b"C") + tail[1:]


def lost(location: Location, name: str) -> None:
    """Takes a key out of the key store, past all rules."""
    with DealLog.open(location, Ticking()) as log:
        digest = log.keys._vault.digest("key", name)
    with closing(sqlite3.connect(location.keys, isolation_level=None)) as connection:
        assert connection.execute("DELETE FROM keys WHERE digest = ?", (digest,)).rowcount == 1


@pytest.mark.parametrize(
    "version",
    [2, 4, 5],
    ids=["a note", "another's identification", "the assessment of theirs"],
)
def test_a_damaged_field_does_not_stop_an_erasure(location: Location, version: int) -> None:
    replaced(location, version, ciphertext_changed)
    with DealLog.open(location, Ticking()) as log:
        person = everywhere(log, [PERSON])
        assert survey(log, person).unreadable == 1
        done = erase(log, person, now(log), "asked by letter")
        assert (done.appended, done.keys, done.unreadable) == (2, 1, 1)
        assert log.keys.find(person.keys) == {}


def test_a_lost_key_does_not_stop_an_erasure(location: Location) -> None:
    lost(location, "stakeholder:d-1/wang")
    with DealLog.open(location, Ticking()) as log:
        with pytest.raises(UnreadableEvent):
            log.history("d-1")
        done = erase(log, everywhere(log, [PERSON]), now(log), "asked by letter")
        assert (done.appended, done.keys, done.unreadable) == (2, 1, 4)


def test_damaged_bytes_do_not_stop_an_erasure(location: Location) -> None:
    replaced(location, 4, lambda state: state[:40])
    with DealLog.open(location, Ticking()) as log:
        done = erase(log, everywhere(log, [PERSON]), now(log))
        assert (done.appended, done.keys, done.unreadable) == (2, 1, 1)


def test_a_damaged_identification_does_not_stop_looking_for_a_name(location: Location) -> None:
    replaced(location, 4, ciphertext_changed)
    with DealLog.open(location, Ticking()) as log:
        unread: list[tuple[str, int]] = []
        (person,) = named(log, NAME, unread=lambda *place: unread.append(place))
        assert person.appearances == PLACES
        assert unread == [("deal:d-1", 4)]


def test_an_erasure_cut_short_is_finished_beside_damage(location: Location) -> None:
    with DealLog.open(location, Ticking()) as log, pytest.raises(Killed):
        erase(log, everywhere(log, [PERSON]), now(log), at=killed_at("begun"))
    replaced(location, 4, ciphertext_changed)
    with DealLog.open(location, Ticking()) as log:
        assert (log.erasures_finished, log.erasure_unfinished) == (1, None)
        erased = [event.fact for event in log.events_in("deal:d-2")]
        assert erased[1] == StakeholderIdentified("buyer", ERASED, person=PERSON)
        assert isinstance(erased[-1], SubjectErased)


def test_a_store_opens_whatever_keeps_an_erasure_from_being_finished(location: Location) -> None:
    with DealLog.open(location, Ticking()) as log, pytest.raises(Killed):
        erase(log, everywhere(log, [PERSON]), now(log), at=killed_at("begun"))
    with closing(sqlite3.connect(location.log, isolation_level=None)) as connection:
        connection.execute("DELETE FROM stored_events WHERE position = 12")
    with DealLog.open(location, Ticking()) as log:
        assert log.erasures_finished == 0
        assert "dealstate audit fsck" in str(log.erasure_unfinished)
        assert len(log.keys.pending_erasures()) == 1


def test_commands_that_changed_nothing_are_cleared_too(location: Location) -> None:
    with DealLog.open(location, Ticking()) as log:
        quiet = ("quiet-1", "quiet-2")

        log.handle("d-1", ReviseStakeholder("nadja", name=NAME), intent("quiet-1"))
        log.handle("d-2", ReviseStakeholder("buyer", name=NAME), intent("quiet-2"))
        assert log.head() == 12
        erase(log, everywhere(log, [PERSON]), now(log))
        kept = {row.command_id for row in log.records.commands() if row.fingerprint is not None}
        assert kept.isdisjoint(quiet)


def test_an_erasure_at_work_is_not_taken_over(location: Location) -> None:
    seen: list[tuple[int, object]] = []

    def at(step: str) -> None:
        if step in {"begun", "appended"}:
            with DealLog.open(location, Ticking()) as other:
                seen.append((other.erasures_finished, other.erasure_unfinished))

    with DealLog.open(location, Ticking()) as log:
        done = erase(log, everywhere(log, [PERSON]), now(log), "asked by letter", at=at)
        assert seen == [(0, None), (0, None)]
        assert (done.appended, done.keys) == (2, 1)
        event = log.events_in("deal:d-1")[-1]
        assert event.fact == SubjectErased("nadja", "asked by letter")
        assert event.actor == "ann"
    assert not [one for one in location.keys.parent.iterdir() if one.name.endswith(".erasing")]


# An older key store, copied back by hand.


def copied_back(location: Location, do: Callable[[DealLog], object]) -> None:
    """The keys as before, the log as after what `do` has done."""
    before = location.keys.read_bytes()
    with DealLog.open(location, Ticking()) as log:
        do(log)
    location.keys.write_bytes(before)


def test_an_older_key_store_brings_nobody_back(location: Location) -> None:
    copied_back(location, lambda log: erase(log, everywhere(log, [PERSON]), now(log)))
    with DealLog.open(location, Ticking()) as log:
        assert (log.keys_returned, log.erasure_unfinished) == (1, None)
        assert log.keys.find(["person:p-nadja"]) == {}
        assert facts(log, "d-2")[1] == StakeholderIdentified("buyer", ERASED, person=PERSON)
        assert facts(log, "d-1")[3] == StakeholderIdentified("wang", "Wang Wei", title="Engineer")
    with DealLog.open(location, Ticking()) as log:
        assert log.keys_returned == 0


def test_it_is_noticed_after_an_earlier_erasure_too(location: Location) -> None:
    with DealLog.open(location, Ticking()) as log:
        erase(log, everywhere(log, (), [Appearance("d-1", "wang")]), now(log))
    DealLog.open(location, Ticking()).close()
    copied_back(location, lambda log: erase(log, everywhere(log, [PERSON]), now(log)))
    with DealLog.open(location, Ticking()) as log:
        assert log.keys_returned == 1


def test_who_is_erased_on_one_deal_alone_keeps_their_keys(location: Location) -> None:

    with DealLog.open(location, Ticking()) as log:
        log.handle("d-1", EraseSubject("nadja"), intent("one-deal"))
    with DealLog.open(location, Ticking()) as log:
        assert log.keys_returned == 0
        assert log.keys.find(["person:p-nadja"]) != {}


def test_only_what_is_newer_than_the_key_store_is_read(
    location: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    with DealLog.open(location, Ticking()) as log:
        erase(log, everywhere(log, [PERSON]), now(log))
        head = log.head()
    DealLog.open(location, Ticking()).close()
    with DealLog.open(location, Ticking()) as log:
        assert log.keys.erasures_applied() == head
