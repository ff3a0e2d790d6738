"""Streams are read whole, many at once, and by kind."""

import msgspec
import pytest

from domain.access import EVERYTHING
from domain.directory import UserRegistered
from domain.history import StreamKind
from domain.lifecycle.commands import AddNote, OpenOpportunity
from domain.process import ProcessPublished, SalesProcess, Stage, Words
from domain.process_files import built_in_processes
from domain.refusals import IdTaken, UnknownProcess
from domain.values import ForecastCategory, ProcessRef
from store.events.writing import Batch
from store.location import Location
from store.log import DealLog
from tests.contract.asking import BO, OPEN, OPENED, Ticking, draft, intent, notes

OURS = SalesProcess(
    "ours", 1, Words("Ours"), (Stage("one", Words("One"), 10, ForecastCategory.PIPELINE, 30),)
)


def test_an_unknown_stream_is_empty(log: DealLog) -> None:
    assert log.events_in("deal:d-1") == ()
    assert log.events_of(["deal:d-1"], EVERYTHING) == {}
    assert log.history("d-1").version == 0


def test_many_streams_are_read_at_once(log: DealLog) -> None:
    names = [f"deal:d-{number}" for number in range(1_203)]
    log.append([Batch(name, 0, notes(2, name)) for name in names])
    log.append([Batch(name, 2, notes(1, name)) for name in names[:50]])
    found = log.events_of([*names, "deal:unknown", names[0]], EVERYTHING)
    assert set(found) == set(names)
    assert found == {name: log.events_in(name) for name in names}
    assert [event.version for event in found["deal:d-7"]] == [1, 2, 3]


def test_streams_of_a_kind_in_the_order_in_which_they_began(log: DealLog) -> None:
    log.append([Batch("deal:z", 0, notes(2)), Batch("user:u", 0, notes(1))])
    log.append([Batch("deal:a", 0, notes(1)), Batch("deal:z", 2, notes(1))])
    assert log.streams(StreamKind.DEAL) == ["deal:z", "deal:a"]
    assert log.streams(StreamKind.USER) == ["user:u"]
    assert log.streams(StreamKind.PROCESS) == []


def test_a_history_is_the_fold_of_the_stream(log: DealLog) -> None:
    log.handle("d-1", OPEN, intent("c-1"))
    for number in range(5):
        log.handle("d-1", AddNote(f"note {number}"), intent(f"n-{number}"))
        history = log.history("d-1")
        assert history.events == log.events_in("deal:d-1")
        assert history == type(history).of("deal:d-1", history.events)


def test_the_newest_registration_of_a_user_counts(log: DealLog) -> None:
    ann, lee = UserRegistered("ann", "Ann"), UserRegistered("ann", "Ann Lee", "0057-x")
    bo = UserRegistered("bo", "Bo")
    log.append([Batch("user:ann", 0, [draft(ann), draft(lee)]), Batch("user:bo", 0, [draft(bo)])])
    assert log.users() == {"ann": lee, "bo": bo}


def test_the_built_in_processes_are_there_from_the_start(log: DealLog) -> None:
    assert set(log.processes()) == set(built_in_processes())
    assert ProcessRef("key-account", 1) in log.processes()


def test_a_published_process_can_be_used(log: DealLog) -> None:
    command = OpenOpportunity("Press line", "ann", "USD", process=OURS.ref)
    with pytest.raises(UnknownProcess):
        log.handle("d-1", command, intent("open"))
    published = log.publish(OURS, intent("publish"))
    assert [event.fact for event in published.events] == [ProcessPublished(OURS)]
    assert published.stream == "process:ours"
    assert log.processes().get(OURS.ref) == OURS
    assert log.handle("d-1", command, intent("open")).version == 1


def test_publishing_the_same_again_adds_nothing(log: DealLog) -> None:
    log.publish(OURS, intent("c-1"))
    again = log.publish(OURS, intent("c-2", BO))
    assert (again.version, again.events) == (1, ())
    repeated = log.publish(OURS, intent("c-1"))
    assert (repeated.version, repeated.repeated, len(repeated.events)) == (1, True, 1)
    key_account = log.processes().get(ProcessRef("key-account", 1))
    assert log.publish(key_account, intent("c-3")).events == ()
    assert log.head() == 1


def test_a_published_version_never_changes(log: DealLog) -> None:
    log.publish(OURS, intent("c-1"))
    other = msgspec.structs.replace(OURS, name=Words("Other"))
    with pytest.raises(IdTaken, match="ours/1 is published with other content"):
        log.publish(other, intent("c-2"))
    changed = msgspec.structs.replace(OURS, id="key-account")
    with pytest.raises(IdTaken, match="key-account/1"):
        log.publish(changed, intent("c-3"))
    next_version = msgspec.structs.replace(other, version=2)
    assert log.publish(next_version, intent("c-4")).version == 2
    assert log.processes().latest("ours") == next_version
    assert log.processes().get(OURS.ref) == OURS


def test_a_process_that_another_process_publishes_is_noticed(location: Location) -> None:
    with DealLog.create(location, Ticking()) as ours, DealLog.open(location, Ticking()) as theirs:
        assert OURS.ref not in ours.processes()
        theirs.publish(OURS, intent("c-1"))
        assert OURS.ref in ours.processes()


def test_a_deal_is_known_by_its_id_alone(log: DealLog) -> None:
    log.append([Batch("deal:x", 0, [draft(OPENED)]), Batch("user:x", 0, notes(1))])
    assert log.history("x").version == 1
    assert log.history("x").deal.life.name == OPENED.name
