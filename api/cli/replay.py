"""Replay: one deal move by move."""

from typing import Annotated

import msgspec
import typer

from api.cli import position, shown
from api.cli.groups import AsOf, KnownAt, WantedDeal, commands
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
from api.cli.progress import Progress
from api.cli.remarks import heaviest, print_findings, say_not_assessable
from api.cli.terminal import Terminal, terminal
from api.plain import clean
from api.queries.replays import NoSuchMove, position_of, replay_deal
from api.wire.findings import Finding
from api.wire.moves import Axis, Move, Replay
from store.notary import UnknownEvent

app = commands()


@app.command(
    epilog="""\b
Examples:
  dealstate replay D-0042
  dealstate replay D-0042 --from 10
  dealstate replay D-0042 --as-of 2017-06-30 --known-at 2017-06-30
  dealstate replay D-0042 --as-known       what we knew at each move, as it became known
  dealstate replay D-0042 --at 61          one move: all indicators, beside won deals

Each line is one event in the order in which things happened: the day counted from the opening,
the days since the move before (+), the stage, amount and close date behind it, the probability by
the process (prob) and by how deals like it ended (est), how many criteria of the stage's gate were
met, a mark where rules of good practice were broken, and what happened. Below stand the findings:
what the rules say, and by which events. docs/replay.md tells more."""
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
    as_known: Annotated[
        bool,
        typer.Option(
            "--as-known",
            help="What was known at each moment, in the order in which it became known.",
        ),
    ] = False,
    version: Annotated[
        int | None,
        typer.Option(
            "--at",
            min=1,
            metavar="VERSION",
            help="Show this move alone: all indicators, and how won deals stood there.",
        ),
    ] = None,
    layout: FormatOption = Format.TABLE,
) -> None:
    """Replay one deal move by move, as it happened."""
    at = terminal(context)
    axis = Axis.KNOWN if as_known else Axis.TRUE
    if version is not None:
        _show_position(at, (deal, version, axis), (as_of, known_at), layout)
        return
    with at.opened() as store, Progress("Learning from decided deals", "months") as progress:
        instants = at.instants(store, as_of, known_at)
        every = replay_deal(at.readable(store, deal), instants, 1, axis, progress.reached)
    answer = msgspec.structs.replace(every, moves=every.moves[first - 1 :])
    match layout:
        case Format.JSON:
            print_json(answer)
        case Format.CSV:
            print_listing(answer.moves, Move)
        case Format.TABLE:
            _print_moves(answer, shown.point(instants, at.zone), at)
    if layout is not Format.JSON:
        if every.moves and not answer.moves:
            note(f"It has {_moves(len(every.moves))}, so there is none from number {first:,} on.")
        note_caveats(answer.caveats)


def _moves(number: int) -> str:
    return "1 move" if number == 1 else f"{number:,} moves"


def _show_position(
    at: Terminal,
    wanted: tuple[str, int, Axis],
    moment: tuple[str | None, str | None],
    layout: Format,
) -> None:
    deal, version, axis = wanted
    with at.opened() as store, Progress("Learning from decided deals", "months") as progress:
        instants = at.instants(store, *moment)
        view = at.readable(store, deal)
        try:
            answer = position_of(view, instants, version, axis, progress.reached)
        except NoSuchMove:
            raise UnknownEvent(
                f"{deal} has no move of version {version} then; it is withdrawn, not known yet,"
                " or not there.",
                f"See its moves and their versions: dealstate replay {deal}",
            ) from None
    match layout:
        case Format.JSON:
            print_json(answer)
        case Format.CSV:
            print_listing([answer.move], Move)
        case Format.TABLE:
            position.tell(answer, shown.point(instants, at.zone), at.zone)
    if layout is not Format.JSON:
        note_caveats(answer.caveats)


def _print_moves(answer: Replay, when: str, at: Terminal) -> None:
    deal = answer.deal
    axis = ", what was known at each moment" if answer.axis is Axis.KNOWN else ""
    say(clean(f"{deal.name}  ({shown.short_name(deal)}), {when}{axis}"))
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
            Column("est", right=True),
            Column("gate", right=True, spare=True),
            Column("by", spare=True),
            Column(""),
            Column("what happened", wraps=True),
        ],
        [
            _row(move, currency, heaviest(_begun(answer, index)), at)
            for index, move in enumerate(answer.moves)
        ],
        strong={index for index, move in enumerate(answer.moves) if _turns(move)},
    )
    _print_findings(answer, at)


def _print_findings(answer: Replay, at: Terminal) -> None:
    _print_turning_points(answer, at)
    if answer.findings:
        say()
        say("What the rules find (?! a note, ? a mistake, ?? a blunder)")
        print_findings(answer.findings, at.zone)
    if answer.not_assessable:
        say()
        say_not_assessable(answer.not_assessable)


def _print_turning_points(answer: Replay, at: Terminal) -> None:
    falls = [point for point in answer.turning_points if point.estimate_before is not None]
    if falls:
        say()
        say("Where the estimate fell by ten points or more")
        print_table(
            [
                Column("move", right=True),
                Column("when"),
                Column("fall"),
                Column("what", wraps=True),
            ],
            [
                [
                    str(point.move),
                    shown.day(point.at, at.zone),
                    f"{point.estimate_before:.0f} → {point.estimate_after:.0f} %",
                    clean(point.what),
                ]
                for point in falls
            ],
        )
    if answer.point_of_no_return is not None:
        say()
        say(f"Point of no return: from move {answer.point_of_no_return} on it stayed below 15 %.")


def _begun(answer: Replay, index: int) -> list[Finding]:
    """The findings of what happened at a move, or before the next."""
    moves = answer.moves
    start = moves[index].at if index or moves[0].number > 1 else ""
    end = moves[index + 1].at if index + 1 < len(moves) else "~"
    return [finding for finding in answer.findings if start <= finding.happened_at < end]


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
    return f"{standing}, {_moves(last.number)} over {last.day:,} days"


def _row(move: Move, currency: str, mark: str, at: Terminal) -> list[str]:
    return [
        str(move.number),
        str(move.version),
        shown.moment(move.at, at.zone),
        str(move.day),
        str(move.days_since_last_move) if move.number > 1 else "",
        shown.text(move.stage),
        shown.money(move.amount).removesuffix(f" {currency}"),
        shown.whole_day(move.expected_close),
        shown.percent(move.probability),
        _estimate(move),
        f"{move.gate_met}/{move.gate_total}" if move.gate_total else shown.NONE,
        shown.person(move.actor),
        mark,
        " ".join([move.what, *_remarks(move)]),
    ]


def _estimate(move: Move) -> str:
    estimate = move.estimate
    if estimate is None or estimate.percent is None:
        return shown.NONE
    return f"{estimate.percent:.0f} %"


def _remarks(move: Move) -> list[str]:
    remarks = []
    if move.inferred:
        remarks.append("[inferred]")
    if move.known_late_days:
        days = "day" if move.known_late_days == 1 else "days"
        remarks.append(f"[known {move.known_late_days:,} {days} later]")
    return remarks
