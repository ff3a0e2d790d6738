"""Time in stage and outcomes over time as tables and as CSV."""

from collections.abc import Mapping
from typing import TypeAlias

from api.cli import shown
from api.cli.flow_tables import NOTHING, cell, days_shown, once
from api.cli.output import Column, note, print_csv, print_table, say
from api.wire.flows import GroupOutcomes, OutcomesOverTime, StageSurvival, TimeInStage
from api.wire.values import User
from projections.flow.survival import ENDINGS, Ending

Names: TypeAlias = Mapping[str, str]

_HORIZONS = (30, 90, 180, 365)
"""Days at which curves are told in a table."""


def _value(value: str | User | None) -> str:
    match value:
        case None:
            return "(none)"
        case User():
            return shown.person(value)
        case str():
            return value


def print_survival(answer: TimeInStage, when: str, names: Names) -> None:
    """Quartiles of the time in each stage, and the share that stays longer than some days."""
    say(f"Time in stage {when}, visits that go on included")
    say()
    if not answer.stages:
        note(NOTHING)
        return
    above = [None, *(one.process for one in answer.stages)]
    print_table(
        [
            *([Column(answer.by.replace("_", " "), wraps=True)] if answer.by else []),
            Column("process"),
            Column("stage", wraps=True),
            Column("visits", right=True),
            Column("ended", right=True),
            Column("a quarter left by day", right=True, spare=True),
            Column("half", right=True),
            Column("three quarters", right=True, spare=True),
            *(Column(f"there after {days} d", right=True, spare=True) for days in _HORIZONS),
        ],
        [
            [
                *([_value(one.value)] if answer.by else []),
                one.process if answer.by else once(one.process, before),
                names.get(one.stage, one.stage),
                shown.number(one.visits),
                shown.number(one.ended),
                days_shown(one.lower_quartile_days),
                days_shown(one.median_days),
                days_shown(one.upper_quartile_days),
                *(_still_there(one, days) for days in _HORIZONS),
            ]
            for one, before in zip(answer.stages, above, strict=False)
        ],
    )
    say()
    say("In brackets the 95 % interval. A dash: so many had not left, or nobody was seen so long.")


def _still_there(one: StageSurvival, days: int) -> str:
    """The share, where somebody was seen for so long, or nobody was left before."""
    passed = [point for point in one.curve if point.days <= days]
    if one.longest_days < days and not (passed and passed[-1].share == 0):
        return shown.NONE
    if not passed:
        return "100 %"
    last = passed[-1]
    told = f"{last.share:.0%}".replace("%", " %")
    if last.low is None or last.high is None:
        return told
    return f"{told} ({100 * last.low:.0f}–{100 * last.high:.0f})"


def print_survival_csv(answer: TimeInStage) -> None:
    """A row for each stage and day."""
    print_csv(
        [
            *([answer.by] if answer.by else []),
            *("process", "stage", "days", "at_risk", "left", "share", "low", "high"),
        ],
        [
            [
                *([_value(one.value)] if answer.by else []),
                *(one.process, one.stage, point.days, point.at_risk, point.left, point.share),
                *(cell(point.low), cell(point.high)),
            ]
            for one in answer.stages
            for point in one.curve
        ],
    )


def print_outcomes(answer: OutcomesOverTime, when: str) -> None:
    """The shares of every ending some days after the opening."""
    say(f"Outcomes {when}, by days since the opening, deals without one included")
    say()
    if not answer.groups:
        note(NOTHING)
        return
    print_table(
        [
            *([Column(answer.by.replace("_", " "), wraps=True)] if answer.by else []),
            Column("deals", right=True),
            Column("without an outcome", right=True, spare=True),
            Column("after days", right=True),
            *(Column(_ending(one), right=True) for one in ENDINGS),
        ],
        [row for group in answer.groups for row in _outcome_rows(group, answer.by)],
    )
    say()
    say("Without an outcome: open, suspended or merged.")


def _outcome_rows(group: GroupOutcomes, by: str | None) -> list[list[str]]:
    rows = []
    for number, days in enumerate(_HORIZONS):
        passed = [point for point in group.curve if point.days <= days]
        if days > group.longest_days and number:
            break
        shares = passed[-1].shares
        first = number == 0
        rows.append(
            [
                *([_value(group.value) if first else ""] if by else []),
                shown.number(group.deals) if first else "",
                shown.number(group.censored) if first else "",
                str(days),
                *(f"{100 * shares[one]:.1f} %" for one in ENDINGS),
            ]
        )
    return rows


def _ending(one: Ending) -> str:
    return one.value.replace("-", " ")


def print_outcomes_csv(answer: OutcomesOverTime) -> None:
    """A row for each group and day."""
    print_csv(
        [
            *([answer.by] if answer.by else []),
            *("days", "at_risk"),
            *(one.value.replace("-", "_") for one in ENDINGS),
        ],
        [
            [
                *([_value(group.value)] if answer.by else []),
                *(point.days, point.at_risk),
                *(point.shares[one] for one in ENDINGS),
            ]
            for group in answer.groups
            for point in group.curve
        ],
    )
