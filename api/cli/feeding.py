"""Filling a store: from other systems, or with made-up deals."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import msgspec
import typer

from api.cli.failures import fail
from api.cli.groups import commands
from api.cli.output import Shape, ShapeOption, note, print_json, say
from api.cli.progress import Progress
from api.cli.terminal import Terminal, terminal
from api.exchange.intake.engine import Progress as Reached
from api.exchange.report import GapReport, ImportFailure
from api.exchange.run import ImportOptions, System, run_import
from api.plain import clean_lines
from api.simulate import PLANTABLE, UNTIL, chosen, simulate
from api.workspace import Workspace
from domain.process import SalesProcess
from domain.process_files import ProcessError, decode_process, parse_process
from store.location import Location
from store.times import utc_now

app = commands()


@app.command(
    "import",
    epilog="""\b
Examples:
  dealstate import maven_crm/ --from csv --map maven-crm --dry-run
  dealstate import deals.csv --from csv --map mine.toml --source crm-emea
  dealstate import export/ --from salesforce --timezone America/New_York --report gaps.json

Importing again adds only what is new or changed, and completes what was broken off. The name of
the source keeps two sources apart; keep it the same for the same source. Every row that is left
out or repaired is in the report, with its file, line and reason.""",
)
def import_(
    context: typer.Context,
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="PATH", help="Files, or a folder of them.", show_default=False),
    ],
    *,
    system: Annotated[
        System, typer.Option("--from", metavar="|".join(System), help="What they come from.")
    ],
    source: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Name of the source.", show_default="the map's name, or the system"
        ),
    ] = None,
    timezone: Annotated[
        str | None,
        typer.Option(
            metavar="ZONE",
            help="Time zone of dates, and of times without an offset, in the files.",
        ),
    ] = None,
    mapping: Annotated[
        str | None,
        typer.Option("--map", metavar="MAP", help="For CSV: a shipped map, or a TOML file."),
    ] = None,
    process: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A sales process as TOML, instead of the one deduced."),
    ] = None,
    currency: Annotated[
        str | None, typer.Option(metavar="CODE", help="Currency of amounts that name none.")
    ] = None,
    encoding: Annotated[
        str | None, typer.Option(metavar="NAME", help="Encoding of the files.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell what would be imported; record nothing.")
    ] = False,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the whole report there, as JSON.")
    ] = None,
    shape: ShapeOption = Shape.TEXT,
) -> None:
    """Import deals, with a report of every gap."""
    at = terminal(context)
    _check_writable(report)
    options = ImportOptions(
        map=mapping,
        process=_process(process),
        timezone=timezone,
        currency=currency,
        encoding=encoding,
        dry_run=dry_run,
    )
    name = source or (Path(mapping).stem if mapping else system.value)
    with _target(at, dry_run) as store:
        options = msgspec.structs.replace(options, actor=at.user(store))
        found = _run(store, paths, system, name, options)
    if report is not None:
        report.write_text(found.as_json(), encoding="utf-8")
    say(clean_lines(found.as_json() if shape is Shape.JSON else found.as_text()).rstrip("\n"))


def _run(
    store: Workspace, paths: list[Path], system: System, source: str, options: ImportOptions
) -> GapReport:
    with Progress("Importing", "rows") as progress:

        def reached(state: Reached) -> None:
            progress.reached(
                state.rows, max(state.rows, round(state.rows / (state.share_read or 1)))
            )

        try:
            found = run_import(
                store.log, paths, system, source, options, on_progress=reached, clock=store.now
            )
        except ImportFailure as error:
            fail("import-failed", str(error))
    if not options.dry_run:
        store.notary.checkpoint()
    with store.fresh():
        return found


@contextmanager
def _target(at: Terminal, dry_run: bool) -> Iterator[Workspace]:
    """The store to import into; a dry run makes none where there is none."""
    if not dry_run or at.has_store:
        with at.opened_or_made() as store:
            yield store
        return
    with TemporaryDirectory() as folder:
        place = Location.beside(Path(folder) / "dry-run.db")
        with Workspace.create(place, at.zone) as store:
            yield store


def _check_writable(report: Path | None) -> None:
    """Better to fail before an import than behind it."""
    if report is None:
        return
    try:
        with report.open("a", encoding="utf-8"):
            pass
    except OSError as error:
        raise typer.BadParameter(
            f"cannot write {report}: {error.strerror}", param_hint="'--report'"
        ) from None


def _process(file: Path | None) -> SalesProcess | None:
    if file is None:
        return None
    try:
        return parse_process(decode_process(file.read_bytes(), str(file)), str(file))
    except OSError as error:
        raise typer.BadParameter(
            f"cannot read {file}: {error.strerror}", param_hint="'--process'"
        ) from None
    except ProcessError as error:
        for problem in error.problems:
            note(str(problem))
        fail("import-failed", f"{file} cannot be used as a process.")


@app.command(
    "simulate",
    epilog="""\b
Examples:
  dealstate simulate --deals 300 --seed 7 --months 24
  dealstate simulate --deals 2000 --until 2026-03-31
  dealstate simulate --deals 400 --months 48 --causes minutes-missing,gate-overridden

The same seed tells the same stories; a larger number adds to them. With causes of its own, a
portfolio shows whether an analysis finds what is known beforehand: a third of the deals have each
flaw and are lost more often, and losing has to do with nothing else in the stories. Causes that can
be planted: """
    + ", ".join(PLANTABLE)
    + ".",
)
def simulate_(
    context: typer.Context,
    *,
    deals: Annotated[int, typer.Option(min=1, max=1_000_000, metavar="N", help="How many.")] = 300,
    seed: Annotated[int, typer.Option(metavar="S", help="Which portfolio.")] = 1,
    months: Annotated[
        int, typer.Option(min=1, max=240, metavar="M", help="How long they take to open.")
    ] = 24,
    until: Annotated[
        str, typer.Option(metavar="DAY", help="The last day of the portfolio.")
    ] = UNTIL.isoformat(),
    causes: Annotated[
        str | None,
        typer.Option(
            metavar="none|RULE,…",
            help="What alone losing has to do with, by the finding that tells of it.",
            show_default="all that happens",
        ),
    ] = None,
    shape: ShapeOption = Shape.TEXT,
) -> None:
    """Make up a portfolio of deals.

    Every event is decided by the real rules, under a simulated clock.
    """
    last_day = _day(until)
    if last_day > utc_now().date():
        raise typer.BadParameter("a portfolio ends today at the latest", param_hint="'--until'")
    planted = _causes(causes)
    with terminal(context).opened_or_made() as store:
        with Progress("Simulating", "deals") as progress:
            told = progress.reached
            try:
                done = simulate(
                    store.log, deals, seed, months, last_day, causes=planted, progress=told
                )
            except ValueError as error:
                raise typer.BadParameter(str(error)) from None
        store.notary.checkpoint()
        with store.fresh():
            pass
    if shape is Shape.JSON:
        print_json(done)
        return
    say(done.message)
    if done.planted is not None:
        say(done.planted)
    if done.statuses:
        say(", ".join(f"{count:,} {status}" for status, count in sorted(done.statuses.items())))


def _causes(names: str | None) -> tuple[str, ...] | None:
    try:
        return None if names is None else chosen(names)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="'--causes'") from None


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(
            f"{text!r} is not a day, as in 2026-06-30: {error}", param_hint="'--until'"
        ) from None
