"""Negotiation: what happened, in words. Secrets (targets, walk-aways, readings) are not told."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from domain.naming import because
from domain.negotiation.facts import (
    AnyNegotiationFact,
    ApprovalGranted,
    ApprovalRefused,
    ApprovalRequested,
    ConcessionMade,
    ConditionFulfilled,
    NegotiationConcluded,
    NegotiationOpened,
    OfferAnswered,
    OfferMade,
    QuoteIssued,
    TermAgreed,
    TermReopened,
    TheirWalkAwayEstimated,
    WalkAwayPressed,
    WalkAwayRevised,
)
from domain.values import Party

if TYPE_CHECKING:
    from domain.negotiation.positions import Negotiations

_WE = {Party.US: "we", Party.CUSTOMER: "they"}


def describe(fact: AnyNegotiationFact, before: Negotiations) -> str:
    """One English phrase for `fact`, seen from the part before it."""
    match fact:
        case QuoteIssued(version=version, total=total):
            return f"quote {version} issued: {total}"
        case NegotiationOpened(issues=issues):
            return f"negotiation opened on {', '.join(issue.id for issue in issues)}"
        case WalkAwayRevised(issue=issue):
            return f"our walk-away on {issue} revised"
        case TheirWalkAwayEstimated(issue=issue):
            return f"their walk-away on {issue} estimated"
        case WalkAwayPressed(issue=issue, value=value):
            return f"they insisted on {issue} at {_valued(issue, value, before)}"
        case OfferMade():
            return _offered(fact, before)
        case OfferAnswered(offer=offer, reply=reply, reason=reason):
            return f"offer {offer} {reply}{because(reason)}"
        case ConcessionMade():
            return _conceded(fact, before)
        case ConditionFulfilled(offer=offer, what=what):
            return f"came back for offer {offer}: {what}"
        case ApprovalRequested(issue=issue, value=value, reason=reason):
            asked = f"approval asked for {issue} at {_valued(issue, value, before)}"
            return asked + because(reason)
        case ApprovalGranted(issue=issue, value=value, note=note):
            return f"{issue} at {_valued(issue, value, before)} approved{because(note)}"
        case ApprovalRefused(issue=issue, value=value, reason=reason):
            return f"{issue} at {_valued(issue, value, before)} not approved{because(reason)}"
        case TermAgreed(issue=issue, value=value):
            return f"agreed: {issue} {_valued(issue, value, before)}"
        case TermReopened(issue=issue, reopened_by=side, reason=reason):
            by = f", by {'us' if side is Party.US else 'the customer'}" if side else ""
            return f"{issue} reopened{by}{because(reason)}"
        case NegotiationConcluded(result=result, reason=reason):
            return f"negotiation concluded: {result}{because(reason)}"
        case _:
            assert_never(fact)


def _offered(fact: OfferMade, before: Negotiations) -> str:
    terms = ", ".join(
        f"{term.issue} {_valued(term.issue, term.value, before)}" for term in fact.terms
    )
    together = ", only together" if fact.package else ""
    wanted = f", in return for: {fact.in_return_for}" if fact.in_return_for else ""
    return f"{_WE[fact.side]} offered {terms}{together}{wanted}"


def _conceded(fact: ConcessionMade, before: Negotiations) -> str:
    from_ = _valued(fact.issue, fact.from_, before)
    to = _valued(fact.issue, fact.to, before)
    condition = "on condition" if fact.conditional else "with nothing in return"
    return f"{_WE[fact.side]} conceded {fact.issue} {from_} → {to}, {condition}"


def _valued(issue_id: str, value: str, before: Negotiations) -> str:
    state = before.issue(issue_id)
    unit = state.issue.unit if state else None
    return f"{value} {unit}" if unit else value
