"""Rows are read as on any other database, also by what the eventsourcing library calls."""

import pytest
from eventsourcing.persistence import IntegrityError, StoredEvent

from store.log import DealLog
from store.postgres.address import Database
from store.postgres.connections import connect
from store.postgres.recorder import LogFactory, LogRecorder
from store.postgres.tables import lock_id
from store.recorder import CheckpointRow, CommandRow
from tests.contract.asking import OPEN, intent

ROWS = [
    ("deal:b", 1, "opportunity-opened@1", b"1"),
    ("user:a", 1, "user-registered@1", b"2"),
    ("deal:b", 2, "note-added@1", b"3"),
    ("deal:a", 1, "opportunity-opened@1", b"4"),
    ("deals:x", 1, "note-added@1", b"5"),
]


@pytest.fixture
def filled(recorder: LogRecorder) -> LogRecorder:
    """Five events of four streams."""
    assert recorder.append(ROWS) == 5
    return recorder


def command(number: int, stream: str = "deal:c") -> CommandRow:
    return CommandRow("ann", f"c-{number}", b"f", stream, number, number, "2026-01-01T00:00:00Z")


def test_rows_are_read_by_stream_kind_and_position(filled: LogRecorder) -> None:
    assert filled.rows("deal:b") == [ROWS[0], ROWS[2]]
    assert filled.rows("deal:b", after=1) == [ROWS[2]]
    assert list(filled.rows_of(["user:a", "deal:b", "none"])) == [ROWS[0], ROWS[2], ROWS[1]]
    assert filled.feed(3, 1) == [(4, *ROWS[3])]
    assert (filled.names("deal"), filled.names("deals")) == (["deal:b", "deal:a"], ["deals:x"])
    assert (filled.count("deal"), filled.count("unit")) == (3, 0)
    assert filled.positions("deal:b") == {1: 1, 2: 3}
    assert (filled.version("deal:b"), filled.version("none"), filled.head()) == (2, 0, 5)
    assert filled.holds(["deal"], after=3)
    assert not filled.holds(["deal", "user"], after=4)


@pytest.mark.parametrize("count", [1, 100])
def test_a_command_is_kept_with_its_events_or_not_at_all(filled: LogRecorder, count: int) -> None:
    rows = [("deal:c", 1 + number, "note-added@1", b"{}") for number in range(count)]
    assert filled.append(rows, command(1)) == 5 + count
    assert filled.command("ann", "c-1") == command(1)
    more = [("deal:d", 1 + number, "note-added@1", b"{}") for number in range(count)]
    with pytest.raises(IntegrityError):
        filled.append(more, command(1))
    with pytest.raises(IntegrityError):
        filled.append(rows, command(2))
    assert (filled.version("deal:d"), filled.command("ann", "c-2")) == (0, None)
    assert filled.append([], command(3)) == 5 + count
    assert list(filled.commands()) == [command(1), command(3)]


def test_fingerprints_are_cleared(filled: LogRecorder) -> None:
    for number in (1, 2, 3):
        filled.append([("deal:c", number, "note-added@1", b"{}")], command(number))
    assert filled.clear_fingerprints([]) == 0
    assert filled.clear_fingerprints([("deal:c", 2), ("deal:b", 1), ("deal:c", 9)]) == 1
    assert filled.clear_fingerprints([("deal:c", 2)]) == 0
    filled.purge()
    assert [row.fingerprint for row in filled.commands()] == [b"f", None, b"f"]


def test_checkpoints_and_properties_are_kept(log: DealLog, recorder: LogRecorder) -> None:
    small, large = CheckpointRow(2, "two", "then"), CheckpointRow(10, "ten", "now")
    for checkpoint in (large, CheckpointRow(2, "two before", "then"), small):
        recorder.keep_checkpoint(checkpoint)
    assert recorder.checkpoints() == [small, large]
    assert recorder.properties() == log.records.properties()
    assert set(recorder.properties()) >= {"id", "origin"}


def test_the_log_takes_room(recorder: LogRecorder) -> None:
    before = recorder.size_bytes()
    recorder.append([(f"deal:{n}", 1, "note-added@1", b"x" * 1_000) for n in range(500)])
    assert recorder.size_bytes() > before + 500_000


def test_what_the_library_calls(filled: LogRecorder) -> None:
    select = filled.select_notifications
    assert [n.id for n in select(None, 10)] == [1, 2, 3, 4, 5]
    assert [n.id for n in select(2, 10, stop=3)] == [2, 3]
    assert [n.id for n in select(2, 2, inclusive_of_start=False)] == [3, 4]
    assert [n.state for n in select(1, 9, topics=["note-added@1"])] == [b"3", b"5"]
    assert filled.max_notification_id() == 5
    events = filled.select_events("deal:b", gt=0, lte=2, desc=True)
    assert [event.originator_version for event in events] == [2, 1]
    new = StoredEvent("deal:b", 3, "note-added@1", b"{}")
    assert list(filled.insert_events([new])) == [6]
    with pytest.raises(IntegrityError):
        filled.insert_events([new])
    with pytest.raises(TypeError, match="not tracking"):
        filled.insert_events([], tracking=None)


def test_the_application_of_the_library_reads_the_log(log: DealLog) -> None:
    log.handle("d-1", OPEN, intent("open"))
    assert [event.fact for event in log.events.get("deal:d-1")] == [  # type: ignore[attr-defined]
        event.fact for event in log.events_in("deal:d-1")
    ]


def test_streams_are_in_the_order_of_their_bytes(recorder: LogRecorder) -> None:
    """Whatever the language of the database: else a kind's streams were not together."""
    recorder.append([(f"deal:{name}", 1, "t", b"") for name in ("a", "B", "é", "_", "-b")])
    found = [row[0] for row in recorder.rows_of(f"deal:{name}" for name in "aBé_")]
    assert found == ["deal:B", "deal:_", "deal:a", "deal:é"]


def test_logs_have_locks_of_their_own() -> None:
    ids = {lock_id(what, schema) for what in ("log", "tiles") for schema in ("dealstate", "q3")}
    assert len(ids) == 4
    assert all(-(2**63) <= one < 2**63 for one in ids)


def test_a_factory_that_is_closed_has_closed_its_connections(location_of_log: Database) -> None:
    factory = LogFactory(location_of_log)
    factory.application_recorder().head()
    factory.close()
    count = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
    """
    with connect(location_of_log) as connection:
        for _ in range(1_000):
            row = connection.execute(count).fetchone()
            if row == (0,):
                return
    raise AssertionError("a connection is still open")


@pytest.fixture
def location_of_log(log: DealLog) -> Database:
    """The database of a log whose own connections are closed."""
    assert log.location.database is not None
    log.close()
    return log.location.database
