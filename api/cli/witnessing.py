"""`dealstate audit witness`: cosigning the checkpoints of other logs."""

import secrets
from pathlib import Path
from typing import Annotated

import typer

from api.cli.failures import fail
from api.cli.files import hand_over
from api.cli.groups import commands
from api.cli.output import note, say
from api.cli.proofs import keys_given
from api.cli.serve import listen
from store.seals.notes import (
    KEY_BYTES,
    NoteError,
    SignatureType,
    SigningKey,
    VerifierKey,
)
from store.seals.witness import Witness, WitnessError, create_key_file, read_key_file

app = commands()


@app.command(
    epilog="""\b
Examples:
  dealstate audit witness --log-key deals.vkey --key witness.key --state witness.json
  dealstate audit witness --log-key deals.vkey --key witness.key --state witness.json
      --listen 0.0.0.0:8421 -o witness.vkey
  dealstate audit checkpoint --witness http://witness.example:8421 --witness-key witness.vkey
  dealstate audit verify deals.checkpoint --key deals.vkey --witness-key witness.vkey

Run it on a machine that who runs the log does not run. It remembers the last checkpoint of each
log and cosigns only what extends it (C2SP tlog-witness), so one log cannot show two histories.
Keep its state: a witness that forgets has to be retired with its key."""
)
def witness(
    *,
    log_key: Annotated[
        list[str],
        typer.Option(
            "--log-key",
            metavar="VKEY|FILE",
            help="A verifier key of a log to witness; may be repeated.",
            show_default=False,
        ),
    ],
    key: Annotated[
        Path,
        typer.Option(
            "--key",
            metavar="FILE",
            help="Its own key; made where it is not there.",
            show_default=False,
        ),
    ],
    state: Annotated[
        Path,
        typer.Option(
            "--state", metavar="FILE", help="What it has cosigned last.", show_default=False
        ),
    ],
    name: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The name of a new key.", show_default="a random one"),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help="Write its verifier key there, for those who ask it and those who verify.",
        ),
    ] = None,
    address: Annotated[
        str, typer.Option("--listen", metavar="HOST:PORT", help="Where to answer; port 0: any.")
    ] = "127.0.0.1:8421",
) -> None:
    """Play a witness: cosign checkpoints of logs, as long as each extends the one before.

    Answers to POST /add-checkpoint until it is stopped.
    """
    host, port = _address(address)
    logs = [
        found
        for named in log_key
        for found in keys_given(named, "--log-key", SignatureType.ED25519)
    ]
    signing = _key(key, name or f"witness/{secrets.token_hex(4)}")
    if output is not None:
        _hand_out(signing.verifier, output)
    answering = Witness(signing, logs, state)
    listening = listen(host, port)
    bound = listening.getsockname()[1]
    say(f"Witness {signing.verifier}")
    shown = f"[{host}]" if ":" in host else host
    say(f"Answering at http://{shown}:{bound}/add-checkpoint. Stop with Ctrl-C.")
    import uvicorn

    from api.witness import create_witness

    config = uvicorn.Config(create_witness(answering), log_level="warning", server_header=False)
    uvicorn.Server(config).run(sockets=[listening])


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isascii() or not port.isdigit() or int(port) > 65_535:
        raise typer.BadParameter(f"{text!r} is not HOST:PORT", param_hint="'--listen'")
    return host.removeprefix("[").removesuffix("]"), int(port)


def _hand_out(key: VerifierKey, path: Path) -> None:
    """Write the verifier key to a file, unless it stands there already."""
    text = f"{key}\n"
    try:
        if path.exists() and path.read_bytes() == text.encode():
            return
    except OSError as error:
        fail("file-not-written", f"{path}: {error.strerror}")
    hand_over(text, path)


def _key(path: Path, name: str) -> SigningKey:
    try:
        if not path.exists():
            made = SigningKey.from_seed(
                name, SignatureType.COSIGNATURE, secrets.token_bytes(KEY_BYTES)
            )
            create_key_file(path, made)
            note(f"Made the key of a new witness in {path}. Keep a copy of it.")
        return read_key_file(path)
    except NoteError as error:
        raise typer.BadParameter(str(error), param_hint="'--name'") from None
    except WitnessError as error:
        fail("witness-unusable", str(error))
    except OSError as error:
        fail("witness-unusable", f"{path}: {error.strerror}")
