"""Negotiation: which facts can follow which state, for every history, imported ones too."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, assert_never

from domain.currencies import MINOR_DIGITS
from domain.history import WITHHELD
from domain.negotiation.facts import (
    AnyNegotiationFact,
    ApprovalGranted,
    ApprovalRefused,
    ApprovalRequested,
    ConcessionMade,
    ConditionFulfilled,
    Issue,
    IssueKind,
    NegotiationConcluded,
    NegotiationOpened,
    NegotiationResult,
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
from domain.negotiation.orders import can_take, gain, has_order, is_canonical
from domain.references import require_distinct, require_stakeholders
from domain.refusals import (
    CurrencyMismatch,
    IdTaken,
    InvalidIssue,
    IssuesOpen,
    NegotiationEnded,
    NotAConcession,
    NotAtThatValue,
    OfferNotOpen,
    OfferOutsideNegotiation,
    OrderMissing,
    OutOfRange,
    TermSettled,
    UnknownIssue,
    UnknownReference,
    UnknownValue,
    there_are,
)
from domain.values import Money, Party

if TYPE_CHECKING:
    from collections.abc import Iterable

    from domain.deal import Deal
    from domain.negotiation.positions import IssueState, Negotiation, Negotiations, Offer


NEVER_NEGATIVE = (IssueKind.PRICE, IssueKind.QUANTITY)


def admissible(fact: AnyNegotiationFact, deal: Deal) -> None:
    """Raise the refusal of the structural rule that `fact` would break on `deal`."""
    negotiations = deal.negotiations
    match fact:
        case QuoteIssued():
            _quote(fact, negotiations)
        case NegotiationOpened():
            _opening(fact, deal)
        case WalkAwayRevised(issue=issue, walk_away=value):
            state = require_issue(issue, negotiations)
            _require_mark(state.issue, value, deal)
            _require_our_order(state.issue)
        case TheirWalkAwayEstimated(issue=issue, walk_away=value):
            _require_mark(require_issue(issue, negotiations).issue, value, deal)
        case (
            WalkAwayPressed(issue=issue, value=value)
            | ApprovalRequested(issue=issue, value=value)
            | ApprovalGranted(issue=issue, value=value)
        ):
            _require_value(require_issue(issue, negotiations).issue, value, deal)
        case ApprovalRefused(issue=issue, value=value):
            if require_issue(issue, negotiations).approval(value) is None:
                raise UnknownReference(
                    f"nobody asked to go to {value} on {issue}", "Refuse what was asked or granted."
                )
        case OfferMade():
            _offer(fact, deal)
        case OfferAnswered():
            _answer(fact, deal)
        case ConcessionMade():
            _concession(fact, deal)
        case ConditionFulfilled(offer=offer_id):
            _, offer = _require_offer(offer_id, negotiations)
            if not offer.asks_a_return:
                raise UnknownReference(
                    f"offer {offer_id!r} asked nothing in return",
                    "A condition is fulfilled for an offer that states one, in in_return_for.",
                )
        case TermAgreed():
            _agreement(fact, negotiations)
        case TermReopened(issue=issue):
            if require_issue(issue, negotiations).agreed is None:
                raise UnknownReference(
                    f"{issue} is not settled", "Only a settled term is reopened."
                )
        case NegotiationConcluded():
            _conclusion(fact, negotiations)
        case _:
            assert_never(fact)


def require_issue(issue_id: str, negotiations: Negotiations) -> IssueState:
    """The issue under negotiation; raises UnknownIssue where there is none of this id."""
    state = negotiations.issue(issue_id)
    if state is None:
        raise UnknownIssue(
            f"no open negotiation is about {issue_id!r}", _known(negotiations.open_issues)
        )
    return state


def _known(names: Iterable[str]) -> str:
    return there_are(names) or "No negotiation is open: open one with its issues first."


def _quote(fact: QuoteIssued, negotiations: Negotiations) -> None:
    if any(event.fact.version == fact.version for event in negotiations.quotes):
        raise IdTaken(
            f"quote {fact.version} was issued with other content", "Issue it as the next version."
        )
    for line in fact.lines:
        if not is_canonical(line.quantity) or Decimal(line.quantity) <= 0:
            raise OutOfRange(
                f"the quantity of {line.product} is {line.quantity}",
                "Give a number above 0, such as 12 or 1.5.",
            )
        discount = line.discount_percent
        if discount is not None and not (is_canonical(discount) and 0 <= Decimal(discount) <= 100):
            raise OutOfRange(
                f"the discount on {line.product} is {discount}", "Give per cent from 0 to 100."
            )


def _opening(fact: NegotiationOpened, deal: Deal) -> None:
    negotiations = deal.negotiations
    if negotiations.negotiation(fact.id) is not None:
        raise IdTaken(
            f"negotiation {fact.id!r} was opened with other content",
            "Open the new one under another id.",
        )
    require_distinct("the counterparts", fact.counterparts)
    require_stakeholders(deal, *fact.counterparts)
    ids = [issue.id for issue in fact.issues]
    require_distinct("the issues", ids)
    for issue in fact.issues:
        if negotiations.on(issue.id) is not None:
            raise IdTaken(
                f"{issue.id!r} is under negotiation already",
                "Conclude that negotiation first, or give the issue another id.",
            )
        _sound(issue, deal)
    issues = {issue.id: issue for issue in fact.issues}
    for terms in (fact.targets, fact.walk_aways):
        require_distinct("the targets or walk-aways", [term.issue for term in terms])
        for term in terms:
            if term.issue not in issues:
                raise UnknownIssue(f"{term.issue!r} is not among the issues", _known(ids))
            _require_value(issues[term.issue], term.value, deal)
            _require_our_order(issues[term.issue])


def _sound(issue: Issue, deal: Deal) -> None:
    """An issue is a number with directions, or options with worths."""
    if issue.options:
        require_distinct(f"the options of {issue.id}", [option.name for option in issue.options])
        if issue.better_for_us or issue.better_for_them or issue.unit is not None:
            raise InvalidIssue(
                f"{issue.id} has options, and a unit or a direction as well",
                "A number has a unit and directions; options have worths.",
            )
    for worths in (
        [option.our_worth for option in issue.options],
        [option.their_worth for option in issue.options],
    ):
        given = [worth for worth in worths if worth is not None]
        if given and len(given) < len(worths):
            raise InvalidIssue(
                f"only some options of {issue.id} have a worth to a side",
                "An order covers all options: give the worth of each, or of none.",
            )
        for worth in given:
            if not is_canonical(worth):
                raise InvalidIssue(
                    f"{worth!r} is no worth of an option of {issue.id}",
                    "Write a decimal number without exponent and needless zeros, such as 0.5.",
                )
    if issue.unit in MINOR_DIGITS and issue.unit != deal.life.currency:
        raise CurrencyMismatch(
            f"{issue.id} is in {issue.unit}, the deal in {deal.life.currency}",
            "Negotiate in the deal's currency.",
        )
    if issue.our_opening is not None:
        _require_value(issue, issue.our_opening, deal)


def _require_mark(issue: Issue, value: str, deal: Deal) -> None:
    """A mark that is withheld was judged when it was recorded."""
    if value not in WITHHELD:
        _require_value(issue, value, deal)


def _require_value(issue: Issue, value: str, deal: Deal) -> None:
    """Rule 5, and rule 3 where the value is money."""
    if not can_take(issue, value):
        wanted = (
            _known(option.name for option in issue.options)
            if issue.options
            else "Write a decimal number without exponent and needless zeros, such as 0.5."
        )
        raise UnknownValue(f"{value!r} is no value of {issue.id}", wanted)
    if not issue.options and issue.kind in NEVER_NEGATIVE and Decimal(value) < 0:
        raise OutOfRange(
            f"{issue.id} is not negative, as {value} is", "Give a number of 0 or more."
        )
    if not issue.options and issue.unit is not None and issue.unit == deal.life.currency:
        try:
            Money.parse(value, issue.unit)
        except ValueError as error:
            raise OutOfRange(
                f"{issue.id} cannot be {value}: {error}", f"Give an amount in {issue.unit}."
            ) from None


def _require_our_order(issue: Issue) -> None:
    if not has_order(issue, Party.US):
        raise OrderMissing(
            f"which values of {issue.id} are better for us is not declared",
            "A target or walk-away needs better_for_us, or our_worth of every option.",
        )


def _offer(fact: OfferMade, deal: Deal) -> None:
    negotiations = deal.negotiations
    negotiation = negotiations.negotiation(fact.negotiation)
    if negotiation is None or negotiation.concluded is not None:
        raise OfferOutsideNegotiation(
            f"negotiation {fact.negotiation!r} is not open",
            "An offer belongs to an open negotiation: open one first.",
        )
    if negotiations.of_offer(fact.id) is not None:
        raise IdTaken(
            f"offer {fact.id!r} was made with other content", "Make the new offer under another id."
        )
    theirs = fact.made_to if fact.side is Party.US else (fact.made_by,)
    require_stakeholders(deal, *theirs)
    require_distinct(f"the terms of offer {fact.id!r}", [term.issue for term in fact.terms])
    for term in fact.terms:
        state = negotiation.issue(term.issue)
        if state is None:
            raise UnknownIssue(
                f"negotiation {negotiation.id!r} is not about {term.issue!r}",
                _known(one.issue.id for one in negotiation.issues),
            )
        _require_value(state.issue, term.value, deal)
    _keeps_settled_terms(fact.terms, negotiation)


def _keeps_settled_terms(terms: Iterable[Term], negotiation: Negotiation) -> None:
    for term in terms:
        state = negotiation.issue(term.issue)
        agreed = state.agreed if state else None
        if agreed is not None and agreed.fact.value != term.value:
            raise TermSettled(
                f"{term.issue} is settled at {agreed.fact.value}",
                "Reopen the term with reopen-term before it moves.",
            )


def _require_offer(offer_id: str, negotiations: Negotiations) -> tuple[Negotiation, Offer]:
    found = negotiations.of_offer(offer_id)
    if found is None:
        raise UnknownReference(f"there is no offer {offer_id!r}", "Record the offer first.")
    return found


def _answer(fact: OfferAnswered, deal: Deal) -> None:
    negotiation, offer = _require_offer(fact.offer, deal.negotiations)
    if negotiation.concluded is not None:
        raise OfferOutsideNegotiation(
            f"the negotiation of offer {fact.offer!r} ended", "Open a new one to go on."
        )
    if offer.answer is not None:
        raise OfferNotOpen(
            f"offer {fact.offer!r} was {offer.answer.fact.reply} already",
            "To take it up again, have the offer made again.",
        )
    if offer.made.fact.side is Party.US:
        require_stakeholders(deal, fact.answered_by)
    if fact.reply is OfferReply.ACCEPTED:
        _keeps_settled_terms(offer.made.fact.terms, negotiation)


def _concession(fact: ConcessionMade, deal: Deal) -> None:
    """It tells of the offer just made: from where its maker stood, to where it put itself."""
    negotiation, offer = _require_offer(fact.offer, deal.negotiations)
    if negotiation.concluded is not None:
        raise OfferOutsideNegotiation(
            f"the negotiation of offer {fact.offer!r} ended",
            "A concession belongs to an open negotiation.",
        )
    state = negotiation.issue(fact.issue)
    if state is None:
        raise UnknownIssue(
            f"negotiation {negotiation.id!r} is not about {fact.issue!r}",
            _known(one.issue.id for one in negotiation.issues),
        )
    if offer.concession(fact.issue) is not None:
        raise IdTaken(
            f"offer {fact.offer!r} has its concession on {fact.issue}", "There is one per issue."
        )
    stands = state.stands(fact.side)
    last = stands[-1] if stands else None
    before = stands[-2].value if len(stands) > 1 else None
    of_this_offer = last is not None and last.offer == fact.offer and not last.accepted
    if not of_this_offer or (before, last.value if last else None) != (fact.from_, fact.to):
        raise NotAConcession(
            f"{fact.side} did not go from {fact.from_} to {fact.to} by offer {fact.offer!r}",
            "A concession starts where that side stood, and ends where the offer put it.",
        )
    gained = gain(state.issue, fact.side, fact.from_, fact.to)
    if gained is None or gained >= 0:
        raise NotAConcession(
            f"going from {fact.from_} to {fact.to} on {fact.issue} costs {fact.side} nothing",
            "A concession worsens its maker's own declared order.",
        )
    _require_grant(fact, state)
    if fact.side is Party.US:
        require_stakeholders(deal, *fact.made_to)


def _require_grant(fact: ConcessionMade, state: IssueState) -> None:
    granted = state.granted(fact.to)
    if fact.approval is not None and (granted is None or granted.version != fact.approval):
        raise UnknownReference(
            f"version {fact.approval} did not approve {fact.issue} at {fact.to}",
            "Name the event that granted exactly this value.",
        )


def _agreement(fact: TermAgreed, negotiations: Negotiations) -> None:
    state = require_issue(fact.issue, negotiations)
    if state.agreed is not None:
        raise TermSettled(
            f"{fact.issue} is settled at {state.agreed.fact.value}",
            "Reopen the term with reopen-term first.",
        )
    ours, theirs = state.position(Party.US), state.position(Party.CUSTOMER)
    if not ours == theirs == fact.value:
        raise NotAtThatValue(
            f"on {fact.issue} we stand at {ours or 'no value'}, they at {theirs or 'no value'}, "
            f"not both at {fact.value}",
            "Both sides have to stand at the value, by an offer or by accepting one.",
        )


def _conclusion(fact: NegotiationConcluded, negotiations: Negotiations) -> None:
    negotiation = negotiations.negotiation(fact.id)
    if negotiation is None:
        raise UnknownReference(
            f"there is no negotiation {fact.id!r}", _known(one.id for one in negotiations.opened)
        )
    if negotiation.concluded is not None:
        raise NegotiationEnded(
            f"negotiation {fact.id!r} ended: {negotiation.concluded.fact.result}",
            "Open a new one to go on.",
        )
    if fact.result is NegotiationResult.AGREED and negotiation.unsettled:
        raise IssuesOpen(
            f"not agreed yet: {', '.join(negotiation.unsettled)}",
            "Agree every issue with agree-term, or conclude with another result.",
        )
