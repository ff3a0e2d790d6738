"""`dealstate keys`: what is in the key store, and replacing its keys."""

import secrets
from pathlib import Path
from typing import Annotated

import typer

from api.cli import shown
from api.cli.files import hand_over
from api.cli.groups import commands
from api.cli.output import Shape, ShapeOption, note, print_json, say
from api.cli.progress import Progress
from api.cli.terminal import Terminal, terminal
from api.queries.views import visible_in_all
from api.wire.proofs import KeyStore
from api.workspace import Workspace
from domain.access import Action
from store.errors import StoreError
from store.keys.key_file import create_key_file, encoded, rotate_key_file
from store.keys.sources import FileSource, parse_source
from store.keys.wrapping import KEY_BYTES

app = commands()
keys = commands(help="The keys of the store: encryption and signatures.", no_args_is_help=True)
app.add_typer(keys, name="keys")


@app.callback()
def _group() -> None:
    """Hold the group."""


@keys.command(
    epilog="""\b
Examples:
  dealstate keys show
  dealstate keys show --public -o deals.vkey

The public keys are what others need to verify checkpoints and receipts. Hand them out on another
way than these."""
)
def show(
    context: typer.Context,
    *,
    public: Annotated[
        bool, typer.Option("--public", help="Only the verifier keys, one in each line.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="FILE", help="Write the verifier keys to this file."
        ),
    ] = None,
    shape: ShapeOption = Shape.TEXT,
) -> None:
    """Show how many keys there are, what protects them, and who signs. No key is shown."""
    if output is not None and not public:
        raise typer.BadParameter("is for the public keys: add --public", param_hint="'-o'")
    at = terminal(context)
    with at.opened() as store:
        if public:
            # Whoever holds receipts needs them; there is nothing to protect.
            hand_over("".join(f"{key}\n" for key in store.notary.verifier_keys()), output)
            return
        _require(at, store)
        ring = store.log.keys
        answer = KeyStore.of(str(ring.path), store.location.encryption, ring.describe())
    if shape is Shape.JSON:
        print_json(answer)
    else:
        _tell(answer, at)


def _require(at: Terminal, store: Workspace) -> None:
    visible_in_all(at.principal(store), Action.CONFIGURE)


def _tell(answer: KeyStore, at: Terminal) -> None:
    say(f"Key store   {answer.file}")
    say(f"Made        {shown.moment(answer.created_at, at.zone)}")
    say(f"Wrapped by  key-encryption key {answer.encryption_id}, from {answer.encryption}")
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in answer.keys.items())
    say(f"Keys        {kinds or 'none yet'}")
    say(f"Erased      {answer.erased_hashes:,} hashes kept, {answer.erasures_pending:,} pending")
    if answer.given_up:
        say(f"Given up    {answer.given_up:,} lost keys")
    for key in answer.signing_keys:
        until = "" if key.until is None else f" until {shown.moment(key.until, at.zone)}"
        say(f"Signs       {key.verifier_key}")
        say(f"            from {shown.moment(key.since, at.zone)}{until}")


@keys.command(
    epilog="""\b
Examples:
  dealstate keys rotate
  dealstate keys rotate --keep-old before.key
  dealstate keys rotate --to env:DEALS_KEK
  dealstate keys rotate --signing

Without an option the key file gets a new key-encryption key, and all keys are wrapped under it.
Backups of the keys made until then open only with the key of before, and the key file held the
only one, unless you copied it: --keep-old writes it to another file. Without that it is gone, which
may be what you want. `dealstate keys make` makes a key for env:NAME. With --signing a new key signs
checkpoints from now on; the checkpoint at the change is signed by both. Old checkpoints and
receipts stay valid under the old public key."""
)
def rotate(
    context: typer.Context,
    *,
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="SOURCE",
            help="Wrap under the key-encryption key from there: file:PATH, env:NAME or"
            " plugin:MODULE:FACTORY.",
        ),
    ] = None,
    keep_old: Annotated[
        Path | None,
        typer.Option(
            "--keep-old",
            metavar="FILE",
            help="Write the key-encryption key of the key file there before it is replaced.",
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask first.")] = False,
    signing: Annotated[
        bool, typer.Option("--signing", help="Make a new key for signing checkpoints instead.")
    ] = False,
) -> None:
    """Replace the key-encryption key, or the key that signs checkpoints."""
    if signing and to is not None:
        raise typer.BadParameter("a signing key comes from nowhere else", param_hint="'--to'")
    if keep_old is not None and (signing or to is not None):
        raise typer.BadParameter("only a key file is replaced in place", param_hint="'--keep-old'")
    at = terminal(context)
    with at.opened() as store:
        _require(at, store)
        if signing:
            key = store.notary.add_signing_key()
            say("A new key signs checkpoints from now on. Hand out its verifier key:")
            say(str(key))
        elif to is None or to == store.location.encryption:
            _rotate_in_place(store, keep_old, yes=yes)
        else:
            _rotate_to(store, to)


def _rotate_in_place(store: Workspace, keep_old: Path | None, *, yes: bool) -> None:
    source = parse_source(store.location.encryption)
    if not isinstance(source, FileSource):
        raise typer.BadParameter(
            f"{source} is not a key file: make a new key where it comes from, under another name,"
            " and give that",
            param_hint="'--to'",
        )
    old = store.log.keys.encryption_id
    if keep_old is None:
        note(f"Backups of the keys made until now open only with {old}, which will be gone.")
        note("Keep it with --keep-old FILE, unless that is what you want.")
        if not yes:
            typer.confirm("Replace it for good?", abort=True, err=True)
    with Progress("Wrapping the keys", "keys") as progress:
        new = rotate_key_file(store.log.keys, source.path, progress.reached, keep_old)
    say(f"All keys are wrapped under a new key-encryption key, {new}, in {source.path}.")
    where = "which is now gone" if keep_old is None else f"which is in {keep_old.absolute()}"
    note(f"Backups of the keys made until now open only with {old}, {where}.")
    note("Keep a copy of the new file, apart from the log and from the key store.")


def _rotate_to(store: Workspace, to: str) -> None:
    try:
        source = parse_source(to)
    except StoreError as error:
        raise typer.BadParameter(str(error), param_hint="'--to'") from None
    if isinstance(source, FileSource) and not source.path.exists():
        create_key_file(source.path)
        note(f"Made the key file {source.path}. Keep a copy, apart from the log and the keys.")
    encryption = source.load(None)
    before, old = store.location.encryption, store.log.keys.encryption_id
    named = f"file:{source.path.absolute()}" if isinstance(source, FileSource) else source
    with Progress("Wrapping the keys", "keys") as progress:
        store.log.keys.rotate(encryption, progress.reached)
    say(f"All keys are wrapped under the key-encryption key {encryption.id}, from {source}.")
    say(f"From now on name it: set DEALSTATE_KEK={named}, or give --kek {named}")
    note(f"Backups of the keys made until now open only with {old}, from {before}.")


@keys.command(
    epilog="""\b
Examples:
  export DEALS_KEK="$(dealstate keys make)"
  dealstate keys rotate --to env:DEALS_KEK

Put it where secrets are kept, and keep a copy there: without it nobody can read what is personal or
secret."""
)
def make() -> None:
    """Make a key-encryption key for env:NAME and print it: 32 random bytes in base64.

    It is written nowhere. No store is needed.
    """
    print(encoded(secrets.token_bytes(KEY_BYTES)))
