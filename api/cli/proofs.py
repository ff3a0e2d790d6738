"""`dealstate audit`: receipts and proofs of consistency, and verifying them without a store."""

from pathlib import Path
from typing import Annotated

import typer

from api.cli.files import hand_over, write_all
from api.cli.groups import WantedDeal, commands
from api.cli.output import Shape, ShapeOption, note, print_json, say
from api.cli.terminal import terminal
from api.plain import clean
from api.queries.proofs import receipt as receipt_of
from api.queries.proofs import receipts as receipts_of
from api.wire.proofs import ProofText, ProofTexts, Verification
from store.seals.bundle import bundle
from store.seals.notes import NoteError, SignatureType, VerifierKey
from store.seals.verify import Trust, answering, read_file, read_keys, report_files, verify_files

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
  dealstate audit verify won.receipt --key deals.vkey
  dealstate audit receipt D-0042 --all -o D-0042/
  dealstate audit verify D-0042/* --key deals.vkey

With --all come the receipts of all versions of the deal, under one checkpoint. They show that each
of these is in the log and that none of them is left out. That no version came after, or that the
log holds nothing else about the deal, receipts cannot show: for that somebody has to check the
whole log, with `dealstate audit fsck`."""
)
def receipt(
    context: typer.Context,
    deal: WantedDeal,
    version: Annotated[
        int | None,
        typer.Argument(
            min=1, metavar="VERSION", help="An event of the deal, by version.", show_default=False
        ),
    ] = None,
    *,
    every: Annotated[
        bool, typer.Option("--all", help="Every version of the deal, a file for each.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE|DIR",
            help="Write it to this file; with --all, into this folder.",
            show_default="print it",
        ),
    ] = None,
    shape: ShapeOption = Shape.TEXT,
) -> None:
    """Prove of one event that it is in the log, to whoever has the log's verifier key.

    The receipt (C2SP tlog-proof) holds the event as it is stored: what is personal or secret
    in it stays encrypted. It stays valid whatever happens to the store.
    """
    if every == (version is not None):
        raise typer.BadParameter("name one version, or give --all", param_hint="'VERSION'")
    if every and output is None and shape is Shape.TEXT:
        raise typer.BadParameter("--all needs a folder to write to", param_hint="'-o'")
    at = terminal(context)
    with at.opened() as store:
        view = at.readable(store, deal)
        if version is not None:
            _give(receipt_of(view, version), output, shape)
            return
        texts = receipts_of(view)
    if output is not None:
        width = len(str(len(texts)))
        write_all(
            output, {f"{at:0{width}}.receipt": text for at, text in enumerate(texts, start=1)}
        )
    if shape is Shape.JSON:
        print_json(ProofTexts(texts))


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
  dealstate audit verify deals.checkpoint --key deals.vkey --witness-key all.vkey --witnesses 2

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
    """Verify receipts, proofs of consistency and checkpoints, offline.

    Files of one log are also held against each other. Two that tell different histories of it do
    not verify; of those that no proof of consistency relates, it is said that they were not
    compared.
    """
    trust = _trust(key, witness_key or [], witnesses)
    results, versions = verify_files(((str(path), _read(path)) for path in files), trust)
    with answering():
        if shape is Shape.JSON:
            print_json(Verification.of(results, versions))
        else:
            for line in report_files(results, versions):
                say(line)
    if not all(one.verified for one in results):
        raise typer.Exit(_FAILED)


def _trust(keys: list[str], witness_keys: list[str], witnesses: int | None) -> Trust:
    own = [found for named in keys for found in keys_given(named, "--key", SignatureType.ED25519)]
    others = [
        found
        for named in witness_keys
        for found in keys_given(named, "--witness-key", SignatureType.COSIGNATURE)
    ]
    needed = min(1, len(others)) if witnesses is None else witnesses
    try:
        return Trust(tuple(own), tuple(others), needed)
    except NoteError as error:
        raise typer.BadParameter(str(error)) from None


def keys_given(named: str, option: str, kind: SignatureType) -> list[VerifierKey]:
    """The keys that an option names, which have to be of a log or of witnesses."""
    try:
        found = read_keys(named)
    except (NoteError, OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(str(error), param_hint=f"'{option}'") from None
    if any(key.type is not kind for key in found):
        whose = "a log" if kind is SignatureType.ED25519 else "a witness"
        raise typer.BadParameter(
            f"the key of {whose} is one of type 0x{kind:02x}", param_hint=f"'{option}'"
        )
    return found


def _read(path: Path) -> bytes:
    try:
        return read_file(path)
    except (NoteError, OSError) as error:
        raise typer.BadParameter(clean(str(error)), param_hint="'FILE…'") from None


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
