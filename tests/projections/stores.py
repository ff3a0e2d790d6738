"""Stores for the tests of the read models: a log, its views, and what to write to it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Any, TypeVar

from msgspec.structs import replace
from sqlalchemy import Select, Table, select

from domain.access import Principal, Role
from domain.deal import DealEvent, DealFact
from domain.directory import UserRegistered
from domain.history import Draft, Fact
from domain.intent import Intent
from domain.process import ProcessPublished
from domain.stages.facts import ForecastRevised
from projections.engine.applying import Writing, store_alone
from projections.engine.models import MODELS
from projections.tables import identity, metadata, parked
from projections.views import Views, open_views
from projections.views.postgres import SchemaViews
from projections.views.sqlite import FileViews
from store.events.writing import Batch
from store.location import Location
from store.log import DealLog
from store.postgres.connections import connect
from store.recorder import Place
from store.tail import Stream, Tail
from tests.projections.histories import EPOCH, RECORDED_AT
from tests.scenario import BOOK, LONGER, SHORT, opened, usd

DIFFERING = {"moved_at", "moved_by", "parked_at"}

Rows = dict[str, list[tuple[Any, ...]]]

OPERATOR = Principal("op", frozenset({Role.OPERATOR}))


class Clock:
    """A clock that goes on by a second whenever it is read."""

    def __init__(self, start: datetime = RECORDED_AT) -> None:
        self.now = start

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


def make_log(location: Location, clock: Clock | None = None) -> DealLog:
    """A new log that knows the processes of the tests."""
    DealLog.create(location).close()
    log = DealLog.open(location, clock or Clock())
    published = [draft(ProcessPublished(process)) for process in (SHORT, LONGER)]
    log.append([Batch("process:short", 0, published)])
    return log


@contextmanager
def opened_store(location: Location) -> Iterator[tuple[DealLog, Views]]:
    """A new log and its views; closed at the end."""
    log = make_log(location)
    views = open_views(location)
    try:
        yield log, views
    finally:
        views.close()
        log.close()


@contextmanager
def views_beside(location: Location) -> Iterator[Views]:
    """Read models of a store at another place, where there are none yet."""
    name = f"beside_{token_hex(4)}"
    if location.database is None:
        path = location.views.with_name(f"{name}.views.db")
        views: Views = FileViews(path)
    else:
        views = SchemaViews(replace(location.database, schema=name))
    try:
        yield views
    finally:
        views.close()
        if location.database is None:
            for file in path.parent.glob(f"{name}.*"):
                file.unlink()


def generations(views: Views) -> list[int]:
    """The numbers of all generations that there is something of."""
    if isinstance(views, FileViews):
        return views.numbers()
    assert isinstance(views, SchemaViews)
    with connect(views.database) as connection:
        return views.numbers(connection)


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
    """An empty generation that answers."""
    with views.building() as building:
        built = building.start()
        with built.writing() as connection:
            built.make_tables(connection)
            built.make_indexes(connection, metadata.sorted_tables)
        building.replace(building.finished(built))


def project(views: Views, histories: Sequence[Sequence[DealEvent]]) -> None:
    """Replace all rows by those of these deals, as a catch-up would write them."""
    streams, position = [], 0
    for history in histories:
        positions = tuple(range(position + 1, position + 1 + len(history)))
        streams.append(Stream(history[0].stream, tuple(history), positions))
        position += len(history)
    with views.writing() as connection:
        for table in metadata.sorted_tables:
            if table is not identity:
                connection.execute(table.delete())
        store_alone(Writing(views.current(), connection, MODELS, BOOK), streams)
        assert connection.execute(select(parked)).all() == []


def rows_of(views: Views) -> Rows:
    """Every row of every read model, and of the engine, in an order of their own.

    Without what differs each time: when, by whom, and the name of the set of tables.
    """
    with views.reading() as connection:
        return {
            table.name: sorted(map(tuple, connection.execute(_select(table))), key=repr)
            for table in metadata.sorted_tables
            if table is not identity
        }


def _select(table: Table) -> Select[Any]:
    return select(*(column for column in table.columns if column.name not in DIFFERING))


class TailUpTo(Tail):
    """A log as it was when a position was its head."""

    def __init__(self, log: DealLog, head: int) -> None:
        super().__init__(log)
        self._head = head

    def head(self) -> int:
        return self._head

    def places(self, after: int, limit: int) -> list[Place]:
        return super().places(after, max(min(limit, self._head - after), 0))
