"""Reads and writes over HTTP, by eight clients, beside a bare FastAPI application."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from api.queries.listing import DealListing, list_deals
from api.workspace import Workspace
from domain.access import Principal, Role
from domain.lifecycle.commands import OpenOpportunity
from store.location import Location
from store.log import DealLog
from tests.benchmarks import floors
from tests.benchmarks.evidence import Evidence, count_rows
from tests.benchmarks.harness import FLOOR, OURS, Check, Row, Timer, Variant
from tests.contract.asking import intent
from tests.drills.serving import furnish

CLIENTS = 8
PAGE = 20
_START_SECONDS = 60

_HEAD = "SELECT coalesce(max(position), 0) FROM stored_events"
_READS_OF_THE_LOG = 3
"""Is there anything new for who asks; for the read models; and the position that is told."""

_SERVED = "uvicorn and h11 in a process of their own, eight clients in another. "
EXPLAINED = {
    "read": {
        OURS: _SERVED + "`GET /v1/deals?limit=20` by an API key: who asks and may read what, the "
        "read models caught up, the page, its tag, one line of log.",
        FLOOR: _SERVED + "A plain route runs the same statements with `sqlite3` and returns the "
        "rows as dictionaries. It asks nobody who they are.",
    },
    "write": {
        OURS: _SERVED + "`POST /v1/deals/{deal_id}/revise-forecast` by an API key, each on another "
        "deal: as `command-warm`, with its body checked and its events told.",
        FLOOR: _SERVED + "A plain route checks a body by pydantic and inserts a row of that size, "
        "committed by itself, in WAL mode with `synchronous=FULL`.",
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


def read(requests: int) -> Row:
    return _row("read", requests, _reads)


def write(requests: int) -> Row:
    return _row("write", requests, _writes)


def _row(kind: str, count: int, requests: Callable[[int, str], list[str]]) -> Row:
    def ours(folder: Path, timer: Timer) -> Check:
        location, key = _store(folder, count)
        with _served(["-c", _OURS, str(location)]) as port:
            return _measured(timer, port, requests(count, key), location)

    def floor(folder: Path, timer: Timer) -> Check:
        location, key = _store(folder, count)
        bare = folder / "bare.json"
        bare.write_text(json.dumps(_bare(location, count)))
        with _served(["-m", "tests.benchmarks.http_bare", str(bare)]) as port:
            return _measured(timer, port, requests(count, key), location)

    variants: dict[str, Variant] = {OURS: ours, FLOOR: floor}
    return Row(
        name=f"http-{kind}",
        work=f"One {kind} over HTTP, eight clients",
        unit="request",
        units=count,
        variants=variants,
        explained=EXPLAINED[kind],
        goals="≥ 0.6 of the floor",
    )


def _store(folder: Path, deals: int) -> tuple[Location, str]:
    location = Location.beside(folder / "deals.db")
    key = furnish(location)
    by = Principal("u-anna", frozenset({Role.SELLER}))
    with DealLog.open(location) as log:
        for number in range(deals):
            command = OpenOpportunity(f"Deal {number}", owner="u-anna", currency="EUR")
            log.handle(f"d-{number}", command, intent(f"open-{number}", by))
    with Workspace.open(location) as store, store.fresh():
        pass
    return location, key


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
    with closing(sqlite3.connect(location.log)) as log:
        stored = log.execute(
            "SELECT originator_id, topic, state FROM stored_events"
            " WHERE originator_id LIKE 'deal:%'"
        ).fetchall()
    rows = [
        [stream, 1_000, topic, ["base64", b64encode(state).decode()]]
        for stream, topic, state in stored[:count]
    ]
    views, reads = _statements(location)
    heads = [["log", _HEAD, []]] * _READS_OF_THE_LOG
    return {
        "log": str(location.log),
        "views": views,
        "reads": [*heads, *reads],
        "insert": floors.INSERT,
        "rows": rows,
    }


def _statements(location: Location) -> tuple[str, list[list[object]]]:
    """The file of the read models, and the statements of a page with their parameters."""
    seen: list[list[object]] = []

    def note(*told: Any) -> None:
        seen.append(["views", told[2], list(told[3])])

    who = Principal("u-anna", frozenset({Role.SELLER}))
    with Workspace.open(location) as store:
        with store.fresh() as connection:
            ((_, _, file),) = connection.exec_driver_sql("PRAGMA database_list").all()
        event.listen(Engine, "before_cursor_execute", note)
        try:
            list_deals(store, who, DealListing(limit=PAGE))
        finally:
            event.remove(Engine, "before_cursor_execute", note)
    return str(file), seen


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


def _measured(timer: Timer, port: int, requests: Sequence[str], location: Location) -> Check:
    # Connections, caches of statements and the pool of threads are there beforehand.
    _load(port, requests[: len(requests) // 10])
    rest = requests[len(requests) // 10 :]
    with timer.running():
        told = _load(port, rest)
    timer.seconds = told["seconds"]
    timer.each_seconds += told["each"]
    return lambda: Evidence(count_rows(location.log, "stored_events"))


def _load(port: int, requests: Sequence[str]) -> dict[str, Any]:
    found = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.http_clients", str(port), str(CLIENTS), "0"],
        input=json.dumps(requests),
        check=True,
        capture_output=True,
        text=True,
    )
    answer: dict[str, Any] = json.loads(found.stdout)
    return answer
