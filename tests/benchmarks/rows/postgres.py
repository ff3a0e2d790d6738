"""Appends and commands on PostgreSQL, by one writer and by eight."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Barrier
from typing import Any, TypeAlias
from uuid import UUID

import msgspec
from msgspec.structs import replace

from domain.values import Money
from store.postgres.address import Database
from store.postgres.connections import connect
from store.postgres.statements import COPIED_TYPES, COPY
from store.recorder import Row as StoredRow
from tests.benchmarks.harness import FLOOR, OURS, STOCK, Check, Row, Timer
from tests.benchmarks.portfolio import MadeDeal
from tests.benchmarks.postgres_copies import (
    STOCK_EVENTS_PER_SAVE,
    PostgresCopies,
    create_log,
    floor_evidence,
    open_log,
    open_stock,
    our_evidence,
    save,
    stock_evidence,
)
from tests.benchmarks.rows.command import WARM_AGGREGATES, Revision
from tests.benchmarks.stock import stock_events, stock_values
from tests.benchmarks.stores import PER_TRANSACTION, get

WRITERS = 8
REVISIONS = 4
"""Of each deal by its writer, where there are several."""

PATIENCE_SECONDS = 120

_INSERT = "INSERT INTO stored_events VALUES (%b, %b, %b, %b, %b)"

Positioned: TypeAlias = tuple[int, str, int, str, bytes]
Work: TypeAlias = Callable[[], None]

_SERVER = (
    "A server on the same machine that syncs to its disk, over a local socket, with its own "
    "settings. "
)
_APPEND_EXPLAINED = {
    OURS: _SERVER + "`DealLog.append` of drafts that an importer would hand over, as in `append`, "
    "written by binary `COPY`, with leaves and tiles, and told to whoever waits. One transaction "
    f"for each group of deals with at least {PER_TRANSACTION:,} events.",
    FLOOR: "psycopg's binary `COPY` of the same rows, positions and bytes ready, into the same "
    "table and indexes, in the same transactions. It encodes, encrypts, checks and hashes nothing.",
    STOCK: "`Application.save` of equivalent events, made beforehand, with the library's JSON "
    f"transcoder and PostgreSQL recorder, {STOCK_EVENTS_PER_SAVE} at once, since it has hung with "
    "more.",
}
_OURS = (
    "`DealLog.handle` of one `revise-forecast`, as in `command-warm`: is the command id known, the "
    "history, the decision with its gates and rights, the bytes and their check, the encryption; "
    "one row for the event, one for its leaf and one for the command, told to whoever waits, one "
    "commit. "
)
_FLOOR = (
    "The same event's row, its position and bytes ready, by one prepared `INSERT` that is "
    "committed by itself. It reads nothing, decides nothing, keeps no row for the command, and "
    "gives no order. "
)
_STOCK = "Load the aggregate, let it revise its forecast, save it: one event, one commit. "
_COMMAND_EXPLAINED = {
    False: {
        OURS: _SERVER + _OURS + "The history is read from the log.",
        FLOOR: _FLOOR,
        STOCK: _STOCK + "No cache, as is the library's default.",
    },
    True: {
        OURS: _SERVER + _OURS + "The history is in memory; only newer events are asked for.",
        FLOOR: _FLOOR,
        STOCK: _STOCK + "The library's cache of aggregates is on and filled.",
    },
}
_GOALS = {False: "≥ 0.3 of the floor, ≥ 3 × stock", True: "≥ 0.6 of the floor, ≥ 3 × stock"}
_TOGETHER = {
    False: "Eight threads of one process, each with deals of its own. ",
    True: "Eight processes, each with deals of its own; started and connected beforehand. ",
}


def bulk_append(stores: PostgresCopies) -> Row:
    """The row; every run fills a new database."""
    groups = stores.groups
    batches = [[deal.batch for deal in group] for group in groups]
    events = [[event for deal in group for event in stock_events(deal)] for group in groups]
    rows = _placed(_rows(stores.log, stores.deals), 0)

    def ours(folder: Path, timer: Timer) -> Check:
        database = stores.empty(folder)
        with closing(create_log(database)) as log, timer.running():
            for group in batches:
                log.append(group)
        return lambda: our_evidence(database, stores.deals)

    def floor(folder: Path, timer: Timer) -> Check:
        database = stores.empty(folder)
        create_log(database).close()
        with connect(database) as connection, timer.running():
            start = 0
            for group in batches:
                count = sum(len(batch.drafts) for batch in group)
                with connection.cursor() as cursor, cursor.copy(COPY) as copy:
                    copy.set_types(COPIED_TYPES)
                    for row in rows[start : start + count]:
                        copy.write_row(row)
                start += count
        return lambda: floor_evidence(database, stores.deals, stores.log)

    def stock(folder: Path, timer: Timer) -> Check:
        database = stores.empty(folder)
        with closing(open_stock(database)) as app, timer.running():
            save(app, events)
        return lambda: stock_evidence(database, stores.deals)

    return Row(
        name="pg-append",
        work="Bulk append of imported events on PostgreSQL, one process",
        unit="event",
        units=stores.events,
        variants={OURS: ours, FLOOR: floor, STOCK: stock},
        explained=_APPEND_EXPLAINED,
        goals="≥ 0.5 of the floor",
    )


def command(stores: PostgresCopies, *, warm: bool) -> Row:
    """The row of one writer; every run works on a copy of the stores."""
    revisions = [Revision.of(deal) for deal in stores.deals]
    rows = _stored(stores, revisions)
    commands = [_stock_command(one) for one in revisions]

    def ours(folder: Path, timer: Timer) -> Check:
        database = stores.copy(stores.log, folder)
        with closing(open_log(database)) as log:
            if warm:
                for revision in revisions:
                    log.history(revision.deal.deal_id)
            log.organisation()
            with timer.running():
                for revision in revisions:
                    log.handle(revision.deal.deal_id, revision.command, revision.intent)
        return lambda: our_evidence(database, stores.deals)

    def floor(folder: Path, timer: Timer) -> Check:
        database = stores.copy(stores.log, folder)
        with _inserting(database, rows) as insert, timer.running():
            insert()
        return lambda: floor_evidence(database, stores.deals, stores.log)

    def stock(folder: Path, timer: Timer) -> Check:
        database = stores.copy(stores.stock, folder)
        with closing(open_stock(database, WARM_AGGREGATES if warm else 0)) as app:
            for revision in revisions if warm else ():
                get(app, revision.deal.deal_id)
            with timer.running():
                for deal_id, revised in commands:
                    app.revise_forecast(deal_id, revised)
        return lambda: stock_evidence(database, stores.deals)

    return Row(
        name="pg-command-warm" if warm else "pg-command-cold",
        work="One durable command on PostgreSQL, its deal "
        + ("in memory" if warm else "not in memory"),
        unit="command",
        units=len(revisions),
        variants={OURS: ours, FLOOR: floor, STOCK: stock},
        explained=_COMMAND_EXPLAINED[warm],
        goals=_GOALS[warm],
    )


def writers(stores: PostgresCopies, *, processes: bool) -> Row:
    """The row of eight writers; every run works on a copy of the stores."""
    shares = [_revisions(stores.deals[number::WRITERS]) for number in range(WRITERS)]
    rows = _stored(stores, [one for share in shares for one in share])
    inserted = [rows[sum(map(len, shares[:at])) :][: len(share)] for at, share in enumerate(shares)]
    commands = [[_stock_command(one) for one in share] for share in shares]
    given = [[(one.deal.deal_id, one.command, one.intent) for one in share] for share in shares]
    together = _by_processes if processes else _by_threads

    def ours(folder: Path, timer: Timer) -> Check:
        database = stores.copy(stores.log, folder)
        together([_Handling(database, share) for share in given], timer)
        return lambda: our_evidence(database, stores.deals)

    def floor(folder: Path, timer: Timer) -> Check:
        database = stores.copy(stores.log, folder)
        together([_Inserting(database, share) for share in inserted], timer)
        return lambda: floor_evidence(database, stores.deals, stores.log)

    def stock(folder: Path, timer: Timer) -> Check:
        database = stores.copy(stores.stock, folder)
        together([_Saving(database, share) for share in commands], timer)
        return lambda: stock_evidence(database, stores.deals)

    told = _TOGETHER[processes]
    return Row(
        name="pg-writers-8-processes" if processes else "pg-writers-8",
        work="Commands of eight writers on PostgreSQL, distinct deals, "
        + ("eight processes" if processes else "one process"),
        unit="command",
        units=sum(map(len, shares)),
        variants={OURS: ours, FLOOR: floor, STOCK: stock},
        explained={
            OURS: _SERVER + told + _OURS + "A history is read once, then in memory.",
            FLOOR: told + "Each has a connection of its own. " + _FLOOR,
            STOCK: told + _STOCK + "No cache, as is the library's default.",
        },
        goals="≥ 0.3 of the floor, ≥ 3 × stock",
    )


def _revisions(deals: Sequence[MadeDeal]) -> list[Revision]:
    """Some revisions of each deal, no two of one deal one after the other."""
    return [_revision(deal, number) for number in range(REVISIONS) for deal in deals]


def _revision(deal: MadeDeal, number: int) -> Revision:
    first = Revision.of(deal)
    amount, close = Money.parse(f"{1_000_000 + number}.89", "EUR"), first.command.expected_close
    assert isinstance(close, date)
    changed = {"amount": amount, "expected_close": close + timedelta(days=number)}
    command_id = f"revise/{deal.deal_id}/{number}"
    return Revision(
        deal,
        replace(first.command, **changed),
        replace(first.intent, command_id=command_id),
        replace(
            first.event,
            version=first.event.version + number,
            fact=replace(first.event.fact, **changed),
            command_id=command_id,
            correlation_id=command_id,
        ),
    )


def _stock_command(revision: Revision) -> tuple[UUID, dict[str, Any]]:
    return UUID(revision.deal.deal_id), stock_values(revision.event)


def _rows(database: Database, deals: Sequence[MadeDeal]) -> list[StoredRow]:
    """The rows of some deals, deal after deal."""
    with closing(open_log(database)) as log:
        return [row for deal in deals for row in log.records.rows(deal.stream)]


def _placed(rows: Sequence[StoredRow], behind: int) -> list[Positioned]:
    return [(position, *row) for position, row in enumerate(rows, start=behind + 1)]


def _stored(stores: PostgresCopies, revisions: Sequence[Revision]) -> list[Positioned]:
    """The rows that our log stores for the commands, in their order."""
    with (
        TemporaryDirectory(dir=stores.folder) as folder,
        closing(open_log(stores.copy(stores.log, Path(folder)))) as log,
    ):
        for one in revisions:
            log.handle(one.deal.deal_id, one.command, one.intent)
        return log.records.feed(stores.events, len(revisions))


# Writers: each is made ready, in a thread or process of its own, and then works.


class _Handling(msgspec.Struct, frozen=True):
    """Gives commands to a log of ours."""

    database: Database
    commands: Sequence[tuple[Any, ...]]

    @contextmanager
    def ready(self, log: Any = None) -> Iterator[Work]:
        with ExitStack() as opened:
            used = log or opened.enter_context(closing(open_log(self.database)))
            used.organisation()

            def work() -> None:
                for deal_id, given, intent in self.commands:
                    used.handle(deal_id, given, intent)

            yield work

    def shared(self) -> AbstractContextManager[Any]:
        return closing(open_log(self.database))


class _Inserting(msgspec.Struct, frozen=True):
    """Inserts rows, each by itself."""

    database: Database
    rows: Sequence[Positioned]

    def ready(self, _: object = None) -> AbstractContextManager[Work]:
        return _inserting(self.database, self.rows)

    def shared(self) -> AbstractContextManager[Any]:
        return ExitStack()


class _Saving(msgspec.Struct, frozen=True):
    """Gives commands to the stock library."""

    database: Database
    commands: Sequence[tuple[UUID, dict[str, Any]]]

    @contextmanager
    def ready(self, app: Any = None) -> Iterator[Work]:
        with ExitStack() as opened:
            used = app or opened.enter_context(self.shared())

            def work() -> None:
                for deal_id, revised in self.commands:
                    used.revise_forecast(deal_id, revised)

            yield work

    def shared(self) -> AbstractContextManager[Any]:
        return closing(open_stock(self.database, create=False))


_Writer: TypeAlias = _Handling | _Inserting | _Saving


@contextmanager
def _inserting(database: Database, rows: Sequence[Positioned]) -> Iterator[Work]:
    with connect(database) as connection, connection.cursor() as cursor:

        def work() -> None:
            for row in rows:
                cursor.execute(_INSERT, row)

        yield work


def _by_threads(some: Sequence[_Writer], timer: Timer) -> None:
    """Let all of them work at the same time, in threads that share what is opened once."""
    start, end = Barrier(len(some) + 1), Barrier(len(some) + 1)
    with some[0].shared() as shared, ThreadPoolExecutor(len(some)) as threads:
        running = [threads.submit(_work, one, start, end, shared) for one in some]
        _time(timer, start, end)
        for one in running:
            one.result()


def _by_processes(some: Sequence[_Writer], timer: Timer) -> None:
    """Let all of them work at the same time, in processes that are ready beforehand."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    start, end = context.Barrier(len(some) + 1), context.Barrier(len(some) + 1)
    running = [context.Process(target=_work, args=(one, start, end)) for one in some]
    for process in running:
        process.start()
    try:
        _time(timer, start, end)
    finally:
        for process in running:
            process.join()
    assert [process.exitcode for process in running] == [0] * len(running)


def _time(timer: Timer, start: Any, end: Any) -> None:
    start.wait(PATIENCE_SECONDS)
    with timer.running():
        start.wait(PATIENCE_SECONDS)
        end.wait(PATIENCE_SECONDS)


def _work(one: _Writer, start: Any, end: Any, shared: Any = None) -> None:
    """Twice at the start: once ready, and once more when the clock runs."""
    try:
        with one.ready(shared) as work:
            start.wait(PATIENCE_SECONDS)
            start.wait(PATIENCE_SECONDS)
            work()
            end.wait(PATIENCE_SECONDS)
    except BaseException:
        start.abort()
        end.abort()
        raise
