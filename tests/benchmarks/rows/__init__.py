"""What is measured, one module for each piece of work."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

from store.postgres.address import Database
from tests.benchmarks.harness import Row, Skipped
from tests.benchmarks.lost import LostDeals
from tests.benchmarks.periods import EVENTS_OF_A_DEAL
from tests.benchmarks.portfolio import Unheld, deals_of, portfolio
from tests.benchmarks.postgres_copies import PostgresCopies
from tests.benchmarks.postgres_stores import FindServer, PostgresStores
from tests.benchmarks.rows import (
    append,
    as_of,
    cold_start,
    command,
    http,
    lag,
    load,
    memory,
    pipelines,
    postgres,
    protection,
    rebuild,
    reviews,
    snapshot,
)
from tests.benchmarks.stores import Stores
from tests.benchmarks.told import imported, told

SHORT_DEAL, LONG_DEAL = 25, 1_000
COMMANDS = 200
"""Commands in one run."""
LAG_SECONDS = 30
REPLAYED = 300
"""Events of the deal that is replayed."""
LEARNED_FROM = 150
LEAST_LEARNED = 100
"""So many decided deals make a model of the estimate; see `projections.cohort`."""
LOST, MANY_LOST = 100, 1_000
"""Lost deals that post-mortems are made of."""

REQUESTS = 1_000
"""Over HTTP in one run."""

TIMED_LOADS = {SHORT_DEAL: 400, LONG_DEAL: 40}
"""Deals loaded in one run, by their length."""


class Subjects:
    """The stores that the rows of one size share, each made when first asked for."""

    def __init__(self, folder: Path, events: int, server: FindServer) -> None:
        self.folder = folder
        self.events = events
        self._server = server
        folder.mkdir(parents=True, exist_ok=True)

    @cached_property
    def mixed(self) -> Stores:
        """Deals of mixed lengths."""
        return Stores(self.folder / "mixed", Unheld(self.events), events=self.events)

    @cached_property
    def daily(self) -> Stores:
        """The same deals in a log of daily use, with the events of all deals mingled."""
        return Stores(
            self.folder / "daily", Unheld(self.events), events=self.events, deal_by_deal=False
        )

    @cached_property
    def on_postgres(self) -> PostgresStores:
        """The deals of mixed lengths on PostgreSQL."""
        return PostgresStores(self.mixed, self._server)

    @cached_property
    def short(self) -> Stores:
        return self._of(SHORT_DEAL)

    @cached_property
    def short_on_postgres(self) -> PostgresStores:
        return PostgresStores(self.short, self._server)

    @cached_property
    def long(self) -> Stores:
        return self._of(LONG_DEAL)

    @cached_property
    def commanded(self) -> Stores:
        """Small whatever the size, since every run works on a copy."""
        count = max(1, min(COMMANDS, self.events // SHORT_DEAL))
        return Stores(self.folder / "commanded", deals_of(SHORT_DEAL, count))

    @cached_property
    def mixed_copies(self) -> PostgresCopies:
        """Deals of mixed lengths on PostgreSQL, to be written to."""
        return PostgresCopies(self.folder / "mixed-copies", portfolio(self.events), self._server)

    @cached_property
    def commanded_copies(self) -> PostgresCopies:
        """As `commanded`, on PostgreSQL."""
        deals = list(self.commanded.deals)
        return PostgresCopies(self.folder / "commanded-copies", deals, self._server)

    @cached_property
    def served(self) -> PostgresCopies:
        """Databases on PostgreSQL that a server is asked for, empty at first."""
        return PostgresCopies(self.folder / "served", [], self._server)

    @cached_property
    def periods(self) -> as_of.Remembered:
        """Deal periods of many deals, made anew in each run."""
        return self._periods("as-of", None)

    @cached_property
    def periods_on_postgres(self) -> as_of.Remembered:
        made = self._periods("as-of-on-postgres", self._server())
        made.drop()
        return made

    def _periods(self, name: str, beside: Database | None) -> as_of.Remembered:
        folder = self.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        return as_of.Remembered(folder, max(1, self.events // EVENTS_OF_A_DEAL), beside)

    @cached_property
    def learned(self) -> reviews.Learned:
        """A long deal, with models of others; of fewer where there is hardly a log."""
        if self.events >= 10_000:
            return reviews.Learned(REPLAYED, LEARNED_FROM, LEAST_LEARNED)
        return reviews.Learned(REPLAYED, 60, 10)

    @cached_property
    def lost(self) -> LostDeals:
        return self._lost(LOST)

    @cached_property
    def many_lost(self) -> LostDeals:
        return self._lost(MANY_LOST)

    def _lost(self, wanted: int) -> LostDeals:
        """At most one for every ten events of the log."""
        return LostDeals(self.folder / f"lost-{wanted}", min(wanted, self.events // 10))

    @property
    def lag_seconds(self) -> int:
        """So long lag is measured; shorter where there is hardly a log."""
        return LAG_SECONDS if self.events >= 10_000 else 1

    @property
    def requests(self) -> int:
        """So many are sent over HTTP in one run."""
        return REQUESTS if self.events >= 10_000 else 20

    def drop(self) -> None:
        """Remove the databases, where any were made."""
        for name in (
            *("on_postgres", "short_on_postgres", "mixed_copies", "commanded_copies"),
            *("periods_on_postgres", "served"),
        ):
            if name in vars(self):
                getattr(self, name).drop()

    @cached_property
    def told(self) -> Stores:
        """Deals that hold people."""
        return Stores(self.folder / "told", told(self.events))

    @cached_property
    def imported(self) -> Stores:
        """Deals without people and texts."""
        return Stores(self.folder / "imported", imported(self.events))

    def _of(self, length: int) -> Stores:
        deals = deals_of(length, max(1, self.events // length))
        return Stores(self.folder / f"of-{length}", deals)


Build: TypeAlias = Callable[[Subjects], Row | Skipped]

ROWS: Mapping[str, Build] = {
    "append": lambda subjects: append.bulk_append(subjects.mixed),
    "append-sealed": lambda subjects: protection.append_sealed(subjects.told),
    "append-imported": lambda subjects: protection.append_imported(subjects.imported),
    "leaves": lambda subjects: protection.leaves(subjects.told),
    "command-warm": lambda subjects: command.command(subjects.commanded, warm=True),
    "command-cold": lambda subjects: command.command(subjects.commanded, warm=False),
    "pg-append": lambda subjects: postgres.bulk_append(subjects.mixed_copies),
    "pg-command-warm": lambda subjects: postgres.command(subjects.commanded_copies, warm=True),
    "pg-command-cold": lambda subjects: postgres.command(subjects.commanded_copies, warm=False),
    "pg-writers-8": lambda subjects: postgres.writers(subjects.commanded_copies, processes=False),
    "pg-writers-8-processes": lambda subjects: postgres.writers(
        subjects.commanded_copies, processes=True
    ),
    "load-25": lambda subjects: load.load(subjects.short, SHORT_DEAL, TIMED_LOADS[SHORT_DEAL]),
    "load-1000": lambda subjects: load.load(subjects.long, LONG_DEAL, TIMED_LOADS[LONG_DEAL]),
    "load-sealed": lambda subjects: protection.load_sealed(subjects.told, public=False),
    "load-public": lambda subjects: protection.load_sealed(subjects.told, public=True),
    "receipt": lambda subjects: protection.receipts(
        subjects.folder, min(100 * subjects.events, protection.MILLION)
    ),
    "fsck": lambda subjects: protection.fsck(subjects.told, fields=False),
    "fsck-fields": lambda subjects: protection.fsck(subjects.told, fields=True),
    "rebuild-all": lambda subjects: rebuild.all_models(subjects.mixed),
    "rebuild-all-daily": lambda subjects: rebuild.all_models(subjects.daily),
    "rebuild-all-2": lambda subjects: rebuild.two_workers(subjects.mixed),
    "pg-rebuild-all": lambda subjects: rebuild.on_postgres(subjects.on_postgres),
    "pg-rebuild-all-2": lambda subjects: rebuild.two_workers_on_postgres(subjects.on_postgres),
    "rebuild-deals": lambda subjects: rebuild.deals_alone(subjects.mixed),
    "rebuild-deals-batched": lambda subjects: rebuild.deals_alone_batched(subjects.mixed),
    "snapshot-1": lambda subjects: snapshot.now_known(subjects.mixed, ("stage",)),
    "snapshot-3": lambda subjects: snapshot.now_known(
        subjects.mixed, ("stage", "region", "product")
    ),
    "snapshot-then": lambda subjects: snapshot.then_known(subjects.mixed),
    "as-of-1": lambda subjects: as_of.now_known(subjects.periods, ("stage",)),
    "as-of-3": lambda subjects: as_of.now_known(subjects.periods, as_of.THREE),
    "as-of-then": lambda subjects: as_of.then_known(subjects.periods),
    "pg-as-of-1": lambda subjects: as_of.now_known(subjects.periods_on_postgres, ("stage",)),
    "pg-as-of-3": lambda subjects: as_of.now_known(subjects.periods_on_postgres, as_of.THREE),
    "pg-as-of-then": lambda subjects: as_of.then_known(subjects.periods_on_postgres),
    "pipeline-snapshot": lambda subjects: pipelines.snapshots(subjects.periods),
    "pipeline-waterfall": lambda subjects: pipelines.waterfalls(subjects.periods),
    "pipeline-figures": lambda subjects: pipelines.figures(subjects.periods),
    "pg-pipeline-snapshot": lambda subjects: pipelines.snapshots(subjects.periods_on_postgres),
    "pg-pipeline-waterfall": lambda subjects: pipelines.waterfalls(subjects.periods_on_postgres),
    "pg-pipeline-figures": lambda subjects: pipelines.figures(subjects.periods_on_postgres),
    "replay-300": lambda subjects: reviews.replay(subjects.learned),
    "postmortems-100": lambda subjects: reviews.postmortems(subjects.lost, LOST),
    "postmortems-1000": lambda subjects: reviews.postmortems(subjects.many_lost, MANY_LOST),
    "charts": lambda subjects: reviews.charts(subjects.lost),
    "lag": lambda subjects: lag.on_sqlite(subjects.short, subjects.lag_seconds),
    "pg-lag": lambda subjects: lag.on_postgres(subjects.short_on_postgres, subjects.lag_seconds),
    "memory-rebuild": lambda subjects: memory.memory(subjects.mixed, "rebuild"),
    "memory-scan": lambda subjects: memory.memory(subjects.mixed, "scan"),
    "http-read": lambda subjects: http.read(subjects.requests),
    "http-write": lambda subjects: http.write(subjects.requests),
    "pg-http-read": lambda subjects: http.read(subjects.requests, subjects.served),
    "pg-http-write": lambda subjects: http.write(subjects.requests, subjects.served),
    "http-read-50": lambda subjects: http.read(subjects.requests // 2, per_second=http.PER_SECOND),
    "http-write-50": lambda subjects: http.write(
        subjects.requests // 2, per_second=http.PER_SECOND
    ),
    "pg-http-read-50": lambda subjects: http.read(
        subjects.requests // 2, subjects.served, http.PER_SECOND
    ),
    "pg-http-write-50": lambda subjects: http.write(
        subjects.requests // 2, subjects.served, http.PER_SECOND
    ),
    "cli-version": lambda _: cold_start.version(),
    "cli-deals": lambda subjects: cold_start.deals(subjects.mixed),
}
"""By the name under which a row is chosen."""

SCALED = (
    *("append", "load-25", "rebuild-all", "rebuild-all-2", "pg-rebuild-all", "pg-rebuild-all-2"),
    *("snapshot-1", "snapshot-3", "snapshot-then", "memory-rebuild", "memory-scan"),
    *("as-of-1", "as-of-3", "as-of-then", "pg-as-of-1", "pg-as-of-3", "pg-as-of-then"),
)
"""Rows that are measured on a log of a million events too."""

LARGER = (
    *("append", "rebuild-all", "rebuild-all-2", "pg-rebuild-all", "pg-rebuild-all-2"),
    *("snapshot-1", "as-of-1", "pg-as-of-1", "memory-rebuild", "memory-scan"),
)
"""Those of them that are always measured on a log of 100,000 events."""

LONGER = ("postmortems-1000",)
"""Rows that take too long for every run, whatever the log."""

MANY_DEALS = (
    *("pipeline-snapshot", "pipeline-waterfall", "pipeline-figures"),
    *("pg-pipeline-snapshot", "pg-pipeline-waterfall", "pg-pipeline-figures"),
)
"""Rows that are always measured over a million deals: these are made fast, without a log."""

HUGE = (
    *("memory-rebuild", "memory-scan"),
    *("as-of-1", "as-of-3", "as-of-then", "pg-as-of-1", "pg-as-of-3", "pg-as-of-then"),
)
"""Rows that are measured on the largest log when asked for."""


def chosen(names: Sequence[str]) -> list[str]:
    """The rows of these names, or else those whose names begin so. Raises ValueError."""
    rows: set[str] = set()
    for name in names:
        found = {name} if name in ROWS else {row for row in ROWS if row.startswith(name)}
        if not name or not found:
            raise ValueError(f"there is no row {name!r}; there are {', '.join(ROWS)}")
        rows |= found
    return [row for row in ROWS if row in rows]
