"""The negotiation ledger: who stood where, who gave up what, and what came back for it.

Everything here is worked out from the positions, that is from offers and their
acceptance. What was noted beside a concession (to whom, what for, by whose
approval) is taken from it. Pure functions; arithmetic is exact.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import msgspec

from domain.negotiation.facts import OfferMade, Tactic
from domain.negotiation.orders import cost, gain, total
from domain.negotiation.positions import IssueState, Negotiation, Offer, Stand
from domain.values import Party


class RoundPositions(msgspec.Struct, frozen=True):
    """Where both sides stood on an issue when a round was over."""

    round: int
    issue: str
    ours: str | None
    theirs: str | None


class Move(msgspec.Struct, frozen=True):
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
    version: int
    at: datetime


class Distances(msgspec.Struct, frozen=True):
    """How far our position lay from our marks, as they stood then; secret as they are.

    In units of the issue, by our own order: negative on the wrong side of the mark.
    None: no mark, or no order.
    """

    to_target: Decimal | None
    to_walk_away: Decimal | None


class Concession(msgspec.Struct, frozen=True):
    """A move by offer that worsened its maker's position."""

    move: Move
    size: Decimal
    """In units of the issue, for options in points of worth to the maker; above 0."""
    cost: Decimal | None
    """Size × money per unit; None where that is not known."""
    conditional: bool
    """A return was stated, or the same offer improved another issue for its maker."""
    in_return_for: str | None = None
    came_back: tuple[str, ...] = ()
    made_to: tuple[str, ...] = ()
    tactic: Tactic | None = None
    approval: int | None = None
    """Version of the event that granted it."""


def is_conditional(offer: OfferMade, gains: Mapping[str, Decimal]) -> bool:
    """Whether what `offer` concedes is conditional; `gains` are its maker's, by issue."""
    return offer.in_return_for is not None or any(gained > 0 for gained in gains.values())


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
    return tuple(sorted(found, key=lambda move: (move.at, move.version)))


def _move(state: IssueState, side: Party, before: Stand, after: Stand) -> Move:
    return Move(
        issue=state.issue.id,
        side=side,
        round=after.round,
        offer=after.offer,
        from_=before.value,
        to=after.value,
        by_acceptance=after.accepted,
        gain=gain(state.issue, side, before.value, after.value),
        version=after.version,
        at=after.at,
    )


def distances(negotiation: Negotiation, move: Move) -> Distances:
    """How far a move of ours ended from our target, and from our walk-away of that time."""
    state = negotiation.issue(move.issue)
    assert state is not None
    held = [one for one in state.walk_aways if (one.since, one.version) <= (move.at, move.version)]
    walk_away = held[-1].value if held else None
    return Distances(_from(state, state.target, move.to), _from(state, walk_away, move.to))


def _from(state: IssueState, mark: str | None, value: str) -> Decimal | None:
    return None if mark is None else gain(state.issue, Party.US, mark, value)


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
    gains = {
        other.issue: other.gain
        for other in by_offer
        if other.version == move.version and other.gain is not None
    }
    noted = offer.concession(move.issue)
    told = noted.fact if noted else offer.made.fact
    return Concession(
        move=move,
        size=size,
        cost=cost(state.issue, size),
        conditional=is_conditional(offer.made.fact, gains),
        in_return_for=told.in_return_for,
        came_back=tuple(event.fact.what for event in offer.fulfilled),
        made_to=told.made_to,
        tactic=told.tactic,
        approval=noted.fact.approval if noted else None,
    )


def of(
    conceded: Iterable[Concession], side: Party, issue: str | None = None
) -> tuple[Concession, ...]:
    """The concessions of one side, on one issue or on all."""
    return tuple(
        one for one in conceded if one.move.side is side and issue in (None, one.move.issue)
    )


def shrink_ratios(conceded: Iterable[Concession]) -> tuple[Fraction, ...]:
    """Each concession's size over the one before it; of one side's on one issue, in order."""
    return tuple(
        Fraction(after.size) / Fraction(before.size) for before, after in pairwise(conceded)
    )


def total_cost(conceded: Iterable[Concession]) -> Decimal | None:
    """The money they cost together; None where the cost of one is not known."""
    costs = [one.cost for one in conceded]
    known = [one for one in costs if one is not None]
    return total(known) if len(known) == len(costs) else None


def unilateral_share(conceded: Iterable[Concession]) -> Fraction | None:
    """Which part of the concessions, by number, asked nothing in return; None without any."""
    listed = list(conceded)
    unilateral = sum(not one.conditional for one in listed)
    return Fraction(unilateral, len(listed)) if listed else None


def reciprocity(conceded: Iterable[Concession]) -> Fraction | None:
    """Our concessions over theirs, in money; None where either is unknown or theirs is nothing."""
    listed = list(conceded)
    ours = total_cost(of(listed, Party.US))
    theirs = total_cost(of(listed, Party.CUSTOMER))
    return Fraction(ours) / Fraction(theirs) if ours is not None and theirs else None
