"""The figures of a negotiation: what the ledger comes to, in money, shares and ratios.

None of them is secret. Shares and ratios are exact fractions; money is exact, in
the deal's currency. What is not known is None, never nothing.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise

import msgspec

from domain.negotiation.facts import Better, Issue, IssueKind, QuoteIssued
from domain.negotiation.ledger import Concession, Move, concessions, moves
from domain.negotiation.orders import can_take, gain, has_order, is_canonical, product, total
from domain.negotiation.positions import IssueState, Negotiation, Stand
from domain.values import Party

Covers = Callable[[IssueState, str, str], bool]
"""Whether the authority of a user reaches to a value: (issue, value, user id)."""


class SideFigures(msgspec.Struct, frozen=True):
    """What one side gave up."""

    concessions: int
    cost: Decimal | None
    """Money the concessions cost together; None where the cost of one is not known."""
    known_cost: Decimal
    """Money of those whose cost is known."""
    without_cost: int
    """How many of them have no known cost."""
    unilateral_share: Fraction | None
    """Part of the concessions, by number, that asked nothing in return; None without any."""
    cost_of_accepting: Decimal | None
    """Money lost by moving to offers of the other side, which is no concession."""


class Shrinking(msgspec.Struct, frozen=True):
    """How the concessions of one side on one issue follow each other."""

    ratios: tuple[Fraction, ...]
    """Each concession's size over the one before it."""

    @property
    def always(self) -> bool | None:
        """Whether every one was smaller than the one before; None with less than two."""
        return all(ratio < 1 for ratio in self.ratios) if self.ratios else None


class DiscountBase(StrEnum):
    """What a discount is taken off."""

    LIST = "list"
    OPENING = "opening"
    FIRST_OFFER = "first-offer"


class Discount(msgspec.Struct, frozen=True):
    """What was taken off a price."""

    base: DiscountBase
    share: Fraction
    """Of the base; negative where the price rose."""


class IssueFigures(msgspec.Struct, frozen=True):
    """The figures of one issue."""

    issue: str
    ours: SideFigures
    theirs: SideFigures
    our_shrinking: Shrinking
    their_shrinking: Shrinking
    discount: Discount | None
    """Of a price, at the agreed value, else where we stand."""


class Figures(msgspec.Struct, frozen=True):
    """The figures of one negotiation."""

    rounds: int
    ours: SideFigures
    theirs: SideFigures
    reciprocity: Fraction | None
    """The cost of our concessions over that of theirs; None: either unknown, or theirs nothing."""
    issues: tuple[IssueFigures, ...]


class Crossing(msgspec.Struct, frozen=True):
    """Our side went past a line, by an offer or by accepting one."""

    issue: str
    value: str
    offer: str
    by_acceptance: bool
    approval: int | None
    """Version of the event that had granted exactly this."""
    actor: str
    version: int
    at: datetime


def figures(negotiation: Negotiation) -> Figures:
    """All of them, from the positions and the orders."""
    conceded, moved = concessions(negotiation), moves(negotiation)
    ours, theirs = (_side(conceded, moved, side) for side in Party)
    return Figures(
        rounds=negotiation.rounds,
        ours=ours,
        theirs=theirs,
        reciprocity=_ratio(ours.cost, theirs.cost),
        issues=tuple(_of_issue(state, conceded, moved) for state in negotiation.issues),
    )


def _of_issue(
    state: IssueState, conceded: Iterable[Concession], moved: Iterable[Move]
) -> IssueFigures:
    here = [one for one in conceded if one.move.issue == state.issue.id]
    moved_here = [one for one in moved if one.issue == state.issue.id]
    return IssueFigures(
        issue=state.issue.id,
        ours=_side(here, moved_here, Party.US),
        theirs=_side(here, moved_here, Party.CUSTOMER),
        our_shrinking=_shrinking(here, Party.US),
        their_shrinking=_shrinking(here, Party.CUSTOMER),
        discount=_discount(state),
    )


def _side(conceded: Iterable[Concession], moved: Iterable[Move], side: Party) -> SideFigures:
    listed = [one for one in conceded if one.move.side is side]
    unilateral = sum(not one.conditional for one in listed)
    accepting = [
        one
        for one in moved
        if one.side is side and one.by_acceptance and one.gain is not None and one.gain < 0
    ]
    return SideFigures(
        concessions=len(listed),
        cost=_sum(one.cost for one in listed),
        known_cost=total(one.cost for one in listed if one.cost is not None),
        without_cost=sum(one.cost is None for one in listed),
        unilateral_share=Fraction(unilateral, len(listed)) if listed else None,
        cost_of_accepting=_sum(one.cost for one in accepting),
    )


def _sum(costs: Iterable[Decimal | None]) -> Decimal | None:
    listed = list(costs)
    known = [one for one in listed if one is not None]
    return total(known) if len(known) == len(listed) else None


def _shrinking(conceded: Iterable[Concession], side: Party) -> Shrinking:
    sizes = [Fraction(one.size) for one in conceded if one.move.side is side]
    return Shrinking(tuple(after / before for before, after in pairwise(sizes)))


def _ratio(ours: Decimal | None, theirs: Decimal | None) -> Fraction | None:
    return Fraction(ours) / Fraction(theirs) if ours is not None and theirs else None


def list_total(quote: QuoteIssued) -> Decimal | None:
    """What the lines of a quote cost at list prices; None where one has none."""
    listed = [
        product(Decimal(line.quantity), line.list_price.amount)
        for line in quote.lines
        if line.list_price is not None and is_canonical(line.quantity)
    ]
    return total(listed) if listed and len(listed) == len(quote.lines) else None


def quote_discount(quote: QuoteIssued) -> Discount | None:
    """What the total of a quote lies below its lines at list prices."""
    base = list_total(quote)
    share = _taken_off(base, quote.total.amount)
    return None if share is None else Discount(DiscountBase.LIST, share)


def _discount(state: IssueState) -> Discount | None:
    """A price is negotiated as an amount, or as the per cent taken off the list."""
    issue, stands = state.issue, state.stands(Party.US)
    value = state.agreed.fact.value if state.agreed else state.position(Party.US)
    if issue.kind is not IssueKind.PRICE or value is None or not _is_number(issue, value):
        return None
    if issue.better_for_us is Better.LOWER and issue.unit == "%":
        return Discount(DiscountBase.LIST, Fraction(Decimal(value)) / 100)
    if issue.better_for_us is not Better.HIGHER:
        return None
    opening = issue.our_opening
    base = stands[0].value if opening is None and stands else opening
    if base is None or not _is_number(issue, base):
        return None
    share = _taken_off(Decimal(base), Decimal(value))
    of = DiscountBase.FIRST_OFFER if opening is None else DiscountBase.OPENING
    return None if share is None else Discount(of, share)


def _is_number(issue: Issue, value: str) -> bool:
    return not issue.options and can_take(issue, value)


def _taken_off(base: Decimal | None, price: Decimal) -> Fraction | None:
    return 1 - Fraction(price) / Fraction(base) if base is not None and base > 0 else None


def authority_breaches(negotiation: Negotiation, covers: Covers) -> tuple[Crossing, ...]:
    """Where somebody went further than their authority without an approval of the value."""
    return tuple(
        crossing(state, stand)
        for state, stand in steps_down(negotiation)
        if not covers(state, stand.value, stand.actor)
        and state.granted(stand.value, stand.moment) is None
    )


def steps_down(negotiation: Negotiation) -> tuple[tuple[IssueState, Stand], ...]:
    """Where our side took a first position, or a worse one by our order, as it occurred.

    Not where they took up an earlier offer of ours: that step was made when it was offered.
    """
    offers = [offer.made.fact for offer in negotiation.offers]
    ours = {offer.id for offer in offers if offer.side is Party.US}
    found = [
        (state, after)
        for state in negotiation.issues
        for before, after in zip((None, *state.our_stands), state.our_stands, strict=False)
        if not (after.accepted and after.offer in ours) and _is_down(state.issue, before, after)
    ]
    return tuple(sorted(found, key=lambda step: step[1].moment))


def _is_down(issue: Issue, before: Stand | None, after: Stand) -> bool:
    if before is None:
        return has_order(issue, Party.US)
    gained = gain(issue, Party.US, before.value, after.value)
    return gained is not None and gained < 0


def crossing(state: IssueState, stand: Stand) -> Crossing:
    """A step of ours past a line."""
    granted = state.granted(stand.value, stand.moment)
    return Crossing(
        issue=state.issue.id,
        value=stand.value,
        offer=stand.offer,
        by_acceptance=stand.accepted,
        approval=granted.version if granted else None,
        actor=stand.actor,
        version=stand.version,
        at=stand.at,
    )
