"""What the law makes of bargaining in a tender."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from domain.buying.facts import PriceForm
from domain.buying.purchase import Purchase
from domain.negotiation.facts import Issue, IssueKind, OfferAnswered, OfferMade
from domain.negotiation.positions import IssueState
from domain.negotiation.positions import Moment as Place
from domain.values import Party
from projections.findings.case import Case, Moment
from projections.findings.finding import Firing, Told
from projections.findings.pauses import awarded
from projections.findings.rules.conceding import concluded, moved, opened, state_of

SUBSTANCE = frozenset(
    {
        IssueKind.PRICE,
        IssueKind.QUANTITY,
        IssueKind.DELIVERY,
        IssueKind.SERVICE_PAID,
        IssueKind.SERVICE_FREE,
    }
)
"""What a contract may not say otherwise than the bid did: its object, its price, when it is due.

Regulation on the Implementation of the Tendering and Bidding Law of the PRC, art. 57. Free
services are a discount by another name.
"""


def negotiated_before_award(case: Case) -> Iterator[Firing]:
    """Price or substance bargained over in a tender bound by law, before anybody was chosen.

    They make an offer on it, or we change ours once the bids are opened; a price called for in
    rounds is none of it, and until the opening a bid may be changed. It ends with the award or
    with the negotiation, and is found once until then (Tendering and Bidding Law of the PRC,
    art. 29, 43 and 55).
    """
    held: dict[str, Firing] = {}
    for moment in case.of(OfferMade):
        purchase, place = moment.deal.purchase, _place(moment)
        issues = _bargained_over(moment) if _bound(purchase, place) else ()
        if issues and not _after_award(purchase, place):
            ends = case.first(moment, _decided(moment.fact.id))
            told = {"issues": issues}
            yield from _once(held, moment, moment.fact.negotiation, (), until=ends, told=told)


def _bargained_over(moment: Moment) -> tuple[str, ...]:
    """The issues of substance on which an offer is more than our bid."""
    fact, purchase = moment.fact, moment.deal.purchase
    negotiation = moment.before.negotiations.negotiation(fact.negotiation)
    if negotiation is None or (fact.side is Party.US and not opened(purchase, _place(moment))):
        return ()
    named = [(negotiation.issue(term.issue), term.value) for term in fact.terms]
    return tuple(
        state.issue.id
        for state, value in named
        if state is not None
        and state.issue.kind in SUBSTANCE
        and (fact.side is Party.CUSTOMER or state.position(Party.US) not in (None, value))
        and not _in_rounds(state.issue, purchase)
    )


def _in_rounds(issue: Issue, purchase: Purchase) -> bool:
    form = purchase.mode.fact.price_form if purchase.mode else None
    called = form in (PriceForm.ROUNDS, PriceForm.REVERSE_AUCTION)
    return called and issue.kind is IssueKind.PRICE


def changed_after_award(case: Case) -> Iterator[Firing]:
    """We moved on price or substance in a tender bound by law, after somebody was chosen.

    From where we stood then, else from the opening we declared, else from our first offer; by an
    offer or by accepting one. It ends once we stand there again, or the negotiation is over
    (Tendering and Bidding Law of the PRC, art. 46 and 59).
    """
    held: dict[str, Firing] = {}
    for moment in case.of(OfferMade, OfferAnswered):
        purchase, place = moment.deal.purchase, _place(moment)
        award = awarded(purchase)
        if award is None or award > place or not _bound(purchase, place):
            continue
        offer = moment.fact.id if isinstance(moment.fact, OfferMade) else moment.fact.offer
        for state, from_, to in _moved_by(moment, offer, award):
            ends = case.first(moment, _back(offer, state.issue.id, from_))
            told = moved(state.issue, from_, to)
            yield from _once(held, moment, state.issue.id, (award[1],), until=ends, told=told)


def _moved_by(moment: Moment, offer: str, award: Place) -> Iterator[tuple[IssueState, str, str]]:
    """Where the event puts us elsewhere on an issue of substance: from where, and where to."""
    found = moment.deal.negotiations.of_offer(offer)
    for state in found[0].issues if found else ():
        stands = state.our_stands
        if state.issue.kind in SUBSTANCE and stands and stands[-1].version == moment.event.version:
            bid = [one.value for one in stands if one.moment <= award]
            from_ = bid[-1] if bid else state.issue.our_opening or stands[0].value
            if from_ != stands[-1].value:
                yield state, from_, stands[-1].value


def _back(offer: str, issue: str, value: str) -> Callable[[Moment], bool]:
    def back(later: Moment) -> bool:
        state = state_of(later.deal, offer, issue)
        stands = state.position(Party.US) if state else None
        return stands in (None, value) or concluded(offer, later.deal)

    return back


def _once(
    held: dict[str, Firing],
    moment: Moment,
    subject: str,
    versions: Iterable[int],
    *,
    until: datetime | None,
    told: Told,
) -> Iterator[Firing]:
    """It fires, unless what was held of the same subject lasts still."""
    before = held.get(subject)
    if before is not None and (before.until is None or before.until > moment.at):
        return
    mode = moment.deal.purchase.mode
    assert mode is not None
    held[subject] = Firing(
        since=moment.at,
        until=until,
        evidence=tuple(sorted({mode.version, *versions, moment.event.version})),
        trigger=moment.event.version,
        subject=subject,
        told=told,
    )
    yield held[subject]


def _place(moment: Moment) -> Place:
    return (moment.event.occurred_at, moment.event.version)


def _bound(purchase: Purchase, place: Place) -> bool:
    """Whether the purchase was a tender bound by law by then, as far as declared."""
    mode = purchase.mode
    if mode is None or (mode.occurred_at, mode.version) > place:
        return False
    return mode.fact.method.tender and mode.fact.bound_by_law is True


def _after_award(purchase: Purchase, place: Place) -> bool:
    award = awarded(purchase)
    return award is not None and award <= place


def _decided(offer: str) -> Callable[[Moment], bool]:
    """Tells whether somebody was chosen, or the negotiation is over, or the offer none of it."""

    def decided(later: Moment) -> bool:
        found = later.deal.negotiations.of_offer(offer)
        chosen = awarded(later.deal.purchase) is not None
        return chosen or found is None or concluded(offer, later.deal)

    return decided
