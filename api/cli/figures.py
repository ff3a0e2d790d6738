"""Operating figures by period and group."""

from datetime import datetime
from typing import Annotated

import typer

from api.cli import shown
from api.cli.figure_tables import (
    print_counted_deals,
    print_every_figure,
    print_figures,
    print_figures_csv,
    print_stages,
)
from api.cli.filters import Where, conditions, dimension
from api.cli.groups import AsOf, KnownAt, commands
from api.cli.output import (
    Format,
    FormatOption,
    note_caveats,
    print_json,
    say,
)
from api.cli.plots import Plot, plot
from api.cli.terminal import terminal
from api.cursors import CursorError
from api.pages.charts.figures import figures_chart
from api.queries.figures import (
    MOST_DEALS,
    FigureQuery,
    UnknownUnit,
    ask_counted_deals,
    ask_figures,
    periods_of,
)
from api.queries.processes import stage_names
from api.wire.figures import FigureReport
from projections.calendar import Calendar, Grain, Period, PeriodError
from projections.operating.asking import TEAM
from projections.operating.listing import Count
from projections.pipeline import DIMENSIONS

app = commands()

_LIMIT = 50

PerGrain = Annotated[
    Grain | None,
    typer.Option("--per", metavar="month|quarter|year", help="A row for each of these periods."),
]
InCurrency = Annotated[
    str | None,
    typer.Option(
        metavar="CODE",
        help="Convert amounts into this currency, at the rate of the day of the outcome.",
    ),
]
Limit = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=MOST_DEALS,
        metavar="N",
        help="At most so many deals.",
        show_default=str(_LIMIT),
    ),
]
After = Annotated[
    str | None,
    typer.Option(metavar="CURSOR", help="Go on behind this cursor of an earlier list."),
]


@app.command(
    epilog=f"""\b
Examples:
  dealstate figures 2017-Q2 --by owner
  dealstate figures 2017 --per quarter
  dealstate figures 2017-Q2 --by product --all
  dealstate figures 2017 --team emea --currency USD --format csv
  dealstate figures 2017 --per month --plot won.svg
  dealstate figures 2017-Q2 --where owner="Zane Levy" --deals won

A period is a year (2017), a quarter (2017-Q2), a month (2017-04) or days
(2017-04-01..2017-05-15), of the fiscal year that --fiscal-year-from sets; without one, it is the
quarter of the as-of time. Dimensions: {TEAM}, {", ".join(DIMENSIONS)}. Each figure and its
denominator: docs/operating-figures.md."""
)
def figures(
    context: typer.Context,
    period: Annotated[
        str | None, typer.Argument(metavar="[PERIOD]", show_default="this quarter")
    ] = None,
    *,
    per: PerGrain = None,
    by: Annotated[
        str, typer.Option(metavar="DIM,…", help="Dimensions to group by; empty: totals only.")
    ] = "",
    where: Where = None,
    team: Annotated[
        str | None,
        typer.Option(metavar="UNIT", help="Only owners who sell in this unit or below it."),
    ] = None,
    currency: InCurrency = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    whole: Annotated[bool, typer.Option("--all", help="Show every figure, one a line.")] = False,
    stages: Annotated[
        bool, typer.Option("--stages", help="Also tell how deals left each stage.")
    ] = False,
    deals: Annotated[
        Count | None,
        typer.Option(
            metavar="COUNT",
            help=f"List the deals of one period behind a count: {', '.join(Count)}.",
        ),
    ] = None,
    limit: Limit = None,
    after: After = None,
    picture: Plot = None,
    layout: FormatOption = Format.TABLE,
) -> None:
    """Show what was opened, won, lost and put off in a period, and the rates of it."""
    at = terminal(context)
    if deals is None:
        _refuse_any("it is for --deals", limit=limit, after=after)
    else:
        _refuse_any("deals are listed for one period; leave it out with --deals", per=per)
        options = {"by": by or None, "all": whole, "stages": stages, "currency": currency}
        _refuse_any("it is for figures; leave it out with --deals", **options, plot=picture)
    grouped_by, wanted = figure_dimensions(by), conditions(where or [])
    with at.opened() as store:
        instants = at.instants(store, as_of, known_at)
        periods = wanted_periods(store.calendar, instants.as_of or store.now(), period, per)
        query = FigureQuery(periods, grouped_by, wanted, team, currency)
        try:
            if deals is not None:
                asked = (store, at.principal(store), instants, query, deals)
                print_counted_deals(
                    ask_counted_deals(*asked, limit=limit or _LIMIT, after=after), layout
                )
                return
            answer = ask_figures(store, at.principal(store), instants, query)
        except UnknownUnit as error:
            raise typer.BadParameter(str(error), param_hint="'--team'") from None
        except CursorError as error:
            raise typer.BadParameter(str(error), param_hint="'--after'") from None
        names = stage_names(store.log.processes())
    when = shown.point(instants, at.zone)
    _print(answer, layout, when, names, whole=whole, stages=stages)
    plot(picture, lambda: figures_chart(answer, names))


def _refuse_any(why: str, **options: object) -> None:
    """Raise BadParameter for the first of these options that is given."""
    for name, value in options.items():
        if value is not None and value is not False:
            raise typer.BadParameter(why, param_hint=f"'--{name}'")


def _print(
    answer: FigureReport,
    layout: Format,
    when: str,
    names: dict[str, str],
    *,
    whole: bool,
    stages: bool,
) -> None:
    match layout:
        case Format.JSON:
            print_json(answer)
        case Format.CSV:
            print_figures_csv(answer)
        case Format.TABLE:
            say(f"Operating figures {when}")
            say()
            (print_every_figure if whole else print_figures)(answer, names)
            if stages:
                print_stages(answer, names)
    if layout is not Format.JSON:
        note_caveats(answer.caveats)


def figure_dimensions(text: str, option: str = "--by") -> list[str]:
    """Dimensions of figures with commas between, each once."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    found = [name if name == TEAM else dimension(name, option) for name in names]
    return list(dict.fromkeys(found))


def wanted_periods(
    calendar: Calendar, as_of: datetime, text: str | None, per: Grain | None
) -> list[Period]:
    """The periods that PERIOD and --per name."""
    try:
        return periods_of(calendar, as_of, text, per)
    except PeriodError as error:
        raise typer.BadParameter(str(error), param_hint="'[PERIOD]'") from None
