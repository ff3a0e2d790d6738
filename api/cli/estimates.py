"""How good the cohort estimate of the probability to win was."""

from collections.abc import Sequence
from typing import Annotated

import typer

from api.cli import shown
from api.cli.groups import commands
from api.cli.output import (
    Column,
    Format,
    FormatOption,
    note_caveats,
    print_json,
    print_listing,
    print_table,
    say,
)
from api.cli.progress import Progress
from api.cli.terminal import terminal
from api.queries.estimates import ask_estimates
from api.queries.views import visible_in_all
from api.wire.estimates import EstimateQuality, EstimateScore
from domain.access import Action

app = commands()


@app.command(
    epilog="""\b
Examples:
  dealstate estimates
  dealstate estimates --as-occurred
  dealstate estimates --format csv > scores.csv

The first run trains a model for each month, which takes a while; the models are kept beside the
store. docs/win-probability.md tells how the estimate is made and what the figures mean."""
)
def estimates(
    context: typer.Context,
    *,
    as_occurred: Annotated[
        bool,
        typer.Option(
            "--as-occurred",
            help="Count what an import did not date as known when it occurred.",
        ),
    ] = False,
    layout: FormatOption = Format.TABLE,
) -> None:
    """Show how good the estimates of the probability to win were.

    Judged are decided deals, by models that had not seen them: the cohort estimate beside the
    process estimate and the base rate, as Brier scores (0 is perfect, lower is better).
    """
    at = terminal(context)
    with at.opened() as store, Progress("Training", "models") as progress:
        visible_in_all(at.principal(store), Action.READ)
        answer = ask_estimates(store, progress.reached, as_occurred=as_occurred)
    match layout:
        case Format.JSON:
            print_json(answer)
            return
        case Format.CSV:
            print_listing(answer.scores, EstimateScore)
        case Format.TABLE:
            _tell(answer)
    note_caveats(answer.caveats)


def _tell(answer: EstimateQuality) -> None:
    say(answer.verdict)
    say(
        f"{answer.decided:,} deals are decided; at {answer.undetermined:,} points there was no"
        " model yet."
    )
    if not answer.scores:
        return
    for one in answer.differences:
        say(
            f"Cohort less {_against(one.against)}: {one.mean:+.4f}"
            f" ({one.low:+.4f} to {one.high:+.4f}), {one.deals:,} deals: {_words(one.verdict)}."
        )
    _print_scores("Where", [one for one in answer.scores if one.group != "boundary"])
    _print_scores("Model of", [one for one in answer.scores if one.group == "boundary"])
    _print_reliability(answer)
    if answer.parts is not None:
        parts = answer.parts
        say(
            f"Score {answer.scores[0].cohort:.4f} = reliability {parts.reliability:.4f}"
            f" - resolution {parts.resolution:.4f} + uncertainty {parts.uncertainty:.4f}"
            f" + within steps {parts.within:.4f}"
        )


def _against(name: str) -> str:
    return "base rate" if name == "base-rate" else "process estimate"


def _words(verdict: str) -> str:
    return verdict.replace("-", " ")


def _print_scores(head: str, scores: Sequence[EstimateScore]) -> None:
    say()
    say("Brier scores" if head == "Where" else "By the model that judged")
    by_boundary = head != "Where"
    columns = [
        Column(head.lower()),
        *([Column("its deals", right=True)] if by_boundary else []),
        Column("deals", right=True),
        Column("points", right=True),
        Column("won", right=True),
        Column("cohort", right=True),
        Column("process", right=True),
        Column("base rate", right=True),
    ]
    print_table(
        columns,
        [
            [
                one.name[:10] if by_boundary else one.name or "all",
                *([f"{one.cohort_size:,}"] if by_boundary else []),
                f"{one.deals:,}",
                f"{one.points:,}",
                _percent(one.won),
                f"{one.cohort:.4f}",
                shown.NONE if one.process is None else f"{one.process:.4f}",
                f"{one.base_rate:.4f}",
            ]
            for one in scores
        ],
    )


def _print_reliability(answer: EstimateQuality) -> None:
    say()
    say("Reliability: what became of what was estimated")
    print_table(
        [
            Column("estimate"),
            Column("points", right=True),
            Column("deals", right=True),
            Column("mean estimate", right=True),
            Column("won", right=True),
        ],
        [
            [
                f"{one.low:.0%} to {one.high:.0%}",
                f"{one.points:,}",
                f"{one.deals:,}",
                _percent(one.estimated),
                _percent(one.won),
            ]
            for one in answer.reliability
        ],
    )


def _percent(value: float | None) -> str:
    return shown.NONE if value is None else f"{value:.1%}"
