"""Waiting for appends: whoever follows the log sleeps until there may be more of it.

The order to keep, so that nothing is missed: open the waker, then read the log up
to its head, then wait, read again, and so on. What is committed before the waker
is opened is found by the first read. What is committed later is told to the waker
after its commit, and ends the next wait where it came between a read and that
wait. So each event is found by a read that begins after its commit was told.

A wait may end without an append. It may also time out after one: a program that
is killed between its commit and its word has told nobody, so read the log when a
wait has timed out too.
"""

from typing import Protocol

from store.location import Location


class Waker(Protocol):
    """Waits for appends to one log, by whichever process. For one thread; `wake` for any."""

    def wait(self, timeout_seconds: float) -> bool:
        """Return True as soon as something may have been appended since the last wait.

        False once the time is over. Raises StoreError where waiting has become useless.
        """

    def wake(self) -> None:
        """End the present wait, or else the next one, as an append would."""

    def close(self) -> None:
        """Give up what it holds. Afterwards it cannot be waited on."""


def waker(location: Location) -> Waker:
    """What waits for appends to the log at a location. Raises StoreError."""
    if location.database is None:
        from store.sqlite.waking import FileWaker

        return FileWaker(location.log)
    from store.postgres.waking import ListeningWaker

    return ListeningWaker(location.database)
