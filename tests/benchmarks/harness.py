"""Measuring: variants of one piece of work, taken in turns, in one process.

A row is one piece of work done by up to three variants: ours, the raw floor and
the stock eventsourcing library; or ours, with something and without it. In each
round every variant does the work once, beginning with another one each time, so
that what else the machine does falls on all of them. In the first round every
variant also shows, outside the time taken, what it handled; where they differ
there is no result. The first round warms up and is not counted, unless it is the
only one that the time allows. Reported are
medians and the whole spread, and ratios of variants of the same round.
"""

from __future__ import annotations

import gc
import resource
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

import msgspec

from tests.benchmarks.evidence import Evidence

OURS, WITHOUT, FLOOR, STOCK = "ours", "without", "floor", "stock"


class Timer:
    """How long the work inside `running` took by the clock, and of the CPUs, in seconds."""

    seconds = 0.0
    cpu_seconds = 0.0
    """Of this process and those it started and waited for."""

    peak_bytes: int | None = None
    """The most memory held at once, where a variant looks at it."""

    def __init__(self) -> None:
        self.each_seconds: list[float] = []
        """Of single units of work, where a variant takes the time of each."""
        self.notes: list[str] = []
        """What else there is to say of this run, in full sentences."""

    @contextmanager
    def one(self) -> Iterator[None]:
        """Take the time of one unit of work, inside `running`."""
        start = time.perf_counter()
        yield
        self.each_seconds.append(time.perf_counter() - start)

    @contextmanager
    def running(self) -> Iterator[None]:
        # What was made beforehand must not be walked by the collector during the work.
        gc.collect()
        frozen_before = gc.get_freeze_count() > 0
        if not frozen_before:
            gc.freeze()
        cpu_start, start = _cpu_seconds(), time.perf_counter()
        try:
            yield
        finally:
            self.seconds = time.perf_counter() - start
            self.cpu_seconds = _cpu_seconds() - cpu_start
            if not frozen_before:
                gc.unfreeze()


def _cpu_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


Check = Callable[[], Evidence]
Variant = Callable[[Path, Timer], Check]
"""Does the work once, in an empty folder, timed by the timer; answers how to check it."""


class Row(msgspec.Struct, frozen=True):
    """One piece of work. The texts explain, in full sentences, what each variant does."""

    name: str
    """By which it is chosen on the command line."""
    work: str
    unit: str
    """What `units` counts, in the singular."""
    units: int
    """How many of them one run handles."""
    variants: Mapping[str, Variant]
    explained: Mapping[str, str]
    goals: str = ""


class Skipped(msgspec.Struct, frozen=True):
    """A row that cannot be measured here, and why."""

    name: str
    work: str
    reason: str


class Spread(msgspec.Struct, frozen=True):
    """Median, smallest and largest of some measurements."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: list[float]) -> Spread:
        return cls(statistics.median(values), min(values), max(values))


class Result(msgspec.Struct, frozen=True):
    """A measured row. Seconds are of one run, which handles `units` units."""

    name: str
    work: str
    unit: str
    units: int
    log_events: int
    """Size asked for."""
    seconds: dict[str, Spread]
    cpu_seconds: dict[str, Spread]
    """Without what was waited for: the disk, other processes."""
    evidence: dict[str, Evidence]
    share_of_floor: Spread | None
    """Throughput of ours as a share of the floor's."""
    share_of_without: Spread | None
    """Throughput of ours as a share of what it is without something."""
    times_stock: Spread | None
    """How many times the stock library's throughput ours is."""
    p50_seconds: dict[str, float]
    """Of one unit, over all rounds, for the variants that take the time of each."""
    p99_seconds: dict[str, float]
    max_seconds: dict[str, float]
    peak_bytes: dict[str, Spread]
    """The most memory held at once, for the variants that look at it."""
    notes: list[str]
    """Of the last round."""
    explained: dict[str, str]
    goals: str
    rounds: int


class UnequalWork(AssertionError):
    """The variants of a row did not handle the same events."""


class Effort(msgspec.Struct, frozen=True):
    """How much to measure: rounds of each row, fewer where they would take longer than this."""

    rounds: int = 7
    seconds: float = 25.0


Round: TypeAlias = Mapping[str, Timer]
"""The timers of the variants, by name."""


def measure(row: Row, workspace: Path, log_events: int, effort: Effort) -> Result:
    """Take one round to warm up and check, then those that count. Raises UnequalWork."""
    start = time.perf_counter()
    first, evidence = _checked_round(row, workspace)
    counted: list[Round] = []
    while len(counted) < effort.rounds and time.perf_counter() - start < effort.seconds:
        counted.append(_round(row, workspace, len(counted)))
    rounds = counted or [first]
    return Result(
        name=row.name,
        work=row.work,
        unit=row.unit,
        units=row.units,
        log_events=log_events,
        seconds={v: Spread.of([one[v].seconds for one in rounds]) for v in row.variants},
        cpu_seconds={v: Spread.of([one[v].cpu_seconds for one in rounds]) for v in row.variants},
        evidence=evidence,
        share_of_floor=_ratio(rounds, FLOOR),
        share_of_without=_ratio(rounds, WITHOUT),
        times_stock=_ratio(rounds, STOCK),
        p50_seconds=_percentiles(row, rounds, 50),
        p99_seconds=_percentiles(row, rounds, 99),
        max_seconds=_percentiles(row, rounds, 100),
        peak_bytes=_peaks(row, rounds),
        notes=[note for timer in rounds[-1].values() for note in timer.notes],
        explained=dict(row.explained),
        goals=row.goals,
        rounds=len(rounds),
    )


def _percentiles(row: Row, rounds: Sequence[Round], percent: int) -> dict[str, float]:
    taken = {v: sorted(s for one in rounds for s in one[v].each_seconds) for v in row.variants}
    return {v: each[(len(each) - 1) * percent // 100] for v, each in taken.items() if each}


def _peaks(row: Row, rounds: Sequence[Round]) -> dict[str, Spread]:
    held = {v: [one[v].peak_bytes for one in rounds] for v in row.variants}
    return {
        v: Spread.of([float(peak) for peak in peaks if peak is not None])
        for v, peaks in held.items()
        if None not in peaks
    }


def _checked_round(row: Row, workspace: Path) -> tuple[Round, dict[str, Evidence]]:
    timers, evidence = {}, {}
    for name, variant in row.variants.items():
        timers[name] = Timer()
        with TemporaryDirectory(dir=workspace) as folder:
            evidence[name] = variant(Path(folder), timers[name])()
    require_equal(row.name, evidence)
    return timers, evidence


def _round(row: Row, workspace: Path, number: int) -> Round:
    timers = {}
    for name in _in_turn(list(row.variants), number):
        timers[name] = Timer()
        with TemporaryDirectory(dir=workspace) as folder:
            row.variants[name](Path(folder), timers[name])
    return timers


def require_equal(name: str, evidence: Mapping[str, Evidence]) -> None:
    """Raise UnequalWork unless all variants show the same, each as far as it shows it."""
    for what in Evidence.__struct_fields__:
        shown = {
            variant: value
            for variant, one in evidence.items()
            if (value := getattr(one, what)) is not None
        }
        if len(set(shown.values())) > 1:
            raise UnequalWork(f"{name}: the variants differ in {what}: {shown}")


def _in_turn(names: list[str], number: int) -> list[str]:
    start = number % len(names)
    return names[start:] + names[:start]


def _ratio(rounds: Sequence[Round], other: str) -> Spread | None:
    if any(name not in rounds[0] for name in (OURS, other)):
        return None
    return Spread.of([one[other].seconds / one[OURS].seconds for one in rounds])
