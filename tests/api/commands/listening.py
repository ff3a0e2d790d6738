"""The service on a port, in a thread of its own, as programs reach it."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from time import monotonic, sleep
from typing import Any

import uvicorn

from api.settings import Settings
from domain.access import Principal
from store.location import Location
from tests.api.serving import app_of

PATIENCE_SECONDS = 20
UNLIMITED: dict[str, Any] = {"rate_per_second": 100_000, "rate_burst": 1_000_000}
"""Settings under which nobody asks too often."""


@contextmanager
def listening(location: Location, principal: Principal) -> Iterator[int]:
    """Serves a store to whoever asks, as this principal. Gives the port."""
    settings = Settings(db=str(location), worker=False, **UNLIMITED)
    config = uvicorn.Config(
        app_of(settings, principal),
        port=0,
        log_config=None,
        backlog=2_048,
        # A connection has to be kept for longer than clients keep theirs, or a request now and
        # then comes by the one that is just being closed.
        timeout_keep_alive=settings.keep_alive_seconds,
    )
    server = uvicorn.Server(config)
    thread = Thread(target=server.run)
    thread.start()
    try:
        give_up = monotonic() + PATIENCE_SECONDS
        while not server.started:
            assert thread.is_alive(), "it has ended"
            assert monotonic() < give_up, "it does not start"
            sleep(0.01)
        port: int = server.servers[0].sockets[0].getsockname()[1]
        yield port
    finally:
        server.should_exit = True
        thread.join()
