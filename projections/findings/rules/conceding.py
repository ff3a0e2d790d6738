"""What we gave, for what, and to whom; and what the rules about negotiating share.

Positions come from offers and their acceptance alone, so that is what these rules look at. An
offer and what is noted beside it occur in one moment: what is mended in the same moment has not
been found. What is merely over by then has, and was over at once.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from typing import TypeAlias, TypeVar

import msgspec

from domain.buying.facts import PriceForm, PurchaseMethod
from domain.buying.purchase import Purchase
from domain.currencies import MINOR_DIGITS
from domain.deal import Deal
from domain.negotiation.facts import Issue, IssueKind
from domain.negotiation.ledger import Concession, concessions
from domain.negotiation.orders import is_canonical
from domain.negotiation.positions import IssueState, Negotiation, Negotiations
from domain.negotiation.positions import Moment as Place
from domain.people.facts import BuyingRole, Power
from domain.values import Party
from projections.findings.case import Case, Moment, runs
from projections.findings.finding import Firing, Told, Weight
from projections.findings.pauses import awarded

Key: TypeAlias = tuple[object, ...]
Holds: TypeAlias = Callable[[Deal], bool]
T = TypeVar("T")


# What the rules about negotiating share.


def new(
    case: Case, found: Callable[[Negotiations, Deal], Mapping[Key, T]]
) -> Iterator[tuple[Moment, T]]:
    """What there is to find in the negotiations behind a frame, and was not before it.

    Both are seen with the rest of the deal as it stands behind the frame.
    """
    for moment in case.moments:
        before, after = moment.before.negotiations, moment.deal.negotiations
        if before is after or not runs(moment.before):
            continue
        there = found(after, moment.deal)
        known = found(before, moment.deal) if there else {}
        yield from ((moment, one) for key, one in there.items() if key not in known)


def firing(
    moment: Moment,
    *,
    mended: Holds,
    over: Holds,
    subject: str,
    evidence: Iterable[int],
    told: Told,
    weight: Weight | None = None,
    wording: str = "",
) -> Iterator[Firing]:
    """It fires at a frame until it is mended or over, unless it is mended in the same moment."""
    together = [one for one in moment.case.moments[moment.index :] if one.at == moment.at]
    if mended(together[-1].deal):
        return
    until = moment.case.first(moment, lambda later: mended(later.deal) or over(later.deal))
    yield Firing(
        since=moment.at,
        until=moment.at if over(moment.deal) else until,
        evidence=tuple(sorted(set(evidence))),
        trigger=moment.event.version,
        subject=subject,
        told=told,
        weight=weight,
        wording=wording,
    )


def moved(issue: Issue, from_: str, to: str) -> dict[str, str]:
    """An issue and a way on it, as sentences tell them."""
    return {"issue": issue.id, "from": valued(issue, from_), "to": valued(issue, to)}


def valued(issue: Issue, value: str) -> str:
    """A value with the unit of its issue, as people write it."""
    return (
        with_unit(Decimal(value), issue.unit)
        if not issue.options and is_canonical(value)
        else value
    )


def with_unit(number: Decimal, unit: str | None) -> str:
    return f"{number:,f} {unit}" if unit else f"{number:,f}"


def state_of(deal: Deal, offer: str, issue: str) -> IssueState | None:
    """An issue, in the negotiation of an offer; None where that offer is not on record."""
    found = deal.negotiations.of_offer(offer)
    return None if found is None else found[0].issue(issue)


def concluded(offer: str, deal: Deal) -> bool:
    """Whether the negotiation of an offer is over."""
    found = deal.negotiations.of_offer(offer)
    return found is not None and found[0].concluded is not None


_FINAL_QUOTES = (PurchaseMethod.COMPETITIVE_NEGOTIATION, PurchaseMethod.REQUEST_FOR_QUOTATIONS)


def quoted_in_form(issue: Issue, place: Place, purchase: Purchase) -> bool:
    """A price in the form that the customer prescribes to all: a quote, nothing bargained over.

    Until somebody is the first choice: in rounds and auctions each price. A sealed price until
    the bids are opened; where a tender does not say, prices are sealed. On the last day for
    offers the final quote, of which Chinese law makes a step of its own in competitive
    negotiation, and which is the only quote where quotations are asked for (Government
    Procurement Law of the PRC, art. 38 and 40).
    """
    mode, award = purchase.mode, awarded(purchase)
    if issue.kind is not IssueKind.PRICE or mode is None:
        return False
    if award is not None and award <= place:
        return False
    form = mode.fact.price_form
    if form in (PriceForm.ROUNDS, PriceForm.REVERSE_AUCTION):
        return True
    sealed = form is PriceForm.SEALED or purchase.tender
    final = mode.fact.method in _FINAL_QUOTES and mode.fact.deadline == place[0].date()
    return final or (sealed and not opened(purchase, place))


def opened(purchase: Purchase, place: Place) -> bool:
    """Whether the bids had been opened, in the purchase that was declared last."""
    mode = purchase.mode
    openings = [(one.occurred_at, one.version) for one in purchase.openings]
    return mode is not None and any((mode.occurred_at, mode.version) < o <= place for o in openings)


# Concessions.


class Given(msgspec.Struct, frozen=True):
    """A concession of ours, in the negotiation as it stood."""

    concession: Concession
    negotiation: Negotiation

    @property
    def state(self) -> IssueState:
        found = self.negotiation.issue(self.concession.move.issue)
        assert found is not None
        return found

    @property
    def unreturned(self) -> bool:
        """Nothing was asked for, nor has anything come back."""
        return not self.concession.conditional and not self.concession.came_back

    @property
    def evidence(self) -> tuple[int, ...]:
        """Where we stood, and where we went."""
        to, steps = self.concession.move.version, pairwise(self.state.our_stands)
        return (*(before.version for before, after in steps if after.version == to), to)

    @property
    def told(self) -> dict[str, str]:
        move = self.concession.move
        return moved(self.state.issue, move.from_, move.to)

    def returned(self, deal: Deal) -> bool:
        """Whether a return is noted or came by then, or it is no concession any more."""
        found = deal.negotiations.of_offer(self.concession.move.offer)
        returned = found is not None and (found[1].asks_a_return or bool(found[1].fulfilled))
        return returned or self.gone(deal)

    def gone(self, deal: Deal) -> bool:
        """Whether it was no concession after all, as what is on record says by then."""
        move = self.concession.move
        state = state_of(deal, move.offer, move.issue)
        step = (move.from_, move.to, move.version)
        return state is None or not any(
            (before.value, after.value, after.version) == step
            for before, after in pairwise(state.our_stands)
        )

    def settled(self, deal: Deal) -> bool:
        """Whether the term is agreed, or the negotiation over."""
        move = self.concession.move
        state = state_of(deal, move.offer, move.issue)
        agreed = state is not None and state.agreed is not None
        return agreed or concluded(move.offer, deal)


def _ours(negotiations: Negotiations) -> Iterator[Given]:
    for negotiation in negotiations.opened:
        yield from _ours_in(_Same(negotiation))


class _Same:
    """A negotiation as a key: equal to itself alone, which is told faster than by its content."""

    __slots__ = ("negotiation",)

    def __init__(self, negotiation: Negotiation) -> None:
        self.negotiation = negotiation

    def __hash__(self) -> int:
        return id(self.negotiation)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.negotiation is self.negotiation


@lru_cache(maxsize=128)
def _ours_in(same: _Same) -> tuple[Given, ...]:
    """Worked out once: every rule asks for it, before and behind every frame."""
    negotiation = same.negotiation
    found = concessions(negotiation)
    return tuple(Given(one, negotiation) for one in found if one.move.side is Party.US)


def _unreturned(negotiations: Negotiations) -> dict[Key, Given]:
    return {_key(one): one for one in _ours(negotiations) if one.unreturned}


def _key(given: Given) -> Key:
    return (given.concession.move.version, given.concession.move.issue)


def unilateral_concession(case: Case) -> Iterator[Firing]:
    """A concession of ours with nothing in return, outside of quotes that the customer mandates.

    It ends once a return is noted or comes, or the term is agreed, or the negotiation is over.
    """
    for moment, given in new(case, lambda negotiations, _: _unreturned(negotiations)):
        if quoted_in_form(given.state.issue, given.concession.move.moment, moment.deal.purchase):
            continue
        yield from firing(
            moment,
            mended=given.returned,
            over=given.settled,
            subject=given.concession.move.issue,
            evidence=given.evidence,
            told=given.told,
            weight=Weight.NOTE if _is_small(given, moment) else None,
        )


def _is_small(given: Given, moment: Moment) -> bool:
    """Below so many per cent of the amount, as far as both are known.

    Where they are not, a price in money is compared with itself.
    """
    cost, amount = given.concession.cost, moment.deal.amount
    percent = Decimal(moment.settings.small_concession_percent)
    if cost is not None and amount is not None:
        return cost * 100 < percent * amount.amount
    issue, price = given.state.issue, given.concession.move.from_
    if issue.kind is not IssueKind.PRICE or issue.unit not in MINOR_DIGITS or issue.options:
        return False
    return given.concession.size * 100 < percent * abs(Decimal(price))


def growing_concession(case: Case) -> Iterator[Firing]:
    """A unilateral concession that is larger, in money, than our previous one on that issue.

    Where nobody said what a unit costs, sizes are compared: on one issue they stand to each other
    as their costs do.
    """
    for moment, (before, given) in new(case, lambda negotiations, _: _growing(negotiations)):
        yield from firing(
            moment,
            mended=given.returned,
            over=given.settled,
            subject=given.concession.move.issue,
            evidence=(*before.evidence, *given.evidence),
            told={**given.told, **_sizes(before, given)},
        )


def _growing(negotiations: Negotiations) -> dict[Key, tuple[Given, Given]]:
    by_issue: dict[Key, list[Given]] = {}
    for one in _ours(negotiations):
        place = (one.negotiation.opened.version, one.concession.move.issue)
        by_issue.setdefault(place, []).append(one)
    return {
        _key(given): (before, given)
        for there in by_issue.values()
        for before, given in pairwise(there)
        if given.unreturned and _size(given) > _size(before)
    }


def _size(given: Given) -> Decimal:
    concession = given.concession
    return concession.size if concession.cost is None else concession.cost


def _sizes(before: Given, given: Given) -> dict[str, str]:
    """What the two cost, or how large they were."""
    issue = given.state.issue
    unit = issue.money_per_unit.currency if issue.money_per_unit else issue.unit
    return {"size": with_unit(_size(given), unit), "previous": with_unit(_size(before), unit)}


# To whom.

_COMMERCIAL = frozenset(
    {
        IssueKind.PRICE,
        IssueKind.QUANTITY,
        IssueKind.PAYMENT_TIME,
        IssueKind.PAYMENT_METHOD,
        IssueKind.DELIVERY,
        IssueKind.SERVICE_PAID,
        IssueKind.SERVICE_FREE,
        IssueKind.RISK,
        IssueKind.IP,
        IssueKind.PENALTY,
    }
)
_OWNED: Mapping[Power, frozenset[IssueKind]] = {
    Power.SIGNATURE: frozenset(IssueKind),
    Power.COMMERCIAL: _COMMERCIAL,
    Power.BUDGET: frozenset(
        {
            IssueKind.PRICE,
            IssueKind.QUANTITY,
            IssueKind.PAYMENT_TIME,
            IssueKind.PAYMENT_METHOD,
            IssueKind.SERVICE_PAID,
        }
    ),
    Power.TECHNICAL_VETO: frozenset(
        {
            IssueKind.DELIVERY,
            IssueKind.ACCEPTANCE,
            IssueKind.SERVICE_PAID,
            IssueKind.SERVICE_FREE,
        }
    ),
}
"""Which issues somebody with a power owns."""


def wrong_recipient(case: Case) -> Iterator[Firing]:
    """A concession made to people none of whom decides, purchases, or owns that issue.

    Who may sign owns every issue; who has commercial power all but acceptance; who grants the
    budget owns price, quantity, payment and paid services; who can stop it on technical grounds
    owns delivery, acceptance and services. Whose an issue of another kind is cannot be told:
    there any power will do. Nor can it be told of somebody of whom we know neither role nor
    power.
    """
    for moment, given in new(case, lambda negotiations, _: _addressed(negotiations)):
        to, kind = given.concession.made_to, given.state.issue.kind
        if to and not _may_receive(moment.deal, to, kind):
            yield from firing(
                moment,
                mended=_rightly_received(given),
                over=given.settled,
                subject=given.concession.move.issue,
                evidence=given.evidence,
                told={**given.told, "who": to},
            )


def _addressed(negotiations: Negotiations) -> dict[Key, Given]:
    return {(*_key(one), one.concession.made_to): one for one in _ours(negotiations)}


def _rightly_received(given: Given) -> Holds:
    """Tells whether one of them turns out to own it, or others are noted, or there is none."""
    to, kind = given.concession.made_to, given.state.issue.kind
    issue = given.concession.move.issue

    def mended(deal: Deal) -> bool:
        found = deal.negotiations.of_offer(given.concession.move.offer)
        noted = found[1].concession(issue) if found else None
        others = noted is not None and noted.fact.made_to not in ((), to)
        return others or _may_receive(deal, to, kind) or given.gone(deal)

    return mended


def _may_receive(deal: Deal, people: Iterable[str], kind: IssueKind) -> bool:
    """Whether one of them may, or it cannot be told of one of them."""
    for one in map(deal.people.stakeholder, people):
        if one is None or not (one.roles or one.powers):
            return True
        if {BuyingRole.DECISION_MAKER, BuyingRole.PURCHASER} & set(one.roles):
            return True
        if any(kind is IssueKind.OTHER or kind in _OWNED[power] for power in one.powers):
            return True
    return False
