"""Stores: making one, looking at one, and building its read models anew."""

from typing import Annotated

import typer

from api.cli import shown
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
from api.cli.terminal import Terminal, terminal
from api.queries.stores import read_status
from api.wire.health import RebuildResult, StoreStatus, TableDifference
from api.workspace import Workspace
from projections.rebuild import Rebuilt
from projections.rebuild import rebuild as build_anew
from store.keys.sources import FileSource, parse_source

app = commands()


@app.command(
    epilog="""\b
Examples:
  dealstate init
  dealstate --db sqlite:////var/lib/deals.db init"""
)
def init(context: typer.Context) -> None:
    """Make a new, empty store.

    A store is the log, which is never changed and only grows; the keys of its
    encrypted fields, each wrapped under one key that is kept elsewhere or in a key
    file; and the read models, which can be built anew from the log.
    """
    at = terminal(context)
    with Workspace.create(at.location, at.zone) as store, store.fresh():
        say(f"Made a store at {store.location}.")
        _tell_files(store)
        say("Next: dealstate import FILE --from csv --map MAP, or dealstate simulate --deals 300.")


def _tell_files(store: Workspace) -> None:
    """What was made, and what is to be done with it."""
    place = store.location
    source = parse_source(place.encryption)
    say(f"  keys      {place.keys}")
    say(f"  key file  {source.path}" if isinstance(source, FileSource) else f"  key from  {source}")
    say(
        "Back up the log and the keys, apart from each other: whoever was erased comes back with an"
    )
    say(
        "old copy of the keys. Keep the key file apart from both: it opens the keys, and without it"
    )
    say("what is personal or secret cannot be read any more.")
    say("Others verify checkpoints and receipts of this log with its public key:")
    say(f"  {store.notary.verifier_keys()[-1]}")


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
    at = terminal(context)
    with at.opened(doubtful_too=True) as store:
        answer = read_status(store)
    if shape is Shape.JSON:
        print_json(answer)
        return
    _tell_status(answer, at)


def _tell_status(answer: StoreStatus, at: Terminal) -> None:
    say(f"Store      {answer.store}")
    say(f"Release    dealstate {answer.release}")
    say(f"Log        {answer.events:,} events, {_megabytes(answer.log_bytes)}")
    say(f"Checkpoint {_checkpoint(answer, at)}")
    say(f"Checked    {_checked(answer)}")
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


def _checkpoint(answer: StoreStatus, at: Terminal) -> str:
    last = answer.checkpoint
    if last is None:
        return "none; make one with dealstate audit checkpoint"
    made = shown.moment(last.made_at, at.zone)
    return f"of {last.size:,} events, {made}; {last.events_after:,} events since"


def _checked(answer: StoreStatus) -> str:
    """What was looked at; no event was."""
    if answer.checkpoint is None:
        return "nothing: dealstate audit fsck"
    if not answer.checkpoint.holds:
        return "the last checkpoint does NOT hold: run dealstate audit fsck"
    return "the last checkpoint against the hashes; not the events: dealstate audit fsck"


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
        say("The live rows were kept. Either they were changed past dealstate, or the log was.")
        say("Run dealstate audit fsck first. Where the log is as it was written, dealstate rebuild")
        say("replaces the live rows by the rebuilt ones.")
