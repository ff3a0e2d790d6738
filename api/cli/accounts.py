"""Customer organisations, across their deals."""

from typing import Annotated

import typer

from api.cli import shown
from api.cli.drilldown import note_rates
from api.cli.groups import commands
from api.cli.output import (
    Column,
    Format,
    FormatOption,
    Shape,
    ShapeOption,
    note,
    note_caveats,
    print_csv,
    print_json,
    print_table,
    say,
)
from api.cli.terminal import Terminal, terminal
from api.cursors import CursorError
from api.plain import clean
from api.queries.accounts import (
    AccountOrder,
    AccountQuery,
    AmountsNeedACurrency,
    list_accounts,
    show_account,
)
from api.wire.accounts import AccountDetail, AccountList, AccountMoney, CustomerAccount
from api.wire.values import Amount

app = commands()

Currency = Annotated[
    str | None,
    typer.Option(metavar="CODE", help="Report all amounts in this currency, as in EUR."),
]


@app.command(
    "accounts",
    epilog="""\b
Examples:
  dealstate accounts
  dealstate accounts --sort won --currency EUR --limit 10
  dealstate accounts --search steel

Won is the contract value of all deals ever won there; open what is open now. Deals that were
merged into another one count nowhere. With --currency, amounts are converted with the exchange
rates of today; what has no rate stands in its own currency.""",
)
def list_the_accounts(
    context: typer.Context,
    *,
    search: Annotated[
        str, typer.Option(metavar="TEXT", help="Only those whose name or id holds it.")
    ] = "",
    sort: Annotated[
        AccountOrder,
        typer.Option(help="Names from A, numbers from the largest; amounts need --currency."),
    ] = AccountOrder.NAME,
    currency: Currency = None,
    limit: Annotated[
        int, typer.Option(min=1, max=10_000, metavar="N", help="At most so many.")
    ] = 50,
    after: Annotated[
        str | None, typer.Option(metavar="CURSOR", help="Go on where an earlier list ended.")
    ] = None,
    layout: FormatOption = Format.TABLE,
) -> None:
    """List the customer organisations: deals, won value, open pipeline, win rate."""
    at = terminal(context)
    with at.opened() as store:
        query = AccountQuery(search, sort, currency, limit, after)
        try:
            answer = list_accounts(store, at.principal(store), query)
        except AmountsNeedACurrency as error:
            raise typer.BadParameter(f"{error} with --currency", param_hint="'--sort'") from None
        except CursorError as error:
            raise typer.BadParameter(str(error), param_hint="'--after'") from None
    match layout:
        case Format.JSON:
            print_json(answer)
        case Format.CSV:
            _print_csv(answer)
        case Format.TABLE:
            _print(answer)
    if layout is not Format.JSON:
        note_rates(answer)
        note_caveats(answer.caveats)


_COLUMNS = (
    Column("account", wraps=True),
    Column("open", right=True),
    Column("won", right=True),
    Column("lost", right=True),
    Column("win rate", right=True),
    Column("won value", right=True),
    Column("open value", right=True),
    Column("business types", wraps=True, spare=True),
)


def _print(answer: AccountList) -> None:
    if not answer.accounts:
        note("No accounts.")
        return
    rows = []
    for one in answer.accounts:
        first, *others = one.money
        rows.append([clean(one.name), *_counts(one), *_amounts(first), _types(one)])
        rows += [["", "", "", "", "", *_amounts(other), ""] for other in others]
    print_table(list(_COLUMNS), rows)
    if answer.cursor:
        note(f"There are more: raise --limit, or go on with --after {answer.cursor}")


def _counts(one: CustomerAccount) -> list[str]:
    counts = [shown.number(count) for count in (one.open, one.won, one.lost)]
    return [*counts, shown.share(one.win_rate)]


def _amounts(one: AccountMoney) -> list[str]:
    return [_amount(one.won), _amount(one.open)]


def _amount(value: Amount) -> str:
    told = shown.rounded(value)
    return told if told == shown.NONE else f"{told} {value.currency}"


def _types(one: CustomerAccount) -> str:
    return ", ".join(one.business_types) or shown.NONE


def _print_csv(answer: AccountList) -> None:
    """A row for each account and currency."""
    names = ("key", "name", "deals", "open", "suspended", "won", "lost", "voided", "win_rate")
    header = [*names, "business_types", "first_opened_at", "last_occurred_at", "currency"]
    amounts = ["won_amount", "won_without_amount", "open_amount", "open_without_amount"]
    print_csv(
        [*header, *amounts],
        (
            [
                *(getattr(one, name) for name in names),
                ", ".join(one.business_types),
                *(one.first_opened_at, one.last_occurred_at, money.currency),
                *(money.won.amount, money.won_without_amount),
                *(money.open.amount, money.open_without_amount),
            ]
            for one in answer.accounts
            for money in one.money
        ),
    )


@app.command(
    "account",
    epilog="""\b
Examples:
  dealstate account "Acme Corporation"
  dealstate account acme-1 --currency EUR --format json

Deals, and whom we met in them, are told where you may read them.""",
)
def show_one_account(
    context: typer.Context,
    wanted: Annotated[
        str,
        typer.Argument(metavar="ACCOUNT", help="Its id or its whole name.", show_default=False),
    ],
    *,
    currency: Currency = None,
    shape: ShapeOption = Shape.TEXT,
) -> None:
    """Show one customer organisation: its deals, and whom we met there in any of them."""
    at = terminal(context)
    with at.opened() as store:
        answer = show_account(store, at.principal(store), wanted, currency)
    if shape is Shape.JSON:
        print_json(answer)
    else:
        _tell(answer, at)


def _tell(answer: AccountDetail, at: Terminal) -> None:
    account = answer.account
    say(clean(f"{account.name}  ({account.key})"))
    say()
    first, *others = account.money
    rows = [[*_counts(account), *_amounts(first), _types(account)]]
    rows += [["", "", "", "", *_amounts(other), ""] for other in others]
    print_table(list(_COLUMNS[1:]), rows)
    say()
    print_table(
        [
            Column("deal"),
            Column("name", wraps=True),
            Column("status"),
            Column("amount", right=True),
            Column("opened"),
            Column("closed"),
        ],
        [
            [
                clean(deal.reference or deal.deal_id),
                clean(deal.name),
                deal.status if deal.outcome in (None, deal.status) else str(deal.outcome),
                _amount(deal.amount) if deal.amount else shown.NONE,
                shown.day(deal.opened_at, at.zone),
                shown.day(deal.closed_at, at.zone) if deal.closed_at else shown.NONE,
            ]
            for deal in answer.deals
        ],
    )
    say()
    if not answer.people_met:
        say("Nobody was met there yet.")
    else:
        print_table(
            [
                Column("person met", wraps=True),
                Column("title", wraps=True),
                Column("deals", right=True),
                Column("contacts", right=True),
                Column("last met"),
            ],
            [
                [
                    clean(one.name),
                    clean(one.title) if one.title else shown.NONE,
                    str(len(one.deals)),
                    str(one.contacts),
                    shown.day(one.last_met, at.zone),
                ]
                for one in answer.people_met
            ],
        )
    note_rates(answer)
    note_caveats(answer.caveats)
