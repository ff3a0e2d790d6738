"""Replay: one deal move by move."""

from typing import Annotated

import typer

from api.cli import shown
from api.cli.groups import AsOf, KnownAt, WantedDeal, commands
from api.cli.output import (
    Column,
    Format,
    FormatOption,
    clean,
    print_json,
    print_listing,
    print_table,
    say,
)
from api.cli.terminal import Terminal, terminal
from api.queries.deals import replay_deal
from api.wire.moves import Move, Replay

app = commands()


@app.command(
    epilog="""\b
Examples:
  dealstate replay D-0042
  dealstate replay D-0042 --from 10
  dealstate replay D-0042 --as-of 2017-06-30 --known-at 2017-06-30

Each line is one event in the order in which things happened: the day counted from the opening,
the days since the move before (+), the stage, amount, close date and win probability behind it,
how many criteria of the stage's gate were met, and what happened."""
)
def replay(
    context: typer.Context,
    deal: WantedDeal,
    *,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    first: Annotated[
        int, typer.Option("--from", min=1, metavar="N", help="Begin with this move.")
    ] = 1,
    layout: FormatOption = Format.TABLE,
) -> None:
    """Replay one deal move by move, as it happened."""
    at = terminal(context)
    with at.opened() as store:
        instants = at.instants(store, as_of, known_at)
        answer = replay_deal(at.readable(store, deal), instants, first)
    match layout:
        case Format.JSON:
            print_json(answer)
        case Format.CSV:
            print_listing(answer.moves, Move)
        case Format.TABLE:
            _print_moves(answer, shown.point(instants, at.zone), at)


def _print_moves(answer: Replay, when: str, at: Terminal) -> None:
    deal = answer.deal
    say(clean(f"{deal.name}  ({shown.short_name(deal)}), {when}"))
    say(clean(_summary(answer, at)))
    say()
    currency = deal.currency
    print_table(
        [
            Column("#", right=True),
            Column("version", right=True),
            Column("when"),
            Column("day", right=True),
            Column("+", right=True),
            Column("stage"),
            Column(f"amount {currency}", right=True),
            Column("closes", spare=True),
            Column("prob", right=True),
            Column("gate", right=True, spare=True),
            Column("by", spare=True),
            Column("what happened", wraps=True),
        ],
        [_row(move, currency, at) for move in answer.moves],
        strong={index for index, move in enumerate(answer.moves) if _turns(move)},
    )


def _turns(move: Move) -> bool:
    """Whether the deal moved on, back or to its end."""
    return any(change.field in {"stage", "status"} for change in move.changes)


def _summary(answer: Replay, at: Terminal) -> str:
    deal = answer.deal
    outcome = f" ({deal.outcome})" if deal.outcome not in {None, deal.status.value} else ""
    ended = f" on {shown.day(deal.closed_at, at.zone)}" if deal.closed_at else ""
    standing = f"{deal.status}{outcome}{ended}, owner {shown.person(deal.owner)}"
    if not answer.moves:
        return f"{standing}, no moves there"
    last = answer.moves[-1]
    moves = "1 move" if last.number == 1 else f"{last.number:,} moves"
    return f"{standing}, {moves} over {last.day:,} days"


def _row(move: Move, currency: str, at: Terminal) -> list[str]:
    return [
        str(move.number),
        str(move.version),
        shown.moment(move.occurred_at, at.zone),
        str(move.day),
        str(move.days_since_last_move) if move.number > 1 else "",
        shown.text(move.stage),
        shown.money(move.amount).removesuffix(f" {currency}"),
        shown.whole_day(move.expected_close),
        shown.percent(move.probability),
        f"{move.gate_met}/{move.gate_total}" if move.gate_total else shown.NONE,
        shown.person(move.actor),
        " ".join([move.what, *_remarks(move)]),
    ]


def _remarks(move: Move) -> list[str]:
    remarks = []
    if move.inferred:
        remarks.append("[inferred]")
    if move.known_late_days:
        days = "day" if move.known_late_days == 1 else "days"
        remarks.append(f"[known {move.known_late_days:,} {days} later]")
    return remarks
