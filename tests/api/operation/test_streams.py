"""Streams of events: counted while they are open, and ended as whole answers with the server."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator

from fastapi import FastAPI
from fastapi.responses import StreamingResponse

from api.operation.observing import Observing
from api.operation.operating import Operation
from api.settings import Settings
from tests.api.operation.running import heard, running, wait_until

ASKED = b"GET /stream HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


def endless(operation: Operation) -> FastAPI:
    """A service with one stream that goes on until its client leaves."""
    app = FastAPI()

    async def events() -> AsyncIterator[bytes]:
        while True:
            yield b"data: x\n\n"
            await asyncio.sleep(0.01)

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        return StreamingResponse(events(), media_type="text/event-stream")

    app.add_middleware(Observing, operation=operation)
    return app


def open_streams(operation: Operation) -> float:
    (family,) = operation.metrics.open_streams.collect()
    return family.samples[0].value


def test_a_stream_ends_with_the_server_as_a_whole_answer() -> None:
    operation = Operation(Settings())
    with (
        running(endless(operation)) as port,
        socket.create_connection(("127.0.0.1", port), timeout=10) as connection,
    ):
        connection.sendall(ASKED)
        assert connection.recv(1024).startswith(b"HTTP/1.1 200")
        wait_until(lambda: open_streams(operation) == 1)
        start = time.monotonic()
        operation.ending.begin()
        # The last chunk is the empty one: nothing was cut off.
        assert heard(connection).endswith(b"\r\n0\r\n\r\n")
        assert time.monotonic() - start < 3
    assert open_streams(operation) == 0


def test_a_stream_whose_client_leaves_is_over() -> None:
    operation = Operation(Settings())
    with running(endless(operation)) as port:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(ASKED)
            wait_until(lambda: open_streams(operation) == 1)
        wait_until(lambda: open_streams(operation) == 0)
