"""Appends of many threads in one transaction: one sync to the disk serves them all.

Theory of operation. Positions are given under a lock that is held until the
commit, so commits come one after the other and each waits for the disk. Threads
that append meanwhile line up; when it is the first one's turn it writes for all
of them, wakes them, and gives the turn to whoever came after. A transaction that
would break a rule, or holds a value that cannot be stored, is written again
append by append, so that it fails for none but the one at fault.
"""

from collections import deque
from collections.abc import Callable, Sequence
from threading import Event, Lock

from eventsourcing.persistence import IntegrityError

from store.errors import NotStorable, StoreUnavailable
from store.recorder import CommandRow, Row


class Append:
    """The few rows that one thread appends, and what came of it."""

    def __init__(self, rows: Sequence[Row], command: CommandRow | None) -> None:
        self.rows = rows
        self.command = command
        self.last = 0
        """The position of the last row once it is done; the head where there are none."""
        self.error: Exception | None = None
        self.done = False
        self.woken: Event | None = None
        """Set once it is done or its turn to write has come; None where it need not wait."""

    def wake(self) -> None:
        """Let its thread go on, where it waits."""
        if self.woken is not None:
            self.woken.set()


Write = Callable[[Sequence[Append]], int]
"""Writes some appends in one transaction, and answers the last position."""


class Together:
    """Lines up the appends of the threads of one process."""

    def __init__(self, write: Write, most_rows: int) -> None:
        self._write = write
        self._most_rows = most_rows
        self._line: deque[Append] = deque()
        self._lock = Lock()
        self._is_writing = False

    def append(self, mine: Append) -> int:
        """Write an append, with others or alone. Answers the last position, raises its error."""
        with self._lock:
            self._line.append(mine)
            woken = mine.woken = Event() if self._is_writing else None
            self._is_writing = True
        if woken is not None:
            try:
                woken.wait()
            except BaseException:
                self._leave(mine)
                raise
        if not mine.done:
            self._take_turn()
        if mine.error is not None:
            raise mine.error
        return mine.last

    def _take_turn(self) -> None:
        """Write for those in line, wake them, and give the turn to the next one."""
        some = self._next()
        try:
            self._write_all(some)
        finally:
            with self._lock:
                for one in some:
                    one.wake()
                self._pass_on()

    def _pass_on(self) -> None:
        """Give the turn to the first one in line. Called with the lock."""
        self._is_writing = bool(self._line)
        if self._line:
            self._line[0].wake()

    def _leave(self, mine: Append) -> None:
        """Give up waiting, as when the thread was interrupted."""
        with self._lock:
            if mine in self._line:
                self._line.remove(mine)
                if mine.woken is not None and mine.woken.is_set():
                    self._pass_on()

    def _next(self) -> list[Append]:
        """Those in line, as many as fit into one transaction."""
        with self._lock:
            chosen = [self._line.popleft()]
            count = len(chosen[0].rows)
            while self._line and count + len(self._line[0].rows) <= self._most_rows:
                chosen.append(self._line.popleft())
                count += len(chosen[-1].rows)
        return chosen

    def _write_all(self, some: Sequence[Append]) -> None:
        try:
            self._write_or_fail(some)
        finally:
            # Only where the thread in turn was interrupted itself.
            for one in some:
                if not one.done:
                    one.done = True
                    one.error = StoreUnavailable(
                        "writing was interrupted", "Repeat it under the same command id."
                    )

    def _write_or_fail(self, some: Sequence[Append]) -> None:
        try:
            last = self._write(some)
        except (IntegrityError, NotStorable) as error:
            if len(some) > 1:
                for one in some:
                    self._write_or_fail([one])
            else:
                _fail(some, error)
        except Exception as error:  # noqa: BLE001 - each thread raises it itself.
            _fail(some, error)
        else:
            for one in reversed(some):
                one.last, one.done = last, True
                last -= len(one.rows)


def _fail(some: Sequence[Append], error: Exception) -> None:
    for one in some:
        one.error, one.done = error, True
