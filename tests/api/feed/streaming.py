"""A served store, and readers of its feed."""

import http.client
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Self

import msgspec
import uvicorn
from fastapi import FastAPI

from api.app import create_app
from api.settings import Settings
from store.location import Location
from tests.api.feed.parsing import Dispatched, parsed

PATIENCE_SECONDS = 20


class Served:
    """A service that listens on a port of this machine."""

    def __init__(self, app: FastAPI, port: int) -> None:
        self.app = app
        self.port = port

    def get(
        self, path: str, token: str = "", **headers: str
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        """Status, headers and body."""
        with self.asked(path, token, **headers) as (connection, response):
            found = response.status, response.headers, response.read()
            connection.close()
            return found

    def events(self, path: str, token: str = "") -> list[dict[str, Any]]:
        """The events of a page."""
        status, headers, body = self.get(path, token)
        assert status == 200, body
        assert headers["content-type"] == "application/cloudevents-batch+json"
        found: list[dict[str, Any]] = msgspec.json.decode(body)
        return found

    @contextmanager
    def asked(
        self, path: str, token: str = "", **headers: str
    ) -> Iterator[tuple[http.client.HTTPConnection, http.client.HTTPResponse]]:
        """A request that is answered, at least as far as its head."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            given["Authorization"] = f"Bearer {token}"
        try:
            connection.request("GET", path, headers=given)
            yield connection, connection.getresponse()
        finally:
            connection.close()

    @contextmanager
    def stream(self, query: str = "", token: str = "", **headers: str) -> Iterator["Reader"]:
        """A reader of the stream, up to its first block."""
        with self.asked(f"/v1/events/stream{query}", token, **headers) as (_, response):
            assert response.status == 200, response.read()
            assert response.headers["content-type"].startswith("text/event-stream")
            reader = Reader(response)
            reader.begin()
            yield reader


class Reader:
    """Reads a stream block by block."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self._response = response
        self._blocks = parsed(iter(response.readline, b""))
        self.last_id = ""

    def begin(self) -> Self:
        first = self.block()
        assert first is not None
        assert first.data is None
        return self

    def block(self) -> Dispatched | None:
        """The next block; None at the end of the stream."""
        found = next(self._blocks, None)
        if found is not None:
            self.last_id = found.last_id
        return found

    def event(self) -> dict[str, Any]:
        """The next event."""
        while True:
            found = self.block()
            assert found is not None, "the stream has ended"
            if found.data is not None:
                assert found.data["position"] == found.last_id
                event: dict[str, Any] = found.data
                return event

    def rest(self) -> list[dict[str, Any]]:
        """The events up to the end of the stream."""
        found = []
        while (block := self.block()) is not None:
            if block.data is not None:
                found.append(block.data)
        return found


@contextmanager
def served(location: Location | str, **settings: Any) -> Iterator[Served]:
    """The service over a store, in a thread of its own."""
    app = create_app(Settings(db=str(location), worker=False, **settings))
    with listening(app) as port:
        yield Served(app, port)


@contextmanager
def listening(app: FastAPI) -> Iterator[int]:
    """The port on which a service listens."""
    config = uvicorn.Config(
        app, port=0, log_config=None, lifespan="on", timeout_graceful_shutdown=5
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    give_up = time.monotonic() + PATIENCE_SECONDS
    while not server.started:
        assert thread.is_alive(), "it did not start"
        assert time.monotonic() < give_up
        time.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        with suppress(AttributeError):
            app.state.operation.ending.begin()
        server.should_exit = True
        thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive(), "it does not end"
