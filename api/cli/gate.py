"""The gate of a deal: what it takes to leave a stage, and what would meet what is missing."""

from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from api.cli import shown
from api.cli.groups import AsOf, KnownAt, WantedDeal, commands
from api.cli.output import Shape, ShapeOption, print_json, say
from api.cli.terminal import terminal
from api.plain import clean
from api.queries.deals import NoSuchStage, show_gate
from api.wire.deals import DealGate
from api.wire.gates import Attestation, Gate, GateCriterion, GateEvidence

app = commands()


@app.command(
    epilog="""\b
Examples:
  dealstate gate D-0042
  dealstate gate D-0042 --stage P5
  dealstate gate D-0042 --as-of 2017-06-30 --known-at 2017-06-30

Each criterion to leave the stage is met, with the events that show it; attested, with who did so
and why; or missing, with the commands that would meet it."""
)
def gate(
    context: typer.Context,
    deal: WantedDeal,
    *,
    stage: Annotated[
        str | None,
        typer.Option(
            "--stage", metavar="STAGE", help="The stage to leave.", show_default="the deal's own"
        ),
    ] = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    shape: ShapeOption = Shape.TEXT,
) -> None:
    """Show what it takes to leave a stage, as it stood at any moment."""
    at = terminal(context)
    with at.opened() as store:
        instants = at.instants(store, as_of, known_at)
        try:
            answer = show_gate(at.readable(store, deal), instants, stage)
        except NoSuchStage as error:
            raise typer.BadParameter(str(error), param_hint="'--stage'") from None
    if shape is Shape.JSON:
        print_json(answer)
    else:
        _tell(answer, shown.point(instants, at.zone), at.zone)


def _tell(answer: DealGate, when: str, zone: ZoneInfo) -> None:
    deal = answer.deal
    say(clean(f"{deal.name}  ({shown.short_name(deal)}), {when}"))
    say()
    tell_gate(answer.gate, zone)


def tell_gate(gate: Gate, zone: ZoneInfo) -> None:
    """Print a gate: a line for each criterion, and under it what shows it or would meet it."""
    say(clean(f"To leave {gate.stage}: {gate.met} of {gate.total} met"))
    for criterion in gate.criteria:
        say()
        say(clean(f"{_mark(criterion):<9} {criterion.text.en} ({criterion.id})"))
        for line in _shown_by(criterion, zone):
            say(clean(f"{'':<9} {line}"))


def _mark(criterion: GateCriterion) -> str:
    if criterion.attested:
        return "attested"
    return "met" if criterion.met else "missing"


def _shown_by(criterion: GateCriterion, zone: ZoneInfo) -> list[str]:
    if criterion.met_by:
        told = [_attested(one, zone) for one in criterion.attestations]
        return [*told, f"to meet it: {criterion.met_by}"]
    if criterion.attested:
        return [_attested(one, zone) for one in criterion.attestations if one.aspect is None]
    told = [_event(one, zone) for one in criterion.evidence]
    return told or ["nothing stands against it"]


def _event(evidence: GateEvidence, zone: ZoneInfo) -> str:
    when = shown.day(evidence.occurred_at, zone)
    return f"{evidence.version:>4}  {when}  {evidence.what}"


def _attested(one: Attestation, zone: ZoneInfo) -> str:
    what = f" {one.aspect}" if one.aspect else ""
    verb = "attested" if one.applies else "attested as not applying"
    contact = f", contact {one.contact}" if one.contact else ""
    who = f"by {shown.person(one.by)} on {shown.day(one.occurred_at, zone)}"
    return f"{one.version:>4} {what} {verb} {who}{contact}: {one.note}"
