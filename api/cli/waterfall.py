"""The waterfall: what took the pipeline from one moment to another."""

import re
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.filters import Where, conditions, dimensions, refuse_any
from api.cli.groups import KnownAt, commands
from api.cli.output import Format, FormatOption
from api.cli.plots import Plot, plot
from api.cli.terminal import Terminal, terminal
from api.cli.waterfall_tables import print_entries, print_waterfall
from api.cursors import CursorError
from api.pages.charts.waterfall import bridge_chart
from api.queries.processes import stage_names
from api.queries.waterfalls import (
    MOST_DEALS,
    BackwardsInTime,
    WaterfallQuery,
    ask_waterfall,
    ask_waterfall_deals,
)
from api.times import shown
from api.workspace import Workspace
from projections.calendar import PeriodError
from projections.pipeline import DIMENSIONS
from projections.waterfall.steps import NAMES, NoSuchLine, NothingCorrected, NothingRevalued

if TYPE_CHECKING:
    from datetime import date, datetime

app = commands()

From = Annotated[
    str,
    typer.Argument(
        metavar="FROM", help="The first moment; or a period, alone.", show_default=False
    ),
]
To = Annotated[
    str | None, typer.Argument(metavar="TO", help="The last moment.", show_default=False)
]
By = Annotated[
    str, typer.Option(metavar="DIM,…", help="Dimensions to group by.", show_default="none")
]
Closing = Annotated[
    str | None,
    typer.Option(
        metavar="PERIOD",
        help="Only what is expected to close then: 2026-Q1, 2026-03 or FIRST..LAST.",
        show_default="whenever",
    ),
]
ReportedIn = Annotated[
    str | None,
    typer.Option(metavar="CODE", help="Report all amounts in this currency, as in EUR."),
]
Behind = Annotated[
    str | None, typer.Option(metavar="LINE", help="List the deals behind a line instead.")
]
_LIMIT = 50
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
    str | None, typer.Option(metavar="CURSOR", help="Go on behind this cursor of an earlier list.")
]


@app.command(
    epilog=f"""\b
Examples:
  dealstate waterfall 2026-Q1
  dealstate waterfall 2025-12-31 2026-03-31 --closing 2026-Q1
  dealstate waterfall 2026-Q1 --by owner --where region=West
  dealstate waterfall 2026-Q1 --currency EUR --plot bridge.svg
  dealstate waterfall 2026-Q1 --deals pushed-out
  dealstate waterfall 2026-Q1 --deals lost:no-decision --format csv
  dealstate waterfall 2026-03-01 2026-03-31 --as-believed

Start and all lines add up to the end, in deals and in amount. Dimensions: {", ".join(DIMENSIONS)}.
Lines: {", ".join(NAMES)}.
With --closing, only deals count that are expected to close then: others are pulled in and pushed
out. With --as-believed, each moment is seen with the knowledge of its day; what became known later,
or was withdrawn, stands under corrected. With --currency, the start is converted with the rates of
its day and all else with those of the last day; the difference stands under revalued."""
)
def waterfall(
    context: typer.Context,
    since: From,
    until: To = None,
    *,
    by: By = "",
    where: Where = None,
    closing: Closing = None,
    currency: ReportedIn = None,
    known_at: KnownAt = None,
    as_believed: Annotated[
        bool, typer.Option("--as-believed", help="See each moment with the knowledge of its day.")
    ] = False,
    deals: Behind = None,
    limit: Limit = None,
    after: After = None,
    plotted: Plot = None,
    layout: FormatOption = Format.TABLE,
) -> None:
    """Show what took the pipeline from one moment to another, and the deals behind it.

    FROM and TO are days (their end), dates with a time, or now. A period alone, as 2026, 2026-Q1 or
    2026-03, goes from the end of the day before it to its end.
    """
    at = terminal(context)
    if deals is None:
        refuse_any("it is for --deals", limit=limit, after=after)
    else:
        refuse_any("it draws figures, not deals", plot=plotted)
    if as_believed and known_at is not None:
        raise typer.BadParameter(
            "with it each moment is seen with the knowledge of its own; leave out --known-at",
            param_hint="'--as-believed'",
        )
    wanted, grouped_by = conditions(where or []), dimensions(by)
    with at.opened() as store:
        first, last = _moments(at, store, since, until)
        query = WaterfallQuery(
            since=first,
            until=last,
            known_at=at.instant(known_at, "--known-at", store.now()),
            by=grouped_by,
            where=wanted,
            closing=_closing(store, closing),
            as_believed=as_believed,
            reporting_currency=currency,
        )
        names = stage_names(store.log.processes())
        try:
            if deals is not None:
                page = ask_waterfall_deals(
                    store, at.principal(store), query, deals, limit=limit or _LIMIT, cursor=after
                )
                print_entries(page, layout, names, _when(query, at), at.zone)
                return
            answer = ask_waterfall(store, at.principal(store), query)
        except (BackwardsInTime, NoSuchLine, CursorError) as error:
            raise _told(error) from None
    print_waterfall(answer, layout, names, _when(query, at))
    plot(plotted, lambda: bridge_chart(answer, _when(query, at)))


def _moments(
    at: Terminal, store: Workspace, since: str, until: str | None
) -> "tuple[datetime, datetime]":
    """From when until when; both of a period that stands alone."""
    now = store.now()
    if until is not None:
        _refuse_period(store, since, "FROM")
        _refuse_period(store, until, "TO")
        first, last = at.instant(since, "FROM", now), at.instant(until, "TO", now)
        assert first is not None
        assert last is not None
        return first, last
    try:
        period = store.calendar.period(since)
    except PeriodError as error:
        raise typer.BadParameter(
            f"{str(error).rstrip('.')}. Or give FROM and TO.", param_hint="'FROM'"
        ) from None
    return period.start, period.end


def _refuse_period(store: Workspace, text: str, argument: str) -> None:
    """A day is no period here, though it is one elsewhere."""
    if _DAY.match(text) and ".." not in text:
        return
    try:
        store.calendar.period(text)
    except PeriodError:
        return
    raise typer.BadParameter(
        f"{text!r} is a period, and a period stands alone; with FROM and TO give days",
        param_hint=f"'{argument}'",
    )


_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def _closing(store: Workspace, text: str | None) -> "tuple[date, date] | None":
    if text is None:
        return None
    try:
        period = store.calendar.period(text)
    except PeriodError as error:
        raise typer.BadParameter(str(error), param_hint="'--closing'") from None
    return period.first, period.last


def _told(error: ValueError) -> typer.BadParameter:
    """Which argument or option an error is about."""
    match error:
        case BackwardsInTime():
            return typer.BadParameter(str(error), param_hint="'TO'")
        case NothingRevalued():
            return typer.BadParameter(f"{error}; give --currency", param_hint="'--deals'")
        case NothingCorrected():
            return typer.BadParameter(f"{error}; give --as-believed", param_hint="'--deals'")
        case NoSuchLine():
            return typer.BadParameter(str(error), param_hint="'--deals'")
        case CursorError():
            return typer.BadParameter(str(error), param_hint="'--after'")
        case _:
            raise error


def _when(query: WaterfallQuery, at: Terminal) -> str:
    span = f"{shown(query.since, at.zone)} to {shown(query.until, at.zone)}"
    if query.as_believed:
        known = "each with the knowledge of its day"
    elif query.known_at is None:
        known = "with what is known today"
    else:
        known = f"as known at {shown(query.known_at, at.zone)}"
    if query.closing is None:
        return f"{span}, {known}"
    return f"{span}, closing {query.closing[0]} to {query.closing[1]}, {known}"
