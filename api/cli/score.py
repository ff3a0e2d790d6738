"""Parts of the negotiation ledger as text: the issues, the values of an offer, the figures."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from api.cli import shown
from api.cli.output import Column
from api.wire.concessions import Crossing, IssueFigures, SideFigures
from api.wire.marks import IssueSecrets, NegotiationSecrets
from api.wire.negotiation import NegotiatedIssue, NegotiationLedger, NegotiationOffer
from domain.negotiation.figures import DiscountBase

ISSUES = [
    Column("issue"),
    Column("kind", spare=True),
    Column("unit"),
    Column("opening", right=True),
    Column("target", right=True),
    Column("walk-away", right=True),
    Column("theirs, est.", right=True),
    Column("weight", right=True, spare=True),
    Column("per unit", right=True, spare=True),
    Column("we stand at", right=True),
    Column("they stand at", right=True),
    Column("agreed", right=True),
]
"""The columns of `issue_rows`."""

HIDDEN = "hidden"
"""Stands where a secret is that is not for whoever asks."""


_BASES = {
    DiscountBase.LIST: "list",
    DiscountBase.OPENING: "opening",
    DiscountBase.FIRST_OFFER: "first offer",
}


def issue_rows(one: NegotiationLedger) -> list[list[str]]:
    """A row for each issue of a negotiation."""
    secrets = {each.issue: each for each in one.secrets.issues} if one.secrets else {}
    return [
        [
            issue.id,
            issue.kind,
            "option" if issue.options else shown.text(issue.unit),
            shown.text(issue.our_opening),
            *_marks(secrets.get(issue.id)),
            shown.percent(issue.weight),
            shown.money(issue.money_per_unit),
            shown.text(issue.our_position),
            shown.text(issue.their_position),
            _agreed(issue),
        ]
        for issue in one.issues
    ]


def _marks(secret: IssueSecrets | None) -> list[str]:
    if secret is None:
        return [HIDDEN] * 3
    theirs = secret.their_walk_away
    return [
        shown.text(secret.target),
        shown.text(secret.walk_aways[-1].value if secret.walk_aways else None),
        shown.text(theirs.value if theirs else None),
    ]


def _agreed(issue: NegotiatedIssue) -> str:
    times = len(issue.reopenings)
    reopened = f" (reopened {'once' if times == 1 else f'{times} times'})" if times else ""
    return shown.text(issue.agreed.value if issue.agreed else None) + reopened


def values_of(
    offer: NegotiationOffer, issues: Sequence[str], marked: Mapping[tuple[int, str], str]
) -> list[str]:
    """The values that an offer names, one for each issue, concessions with their mark."""
    values = {term.issue: term.value for term in offer.terms}
    return [
        f"{marked.get((offer.version, issue), '')} {values[issue]}".strip()
        if issue in values
        else ""
        for issue in issues
    ]


def figures_told(one: NegotiationLedger) -> Iterator[tuple[str, str]]:
    """The figures that are not secret, each under its label."""
    figures = one.figures
    yield "Rounds", str(figures.rounds)
    yield "We conceded", _side(figures.ours)
    yield "They conceded", _side(figures.theirs)
    if figures.reciprocity is not None:
        yield "Reciprocity", f"{figures.reciprocity} (ours ÷ theirs, in money)"
    for issue in figures.issues:
        yield from _issue_told(issue)
    for pressed in one.pressures:
        yield "Pressed", f"they insisted on {pressed.issue} at {pressed.value}"
    for breach in one.authority_breaches:
        yield "Breach", f"{_step(breach)} was past the authority of {shown.person(breach.by)}"


def _side(side: SideFigures) -> str:
    times = "once" if side.concessions == 1 else f"{side.concessions} times"
    accepting = side.cost_of_accepting
    took = (
        f"; accepting cost {shown.money(accepting)} more"
        if accepting and Decimal(accepting.amount)
        else ""
    )
    if not side.concessions:
        return f"nothing{took}"
    cost = shown.money(side.cost or side.known_cost)
    if side.without_cost == side.concessions:
        cost = "cost unknown"
    elif side.without_cost:
        cost = f"{cost} and {side.without_cost} of unknown cost"
    return f"{times}, {cost}, {shown.share(side.unilateral_share)} with nothing in return{took}"


def _issue_told(issue: IssueFigures) -> Iterator[tuple[str, str]]:
    for whose, shrinking in (("our", issue.our_shrinking), ("their", issue.their_shrinking)):
        if shrinking.ratios:
            always = "always smaller" if shrinking.always else "not always smaller"
            ratios = ", ".join(shrinking.ratios)
            yield "Steps", f"{whose} concessions on {issue.issue}: {ratios} ({always})"
    if issue.discount:
        off = f"{shown.share(issue.discount.share)} off the {_BASES[issue.discount.base]}"
        yield "Discount", f"{issue.issue} {off}"


def marks_told(one: NegotiationLedger) -> Iterator[tuple[str, str]]:
    """What rests on secrets, each under its label; nothing for who may not see it."""
    if one.secrets is None:
        return
    for issue in one.secrets.issues:
        zone = issue.zone
        if zone is None:
            continue
        size = f"{issue.issue} {zone.our_walk_away} to {zone.their_walk_away} ({zone.theirs_is})"
        if zone.size == "0" or zone.size.startswith("-"):
            yield "Zone", f"{size}: none"
        else:
            kept = f", {shown.share(zone.share_kept)} kept" if zone.share_kept else ""
            yield "Zone", size + kept
    for breach in one.secrets.walk_away_breaches:
        by = f", approved by version {breach.approval}"
        approved = by if breach.approval else ", not approved"
        yield "Breach", f"{_step(breach)} was past our walk-away{approved}"
    yield from _readings(one.secrets)


def _readings(secrets: NegotiationSecrets) -> Iterator[tuple[str, str]]:
    for reading in secrets.readings:
        yield "Reading", f"{reading.issue} at {reading.value} we take for: {reading.reading}"


def _step(crossing: Crossing) -> str:
    how = "accepting" if crossing.by_acceptance else "offer"
    return f"{crossing.issue} at {crossing.value} ({how} {crossing.offer})"
