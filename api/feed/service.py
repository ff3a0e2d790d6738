"""The feed as one process serves it: who may wait for how long, and where reading is done."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Self, TypeVar

import msgspec
from anyio import CapacityLimiter, to_thread

from api.feed.following import Follower
from api.feed.places import Places
from api.queries.events import EventFeed, EventQuery, Part, Who
from api.workspace import Workspace

T = TypeVar("T")

_THREADS = 4
"""Those who read the feed take no more of the process, however many wait."""


class FeedLimits(msgspec.Struct, frozen=True):
    """How much one process does for readers of the feed."""

    per_caller: int
    """Streams of one user at once."""
    in_all: int
    stream_seconds: float
    """How long a stream stays open."""
    keep_alive_seconds: float
    """After so long without a word something is sent, so that nobody takes the stream for dead."""


class FeedService:
    """What the routes of the feed need. Its coroutines are for one event loop."""

    def __init__(
        self, store: Workspace, limits: FeedLimits, ends: Callable[[], bool] = lambda: False
    ) -> None:
        """`ends` tells whether the server is about to end."""
        self.limits = limits
        self._ends = ends
        self.feed = EventFeed(store)
        self.follower = Follower(store.log, ends)
        self.places = Places(limits.per_caller, limits.in_all)
        self._limiter: CapacityLimiter | None = None

    @classmethod
    @contextmanager
    def open(cls, store: Workspace, limits: FeedLimits, ends: Callable[[], bool]) -> Iterator[Self]:
        """The feed of a store, until whoever waits is to end."""
        service = cls(store, limits, ends)
        try:
            yield service
        finally:
            service.follower.close()

    @property
    def is_ending(self) -> bool:
        """Whether those who wait should end, since the server does."""
        return self._ends() or self.follower.is_ending

    async def head(self) -> int:
        """Position of the last event. Raises StoreError."""
        return await self._in_thread(self.feed.head)

    async def part(self, who: Who, query: EventQuery, *, waited: bool = False) -> Part:
        """The next part of the feed; see `EventFeed.part`.

        It holds all that was recorded before; for who has `waited`, what the follower has read.
        """
        rows = self.follower.rows if waited else None
        return await self._in_thread(partial(self.feed.part, who, query, rows))

    async def _in_thread(self, ask: Callable[[], T]) -> T:
        if self._limiter is None:
            self._limiter = CapacityLimiter(_THREADS)
        return await to_thread.run_sync(ask, limiter=self._limiter)
