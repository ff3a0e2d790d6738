"""Negotiation: what a command leads to. Which facts can follow which state is in `rules`."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, assert_never

import msgspec

from domain.deciding import mirrored, unless_among, unless_current, unless_just_said
from domain.negotiation.authority import AuthorityLimits, needs_approval
from domain.negotiation.commands import (
    AgreeTerm,
    AnswerOffer,
    AnyNegotiationCommand,
    ConcludeNegotiation,
    EstimateTheirWalkAway,
    FulfilCondition,
    GrantApproval,
    IssueQuote,
    MakeOffer,
    OpenNegotiation,
    RecordWalkAwayPressed,
    RefuseApproval,
    ReopenTerm,
    RequestApproval,
    ReviseWalkAway,
)
from domain.negotiation.facts import (
    AnyNegotiationFact,
    ApprovalGranted,
    ApprovalRefused,
    ApprovalRequested,
    ConcessionMade,
    ConditionFulfilled,
    Issue,
    NegotiationConcluded,
    NegotiationFact,
    NegotiationOpened,
    OfferAnswered,
    OfferMade,
    OfferReply,
    QuoteIssued,
    Term,
    TermAgreed,
    TermReopened,
    TheirWalkAwayEstimated,
    WalkAwayPressed,
    WalkAwayRevised,
)
from domain.negotiation.ledger import is_conditional
from domain.negotiation.orders import gain, written
from domain.negotiation.rules import admissible, require_issue
from domain.references import next_quote
from domain.refusals import (
    ApprovalMissing,
    AuthorityExceeded,
    NotAtThatValue,
    OfferOutsideNegotiation,
    UnknownIssue,
)
from domain.values import Party

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from domain.access import Principal
    from domain.deal import Deal
    from domain.negotiation.positions import IssueState, Negotiation, Negotiations

Facts = tuple[AnyNegotiationFact, ...]
F = TypeVar("F", bound=NegotiationFact)


def decide(
    command: AnyNegotiationCommand,
    deal: Deal,
    principal: Principal,
    limits: AuthorityLimits,
    at: datetime,
) -> Facts:
    """The facts that `command` of `principal`, at that time, leads to on `deal`. Raises Refusal."""
    negotiations = deal.negotiations
    match command:
        case IssueQuote():
            return _issue_quote(command, deal)
        case OpenNegotiation():
            return _open(command, negotiations)
        case ReviseWalkAway(issue=issue, walk_away=value):
            state = require_issue(issue, negotiations)
            value = written(state.issue, value)
            revised = WalkAwayRevised(issue, value, command.reason)
            return () if state.walk_away == value else (revised,)
        case EstimateTheirWalkAway(issue=issue, walk_away=value, basis=basis):
            state = require_issue(issue, negotiations)
            estimate = TheirWalkAwayEstimated(issue, written(state.issue, value), basis)
            return unless_current(estimate, state.their_walk_away)
        case RecordWalkAwayPressed(issue=issue, value=value, reading=reading):
            state = require_issue(issue, negotiations)
            pressed = WalkAwayPressed(issue, written(state.issue, value), reading)
            return unless_just_said(pressed, state.pressures[-1] if state.pressures else None, at)
        case MakeOffer():
            return _make_offer(command, deal, principal, limits)
        case AnswerOffer():
            return _answer(mirrored(command, OfferAnswered), deal, principal, limits)
        case FulfilCondition(offer=offer, what=what):
            found = negotiations.of_offer(offer)
            fulfilled = found[1].fulfilled if found else ()
            return unless_among(ConditionFulfilled(offer, what), fulfilled)
        case RequestApproval() | GrantApproval() | RefuseApproval():
            return _approve(command, negotiations, principal, limits)
        case AgreeTerm(issue=issue, value=value):
            return _agree(issue, value, require_issue(issue, negotiations))
        case ReopenTerm(issue=issue):
            agreed = require_issue(issue, negotiations).agreed
            return () if agreed is None else (mirrored(command, TermReopened),)
        case ConcludeNegotiation(id=negotiation_id):
            negotiation = negotiations.negotiation(negotiation_id)
            concluded = negotiation.concluded if negotiation else None
            return unless_current(mirrored(command, NegotiationConcluded), concluded)
        case _:
            assert_never(command)


def _issue_quote(command: IssueQuote, deal: Deal) -> Facts:
    """Without a version: the next one, unless it says what the latest says."""
    negotiations = deal.negotiations
    same = mirrored(command, QuoteIssued, version=command.version or negotiations.quote_version)
    if any(event.fact == same for event in negotiations.quotes):
        return ()
    return (mirrored(command, QuoteIssued, version=command.version or next_quote(deal)),)


def _open(command: OpenNegotiation, negotiations: Negotiations) -> Facts:
    issues = tuple(
        msgspec.structs.replace(issue, our_opening=written(issue, issue.our_opening))
        if issue.our_opening is not None
        else issue
        for issue in command.issues
    )
    fact = NegotiationOpened(
        id=command.id,
        issues=issues,
        counterparts=command.counterparts,
        targets=_written_terms(command.targets, issues),
        walk_aways=_written_terms(command.walk_aways, issues),
    )
    earlier = negotiations.negotiation(command.id)
    return unless_current(fact, earlier.opened if earlier else None)


def _written_terms(terms: Iterable[Term], issues: Iterable[Issue]) -> tuple[Term, ...]:
    known = {issue.id: issue for issue in issues}
    return tuple(
        Term(term.issue, written(known[term.issue], term.value)) if term.issue in known else term
        for term in terms
    )


def _make_offer(
    command: MakeOffer, deal: Deal, principal: Principal, limits: AuthorityLimits
) -> Facts:
    """The offer, and a concession for each issue on which it worsens its maker's position."""
    earlier = deal.negotiations.of_offer(command.id)
    if earlier is not None:
        negotiation, made = earlier
        offer = _offer(command, negotiation, made.made.fact.round)
        if offer == made.made.fact:
            return ()
    else:
        negotiation = _negotiation_of(command, deal.negotiations)
        offer = _offer(command, negotiation, negotiation.next_round(command.side))
    admissible(offer, deal)
    if command.side is Party.US:
        _require_approvals(offer.terms, negotiation, principal, limits)
    return (offer, *_concessions(offer, negotiation))


def _negotiation_of(command: MakeOffer, negotiations: Negotiations) -> Negotiation:
    if not negotiations.open:
        raise OfferOutsideNegotiation(
            "no negotiation is open on this deal", "Open one first, with the issues it is about."
        )
    for term in command.terms:
        if (negotiation := negotiations.on(term.issue)) is not None:
            return negotiation
    raise UnknownIssue(
        f"no open negotiation is about {', '.join(repr(term.issue) for term in command.terms)}",
        f"Under negotiation are: {', '.join(negotiations.open_issues)}.",
    )


def _offer(command: MakeOffer, negotiation: Negotiation, number: int) -> OfferMade:
    issues = [state.issue for state in negotiation.issues]
    return mirrored(
        command,
        OfferMade,
        negotiation=negotiation.id,
        round=number,
        terms=_written_terms(command.terms, issues),
    )


def _concessions(offer: OfferMade, negotiation: Negotiation) -> tuple[ConcessionMade, ...]:
    states = [(negotiation.issue(term.issue), term.value) for term in offer.terms]
    moves = {
        state.issue.id: (state, position, value)
        for state, value in states
        if state is not None and (position := state.position(offer.side)) is not None
    }
    gains = {
        issue: gained
        for issue, (state, position, value) in moves.items()
        if (gained := gain(state.issue, offer.side, position, value)) is not None
    }
    return tuple(
        ConcessionMade(
            offer=offer.id,
            issue=issue,
            side=offer.side,
            from_=position,
            to=value,
            conditional=is_conditional(offer.in_return_for, gains.values()),
            made_to=offer.made_to,
            in_return_for=offer.in_return_for,
            tactic=offer.tactic,
            approval=_granted(state, value, offer.side),
        )
        for issue, (state, position, value) in moves.items()
        if gains.get(issue, 0) < 0
    )


def _granted(state: IssueState, value: str, side: Party) -> int | None:
    granted = state.granted(value) if side is Party.US else None
    return granted.version if granted else None


def _require_approvals(
    terms: Iterable[Term], negotiation: Negotiation, principal: Principal, limits: AuthorityLimits
) -> None:
    """Rule 6. The words do not tell which of the two lines it is: one of them is secret."""
    for term in terms:
        state = negotiation.issue(term.issue)
        assert state is not None
        if state.granted(term.value) is not None:
            continue
        if needs_approval(state, term.value, principal.roles, limits):
            raise ApprovalMissing(
                f"{term.issue} at {term.value} is further than {principal.id} may go alone",
                f"Have {term.value} approved for {term.issue}: request-approval, grant-approval.",
            )


def _answer(
    answer: OfferAnswered, deal: Deal, principal: Principal, limits: AuthorityLimits
) -> Facts:
    """Accepting is no offer and yields no concession; rule 6 holds for where it takes us."""
    found = deal.negotiations.of_offer(answer.offer)
    if found is not None and found[1].answer is not None and found[1].answer.fact == answer:
        return ()
    admissible(answer, deal)
    assert found is not None
    negotiation, offer = found
    if answer.reply is OfferReply.ACCEPTED and offer.made.fact.side is Party.CUSTOMER:
        _require_approvals(offer.made.fact.terms, negotiation, principal, limits)
    return (answer,)


def _approve(
    command: RequestApproval | GrantApproval | RefuseApproval,
    negotiations: Negotiations,
    principal: Principal,
    limits: AuthorityLimits,
) -> Facts:
    state = require_issue(command.issue, negotiations)
    command = msgspec.structs.replace(command, value=written(state.issue, command.value))
    latest = state.approval(command.value)
    match command:
        case RequestApproval():
            asked = mirrored(command, ApprovalRequested)
            return () if state.granted(command.value) else unless_current(asked, latest)
        case GrantApproval():
            if not limits.cover(principal.roles, state, command.value):
                raise AuthorityExceeded(
                    f"{command.issue} at {command.value} is further than {principal.id} may go",
                    "Have it approved by someone whose authority reaches that far.",
                )
            return unless_current(mirrored(command, ApprovalGranted), latest)
        case RefuseApproval():
            return unless_current(mirrored(command, ApprovalRefused), latest)
        case _:
            assert_never(command)


def _agree(issue_id: str, value: str | None, state: IssueState) -> Facts:
    wanted = state.position(Party.US) if value is None else written(state.issue, value)
    if wanted is None:
        raise NotAtThatValue(
            f"our side stands at no value of {issue_id}",
            "Both sides have to stand at the value, by an offer or by accepting one.",
        )
    return unless_current(TermAgreed(issue_id, wanted), state.agreed)
