"""Stores: making one, and looking at one."""

from collections.abc import Sequence

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
from api.cli.terminal import Terminal, terminal
from api.queries.stores import read_status
from api.wire.health import ModelStatus, StoreStatus
from api.workspace import Workspace
from store.keys.sources import FileSource, parse_source

app = commands()

PARKED_SHOWN = 20


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

    How much there is of everything, how far the read models have read the log, how long they
    are behind and by which process they read on, and what they could not take in.
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
    _tell_models(answer, at)
    _tell_parked(answer, at)


def _tell_models(answer: StoreStatus, at: Terminal) -> None:
    print_table(
        [
            Column("read model"),
            Column("version", right=True),
            Column("read up to", right=True),
            Column("events behind", right=True),
            Column("seconds behind", right=True),
            Column("parked", right=True),
            Column("read on"),
            Column("by", spare=True),
        ],
        [
            [
                one.model,
                str(one.version),
                f"{one.position:,}",
                f"{one.lag_events:,}",
                "?" if one.lag_seconds is None else f"{one.lag_seconds:,.0f}",
                shown.number(one.parked),
                shown.moment(one.moved_at, at.zone),
                one.moved_by,
            ]
            for one in answer.models
        ],
    )
    _tell_unfit([one for one in answer.models if not one.fits])


def _tell_unfit(models: Sequence[ModelStatus]) -> None:
    if models:
        names = ", ".join(one.model for one in models)
        say()
        say(f"Of another log or release: {names}. They are built anew before they answer;")
        say("dealstate rebuild does it now.")


def _tell_parked(answer: StoreStatus, at: Terminal) -> None:
    if not answer.parked:
        return
    say()
    say(f"Parked ({len(answer.parked):,}): these are left out of the read model, which failed on")
    say("them, and of nothing else. Each is tried again at its next event; dealstate retry MODEL")
    say("DEAL does it now.")
    print_table(
        [
            Column("read model"),
            Column("stream"),
            Column("called", wraps=True, spare=True),
            Column("version", right=True),
            Column("tried last"),
            Column("error", wraps=True),
        ],
        [
            [
                one.model,
                one.stream,
                shown.text(one.called),
                str(one.version),
                shown.moment(one.tried_at, at.zone),
                one.error,
            ]
            for one in answer.parked[:PARKED_SHOWN]
        ],
    )
    if len(answer.parked) > PARKED_SHOWN:
        say(f"… and {len(answer.parked) - PARKED_SHOWN:,} more: --format json lists all.")


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
