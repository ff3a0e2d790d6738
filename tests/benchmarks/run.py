"""Measure the speed of dealstate against the raw floor and the stock eventsourcing library.

python -m tests.benchmarks --events 10000,100000 --only append,load
"""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from tests.benchmarks import report
from tests.benchmarks.harness import Effort, Row, Skipped, measure
from tests.benchmarks.machine import this_machine
from tests.benchmarks.page import write_page
from tests.benchmarks.postgres_stores import OwnServer
from tests.benchmarks.report import Report, Run, as_text, described
from tests.benchmarks.rows import HUGE, LARGER, LONGER, MANY_DEALS, ROWS, SCALED, Subjects, chosen

EFFORT = Effort(rounds=7, seconds=8)
LONG_EFFORT = Effort(rounds=3, seconds=150)
"""Of logs of a million events and more."""
MILLION = 1_000_000
PAGE, FIGURES = Path("docs/benchmarks.md"), Path("docs/benchmarks/results.json")

Plan = Sequence[tuple[int, Sequence[str]]]
"""Sizes of the log, each with the rows to measure at it."""
ALL: Plan = (
    (10_000, tuple(row for row in ROWS if row not in LONGER)),
    (100_000, LARGER),
    (10 * MILLION, MANY_DEALS),
)
LONG: Plan = ((10_000, LONGER), (MILLION, SCALED), (10 * MILLION, HUGE))


def main(arguments: Sequence[str]) -> None:
    """Measure what the arguments ask for, and print it row by row."""
    options = _options(arguments)
    if options.page:
        write_page(report.read(FIGURES), list(ROWS), PAGE)
        return
    command = shlex.join(["python", "-m", "tests.benchmarks", *arguments])
    with (
        _folder(options.folder) as folder,
        OwnServer(folder / "postgres", kept=options.folder is not None) as server,
    ):
        run = Run(command, this_machine(folder), [], [])
        print(f"$ {command}", *described(run.machine), sep="\n")
        for events, names in _plan(options):
            print(f"\nA log of {events:,} events", flush=True)
            subjects = Subjects(folder / str(events), events, server)
            if options.make:
                for name in names:
                    ROWS[name](subjects)
            else:
                measure_rows(run, subjects, names, _effort(options, events))
    _keep(options, run)


def _keep(options: argparse.Namespace, run: Run) -> None:
    """Write what was asked for."""
    whole = Report([run])
    if options.json is not None:
        report.write(options.json, whole)
    if options.append_to is not None:
        whole = report.joined(report.read(options.append_to), run)
        report.write(options.append_to, whole)
    if options.write is not None:
        write_page(whole, list(ROWS), options.write)


@contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    """Where the stores are: in a folder that is kept, or in one for this run."""
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept.absolute()
    else:
        with TemporaryDirectory(prefix="dealstate-bench-") as folder:
            yield Path(folder)


def measure_rows(run: Run, subjects: Subjects, names: Sequence[str], effort: Effort) -> None:
    """Measure rows of one size into a run, printing each."""
    for name in names:
        match ROWS[name](subjects):
            case Skipped() as row:
                run.skipped.append(row)
                print(f"\n{name}: not measured. {row.reason}", flush=True)
            case Row() as row:
                result = measure(row, subjects.folder, subjects.events, effort)
                run.results.append(result)
                print(f"\n{as_text(result)}", flush=True)


def _effort(options: argparse.Namespace, events: int) -> Effort:
    effort = LONG_EFFORT if events >= MILLION else EFFORT
    if options.seconds is not None:
        effort = msgspec.structs.replace(effort, seconds=options.seconds)
    if options.rounds is not None:
        effort = msgspec.structs.replace(effort, rounds=options.rounds)
    return effort


def _plan(options: argparse.Namespace) -> Plan:
    if options.events:
        return [(events, options.only or list(ROWS)) for events in options.events]
    plan = LONG if options.long else ALL
    if not options.only:
        return plan
    if not options.long and set(options.only) & set(LONGER):
        plan = (*plan, (10_000, LONGER))
    some = [(events, [name for name in rows if name in options.only]) for events, rows in plan]
    return [(events, names) for events, names in some if names]


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks", description=(__doc__ or "").partition("\n")[0]
    )
    add = parser.add_argument
    add("--events", type=_sizes, metavar="N,N", help="sizes of the log; 10000, and for some rows "
        "100000, without")  # fmt: skip
    add("--long", action="store_true", help="logs of 1,000,000 and 10,000,000 "
        "events, and what takes long whatever the log")  # fmt: skip
    add("--only", type=_names, metavar="ROW,ROW", help=", ".join(ROWS))
    add("--rounds", type=int, help="rounds of each row, fewer where they take too long")
    add("--seconds", type=float, help="after so many no further round of a row is begun")
    add("--folder", type=Path, help="keep the stores here, on the disk to be measured, and use "
        "those that are here; to be deleted when what is stored has changed")  # fmt: skip
    add("--make", action="store_true", help="only make the stores, or go on with it")
    add("--json", type=Path, metavar="FILE", help="write the figures as JSON")
    add("--append-to", type=Path, nargs="?", const=FIGURES, metavar="FILE",
        help=f"add the figures to those of earlier runs on this machine, in {FIGURES}")  # fmt: skip
    add("--write", type=Path, nargs="?", const=PAGE, metavar="FILE", help=f"write {PAGE} anew")
    add("--page", action="store_true", help=f"measure nothing; write {PAGE} anew from {FIGURES}, "
        "as after a change of what it tells about them")  # fmt: skip
    options = parser.parse_args(arguments)
    if options.write is not None and options.append_to is None and (options.only or options.events):
        parser.error("the page shows all rows: leave out --only and --events, or add --append-to")
    if options.make and options.folder is None:
        parser.error("what is made is kept in --folder")
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
