"""Exchange rates: importing them, looking them up, setting one by hand."""

from datetime import date, datetime
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer

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
from api.exchange.rates.run import import_rates
from api.exchange.report import ImportFailure
from api.plain import clean, clean_lines
from api.queries.rates import NoRate, list_rates, work_out_rate
from api.wire.rates import ExchangeRate
from api.workspace import Workspace
from domain.intent import Intent
from domain.rates import ExchangeRatesPublished, PublishRates, Quote, describe

app = commands()
rates = commands(help="Exchange rates, by the day they are of.", no_args_is_help=True)
app.add_typer(rates, name="rates")


@app.callback()
def _group() -> None:
    """Hold the group."""


@rates.command(
    "import",
    epilog="""\b
Examples:
  dealstate rates import eurofxref-hist.csv
  dealstate rates import rates.csv --base USD --dry-run
  dealstate rates import kurse.csv --delimiter ";"

where the file has a rate in each row
  date,base,currency,rate
  2026-06-30,EUR,USD,1.0812

or a day in each row, as the European Central Bank publishes its reference rates
  Date,USD,JPY,GBP,
  2026-06-30,1.0812,157.3,0.8551,

A rate says how much of the currency one unit of the base is worth. It counts as known since the end
of its day; a correction of a rate that was on record, since it is recorded. What the file says is
on record then; importing it again changes nothing.
Every row or rate that is left out is told, with its line and reason.""",
)
def import_(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The rates as CSV.", show_default=False)
    ],
    *,
    base: Annotated[
        str | None,
        typer.Option(
            metavar="CODE",
            help="The base where the file names none.",
            show_default="EUR for a day in each row",
        ),
    ] = None,
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
    """Import rates from a file, with a report of every gap."""
    at = terminal(context)
    with at.opened() as store, Progress("Importing", "days") as progress:
        try:
            report = import_rates(
                store,
                file,
                at.principal(store),
                base=base,
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


@rates.command(
    "list",
    epilog="""\b
Examples:
  dealstate rates list
  dealstate rates list --base EUR --currency USD --since 2026-01-01 --format csv""",
)
def list_(
    context: typer.Context,
    *,
    base: Annotated[
        str | None, typer.Option(metavar="CODE", help="Only rates of this base.")
    ] = None,
    currency: Annotated[
        str | None, typer.Option(metavar="CODE", help="Only rates of this currency.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="DAY",
            help="All rates from this day on.",
            show_default="the newest of each currency",
        ),
    ] = None,
    known_at: KnownAt = None,
    layout: FormatOption = Format.TABLE,
) -> None:
    """List rates as they were published."""
    at = terminal(context)
    with at.opened() as store:
        now = store.now()
        answer = list_rates(
            store,
            base=base,
            currency=currency,
            since=None if since is None else _day(at, since, "--since", now),
            known_at=at.instant(known_at, "--known-at", now),
        )
    match layout:
        case Format.JSON:
            print_json(answer)
        case Format.CSV:
            print_listing(answer.rates, ExchangeRate)
        case Format.TABLE if not answer.rates:
            note("There are no such rates. Import some: dealstate rates import FILE")
        case Format.TABLE:
            print_table(
                [Column("base"), Column("currency"), Column("day"), Column("rate", right=True)],
                [[one.base, one.currency, one.day, one.rate] for one in answer.rates],
            )


@rates.command(
    epilog="""\b
Examples:
  dealstate rates show USD EUR
  dealstate rates show USD CNY --as-of 2026-03-31 --known-at 2026-04-15"""
)
def show(
    context: typer.Context,
    source: Annotated[str, typer.Argument(metavar="FROM", help="A currency.", show_default=False)],
    target: Annotated[str, typer.Argument(metavar="TO", help="Another one.", show_default=False)],
    *,
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", metavar="DAY", help="On which day.", show_default="today"),
    ] = None,
    known_at: KnownAt = None,
    shape: ShapeOption = Shape.TEXT,
) -> None:
    """Show what one unit of a currency was worth in another.

    By the newest rates on or before the day: a published one, the inverse of one, or two of
    a common base.
    """
    at = terminal(context)
    with at.opened() as store:
        now = store.now()
        day, known = (
            _day(at, "now" if as_of is None else as_of, "--as-of", now),
            at.instant(known_at, "--known-at", now),
        )
        try:
            answer = work_out_rate(store, source, target, day, known)
        except NoRate as error:
            fail("rate-not-found", str(error), "Import some: dealstate rates import FILE")
    if shape is Shape.JSON:
        print_json(answer)
        return
    of = "" if answer.day == answer.as_of else f", of {answer.day}"
    say(f"1 {answer.source} = {answer.rate} {answer.target} on {answer.as_of}{of}")


@rates.command(
    "set",
    epilog="""\b
Examples:
  dealstate rates set EUR USD 1.0812
  dealstate rates set EUR USD 1.0821 --day 2026-06-30      a correction""",
)
def set_(
    context: typer.Context,
    base: Annotated[
        str,
        typer.Argument(metavar="BASE", help="The currency that is quoted.", show_default=False),
    ],
    currency: Annotated[
        str, typer.Argument(metavar="CURRENCY", help="In which currency.", show_default=False)
    ],
    rate: Annotated[
        str,
        typer.Argument(
            metavar="RATE", help="How much of it one unit of the base is worth.", show_default=False
        ),
    ],
    *,
    day: Annotated[
        str | None,
        typer.Option(metavar="DAY", help="The first day it holds.", show_default="today"),
    ] = None,
) -> None:
    """Set or correct a rate by hand. It is known from now on."""
    at = terminal(context)
    with at.opened() as store:
        now = store.now()
        from_day = _day(at, "now" if day is None else day, "--day", now)
        wanted = PublishRates(base, from_day, (Quote(currency, rate),))
        handled = store.log.publish_rates(wanted, _intent(store, at, now), store.zone)
    if not handled.events:
        say("Nothing changed.")
    for event in handled.events:
        assert isinstance(event.fact, ExchangeRatesPublished)
        what = describe(event.fact)
        say(clean(f"{what[0].upper()}{what[1:]}."))


def _day(at: Terminal, text: str, option: str, now: datetime) -> date:
    found = at.instant(text, option, now)
    assert found is not None
    return found.astimezone(at.zone).date()


def _intent(store: Workspace, at: Terminal, now: datetime) -> Intent:
    return Intent(
        command_id=str(uuid4()),
        principal=at.principal(store),
        source="cli",
        now=now,
        occurred_at=now,
    )
