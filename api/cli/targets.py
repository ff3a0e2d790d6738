"""Targets: what is to be won in a period, by whom or where."""

from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer

from api.cli import shown
from api.cli.failures import fail
from api.cli.groups import KnownAt, commands
from api.cli.output import (
    Column,
    Format,
    FormatOption,
    Shape,
    ShapeOption,
    note,
    print_json,
    print_listing,
    print_table,
    say,
)
from api.cli.progress import Progress
from api.cli.terminal import Terminal, terminal
from api.exchange.csv_files.map import Delimiter
from api.exchange.report import ImportFailure
from api.exchange.targets import import_targets
from api.plain import clean, clean_lines
from api.queries.targets import list_targets
from api.queries.users import named_user
from api.wire.targets import Target
from api.workspace import Workspace
from domain.intent import Intent
from domain.organisation import Organisation
from domain.targets import SetTarget, TargetSet, describe, target_amount
from domain.values import Money
from projections.calendar import Period, PeriodError

app = commands()
targets = commands(help="What is to be won in a period.", no_args_is_help=True)
app.add_typer(targets, name="targets")

WantedPeriod = Annotated[
    str,
    typer.Argument(
        metavar="PERIOD",
        help="2026, 2026-Q1, 2026-03 or 2026-01-15..2026-02-14.",
        show_default=False,
    ),
]
OfOwner = Annotated[
    str | None, typer.Option("--owner", metavar="USER", help="For a user, by id or name.")
]
OfTerritory = Annotated[
    str | None, typer.Option("--territory", metavar="NAME", help="For a territory.")
]
OfUnit = Annotated[str | None, typer.Option("--unit", metavar="UNIT", help="For a unit, by id.")]


@app.callback()
def _group() -> None:
    """Hold the group."""


@targets.command(
    "set",
    epilog="""\b
Examples:
  dealstate targets set 2026-Q1 1500000 --currency EUR
  dealstate targets set 2026-Q1 400000 --currency EUR --owner "Anna Lee"
  dealstate targets set 2026 2000000 --currency USD --territory "US Midwest"

Without --owner, --territory and --unit it is for all. A target set again replaces the one before,
which stays on record.""",
)
def set_(
    context: typer.Context,
    period: WantedPeriod,
    amount: Annotated[
        str, typer.Argument(metavar="AMOUNT", help="What is to be won.", show_default=False)
    ],
    *,
    currency: Annotated[str, typer.Option(metavar="CODE", help="Currency of the amount.")],
    owner: OfOwner = None,
    territory: OfTerritory = None,
    unit: OfUnit = None,
) -> None:
    """Set a target for a period."""
    try:
        money = target_amount(amount, currency)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="'AMOUNT'") from None
    _carry_out(terminal(context), period, money, owner=owner, territory=territory, unit=unit)


@targets.command(
    epilog="""\b
Examples:
  dealstate targets drop 2026-Q1
  dealstate targets drop 2026-Q1 --owner "Anna Lee\""""
)
def drop(
    context: typer.Context,
    period: WantedPeriod,
    *,
    owner: OfOwner = None,
    territory: OfTerritory = None,
    unit: OfUnit = None,
) -> None:
    """Take a target back, in every currency. It stays on record."""
    _carry_out(terminal(context), period, None, owner=owner, territory=territory, unit=unit)


def _carry_out(
    at: Terminal,
    period: str,
    amount: Money | None,
    *,
    owner: str | None,
    territory: str | None,
    unit: str | None,
) -> None:
    """Set or take back a target now, and tell what it led to."""
    with at.opened() as store:
        days, now = _period(store, period), store.now()
        whose = None if owner is None else named_user(store, owner)
        intent = Intent(
            command_id=str(uuid4()),
            principal=at.principal(store),
            source="cli",
            now=now,
            occurred_at=now,
        )
        command = SetTarget(days.first, days.last, amount, whose, territory, unit)
        handled = store.log.set_target(command, intent)
    if not handled.events:
        say("Nothing changed.")
    for event in handled.events:
        assert isinstance(event.fact, TargetSet)
        what = describe(event.fact)
        say(clean(f"{what[0].upper()}{what[1:]}."))


def _period(store: Workspace, text: str) -> Period:
    try:
        return store.calendar.period(text)
    except PeriodError as error:
        raise typer.BadParameter(str(error), param_hint="'PERIOD'") from None


@targets.command(
    "import",
    epilog="""\b
Examples:
  dealstate targets import targets.csv --dry-run

where targets.csv holds
  period,owner,territory,unit,amount,currency
  2026-Q1,Anna Lee,,,400000,EUR
  2026-Q1,,US Midwest,,2000000,USD

Each row sets a target, for at most one of owner, territory and unit. Importing again changes
nothing. Every row that is left out is told, with its line and reason.""",
)
def import_(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The targets as CSV.", show_default=False)
    ],
    *,
    delimiter: Annotated[
        Delimiter | None,
        typer.Option(
            metavar="|".join(Delimiter),
            help="What stands between two cells.",
            show_default="what the first line has most of",
        ),
    ] = None,
    encoding: Annotated[str, typer.Option(metavar="NAME", help="Encoding of the file.")] = "utf-8",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell what would be imported; record nothing.")
    ] = False,
    shape: ShapeOption = Shape.TEXT,
) -> None:
    """Import targets from a file, with a report of every gap."""
    at = terminal(context)
    with at.opened() as store, Progress("Importing", "targets") as progress:
        try:
            report = import_targets(
                store,
                file,
                at.principal(store),
                encoding=encoding,
                delimiter=None if delimiter is None else delimiter.character,
                dry_run=dry_run,
                on_progress=progress.reached,
            )
        except ImportFailure as error:
            fail("import-failed", str(error))
        if not dry_run:
            store.notary.checkpoint()
    told = report.as_json() if shape is Shape.JSON else report.as_text()
    say(clean_lines(told).rstrip("\n"))


@targets.command(
    "list",
    epilog="""\b
Examples:
  dealstate targets list
  dealstate targets list --known-at 2026-03-31 --format csv""",
)
def list_(
    context: typer.Context,
    *,
    known_at: KnownAt = None,
    layout: FormatOption = Format.TABLE,
) -> None:
    """List the targets that count."""
    at = terminal(context)
    with at.opened() as store:
        known = at.instant(known_at, "--known-at", store.now())
        answer, organisation = list_targets(store, known_at=known), store.log.organisation()
    match layout:
        case Format.JSON:
            print_json(answer)
        case Format.CSV:
            print_listing(answer.targets, Target)
        case Format.TABLE if not answer.targets:
            note("There are no targets. Set one: dealstate targets set PERIOD AMOUNT")
        case Format.TABLE:
            print_table(
                [
                    Column("period"),
                    Column("for", wraps=True),
                    Column("target", right=True),
                ],
                [
                    [one.period, _whose(one, organisation), shown.money(one.amount)]
                    for one in answer.targets
                ],
            )


def _whose(one: Target, organisation: Organisation) -> str:
    if one.owner is not None:
        return shown.person(one.owner)
    if one.unit is not None:
        unit = organisation.directory.units.get(one.unit)
        return unit.name if unit else one.unit
    return one.territory or "all"
