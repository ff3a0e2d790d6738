"""Many streams are appended in one transaction, all or nothing."""

from datetime import timedelta

import pytest

from domain.directory import UserRegistered
from domain.history import StreamKind
from domain.lifecycle.commands import AddNote
from domain.lifecycle.facts import NoteAdded
from domain.refusals import VersionConflict
from store.errors import NotStorable, StoreError
from store.events.writing import Batch
from store.location import Location
from store.log import DealLog
from tests.contract.asking import OCCURRED_AT, OPENED, Ticking, draft, intent, notes

FIRST = Batch("deal:d-1", 0, [draft(OPENED), *notes(2)])


def test_the_drafts_of_many_streams_become_events(log: DealLog) -> None:
    batches = [
        FIRST,
        Batch("user:ann", 0, [draft(UserRegistered("ann", "Ann Lee"))]),
        Batch("deal:d-2", 0, [draft(OPENED, inferred=True)]),
    ]
    assert log.append(batches) == 5
    assert [event.version for event in log.events_in("deal:d-1")] == [1, 2, 3]
    assert [event.fact for event in log.events_in("deal:d-1")] == [
        OPENED,
        NoteAdded("note 1"),
        NoteAdded("note 2"),
    ]
    (inferred,) = log.events_in("deal:d-2")
    assert (inferred.inferred, inferred.source) == (True, "import:crm")
    assert log.streams(StreamKind.DEAL) == ["deal:d-1", "deal:d-2"]


def test_all_events_of_an_append_are_recorded_at_one_moment_of_the_logs_own(
    log: DealLog,
) -> None:
    early = OCCURRED_AT - timedelta(days=300)
    log.append([Batch("deal:d-1", 0, [draft(OPENED), draft(OPENED, known_at=early)])])
    log.append([Batch("deal:d-2", 0, [draft(OPENED)])])
    first, second = log.events_in("deal:d-1")
    (third,) = log.events_in("deal:d-2")
    assert first.recorded_at == second.recorded_at == third.recorded_at - timedelta(seconds=1)
    assert (first.known_at, second.known_at) == (first.recorded_at, early)


def test_an_append_goes_on_where_the_stream_ends(log: DealLog) -> None:
    log.append([FIRST])
    log.append([Batch("deal:d-1", 3, notes(2)), Batch("deal:d-1", 5, notes(1))])
    assert [event.version for event in log.events_in("deal:d-1")] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("expected", [-1, 0, 2, 4, 1_000])
def test_a_stream_at_another_version_refuses_all_batches(log: DealLog, expected: int) -> None:
    log.append([FIRST])
    with pytest.raises(VersionConflict, match=f"deal:d-1 is at version 3, not at {expected}"):
        log.append([Batch("deal:d-0", 0, [draft(OPENED)]), Batch("deal:d-1", expected, notes(1))])
    assert log.head() == 3
    assert log.events_in("deal:d-0") == ()


@pytest.mark.parametrize("expected", [0, 2])
def test_batches_of_one_stream_follow_each_other(log: DealLog, expected: int) -> None:
    batches = [Batch("deal:d-1", 0, notes(1)), Batch("deal:d-1", expected, notes(1))]
    with pytest.raises(VersionConflict, match=f"deal:d-1 is at version 1, not at {expected}"):
        log.append(batches)
    assert log.head() == 0


def test_one_draft_that_cannot_be_stored_refuses_all(log: DealLog) -> None:
    log.append([FIRST])
    bad = Batch("deal:d-2", 0, [*notes(5), draft(NoteAdded(""))])
    with pytest.raises(NotStorable):
        log.append([Batch("deal:d-1", 3, notes(5)), bad])
    assert log.head() == 3
    assert log.append([Batch("deal:d-1", 3, notes(1))]) == 4


@pytest.mark.parametrize(
    "stream", ["d-1", "deal", "deal:", "lead:d-1", "DEAL:d-1", "", ":", "deal:" + "x" * 201]
)
def test_streams_are_named_by_kind_and_id(log: DealLog, stream: str) -> None:
    with pytest.raises(StoreError, match="is not the name of a stream"):
        log.append([Batch("deal:d-1", 0, notes(1)), Batch(stream, 0, notes(1))])
    assert log.head() == 0


def test_nothing_to_append_appends_nothing(log: DealLog) -> None:
    assert log.append([]) == 0
    log.append([FIRST])
    assert log.append([]) == 3
    assert log.append([Batch("deal:d-1", 3, [])]) == 3


def test_commands_see_what_was_appended(log: DealLog) -> None:
    log.append([FIRST])
    assert log.handle("d-1", AddNote("x"), intent("c-1"), expected_version=3).version == 4
    log.append([Batch("deal:d-1", 4, notes(1))])
    assert log.history("d-1").version == 5


def test_what_was_appended_is_there_after_a_restart(location: Location) -> None:
    with DealLog.create(location, Ticking()) as log:
        log.append([FIRST])
        before = log.feed(0, 10)
    with DealLog.open(location) as log:
        assert log.feed(0, 10) == before
