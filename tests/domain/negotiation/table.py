"""A negotiation to try things on: a price in dollars, days of payment, and a way to deliver.

We like a high price, short payment and delivery by rail; they the opposite, save
that they did not say what they think of the way to deliver.
"""

from typing import Any

from domain.negotiation.commands import MakeOffer
from domain.negotiation.facts import (
    Better,
    Issue,
    IssueKind,
    NegotiationOpened,
    OfferMade,
    Option,
    Term,
)
from domain.people.facts import StakeholderIdentified
from domain.values import Party
from tests.scenario import opened, usd

US, THEM = Party.US, Party.CUSTOMER

PRICE = Issue(
    "price",
    IssueKind.PRICE,
    unit="USD",
    better_for_us=Better.HIGHER,
    better_for_them=Better.LOWER,
    our_opening="1000",
    money_per_unit=usd("1"),
)
DAYS = Issue(
    "days",
    IssueKind.PAYMENT_TIME,
    unit="days",
    better_for_us=Better.LOWER,
    better_for_them=Better.HIGHER,
    money_per_unit=usd("2.50"),
)
WAY = Issue(
    "way",
    IssueKind.DELIVERY,
    options=(Option("road", our_worth="0.5"), Option("rail", "1"), Option("air", "-2")),
    money_per_unit=usd("10"),
)
COLOUR = Issue("colour", IssueKind.OTHER, options=(Option("red"), Option("blue")))

OPENING = NegotiationOpened(
    "main",
    (PRICE, DAYS, WAY, COLOUR),
    targets=(Term("price", "990"),),
    walk_aways=(Term("price", "900"), Term("way", "road")),
)
NEGOTIATING = (opened(), OPENING)
WANG = StakeholderIdentified("wang", "Wang Fang")


def terms(**values: object) -> tuple[Term, ...]:
    return tuple(Term(issue, str(value)) for issue, value in values.items())


def made(name: str, side: Party, number: int = 1, /, **values: object) -> OfferMade:
    """The fact of an offer in this round of the negotiation `main`."""
    return OfferMade(name, "main", side, number, terms(**values))


def offer(name: str, side: Party, /, values: dict[str, object], **more: Any) -> MakeOffer:
    return MakeOffer(name, side, terms(**values), **more)
