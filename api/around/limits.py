"""How much one user may ask, and how much the server takes on at once.

Each user has a bucket of drops: a request takes one, and they come back with time (a token
bucket). Whose bucket is empty is told how long to wait. The headers are those of
draft-ietf-httpapi-ratelimit-headers-10: `RateLimit-Policy`, what is allowed, and `RateLimit`,
what is left. Buckets are those of one process: several take several times as much.
"""

import math
from collections import OrderedDict
from collections.abc import Callable
from http import HTTPStatus
from threading import Lock
from time import monotonic
from typing import NamedTuple

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.around.door import is_open
from api.problems import MEANINGS, Failure
from api.routes.failures import problem_answer
from domain.access import Principal

USERS = 10_000
"""Buckets that are kept. Of more, those that were used longest ago are forgotten."""
POLICY = "user"
"""The name of the policy in the headers."""
BUSY_SECONDS = 1
"""After which somebody may try again whom the server had no room for."""


class Left(NamedTuple):
    """What somebody may still ask."""

    taken: bool
    """Whether there was a drop for this request."""
    requests: int
    """Further ones, at once."""
    wait_seconds: int
    """Until one more may be asked; 0 where it may be now."""


class Buckets:
    """The buckets of one process. Safe to use from many threads."""

    def __init__(
        self, per_second: float, burst: int, clock: Callable[[], float] = monotonic
    ) -> None:
        assert per_second > 0
        assert burst >= 1
        self._per_second = per_second
        self._burst = burst
        self._clock = clock
        self._lock = Lock()
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        window_seconds = max(1, math.ceil(burst / per_second))
        self.policy = f'"{POLICY}";q={burst};w={window_seconds}'
        """As in RateLimit-Policy: so many requests while an empty bucket fills."""

    def take(self, user: str) -> Left:
        """A drop of the user's, where there is one."""
        with self._lock:
            now = self._clock()
            left, since = self._left.get(user, (float(self._burst), now))
            left = min(float(self._burst), left + max(0.0, now - since) * self._per_second)
            taken = left >= 1
            left -= taken
            self._left[user] = (left, now)
            self._left.move_to_end(user)
            while len(self._left) > USERS:
                self._left.popitem(last=False)
        missing = max(0.0, 1 - left)
        return Left(taken, math.floor(left), math.ceil(missing / self._per_second))

    def told(self, left: Left) -> dict[str, str]:
        """The headers that say so."""
        state = f'"{POLICY}";r={left.requests};t={left.wait_seconds}'
        return {"RateLimit-Policy": self.policy, "RateLimit": state}


class Rates:
    """Refuses users who ask too much. Stands behind the door, which tells who asks."""

    def __init__(self, app: ASGIApp, buckets: Buckets | None) -> None:
        self._app = app
        self._buckets = buckets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        caller: Principal | None = scope.get("state", {}).get("caller")
        if self._buckets is None or scope["type"] != "http" or caller is None:
            await self._app(scope, receive, send)
            return
        left = self._buckets.take(caller.id)
        told = self._buckets.told(left)
        if not left.taken:
            told["Retry-After"] = str(left.wait_seconds)
            code, status = "too-many-requests", HTTPStatus.TOO_MANY_REQUESTS
            answer = problem_answer(Failure(code, status, MEANINGS[code]), headers=told)
            await answer(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(told)
            await send(message)

        await self._app(scope, receive, send_with_headers)


class AtOnce:
    """Refuses requests while the server is at work on as many as it takes.

    What takes no caller is answered all the same, so that the server can be watched.
    """

    def __init__(self, app: ASGIApp, most: int) -> None:
        self._app = app
        self._most = most
        self._running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or is_open(scope) or not self._most:
            await self._app(scope, receive, send)
            return
        if self._running >= self._most:
            code, status = "too-busy", HTTPStatus.SERVICE_UNAVAILABLE
            failure = Failure(code, status, MEANINGS[code])
            wait = {"Retry-After": str(BUSY_SECONDS)}
            await problem_answer(failure, headers=wait)(scope, receive, send)
            return
        self._running += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._running -= 1
