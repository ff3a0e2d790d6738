"""Waiting for new events: one thread of the process follows the log, and wakes all who wait.

Theory of operation. Readers hold no thread and no connection while they wait. The thread
sleeps until there may be more in the log (`store.waking`), reads the head, and tells the
event loop, which wakes those who wait for positions behind theirs. It does not read for
them: each reads what it may see, from where it stands, and at its own pace. Rows that
were read last are kept for a while, since most who wake read the same ones.
"""

import asyncio
import contextlib
import logging
import threading
from collections import deque
from collections.abc import Callable

from store.errors import StoreError
from store.log import DealLog
from store.recorder import PlacedRow
from store.waking import Waker, waker

LOOK_SECONDS = 2.0
"""So often it looks for events that it was not told of."""
STOP_SECONDS = 1.0
KEPT_ROWS = 256
_PAUSE_SECONDS = 0.5
_END_LOOK_SECONDS = 0.2

_log = logging.getLogger("dealstate.feed")


class Follower:
    """Follows one log from the first `beyond` until it is stopped."""

    def __init__(
        self,
        log: DealLog,
        ends: Callable[[], bool] = lambda: False,
        waking: Callable[[], Waker] | None = None,
    ) -> None:
        """`ends` tells whether those who wait are to end."""
        self._log = log
        self._ends = ends
        self._open_waker = waking or (lambda: waker(log.location))
        self._waker: Waker | None = None
        self._lock = threading.Lock()
        self._rows: deque[PlacedRow] = deque(maxlen=KEPT_ROWS)
        self._stopping = threading.Event()
        self._ended = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pulse = asyncio.Event()
        self.position = 0
        """Of the last event that is known of."""

    @property
    def is_ending(self) -> bool:
        """Whether those who wait should end."""
        return self._stopping.is_set()

    def rows(self, after: int, limit: int) -> list[PlacedRow]:
        """At most `limit` events behind a position, in order. Raises StoreError."""
        with self._lock:
            kept = list(self._rows)
        if kept and kept[0][0] <= after + 1 <= kept[-1][0]:
            start = after + 1 - kept[0][0]
            return kept[start : start + limit]
        return self._log.records.feed(after, limit)

    # In the event loop.

    async def beyond(self, position: int, timeout_seconds: float) -> bool:
        """Wait for an event behind that position; also until `end`. False where none came."""
        self._start()
        loop = asyncio.get_running_loop()
        give_up = loop.time() + timeout_seconds
        while self.position <= position and not self.is_ending:
            left = give_up - loop.time()
            if left <= 0:
                return False
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._pulse.wait(), left)
        return self.position > position

    def _start(self) -> None:
        if self._loop is None and not self.is_ending:
            self._loop = asyncio.get_running_loop()
            threading.Thread(target=self._run, name="feed", daemon=True).start()
            self._look_for_end()

    def _look_for_end(self) -> None:
        """One look for all who wait, now and then."""
        if self._ends():
            self.end()
        elif not self.is_ending and self._loop is not None:
            self._loop.call_later(_END_LOOK_SECONDS, self._look_for_end)

    def _wake_all(self) -> None:
        pulse, self._pulse = self._pulse, asyncio.Event()
        pulse.set()

    # For any thread.

    def end(self) -> None:
        """Have all who wait end, at once and for good. May be called more than once."""
        self._stopping.set()
        with self._lock:
            if self._waker is not None:
                self._waker.wake()
        self._tell_loop()

    def close(self) -> None:
        """End, and wait a moment for the thread, which reads from the log."""
        self.end()
        if self._loop is not None:
            self._ended.wait(STOP_SECONDS)

    def _tell_loop(self) -> None:
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # The loop is closed: nobody waits.
                self._loop.call_soon_threadsafe(self._wake_all)

    # In its own thread.

    def _run(self) -> None:
        is_troubled = False
        while not self._stopping.is_set():
            try:
                self._follow()
                if is_troubled:
                    _log.info("follows the log again")
                is_troubled = False
            except Exception as error:  # noqa: BLE001 - it ends when it is stopped, and not before.
                if not is_troubled and not self._stopping.is_set():
                    unforeseen = not isinstance(error, StoreError)
                    _log.warning("cannot follow the log: %s", error, exc_info=unforeseen)
                is_troubled = True
                self._close_waker()
                self._stopping.wait(_PAUSE_SECONDS)
        self._close_waker()
        self._ended.set()

    def _follow(self) -> None:
        """Read up to the head, then sleep until there may be more."""
        if self._waker is None:
            opened = self._open_waker()
            with self._lock:
                self._waker = opened
        if not self.position:
            self._tell(max(0, self._log.head() - 1))
        while rows := self._log.records.feed(self.position, KEPT_ROWS):
            with self._lock:
                self._rows.extend(rows)
            self._tell(rows[-1][0])
        if not self._stopping.is_set() and self._waker is not None:
            self._waker.wait(LOOK_SECONDS)

    def _tell(self, position: int) -> None:
        self.position = position
        self._tell_loop()

    def _close_waker(self) -> None:
        with self._lock:
            closing, self._waker = self._waker, None
        if closing is not None:
            # What cannot be closed is given up, since the thread has to go on.
            with contextlib.suppress(Exception):
                closing.close()
