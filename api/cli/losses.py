"""Loss analysis over many deals."""

from typing import Annotated

import typer

from api.cli import shown
from api.cli.filters import conditions
from api.cli.groups import AsOf, KnownAt, commands
from api.cli.output import (
    Column,
    Format,
    FormatOption,
    note,
    note_caveats,
    print_csv,
    print_json,
    print_table,
    say,
)
from api.cli.progress import Progress
from api.cli.terminal import terminal
from api.queries.losses import LossQuery, ask_losses
from api.wire.losses import HeadToHead, Lift, LossAnalysis, Sum
from projections.losses import Dimension
from projections.pipeline import DIMENSIONS

app = commands()


@app.command(
    epilog=f"""\b
Examples:
  dealstate losses
  dealstate losses --by competitor,reason --where region=EMEA
  dealstate losses --by stage,purchase-mode --as-of 2026-03-31
  dealstate losses --format csv            the lift of every rule, one a row

Break down by: {", ".join(Dimension)}. Restrict to: {", ".join(DIMENSIONS)}. A voided tender is no
loss. Lift is the ratio of the odds of losing, where a rule fired 30 days before the outcome to
where it did not, among deals that came equally far; above 1 it goes with losing, and is no proof
that it is why."""
)
def losses(
    context: typer.Context,
    *,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    by: Annotated[
        str, typer.Option(metavar="DIM,…", help="What to break the losses down by.")
    ] = "reason,stage",
    where: Annotated[
        list[str] | None,
        typer.Option(metavar="DIM=VALUE", help="Only deals with this value. May be given again."),
    ] = None,
    limit: Annotated[
        int, typer.Option(min=1, max=1000, metavar="N", help="At most so many rows of a table.")
    ] = 12,
    layout: FormatOption = Format.TABLE,
) -> None:
    """Tell why, where, when and to whom deals were lost."""
    at = terminal(context)
    query = LossQuery(conditions(where or []), _dimensions(by))
    with at.opened() as store, Progress("Looking back on", "deals") as progress:
        instants = at.instants(store, as_of, known_at)
        try:
            answer = ask_losses(store, at.principal(store), instants, query, progress.reached)
        except ValueError as error:
            raise typer.BadParameter(str(error), param_hint="'--where'") from None
    match layout:
        case Format.JSON:
            print_json(answer)
        case Format.CSV:
            _print_csv(answer.findings)
        case Format.TABLE:
            _print(answer, shown.point(instants, at.zone), limit)
    if layout is not Format.JSON:
        note_caveats(answer.caveats)


def _dimensions(text: str) -> list[Dimension]:
    found = []
    for name in filter(None, (part.strip() for part in text.split(","))):
        if name not in set(Dimension):
            raise typer.BadParameter(
                f"there is no dimension {name!r}; use {', '.join(Dimension)}", param_hint="'--by'"
            )
        found.append(Dimension(name))
    return list(dict.fromkeys(found))


def _print(answer: LossAnalysis, when: str, limit: int) -> None:
    say(f"Decided deals {when}")
    print_table(
        [Column("outcome"), Column("deals", right=True), Column("amount", right=True)],
        [
            ["won", *_sum(answer.won)],
            ["lost", *_sum(answer.lost)],
            ["  to competitors", *_sum(answer.to_competitors)],
            ["  no decision", *_sum(answer.no_decision)],
            ["  otherwise", *_sum(answer.other_losses)],
            ["voided (no loss)", *_sum(answer.voided)],
        ],
    )
    _print_groups(answer, limit)
    _print_graves(answer, limit)
    _print_accounts(answer, limit)
    _print_competitors(answer.competitors[:limit])
    _print_lift(answer, limit)


def _print_groups(answer: LossAnalysis, limit: int) -> None:
    if not answer.groups or not answer.by:
        return
    say()
    say(f"Losses by {', '.join(answer.by)}")
    print_table(
        [
            *(Column(name) for name in answer.by),
            Column("deals", right=True),
            Column("amount", right=True),
        ],
        [[*group.values, *_sum(group.lost)] for group in answer.groups[:limit]],
    )
    if len(answer.groups) > limit:
        note(f"{len(answer.groups) - limit:,} more groups: raise --limit.")


def _print_graves(answer: LossAnalysis, limit: int) -> None:
    if not answer.graves:
        return
    limits = answer.age_limits_days
    ages = [*(f"≤ {days} d" for days in limits), f"> {limits[-1]} d"]
    say()
    say("Where deals die")
    print_table(
        [
            Column("process"),
            Column("stage"),
            Column("lost", right=True),
            Column("median days", right=True),
            *(Column(age, right=True) for age in ages),
        ],
        [
            [
                one.process,
                one.stage,
                shown.number(one.lost.deals),
                f"{one.median_age_days:,.0f}",
                *map(shown.number, one.deals_by_age),
            ]
            for one in answer.graves[:limit]
        ],
    )


def _print_accounts(answer: LossAnalysis, limit: int) -> None:
    told = answer.accounts
    if not told.both:
        return
    say()
    say(f"By whose account: of {told.both:,} losses told by both, {told.agreed:,} give one reason")
    print_table(
        [Column("the seller says"), Column("the buyer says"), Column("deals", right=True)],
        [[one.seller, one.buyer, shown.number(one.deals)] for one in told.pairs[:limit]],
    )


def _print_competitors(competitors: list[HeadToHead]) -> None:
    if not competitors:
        return
    say()
    say("Head to head, with a win rate from five deals won or lost to them on")
    print_table(
        [
            Column("competitor"),
            Column("won", right=True),
            Column("lost to them", right=True),
            Column("win rate", right=True),
            Column("lost to others", right=True),
            Column("lost otherwise", right=True),
            Column("never recorded", right=True),
        ],
        [
            [
                one.competitor,
                shown.number(one.won.deals),
                shown.number(one.lost_to_them.deals),
                shown.NONE if one.win_rate is None else f"{one.win_rate:.0%}".replace("%", " %"),
                shown.number(one.lost_to_others.deals),
                shown.number(one.lost_otherwise.deals),
                shown.number(one.unseen),
            ]
            for one in competitors
        ],
    )


def _print_lift(answer: LossAnalysis, limit: int) -> None:
    told = [one for one in answer.findings if one.lift is not None]
    say()
    say("Findings by lift: the odds of losing with the finding over those without")
    say(_compared(answer))
    print_table(
        [
            Column("rule"),
            Column("lift", right=True),
            Column("95 % interval", right=True),
            Column(""),
            Column("fired, lost", right=True),
            Column("fired, won", right=True),
            Column("fires when", wraps=True),
        ],
        [_lift(one) for one in told[:limit]],
    )
    few = len(answer.findings) - len(told)
    if few:
        say(f"{few} rules fired in too few deals, or in too many, to tell.")
    if any(map(_stands_out, told[:limit])):
        say("* The interval leaves 1 out; of twenty rules without any effect, one does by chance.")


def _compared(answer: LossAnalysis) -> str:
    """How many deals could be compared, and why the others could not."""
    decided = answer.won.deals + answer.lost.deals
    told = f"Compared are {answer.comparable:,} of {decided:,} decided deals"
    reasons = []
    if answer.decided_too_soon:
        reasons.append(f"{answer.decided_too_soon:,} were decided within 30 days of their opening")
    alone = decided - answer.comparable - answer.decided_too_soon
    if alone > 0:
        reasons.append(f"in the furthest stage of {alone:,} deals were only lost, or only won")
    return f"{told}; of the others, {', and '.join(reasons)}." if reasons else f"{told}."


def _stands_out(one: Lift) -> bool:
    """Whether the interval leaves out 1, with which the finding would tell nothing."""
    return one.low is not None and one.high is not None and not one.low <= 1 <= one.high


def _lift(one: Lift) -> list[str]:
    return [
        one.rule,
        f"{one.lift:,.2f}",
        f"{one.low:,.2f} to {one.high:,.2f}",
        "*" if _stands_out(one) else "",
        f"{one.lost_fired:,} of {one.lost:,}",
        f"{one.won_fired:,} of {one.won:,}",
        one.fires_when,
    ]


def _sum(total: Sum) -> list[str]:
    amounts = ", ".join(shown.money(one) for one in total.amounts)
    unknown = f"{total.unknown_amounts:,} unknown" if total.unknown_amounts else ""
    told = "; ".join(part for part in (amounts, unknown) if part)
    return [shown.number(total.deals), told or shown.NONE]


def _print_csv(lifts: list[Lift]) -> None:
    names = Lift.__struct_fields__
    print_csv(names, [[_cell(getattr(one, name)) for name in names] for one in lifts])


def _cell(value: object) -> object:
    return "" if value is None else value
