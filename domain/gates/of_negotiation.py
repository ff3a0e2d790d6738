"""Predicates over what is negotiated. An issue counts as it stands where it was taken up last.

What was negotiated in a negotiation that was broken off does not count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.gates.evidence import Predicate, Versions, shown_by, shown_by_events
from domain.negotiation.facts import NegotiationResult
from domain.values import Party

if TYPE_CHECKING:
    from datetime import datetime

    from domain.deal import Deal
    from domain.negotiation.positions import IssueState


def _issues(deal: Deal) -> tuple[IssueState, ...]:
    latest: dict[str, IssueState] = {}
    for negotiation in deal.negotiations.opened:
        ended = negotiation.concluded
        if ended is None or ended.fact.result is not NegotiationResult.BROKEN_OFF:
            latest |= {state.issue.id: state for state in negotiation.issues}
    return tuple(latest.values())


def _issues_agreed(deal: Deal, at: datetime) -> Versions | None:
    return _terms_agreed(deal, at) if deal.negotiations.opened else ()


def _terms_agreed(deal: Deal, _: datetime) -> Versions | None:
    issues = _issues(deal)
    if any(state.agreed is None for state in issues):
        return None
    return shown_by_events(state.agreed for state in issues)


def _approvals(deal: Deal, _: datetime) -> Versions | None:
    """Where we stand, nothing that an approval was asked for is without one.

    Not asked of the walk-away: it is secret, and what a gate says is not.
    """
    grants = []
    for state in _issues(deal):
        position = state.position(Party.US)
        if position is None:
            continue
        granted = state.granted(position)
        if granted is not None:
            grants.append(granted.version)
        elif state.approval(position) is not None:
            return None
    return shown_by(grants) or ()


PREDICATES = {
    "issues-agreed": Predicate(_issues_agreed, "agree-term, for each issue that is negotiated"),
    "terms-agreed": Predicate(
        _terms_agreed, "open-negotiation, then agree-term, for each of its issues"
    ),
    "approvals-granted": Predicate(
        _approvals,
        "grant-approval for each value at which we stand and for which it was asked, or "
        "make-offer with a better value",
    ),
}
