"""The pipeline snapshot."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated

import typer

from api.cli import shown
from api.cli.drilldown import Listed, note_rates, print_deals
from api.cli.filters import Where, conditions, dimensions, refuse_any
from api.cli.grouping import group_cell, group_text, unsaid
from api.cli.groups import AsOf, KnownAt, commands
from api.cli.output import (
    Column,
    Field,
    Format,
    FormatOption,
    fields_of,
    note,
    note_caveats,
    print_csv,
    print_json,
    print_table,
    say,
)
from api.cli.plots import Plot, plot
from api.cli.terminal import terminal
from api.cursors import CursorError
from api.pages.charts.pipeline import snapshot_chart
from api.queries.drilldown import MOST_DEALS, Drilldown, ask_deals_behind
from api.queries.instants import Instants
from api.queries.pipeline import ask_pipeline
from api.queries.processes import stage_names
from api.wire.drilldown import DealsBehind
from api.wire.pipelines import Pipeline, PipelineFigures
from api.workspace import Workspace
from domain.access import Principal
from projections.pipeline import DIMENSIONS

app = commands()

_LIMIT = 50


Most = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=MOST_DEALS,
        metavar="N",
        help="At most so many deals.",
        show_default=str(_LIMIT),
    ),
]


@app.command(
    epilog=f"""\b
Examples:
  dealstate pipeline
  dealstate pipeline --as-of 2017-06-30 --by region,product
  dealstate pipeline --by owner --where region=West --where industry=
  dealstate pipeline --as-of 2017-03-31 --known-at 2017-03-31
                                           what we believed on 31 March
  dealstate pipeline --by region --currency EUR --plot regions.svg
  dealstate pipeline --deals open --where stage=P4
                                           the deals behind a figure, and which events set
                                           their amount, stage and close date

Dimensions: {", ".join(DIMENSIONS)}. Suspended deals are not among the open ones. Weighted is
amount times probability. A deal without an amount is counted under no amount and adds nothing.
With --currency, amounts are converted with the exchange rates of the day of --as-of, as they were
known at --known-at. What has no rate is listed apart in its own currency. With --deals, a figure's
deals come with the largest amount first; --by and --plot are for figures."""
)
def pipeline(
    context: typer.Context,
    *,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    by: Annotated[
        str | None,
        typer.Option(
            metavar="DIM,…",
            help="Dimensions to group by; empty: totals only.",
            show_default="stage",
        ),
    ] = None,
    where: Where = None,
    currency: Annotated[
        str | None,
        typer.Option(metavar="CODE", help="Report all amounts in this currency, as in EUR."),
    ] = None,
    deals: Annotated[
        Listed | None,
        typer.Option(metavar="|".join(Listed), help="List the deals behind the figures instead."),
    ] = None,
    unknown_amount: Annotated[
        bool, typer.Option("--unknown-amount", help="With --deals: only those without an amount.")
    ] = False,
    limit: Most = None,
    after: Annotated[
        str | None,
        typer.Option(metavar="CURSOR", help="Go on behind this cursor of an earlier list."),
    ] = None,
    layout: FormatOption = Format.TABLE,
    plotted: Plot = None,
) -> None:
    """Show what was open, won and lost then, grouped, or the deals behind it.

    TIME is a day (its end), a date and time, or now.
    """
    at = terminal(context)
    if deals is None:
        refuse_any("it is for --deals", unknown_amount=unknown_amount, limit=limit, after=after)
    else:
        refuse_any("it groups figures, not deals", by=by)
        refuse_any("it draws figures, not deals", plot=plotted)
    grouped_by = dimensions("stage" if by is None else by)
    wanted = conditions(where or [])
    with at.opened() as store:
        instants = at.instants(store, as_of, known_at)
        when, names = shown.point(instants, at.zone), stage_names(store.log.processes())
        if deals is None:
            answer = ask_pipeline(
                store,
                at.principal(store),
                instants,
                grouped_by,
                wanted,
                reporting_currency=currency,
            )
        else:
            asked = Drilldown(
                deals.statuses, wanted, unknown_amount, currency, limit or _LIMIT, after
            )
            page = _page(store, at.principal(store), instants, asked)
    if deals is None:
        _print(answer, layout, names, when)
        plot(plotted, lambda: snapshot_chart(answer, names, when))
    else:
        print_deals(page, layout, names, when, at.zone)


def _page(store: Workspace, principal: Principal, at: Instants, asked: Drilldown) -> DealsBehind:
    try:
        return ask_deals_behind(store, principal, at, asked)
    except CursorError as error:
        raise typer.BadParameter(str(error), param_hint="'--after'") from None


def _print(answer: Pipeline, layout: Format, names: dict[str, str], when: str) -> None:
    match layout:
        case Format.JSON:
            print_json(answer)
        case Format.CSV:
            _print_csv(answer)
        case Format.TABLE:
            _print_table(answer, names, when)
    if layout is not Format.JSON:
        note_rates(answer)
        note_caveats(answer.caveats)


def _print_csv(answer: Pipeline) -> None:
    dimensions = [Field(name, partial(_group_cell, name)) for name in answer.group_by]
    grouped = {"group", *answer.group_by}
    figures = [field for field in fields_of(PipelineFigures) if field.name not in grouped]
    fields = [*dimensions, *figures]
    print_csv([f.name for f in fields], ([f.read(row) for f in fields] for row in answer.rows))


def _group_cell(name: str, row: PipelineFigures) -> object:
    return group_cell(row.group[name])


def _print_table(answer: Pipeline, stages: dict[str, str], when: str) -> None:
    say(f"Pipeline {when}")
    say()
    if not answer.totals:
        note("No deals then.")
        return
    apart = answer.reporting_currency is not None and "currency" in answer.group_by
    names = list(dict.fromkeys([*answer.group_by, _REPORTED_IN if apart else "currency"]))
    print_table(
        [*(Column(name.replace("_", " "), wraps=True) for name in names), *_FIGURES],
        _rows(answer, names, stages),
        [[*_total_label(names, row.currency), *_figures(row)] for row in answer.totals],
    )


_REPORTED_IN = "reported in"
"""The column for the currency of the amounts, where that of the deals has one of its own."""

_FIGURES = (
    Column("open", right=True),
    Column("amount", right=True),
    Column("weighted", right=True),
    Column("won", right=True),
    Column("won amount", right=True, spare=True),
    Column("lost", right=True),
    Column("no amount", right=True, spare=True),
    Column("age days", right=True, spare=True),
    Column("suspended", right=True, spare=True),
    Column("voided", right=True, spare=True),
)


def _rows(answer: Pipeline, names: Sequence[str], stages: dict[str, str]) -> list[list[str]]:
    """The groups; what a group shares with the one above is not said again."""
    if not answer.group_by:
        return []
    groups = [
        [group_text(name, row.group.get(name, row.currency), stages) for name in names]
        for row in answer.rows
    ]
    return [
        [*label, *_figures(row)] for label, row in zip(unsaid(groups), answer.rows, strict=True)
    ]


def _total_label(names: Sequence[str], currency: str) -> list[str]:
    """The word, and the currency in its column."""
    label = ["total", *("" for _ in names[1:])]
    place = names.index(_REPORTED_IN) if _REPORTED_IN in names else names.index("currency")
    label[place] = f"{label[place]} {currency}".lstrip()
    return label


def _figures(row: PipelineFigures) -> list[str]:
    age = row.open_average_age_days
    return [
        shown.number(row.open),
        shown.rounded(row.open_amount),
        shown.rounded(row.open_weighted_amount),
        shown.number(row.won),
        shown.rounded(row.won_amount),
        shown.number(row.lost),
        shown.number(row.open_unknown_amount),
        shown.NONE if age is None else f"{age:,.0f}",
        shown.number(row.suspended),
        shown.number(row.voided),
    ]
