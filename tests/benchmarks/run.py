"""Measure the speed of dealstate against the raw floor and the stock eventsourcing library.

python -m tests.benchmarks.run --events 10000,100000 --only append,load
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from tests.benchmarks.harness import Effort, Row, Skipped, measure
from tests.benchmarks.machine import this_machine
from tests.benchmarks.report import Report, as_page, as_text, described
from tests.benchmarks.rows import ROWS, Subjects, chosen

EVENTS, LONG_EVENTS = [10_000], [10_000, 100_000]
EFFORT, LONG_EFFORT = Effort(rounds=7, seconds=15), Effort(rounds=15, seconds=180)
PAGE = Path("docs/benchmarks.md")


def main(arguments: Sequence[str]) -> None:
    """Measure what the arguments ask for, and print it row by row."""
    options = _options(arguments)
    effort = LONG_EFFORT if options.long else EFFORT
    if options.rounds:
        effort = msgspec.structs.replace(effort, rounds=options.rounds)
    command = shlex.join(["python", "-m", "tests.benchmarks.run", *arguments])
    with TemporaryDirectory(prefix="dealstate-bench-", dir=options.folder) as folder:
        machine = this_machine(Path(folder))
        print(f"$ {command}", *described(machine), sep="\n")
        report = Report(command, machine, [], [])
        rows: dict[str, Row] = {}
        for events in options.events or (LONG_EVENTS if options.long else EVENTS):
            print(f"\nA log of {events:,} events", flush=True)
            subjects = Subjects(Path(folder) / str(events), events)
            for row in measured(report, subjects, options.only, effort):
                rows[row.name] = row
    if options.json is not None:
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(report)))
    if options.write is not None:
        options.write.write_text(as_page(report, rows), encoding="utf-8")


def measured(report: Report, subjects: Subjects, names: Sequence[str], effort: Effort) -> list[Row]:
    """Measure rows of one size into the report, printing each; answers those measured."""
    rows = []
    for name in names:
        match ROWS[name](subjects):
            case Skipped() as row:
                report.skipped.append(row)
                print(f"\n{name}: not measured. {row.reason}", flush=True)
            case Row() as row:
                rows.append(row)
                result = measure(row, subjects.folder, subjects.events, effort)
                report.results.append(result)
                print(f"\n{as_text(result)}", flush=True)
    return rows


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.run", description=(__doc__ or "").partition("\n")[0]
    )
    add = parser.add_argument
    add("--events", type=_sizes, metavar="N,N", help="sizes of the log, 10000 without")
    add("--long", action="store_true", help="10,000 and 100,000 events, and more rounds of each")
    add("--only", type=_names, default=list(ROWS), metavar="ROW,ROW", help=", ".join(ROWS))
    add("--rounds", type=int, help="rounds of each row, fewer where they take too long")
    add("--folder", type=Path, help="where to make the stores; on the disk to be measured")
    add("--json", type=Path, metavar="FILE", help="write the figures as JSON")
    add("--write", type=Path, nargs="?", const=PAGE, metavar="FILE", help=f"write {PAGE} anew")
    options = parser.parse_args(arguments)
    if options.write is not None and options.only != list(ROWS):
        parser.error("the page shows all rows: leave out --only, or --write")
    return options


def _sizes(text: str) -> list[int]:
    sizes = [int(size) for size in text.replace("_", "").split(",")]
    if min(sizes) < 1:
        raise argparse.ArgumentTypeError("a log to measure has at least one event")
    return sizes


def _names(text: str) -> list[str]:
    try:
        return chosen(text.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


if __name__ == "__main__":
    main(sys.argv[1:])
