"""Results made up for the tests of what is written about results."""

from __future__ import annotations

from tests.benchmarks.harness import OURS, Result, Spread
from tests.benchmarks.machine import Machine
from tests.benchmarks.report import Run

MACHINE = Machine("Some CPU", 2, "Linux", "CPython", "3.40", {"msgspec": "0.22"}, 0.4, 0.0003)


def spread(value: float | None) -> Spread | None:
    return None if value is None else Spread(value, value / 2, value * 2)


def result(
    name: str,
    events: int = 10_000,
    *,
    seconds: float = 1.0,
    floor: float | None = None,
    without: float | None = None,
    stock: float | None = None,
    p99: float | None = None,
    peak: float | None = None,
) -> Result:
    """A row of 1,000 units."""
    held = spread(peak)
    return Result(
        name=name,
        work=f"Work of {name}",
        unit="event",
        units=1_000,
        log_events=events,
        seconds={OURS: Spread(seconds, seconds / 2, seconds * 2)},
        cpu_seconds={OURS: Spread(seconds, seconds, seconds)},
        evidence={},
        share_of_floor=spread(floor),
        share_of_without=spread(without),
        times_stock=spread(stock),
        p50_seconds={} if p99 is None else {OURS: p99 / 2},
        p99_seconds={} if p99 is None else {OURS: p99},
        max_seconds={} if p99 is None else {OURS: p99 * 2},
        peak_bytes={} if held is None else {OURS: held},
        notes=["Nothing was late."] if p99 else [],
        explained={OURS: f"Does {name}."},
        goals="",
        rounds=3,
    )


def run(command: str, *results: Result) -> Run:
    return Run(command, MACHINE, list(results), [])
