"""How far the targets of a period are covered."""

from typing import Annotated

import typer

from api.cli import shown
from api.cli.figures import wanted_periods
from api.cli.groups import AsOf, KnownAt, commands
from api.cli.output import (
    Column,
    Format,
    FormatOption,
    note,
    note_caveats,
    print_json,
    print_listing,
    print_table,
    say,
)
from api.cli.plots import Plot, plot
from api.cli.terminal import terminal
from api.pages.charts.coverage import coverage_chart, whose_of
from api.queries.coverage import TargetKind, ask_coverage
from api.wire.coverage import CoverageReport, DealSum, TargetCoverage
from api.wire.figures import Share
from api.wire.values import Amount

app = commands()


@app.command(
    epilog="""\b
Examples:
  dealstate coverage 2017-Q2 --as-of 2017-05-15
  dealstate coverage 2017 --by owner
  dealstate coverage 2017-Q2 --as-of 2017-05-15 --known-at 2017-05-15 --format json

Targets are set with dealstate targets. Coverage is the pipeline expected to close in the period
over what remains of the target; needed is what remains over the win rate, by count, of the deals
decided in the twelve months before. docs/operating-figures.md has every figure."""
)
def coverage(
    context: typer.Context,
    period: Annotated[
        str | None, typer.Argument(metavar="[PERIOD]", show_default="this quarter")
    ] = None,
    *,
    by: Annotated[
        TargetKind | None,
        typer.Option(metavar="owner|territory|unit", help="Only targets of this kind."),
    ] = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    picture: Plot = None,
    layout: FormatOption = Format.TABLE,
) -> None:
    """Show what is won of each target, and whether the pipeline covers the rest."""
    at = terminal(context)
    with at.opened() as store:
        instants = at.instants(store, as_of, known_at)
        [wanted] = wanted_periods(store.calendar, instants.as_of or store.now(), period, None)
        answer = ask_coverage(store, at.principal(store), instants, wanted, by)
    match layout:
        case Format.JSON:
            print_json(answer)
        case Format.CSV:
            print_listing(answer.targets, TargetCoverage)
        case Format.TABLE:
            say(
                f"Coverage of the targets of {answer.period.label} {shown.point(instants, at.zone)}"
            )
            say()
            _print_table(answer)
    if layout is not Format.JSON:
        note_caveats(answer.caveats)
    plot(picture, lambda: coverage_chart(answer))


def _print_table(answer: CoverageReport) -> None:
    if not answer.targets:
        note("No targets are on record for exactly this period: dealstate targets sets them.")
        _print_untargeted(answer)
        return
    own = shown.one_currency(one.target.currency for one in answer.targets)
    print_table(
        [
            Column("target for", wraps=True),
            Column(f"target {own or ''}".strip(), right=True),
            Column("won", right=True),
            Column("remaining", right=True),
            Column("pipeline", right=True),
            Column("weighted", right=True, spare=True),
            Column("coverage", right=True),
            Column("win rate", right=True),
            Column("needed", right=True),
            Column("needed new", right=True),
        ],
        [
            _row(whose, one, own)
            for whose, one in zip(whose_of(answer.targets), answer.targets, strict=True)
        ],
    )
    _print_apart(answer)
    _print_untargeted(answer)


def _row(whose: str, one: TargetCoverage, own: str | None) -> list[str]:
    def told(amount: Amount | None) -> str:
        if amount is None:
            return shown.NONE
        value = shown.rounded(amount)
        return value if own or value == shown.NONE else f"{value} {amount.currency}"

    return [
        whose,
        told(one.target),
        told(one.won),
        told(one.remaining),
        told(one.pipeline),
        told(one.weighted_pipeline),
        shown.NONE if one.coverage is None else f"{float(one.coverage):,.2f}",
        _win_rate(one.win_rate),
        told(one.needed_pipeline),
        told(one.needed_new_pipeline),
    ]


def _win_rate(share: Share) -> str:
    return f"too few ({share.of:,})" if share.ratio is None else shown.share(share.ratio)


def _print_apart(answer: CoverageReport) -> None:
    """Amounts that no rate converts into the currency of a target."""
    for whose, one in zip(whose_of(answer.targets), answer.targets, strict=True):
        for name, deals in (("won", one.won_deals), ("in the pipeline", one.pipeline_deals)):
            if deals.amounts:
                note(f"{whose}: {_amounts(deals)} {name} without a rate, not counted above.")


def _print_untargeted(answer: CoverageReport) -> None:
    """What is not under any of the targets."""
    won, pipeline = answer.untargeted.won, answer.untargeted.pipeline
    if won.deals or pipeline.deals:
        say()
        say(f"Without a target: won {_told(won)}; pipeline {_told(pipeline)}.")


def _told(deals: DealSum) -> str:
    return f"{_amounts(deals)} of {deals.deals:,} {'deal' if deals.deals == 1 else 'deals'}"


def _amounts(deals: DealSum) -> str:
    return ", ".join(map(shown.money, deals.amounts)) or "nothing"
