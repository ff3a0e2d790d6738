"""Reads and writes over HTTP, by eight clients, beside a bare FastAPI application."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from psycopg.conninfo import make_conninfo
from sqlalchemy import event
from sqlalchemy.engine import Engine

from api.queries.listing import DealListing, list_deals
from api.workspace import Workspace
from domain.access import Principal, Role
from domain.lifecycle.commands import OpenOpportunity
from store.location import Location
from store.log import DealLog
from store.postgres import statements as on_postgres
from store.postgres.address import Database
from store.postgres.connections import connect
from store.sqlite import statements as on_sqlite
from tests.benchmarks.evidence import Evidence, count_rows
from tests.benchmarks.harness import FLOOR, OURS, Check, Row, Timer, Variant
from tests.benchmarks.postgres_copies import PostgresCopies
from tests.contract.asking import intent
from tests.drills.serving import furnish

CLIENTS = 8
PAGE = 20
_START_SECONDS = 60

PER_SECOND = 50
"""Requests at a fixed load."""

_HEAD = "SELECT coalesce(max(position), 0) FROM stored_events"
_READS_OF_THE_LOG = 3
"""Is there anything new for who asks; for the read models; and the position that is told."""

_INSERT_ALL = """
WITH command AS (INSERT INTO commands VALUES (%s, %s, %s, %s, %s, %s, %s)),
    leaf AS (INSERT INTO edge VALUES (%s, %s))
INSERT INTO stored_events VALUES (%s, %s, %s, %s, %s)
"""
"""One round trip, as ours."""

_SERVED = "uvicorn and h11 in a process of their own, eight clients in another. "
_ON_POSTGRES = "The store is on PostgreSQL, on the same machine, over a local socket. "
_AT_A_LOAD = (
    f"{PER_SECOND} requests a second, each counted from when its time has come; the time is that "
    "of the answer and not of the throughput, which is given. "
)
EXPLAINED = {
    "read": {
        OURS: f"`GET /v1/deals?limit={PAGE}` by an API key: who asks and may read what, the "
        "read models caught up, the page, its tag, one line of log. The server keeps to one core, "
        "as `dealstate serve` does.",
        FLOOR: "A plain route runs the same statements with `sqlite3` or `psycopg`, the looks for "
        "news in the log among them, and returns the rows as dictionaries. It asks nobody who they "
        "are. uvicorn runs it as it comes, on all cores.",
    },
    "write": {
        OURS: "`POST /v1/deals/{deal_id}/revise-forecast` by an API key, each on another "
        "deal: as `command-warm`, with its body checked and its events told.",
        FLOOR: "A plain route checks a body by pydantic, looks for news in the log, reads the "
        "command id and the events of the deal, and inserts a row each for the command, the event "
        "and its leaf, of the same size, in one durable transaction. It decides and encrypts "
        "nothing and asks nobody who they are.",
    },
}

_OURS = """
import socket, sys
from api.app import create_app
from api.operation.levels import LogFormat, LogLevel
from api.operation.logs import configure
from api.operation.server import run
from api.settings import Settings
configure(LogFormat.JSON, LogLevel.INFO)
settings = Settings(db=sys.argv[1], worker=False, rate_per_second=0)
run(settings, create_app(settings), socket.socket(fileno=int(sys.argv[2])), None)
"""


def read(requests: int, on: PostgresCopies | None = None, per_second: int = 0) -> Row:
    return _row("read", requests, _reads, on, per_second)


def write(requests: int, on: PostgresCopies | None = None, per_second: int = 0) -> Row:
    return _row("write", requests, _writes, on, per_second)


def _row(
    kind: str,
    count: int,
    requests: Callable[[int, str], list[str]],
    on: PostgresCopies | None,
    per_second: int,
) -> Row:
    def place(folder: Path) -> Location:
        if on is None:
            return Location.beside(folder / "deals.db")
        return Location.around(on.empty(folder))

    def ours(folder: Path, timer: Timer) -> Check:
        location = place(folder)
        key = _fill(location, count)
        with _served(["-c", _OURS, str(location)]) as port:
            return _measured(timer, port, requests(count, key), location, per_second)

    def floor(folder: Path, timer: Timer) -> Check:
        location = place(folder)
        key = _fill(location, count)
        bare = folder / "bare.json"
        bare.write_text(json.dumps(_bare(location, count)))
        with _served(["-m", "tests.benchmarks.http_bare", str(bare)]) as port:
            return _measured(timer, port, requests(count, key), location, per_second)

    # At a fixed load both answer as many.
    variants: dict[str, Variant] = {OURS: ours} if per_second else {OURS: ours, FLOOR: floor}
    prefix = _SERVED + _ON_POSTGRES * (on is not None) + _AT_A_LOAD * bool(per_second)
    where, load = "pg-" * (on is not None), f"-{per_second}" if per_second else ""
    return Row(
        name=f"{where}http-{kind}{load}",
        work=f"One {kind} over HTTP, eight clients"
        + ", on PostgreSQL" * (on is not None)
        + (f", {per_second} a second" if per_second else ""),
        unit="request",
        units=count,
        variants=variants,
        explained={name: prefix + EXPLAINED[kind][name] for name in variants},
        goals="" if per_second else "≥ 0.6 of the floor",
    )


def _fill(location: Location, deals: int) -> str:
    key = furnish(location)
    by = Principal("u-anna", frozenset({Role.SELLER}))
    with DealLog.open(location) as log:
        for number in range(deals):
            command = OpenOpportunity(f"Deal {number}", owner="u-anna", currency="EUR")
            log.handle(f"d-{number}", command, intent(f"open-{number}", by))
    with Workspace.open(location) as store, store.fresh():
        pass
    return key


def _reads(count: int, key: str) -> list[str]:
    head = f"GET /v1/deals?limit={PAGE} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    return [f"{head}Authorization: Bearer {key}\r\n\r\n"] * count


def _writes(count: int, key: str) -> list[str]:
    body = json.dumps({"expected_close": "2027-06-30"})
    return [
        f"POST /v1/deals/d-{number}/revise-forecast HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Authorization: Bearer {key}\r\nIdempotency-Key: revise-{number}\r\n"
        'If-Match: "1"\r\n'
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        for number in range(count)
    ]


def _bare(location: Location, count: int) -> dict[str, object]:
    """What the bare application runs, as ours does."""
    views, reads = _statements(location)
    heads = [["log", _HEAD, []]] * _READS_OF_THE_LOG
    with DealLog.open(location) as log:
        head = log.records.head()
        rows = [log.records.rows(f"deal:d-{number}")[0] for number in range(count)]
    database = location.database
    make = _writes_on_sqlite if database is None else _writes_on_postgres
    return {
        "log": str(location.log) if database is None else _conninfo(database, database.schema),
        "views": views,
        "reads": [*heads, *reads],
        "writes": [make(head + at, *row) for at, row in enumerate(rows, 1)],
    }


def _command(position: int, stream: str) -> list[object]:
    """The row of a command."""
    hashed = _coded(bytes(32))
    return ["u-anna", f"bare-{position}", hashed, stream, 2, 2, "2026-11-22T12:00:00.000000Z"]


def _coded(value: bytes) -> list[str]:
    return ["base64", b64encode(value).decode()]


def _writes_on_sqlite(position: int, stream: str, _: int, topic: str, state: bytes) -> object:
    """The statements of one write with their parameters."""
    event = "INSERT INTO stored_events VALUES (?, ?, ?, ?, ?)"
    return [
        [_HEAD, []],
        [on_sqlite.SELECT_COMMAND, ["u-anna", f"bare-{position}"]],
        [on_sqlite.SELECT_STREAM, [stream, 0]],
        [_HEAD, []],
        ["BEGIN IMMEDIATE", []],
        [on_sqlite.INSERT_COMMAND, _command(position, stream)],
        # Requests come in any order, positions as they are written.
        [event, [None, stream, 2, topic, _coded(state)]],
        ["INSERT INTO edge VALUES (last_insert_rowid(), ?)", [_coded(bytes(32))]],
        ["COMMIT", []],
    ]


def _writes_on_postgres(position: int, stream: str, _: int, topic: str, state: bytes) -> object:
    known = [0, 0, "", "u-anna", f"bare-{position}", stream, 0]
    leaf = [position, _coded(bytes(32))]
    event = [position, stream, 2, topic, _coded(state)]
    return [
        [_HEAD, []],
        [on_postgres.SELECT_STANDING, known],
        [_INSERT_ALL, [*_command(position, stream), *leaf, *event]],
    ]


def _conninfo(database: Database, search_path: str) -> str:
    """For the floor: commits there are as durable, since that is the server's own setting."""
    given = {
        "dbname": database.name,
        "user": database.user,
        "password": database.password,
        "host": database.host,
        "port": database.port,
        "options": f"-c search_path={search_path.replace(' ', '')}",
    }
    return make_conninfo(**{name: value for name, value in given.items() if value})


def _statements(location: Location) -> tuple[str, list[list[object]]]:
    """Where the read models are, and the statements of a page with their parameters."""
    seen: list[list[object]] = []

    def note(*told: Any) -> None:
        given = told[3]
        seen.append(["views", told[2], given if isinstance(given, dict) else list(given)])

    who = Principal("u-anna", frozenset({Role.SELLER}))
    with Workspace.open(location) as store:
        with store.fresh() as connection:
            if location.database is None:
                ((_, _, file),) = connection.exec_driver_sql("PRAGMA database_list").all()
                views = str(file)
            else:
                path = connection.exec_driver_sql("SHOW search_path").scalar_one()
                views = _conninfo(location.database, path)
        event.listen(Engine, "before_cursor_execute", note)
        try:
            list_deals(store, who, DealListing(limit=PAGE))
        finally:
            event.remove(Engine, "before_cursor_execute", note)
    return views, seen


@contextmanager
def _served(arguments: Sequence[str]) -> Iterator[int]:
    """A server in a process of its own, which answers; gives its port."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listening:
        os.set_inheritable(listening.fileno(), True)
        number, port = listening.fileno(), listening.getsockname()[1]
        with subprocess.Popen(
            [sys.executable, *arguments, str(number)],
            pass_fds=[number],
            stderr=subprocess.DEVNULL,
        ) as process:
            try:
                _wait_for(port)
                yield port
            finally:
                process.terminate()


def _wait_for(port: int) -> None:
    """Until the server answers whatever it is asked."""
    give_up = time.monotonic() + _START_SECONDS
    with socket.create_connection(("127.0.0.1", port), timeout=_START_SECONDS) as connection:
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        while connection.recv(1 << 16):
            assert time.monotonic() < give_up


def _measured(
    timer: Timer, port: int, requests: Sequence[str], location: Location, per_second: int
) -> Check:
    # Connections, caches of statements and the pool of threads are there beforehand.
    _load(port, requests[: len(requests) // 10])
    rest = requests[len(requests) // 10 :]
    with timer.running():
        told = _load(port, rest, per_second)
    timer.seconds = told["seconds"]
    timer.each_seconds += told["each"]
    return lambda: Evidence(_events(location))


def _events(location: Location) -> int:
    """How many there are in the log."""
    if location.database is None:
        return count_rows(location.log, "stored_events")
    with connect(location.database) as connection:
        (found,) = connection.execute("SELECT count(*) FROM stored_events").fetchone() or (0,)
    assert isinstance(found, int)
    return found


def _load(port: int, requests: Sequence[str], per_second: int = 0) -> dict[str, Any]:
    clients = ["tests.benchmarks.http_clients", str(port), str(CLIENTS), str(per_second)]
    found = subprocess.run(
        [sys.executable, "-m", *clients],
        input=json.dumps(requests),
        check=True,
        capture_output=True,
        text=True,
    )
    answer: dict[str, Any] = json.loads(found.stdout)
    return answer
