"""Work that somebody waits for, and that can be stopped from outside once it takes too long.

Whoever waits makes a `Work` and has it known as `CURRENT` to the code that works. Whatever runs
long there says how it is interrupted while it runs (`interruptible`), or asks now and then whether
to go on (`go_on`). Without a `Work` nothing of this does anything.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from threading import Lock


class Interrupted(Exception):
    """Nobody waits for this work any more."""


class Work:
    """What is done for one who waits. It is stopped once, from another thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._interrupts: list[Callable[[], object]] = []
        self.stopped = False

    def stop(self) -> None:
        """Interrupt what runs, and let nothing more begin.

        The lock is held while it interrupts, so that nobody else has what is interrupted by then.
        """
        with self._lock:
            self.stopped = True
            for interrupt in self._interrupts:
                # What has ended by itself, or is broken, needs no interrupting.
                with suppress(Exception):
                    interrupt()

    def begin(self, interrupt: Callable[[], object]) -> None:
        """Raises Interrupted where the work was stopped."""
        with self._lock:
            if self.stopped:
                raise Interrupted
            self._interrupts.append(interrupt)

    def end(self, interrupt: Callable[[], object]) -> None:
        with self._lock:
            self._interrupts.remove(interrupt)


CURRENT: ContextVar[Work | None] = ContextVar("work", default=None)
"""The work that is done here."""


def go_on() -> None:
    """Raise Interrupted where the work was stopped."""
    work = CURRENT.get()
    if work is not None and work.stopped:
        raise Interrupted


@contextmanager
def interruptible(interrupt: Callable[[], object]) -> Iterator[None]:
    """What `interrupt` ends, called from another thread. Raises Interrupted where it did."""
    work = CURRENT.get()
    if work is None:
        yield
        return
    work.begin(interrupt)
    try:
        yield
    except Exception as error:
        if work.stopped:
            raise Interrupted from error
        raise
    finally:
        work.end(interrupt)
