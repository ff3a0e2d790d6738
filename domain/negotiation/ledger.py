"""The negotiation ledger: who stood where, who gave up what, and what came back for it.

Everything here is worked out from the positions, that is from offers and their
acceptance. What was noted beside a concession (to whom, what for, by whose
approval) is taken from it. Nothing here is secret; `marks` has what is. Pure
functions; arithmetic is exact.
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from itertools import pairwise

import msgspec

from domain.negotiation.facts import Tactic
from domain.negotiation.orders import cost, gain
from domain.negotiation.positions import IssueState, Moment, Negotiation, Offer, Stand
from domain.values import Party


class RoundPositions(msgspec.Struct, frozen=True, gc=False):
    """Where both sides stood on an issue when a round was over."""

    round: int
    issue: str
    ours: str | None
    theirs: str | None


class Move(msgspec.Struct, frozen=True, gc=False):
    """A change of one side's position on one issue."""

    issue: str
    side: Party
    round: int
    offer: str
    from_: str
    to: str
    by_acceptance: bool
    gain: Decimal | None
    """In units of the issue, by the mover's own order: negative where it lost. None: no order."""
    cost: Decimal | None
    """What the mover gave up in money, size × money per unit: negative where it gained."""
    version: int
    at: datetime

    @property
    def moment(self) -> Moment:
        return (self.at, self.version)


class Concession(msgspec.Struct, frozen=True, gc=False):
    """A move by offer that worsened its maker's position."""

    move: Move
    size: Decimal
    """In units of the issue, for options in points of worth to the maker; above 0."""
    cost: Decimal | None
    """Size × money per unit; None where that is not known."""
    conditional: bool
    """A return was stated, or the same offer improved another issue for its maker."""
    fulfilled: bool | None = None
    """Whether the condition was met; None where there was none.

    A stated return is met once something came back, an improvement once the offer is accepted.
    """
    in_return_for: str | None = None
    improved: tuple[str, ...] = ()
    """The issues that the same offer improved for its maker."""
    came_back: tuple[str, ...] = ()
    made_to: tuple[str, ...] = ()
    tactic: Tactic | None = None
    approval: int | None = None
    """Version of the event that granted it: as noted, else the grant that stood then."""


def is_conditional(in_return_for: str | None, gains: Iterable[Decimal]) -> bool:
    """Whether what an offer concedes is conditional; `gains` are its maker's, on any issue."""
    return in_return_for is not None or any(gained > 0 for gained in gains)


def positions_by_round(negotiation: Negotiation) -> tuple[RoundPositions, ...]:
    """For each round and issue, where the sides stood at its end, acceptances included."""
    return tuple(
        RoundPositions(
            number,
            state.issue.id,
            _at_end(state.stands(Party.US), number),
            _at_end(state.stands(Party.CUSTOMER), number),
        )
        for number in range(1, negotiation.rounds + 1)
        for state in negotiation.issues
    )


def _at_end(stands: Iterable[Stand], number: int) -> str | None:
    return next((one.value for one in reversed(list(stands)) if one.round <= number), None)


def moves(negotiation: Negotiation) -> tuple[Move, ...]:
    """Every change of a position, in order of occurrence."""
    found = [
        _move(state, side, before, after)
        for state in negotiation.issues
        for side in Party
        for before, after in pairwise(state.stands(side))
        if before.value != after.value
    ]
    return tuple(sorted(found, key=lambda move: move.moment))


def _move(state: IssueState, side: Party, before: Stand, after: Stand) -> Move:
    gained = gain(state.issue, side, before.value, after.value)
    return Move(
        issue=state.issue.id,
        side=side,
        round=after.round,
        offer=after.offer,
        from_=before.value,
        to=after.value,
        by_acceptance=after.accepted,
        gain=gained,
        cost=None if gained is None else cost(state.issue, gained.copy_negate()),
        version=after.version,
        at=after.at,
    )


def concessions(negotiation: Negotiation) -> tuple[Concession, ...]:
    """Every concession of either side, in order of occurrence."""
    offers = {offer.made.version: offer for offer in negotiation.offers}
    by_offer = [move for move in moves(negotiation) if not move.by_acceptance]
    return tuple(
        _conceded(move, offers[move.version], negotiation, by_offer)
        for move in by_offer
        if move.gain is not None and move.gain < 0
    )


def _conceded(
    move: Move, offer: Offer, negotiation: Negotiation, by_offer: Iterable[Move]
) -> Concession:
    state = negotiation.issue(move.issue)
    assert state is not None
    assert move.gain is not None
    size = move.gain.copy_abs()
    improved = tuple(
        other.issue
        for other in by_offer
        if other.version == move.version and other.gain is not None and other.gain > 0
    )
    made, event = offer.made.fact, offer.concession(move.issue)
    noted = event.fact if event else None
    in_return_for = (noted and noted.in_return_for) or made.in_return_for
    conditional = in_return_for is not None or bool(improved)
    return Concession(
        move=move,
        size=size,
        cost=move.cost,
        conditional=conditional,
        fulfilled=_is_fulfilled(offer, in_return_for) if conditional else None,
        in_return_for=in_return_for,
        improved=improved,
        came_back=tuple(event.fact.what for event in offer.fulfilled),
        made_to=(noted and noted.made_to) or made.made_to,
        tactic=(noted and noted.tactic) or made.tactic,
        approval=_approval(move, state, noted.approval if noted else None),
    )


def _is_fulfilled(offer: Offer, in_return_for: str | None) -> bool:
    return offer.accepted if in_return_for is None else bool(offer.fulfilled)


def _approval(move: Move, state: IssueState, noted: int | None) -> int | None:
    if noted is not None or move.side is Party.CUSTOMER:
        return noted
    granted = state.granted(move.to, move.moment)
    return granted.version if granted else None
