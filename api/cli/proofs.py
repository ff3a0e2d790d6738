"""`dealstate audit`: receipts and proofs of consistency, and verifying them without a store."""

from pathlib import Path
from typing import Annotated

import typer

from api.cli.files import hand_over
from api.cli.groups import WantedDeal, commands
from api.cli.output import Shape, ShapeOption, clean, note, print_json, say
from api.cli.terminal import terminal
from api.queries.proofs import receipt as receipt_of
from api.wire.proofs import ProofText, Verification, VerifiedFile
from store.seals.bundle import bundle
from store.seals.notes import NoteError, VerifierKey
from store.seals.proofs import MAX_FILE_CHARACTERS
from store.seals.verify import Trust, VerificationFailed, read_keys, report, verify_text

app = commands()

ToFile = Annotated[
    Path | None,
    typer.Option(
        "-o", "--output", metavar="FILE", help="Write it to this file.", show_default="print it"
    ),
]
Version = Annotated[
    int,
    typer.Argument(
        min=1, metavar="VERSION", help="An event of the deal, by version.", show_default=False
    ),
]

_FAILED = 3


@app.command(
    epilog="""\b
Examples:
  dealstate audit receipt D-0042 17 -o won.receipt
  dealstate audit verify won.receipt --key deals.vkey"""
)
def receipt(
    context: typer.Context,
    deal: WantedDeal,
    version: Version,
    output: ToFile = None,
    shape: ShapeOption = Shape.TEXT,
) -> None:
    """Prove of one event that it is in the log, to whoever has the log's verifier key.

    The receipt (C2SP tlog-proof) holds the event as it is stored: what is personal or secret
    in it stays encrypted. It stays valid whatever happens to the store.
    """
    at = terminal(context)
    with at.opened() as store:
        text = receipt_of(at.readable(store, deal), version)
    _give(text, output, shape)


def _give(text: str, output: Path | None, shape: Shape) -> None:
    if shape is Shape.JSON:
        print_json(ProofText(text))
    if shape is Shape.TEXT or output is not None:
        hand_over(text, output)


@app.command(
    epilog="""\b
Examples:
  dealstate audit consistency 1200 1544 -o november.consistency
  dealstate audit verify november.consistency --key deals.vkey"""
)
def consistency(
    context: typer.Context,
    old: Annotated[int, typer.Argument(min=1, metavar="OLD", help="Size of the older checkpoint.")],
    new: Annotated[int, typer.Argument(min=1, metavar="NEW", help="Size of the newer checkpoint.")],
    output: ToFile = None,
    shape: ShapeOption = Shape.TEXT,
) -> None:
    """Prove of two checkpoints that nothing under the older one has changed since.

    Checkpoints are named by how many events they are of.
    """
    at = terminal(context)
    with at.opened() as store:
        at.audited(store)
        text = store.notary.consistency(old, new)
    _give(text, output, shape)


@app.command(
    epilog="""\b
Examples:
  dealstate audit verify won.receipt november.consistency --key deals.vkey
  dealstate audit verify deals.checkpoint --key deals.vkey --witness-key witness.vkey

No store is needed. Keys are given as text or as a file with one in each line; `dealstate keys show
--public` prints those of a store. Exit code 3: a file does not verify."""
)
def verify(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE…",
            help="Receipts, proofs of consistency, checkpoints.",
            show_default=False,
            exists=True,
            dir_okay=False,
            readable=True,
        ),
    ],
    *,
    key: Annotated[
        list[str],
        typer.Option(
            "--key",
            metavar="VKEY|FILE",
            help="A verifier key of the log; may be repeated.",
            show_default=False,
        ),
    ],
    witness_key: Annotated[
        list[str] | None,
        typer.Option(
            "--witness-key", metavar="VKEY|FILE", help="One of a witness; may be repeated."
        ),
    ] = None,
    witnesses: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="N",
            help="How many of the witnesses must have cosigned.",
            show_default="1 where witnesses are named",
        ),
    ] = None,
    shape: ShapeOption = Shape.TEXT,
) -> None:
    """Verify receipts, proofs of consistency and checkpoints, offline."""
    trust = _trust(key, witness_key or [], witnesses)
    results = [_verified(path, trust) for path in files]
    if shape is Shape.JSON:
        print_json(Verification([found for found, _ in results]))
    else:
        for found, lines in results:
            if found.verified:
                say(clean(f"{found.file}: verified"))
            else:
                say(clean(f"{found.file}: NOT VERIFIED: {found.problem}"))
            for line in lines:
                say(line)
    if not all(found.verified for found, _ in results):
        raise typer.Exit(_FAILED)


def _trust(keys: list[str], witness_keys: list[str], witnesses: int | None) -> Trust:
    own = [found for named in keys for found in _keys(named, "--key")]
    others = [found for named in witness_keys for found in _keys(named, "--witness-key")]
    needed = min(1, len(others)) if witnesses is None else witnesses
    try:
        return Trust(tuple(own), tuple(others), needed)
    except NoteError as error:
        raise typer.BadParameter(str(error)) from None


def _keys(named: str, option: str) -> list[VerifierKey]:
    try:
        return read_keys(named)
    except (NoteError, OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(str(error), param_hint=f"'{option}'") from None


def _verified(path: Path, trust: Trust) -> tuple[VerifiedFile, list[str]]:
    """What a file shows, and the same in words."""
    try:
        with path.open("rb") as file:
            text = file.read(4 * MAX_FILE_CHARACTERS + 1).decode()
        finding = verify_text(text, trust)
    except UnicodeDecodeError:
        return _unverified(path, "the file is not UTF-8 text"), []
    except VerificationFailed as error:
        return _unverified(path, str(error)), []
    return VerifiedFile.of(str(path), finding), report(finding)


def _unverified(path: Path, problem: str) -> VerifiedFile:
    return VerifiedFile(file=str(path), verified=False, problem=problem)


@app.command(
    epilog="""\b
Examples:
  dealstate audit verifier -o verify.pyz
  python verify.pyz won.receipt --key deals.vkey"""
)
def verifier(
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE", help="Where to write it.")
    ] = Path("verify.pyz"),
) -> None:
    """Write the verifier as one file, to hand out together with receipts.

    It runs with any Python that has the package cryptography, without dealstate.
    """
    try:
        bundle(output)
    except OSError as error:
        raise typer.BadParameter(f"{output}: {error.strerror}", param_hint="'-o'") from None
    note(f"Wrote {output}.")
