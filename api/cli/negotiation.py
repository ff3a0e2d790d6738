"""The negotiation ledger of one deal, written like the score of a game."""

from collections.abc import Iterable, Sequence
from zoneinfo import ZoneInfo

import typer

from api.cli import shown
from api.cli.groups import AsOf, KnownAt, WantedDeal, commands
from api.cli.output import Column, Shape, ShapeOption, note, print_json, print_table, say
from api.cli.score import ISSUES, figures_told, issue_rows, marks_told, values_of
from api.cli.terminal import terminal
from api.plain import clean
from api.queries.negotiations import negotiations_of
from api.wire.concessions import ConcessionEntry
from api.wire.marks import Distance
from api.wire.negotiation import (
    ApprovalEntry,
    DealNegotiations,
    NegotiationLedger,
    NegotiationOffer,
)
from api.wire.quotes import Quote
from domain.naming import called
from domain.values import Party

app = commands()

_WHO = {Party.US: "we", Party.CUSTOMER: "they"}
_UNILATERAL, _CONDITIONAL = "↓", "⇄"


@app.command(
    epilog="""\b
Examples:
  dealstate negotiation D-0042
  dealstate negotiation D-0042 --as-of 2017-06-30
  dealstate negotiation D-0042 --format json

Each line of the rounds is one offer: who made it and the values it named. ↓ marks a concession that
asks nothing in return, ⇄ one that does. Targets and walk-aways, and what rests on them, are shown
to the deal's team, their managers and auditors. docs/negotiation.md has the formula of each
figure."""
)
def negotiation(
    context: typer.Context,
    deal: WantedDeal,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    shape: ShapeOption = Shape.TEXT,
) -> None:
    """Show what was negotiated on a deal: offers round by round, concessions, figures."""
    at = terminal(context)
    with at.opened() as store:
        instants = at.instants(store, as_of, known_at)
        answer = negotiations_of(at.readable(store, deal), instants)
    if shape is Shape.JSON:
        print_json(answer)
    else:
        _tell(answer, shown.point(instants, at.zone), at.zone)


def _tell(answer: DealNegotiations, when: str, zone: ZoneInfo) -> None:
    say(clean(f"{answer.deal.name}  ({shown.short_name(answer.deal)}), {when}"))
    if not answer.quotes and not answer.negotiations:
        note("Nothing was quoted or negotiated there.")
        return
    names = _names(answer)
    if answer.quotes:
        _tell_quotes(answer.quotes, zone)
    for one in answer.negotiations:
        _tell_negotiation(one, names, zone)


def _names(answer: DealNegotiations) -> dict[str, str]:
    theirs = {one.id: called(one.id, one.personal.name) for one in answer.people}
    return {user.id: user.name for user in answer.users if user.name} | theirs


def _tell_quotes(quotes: Sequence[Quote], zone: ZoneInfo) -> None:
    say()
    print_table(
        [
            Column("quote", right=True),
            Column("issued"),
            Column("total", right=True),
            Column("off list", right=True),
            Column("lines", wraps=True, spare=True),
            Column("by", spare=True),
        ],
        [
            [
                str(quote.number),
                shown.day(quote.issued_at, zone),
                shown.money(quote.total),
                shown.share(quote.discount),
                shown.text(", ".join(f"{line.quantity} × {line.product}" for line in quote.lines)),
                shown.person(quote.issued_by),
            ]
            for quote in quotes
        ],
    )


def _tell_negotiation(one: NegotiationLedger, names: dict[str, str], zone: ZoneInfo) -> None:
    say()
    say(clean(_headline(one, names, zone)))
    say()
    print_table(ISSUES, issue_rows(one))
    if one.offers:
        say()
        _print_rounds(one, names, zone)
    if one.concessions:
        say()
        _print_concessions(one, names, zone)
    if one.approvals:
        say()
        _print_approvals(one.approvals, zone)
    say()
    for label, value in (*figures_told(one), *marks_told(one)):
        say(clean(f"{label:<14}{value}"))


def _headline(one: NegotiationLedger, names: dict[str, str], zone: ZoneInfo) -> str:
    table = f" with {_named(one.counterparts, names)}" if one.counterparts else ""
    opened = f"Negotiation {one.id}{table}, opened {shown.day(one.opened_at, zone)}"
    ended = one.conclusion
    if ended is None:
        return f"{opened}, open"
    reason = f": {ended.reason}" if ended.reason else ""
    return f"{opened}, {ended.result} {shown.day(ended.concluded_at, zone)}{reason}"


def _named(people: Iterable[str], names: dict[str, str]) -> str:
    return ", ".join(names.get(one, one) for one in people)


def _print_rounds(one: NegotiationLedger, names: dict[str, str], zone: ZoneInfo) -> None:
    """One line for each offer, a column for each issue."""
    marked = {
        (conceded.version, conceded.issue): _CONDITIONAL if conceded.conditional else _UNILATERAL
        for conceded in one.concessions
    }
    issues = [
        issue.id if issue.unit in {None, issue.id} else f"{issue.id} {issue.unit}"
        for issue in one.issues
    ]
    print_table(
        [
            Column("round", right=True),
            Column("when"),
            Column("who"),
            Column("offer"),
            *(Column(title, right=True) for title in issues),
            Column("in return for", wraps=True, spare=True),
            Column("answer", wraps=True),
        ],
        [
            [
                str(offer.round) if _opens_round(index, one.offers) else "",
                shown.moment(offer.made_at, zone),
                _WHO[offer.side],
                offer.id,
                *values_of(offer, [issue.id for issue in one.issues], marked),
                shown.text(offer.in_return_for),
                _answered(offer, names, zone),
            ]
            for index, offer in enumerate(one.offers)
        ],
    )


def _opens_round(index: int, offers: Sequence[NegotiationOffer]) -> bool:
    return index == 0 or offers[index].round != offers[index - 1].round


def _answered(offer: NegotiationOffer, names: dict[str, str], zone: ZoneInfo) -> str:
    answer = offer.answer
    if answer is None:
        return shown.NONE
    by = f" by {names.get(answer.answered_by, answer.answered_by)}" if answer.answered_by else ""
    return f"{answer.reply} {shown.day(answer.replied_at, zone)}{by}"


_CONCEDED = [
    Column("conceded"),
    Column("who"),
    Column("issue"),
    Column("from → to"),
    Column("size", right=True),
    Column("cost", right=True),
    Column("condition", wraps=True),
    Column("to whom", wraps=True, spare=True),
    Column("tactic", spare=True),
    Column("approved by", spare=True),
]
_DISTANCES = [Column("to target", right=True), Column("to walk-away", right=True)]


def _print_concessions(one: NegotiationLedger, names: dict[str, str], zone: ZoneInfo) -> None:
    if one.secrets is None:
        print_table(_CONCEDED, [_conceded(each, names, zone) for each in one.concessions])
        return
    far = {(each.version, each.issue): each for each in one.secrets.distances}
    rows = [
        [*_conceded(each, names, zone), *_distances(far.get((each.version, each.issue)))]
        for each in one.concessions
    ]
    print_table([*_CONCEDED, *_DISTANCES], rows)


def _conceded(conceded: ConcessionEntry, names: dict[str, str], zone: ZoneInfo) -> list[str]:
    return [
        shown.day(conceded.made_at, zone),
        _WHO[conceded.side],
        conceded.issue,
        f"{conceded.from_} → {conceded.to}",
        conceded.size,
        shown.money(conceded.cost),
        _condition(conceded),
        shown.text(_named(conceded.made_to, names)),
        shown.text(conceded.tactic),
        shown.person(conceded.approved_by),
    ]


def _distances(far: Distance | None) -> list[str]:
    marks = (far.to_target, far.to_walk_away) if far else (None, None)
    return [shown.text(mark) for mark in marks]


def _condition(conceded: ConcessionEntry) -> str:
    """What was asked in return, and whether it came."""
    if not conceded.conditional:
        return "none"
    asked = [
        conceded.in_return_for,
        f"better {', '.join(conceded.improved)}" if conceded.improved else None,
    ]
    told = "; ".join(one for one in asked if one) or "a return"
    return f"{told} ({'fulfilled' if conceded.fulfilled else 'not fulfilled'})"


def _print_approvals(approvals: Sequence[ApprovalEntry], zone: ZoneInfo) -> None:
    print_table(
        [
            Column("approval", right=True),
            Column("when"),
            Column("issue"),
            Column("value", right=True),
            Column("what"),
            Column("by"),
            Column("authority", wraps=True, spare=True),
            Column("why", wraps=True, spare=True),
        ],
        [
            [
                str(one.version),
                shown.day(one.at, zone),
                one.issue,
                one.value,
                one.what,
                shown.person(one.by),
                shown.text(one.authority),
                shown.text(one.words),
            ]
            for one in approvals
        ],
    )
