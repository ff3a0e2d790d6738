"""Deals: the listing, and one deal in full."""

from typing import Annotated

import typer

from api.cli import shown
from api.cli.groups import AsOf, KnownAt, WantedDeal, commands
from api.cli.output import (
    Column,
    Format,
    FormatOption,
    Shape,
    ShapeOption,
    note,
    note_caveats,
    print_json,
    print_listing,
    print_table,
)
from api.cli.portrait import tell
from api.cli.terminal import Terminal, terminal
from api.cursors import CursorError
from api.queries.deals import show_deal
from api.queries.listing import SORTS, DealListing, list_deals
from api.wire.deals import Deal, DealPage
from domain.lifecycle import Status

app = commands()


def _filter(what: str) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(metavar="VALUE", help=what)
    return option


@app.command(
    epilog="""\b
Examples:
  dealstate deals --status open --owner "Anna Lee" --sort -amount
  dealstate deals --search 压机
  dealstate deals --region West --stage P5 --format csv > west.csv
  dealstate deals --industry ""            deals whose industry is not known

Sorted by opened_at, closed_at, amount, expected_close, name or last_occurred_at; a minus in
front puts the largest first. Amounts of several currencies are sorted by their numbers."""
)
def deals(
    context: typer.Context,
    *,
    status: Annotated[
        Status | None,
        typer.Option(
            metavar="STATUS",
            help="Where it is in its life: open, suspended, won, lost, voided, merged.",
        ),
    ] = None,
    outcome: Annotated[str | None, _filter("How it ended, as in no-decision.")] = None,
    owner: Annotated[str | None, _filter("Whose it is, by id or name.")] = None,
    manager: Annotated[str | None, _filter("The manager on its team, by id or name.")] = None,
    stage: Annotated[str | None, _filter("The stage it is in.")] = None,
    region: Annotated[str | None, _filter("Sales region.")] = None,
    industry: Annotated[str | None, _filter("The customer's industry.")] = None,
    territory: Annotated[str | None, _filter("Territory.")] = None,
    product: Annotated[str | None, _filter("Product.")] = None,
    business_type: Annotated[str | None, _filter("Business type: new, add-on, renewal, …")] = None,
    currency: Annotated[str | None, _filter("Currency.")] = None,
    process: Annotated[
        str | None, _filter("Sales process and version, as in key-account/1.")
    ] = None,
    search: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="Part of the deal's or customer's name, or reference."),
    ] = None,
    sort: Annotated[str, typer.Option(metavar="[-]KEY", help="What to sort by.")] = "-opened_at",
    limit: Annotated[
        int, typer.Option(min=1, max=1_000_000, metavar="N", help="At most so many.")
    ] = 50,
    after: Annotated[
        str | None,
        typer.Option(metavar="CURSOR", help="Go on behind this cursor of an earlier listing."),
    ] = None,
    layout: FormatOption = Format.TABLE,
) -> None:
    """List deals as they stand now."""
    given = {
        "status": status,
        "outcome": outcome,
        "owner": owner,
        "manager": manager,
        "stage": stage,
        "region": region,
        "industry": industry,
        "territory": territory,
        "product": product,
        "business_type": business_type,
        "currency": currency,
        "process": process,
    }
    where = {name: str(value) for name, value in given.items() if value is not None}
    if sort.removeprefix("-") not in SORTS:
        raise typer.BadParameter(f"use one of {', '.join(SORTS)}", param_hint="'--sort'")
    at = terminal(context)
    with at.opened() as store:
        try:
            listing = DealListing(where, search, sort, limit, after)
            page = list_deals(store, at.principal(store), listing)
        except CursorError as error:
            raise typer.BadParameter(str(error), param_hint="'--after'") from None
    _print(page, layout, at)


def _print(page: DealPage, layout: Format, at: Terminal) -> None:
    match layout:
        case Format.JSON:
            print_json(page)
        case Format.CSV:
            print_listing(page.deals, Deal)
        case Format.TABLE:
            _print_page(page, at)
    if layout is not Format.JSON:
        note_caveats(page.caveats)


def _print_page(page: DealPage, at: Terminal) -> None:
    if not page.deals:
        note("No deals match.")
        return
    currency = shown.one_currency(deal.currency for deal in page.deals)
    print_table(
        [
            Column("deal"),
            Column("name", wraps=True),
            Column("status"),
            Column("stage"),
            Column(f"amount {currency or ''}".strip(), right=True),
            Column("prob", right=True, spare=True),
            Column("close"),
            Column("owner", wraps=True, spare=True),
            Column("customer", wraps=True, spare=True),
            Column("region", spare=True),
            Column("opened", spare=True),
        ],
        [_row(deal, at, currency) for deal in page.deals],
    )
    if page.cursor:
        note(f"There are more: raise --limit, or go on with --after {page.cursor}")


def _row(deal: Deal, at: Terminal, currency: str | None) -> list[str]:
    amount = shown.money(deal.amount)
    ended = shown.day(deal.closed_at, at.zone)
    return [
        shown.short_name(deal),
        deal.name,
        deal.outcome if deal.status is Status.LOST and deal.outcome else deal.status.value,
        deal.stage,
        amount.removesuffix(f" {currency}"),
        shown.percent(deal.probability),
        ended if deal.closed_at else shown.whole_day(deal.expected_close),
        shown.person(deal.owner),
        shown.text(deal.account),
        shown.text(deal.region),
        shown.day(deal.opened_at, at.zone),
    ]


@app.command(
    epilog="""\b
Examples:
  dealstate show D-0042
  dealstate show D-0042 --as-of 2017-06-30
  dealstate show D-0042 --as-of 2017-03-31 --known-at 2017-03-31
                                           what we believed on 31 March"""
)
def show(
    context: typer.Context,
    deal: WantedDeal,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    shape: ShapeOption = Shape.TEXT,
) -> None:
    """Show one deal as it stood at any moment.

    Its state, the gate of its stage, and what is on record: the exact fold of the deal's
    events. TIME is a day (its end), a date and time, or now.
    """
    at = terminal(context)
    with at.opened() as store:
        instants = at.instants(store, as_of, known_at)
        answer = show_deal(at.readable(store, deal), instants)
    if shape is Shape.JSON:
        print_json(answer)
    else:
        tell(answer, shown.point(instants, at.zone), at.zone)
