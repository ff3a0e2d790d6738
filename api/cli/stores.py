"""Stores: making one, looking at one, and building its read models anew."""

from typing import Annotated

import typer

from api.cli.groups import commands
from api.cli.output import (
    Column,
    Shape,
    ShapeOption,
    print_json,
    print_table,
    say,
)
from api.cli.progress import Progress
from api.cli.terminal import terminal
from api.queries import read_status
from api.wire.health import RebuildResult, StoreStatus, TableDifference
from api.workspace import Workspace
from projections.rebuild import Rebuilt
from projections.rebuild import rebuild as build_anew

app = commands()


@app.command(
    epilog="""\b
Examples:
  dealstate init
  dealstate --db sqlite:////var/lib/deals.db init"""
)
def init(context: typer.Context) -> None:
    """Make a new, empty store.

    A store is two files: the log, which is never changed and only grows, and the
    read models beside it, which can be built anew from the log.
    """
    at = terminal(context)
    with Workspace.create(at.location, at.zone) as store, store.fresh():
        say(f"Made a store at {store.location}.")
        say("Next: dealstate import FILE --from csv --map MAP, or dealstate simulate --deals 300.")


@app.command(
    epilog="""\b
Examples:
  dealstate status
  dealstate status --format json"""
)
def status(context: typer.Context, shape: ShapeOption = Shape.TEXT) -> None:
    """Show what the store holds.

    How much there is of everything, and how far the read models have read the log.
    """
    with terminal(context).opened() as store:
        answer = read_status(store)
    if shape is Shape.JSON:
        print_json(answer)
        return
    _tell_status(answer)


def _tell_status(answer: StoreStatus) -> None:
    say(f"Store      {answer.store}")
    say(f"Release    dealstate {answer.release}")
    say(f"Log        {answer.events:,} events, {_megabytes(answer.log_bytes)}")
    say(f"Views      {_megabytes(answer.views_bytes)}")
    say(f"Deals      {answer.deals:,}")
    say(f"Users      {answer.users:,}")
    say(f"Processes  {answer.processes:,}")
    say()
    if not answer.models:
        say("The read models have not been built yet; the first question builds them.")
        return
    print_table(
        [
            Column("read model"),
            Column("version", right=True),
            Column("read up to", right=True),
            Column("events behind", right=True),
        ],
        [
            [model.model, str(model.version), f"{model.position:,}", f"{model.lag_events:,}"]
            for model in answer.models
        ],
    )


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1_000_000:,.1f} MB"


@app.command(
    epilog="""\b
Examples:
  dealstate rebuild
  dealstate rebuild --check && echo live and rebuilt are equal"""
)
def rebuild(
    context: typer.Context,
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="Compare the rebuilt rows with the live ones; where they differ, keep the live"
            " ones and exit with 3.",
        ),
    ] = False,
    shape: ShapeOption = Shape.TEXT,
) -> None:
    """Build the read models anew from the log.

    They are built beside the live ones, which keep answering, and swapped in at once.
    """
    with terminal(context).opened() as store, Progress("Rebuilding", "events") as progress:
        done = build_anew(store.views, store.log, check=check, progress=progress.reached)
    answer = _result(done)
    if shape is Shape.JSON:
        print_json(answer)
    else:
        _tell_rebuild(answer)
    if answer.differences:
        raise typer.Exit(3)


def _result(done: Rebuilt) -> RebuildResult:
    differences = None
    if done.differences is not None:
        differences = [
            TableDifference(str(d.table), d.only_live, d.only_rebuilt, d.examples)
            for d in done.differences
        ]
    rows = {str(table): count for table, count in done.rows.items()}
    return RebuildResult(done.events, rows, differences, done.swapped)


def _tell_rebuild(answer: RebuildResult) -> None:
    say(f"Folded {answer.events:,} events into:")
    print_table(
        [Column("table"), Column("rows", right=True)],
        [[table, f"{rows:,}"] for table, rows in answer.rows.items()],
    )
    if answer.differences is None:
        say("They took the place of the live ones.")
    elif not answer.differences:
        say("Checked: every live row equals the rebuilt one.")
    for difference in answer.differences or ():
        say(
            f"{difference.table}: {difference.only_live:,} rows only live,"
            f" {difference.only_rebuilt:,} only rebuilt"
        )
        for example in difference.examples:
            say(f"  {example}")
    if answer.differences:
        say("The live rows were kept. Run dealstate rebuild to replace them by the rebuilt ones.")
