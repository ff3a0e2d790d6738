"""`dealstate audit fsck`: whether the log is as it was written."""

from pathlib import Path
from typing import Annotated

import typer

from api.cli.groups import commands
from api.cli.output import Shape, ShapeOption, clean, print_json, say
from api.cli.progress import Progress
from api.cli.terminal import terminal
from api.wire.proofs import LogCheck, LogProblem
from store.fsck.check import check
from store.fsck.checkpoints import ClaimedCheckpoint

app = commands()

_FAILED = 3
_LARGEST_CHARACTERS = 1_000_000


@app.command(
    epilog="""\b
Examples:
  dealstate audit fsck
  dealstate audit fsck --checkpoint /mnt/elsewhere/deals.checkpoint
  dealstate audit fsck --fields --format json

Exit code 3: something is not as it was written. Who can write the log and has its keys can make
everything in this store agree; only a checkpoint that was kept elsewhere shows that."""
)
def fsck(
    context: typer.Context,
    *,
    checkpoint: Annotated[
        list[Path] | None,
        typer.Option(
            "--checkpoint",
            metavar="FILE",
            help="A checkpoint that was kept elsewhere; may be repeated.",
            exists=True,
            dir_okay=False,
            readable=True,
        ),
    ] = None,
    fields: Annotated[
        bool, typer.Option("--fields", help="Open every encrypted field too; erased ones are fine.")
    ] = False,
    shape: ShapeOption = Shape.TEXT,
) -> None:
    """Check every stored event, every hash and every checkpoint of the log.

    Each event is hashed anew and compared with its leaf in the hash tree; what was changed,
    removed, inserted or reordered is named, the first of it first.
    """
    elsewhere = [_claimed(path) for path in checkpoint or []]
    at = terminal(context)
    with at.opened() as store, Progress("Checking the log", "events") as progress:
        at.audited(store)
        findings = check(
            store.log.records,
            store.log.keys,
            elsewhere=elsewhere,
            fields=fields,
            progress=progress.reached,
        )
    answer = LogCheck.of(findings)
    if shape is Shape.JSON:
        print_json(answer)
    else:
        _tell(answer, fields=fields)
    if not answer.sound:
        raise typer.Exit(_FAILED)


def _claimed(path: Path) -> ClaimedCheckpoint:
    try:
        text = path.read_text(encoding="utf-8")[:_LARGEST_CHARACTERS]
    except (OSError, UnicodeDecodeError):
        raise typer.BadParameter(f"{path} is not a text", param_hint="'--checkpoint'") from None
    return ClaimedCheckpoint(f"the checkpoint in {path}", text)


def _tell(answer: LogCheck, *, fields: bool) -> None:
    for problem in answer.problems:
        say(clean(_line(problem)))
    if answer.others:
        say(f"… and {answer.others:,} more problems.")
    verdict = "as it was written" if answer.sound else "NOT as it was written"
    say(f"{answer.events:,} events, {answer.checkpoints:,} checkpoints: {verdict}.")
    if answer.root is not None:
        say(f"Root hash {answer.root}")
    if fields:
        say(
            f"Encrypted fields: {answer.fields_opened:,} open, {answer.fields_erased:,} are erased."
        )


def _line(problem: LogProblem) -> str:
    parts = [] if problem.position is None else [f"event {problem.position}"]
    if problem.stream is not None:
        parts.append(f"version {problem.version} of {problem.stream}")
    where = ", ".join(parts)
    return f"{problem.kind}: {f'{where}: ' if where else ''}{problem.what}"
