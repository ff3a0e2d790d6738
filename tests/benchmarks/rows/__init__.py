"""What is measured, one module for each piece of work."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

from tests.benchmarks.harness import Row, Skipped
from tests.benchmarks.portfolio import deals_of, portfolio
from tests.benchmarks.rows import append, cold_start, command, load, protection, rebuild, snapshot
from tests.benchmarks.stores import Stores
from tests.benchmarks.told import imported, told

SHORT_DEAL, LONG_DEAL = 25, 1_000
COMMANDS = 200
"""Commands in one run."""

TIMED_LOADS = {SHORT_DEAL: 400, LONG_DEAL: 40}
"""Deals loaded in one run, by their length."""


class Subjects:
    """The stores that the rows of one size share, each made when first asked for."""

    def __init__(self, folder: Path, events: int) -> None:
        self.folder = folder
        self.events = events
        folder.mkdir()

    @cached_property
    def mixed(self) -> Stores:
        """Deals of mixed lengths."""
        return Stores(self.folder / "mixed", portfolio(self.events))

    @cached_property
    def daily(self) -> Stores:
        """The same deals in a log of daily use, with the events of all deals mingled."""
        return Stores(self.folder / "daily", portfolio(self.events), deal_by_deal=False)

    @cached_property
    def short(self) -> Stores:
        return self._of(SHORT_DEAL)

    @cached_property
    def long(self) -> Stores:
        return self._of(LONG_DEAL)

    @cached_property
    def commanded(self) -> Stores:
        """Small whatever the size, since every run works on a copy."""
        count = max(1, min(COMMANDS, self.events // SHORT_DEAL))
        return Stores(self.folder / "commanded", deals_of(SHORT_DEAL, count))

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
    "rebuild-deals": lambda subjects: rebuild.deals_alone(subjects.mixed),
    "rebuild-deals-batched": lambda subjects: rebuild.deals_alone_batched(subjects.mixed),
    "snapshot-1": lambda subjects: snapshot.now_known(subjects.mixed, ("stage",)),
    "snapshot-3": lambda subjects: snapshot.now_known(
        subjects.mixed, ("stage", "region", "product")
    ),
    "snapshot-then": lambda subjects: snapshot.then_known(subjects.mixed),
    "cli-version": lambda _: cold_start.version(),
    "cli-deals": lambda subjects: cold_start.deals(subjects.mixed),
}
"""By the name under which a row is chosen."""


def chosen(names: Sequence[str]) -> list[str]:
    """The rows of these names, or else those whose names begin so. Raises ValueError."""
    rows: set[str] = set()
    for name in names:
        found = {name} if name in ROWS else {row for row in ROWS if row.startswith(name)}
        if not name or not found:
            raise ValueError(f"there is no row {name!r}; there are {', '.join(ROWS)}")
        rows |= found
    return [row for row in ROWS if row in rows]
