"""Negotiation: the part of the state, and how facts change it. Folding never fails.

A side's position on an issue comes from offers and their acceptance alone. An
offer puts its maker at its values. Accepting it puts the accepter there; the
maker stands by it then, also where it has offered something else since.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TypeVar, assert_never, cast

import msgspec

from domain.history import WITHHELD, Recorded
from domain.negotiation.facts import (
    AnyNegotiationFact,
    ApprovalGranted,
    ApprovalRefused,
    ApprovalRequested,
    ConcessionMade,
    ConditionFulfilled,
    Issue,
    NegotiationConcluded,
    NegotiationOpened,
    OfferAnswered,
    OfferMade,
    OfferReply,
    QuoteIssued,
    TermAgreed,
    TermReopened,
    TheirWalkAwayEstimated,
    WalkAwayPressed,
    WalkAwayRevised,
)
from domain.values import Party

replace = msgspec.structs.replace

T = TypeVar("T")


Moment = tuple[datetime, int]
"""Place in the order of folding: when something occurred, and the version of its event."""


class Stand(msgspec.Struct, frozen=True, gc=False):
    """A side put at a value: by its own offer, or by the acceptance of one."""

    value: str
    round: int
    offer: str
    accepted: bool
    actor: str
    """Who recorded it."""
    version: int
    at: datetime

    @property
    def moment(self) -> Moment:
        return (self.at, self.version)


class WalkAway(msgspec.Struct, frozen=True, gc=False):
    """A walk-away, and since when and by which event it holds."""

    value: str
    version: int
    since: datetime


ApprovalFact = ApprovalRequested | ApprovalGranted | ApprovalRefused


class IssueState(msgspec.Struct, frozen=True, gc=False):
    """One issue of a negotiation, and where the sides stand on it."""

    issue: Issue
    target: str | None = None
    walk_aways: tuple[WalkAway, ...] = ()
    their_walk_away: Recorded[TheirWalkAwayEstimated] | None = None
    pressures: tuple[Recorded[WalkAwayPressed], ...] = ()
    our_stands: tuple[Stand, ...] = ()
    their_stands: tuple[Stand, ...] = ()
    approvals: tuple[Recorded[ApprovalFact], ...] = ()
    """What was asked, granted and refused, in order."""
    agreed: Recorded[TermAgreed] | None = None
    reopenings: tuple[Recorded[TermReopened], ...] = ()

    @property
    def walk_away(self) -> str | None:
        """The worst value we accept, as it stands."""
        return self.walk_aways[-1].value if self.walk_aways else None

    def walk_away_at(self, moment: Moment) -> str | None:
        """The walk-away that held at that moment."""
        held = [one.value for one in self.walk_aways if (one.since, one.version) <= moment]
        return held[-1] if held else None

    def stands(self, side: Party) -> tuple[Stand, ...]:
        return self.our_stands if side is Party.US else self.their_stands

    def position(self, side: Party) -> str | None:
        """The value at which `side` stands; None before it offered or accepted one."""
        stands = self.stands(side)
        return stands[-1].value if stands else None

    def approval(self, value: str) -> Recorded[ApprovalFact] | None:
        """What was said last of going to exactly this value."""
        return _latest(one for one in self.approvals if one.fact.value == value)

    def granted(self, value: str, until: Moment | None = None) -> Recorded[ApprovalFact] | None:
        """The grant that stands for exactly this value, or stood at a moment.

        Asking again takes no grant back, refusing does.
        """
        decided = _latest(
            one
            for one in self.approvals
            if one.fact.value == value
            and not isinstance(one.fact, ApprovalRequested)
            and (until is None or (one.occurred_at, one.version) <= until)
        )
        granted = decided is not None and isinstance(decided.fact, ApprovalGranted)
        return decided if granted else None


class Offer(msgspec.Struct, frozen=True, gc=False):
    """An offer, in which round it was made, what it conceded and what became of it."""

    made: Recorded[OfferMade]
    round: int
    answer: Recorded[OfferAnswered] | None = None
    concessions: tuple[Recorded[ConcessionMade], ...] = ()
    fulfilled: tuple[Recorded[ConditionFulfilled], ...] = ()

    @property
    def accepted(self) -> bool:
        return self.answer is not None and self.answer.fact.reply is OfferReply.ACCEPTED

    @property
    def asks_a_return(self) -> bool:
        """The offer states one, or a concession noted beside it does."""
        noted = [event.fact.in_return_for for event in self.concessions]
        return any(one is not None for one in (self.made.fact.in_return_for, *noted))

    def concession(self, issue: str) -> Recorded[ConcessionMade] | None:
        return next((one for one in self.concessions if one.fact.issue == issue), None)


class Negotiation(msgspec.Struct, frozen=True, gc=False):
    """One negotiation: its issues, and the offers in the order in which they were made."""

    opened: Recorded[NegotiationOpened]
    issues: tuple[IssueState, ...]
    offers: tuple[Offer, ...] = ()
    concluded: Recorded[NegotiationConcluded] | None = None

    @property
    def id(self) -> str:
        return self.opened.fact.id

    @property
    def rounds(self) -> int:
        """How many rounds there were; a round ends when the offering side changes."""
        return self.offers[-1].round if self.offers else 0

    @property
    def unsettled(self) -> tuple[str, ...]:
        """Ids of the issues on which there is no agreed term."""
        return tuple(state.issue.id for state in self.issues if state.agreed is None)

    def issue(self, issue_id: str) -> IssueState | None:
        return next((state for state in self.issues if state.issue.id == issue_id), None)

    def next_round(self, side: Party) -> int:
        """The round in which an offer of `side` would be made now."""
        if not self.offers:
            return 1
        return self.rounds + (self.offers[-1].made.fact.side is not side)


class Negotiations(msgspec.Struct, frozen=True, gc=False):
    """What was quoted and negotiated on the deal."""

    quotes: tuple[Recorded[QuoteIssued], ...] = ()
    opened: tuple[Negotiation, ...] = ()

    @property
    def quote_version(self) -> int:
        """The highest version of a quote, 0 without any."""
        return max((event.fact.version for event in self.quotes), default=0)

    @property
    def open(self) -> tuple[Negotiation, ...]:
        """The negotiations that are not concluded."""
        return tuple(one for one in self.opened if one.concluded is None)

    @property
    def open_issues(self) -> tuple[str, ...]:
        """Ids of the issues under negotiation."""
        return tuple(state.issue.id for one in self.open for state in one.issues)

    def negotiation(self, negotiation_id: str) -> Negotiation | None:
        return _latest(one for one in self.opened if one.id == negotiation_id)

    def on(self, issue_id: str) -> Negotiation | None:
        """The open negotiation of this issue."""
        return _latest(one for one in self.open if one.issue(issue_id))

    def issue(self, issue_id: str) -> IssueState | None:
        """The issue of this id under negotiation."""
        negotiation = self.on(issue_id)
        return negotiation.issue(issue_id) if negotiation else None

    def of_offer(self, offer_id: str) -> tuple[Negotiation, Offer] | None:
        """An offer and the negotiation it belongs to, open or concluded."""
        for negotiation in reversed(self.opened):
            for offer in reversed(negotiation.offers):
                if offer.made.fact.id == offer_id:
                    return negotiation, offer
        return None


def _latest(those: Iterable[T]) -> T | None:
    return next(reversed(list(those)), None)


def evolve(negotiations: Negotiations, event: Recorded[AnyNegotiationFact]) -> Negotiations:
    """The part after `event`."""
    match event.fact:
        case QuoteIssued():
            quote = cast("Recorded[QuoteIssued]", event)
            return replace(negotiations, quotes=(*negotiations.quotes, quote))
        case NegotiationOpened():
            opened = _opened(cast("Recorded[NegotiationOpened]", event))
            return replace(negotiations, opened=(*negotiations.opened, opened))
        case OfferMade():
            return _offered(negotiations, cast("Recorded[OfferMade]", event))
        case OfferAnswered():
            return _answered(negotiations, cast("Recorded[OfferAnswered]", event))
        case ConcessionMade() | ConditionFulfilled():
            return _told_of_offer(negotiations, event, event.fact)
        case NegotiationConcluded(id=negotiation_id):
            ended = negotiations.negotiation(negotiation_id)
            if ended is None:
                return negotiations
            return _with(negotiations, ended, replace(ended, concluded=event))
        case (
            WalkAwayRevised()
            | TheirWalkAwayEstimated()
            | WalkAwayPressed()
            | ApprovalRequested()
            | ApprovalGranted()
            | ApprovalRefused()
            | TermAgreed()
            | TermReopened()
        ):
            return _on_issue(negotiations, event, event.fact)
        case _:
            assert_never(event.fact)


IssueFact = (
    WalkAwayRevised
    | TheirWalkAwayEstimated
    | WalkAwayPressed
    | ApprovalRequested
    | ApprovalGranted
    | ApprovalRefused
    | TermAgreed
    | TermReopened
)
"""Facts that speak of one issue under negotiation."""


def _on_issue(
    negotiations: Negotiations, event: Recorded[AnyNegotiationFact], fact: IssueFact
) -> Negotiations:
    negotiation = negotiations.on(fact.issue)
    if negotiation is None:
        return negotiations
    changed = _change_issue(negotiation, fact.issue, lambda state: _issue_after(state, event, fact))
    return _with(negotiations, negotiation, changed)


def _issue_after(
    state: IssueState, event: Recorded[AnyNegotiationFact], fact: IssueFact
) -> IssueState:
    match fact:
        case WalkAwayRevised(walk_away=value) | TheirWalkAwayEstimated(walk_away=value) if (
            value in WITHHELD
        ):
            return state
        case WalkAwayRevised(walk_away=value):
            revised = WalkAway(value, event.version, event.occurred_at)
            return replace(state, walk_aways=(*state.walk_aways, revised))
        case TheirWalkAwayEstimated():
            return replace(state, their_walk_away=event)
        case WalkAwayPressed():
            pressed = cast("Recorded[WalkAwayPressed]", event)
            return replace(state, pressures=(*state.pressures, pressed))
        case ApprovalRequested() | ApprovalGranted() | ApprovalRefused():
            said = cast("Recorded[ApprovalFact]", event)
            return replace(state, approvals=(*state.approvals, said))
        case TermAgreed():
            return replace(state, agreed=event)
        case TermReopened():
            reopened = cast("Recorded[TermReopened]", event)
            return replace(state, agreed=None, reopenings=(*state.reopenings, reopened))
        case _:
            assert_never(fact)


def _opened(event: Recorded[NegotiationOpened]) -> Negotiation:
    targets = {term.issue: term.value for term in event.fact.targets}
    walk_aways = {
        term.issue: (WalkAway(term.value, event.version, event.occurred_at),)
        for term in event.fact.walk_aways
    }
    issues = tuple(
        IssueState(issue, targets.get(issue.id), walk_aways.get(issue.id, ()))
        for issue in event.fact.issues
    )
    return Negotiation(event, issues)


def _offered(negotiations: Negotiations, event: Recorded[OfferMade]) -> Negotiations:
    negotiation = negotiations.negotiation(event.fact.negotiation)
    if negotiation is None:
        return negotiations
    offer = Offer(event, negotiation.next_round(event.fact.side))
    changed = replace(negotiation, offers=(*negotiation.offers, offer))
    for term in event.fact.terms:
        stand = _stand(term.value, event, offer=event.fact.id, number=offer.round)
        changed = _put(changed, term.issue, event.fact.side, stand)
    return _with(negotiations, negotiation, changed)


def _answered(negotiations: Negotiations, event: Recorded[OfferAnswered]) -> Negotiations:
    found = negotiations.of_offer(event.fact.offer)
    if found is None:
        return negotiations
    negotiation, offer = found
    changed = _change_offer(negotiation, offer, replace(offer, answer=event))
    if event.fact.reply is OfferReply.ACCEPTED:
        changed = _accepted(changed, offer.made.fact, event)
    return _with(negotiations, negotiation, changed)


def _accepted(
    negotiation: Negotiation, offer: OfferMade, event: Recorded[OfferAnswered]
) -> Negotiation:
    for term in offer.terms:
        stand = _stand(term.value, event, offer=offer.id, number=negotiation.rounds)
        state = negotiation.issue(term.issue)
        if state is not None and state.position(offer.side) != term.value:
            negotiation = _put(negotiation, term.issue, offer.side, stand)
        negotiation = _put(negotiation, term.issue, offer.side.other, stand)
    return negotiation


def _stand(
    value: str, event: Recorded[OfferMade] | Recorded[OfferAnswered], *, offer: str, number: int
) -> Stand:
    accepted = isinstance(event.fact, OfferAnswered)
    return Stand(value, number, offer, accepted, event.actor, event.version, event.occurred_at)


def _told_of_offer(
    negotiations: Negotiations,
    event: Recorded[AnyNegotiationFact],
    fact: ConcessionMade | ConditionFulfilled,
) -> Negotiations:
    found = negotiations.of_offer(fact.offer)
    if found is None:
        return negotiations
    negotiation, offer = found
    if isinstance(fact, ConcessionMade):
        conceded = cast("Recorded[ConcessionMade]", event)
        after = replace(offer, concessions=(*offer.concessions, conceded))
    else:
        fulfilled = cast("Recorded[ConditionFulfilled]", event)
        after = replace(offer, fulfilled=(*offer.fulfilled, fulfilled))
    return _with(negotiations, negotiation, _change_offer(negotiation, offer, after))


def _put(negotiation: Negotiation, issue_id: str, side: Party, stand: Stand) -> Negotiation:
    if side is Party.US:
        return _change_issue(
            negotiation,
            issue_id,
            lambda state: replace(state, our_stands=(*state.our_stands, stand)),
        )
    return _change_issue(
        negotiation,
        issue_id,
        lambda state: replace(state, their_stands=(*state.their_stands, stand)),
    )


def _change_issue(
    negotiation: Negotiation, issue_id: str, change: Callable[[IssueState], IssueState]
) -> Negotiation:
    issues = tuple(
        change(state) if state.issue.id == issue_id else state for state in negotiation.issues
    )
    return replace(negotiation, issues=issues)


def _change_offer(negotiation: Negotiation, offer: Offer, after: Offer) -> Negotiation:
    offers = tuple(after if one is offer else one for one in negotiation.offers)
    return replace(negotiation, offers=offers)


def _with(negotiations: Negotiations, before: Negotiation, after: Negotiation) -> Negotiations:
    opened = tuple(after if one is before else one for one in negotiations.opened)
    return replace(negotiations, opened=opened)
