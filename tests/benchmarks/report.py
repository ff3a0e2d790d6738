"""What was measured, for the terminal, as JSON, and as the page of the documentation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from textwrap import fill

import msgspec

from tests.benchmarks.harness import FLOOR, OURS, STOCK, WITHOUT, Result, Row, Skipped, Spread
from tests.benchmarks.machine import Machine
from tests.benchmarks.told import encrypted_share


class Report(msgspec.Struct, frozen=True):
    """Everything that one run measured."""

    command: str
    machine: Machine
    results: list[Result]
    skipped: list[Skipped]


_SCALES = ((1.0, "s", 1), (1e-3, "ms", 1e3), (1e-6, "µs", 1e6))


def duration(seconds: float) -> str:
    """Three figures and a unit: `1.23 s`, `12.3 ms`, `123 µs`."""
    for at_least, unit, factor in _SCALES:
        if seconds >= at_least or unit == "µs":
            return f"{_figures(seconds * factor)} {unit}"
    raise AssertionError("the last unit takes everything")


def _figures(value: float) -> str:
    for limit, digits in ((10, 2), (100, 1)):
        if value < limit:
            return f"{value:.{digits}f}"
    return f"{value:,.0f}"


def each(result: Result, variant: str) -> str:
    """The median for one unit of work, and its whole spread."""
    spread = result.seconds[variant]
    median, low, high = (
        duration(seconds / result.units) for seconds in (spread.median, spread.low, spread.high)
    )
    shown = median if result.rounds == 1 else f"{median} ({low} to {high})"
    if variant not in result.p99_seconds:
        return shown
    p50, p99 = result.p50_seconds[variant], result.p99_seconds[variant]
    return f"{shown}, p50 {duration(p50)}, p99 {duration(p99)}"


def ratio(spread: Spread | None) -> str:
    """The median ratio and its whole spread; empty where there is nothing to compare with."""
    if spread is None:
        return ""
    median, low, high = map(_figures, (spread.median, spread.low, spread.high))
    return median if low == high else f"{median} ({low} to {high})"


def described(machine: Machine) -> list[str]:
    """The machine and the versions, one line for each."""
    libraries = ", ".join(f"{name} {version}" for name, version in machine.libraries.items())
    return [
        f"{machine.cpus} CPUs, {machine.cpu}; {machine.system}",
        f"{machine.python}, SQLite {machine.sqlite}, {libraries}",
        f"load average at the start {machine.load_average:.1f}",
        f"one durable commit of a row took {duration(machine.commit_seconds)}",
    ]


def as_text(result: Result) -> str:
    """One measured row, for the terminal."""
    rounds = f"{result.rounds} round{'s' if result.rounds > 1 else ''}"
    head = f"{result.name}: {result.work} ({rounds} of {result.units:,} {_units(result)})"
    return "\n".join(
        [head, *(_variant_line(result, name) for name in result.seconds), _goal(result)]
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


_INTRODUCTION = """\
# Benchmarks

The figures here are those of one run on one machine; only the ratios mean something elsewhere, and
those of work that waits for the disk depend on the disk. Each piece of work is done by up to
three of four variants:

- **ours**, through the interfaces that the product itself uses,
- **the floor**, which is `sqlite3`, `msgspec` and a loop with nothing around them,
- **stock**, the eventsourcing library as its documentation shows it, over an aggregate with
  the same events,
- **without**, the product with something left out, which shows what that costs.

Each variant works on the same events, in one process, and they take turns: one round after the
other, each beginning with another variant. The first round warms up, and is not counted unless it
is the only one that the time allows. In it each variant shows what it handled, outside the time
taken: the number of events, the states the deals came to, and, against the floor, every row
written; rows of the log decrypted and by their length, since encrypted bytes differ from run to
run. Where they differ there is no result. Python's garbage collector is on, and does not walk what
was made beforehand.

Times are medians for one unit of work, with the smallest and largest in brackets. "Of the floor"
is the throughput of ours as a share of the floor's, "of without" of what it is without; "times
stock" is how many times the throughput of the stock library it is. All are medians of the ratios
within a round. The goals are
what the project aims at; nothing in the test suite depends on a time. Where the load average is
above the number of CPUs, others were at work on the machine, and the figures are rough.

The deals are made up, and the same for the same numbers: courses through the key-account process,
with attested criteria, next steps, revisions of the forecast, notes, advances and steps back, won,
lost or open, 6 to 60 events each. Events occur in the order of their versions, since
the stock library has no other order, and nothing is withdrawn. They hold texts, each of which is
encrypted, and no people. What encryption costs is measured with the deals of `dealstate simulate`,
which hold people too: {share:.0%} of their events have encrypted fields, {fields:.2f} fields an
event on average.
"""

_MORE = """\
`make bench` measures anew and prints what it finds, in a few minutes. It runs
`python -m tests.benchmarks.run`, which takes `--events 10000,100000` for other sizes, `--long` for
10,000 and 100,000 events and more rounds, `--only append,load` for some rows, `--json FILE` for the
figures as data, and `--write` to write this page anew.
"""


def as_page(report: Report, rows: Mapping[str, Row]) -> str:
    """The page of the documentation. `rows` explain the results, by name."""
    introduction = _INTRODUCTION.format(**encrypted_share())
    parts = [introduction, _MORE, "## Results\n", f"```sh\n{report.command}\n```\n"]
    parts.append("\n".join(f"- {line}" for line in described(report.machine)) + "\n")
    for events, results in groupby(report.results, key=lambda result: result.log_events):
        parts.append(f"### A log of {events:,} events\n")
        parts.append(_table(list(results)))
    if report.skipped:
        parts.append("### Not measured\n")
        parts.append("\n".join(f"- {row.work}: {row.reason}" for row in report.skipped) + "\n")
    parts.append("## What each row does\n")
    parts += [_explained(row) for row in rows.values()]
    return "\n".join(parts)


_HEAD = (
    *("Work", "Unit", "Ours", "Without", "Floor", "Stock"),
    *("Of without", "Of the floor", "Times stock", "Goal"),
)


def _table(results: Sequence[Result]) -> str:
    lines = [
        (
            f"{result.work} (`{result.name}`)",
            f"{result.unit}, {result.units:,} a round, {result.rounds} counted",
            *(
                each(result, name) if name in result.seconds else ""
                for name in (OURS, WITHOUT, FLOOR, STOCK)
            ),
            ratio(result.share_of_without),
            ratio(result.share_of_floor),
            ratio(result.times_stock),
            result.goals,
        )
        for result in results
    ]
    return "\n".join(map(_line, [_HEAD, ("---",) * len(_HEAD), *lines])) + "\n"


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _explained(row: Row) -> str:
    variants = "\n".join(
        fill(f"- **{name}**: {text}", 100, subsequent_indent="  ", break_on_hyphens=False)
        for name, text in row.explained.items()
    )
    return f"### {row.work} (`{row.name}`)\n\n{variants}\n"
