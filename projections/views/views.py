"""Where the read models are: the generation that answers, and one that is being built.

Theory of operation. All read models stand in one set of tables, a generation:
on SQLite a file, on PostgreSQL a schema. A pointer names the one that answers.
Whoever asks or writes follows the pointer first, so another generation takes
the place of this one for all processes at once. It is built beside, by whoever
holds the lock for building; what a builder that was killed left behind has a
number of its own, is never pointed at, and is removed by the next one. A
generation that was replaced is removed when nobody has it open any more.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import Lock, RLock
from typing import TypeVar

from sqlalchemy import Connection

from projections.views.generation import Generation, Replaced
from store.errors import StoreBusy
from store.interruption import interruptible

T = TypeVar("T")

_ATTEMPTS = 20
"""More generations than can take the place of each other while somebody begins a transaction."""


class NotBuilt(Exception):
    """There are no read models yet."""


class Views(ABC):
    """The read models of one store. Disposable: deleting them loses nothing.

    Opening a transaction raises NotBuilt where there are none yet, StoreError where
    they are damaged, StoreBusy, StoreFull or StoreUnavailable.
    """

    def __init__(self) -> None:
        self._opening = Lock()
        self._open: Generation | None = None
        self.turn = RLock()
        """Held by the thread of this process that catches up: the others wait here, in order."""

    @abstractmethod
    def pointed_at(self) -> int | None:
        """The number of the generation that answers; None where there is none."""

    @abstractmethod
    def _opened(self, number: int) -> Generation:
        """Open a generation. Raises Replaced where it is gone, NotBuilt where it is not whole."""

    @abstractmethod
    def unfinished(self, number: int) -> Generation:
        """A generation that another process has started to build, to help it."""

    @abstractmethod
    def building(self) -> AbstractContextManager["Building"]:
        """The right to build a generation, for one at a time, over all processes.

        Raises StoreBusy where another one builds.
        """

    def current(self) -> Generation:
        """The generation that answers. Raises NotBuilt."""
        for _ in range(_ATTEMPTS):
            number = self.pointed_at()
            if number is None:
                self.forget()
                raise NotBuilt
            with self._opening:
                if self._open is not None and self._open.number == number:
                    return self._open
                try:
                    found = self._opened(number)
                except Replaced:
                    continue
                earlier, self._open = self._open, found
            if earlier is not None:
                earlier.retire()
            return found
        raise self._never_stands_still()

    def _never_stands_still(self) -> StoreBusy:
        return StoreBusy(
            f"the read models at {self} were replaced whenever they were to be used",
            "Try again. If this persists, rebuild them with `dealstate rebuild`, and check that"
            " this user may use what is there.",
        )

    def forget(self, only: Generation | None = None) -> None:
        """Let go of the generation that is open; of this one alone, where it is that."""
        with self._opening:
            earlier = self._open
            if earlier is None or only not in {None, earlier}:
                return
            self._open = None
        earlier.retire()

    @contextmanager
    def using(self, transaction: Callable[[Generation], AbstractContextManager[T]]) -> Iterator[T]:
        """A transaction on the generation that answers."""
        for _ in range(_ATTEMPTS):
            generation = self.current()
            opened = transaction(generation)
            try:
                value = opened.__enter__()
            except Replaced:
                self.forget(generation)
                continue
            break
        else:
            raise self._never_stands_still()
        try:
            yield value
        except BaseException as error:
            if not opened.__exit__(type(error), error, error.__traceback__):
                raise
        else:
            opened.__exit__(None, None, None)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One consistent snapshot of the generation that answers."""
        with (
            self.using(lambda generation: generation.reading()) as connection,
            interruptible(_interrupting(connection)),
        ):
            yield connection

    def writing(self) -> AbstractContextManager[Connection]:
        """One transaction on the generation that answers."""
        return self.using(lambda generation: generation.writing())

    def size_bytes(self) -> int:
        """What the generation that answers takes on the disk, 0 where there is none."""
        while True:
            try:
                generation = self.current()
                return generation.size_bytes()
            except Replaced:
                self.forget(generation)
            except NotBuilt:
                return 0

    def close(self) -> None:
        """Close all connections; it opens again when it is used again."""
        self.forget()


class Building(ABC):
    """The right to build. What was not made to answer is removed when it ends."""

    @abstractmethod
    def start(self) -> Generation:
        """A new generation without tables, durable only once it was finished."""

    @abstractmethod
    def finished(self, built: Generation) -> Generation:
        """The generation made durable and opened anew, for reading and catching up."""

    @abstractmethod
    def replace(self, finished: Generation, within: Connection | None = None) -> None:
        """From now on this generation answers.

        `within` is a transaction on the one before: there it is done by the same
        transaction, with all the locks it holds, where the database can.
        """


def _interrupting(connection: Connection) -> Callable[[], object]:
    """What ends the statement that a connection runs, called from another thread."""
    own = connection.connection.dbapi_connection
    interrupt = getattr(own, "interrupt", None)  # SQLite's; psycopg's is `cancel`
    found: Callable[[], object] = interrupt if interrupt is not None else own.cancel  # type: ignore[union-attr]
    return found
