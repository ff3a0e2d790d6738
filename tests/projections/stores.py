"""Stores for the tests of the read models: a log, its views, and what to write to it."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import select

from domain.access import Principal, Role, Sensitivity
from domain.deal import DealEvent, DealFact
from domain.directory import UserRegistered
from domain.history import Draft, Fact
from domain.intent import Intent
from domain.process import ProcessBook, ProcessPublished
from domain.stages.facts import ForecastRevised
from projections.engine import MODELS
from projections.frames import Batch as FoldedBatch
from projections.frames import DealFold
from projections.tables import metadata
from projections.views import Views
from store.events.writing import Batch
from store.location import Location
from store.log import DealLog, Positioned
from tests.projections.histories import EPOCH, RECORDED_AT
from tests.scenario import BOOK, LONGER, SHORT, opened, usd

Rows = dict[str, list[tuple[Any, ...]]]

OPERATOR = Principal("op", frozenset({Role.OPERATOR}))


class Clock:
    """A clock that goes on by a second whenever it is read."""

    def __init__(self, start: datetime = RECORDED_AT) -> None:
        self.now = start

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


def make_log(folder: Path, clock: Clock | None = None) -> DealLog:
    """A new log in `folder` that knows the processes of the tests."""
    location = Location.beside(folder / "deals.db")
    DealLog.create(location).close()
    log = DealLog.open(location, clock or Clock())
    published = [draft(ProcessPublished(process)) for process in (SHORT, LONGER)]
    log.append([Batch("process:short", 0, published)])
    return log


@contextmanager
def opened_store(folder: Path) -> Iterator[tuple[DealLog, Views]]:
    """A new log and its views; closed at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    log = make_log(folder)
    views = Views(log.location.views)
    try:
        yield log, views
    finally:
        views.close()
        log.close()


def intent(command_id: str, occurred_at: datetime = RECORDED_AT) -> Intent:
    now = max(RECORDED_AT, occurred_at)
    return Intent(command_id, OPERATOR, "api", now=now, occurred_at=occurred_at)


F = TypeVar("F", bound=Fact)


def draft(
    fact: F,
    day: float = 0,
    known_on: float | None = None,
    *,
    by: str = "ann",
    source: str = "api",
    command_id: str = "c",
) -> Draft[F]:
    """`fact`, that many days after the epoch of the tests; known when recorded, or on a day."""
    known_at = None if known_on is None else EPOCH + timedelta(days=known_on)
    return Draft(fact, EPOCH + timedelta(days=day), by, source, command_id, command_id, known_at)


def append(log: DealLog, deal_id: str, *drafts: Draft[Fact]) -> int:
    """Append to a deal. Answers with the head of the log."""
    stream = f"deal:{deal_id}"
    return log.append([Batch(stream, len(log.events_in(stream)), drafts)])


def append_deals(log: DealLog, count: int, first: int = 0) -> int:
    """Deals of three events each, opened on days of their own."""
    return log.append(
        [
            Batch(
                f"deal:d-{number}",
                0,
                [
                    draft(opened(name=f"Deal {number}"), number),
                    draft(ForecastRevised(amount=usd(str(number))), number + 1),
                    draft(ForecastRevised(amount=usd(str(number + 7))), number + 0.5),
                ],
            )
            for number in range(first, first + count)
        ]
    )


def register(log: DealLog, user: str, name: str) -> None:
    stream = f"user:{user}"
    fact = UserRegistered(user, name)
    log.append([Batch(stream, len(log.events_in(stream)), [draft(fact)])])


def events_of(*drafts: Draft[DealFact], deal_id: str = "d-1") -> tuple[DealEvent, ...]:
    """The drafts as the events of a deal, recorded a second after one another."""
    return tuple(
        one.recorded(f"deal:{deal_id}", version, RECORDED_AT + timedelta(seconds=version))
        for version, one in enumerate(drafts, start=1)
    )


def make_tables(views: Views) -> None:
    with views.writing() as connection:
        metadata.create_all(connection)


def project(views: Views, histories: Sequence[Sequence[DealEvent]]) -> None:
    """Replace all rows by those of these deals, as a catch-up would write them."""
    events = [event for history in histories for event in history]
    folds = tuple(DealFold.of(history[0].identifier, history, BOOK) for history in histories)
    batch = FoldedBatch(tuple(Positioned(n, e) for n, e in enumerate(events, start=1)), folds)
    with views.writing() as connection:
        for table in metadata.sorted_tables:
            connection.execute(table.delete())
        for model in MODELS if events else ():
            model.apply(connection, batch)


def rows_of(views: Views) -> Rows:
    """Every row of every read model, and the checkpoints, in an order of their own."""
    with views.reading() as connection:
        return {
            table.name: sorted(map(tuple, connection.execute(select(table))), key=repr)
            for table in metadata.sorted_tables
        }


class LogUpTo:
    """A log as it was when a position was its head."""

    def __init__(self, log: DealLog, head: int) -> None:
        self._log = log
        self._head = head

    def feed(self, after: int, limit: int) -> list[Positioned]:
        return self._log.feed(after, max(min(limit, self._head - after), 0))

    def head(self) -> int:
        return self._head

    def events_of(
        self, streams: Sequence[str], visible: Collection[Sensitivity]
    ) -> dict[str, tuple[Any, ...]]:
        found = {}
        for stream, events in self._log.events_of(streams, visible).items():
            positions = self._log.positions(stream)
            found[stream] = tuple(e for e in events if positions[e.version] <= self._head)
        return found

    def processes(self) -> ProcessBook:
        return self._log.processes()
