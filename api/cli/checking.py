"""`dealstate audit fsck`: whether the log is as it was written."""

from pathlib import Path
from typing import Annotated

import typer

from api.cli.groups import commands
from api.cli.output import Shape, ShapeOption, print_json, say
from api.cli.progress import Progress
from api.cli.proofs import keys_given
from api.cli.terminal import terminal
from api.plain import clean
from api.queries.proofs import reference_of
from api.wire.proofs import LogCheck, LogProblem
from store.fsck.check import check
from store.fsck.checkpoints import ClaimedCheckpoint
from store.fsck.findings import Signatures
from store.seals.notes import NoteError, SignatureType, parse_checkpoint, parse_note

app = commands()

_FAILED = 3
_LARGEST_CHARACTERS = 1_000_000
_SIGNATURES = {
    Signatures.OF_NAMED_KEYS: "Signatures were checked with the keys given by --key.",
    Signatures.UNCHECKED: "Signatures were NOT checked: there are no keys; name some with --key.",
}


@app.command(
    epilog="""\b
Examples:
  dealstate audit fsck
  dealstate audit fsck --checkpoint /mnt/elsewhere/deals.checkpoint
  dealstate audit fsck --witness-key witness.vkey
  dealstate audit fsck --fields --format json

Exit code 3: something is not as it was written. Who can write the log alone is found by what the
keys remember to have signed. Who can write log and keys can make everything in this store agree;
only a checkpoint kept elsewhere, or one that a witness has cosigned, shows that. Events behind the
last checkpoint are protected by neither. Without keys (--kek none) name trusted ones by --key."""
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
    witness_key: Annotated[
        list[str] | None,
        typer.Option(
            "--witness-key",
            metavar="VKEY|FILE",
            help="Kept checkpoints that this witness has cosigned count as kept elsewhere; may be"
            " repeated.",
        ),
    ] = None,
    key: Annotated[
        list[str] | None,
        typer.Option(
            "--key",
            metavar="VKEY|FILE",
            help="Checkpoints have to be signed with this verifier key; may be repeated.",
            show_default="the keys of the store",
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
    witnesses = [
        key
        for named in witness_key or []
        for key in keys_given(named, "--witness-key", SignatureType.COSIGNATURE)
    ]
    trusted = [
        found for named in key or [] for found in keys_given(named, "--key", SignatureType.ED25519)
    ]
    at = terminal(context)
    with at.opened(doubtful_too=True) as store, Progress("Checking the log", "events") as progress:
        at.audited(store)
        findings = check(
            store.log.records,
            store.log.keys,
            elsewhere=elsewhere,
            witnesses=witnesses,
            trusted=trusted,
            fields=fields,
            progress=progress.reached,
        )
        answer = LogCheck.of(findings, lambda stream: reference_of(store, stream))
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
    try:
        parse_checkpoint(parse_note(text).text)
    except NoteError as error:
        raise typer.BadParameter(
            f"{path} is not a checkpoint: {error}", param_hint="'--checkpoint'"
        ) from None
    return ClaimedCheckpoint(f"the checkpoint in {path}", text)


def _tell(answer: LogCheck, *, fields: bool) -> None:
    for problem in answer.problems:
        say(clean(_line(problem)))
    if answer.others:
        say(f"… and {answer.others:,} more problems.")
    verdict = "as it was written" if answer.sound else "NOT as it was written"
    say(f"{answer.events:,} events, {answer.checkpoints:,} checkpoints: {verdict}.")
    if answer.signed_until < answer.events:
        say(_unsigned(answer.signed_until + 1, answer.events))
    if answer.root is not None:
        say(f"Root hash {answer.root}")
    if (whose := Signatures(answer.signatures)) in _SIGNATURES:
        say(_SIGNATURES[whose])
    if fields:
        say(
            f"Encrypted fields: {answer.fields_opened:,} open, {answer.fields_erased:,} are erased,"
            f" {answer.fields_lost:,} are lost."
        )


def _unsigned(first: int, last: int) -> str:
    if first == last:
        return f"Event {last:,} is sealed, but nobody has signed it yet."
    return f"Events {first:,} to {last:,} are sealed, but nobody has signed them yet."


def _line(problem: LogProblem) -> str:
    parts = [] if problem.position is None else [_positions(problem)]
    if problem.stream is not None:
        called = "" if problem.reference is None else f" ({problem.reference})"
        parts.append(f"version {problem.version} of {problem.stream}{called}")
    where = ", ".join(parts)
    return f"{problem.kind}: {f'{where}: ' if where else ''}{problem.what}"


def _positions(problem: LogProblem) -> str:
    if problem.last_position in {None, problem.position}:
        return f"position {problem.position}"
    return f"among the positions {problem.position} to {problem.last_position}"
