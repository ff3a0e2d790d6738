"""What was measured, for the terminal and as data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from tests.benchmarks.figures import duration, megabytes, ratio
from tests.benchmarks.harness import FLOOR, STOCK, WITHOUT, Result, Skipped
from tests.benchmarks.machine import Machine


class Run(msgspec.Struct, frozen=True):
    """Everything that one run measured."""

    command: str
    machine: Machine
    results: list[Result]
    skipped: list[Skipped]


class Report(msgspec.Struct, frozen=True):
    """Runs on one machine, the first one first."""

    runs: list[Run]

    @property
    def results(self) -> list[Result]:
        return [result for run in self.runs for result in run.results]


def read(path: Path) -> Report:
    """What earlier runs have left in a file; nothing where there is none."""
    if not path.exists():
        return Report([])
    return msgspec.json.decode(path.read_bytes(), type=Report)


def write(path: Path, report: Report) -> None:
    """Keep a report in a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(report)) + b"\n")


def joined(earlier: Report, run: Run) -> Report:
    """The report with one more run, whose results take the place of earlier ones of their rows."""
    anew = {(result.name, result.log_events) for result in run.results}
    named = {name for name, _ in anew} | {row.name for row in run.skipped}
    kept = [
        msgspec.structs.replace(
            one,
            results=[r for r in one.results if (r.name, r.log_events) not in anew],
            skipped=[row for row in one.skipped if row.name not in named],
        )
        for one in earlier.runs
    ]
    return Report([one for one in (*kept, run) if one.results or one.skipped])


def each(result: Result, variant: str) -> str:
    """The median for one unit of work, its whole spread, and what else is known of single ones."""
    spread = result.seconds[variant]
    median, low, high = (
        duration(seconds / result.units) for seconds in (spread.median, spread.low, spread.high)
    )
    shown = [median if result.rounds == 1 else f"{median} ({low} to {high})"]
    for name, seconds in (
        ("p50", result.p50_seconds),
        ("p99", result.p99_seconds),
        ("max", result.max_seconds),
    ):
        if variant in seconds:
            shown.append(f"{name} {duration(seconds[variant])}")
    if variant in result.peak_bytes:
        shown.append(f"at most {megabytes(result.peak_bytes[variant].high)} of memory")
    return ", ".join(shown)


def described(machine: Machine) -> list[str]:
    """The machine and the versions, one line for each."""
    libraries = ", ".join(f"{name} {version}" for name, version in machine.libraries.items())
    return [
        f"{machine.cpus} CPUs, {machine.cpu}; {machine.system}",
        f"{machine.python}, SQLite {machine.sqlite}, {libraries}",
        stand(machine),
    ]


def stand(machine: Machine) -> str:
    """What differs from run to run on one machine."""
    commit = duration(machine.commit_seconds)
    return (
        f"load average at the start {machine.load_average:.1f}; "
        f"one durable commit of a row took {commit}"
    )


def as_text(result: Result) -> str:
    """One measured row, for the terminal."""
    rounds = f"{result.rounds} round{'s' if result.rounds > 1 else ''}"
    head = f"{result.name}: {result.work} ({rounds} of {result.units:,} {_units(result)})"
    return "\n".join(
        [
            head,
            *(_variant_line(result, name) for name in result.seconds),
            *(f"    {note}" for note in result.notes),
            _goal(result),
        ]
    )


def _variant_line(result: Result, name: str) -> str:
    compared = {
        WITHOUT: f"ours has {ratio(result.share_of_without)} of its throughput",
        FLOOR: f"ours has {ratio(result.share_of_floor)} of its throughput",
        STOCK: f"ours has {ratio(result.times_stock)} times its throughput",
    }
    cpu = f"CPU {duration(result.cpu_seconds[name].median / result.units)}"
    return f"    {name:8}{each(result, name):36} {cpu:17}{compared.get(name, '')}".rstrip()


def _goal(result: Result) -> str:
    return f"    goal  {result.goals or 'none'}; times are for one {result.unit}"


def _units(result: Result) -> str:
    return result.unit if result.units == 1 else f"{result.unit}s"


def sizes(results: Sequence[Result]) -> list[int]:
    """The sizes of logs that were measured, in order."""
    return sorted({result.log_events for result in results})
