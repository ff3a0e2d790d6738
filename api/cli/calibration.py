"""How far the probabilities on record could be trusted."""

from typing import Annotated

import typer

from api.cli import shown
from api.cli.filters import Where, conditions, dimensions
from api.cli.groups import AsOf, KnownAt, commands
from api.cli.output import (
    Column,
    Format,
    FormatOption,
    note,
    print_csv,
    print_json,
    print_table,
    say,
)
from api.cli.plots import Plot, plot
from api.cli.terminal import terminal
from api.pages.charts.calibration import calibration_chart
from api.queries.calibrations import CalibrationQuery, ask_calibration, leads_of
from api.queries.processes import stage_names
from api.wire.calibrations import (
    Calibration,
    CalibrationBin,
    CalibrationGroup,
    CalibrationLead,
    CalibrationScore,
)
from api.wire.values import User
from projections.forecast.calibration import Without

app = commands()


@app.command(
    epilog="""\b
Examples:
  dealstate calibration
  dealstate calibration --lead 30 --by stage --plot reliability.svg
  dealstate calibration --by owner --where region=West
  dealstate calibration --by lead-source --format csv > bins.csv

A Brier score is the mean squared difference of probability and outcome: 0 is perfect, and lower is
better. It is reliability (how far the probabilities are off) - resolution (how far they tell deals
apart) + uncertainty (what saying the base rate of every deal would score). Skill is 1 - score ÷
uncertainty. Below 30 decided deals the answer is too few. docs/forecast.md has the formulas."""
)
def calibration(
    context: typer.Context,
    *,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    lead: Annotated[
        str, typer.Option(metavar="DAYS,…", help="How many days before the outcome.")
    ] = "90,60,30,7",
    by: Annotated[
        str,
        typer.Option(metavar="DIM,…", help="Dimensions to score by, as stage, owner, lead-source."),
    ] = "",
    where: Where = None,
    as_occurred: Annotated[
        bool,
        typer.Option(
            "--as-occurred",
            help="Take what was true at the lead, whenever it was entered: for imports that do not"
            " say when they knew.",
        ),
    ] = False,
    plotted: Plot = None,
    layout: FormatOption = Format.TABLE,
) -> None:
    """Set the probabilities on record before the outcome against the outcome.

    Decided are the deals won or lost at the moment asked for. Each is looked up so many days before
    its outcome, with what was on record then.
    """
    at = terminal(context)
    try:
        leads = leads_of(lead)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="'--lead'") from None
    query = CalibrationQuery(leads, dimensions(by), conditions(where or []), as_occurred)
    with at.opened() as store:
        instants = at.instants(store, as_of, known_at)
        answer = ask_calibration(store, instants, query)
        stages = stage_names(store.log.processes())
    when = shown.point(instants, at.zone)
    match layout:
        case Format.JSON:
            print_json(answer)
        case Format.CSV:
            _print_csv(answer)
        case Format.TABLE:
            _tell(answer, stages, when)
    plot(plotted, lambda: calibration_chart(answer, when))
    if layout is not Format.JSON:
        for caveat in answer.caveats:
            note(f"Note: {caveat}.")


def _tell(answer: Calibration, stages: dict[str, str], when: str) -> None:
    say(f"Calibration of the deals decided {when}")
    say(
        f"{answer.decided:,} decided: {answer.won:,} won, {answer.lost:,} lost;"
        f" left out: {answer.voided:,} voided, {answer.merged:,} merged."
    )
    say()
    print_table(
        [
            Column("days before", right=True),
            Column("deals", right=True),
            Column("won", right=True),
            *_SCORE,
            *(Column(title, right=True, spare=True) for title in _WITHOUT.values()),
        ],
        [
            [
                f"{one.days:,}",
                shown.number(one.deals),
                shown.number(one.won),
                *_score(one.score),
                *(shown.number(one.without[why]) for why in _WITHOUT),
            ]
            for one in answer.leads
        ],
    )
    for one in answer.leads:
        if one.groups:
            _print_groups(answer, one, stages)
        _print_bins(one)


_WITHOUT = {
    Without.NOT_OPENED: "not opened yet",
    Without.NOT_KNOWN: "not known yet",
    Without.NOT_RUNNING: "closed then",
    Without.NO_PROBABILITY: "no probability",
}

_SCORE = (
    Column("score", right=True),
    Column("reliability", right=True),
    Column("resolution", right=True),
    Column("uncertainty", right=True),
    Column("base rate", right=True),
    Column("skill", right=True),
)


def _score(score: CalibrationScore | None) -> list[str]:
    if score is None:
        return ["too few", *(shown.NONE for _ in _SCORE[1:])]
    return [
        score.score,
        score.reliability,
        score.resolution,
        score.uncertainty,
        shown.share(score.base_rate),
        shown.share(score.skill),
    ]


def _print_groups(answer: Calibration, lead: CalibrationLead, stages: dict[str, str]) -> None:
    say()
    say(f"{_days(lead.days)} before, by what was on record then")
    print_table(
        [
            *(Column(name.replace("_", " "), wraps=True) for name in answer.group_by),
            Column("deals", right=True),
            Column("won", right=True),
            *_SCORE,
        ],
        [
            [
                *(_value(one, name, stages) for name in answer.group_by),
                shown.number(one.deals),
                shown.number(one.won),
                *_score(one.score),
            ]
            for one in lead.groups
        ],
    )


def _days(days: int) -> str:
    return f"{days:,} {'day' if days == 1 else 'days'}"


def _value(group: CalibrationGroup, name: str, stages: dict[str, str]) -> str:
    match group.group[name]:
        case None:
            return "(none)"
        case User() as user:
            return shown.person(user)
        case str() as value:
            return stages.get(value, value) if name == "stage" else value


def _print_bins(lead: CalibrationLead) -> None:
    if not lead.bins:
        return
    say()
    say(f"Reliability {_days(lead.days)} before")
    print_table(
        [
            Column("probability", right=True),
            Column("deals", right=True),
            Column("mean", right=True),
            Column("won", right=True),
            Column("share won", right=True),
            Column("95 % interval", right=True),
        ],
        [
            [
                _span(one),
                shown.number(one.deals),
                shown.share(one.mean_probability),
                shown.number(one.won),
                shown.share(one.share_won),
                f"{shown.share(one.low)} to {shown.share(one.high)}",
            ]
            for one in lead.bins
        ],
    )


def _span(one: CalibrationBin) -> str:
    if one.low_percent == one.high_percent:
        return f"{one.low_percent} %"
    return f"{one.low_percent} to {one.high_percent} %"


def _print_csv(answer: Calibration) -> None:
    """A row for each probability, or ten of them, at each lead."""
    names = CalibrationBin.__struct_fields__
    print_csv(
        ["days", *names],
        (
            [lead.days, *(getattr(one, name) for name in names)]
            for lead in answer.leads
            for one in lead.bins
        ),
    )
