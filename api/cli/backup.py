"""Backups of a store: writing one, and putting one in place."""

from pathlib import Path
from typing import Annotated

import typer

from api.cli.failures import fail
from api.cli.groups import commands
from api.cli.output import Shape, ShapeOption, note, print_json, say
from api.cli.progress import Progress
from api.cli.terminal import terminal
from api.plain import clean
from api.wire.keeping import BackupReport, RestoreReport
from domain.access import NO_DEAL, Action, require
from store.backups.backup import LogUnsound, back_up, default_keys
from store.backups.comparing import Contradicted, OlderThanKnown, Wanted
from store.backups.restore import restore as put_in_place
from store.forgetting.known import read_erasures
from store.times import utc_now

app = commands()

_LARGEST_BYTES = 100_000


@app.command(
    epilog="""\b
Examples:
  dealstate backup deals.backup
  dealstate backup /mnt/a/deals.backup --keys /mnt/b/deals.keys

Others may go on writing. Log and keys go to two files; keep them in two places, and delete
backups of the keys sooner: they open what was erased since. The key file, which opens the keys, is
not copied: keep a copy of it apart from both. Exit code 3: the log is damaged."""
)
def backup(
    context: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="Where the log goes.", show_default=False),
    ],
    *,
    keys: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where the keys go.", show_default="FILE.keys"),
    ] = None,
    shape: ShapeOption = Shape.TEXT,
) -> None:
    """Write a backup of the store, and check it against its own checkpoint."""
    at = terminal(context)
    with at.opened(doubtful_too=True) as store, Progress("Checking", "events") as progress:
        require(at.principal(store), Action.CONFIGURE, NO_DEAL)
        try:
            done = back_up(store.log, file, keys, progress.reached)
        except LogUnsound as error:
            fail("log-damaged", f"{error.message}.", error.advice, exit_code=3)
        answer = BackupReport.of(done)
    if done.log.absolute().parent == done.keys.absolute().parent:
        note(
            "Log and keys lie side by side: whoever copies the folder has both. Move the keys, or"
            " name another place with --keys."
        )
    if shape is Shape.JSON:
        print_json(answer)
        return
    say(clean(f"Log         {answer.log}, {answer.events:,} events"))
    say(clean(f"Keys        {answer.keys}"))
    say(f"Root        {answer.root}")
    say("Checked: every event in the backup has the hash that its checkpoint tells.")
    note("The key file, which opens the keys, is not in the backup; keep a copy of it apart.")


@app.command(
    epilog="""\b
Examples:
  dealstate --db sqlite:///deals.db restore deals.backup
  dealstate restore deals.backup --keys deals.keys --checkpoint last.checkpoint
  dealstate restore deals.backup --replace --erasures erasures.txt

The key file has to be in its place beside the store. What was erased since the backup is erased
again. Exit code 3: the backup is older than what is known of the log, or contradicts it."""
)
def restore(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The backup of the log.", show_default=False)
    ],
    *,
    keys: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The backup of the keys.", show_default="FILE.keys"),
    ] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A checkpoint of the log that was kept elsewhere."),
    ] = None,
    erasures: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Erasures that `dealstate erase --export` wrote."),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Put the files of the store in place aside.")
    ] = False,
    accept_older: Annotated[
        bool,
        typer.Option("--accept-older", help="Do without events that the backup is known to lack."),
    ] = False,
    accept_missing_keys: Annotated[
        bool,
        typer.Option(
            "--accept-missing-keys",
            help="Give up the keys that are in no backup; what they open reads \\[lost] for good.",
        ),
    ] = False,
    accept_unknown_erasures: Annotated[
        bool,
        typer.Option(
            "--accept-unknown-erasures",
            help="Do without erasures that only lost keys tell of; those in the log hold.",
        ),
    ] = False,
    shape: ShapeOption = Shape.TEXT,
) -> None:
    """Put a backup in place as the store, once everything in it was checked."""
    at = terminal(context)
    at.refuse_user()
    wanted = Wanted(
        log=file,
        keys=keys or default_keys(file),
        checkpoint=None if checkpoint is None else _text(checkpoint),
        erasures=None if erasures is None else read_erasures(erasures),
        replace=replace,
        accept_older=accept_older,
        accept_missing_keys=accept_missing_keys,
        accept_unknown_erasures=accept_unknown_erasures,
    )
    try:
        with Progress("Checking", "events") as progress:
            done = put_in_place(wanted, at.location, utc_now, progress=progress.reached)
    except OlderThanKnown as error:
        fail("backup-older", f"{error.message}.", error.advice, exit_code=3)
    except Contradicted as error:
        fail("backup-contradicted", f"{error.message}.", error.advice, exit_code=3)
    answer = RestoreReport.of(done, str(at.location))
    if shape is Shape.JSON:
        print_json(answer)
    else:
        _tell(answer)
    _warn(answer)


def _text(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            return file.read(_LARGEST_BYTES)
    except (OSError, UnicodeDecodeError):
        raise typer.BadParameter(
            f"{path} cannot be read as text", param_hint="'--checkpoint'"
        ) from None


def _tell(answer: RestoreReport) -> None:
    say(clean(f"Restored    {answer.store}, {answer.events:,} events as of {answer.made_at}"))
    say(f"Root        {answer.root}")
    if answer.known_events is None:
        say("Older       how far the replaced log went is not known")
    elif answer.known_events > answer.events:
        gone = f"{answer.events + 1:,} to {answer.known_events:,}"
        say(f"Older       events {gone} are gone")
    if answer.keys_erased_again:
        say(f"Erased      {answer.keys_erased_again:,} keys destroyed once more")
    for kind, count in answer.missing_keys.items():
        say(clean(f"Given up    {count:,} keys of kind {kind}; what they open reads [lost]"))
    for path in answer.moved_aside:
        say(clean(f"Put aside   {path}"))


def _warn(answer: RestoreReport) -> None:
    """What the restored store cannot know, and others have to be told."""
    if answer.known_events != answer.events:
        note(
            "Checkpoints and receipts of the events that are gone will contradict this log: tell"
            " whoever holds them. A witness that has cosigned them will refuse. The log records"
            " that it was restored. Make a new signing key: dealstate keys rotate --signing"
        )
    if not answer.erasures_known:
        note(
            f"Nothing told of erasures since the backup of {answer.made_at}, so whoever was erased"
            " after it may be readable again. If anybody was, erase them again, or restore with"
            " --erasures FILE."
        )
