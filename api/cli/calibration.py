"""How far the probabilities on record could be trusted."""

from typing import Annotated

import typer

from api.cli import shown
from api.cli.filters import Where, conditions, dimensions
from api.cli.grouping import group_cell, group_text
from api.cli.groups import AsOf, KnownAt, commands
from api.cli.output import (
    Column,
    Format,
    FormatOption,
    note,
    note_caveats,
    plain,
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
from projections.forecast.calibration import Without

app = commands()


@app.command(
    epilog="""\b
Examples:
  dealstate calibration
  dealstate calibration --lead 30 --by stage --plot reliability.svg
  dealstate calibration --by owner --where region=West
  dealstate calibration --by lead-source --format csv > bins.csv
                                           how reliable they were, in each group

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
        answer = ask_calibration(store, at.principal(store), instants, query)
        stages = stage_names(store.log.processes())
    when = shown.point(instants, at.zone)
    match layout:
        case Format.JSON:
            print_json(answer)
        case Format.CSV:
            _print_csv(answer)
        case Format.TABLE:
            _tell(answer, stages, when)
    plot(plotted, lambda: calibration_chart(answer, stages, when))
    if layout is not Format.JSON:
        note_caveats(answer.caveats)


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
        if len(answer.group_by) == 1:
            _print_bins_by_group(answer.group_by[0], one, stages)
    if len(answer.group_by) > 1 and any(group.bins for one in answer.leads for group in one.groups):
        note("Reliability by group is in JSON and CSV, and in --plot; tables have it of one --by.")


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
                *(group_text(name, one.group[name], stages) for name in answer.group_by),
                shown.number(one.deals),
                shown.number(one.won),
                *_score(one.score),
            ]
            for one in lead.groups
        ],
    )


def _days(days: int) -> str:
    return f"{days:,} {'day' if days == 1 else 'days'}"


def _print_bins(lead: CalibrationLead) -> None:
    if not lead.bins:
        return
    say()
    say(f"Reliability {_days(lead.days)} before")
    print_table(_BINS, [_bin(one) for one in lead.bins])


_BINS = [
    Column("probability", right=True),
    Column("deals", right=True),
    Column("mean", right=True),
    Column("won", right=True),
    Column("share won", right=True),
    Column("95 % interval", right=True),
]


def _bin(one: CalibrationBin) -> list[str]:
    return [
        _span(one),
        shown.number(one.deals),
        shown.share(one.mean_probability),
        shown.number(one.won),
        shown.share(one.share_won),
        f"{shown.share(one.low)} to {shown.share(one.high)}",
    ]


def _print_bins_by_group(name: str, lead: CalibrationLead, stages: dict[str, str]) -> None:
    """Of the groups that are not too few; a group is said once."""
    rows = [
        [group_text(name, group.group[name], stages) if one is group.bins[0] else "", *_bin(one)]
        for group in lead.groups
        for one in group.bins
    ]
    if not rows:
        return
    title = name.replace("_", " ")
    say()
    say(f"Reliability {_days(lead.days)} before, by {title}")
    print_table([Column(title, wraps=True), *_BINS], rows)


def _span(one: CalibrationBin) -> str:
    if one.low_percent == one.high_percent:
        return f"{one.low_percent} %"
    return f"{one.low_percent} to {one.high_percent} %"


def _print_csv(answer: Calibration) -> None:
    """A row for each probability, or ten of them, at each lead, in each group where there are any.

    What is too few has one row, with its deals and those won.
    """
    by = answer.group_by
    print_csv(
        ["days", *by, *_CELLS, "too_few"],
        (
            [lead.days, *(_cell(part, name) for name in by), *cells, plain(part.too_few)]
            for lead in answer.leads
            for part in (lead.groups if by else [lead])
            for cells in _cells_of(part)
        ),
    )


_CELLS = CalibrationBin.__struct_fields__


def _cells_of(part: CalibrationLead | CalibrationGroup) -> list[list[object]]:
    if part.too_few:
        return [[getattr(part, name) if name in ("deals", "won") else "" for name in _CELLS]]
    return [[getattr(one, name) for name in _CELLS] for one in part.bins]


def _cell(part: CalibrationLead | CalibrationGroup, name: str) -> object:
    return group_cell(part.group[name]) if isinstance(part, CalibrationGroup) else ""
