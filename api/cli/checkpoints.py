"""`dealstate audit checkpoint`: making one, keeping it elsewhere, having it cosigned; listing."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from api.cli import shown
from api.cli.failures import exit_code, fail, report
from api.cli.files import write_whole
from api.cli.groups import commands
from api.cli.output import Column, Shape, ShapeOption, note, print_json, print_table
from api.cli.proofs import keys_given
from api.cli.terminal import terminal
from api.posting import NotPosted, parse_address, post
from api.wire.proofs import CheckpointMade, KeptCheckpoint, KeptCheckpoints
from store.errors import StoreError
from store.notary import Notary, WitnessAnswer, WitnessRefused, another_history
from store.seals.merkle import ProofError
from store.seals.notes import (
    NoteError,
    SignatureType,
    VerifierKey,
    parse_checkpoint,
    parse_note,
    parse_number,
    verify,
)

app = commands()

_OK, _CONFLICT, _UNPROVEN, _FIRST_FAILURE = 200, 409, 422, 300


@app.command(
    epilog="""\b
Examples:
  dealstate audit checkpoint
  dealstate audit checkpoint --to /mnt/elsewhere/deals.checkpoint
  dealstate audit checkpoint --to https://archive.example/checkpoints
  dealstate audit checkpoint --witness https://witness.example --witness-key witness.vkey

Keep checkpoints where who runs this store cannot change them: what is not under a checkpoint
elsewhere, they could rewrite. A file is replaced by a newer checkpoint only, and only where the
log still begins with what the older one says. Every place and every witness is tried; exit code 1
where one failed, 3 where one holds or has cosigned another history of the log."""
)
def checkpoint(
    context: typer.Context,
    *,
    to: Annotated[
        list[str] | None,
        typer.Option(
            "--to", metavar="FILE|URL", help="Where to write or post it; may be repeated."
        ),
    ] = None,
    witness: Annotated[
        list[str] | None,
        typer.Option(
            "--witness",
            metavar="URL",
            help="Have this witness cosign it (C2SP tlog-witness); may be repeated.",
        ),
    ] = None,
    witness_key: Annotated[
        list[str] | None,
        typer.Option(
            "--witness-key",
            metavar="VKEY|FILE",
            help="The verifier key of each witness, in the same order.",
        ),
    ] = None,
    shape: ShapeOption = Shape.TEXT,
) -> None:
    """Sign how many events there are and what their root hash is, and print that.

    Where nothing was recorded since, it is the last checkpoint again. It is kept with the log,
    together with the cosignatures that witnesses give.
    """
    witnesses = _witnesses(witness or [], witness_key or [])
    targets = to or []
    for target in targets:
        _check_target(target)
    with terminal(context).opened(doubtful_too=True) as store:
        terminal(context).audited(store)
        made = store.notary.checkpoint()
        codes, written = [0], []
        for address, key in witnesses:
            with _going_on(codes):
                made = _cosigned(store.notary, made, address, key)
        for target in targets:
            with _going_on(codes):
                _put(store.notary, made, target)
                written.append(target)
    if shape is Shape.JSON:
        print_json(CheckpointMade.of(made, written))
    else:
        print(made, end="")
    if any(codes):
        raise typer.Exit(max(codes))


@contextmanager
def _going_on(codes: list[int]) -> Iterator[None]:
    """A failure is told, and adds the exit code that it comes to; what follows goes on."""
    try:
        yield
    except typer.Exit as ended:
        codes.append(ended.exit_code)
    except StoreError as error:
        report(error)
        codes.append(exit_code(error))


@app.command(
    epilog="""\b
Examples:
  dealstate audit checkpoints
  dealstate audit checkpoints --format json

One is made with the store, behind each import and each simulation, for the receipt of an event that
none covers yet, with a backup, and by `dealstate audit checkpoint`. Recording makes none: what was
recorded since the last one is sealed, and not signed yet."""
)
def checkpoints(context: typer.Context, shape: ShapeOption = Shape.TEXT) -> None:
    """List the checkpoints that are kept with the log, and who has signed them."""
    at = terminal(context)
    with at.opened() as store:
        at.audited(store)
        kept = [KeptCheckpoint.of(row) for row in store.notary.checkpoints()]
    if shape is Shape.JSON:
        print_json(KeptCheckpoints(kept))
        return
    if not kept:
        note("None was made yet: dealstate audit checkpoint")
        return
    print_table(
        [Column("events", right=True), Column("made"), Column("root"), Column("signed by")],
        [
            [f"{one.size:,}", shown.moment(one.made_at, at.zone), one.root, ", ".join(one.signers)]
            for one in kept
        ],
    )


def _witnesses(addresses: list[str], keys: list[str]) -> list[tuple[str, VerifierKey]]:
    if len(addresses) != len(keys):
        raise typer.BadParameter(
            "give one for each --witness, in the same order", param_hint="'--witness-key'"
        )
    return [(_checked_address(a), _witness_key(k)) for a, k in zip(addresses, keys, strict=True)]


def _checked_address(url: str) -> str:
    try:
        parse_address(url)
    except NotPosted as error:
        raise typer.BadParameter(str(error), param_hint="'--witness'") from None
    return url.rstrip("/")


def _witness_key(named: str) -> VerifierKey:
    keys = keys_given(named, "--witness-key", SignatureType.COSIGNATURE)
    if len(keys) != 1:
        raise typer.BadParameter("a witness has one key", param_hint="'--witness-key'")
    return keys[0]


def _is_address(target: str) -> bool:
    return "://" in target


def _check_target(target: str) -> None:
    if not _is_address(target):
        return
    try:
        parse_address(target)
    except NotPosted as error:
        raise typer.BadParameter(str(error), param_hint="'--to'") from None


def _cosigned(notary: Notary, made: str, address: str, key: VerifierKey) -> str:
    def ask(request: str) -> WitnessAnswer:
        try:
            reply = post(f"{address}/add-checkpoint", request)
            if reply.status == _CONFLICT:
                return parse_number(reply.text.strip())
        except (NotPosted, NoteError) as error:
            raise WitnessRefused(
                f"the witness {key.name} gave no answer: {error}", "Try again later."
            ) from error
        if reply.status == _UNPROVEN:
            raise another_history(key)
        if reply.status != _OK:
            raise WitnessRefused(
                f"the witness {key.name} answers {reply.status}: {reply.text.strip()[:200]}",
                "Ask who runs it, and whether it knows this log's verifier key.",
            )
        return reply.text

    cosigned = notary.cosigned(made, key, ask)
    note(f"Cosigned by {key.name}.")
    return cosigned


def _put(notary: Notary, made: str, target: str) -> None:
    if _is_address(target):
        _post(made, target)
    else:
        _write(notary, made, Path(target))
    note(f"Kept at {target}.")


def _post(made: str, url: str) -> None:
    try:
        reply = post(url, made)
    except NotPosted as error:
        fail("checkpoint-not-kept", str(error), "The checkpoint is kept with the log; try again.")
    if not _OK <= reply.status < _FIRST_FAILURE:
        fail("checkpoint-not-kept", f"{url} answers {reply.status}", "Ask who runs it.")


def _write(notary: Notary, made: str, path: Path) -> None:
    """Put the checkpoint in the file, if what is there is an older one of this log.

    Raises LogContradicted where the log does not go on from the older one.
    """
    try:
        if path.exists():
            _require_older(notary, made, path)
        write_whole(path, made)
    except OSError as error:
        fail("checkpoint-not-kept", f"{path} cannot be written: {error.strerror}")


def _require_older(notary: Notary, made: str, path: Path) -> None:
    try:
        before = parse_note(path.read_text(encoding="utf-8"))
        told = parse_checkpoint(before.text)
        verify(before, [key for key in notary.verifier_keys() if key.name == told.origin])
    except (ProofError, UnicodeDecodeError):
        fail(
            "checkpoint-not-kept",
            f"{path} is there, and holds no checkpoint that this log has signed",
            "Name another file; this one was left as it is.",
        )
    size = parse_checkpoint(parse_note(made).text).size
    if told.size > size:
        fail(
            "checkpoint-not-kept",
            f"{path} holds a newer checkpoint, of {told.size} events; the log has {size}",
            f"Events were lost: run dealstate audit fsck --checkpoint {path}",
        )
    notary.require_begins_with(told)
