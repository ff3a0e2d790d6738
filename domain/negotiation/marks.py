"""What follows from our marks and from our estimate of theirs: secret as they are.

A mark is a target or a walk-away. Distances are in units of the issue, by our own
order, and so negative on the wrong side of the mark. None: no mark, or no order.
"""

from decimal import Decimal
from fractions import Fraction

import msgspec

from domain.negotiation.figures import Crossing, crossing, steps_down
from domain.negotiation.ledger import Move
from domain.negotiation.orders import gain
from domain.negotiation.positions import IssueState, Moment, Negotiation
from domain.values import Party


class Distances(msgspec.Struct, frozen=True):
    """How far a value lay from our marks, as they stood then."""

    to_target: Decimal | None
    to_walk_away: Decimal | None


class Zone(msgspec.Struct, frozen=True):
    """The zone of possible agreement on an issue: from our walk-away to what we take theirs for.

    Ours is the one that held when the term was agreed, else the latest; theirs the
    latest estimate.
    """

    issue: str
    our_walk_away: str
    their_walk_away: str
    size: Decimal
    """In units of the issue, by our order; not above 0: there is no zone."""
    kept: Decimal | None
    """From our walk-away to the agreed value; None while nothing is agreed."""

    @property
    def share_kept(self) -> Fraction | None:
        """Part of the zone that we kept; above 1 past their walk-away, below 0 past ours."""
        if self.kept is None or self.size <= 0:
            return None
        return Fraction(self.kept) / Fraction(self.size)


def distances(negotiation: Negotiation, move: Move) -> Distances:
    """How far a move of either side ended from our target, and from our walk-away of that time."""
    state = negotiation.issue(move.issue)
    assert state is not None
    return distances_at(state, move.to, move.moment)


def distances_at(state: IssueState, value: str, moment: Moment) -> Distances:
    """How far a value lay at some moment from our target and walk-away."""
    walk_away = state.walk_away_at(moment)
    return Distances(_from(state, state.target, value), _from(state, walk_away, value))


def _from(state: IssueState, mark: str | None, value: str) -> Decimal | None:
    return None if mark is None else gain(state.issue, Party.US, mark, value)


def zone(state: IssueState) -> Zone | None:
    """The zone of one issue; None where a walk-away is not known or we have no order."""
    agreed, estimate = state.agreed, state.their_walk_away
    ours = state.walk_away_at((agreed.occurred_at, agreed.version)) if agreed else state.walk_away
    if ours is None or estimate is None:
        return None
    theirs = estimate.fact.walk_away
    size = gain(state.issue, Party.US, ours, theirs)
    if size is None:
        return None
    return Zone(
        issue=state.issue.id,
        our_walk_away=ours,
        their_walk_away=theirs,
        size=size,
        kept=_from(state, ours, agreed.fact.value) if agreed else None,
    )


def walk_away_breaches(negotiation: Negotiation) -> tuple[Crossing, ...]:
    """Where our side went past the walk-away of that time, approved or not."""
    return tuple(
        crossing(state, stand)
        for state, stand in steps_down(negotiation)
        if (past := distances_at(state, stand.value, stand.moment).to_walk_away) is not None
        and past < 0
    )
