"""When silence is no fault: while a deal rests, after it has ended, while it waits for an award."""

from datetime import UTC, datetime, time, timedelta
from typing import TypeAlias

from domain.buying.facts import VendorStatus
from domain.buying.purchase import Purchase
from domain.deal import Deal
from domain.lifecycle import Status
from domain.negotiation.positions import Moment as Place
from domain.values import END_OF_TIME, START_OF_TIME

Pause: TypeAlias = tuple[datetime, datetime]
"""From when until when; one that lasts ends at `END_OF_TIME`."""


def later(at: datetime, by: timedelta) -> datetime:
    """The moment so much later, at most the last there is; `by` is not negative."""
    return at + by if by <= END_OF_TIME - at else END_OF_TIME


def awarded(purchase: Purchase) -> Place | None:
    """When somebody was announced as the first choice, in the purchase that was declared last.

    A rank at the opening of the bids is none: it tells whose bid was the lowest. What was
    announced before that declaration was said of a purchase that came to nothing.
    """
    mode = purchase.mode
    if mode is None:
        return None
    chosen = (
        (one.occurred_at, one.version)
        for one in purchase.vendor_statuses
        if one.fact.status is VendorStatus.FIRST_CHOICE
    )
    declared = (mode.occurred_at, mode.version)
    return min((place for place in chosen if place > declared), default=None)


def pause_of(deal: Deal, award_days: int, *, selecting: bool) -> Pause | None:
    """The pause in which a deal is that stands so, may it begin later; None: there is none.

    Whoever negotiates (`selecting`) has been chosen, recorded or not; and so many days after the
    deadline an award that nobody recorded is not waited for any more.
    """
    life, purchase = deal.life, deal.purchase
    if life.status.closed:
        return START_OF_TIME, END_OF_TIME
    if life.status is Status.SUSPENDED:
        assert life.suspension is not None
        return life.suspension.occurred_at, END_OF_TIME
    deadline = purchase.mode.fact.deadline if purchase.mode and purchase.tender else None
    if deadline is None or selecting or awarded(purchase) is not None:
        return None
    closed = later(datetime.combine(deadline, time(), UTC), timedelta(days=1))
    return closed, later(closed, timedelta(days=award_days))
