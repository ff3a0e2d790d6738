"""Handing the deals of one user to another."""

from typing import Annotated
from uuid import uuid4

import msgspec
import typer

from api.cli.failures import fail
from api.cli.groups import commands
from api.cli.output import Column, Shape, ShapeOption, note, print_json, print_table, say
from api.cli.progress import Progress
from api.cli.terminal import terminal
from api.plain import clean
from api.queries.listing import references_of
from api.queries.users import named_user
from api.reassigning import reassign as hand_over
from api.wire.reassignments import Reassigned, WantedDeals, WantedReassignment
from domain.intent import Intent

app = commands()

FILTERS = WantedDeals.__struct_fields__


@app.command(
    epilog="""\b
Examples:
  dealstate reassign --from anna --to ben --dry-run
  dealstate reassign --from "Anna Lee" --to ben --reason "Anna is on leave."
  dealstate reassign --from anna --to ben --where territory="US Midwest"
  dealstate reassign --from anna --to ben --deal d-1 --deal d-7"""
)
def reassign(
    context: typer.Context,
    *,
    from_owner: Annotated[
        str,
        typer.Option("--from", metavar="USER", help="Whose deals, by id or name."),
    ],
    to_owner: Annotated[
        str,
        typer.Option("--to", metavar="USER", help="Who owns them from now on, by id or name."),
    ],
    where: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FIELD=VALUE",
            help=f"Only deals with this value of {', '.join(FILTERS)}. May be given again, for"
            " another field.",
        ),
    ] = None,
    deal: Annotated[
        list[str] | None,
        typer.Option(metavar="DEAL", help="Only this deal, by id. May be given again."),
    ] = None,
    reason: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Why; recorded on each deal.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell what would be done; record nothing.")
    ] = False,
    shape: ShapeOption = Shape.TEXT,
) -> None:
    """Hand the deals of a user that are not over to another user.

    Each by a change of its owner, as if recorded alone. What is refused is told, and the exit code
    is then 1. Run again after it was interrupted, it goes on with the deals that are left.
    """
    at, found = terminal(context), _wanted(where or [])
    with at.opened() as store, Progress("Reassigning", "deals") as progress:
        asked = _asked(
            found,
            from_owner=named_user(store, from_owner),
            to_owner=named_user(store, to_owner),
            deals=tuple(deal or ()),
            reason=reason,
            dry_run=dry_run,
        )
        now = store.now()
        intent = Intent(str(uuid4()), at.principal(store), "cli", now=now, occurred_at=now)

        def go_on(done: int, of: int) -> bool:
            progress.reached(done, of)
            return True

        report, _ = hand_over(store, asked, intent, go_on)
        called = references_of(store, _named(report))
    if shape is Shape.JSON:
        print_json(report)
    else:
        _tell(report, called)
    if report.refused:
        raise typer.Exit(1)


def _wanted(given: list[str]) -> WantedDeals:
    """The filter. Raises BadParameter."""
    pairs = [text.partition("=") for text in given]
    for name, equals, _ in pairs:
        if not equals or name not in FILTERS:
            raise typer.BadParameter(
                f"{name!r} is none of {', '.join(FILTERS)} with = and a value",
                param_hint="'--where'",
            )
    return WantedDeals(**{name: value for name, _, value in pairs})


def _asked(where: WantedDeals, **fields: object) -> WantedReassignment:
    """What is asked, as far as it can be."""
    given = {name: value for name, value in fields.items() if value is not None}
    try:
        return msgspec.convert({**given, "where": where}, WantedReassignment, from_attributes=True)
    except msgspec.ValidationError as error:
        fail("invalid-parameter", f"{error}.")


def _named(report: Reassigned) -> set[str]:
    told = {one.deal_id for one in report.done} | {one.deal_id for one in report.refused}
    return told | set(report.left)


def _tell(report: Reassigned, called: dict[str, str]) -> None:
    would = "Would hand over" if report.dry_run else "Handed over"
    say(f"{would} {_counted(len(report.done))}.")
    for one in report.done:
        say(clean(f"  {called[one.deal_id]}"))
    if report.refused:
        note(f"Refused for {_counted(len(report.refused))}:")
        print_table(
            [Column("deal"), Column("code"), Column("why", wraps=True)],
            [[called[one.deal_id], one.code, one.detail] for one in report.refused],
        )
    if report.left:
        note(f"Not theirs, over, or not there: {clean(', '.join(report.left))}.")


def _counted(number: int) -> str:
    return f"{number:,} {'deal' if number == 1 else 'deals'}"
