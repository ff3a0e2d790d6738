"""`dealstate disclose`: the value of one encrypted field, so that others can check it."""

from typing import Annotated

import typer

from api.cli.files import hand_over
from api.cli.groups import WantedDeal, commands
from api.cli.output import Shape, ShapeOption, print_json
from api.cli.proofs import ToFile, Version
from api.cli.terminal import terminal
from api.queries.proofs import disclose as disclosed
from api.wire.proofs import ProofText

app = commands()


@app.command(
    epilog="""\b
Examples:
  dealstate disclose D-0042 17 summary -o summary.receipt
  dealstate audit verify summary.receipt --key deals.vkey

Everything else in the event stays encrypted. That the field was disclosed, and by whom, is
recorded, and stands in `dealstate audit trail`. What was erased nobody can disclose any more."""
)
def disclose(
    context: typer.Context,
    deal: WantedDeal,
    version: Version,
    field: Annotated[
        str,
        typer.Argument(
            metavar="FIELD", help="A personal or secret field of that event.", show_default=False
        ),
    ],
    *,
    output: ToFile = None,
    shape: ShapeOption = Shape.TEXT,
) -> None:
    """Hand out one encrypted field of one event, in a receipt that proves it was recorded so."""
    at = terminal(context)
    with at.opened() as store:
        text = disclosed(
            at.readable(store, deal), version, field, at.principal(store), source="cli"
        )
    if shape is Shape.JSON:
        print_json(ProofText(text))
    if shape is Shape.TEXT or output is not None:
        hand_over(text, output)
