"""One process of the service: it serves a socket until it is told to end, and ends in order.

On the first SIGTERM or Ctrl-C it says at /readyz that it ends, and goes on for `drain_seconds`
so that a balancer notices. Then it takes no new connection, finishes the requests that it has
within `shutdown_seconds`, ends streams, stops the worker, and leaves with 0. A second signal
ends it at once.
"""

import gc
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn

from api.cli.ending import leave
from api.operation.connections import connection_class
from api.operation.ending import Ending
from projections.cores import keep_to_one

if TYPE_CHECKING:
    from fastapi import FastAPI

    from api.settings import Settings

_SIGNALS = (signal.SIGINT, signal.SIGTERM)

_BEYOND_SECONDS = 5.0
"""So long after what was promised the process ends whatever it is at."""


class Server(uvicorn.Server):
    """Ends as the settings say, and by its own code rather than by the signal."""

    def __init__(
        self, config: uvicorn.Config, ending: Ending, drain_seconds: float, *, is_one_of_many: bool
    ) -> None:
        """`is_one_of_many`: whether another process decides when to end at once."""
        super().__init__(config)
        self._ending = ending
        self._drain_seconds = drain_seconds
        self._is_one_of_many = is_one_of_many
        self._closes_at: float | None = None

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {one: signal.signal(one, self.handle_exit) for one in _SIGNALS}
        try:
            yield
        finally:
            for one, handler in before.items():
                signal.signal(one, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self._is_one_of_many and (sig == signal.SIGINT or self._ending.begun):
            # A terminal sends Ctrl-C to all processes, a service manager SIGTERM.
            return
        if self._ending.begun:
            leave(128 + sig)
        self._ending.begin()
        self._closes_at = time.monotonic() + self._drain_seconds
        promised = self._drain_seconds + (self.config.timeout_graceful_shutdown or 0)
        last = threading.Timer(promised + _BEYOND_SECONDS, leave, [0])
        last.daemon = True
        last.start()

    async def on_tick(self, counter: int) -> bool:
        if self._closes_at is not None and time.monotonic() >= self._closes_at:
            self.should_exit = True
        return await super().on_tick(counter)


def run(
    settings: "Settings",
    application: "FastAPI",
    listening: socket.socket,
    behind_proxy: str | None,
    *,
    number: int | None = None,
) -> None:
    """Serve until told to end; answers when all is done, or ends the process.

    Where there are several processes, each has a number.
    """
    if settings.one_core:
        keep_to_one(os.getpid() if number is None else number)
    # Nobody but the proxy is believed where a request comes from.
    config = uvicorn.Config(
        application,
        http=connection_class(settings.request_seconds, settings.most_connections),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=behind_proxy is not None,
        forwarded_allow_ips=behind_proxy or "",
        timeout_keep_alive=settings.keep_alive_seconds,
        timeout_graceful_shutdown=settings.shutdown_seconds,
    )
    ending = application.state.operation.ending
    server = Server(config, ending, settings.drain_seconds, is_one_of_many=number is not None)
    # What was made up to now stays: the collector would walk all of it again and again.
    gc.collect()
    gc.freeze()
    server.run(sockets=[listening])
    _leave_if_at_work(application)


def _leave_if_at_work(application: "FastAPI") -> None:
    """End here where a thread is still in the code of a database: its work is rolled back."""
    workers = (application.state.worker, application.state.deliverer)
    others = (one for one in threading.enumerate() if one is not threading.main_thread())
    at_work = any(one.is_alive() and not one.daemon for one in others)
    if at_work or any(one is not None and not one.has_ended for one in workers):
        leave(0)


def end_with(parent: object) -> None:
    """Have this process end in order when its parent is gone."""
    from multiprocessing.connection import wait

    def watch() -> None:
        wait([parent.sentinel])  # type: ignore[attr-defined]
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent", daemon=True).start()
