"""One deal behind one move: the indicators, what moved them, and how won deals stood there."""

from zoneinfo import ZoneInfo

from api.cli import shown
from api.cli.output import Column, print_table, say
from api.cli.remarks import print_findings
from api.plain import clean
from api.wire.comparisons import Comparison
from api.wire.moves import Axis, Position
from domain.people.facts import BuyingRole


def tell(position: Position, when: str, zone: ZoneInfo) -> None:
    """Print the state panel of a move."""
    deal, move = position.deal, position.move
    axis = ", what was known at that moment" if position.axis is Axis.KNOWN else ""
    say(clean(f"{deal.name}  ({shown.short_name(deal)}), {when}{axis}"))
    at = shown.moment(move.at, zone)
    say(clean(f"Move {move.number}, version {move.version}, {at}: {move.what}"))
    say()
    for label, value in _facts(position):
        say(clean(f"{label:<16}{value}"))
    if position.findings:
        say()
        print_findings(position.findings, zone)
    if position.comparison is not None:
        say()
        _tell_comparison(position.comparison)


def _facts(position: Position) -> list[tuple[str, str]]:
    move, found = position.move, position.move.indicators
    facts = [
        ("Stage", f"{shown.text(move.stage)}, for {move.days_in_stage:,} days, day {move.day:,}"),
        ("Gate", f"{move.gate_met} of {move.gate_total} met"),
        ("Amount", shown.money(move.amount)),
        ("Closes", f"{shown.whole_day(move.expected_close)}{_away(move.days_to_expected_close)}"),
        ("By the process", shown.percent(move.probability)),
        ("By the cohort", _estimate(position)),
        ("What moved it", _moved(position)),
    ]
    if found is None:
        return facts
    alignment = "not known" if found.alignment is None else f"{found.alignment:+d} phases ahead"
    return [
        *facts,
        ("Customer", f"{shown.text(found.buyer_phase)}; our stage {alignment}"),
        ("People", f"{found.people}, {found.roles_filled} of {len(BuyingRole)} roles filled"),
        ("Contacts", f"{found.contacts} in 30 days, with {found.people_contacted} people"),
        ("Last contact", _ago(found.days_since_contact)),
        ("Decision maker", f"met {_ago(found.days_since_decision_maker_met)}"),
        ("Support", f"{found.support:+d}"),
        ("Open concerns", str(found.open_concerns)),
        ("Position", shown.text(found.position)),
        ("Conceded", f"{found.concessions} times, {shown.money(found.conceded)}"),
    ]


def _estimate(position: Position) -> str:
    estimate = position.move.estimate
    if estimate is None:
        return shown.NONE
    if estimate.percent is None:
        return f"undetermined: {estimate.cohort:,} decided deals, 100 are needed"
    return (
        f"{estimate.percent:.0f} %, 90 % interval {estimate.low:.0f} to {estimate.high:.0f} %,"
        f" from {estimate.cohort:,} decided deals"
    )


def _moved(position: Position) -> str:
    moves = [f"{one.indicator} {one.change:+.2f}" for one in position.move.moved_by]
    return f"{', '.join(moves)} (log-odds)" if moves else shown.NONE


def _away(days: int | None) -> str:
    if days is None:
        return ""
    return f", in {days:,} days" if days >= 0 else f", {-days:,} days ago"


def _ago(days: int | None) -> str:
    return "never" if days is None else f"{days:,} days before"


def _tell_comparison(found: Comparison) -> None:
    if not found.places:
        say(f"Too few won deals are comparable ({found.won:,}).")
        return
    alike = ", ".join(found.matched_on) or "nothing but age"
    say(f"Beside {found.won:,} won deals of the same age, alike in {alike}")
    print_table(
        [
            Column("indicator"),
            Column("this deal", right=True),
            Column("middle", right=True),
            Column("stands above", right=True),
            Column("of", right=True),
        ],
        [
            [
                one.indicator,
                f"{one.value:,.2f}",
                f"{one.median:,.2f}",
                f"{one.percentile:.0f} %",
                str(one.deals),
            ]
            for one in found.places
        ],
    )
