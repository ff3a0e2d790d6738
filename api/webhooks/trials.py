"""Trying receivers while somebody waits: on threads of their own, a few at once.

A receiver may be silent for as long as it is listened to. Were that done on the threads that
answer requests, a few silent receivers would keep everybody waiting.
"""

from collections import Counter
from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

T = TypeVar("T")

PER_USER = 2
"""At once."""
IN_ALL = 10
"""At once, of all users of one process."""


class TooManyTrials(Exception):
    """The user tries as many receivers as anybody may at once."""


class NoTrialLeft(Exception):
    """As many receivers are tried as this process takes on at once."""


class Trials:
    """Runs trials, and counts them. For the event loop alone."""

    def __init__(self) -> None:
        self._running: Counter[str] = Counter()
        self._threads = CapacityLimiter(IN_ALL)

    async def run(self, user: str, trial: Callable[[], T]) -> T:
        """What `trial` answers. Raises TooManyTrials, NoTrialLeft, and what it raises."""
        if self._running[user] >= PER_USER:
            raise TooManyTrials
        if self._running.total() >= IN_ALL:
            raise NoTrialLeft
        self._running[user] += 1
        try:
            return await to_thread.run_sync(trial, limiter=self._threads)
        finally:
            self._running[user] -= 1
            if not self._running[user]:
                del self._running[user]
