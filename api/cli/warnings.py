"""Early warnings: the rules over all running deals."""

from typing import Annotated

import msgspec
import typer

from api.cli import shown
from api.cli.filters import conditions
from api.cli.groups import AsOf, KnownAt, commands
from api.cli.output import (
    Column,
    Format,
    FormatOption,
    note,
    note_caveats,
    print_csv,
    print_json,
    print_table,
    say,
)
from api.cli.progress import Progress
from api.cli.remarks import MARKS, print_findings
from api.cli.terminal import Terminal, terminal
from api.plain import clean
from api.queries.warnings import WarningsQuery, require_rules, warnings_at
from api.wire.warnings import Warned, Warnings
from projections.findings import Weight
from projections.pipeline import DIMENSIONS

app = commands()

_ALL = 1_000_000
"""More deals than are ever judged at once."""


@app.command(
    epilog=f"""\b
Examples:
  dealstate warnings
  dealstate warnings --least mistake --where owner="Anna Lee"
  dealstate warnings --rule gone-silent --rule next-step-missing
  dealstate warnings --as-of 2026-03-31 --known-at 2026-03-31     what we could have known then

Deals are open or suspended at the moment asked for. docs/findings.md tells what each rule looks
at. Dimensions: {", ".join(DIMENSIONS)}."""
)
def warnings(
    context: typer.Context,
    *,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    where: Annotated[
        list[str] | None,
        typer.Option(metavar="DIM=VALUE", help="Only deals with this value. May be given again."),
    ] = None,
    rule: Annotated[
        list[str] | None,
        typer.Option(metavar="RULE", help="Only this rule. May be given again."),
    ] = None,
    least: Annotated[
        Weight, typer.Option(metavar="note|mistake|blunder", help="Nothing lighter.")
    ] = Weight.NOTE,
    limit: Annotated[
        int, typer.Option(min=1, max=_ALL, metavar="N", help="At most so many deals.")
    ] = 20,
    layout: FormatOption = Format.TABLE,
) -> None:
    """Show what the rules of good practice warn of on running deals."""
    at = terminal(context)
    wanted = WarningsQuery(conditions(where or []), _rules(rule or []), least, _ALL)
    with at.opened() as store, Progress("Judging", "deals") as progress:
        instants = at.instants(store, as_of, known_at)
        try:
            every = warnings_at(store, at.principal(store), instants, wanted, progress.reached)
        except ValueError as error:
            raise typer.BadParameter(str(error), param_hint="'--where'") from None
    answer = msgspec.structs.replace(every, deals=every.deals[:limit])
    match layout:
        case Format.JSON:
            print_json(answer)
        case Format.CSV:
            _print_csv(answer)
        case Format.TABLE:
            _print(answer, len(every.deals), shown.point(instants, at.zone), at)
    if layout is not Format.JSON:
        note_caveats(answer.caveats)


def _rules(given: list[str]) -> list[str]:
    try:
        require_rules(given)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="'--rule'") from None
    return given


def _print(answer: Warnings, warned: int, when: str, at: Terminal) -> None:
    """`warned` is how many deals have a warning, shown or not."""
    say(
        f"{answer.deals_judged:,} running deals judged {when}; {warned:,} have a warning, "
        f"{len(answer.deals):,} shown"
    )
    if warned > len(answer.deals):
        note(f"{warned - len(answer.deals):,} more deals have a warning: raise --limit.")
    for one in answer.deals:
        say()
        say(clean(_title(one)))
        print_findings(one.findings, at.zone)
    say()
    if not warned:
        silent = sum(1 for one in answer.rules if one.not_assessable)
        say(
            f"No rule warns. {silent} of {len(answer.rules)} rules could not tell of every deal, "
            "for lack of anything on record that they look at."
        )
        return
    print_table(
        [Column("rule"), Column("deals warned", right=True), Column("cannot tell", right=True)],
        [
            [one.rule, shown.number(one.warned), shown.number(one.not_assessable)]
            for one in answer.rules
            if one.warned or one.not_assessable
        ],
    )


def _title(one: Warned) -> str:
    deal = one.deal
    parts = [deal.stage, shown.money(deal.amount), shown.person(deal.owner)]
    return f"{shown.short_name(deal)}  {deal.name}  ({', '.join(parts)})"


def _print_csv(answer: Warnings) -> None:
    print_csv(
        ["deal", "reference", "rule", "weight", "mark", "since", "evidence", "sentence"],
        [
            [
                one.deal.id,
                one.deal.reference or "",
                finding.rule,
                finding.weight.value,
                MARKS[finding.weight],
                finding.since,
                " ".join(map(str, finding.evidence)),
                finding.sentence.en,
            ]
            for one in answer.deals
            for finding in one.findings
        ],
    )
