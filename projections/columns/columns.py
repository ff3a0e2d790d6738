"""The columnar copy as the rest of the project sees it. DuckDB is loaded once there is a base."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, closing, suppress
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias, TypeVar

from sqlalchemy import Connection

from projections.columns.files import BaseFile, Damaged, Files
from projections.columns.source import (
    Reach,
    Stand,
    all_periods,
    changed_when_due,
    count_changed,
    count_deals,
    has_periods,
    stand_of,
)
from projections.figures import Part, Question
from projections.readable import ALL, Readable, readable_ids
from store.errors import StoreUnavailable
from store.interruption import interruptible
from store.keys.holding import Held

if TYPE_CHECKING:
    from projections.columns.base import Asking, Exporting, OpenBase
    from projections.columns.making import Collected
    from projections.columns.relation import Relation

T = TypeVar("T")

Reading: TypeAlias = Callable[[], AbstractContextManager[Connection]]
"""Opens a snapshot of the tables."""

LEAST_PERIODS = 50_000
"""With fewer rows the rows of the store answer fast enough."""

LEAST_CHANGED = 5_000
"""A new base is due when so many deals have changed, or one in twenty where that is more."""

_TRIES = 3
"""Bases that are opened for one question, where one after the other is gone or damaged."""


class Periods(Protocol):
    """The deal periods of all deals, or of those that somebody may read, to be asked."""

    def ask(
        self,
        connection: Connection,
        question: Callable[[Relation], T],
        reach: Reach = Reach(),  # noqa: B008 (immutable)
    ) -> T:
        """The answer to a question over those that `connection` sees, within reach."""


class _Due(NamedTuple):
    """A new base is due: as of where, and the one before."""

    stand: Stand
    file: BaseFile | None


def _unavailable(error: BaseException) -> StoreUnavailable:
    return StoreUnavailable(
        f"no columnar copy can be made: {error}",
        "Check the disk; answers come from the tables meanwhile.",
    )


class Columns:
    """The columnar copy of one store's deal periods. Safe to use from many threads.

    `beside` is the file or link of the views, in whose folder the bases lie. Bases are
    made by `maintain` alone.
    """

    def __init__(
        self,
        beside: Path,
        *,
        least_periods: int = LEAST_PERIODS,
        least_changed: int = LEAST_CHANGED,
    ) -> None:
        self.files = Files(beside)
        self._least_periods = least_periods
        self._least_changed = least_changed
        self._lock = Lock()
        self._open: OpenBase | None = None

    def snapshot(
        self, connection: Connection, question: Question, readable: Readable = ALL
    ) -> list[Part] | None:
        """What the rows that `connection` sees come to; None where there is no copy to tell."""
        return self._asked(connection, lambda asking: asking.parts(question), readable)

    def of(self, readable: Readable) -> Periods:
        """The deal periods of the deals that somebody may read, to be asked alone."""
        return self if readable.all else _Restricted(self, readable)

    def ask(
        self,
        connection: Connection,
        question: Callable[[Relation], T],
        reach: Reach = Reach(),  # noqa: B008 (immutable)
        readable: Readable = ALL,
    ) -> T:
        """The answer to a question over the deal periods that `connection` sees.

        All of them, or those of the deals that somebody may read. Without a copy, the rows
        within reach are read for this question alone: the answer is the same and comes later.
        """
        answer = self._asked(connection, lambda asking: (question(asking.relation()),), readable)
        if answer is not None:
            return answer[0]
        from projections.columns.passing import passing

        with passing(connection, reach, readable) as relation:
            return question(relation)

    def _asked(
        self, connection: Connection, question: Callable[[Asking], T], readable: Readable
    ) -> T | None:
        stand = stand_of(connection)
        if stand is None:
            return None
        for _ in range(_TRIES):
            file = self.files.newest(stand.set_id, stand.position)
            if file is None:
                return None
            from projections.columns.base import TooFar

            try:
                with self._lock:
                    asking = self._opened(file, stand).asking(connection, stand)
                with closing(asking), interruptible(asking.interrupt):
                    if not readable.all:
                        asking.keep(readable_ids(connection, readable))
                    return question(asking)
            except (TooFar, MemoryError):
                return None
            except Damaged:
                self._discard(file)
        return None

    def _opened(self, file: BaseFile, stand: Stand) -> OpenBase:
        """A base, or a newer one that is open and fits too. The lock is held. Raises Damaged."""
        from projections.columns.base import OpenBase

        held = self._open
        if held is not None:
            fits = held.file.set_id == file.set_id and held.file.position <= stand.position
            if fits and held.file.position >= file.position:
                return held
            self._close()
        self._open = OpenBase(file, self._least_changed)
        return self._open

    def _discard(self, file: BaseFile) -> None:
        """Forget a base that cannot be used, and remove it, so that a new one is made."""
        with self._lock:
            if self._open is not None and self._open.file == file:
                self._close()
        with suppress(OSError):
            file.path.unlink(missing_ok=True)

    def _close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None

    def maintain(self, reading: Reading) -> bool:
        """Make a new base where one is due; True if it did.

        `reading` opens a snapshot of the tables, which is let go once the rows are
        read: a database gives up on who holds one and asks nothing. Does nothing while
        another thread or process makes a base. Raises StoreUnavailable where there is
        no room, or no right to write.
        """
        with reading() as connection:
            if self._due(connection) is None:
                return False
        with suppress(Held), self.files.making() as workshop:
            for attempt in ("first", "second"):
                with reading() as connection:
                    due = self._due(connection)
                    if due is None:
                        return False
                    made = self._collected(connection, *due, workshop / attempt)
                if self._published(made, due.file, workshop):
                    return True
        return False

    def _due(self, connection: Connection) -> _Due | None:
        stand = stand_of(connection)
        if stand is None:
            return None
        file = self.files.newest(stand.set_id, stand.position)
        return _Due(stand, file) if self._is_due(connection, file) else None

    def _is_due(self, connection: Connection, file: BaseFile | None) -> bool:
        if file is None:
            return has_periods(connection, self._least_periods)
        least = self._least_changed
        if count_changed(connection, file.position, least) < least:
            return False
        due = changed_when_due(count_deals(connection), least)
        return count_changed(connection, file.position, due) >= due

    def _collected(
        self, connection: Connection, stand: Stand, file: BaseFile | None, workshop: Path
    ) -> Exporting | Collected:
        """What a new base is made of: the one before, where that is possible, or all rows."""
        from projections.columns import making
        from projections.columns.base import TooFar, translated

        if file is not None:
            try:
                with self._lock:
                    base = self._opened(file, stand)
                    if stand.position >= base.position:
                        base.refresh(connection, stand)
                    return base.exporting(workshop / "merged")
            except (TooFar, Damaged, MemoryError):
                self._discard(file)
        try:
            with translated(workshop):
                return making.Collected(workshop / "read", stand, all_periods(connection))
        except (Damaged, MemoryError) as error:
            raise _unavailable(error) from error

    def _published(
        self, made: Exporting | Collected, before: BaseFile | None, workshop: Path
    ) -> bool:
        """Write the base, and let it answer. False where the one before turns out damaged."""
        from projections.columns.base import translated

        try:
            with translated(workshop):
                path = made.written()
        except (Damaged, MemoryError) as error:
            if before is None:
                raise _unavailable(error) from error
            self._discard(before)
            return False
        self.files.publish(path, made.about.set_id, made.about.position)
        return True

    def close(self) -> None:
        """Close what is open."""
        with self._lock:
            self._close()


class _Restricted:
    """The periods of the deals that somebody may read, of the same copy and rows."""

    def __init__(self, columns: Columns, readable: Readable) -> None:
        self._columns = columns
        self._readable = readable

    def ask(
        self,
        connection: Connection,
        question: Callable[[Relation], T],
        reach: Reach = Reach(),  # noqa: B008 (immutable)
    ) -> T:
        return self._columns.ask(connection, question, reach, self._readable)
