"""How deals flow through the stages of their process."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from api.cli import flow_curves, flow_tables, shown
from api.cli.filters import Where, conditions, refuse_any
from api.cli.groups import AsOf, KnownAt, commands
from api.cli.output import Format, FormatOption, note_caveats, print_json, print_listing
from api.cli.plots import Plot, plot
from api.cli.progress import Progress
from api.cli.terminal import terminal
from api.cursors import CursorError
from api.pages.charts import flow as charts
from api.queries import flows
from api.queries.flows import MOST_DEALS, TOLD_APART_BY, FlowQuery, StuckQuery
from api.queries.processes import stage_names
from api.wire.flows import StageFlow
from api.wire.stuck import StuckDeal
from projections.calendar import Grain

if TYPE_CHECKING:
    from api.pages.charts.style import Spec
    from api.queries.instants import Instants
    from api.workspace import Workspace
    from domain.access import Principal

app = commands()

_LIMIT = 50
Limit = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=MOST_DEALS,
        metavar="N",
        help="At most so many stuck deals.",
        show_default=str(_LIMIT),
    ),
]
After = Annotated[
    str | None,
    typer.Option(metavar="CURSOR", help="Go on where an earlier list of stuck deals ended."),
]
_PARTS = ("--stages", "--cohorts", "--survival", "--outcomes", "--stuck")


@app.command(
    epilog=f"""\b
Examples:
  dealstate flow
  dealstate flow --as-of 2026-03-31 --where region=West
  dealstate flow --cohorts quarter --plot cohorts.svg
  dealstate flow --survival --by owner
  dealstate flow --outcomes --by quarter --plot outcomes.svg
  dealstate flow --stuck --limit 20

Stages of different processes are never mixed. Days are whole calendar days, suspension included.
A deal is stuck when it has been in its stage for more days than 80 % of the visits of won deals
there had taken. By: {", ".join(TOLD_APART_BY)}; the last three are when deals were opened. --where
takes the deals that have the value at the moment asked for. --survival and --outcomes need the
extra `analysis`."""
)
def flow(
    context: typer.Context,
    *,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    where: Where = None,
    stages: Annotated[
        bool, typer.Option("--stages", help="Visits of every stage, and where they led.")
    ] = False,
    cohorts: Annotated[
        Grain | None,
        typer.Option(
            "--cohorts",
            metavar="month|quarter|year",
            help="How far deals came, by the period of their opening.",
            show_default=False,
        ),
    ] = None,
    survival: Annotated[
        bool, typer.Option("--survival", help="Time in stage, by Kaplan and Meier.")
    ] = False,
    outcomes: Annotated[
        bool, typer.Option("--outcomes", help="Outcomes over time, by Aalen and Johansen.")
    ] = False,
    stuck: Annotated[bool, typer.Option("--stuck", help="The deals that are stuck.")] = False,
    by: Annotated[
        str | None,
        typer.Option(metavar="DIM", help="Tell --survival or --outcomes apart by this."),
    ] = None,
    limit: Limit = None,
    after: After = None,
    drawn: Plot = None,
    layout: FormatOption = Format.TABLE,
) -> None:
    """Show how deals pass through their stages: visits, conversion, time, and who is stuck."""
    given = (stages, cohorts is not None, survival, outcomes, stuck)
    chosen = [part for part, wanted in zip(_PARTS, given, strict=True) if wanted]
    if len(chosen) > 1:
        raise typer.BadParameter(f"give one of {' and '.join(chosen)}")
    part = chosen[0] if chosen else ""
    if part != "--stuck":
        refuse_any("it is for --stuck", limit=limit, after=after)
    at = terminal(context)
    wanted = conditions(where or [])
    told_apart = FlowQuery(wanted, _by(by, part))
    with at.opened() as store, Progress("Walking through", "deals") as progress:
        instants = at.instants(store, as_of, known_at)
        page = StuckQuery(wanted, limit or _LIMIT, after)
        query = _Query(
            wanted,
            cohorts or Grain.MONTH,
            told_apart,
            page,
            lambda: at.principal(store),
            progress.reached,
        )
        try:
            told = _told(part, store, instants, query)
        except CursorError as error:
            raise typer.BadParameter(str(error), param_hint="'--after'") from None
    _show(told, layout, shown.point(instants, at.zone))
    plot(drawn, told.chart)


def _by(name: str | None, part: str) -> str | None:
    if name is None:
        return None
    if part not in {"--survival", "--outcomes"}:
        raise typer.BadParameter("goes with --survival or --outcomes", param_hint="'--by'")
    name = name.strip().replace("-", "_")
    if name not in TOLD_APART_BY:
        raise typer.BadParameter(
            f"there is no dimension {name!r}; use {', '.join(TOLD_APART_BY)}",
            param_hint="'--by'",
        )
    return name


class _Told(NamedTuple):
    """An answer, and how it is shown."""

    answer: "flow_tables.Answer"
    print_table: Callable[[str], None]
    print_csv: Callable[[], None]
    chart: "Callable[[], Spec]"


def _told(part: str, store: "Workspace", at: "Instants", query: "_Query") -> _Told:
    names, who = stage_names(store.log.processes()), query.principal()
    match part:
        case "--cohorts":
            cohorts = flows.ask_cohorts(
                store, who, at, query.where, query.grain, progress=query.progress
            )
            return _Told(
                cohorts,
                lambda when: flow_tables.print_cohorts(cohorts, when),
                lambda: flow_tables.print_cohorts_csv(cohorts),
                lambda: charts.cohort_chart(cohorts),
            )
        case "--survival":
            survival = flows.ask_survival(store, who, at, query.told_apart, query.progress)
            return _Told(
                survival,
                lambda when: flow_curves.print_survival(survival, when, names),
                lambda: flow_curves.print_survival_csv(survival),
                lambda: charts.survival_chart(survival, names),
            )
        case "--outcomes":
            outcomes = flows.ask_outcomes(store, who, at, query.told_apart)
            return _Told(
                outcomes,
                lambda when: flow_curves.print_outcomes(outcomes, when),
                lambda: flow_curves.print_outcomes_csv(outcomes),
                lambda: charts.outcome_chart(outcomes),
            )
        case "--stuck":
            stuck = flows.ask_stuck(store, who, at, query.page, query.progress)
            return _Told(
                stuck,
                lambda when: flow_tables.print_stuck(stuck, when, names, store.zone),
                lambda: print_listing(stuck.deals, StuckDeal),
                lambda: charts.stuck_chart(stuck, names),
            )
        case _:
            stages = flows.ask_flow(store, who, at, query.where, query.progress)
            return _Told(
                stages,
                lambda when: flow_tables.print_stages(
                    stages, when, names, exits=part == "--stages"
                ),
                lambda: print_listing(stages.stages, StageFlow),
                lambda: charts.stage_chart(stages, names),
            )


def _show(told: _Told, layout: Format, when: str) -> None:
    match layout:
        case Format.JSON:
            print_json(told.answer)
            return
        case Format.CSV:
            told.print_csv()
        case Format.TABLE:
            told.print_table(when)
    note_caveats(told.answer.caveats)


class _Query(NamedTuple):
    """What the options ask for."""

    where: dict[str, str]
    grain: Grain
    told_apart: FlowQuery
    page: StuckQuery
    principal: "Callable[[], Principal]"
    progress: Callable[[int, int], None]
