"""The figures of a negotiation told in full, each worked out by hand."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from domain.negotiation.facts import (
    ApprovalGranted,
    ApprovalRefused,
    Better,
    Issue,
    IssueKind,
    NegotiationOpened,
    OfferAnswered,
    OfferReply,
    QuoteIssued,
    QuoteLine,
    TermAgreed,
)
from domain.negotiation.figures import (
    Discount,
    DiscountBase,
    Figures,
    SideFigures,
    authority_breaches,
    figures,
    quote_discount,
)
from tests.domain.negotiation.table import COLOUR, DAYS, PRICE, THEM, US, WAY, made
from tests.domain.negotiation.talks import talked, the
from tests.scenario import Scenario, given, opened, usd

if TYPE_CHECKING:
    from domain.deal import DealFact
    from domain.negotiation.positions import IssueState

UNPRICED = msgspec.structs.replace(DAYS, money_per_unit=None)


def negotiated(*issues: Issue, then: tuple[DealFact, ...] = ()) -> Scenario:
    return given(opened(), NegotiationOpened("main", issues), *then)


def figures_of(*issues: Issue, then: tuple[DealFact, ...] = ()) -> Figures:
    return figures(the(negotiated(*issues, then=then)))


def test_what_each_side_gave_up() -> None:
    found = figures(the(talked()))
    assert found.rounds == 5
    assert found.ours == SideFigures(
        concessions=5,
        cost=Decimal(140),  # 40 + 20 + 50 of the price, 10 days at 2.50, half a point at 10
        known_cost=Decimal(140),
        without_cost=0,
        unilateral_share=Fraction(2, 5),
        cost_of_accepting=Decimal(0),
    )
    assert found.theirs == SideFigures(
        concessions=1,
        cost=Decimal(50),
        known_cost=Decimal(50),
        without_cost=0,
        unilateral_share=Fraction(0),
        cost_of_accepting=Decimal("202.50"),  # 40 of the price, 65 days at 2.50
    )
    assert found.reciprocity == Fraction(140, 50)


def test_the_figures_of_each_issue() -> None:
    price, days, way = figures(the(talked())).issues
    assert [one.issue for one in (price, days, way)] == ["price", "days", "way"]
    assert (price.ours.concessions, price.ours.cost) == (3, Decimal(110))
    assert price.our_shrinking.ratios == (Fraction(20, 40), Fraction(50, 20))
    assert price.our_shrinking.always is False
    assert price.their_shrinking.ratios == ()
    assert (days.ours.cost, days.theirs.cost_of_accepting) == (Decimal(25), Decimal("162.50"))
    assert days.our_shrinking.always is None
    assert (way.ours.cost, way.theirs.cost) == (Decimal(5), Decimal(0))


@pytest.mark.parametrize(
    ("prices", "ratios", "always"),
    [
        ((1000, 900, 850, 840), (Fraction(1, 2), Fraction(1, 5)), True),
        ((1000, 900, 800), (Fraction(1),), False),
        ((1000, 900, 950, 940), (Fraction(1, 10),), True),
        ((1000, 900), (), None),
    ],
)
def test_shrink_ratios(
    prices: tuple[int, ...], ratios: tuple[Fraction, ...], always: bool | None
) -> None:
    offers = tuple(made(f"o{price}", US, price=price) for price in prices)
    (price,) = figures_of(PRICE, then=offers).issues
    assert (price.our_shrinking.ratios, price.our_shrinking.always) == (ratios, always)


def test_what_is_not_known_is_not_counted_as_nothing() -> None:
    steps = (
        made("o1", US, price=1000, days=30),
        made("o2", US, price=990, days=40),
        made("t1", THEM, 2, price=800, days=90),
        made("t2", THEM, 2, price=820),
    )
    found = figures_of(PRICE, UNPRICED, then=steps)
    assert (found.ours.concessions, found.ours.cost, found.ours.without_cost) == (2, None, 1)
    assert found.ours.known_cost == Decimal(10)
    assert found.theirs.cost == Decimal(20)
    assert found.reciprocity is None
    assert figures_of(PRICE, DAYS, then=steps).reciprocity == Fraction(35, 20)


def test_without_a_concession_of_theirs_there_is_no_reciprocity() -> None:
    found = figures_of(PRICE, then=(made("o1", US, price=1000), made("o2", US, price=990)))
    assert found.theirs.cost == 0
    assert found.reciprocity is None
    assert found.ours.unilateral_share == 1
    assert found.theirs.unilateral_share is None


def test_nobody_offered_anything() -> None:
    found = figures_of(PRICE)
    nothing = SideFigures(0, Decimal(0), Decimal(0), 0, None, Decimal(0))
    assert (found.rounds, found.ours, found.theirs, found.reciprocity) == (
        0,
        nothing,
        nothing,
        None,
    )
    assert found.issues[0].discount is None


# Discounts.

PER_CENT = Issue("off", IssueKind.PRICE, unit="%", better_for_us=Better.LOWER)


def without(issue: Issue, **changes: Any) -> Issue:
    return msgspec.structs.replace(issue, **changes)


@pytest.mark.parametrize(
    ("issue", "values", "discount"),
    [
        (PRICE, ("950",), Discount(DiscountBase.OPENING, Fraction(5, 100))),
        (PRICE, ("1100",), Discount(DiscountBase.OPENING, Fraction(-1, 10))),
        (
            without(PRICE, our_opening=None),
            ("900", "810"),
            Discount(DiscountBase.FIRST_OFFER, Fraction(1, 10)),
        ),
        (PER_CENT, ("3", "7.5"), Discount(DiscountBase.LIST, Fraction(75, 1000))),
        (without(PER_CENT, unit="points"), ("3",), None),
        (without(PRICE, better_for_us=None), ("900",), None),
        (without(PRICE, our_opening="0"), ("900",), None),
        (without(DAYS, our_opening="30"), ("40",), None),
        (without(WAY, kind=IssueKind.PRICE), ("road",), None),
        (PRICE, (), None),
    ],
)
def test_the_discount_of_a_price(
    issue: Issue, values: tuple[str, ...], discount: Discount | None
) -> None:
    offers = tuple(made(f"o{value}", US, **{issue.id: value}) for value in values)
    assert figures_of(issue, then=offers).issues[0].discount == discount


def test_the_discount_is_that_of_the_agreed_price() -> None:
    settled = (
        made("o1", US, price=980),
        OfferAnswered("o1", OfferReply.ACCEPTED),
        TermAgreed("price", "980"),
    )
    discount = figures_of(PRICE, then=settled).issues[0].discount
    assert discount == Discount(DiscountBase.OPENING, Fraction(2, 100))


PRESS = QuoteLine("Press", "2", usd("450"), list_price=usd("500"))
SERVICE = QuoteLine("Service", "1.5", usd("100"), list_price=usd("200"))


@pytest.mark.parametrize(
    ("total", "lines", "share"),
    [
        ("900", (PRESS,), Fraction(1, 10)),
        ("1040", (PRESS, SERVICE), Fraction(2, 10)),
        ("1100", (PRESS,), Fraction(-1, 10)),
        ("900", (PRESS, without_list := QuoteLine("Visit", "1", usd("5"))), None),
        ("900", (without_list,), None),
        ("900", (), None),
        ("900", (QuoteLine("Gift", "1", usd("0"), list_price=usd("0")),), None),
    ],
)
def test_the_discount_of_a_quote_is_off_its_lines_at_list_prices(
    total: str, lines: tuple[QuoteLine, ...], share: Fraction | None
) -> None:
    discount = quote_discount(QuoteIssued(1, usd(total), lines))
    assert discount == (None if share is None else Discount(DiscountBase.LIST, share))


# Authority.


def at_most_900(state: IssueState, value: str, actor: str) -> bool:
    """Ann goes down to 900, everybody else anywhere; other issues are free."""
    return actor != "ann" or state.issue.id != "price" or Decimal(value) >= 900


def breaches(*then: DealFact) -> list[tuple[str, bool]]:
    negotiation = the(negotiated(PRICE, COLOUR, then=then))
    return [(one.value, one.by_acceptance) for one in authority_breaches(negotiation, at_most_900)]


def test_who_goes_past_their_authority_without_an_approval_breaches_it() -> None:
    first, lower = made("o1", US, price=1000, colour="red"), made("o2", US, price=890)
    assert breaches(first) == []
    assert breaches(first, lower) == [("890", False)]
    assert breaches(first, ApprovalGranted("price", "890"), lower) == []
    assert breaches(first, ApprovalGranted("price", "891"), lower) == [("890", False)]
    taken_back = (ApprovalGranted("price", "890"), ApprovalRefused("price", "890"))
    assert breaches(first, *taken_back, lower) == [("890", False)]
    assert breaches(first, lower, ApprovalGranted("price", "890")) == [("890", False)]


def test_a_first_offer_and_an_acceptance_are_steps_as_well() -> None:
    assert breaches(made("o1", US, price=890)) == [("890", False)]
    theirs = made("t1", THEM, price=880)
    assert breaches(theirs) == []
    assert breaches(theirs, OfferAnswered("t1", OfferReply.ACCEPTED)) == [("880", True)]


def test_coming_back_up_staying_and_being_taken_at_ones_word_are_no_steps() -> None:
    down, up = made("o1", US, price=880), made("o2", US, price=895)
    taken = OfferAnswered("o1", OfferReply.ACCEPTED)
    assert breaches(down, up) == [("880", False)]
    assert breaches(down, made("o2", US, price=880)) == [("880", False)]
    assert breaches(down, up, taken) == [("880", False)]


def test_a_breach_tells_who_and_when() -> None:
    negotiation = the(negotiated(PRICE, then=(made("o1", US, price=890),)))
    (breach,) = authority_breaches(negotiation, at_most_900)
    assert (breach.issue, breach.offer, breach.actor, breach.version) == ("price", "o1", "ann", 3)
    assert (breach.approval, breach.at) == (None, negotiation.offers[0].made.occurred_at)
