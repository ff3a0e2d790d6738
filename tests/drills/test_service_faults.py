"""Drills of the service: what it stands on goes away under load, and comes back.

Each fault is told as the problem that is promised, loses no acknowledged command, records none by
halves, and is over as soon as its cause is: nothing is repaired, and nothing started anew.
"""

import resource
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import pytest
from psycopg.sql import SQL, Identifier

from store.location import Location
from store.log import DealLog
from store.postgres.connections import connect
from tests.conftest import NewLocation
from tests.drills.serving import Answered, Served, Writers, furnish, require_all, serve, until
from tests.postgresql import Server, data_folder

FAULT_CODES = {
    503: {"store-unavailable", "store-busy", "store-unusable", "took-too-long"},
    507: {"store-full"},
}
Fault = Callable[[Location, Served], AbstractContextManager[None]]


@pytest.fixture(scope="module")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Location]:
    return lambda: Location.beside(tmp_path_factory.mktemp("store") / "deals.db")


def require_promised(answer: Answered) -> None:
    """That the answer is the problem which is promised for a fault, and says nothing else."""
    assert answer.headers["content-type"] == "application/problem+json", answer
    assert answer.code in FAULT_CODES.get(answer.status, set()), answer
    if answer.status == 503:
        assert int(answer.headers["retry-after"]) > 0
    assert "deals.db" not in str(answer.body)


def under(fault: Fault, location: Location, server: Served, load_seconds: float) -> None:
    """Break it under load, look at what is told, mend it, and see that all is as it was."""
    with Writers([server], 4) as writers:
        until(lambda: len(writers.acknowledged) >= 8)
        with fault(location, server):
            known = len(writers.refused)
            until(lambda: len(writers.refused) > known)
            time.sleep(load_seconds)
            assert server.ask("GET", "/livez").status == 200
            refused = server.note("w-0", "during", "during")
            require_promised(refused)
        until(lambda: server.ask("GET", "/readyz").status == 200)
        # Who asks again under the same key learns what came of it; it is recorded once.
        until(lambda: server.note("w-0", "during", "during").status in {200, 201})
        at = len(writers.acknowledged)
        until(lambda: len(writers.acknowledged) >= at + 8)
    for answer in writers.refused:
        require_promised(answer)
    first = server.note("w-0", "during", "during")
    writers.acknowledged["w-0-during"] = first.body["version"]
    assert server.end() == 0
    acknowledged = {
        key: version for key, version in writers.acknowledged.items() if key != "w-0-during"
    }
    require_all(location, acknowledged)


# Faults of files.


@contextmanager
def log_removed(location: Location, _: Served) -> Iterator[None]:
    """The file of the log is gone, with what belongs to it."""
    yield from _moved(Path(location.log))


def _moved(file: Path) -> Iterator[None]:
    beside = [file, *(file.with_name(file.name + end) for end in ("-wal", "-shm"))]
    moved = [one for one in beside if one.exists()]
    for one in moved:
        one.rename(one.with_name(f"away-{one.name}"))
    yield
    for one in beside:
        one.unlink(missing_ok=True)
    for one in moved:
        one.with_name(f"away-{one.name}").rename(one)


@contextmanager
def disk_full(location: Location, server: Served) -> Iterator[None]:
    """Files of the server cannot grow, as on a full disk."""
    pid, log = server.process.pid, Path(location.log)
    soft, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    sizes = [one.stat().st_size for one in log.parent.iterdir() if one.is_file()]
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (min(sizes), hard))
    yield
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def log_locked(location: Location, _: Served) -> Iterator[None]:
    """Another program holds the right to write for longer than a request may take."""
    with closing(sqlite3.connect(location.log, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@pytest.mark.parametrize(
    "fault",
    [
        disk_full,
        pytest.param(log_removed, marks=pytest.mark.drill),
        pytest.param(log_locked, marks=pytest.mark.drill),
    ],
)
def test_a_fault_of_files_is_told_and_is_over_with_its_cause(
    on_sqlite: Callable[[], Location], fault: Fault
) -> None:
    location = on_sqlite()
    key = furnish(location)
    with serve(location, key, settings={"timeout_seconds": "2"}) as server:
        under(fault, location, server, load_seconds=0.2)


@pytest.mark.drill
def test_reads_go_on_while_the_disk_is_full(on_sqlite: Callable[[], Location]) -> None:
    location = on_sqlite()
    key = furnish(location)
    with serve(location, key) as server:
        assert server.open_deal("d-1").status == 201
        # Lists are read from read models, which have to have read what was recorded.
        assert len(server.ask("GET", "/v1/deals").body["deals"]) == 1
        with disk_full(location, server):
            require_promised(server.note("d-1", "text", "c-1"))
            assert server.ask("GET", "/v1/processes").status == 200
            assert len(server.ask("GET", "/v1/deals").body["deals"]) == 1


@pytest.mark.drill
def test_what_needs_no_new_key_goes_on_while_the_key_store_is_gone(
    on_sqlite: Callable[[], Location],
) -> None:
    location = on_sqlite()
    key = furnish(location)
    with serve(location, key) as server:
        opened = server.open_deal("d-1")
        assert opened.status == 201
        assert server.note("d-1", "before", "c-0").status == 200
        for _ in _moved(Path(location.keys)):
            # The note of a new deal is encrypted under a key that was never made.
            assert server.open_deal("d-2").status in {201, 503}
            require_promised(server.note("d-2", "text", "c-1"))
            assert server.note("d-1", "during", "c-2").status == 200
            assert server.ask("GET", "/v1/deals/d-1").status == 200
        server.open_deal("d-2")
        until(lambda: server.note("d-2", "text", "c-1").status == 200)
        assert server.end() == 0
    with DealLog.open(location) as log:
        assert [one.command_id for one in log.history("d-1").events] == ["open-d-1", "c-0", "c-2"]
        assert [one.command_id for one in log.history("d-2").events] == ["open-d-2", "c-1"]


# Faults of a database server.


@pytest.mark.drill
def test_a_database_that_is_gone_is_told_and_used_again_when_it_is_back(tmp_path: Path) -> None:
    def location_on(database: Server) -> Location:
        from msgspec.structs import replace

        return Location.around(replace(database.database, schema="s", home=str(tmp_path)))

    with Server(data_folder(tmp_path)).alone() as database:
        location = location_on(database)
        key = furnish(location)

        @contextmanager
        def stopped(_: Location, __: Served) -> Iterator[None]:
            database.stop()
            yield
            database.start()

        with serve(location, key, "--workers", "2") as server:
            under(stopped, location, server, load_seconds=1.0)


@pytest.mark.drill
def test_a_table_that_is_locked_is_told_in_time(new_location: NewLocation) -> None:
    location = new_location()
    database = location.database
    if database is None:
        pytest.skip("it is about PostgreSQL")
    key = furnish(location)

    @contextmanager
    def locked(_: Location, __: Served) -> Iterator[None]:
        with connect(database) as other:
            other.autocommit = False
            table = SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE")
            other.execute(table.format(Identifier(database.schema, "stored_events")))
            yield
            other.rollback()

    with serve(location, key, settings={"timeout_seconds": "2"}) as server:
        under(locked, location, server, load_seconds=0.5)
