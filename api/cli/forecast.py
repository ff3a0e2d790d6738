"""The forecast: as it stands or stood, beside what happened, its deals, and how a month came."""

from typing import Annotated

import typer

from api.cli.filters import Where, conditions, dimensions
from api.cli.forecast_lists import print_deals, print_history
from api.cli.forecast_tables import print_forecast
from api.cli.groups import AsOf, KnownAt, commands
from api.cli.output import Format, FormatOption
from api.cli.plots import Plot, plot
from api.cli.shown import point
from api.cli.terminal import Terminal, terminal
from api.cursors import CursorError
from api.pages.charts.forecast import forecast_chart, history_chart
from api.queries.forecasts import (
    MOST_DEALS,
    DealsQuery,
    ForecastQuery,
    HistoryQuery,
    TooEarly,
    ask_forecast,
    ask_forecast_deals,
    ask_forecast_history,
    require_close,
)
from api.queries.instants import Instants
from api.queries.processes import stage_names
from api.wire.forecasts import Forecast, ForecastDeals, ForecastHistory
from api.workspace import Workspace
from projections.calendar import PeriodError
from projections.pipeline import DIMENSIONS

app = commands()

_Against = Annotated[
    str | None,
    typer.Option(
        metavar="TIME",
        help="Tell what had become of the deals by then, with what is known now.",
    ),
]
_Month = Annotated[
    str | None,
    typer.Option(
        metavar="MONTH",
        help="With --deals, only those of 2026-03, overdue or undated; with --weekly or"
        " --monthly the month that was forecast.",
    ),
]


@app.command(
    epilog=f"""\b
Examples:
  dealstate forecast
  dealstate forecast --by owner --where region=West --currency EUR
  dealstate forecast --as-of 2026-03-31 --known-at 2026-03-31 --against now
                                           what we said on 31 March, and what became of it
  dealstate forecast --deals --month overdue
  dealstate forecast --month 2026-03 --weekly --plot march.svg
                                           how the forecast of March stood, week by week

Dimensions: {", ".join(DIMENSIONS)}. Weighted is amount times probability. Deals that should have
closed before the day of the forecast are overdue, those without a day undated. The error is what
was forecast, weighted, less what was won since, once the month is over. docs/forecast.md tells how
the figures are made."""
)
def forecast(
    context: typer.Context,
    *,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    against: _Against = None,
    by: Annotated[str, typer.Option(metavar="DIM,…", help="Dimensions to group by besides.")] = "",
    where: Where = None,
    currency: Annotated[
        str | None,
        typer.Option(metavar="CODE", help="Report all amounts in this currency, as in EUR."),
    ] = None,
    month: _Month = None,
    weekly: Annotated[
        bool, typer.Option("--weekly", help="How the forecast of --month stood, week by week.")
    ] = False,
    monthly: Annotated[
        bool, typer.Option("--monthly", help="How the forecast of --month stood, by month.")
    ] = False,
    deals: Annotated[
        bool, typer.Option("--deals", help="List the deals, with the facts that were forecast.")
    ] = False,
    limit: Annotated[
        int | None,
        typer.Option(
            min=1, max=MOST_DEALS, metavar="N", help="At most so many deals, 50 unless told."
        ),
    ] = None,
    after: Annotated[
        str | None,
        typer.Option(metavar="CURSOR", help="Go on behind this cursor of an earlier list."),
    ] = None,
    plotted: Plot = None,
    layout: FormatOption = Format.TABLE,
) -> None:
    """Show the open deals by the month they should close in, as forecast at any moment.

    TIME is a day (its end), a date and time, or now.
    """
    at = terminal(context)
    history = weekly or monthly
    _require_fitting(
        {"--deals": deals, "--weekly": weekly, "--monthly": monthly},
        month=month,
        after=after,
        limit=limit,
        against=against,
        by=by,
        plotted=plotted is not None,
    )
    close = _close(month)
    wanted, grouped_by = conditions(where or []), dimensions(by)
    with at.opened() as store:
        instants = at.instants(store, as_of, known_at)
        when, names = point(instants, at.zone), stage_names(store.log.processes())
        if deals:
            listed = DealsQuery(wanted, close, limit or 50, after, currency)
            print_deals(_deals(at, store, instants, listed), layout, names, when)
        elif history:
            query = HistoryQuery(close or "", weekly, wanted, currency)
            came = _history(at, store, instants, query)
            print_history(came, layout, at.zone)
            plot(plotted, lambda: history_chart(came, at.zone))
        else:
            later = None if against is None else _later(at, store, against)
            asked = ForecastQuery(grouped_by, wanted, currency, later)
            answer = _forecast(at, store, instants, asked)
            print_forecast(answer, layout, names, when, at.zone)
            plot(plotted, lambda: forecast_chart(answer, when))


def _require_fitting(
    modes: dict[str, bool],
    *,
    month: str | None,
    after: str | None,
    limit: int | None,
    against: str | None,
    by: str,
    plotted: bool,
) -> None:
    """Raise BadParameter for options that do not go together."""
    chosen = [name for name, given in modes.items() if given]
    if len(chosen) > 1:
        _refuse(chosen[1], f"it does not go with {chosen[0]}")
    mode = chosen[0] if chosen else None
    if mode is None and month is not None:
        _refuse("--month", "it is for --deals, --weekly and --monthly")
    if mode in ("--weekly", "--monthly") and month is None:
        _refuse(mode, "say of which month, as in --month 2026-03")
    for name, given in (("--after", after), ("--limit", limit)):
        if mode != "--deals" and given is not None:
            _refuse(name, "it is for --deals")
    if mode is not None and against is not None:
        _refuse("--against", f"it does not go with {mode}")
    if mode is not None and by:
        _refuse("--by", f"it does not go with {mode}")
    if mode == "--deals" and plotted:
        _refuse("--plot", "it draws figures, not deals")


def _refuse(option: str, why: str) -> None:
    raise typer.BadParameter(why, param_hint=f"'{option}'")


def _close(text: str | None) -> str | None:
    try:
        return None if text is None else require_close(text)
    except PeriodError as error:
        raise typer.BadParameter(str(error), param_hint="'--month'") from None


def _later(at: Terminal, store: Workspace, text: str) -> Instants:
    """The moment of --against, with all that is known."""
    return Instants(at.instant(text, "--against", store.now()))


def _forecast(at: Terminal, store: Workspace, when: Instants, query: ForecastQuery) -> Forecast:
    try:
        return ask_forecast(store, at.principal(store), when, query)
    except TooEarly as error:
        raise typer.BadParameter(str(error), param_hint="'--against'") from None


def _deals(at: Terminal, store: Workspace, when: Instants, query: DealsQuery) -> ForecastDeals:
    try:
        return ask_forecast_deals(store, at.principal(store), when, query)
    except CursorError as error:
        raise typer.BadParameter(str(error), param_hint="'--after'") from None


def _history(
    at: Terminal, store: Workspace, when: Instants, query: HistoryQuery
) -> ForecastHistory:
    try:
        return ask_forecast_history(store, at.principal(store), when, query)
    except PeriodError as error:
        raise typer.BadParameter(str(error), param_hint="'--month'") from None
