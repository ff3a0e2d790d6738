"""The flow of deals as tables and as CSV."""

from collections.abc import Mapping
from typing import TypeAlias
from zoneinfo import ZoneInfo

from api.cli import shown
from api.cli.output import Column, note, print_csv, print_table, say
from api.wire.flows import (
    Cohort,
    CohortTable,
    Exit,
    Flow,
    OutcomesOverTime,
    StageFlow,
    StuckFigures,
    TimeInStage,
)
from api.wire.stuck import StuckDeal, StuckDeals
from projections.flow.visits import Went

Answer: TypeAlias = Flow | CohortTable | TimeInStage | OutcomesOverTime | StuckDeals
Names: TypeAlias = Mapping[str, str]

NOTHING = "No deals then."
_TOO_FEW = "too few"


def once(process: str, before: str | None) -> str:
    """The process, where it is another one than in the row above."""
    return "" if process == before else process


def days_shown(value: float | None) -> str:
    return shown.NONE if value is None else f"{value:,.0f}"


# Stages.


def print_stages(answer: Flow, when: str, names: Names, *, exits: bool) -> None:
    """Visits, conversion and time of every stage, and on request where its visits led."""
    say(f"Flow through the stages {when}")
    say()
    if not answer.stages:
        note(NOTHING)
        return
    above = [None, *(one.process for one in answer.stages)]
    print_table(
        [
            Column("process"),
            Column("stage", wraps=True),
            Column("visits", right=True),
            Column("again", right=True, spare=True),
            Column("still there", right=True),
            Column("completed", right=True),
            Column("moved on", right=True),
            Column("median days", right=True),
            Column("quartiles", right=True, spare=True),
            Column("mean", right=True, spare=True),
            Column("days suspended", right=True, spare=True),
            Column("stuck", right=True),
        ],
        [
            [
                once(one.process, before),
                names.get(one.stage, one.stage),
                shown.number(one.visits),
                shown.number(one.reentries),
                shown.number(one.still_there),
                shown.number(one.completed),
                shown.share(one.conversion),
                days_shown(one.median_days),
                _quartiles(one),
                days_shown(one.mean_days),
                shown.number(one.suspended_days),
                _stuck(one.stuck),
            ]
            for one, before in zip(answer.stages, above, strict=False)
        ],
    )
    if exits:
        say()
        _print_exits(answer, names)


def _quartiles(one: StageFlow) -> str:
    lower, upper = one.lower_quartile_days, one.upper_quartile_days
    return shown.NONE if lower is None else f"{days_shown(lower)} to {days_shown(upper)}"


def _stuck(found: StuckFigures) -> str:
    if found.stuck is None:
        return _TOO_FEW if found.open else shown.NONE
    return f"{found.stuck:,} of {found.open:,}" if found.open else shown.NONE


def _print_exits(answer: Flow, names: Names) -> None:
    say("Where visits led")
    rows = []
    for stage in answer.stages:
        for number, one in enumerate(stage.exits):
            first = number == 0
            rows.append(
                [
                    names.get(stage.stage, stage.stage) if first else "",
                    _exit(one, names),
                    shown.number(one.visits),
                ]
            )
    print_table(
        [Column("from", wraps=True), Column("to", wraps=True), Column("visits", right=True)], rows
    )


def _exit(one: Exit, names: Names) -> str:
    to = names.get(one.stage, one.stage) if one.stage else ""
    match one.how:
        case Went.FORWARD | Went.BACK:
            return f"{one.how} to {to}"
        case Went.PROCESS:
            return f"to {one.process}, {to}"
        case Went.LOST:
            return f"lost: {(one.outcome or 'unknown').replace('-', ' ')}"
        case Went.OPEN:
            return "still there"
        case Went.SUSPENDED:
            return "still there, suspended"
        case _:
            return one.how.value


# Cohorts.


def print_cohorts(answer: CohortTable, when: str) -> None:
    """Of each process a table: how far its cohorts came, and how they ended."""
    say(f"Deals by the period of their opening, {when}")
    if not answer.cohorts:
        note(NOTHING)
    for process in sorted({one.process for one in answer.cohorts}):
        cohorts = [one for one in answer.cohorts if one.process == process]
        say()
        say(f"{process}: of the deals opened, the share that ever came to a stage, or past it")
        print_table(
            [
                Column("opened in"),
                Column("deals", right=True),
                *(Column(one.stage, right=True) for one in cohorts[0].reached),
                Column("won", right=True),
                Column("lost", right=True),
                Column("open", right=True),
                Column("voided", right=True, spare=True),
                Column("merged", right=True, spare=True),
            ],
            [_cohort(one) for one in cohorts],
        )


def _cohort(one: Cohort) -> list[str]:
    lost = one.lost_to_competitor + one.no_decision + one.lost_otherwise
    return [
        one.period,
        shown.number(one.opened),
        *(shown.share(stage.share) for stage in one.reached),
        _with_share(one.won, one.won_share),
        _with_share(lost, one.lost_share),
        _with_share(one.open, one.open_share),
        shown.number(one.voided),
        shown.number(one.merged),
    ]


def _with_share(deals: int, share: str | None) -> str:
    return f"{deals:,} ({shown.share(share)})" if deals else shown.NONE


def print_cohorts_csv(answer: CohortTable) -> None:
    """A row for each cohort and stage."""
    names = [
        name
        for name in Cohort.__struct_fields__
        if name not in {"reached", "process", "period", "first_day", "last_day"}
    ]
    print_csv(
        ["period", "first_day", "last_day", "process", "stage", "reached", "reached_share", *names],
        [
            [
                *(one.period, one.first_day, one.last_day, one.process),
                *(stage.stage, stage.deals, stage.share or ""),
                *(cell(getattr(one, name)) for name in names),
            ]
            for one in answer.cohorts
            for stage in one.reached
        ],
    )


def cell(value: object) -> object:
    return "" if value is None else value


# Stuck deals.


def print_stuck(answer: StuckDeals, when: str, names: Names, zone: ZoneInfo) -> None:
    """How many deals are stuck in each stage, and a page of them."""
    say(f"Stuck deals {when}: longer in their stage than 80 % of the visits of won deals took")
    say()
    print_table(
        [
            Column("process"),
            Column("stage", wraps=True),
            Column("visits of won deals", right=True),
            Column("threshold days", right=True),
            Column("open", right=True),
            Column("stuck", right=True),
        ],
        [
            [
                one.process,
                names.get(one.stage, one.stage),
                shown.number(one.figures.visits_of_won_deals),
                _TOO_FEW if one.figures.threshold_days is None else str(one.figures.threshold_days),
                shown.number(one.figures.open),
                shown.NONE if one.figures.stuck is None else shown.number(one.figures.stuck),
            ]
            for one in answer.stages
        ],
    )
    if not answer.deals:
        note("No deal is stuck.")
        return
    say()
    print_table(
        [
            Column("deal"),
            Column("stage", wraps=True),
            Column("since"),
            Column("days", right=True),
            Column("threshold", right=True),
            Column("owner", wraps=True),
            Column("event", right=True, spare=True),
        ],
        [_stuck_deal(one, names, zone) for one in answer.deals],
    )
    if answer.cursor:
        note(f"There are more: --after {answer.cursor}")


def _stuck_deal(one: StuckDeal, names: Names, zone: ZoneInfo) -> list[str]:
    return [
        one.reference or one.deal[:8],
        names.get(one.stage, one.stage),
        shown.day(one.entered_at, zone),
        f"{one.days:,}",
        f"{one.threshold_days:,}",
        shown.person(one.owner),
        shown.NONE if one.entered_by is None else f"@{one.entered_by}",
    ]
