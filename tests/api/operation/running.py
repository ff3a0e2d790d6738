"""A server in a thread of its own, on a real socket, for clients that are not well-behaved."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from api.operation.connections import connection_class

PATIENCE_SECONDS = 15


@contextmanager
def running(
    app: FastAPI, request_seconds: float = 20.0, most_connections: int = 100
) -> Iterator[int]:
    """Serve until the end; gives the port."""
    config = uvicorn.Config(
        app,
        http=connection_class(request_seconds, most_connections),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            wait_until(lambda: server.started)
            yield port
        finally:
            server.should_exit = True
            thread.join(PATIENCE_SECONDS)
            assert not thread.is_alive()


def wait_until(happened: object) -> None:
    """Look until it happened; fail where it does not."""
    assert callable(happened)
    give_up = time.monotonic() + PATIENCE_SECONDS
    while not happened():
        assert time.monotonic() < give_up, "it does not happen"
        time.sleep(0.01)


def talk(port: int, *sent: bytes, pause: float = 0.0) -> bytes:
    """Send the parts one after another; gives all that comes back until the server closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS) as connection:
        for part in sent:
            connection.sendall(part)
            time.sleep(pause)
        return heard(connection)


def heard(connection: socket.socket) -> bytes:
    """All that comes until the other side closes."""
    parts = []
    try:
        while part := connection.recv(65536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)
