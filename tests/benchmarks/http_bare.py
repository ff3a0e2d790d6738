"""A bare FastAPI application: `python -m tests.benchmarks.http_bare STORE SOCKET`.

It does in each route what SQL ours does, and nothing else: no caller is known, nothing is checked,
nothing is logged. STORE is a file of JSON with the statements and rows; SOCKET the number of an
open socket to serve. It runs under uvicorn with the parser of ours, on all cores.
"""

from __future__ import annotations

import json
import socket
import sqlite3
import sys
import threading
from base64 import b64decode
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import uvicorn
from fastapi import FastAPI
from psycopg.rows import dict_row
from pydantic import BaseModel

Rows = list[dict[str, Any]]


class Bare(msgspec.Struct, frozen=True):
    """What the bare application works on."""

    log: str
    """File, or connection string of PostgreSQL."""
    views: str
    reads: list[tuple[str, str, Any]]
    """The statements of one answer to a read: on `log` or `views`, and with which parameters."""
    writes: list[list[tuple[str, list[Any]]]]
    """The statements of each write, one write after another; bytes are in base 64."""


class Amount(BaseModel):
    """The body of a write."""

    expected_close: str


def connection_to(place: str) -> Callable[[], Any]:
    """A connection for each thread."""
    held = threading.local()

    def own() -> Any:
        if not hasattr(held, "connection"):
            held.connection = _connected(place)
        return held.connection

    return own


def _connected(place: str) -> Any:
    if not Path(place).is_file():
        return psycopg.connect(place, autocommit=True, row_factory=dict_row)
    connection = sqlite3.connect(place, isolation_level=None, timeout=30)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def application(bare: Bare) -> FastAPI:
    app = FastAPI()
    views, log = connection_to(bare.views), connection_to(bare.log)
    following, turn = iter(bare.writes), threading.Lock()

    @app.get("/livez")
    def alive() -> dict[str, str]:
        return {"status": "alive"}

    @app.get("/v1/deals")
    def deals(limit: int) -> dict[str, Any]:
        found: Rows = []
        places = {"log": log(), "views": views()}
        for place, statement, parameters in bare.reads:
            told = places[place].execute(statement, parameters)
            if told.description is not None:
                # The page is the longest of the answers.
                found = max(found, [dict(row) for row in told.fetchall()], key=len)
        return {"deals": found[:limit]}

    @app.post("/v1/deals/{deal_id}/revise-forecast")
    def revise(deal_id: str, body: Amount) -> dict[str, Any]:
        with turn:
            write = next(following)
        connection = log()
        for statement, parameters in write:
            found = connection.execute(statement, _decoded(parameters))
            if found.description is not None:
                found.fetchall()
        return {"deal": deal_id, "expected_close": body.expected_close}

    return app


def _decoded(row: Sequence[Any]) -> list[Any]:
    return [b64decode(one[1]) if isinstance(one, list) else one for one in row]


def main(store: str, number: str) -> None:
    bare = msgspec.convert(json.loads(Path(store).read_text()), Bare)
    listening = socket.socket(fileno=int(number))
    config = uvicorn.Config(
        application(bare), http="h11", ws="none", log_level="warning", access_log=False
    )
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main(*sys.argv[1:])
