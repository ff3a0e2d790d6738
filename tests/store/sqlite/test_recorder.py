"""What the eventsourcing library asks of a recorder works on our tables."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from eventsourcing.persistence import IntegrityError, Notification, StoredEvent

from domain.access import PUBLIC_ONLY
from domain.lifecycle.commands import AddNote
from store.errors import NotStorable
from store.events.writing import Batch
from store.location import Location
from store.log import DealLog
from tests.contract.asking import OPEN, Ticking, intent, notes


@pytest.fixture
def log(tmp_path: Path) -> Iterator[DealLog]:
    """A log with four events of two deals."""
    with DealLog.create(Location.beside(tmp_path / "dealstate.db"), Ticking()) as log:
        log.append([Batch("deal:d-1", 0, notes(2)), Batch("deal:d-2", 0, notes(1))])
        log.append([Batch("deal:d-1", 2, notes(1))])
        yield log


def test_the_librarys_event_store_reads_what_is_public(log: DealLog) -> None:
    first, second, third = log.events_of(["deal:d-1"], PUBLIC_ONLY)["deal:d-1"]
    get = log.events.get
    got: list[list[object]] = [
        list(get("deal:d-1")),
        list(get("deal:d-1", desc=True, limit=2)),
        list(get("deal:d-1", gt=1, lte=2)),
    ]
    assert got == [[first, second, third], [third, second], [second]]


def test_nothing_is_appended_past_the_log(log: DealLog) -> None:
    with pytest.raises(NotStorable, match="past the log"):
        log.events.put(log.events_in("deal:d-1"))  # type: ignore[arg-type]


@pytest.mark.parametrize("version", [2, 4, 6])
def test_versions_that_exist_or_leave_a_gap_are_refused(log: DealLog, version: int) -> None:
    refused = StoredEvent("deal:d-1", version, "note-added@1", b"{}")
    if version == 4:
        assert list(log.recorder.insert_events([refused]) or ()) == [5]
        return
    with pytest.raises(IntegrityError):
        log.recorder.insert_events([refused])
    assert log.head() == 4


def test_tracking_is_not_for_this_log(log: DealLog) -> None:
    with pytest.raises(TypeError, match="not tracking"):
        log.recorder.insert_events([], tracking=None)


def test_notifications_are_the_feed(log: DealLog) -> None:
    select = log.recorder.select_notifications
    everything = select(None, 10)
    assert [(n.id, n.originator_id, n.originator_version) for n in everything] == [
        (1, "deal:d-1", 1),
        (2, "deal:d-1", 2),
        (3, "deal:d-2", 1),
        (4, "deal:d-1", 3),
    ]
    assert isinstance(everything[0], Notification)
    assert select(2, 10) == everything[1:]
    assert select(2, 10, inclusive_of_start=False) == everything[2:]
    assert select(2, 10, stop=3) == everything[1:3]
    assert select(1, 2) == everything[:2]
    assert select(1, 10, topics=["opportunity-opened@1"]) == []
    log.handle("d-3", OPEN, intent("open"))
    log.handle("d-3", AddNote("x"), intent("note"))
    (opened,) = select(1, 1, topics=["opportunity-opened@1", "opportunity-won@2"])
    assert opened.id == 5
    assert list(log.notification_log["1,6"].items) == list(select(1, 10))
    assert log.recorder.max_notification_id() == 6


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PERSISTENCE_MODULE", "eventsourcing.popo"),
        ("COMPRESSOR_TOPIC", "zlib"),
        ("CIPHER_KEY", "c2l4dGVlbiBieXRlcyE="),
        ("IS_SNAPSHOTTING_ENABLED", "y"),
        ("ORIGINATOR_ID_TYPE", "uuid"),
        ("DEALLOG_CREATE_TABLE", "y"),
        ("DEALLOG_SQLITE_DBNAME", "elsewhere.db"),
        ("SQLITE_LOCK_TIMEOUT", "soon"),
        ("AGGREGATE_CACHE_MAXSIZE", "many"),
    ],
)
def test_variables_of_the_process_do_not_change_what_is_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with DealLog.create(Location.beside(tmp_path / "x.db"), Ticking()) as log:
        log.handle("d-1", OPEN, intent("open"))
        (row,) = log.records.rows("deal:d-1")
    assert row[3].startswith(b'{"stream":"deal:d-1","version":1,"schema":1,')
