"""How far a role may go alone: per cent off a price, and the furthest value of other terms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from domain.access import Principal, Role
from domain.negotiation import AuthorityLimits, RoleLimits, TermLimit
from domain.negotiation.commands import AnswerOffer, GrantApproval
from domain.negotiation.facts import (
    ApprovalGranted,
    Better,
    ConcessionMade,
    Issue,
    IssueKind,
    NegotiationOpened,
    OfferAnswered,
    OfferReply,
    Option,
)
from domain.organisation import Organisation
from domain.refusals import ApprovalMissing, AuthorityExceeded
from tests.domain.negotiation.table import COLOUR, DAYS, PRICE, THEM, US, WAY, made, offer
from tests.scenario import DIRECTORY, MANAGER, OPERATOR, OWNER, given, opened

if TYPE_CHECKING:
    from domain.deal import DealFact
    from tests.scenario import Scenario

SELLER = RoleLimits(
    Role.SELLER,
    discount_percent="5",
    terms=(
        TermLimit(IssueKind.PAYMENT_TIME, "60", "days"),
        TermLimit(IssueKind.DELIVERY, "road"),
    ),
)
LIMITS = AuthorityLimits((SELLER, RoleLimits(Role.MANAGER, discount_percent="20")))
LIMITED = Organisation(DIRECTORY, LIMITS)


def negotiating(*issues: Issue, then: tuple[DealFact, ...] = ()) -> Scenario:
    return given(opened(), NegotiationOpened("main", issues), *then)


def may_offer(
    issue: Issue,
    value: str,
    by: Principal = OWNER,
    limits: AuthorityLimits = LIMITS,
    then: tuple[DealFact, ...] = (),
) -> bool:
    """Whether it may be offered first thing, or after `then`; refused for no other reason."""
    asked = negotiating(issue, then=then)
    answer = asked.when(
        offer("last", US, {issue.id: value}), by=by, organisation=Organisation(DIRECTORY, limits)
    )
    if answer.refusal is not None:
        answer.refused(ApprovalMissing, f"{issue.id} at {value}")
    return answer.refusal is None


@pytest.mark.parametrize(
    ("by", "value", "may"),
    [
        (OWNER, "950", True),
        (OWNER, "949.99", False),
        (MANAGER, "949.99", True),
        (MANAGER, "800", True),
        (MANAGER, "799.99", False),
        (OPERATOR, "1", True),
        (Principal("ann", frozenset({Role.SELLER, Role.MANAGER}), MANAGER.units), "800", True),
        (Principal("ann", frozenset({Role.SELLER, Role.ANALYST})), "800", False),
    ],
)
def test_a_discount_is_limited_by_role_and_the_widest_role_counts(
    by: Principal, value: str, *, may: bool
) -> None:
    assert may_offer(PRICE, value, by) is may


def test_without_limits_nobody_is_limited() -> None:
    assert may_offer(PRICE, "1", limits=AuthorityLimits())
    assert may_offer(PRICE, "1", limits=AuthorityLimits((RoleLimits(Role.SELLER),)))


def test_without_a_declared_opening_the_first_position_is_the_base() -> None:
    price = msgspec.structs.replace(PRICE, our_opening=None)
    assert may_offer(price, "1")
    first = (made("o1", US, price=500), made("o2", US, price=600))
    assert may_offer(price, "475", then=first)
    assert not may_offer(price, "474.99", then=first)


def test_a_price_without_an_order_may_not_move_from_its_base() -> None:
    price = msgspec.structs.replace(PRICE, better_for_us=None, our_opening=None)
    assert may_offer(price, "500")
    first = (made("o1", US, price=500),)
    assert may_offer(price, "500", then=first)
    assert not may_offer(price, "499", then=first)
    assert not may_offer(price, "501", then=first)


def test_a_price_negotiated_as_per_cent_off_is_its_own_discount() -> None:
    off = Issue("off", IssueKind.PRICE, unit="%", better_for_us=Better.LOWER)
    assert may_offer(off, "5")
    assert not may_offer(off, "5.1")
    assert not may_offer(msgspec.structs.replace(off, our_opening="8"), "8")


def test_a_discount_that_cannot_be_measured_is_exceeded_by_any_step_down() -> None:
    rebate = Issue("rebate", IssueKind.PRICE, unit="points", better_for_us=Better.LOWER)
    assert may_offer(rebate, "9")
    assert not may_offer(rebate, "9", then=(made("o1", US, rebate=8),))
    levels = Issue("level", IssueKind.PRICE, options=(Option("list", "2"), Option("net", "1")))
    assert not may_offer(levels, "net", then=(made("o1", US, level="list"),))


@pytest.mark.parametrize(
    ("issue", "value", "may"),
    [
        (DAYS, "60", True),
        (DAYS, "61", False),
        (DAYS, "9", True),
        (WAY, "road", True),
        (WAY, "air", False),
        (msgspec.structs.replace(DAYS, unit="weeks"), "1", False),
        (msgspec.structs.replace(DAYS, kind=IssueKind.PENALTY), "600", True),
        (msgspec.structs.replace(DAYS, better_for_us=None), "30", False),
        (Issue("d", IssueKind.DELIVERY, options=(Option("sea", "1"),)), "sea", False),
        (COLOUR, "red", True),
    ],
)
def test_a_term_is_limited_by_its_kind_in_our_order(issue: Issue, value: str, *, may: bool) -> None:
    assert may_offer(issue, value) is may


def test_every_limit_on_the_kind_counts() -> None:
    both = RoleLimits(
        Role.SELLER,
        terms=(
            TermLimit(IssueKind.PAYMENT_TIME, "90", "days"),
            TermLimit(IssueKind.PAYMENT_TIME, "60", "days"),
        ),
    )
    assert not may_offer(DAYS, "61", limits=AuthorityLimits((both,)))


def test_past_the_limit_a_concession_needs_an_approval_and_carries_it() -> None:
    first = made("o1", US, price=1000)
    lower = offer("o2", US, {"price": 900})
    negotiating(PRICE, then=(first,)).when(lower, organisation=LIMITED).refused(
        ApprovalMissing, "ann may go alone", "request-approval"
    )
    approved = negotiating(PRICE, then=(first, ApprovalGranted("price", "900")))
    approved.when(lower, organisation=LIMITED).then(
        made("o2", US, price=900),
        ConcessionMade("o2", "price", US, "1000", "900", approval=approved.history.version),
    )


def test_coming_back_from_past_the_limit_needs_none() -> None:
    low = (ApprovalGranted("price", "900"), made("o1", US, price=900))
    assert may_offer(PRICE, "920", then=low)
    assert not may_offer(PRICE, "899", then=low)


def test_accepting_past_the_limit_needs_an_approval() -> None:
    asked = negotiating(PRICE, then=(made("t1", THEM, price=900),))
    accept = AnswerOffer("t1", OfferReply.ACCEPTED)
    asked.when(accept, organisation=LIMITED).refused(ApprovalMissing)
    asked.when(accept, organisation=LIMITED, by=MANAGER).then(
        OfferAnswered("t1", OfferReply.ACCEPTED)
    )


def test_their_offers_are_not_limited() -> None:
    theirs = negotiating(PRICE, then=(made("t1", THEM, price=900),))
    theirs.when(offer("t2", THEM, {"price": 100}), organisation=LIMITED).then(
        made("t2", THEM, price=100)
    )


def test_who_grants_has_to_reach_as_far() -> None:
    asked = negotiating(PRICE)
    asked.when(GrantApproval("price", "800"), by=MANAGER, organisation=LIMITED).accepted()
    asked.when(GrantApproval("price", "799"), by=MANAGER, organisation=LIMITED).refused(
        AuthorityExceeded, "mei may go"
    )
    asked.when(GrantApproval("price", "799"), by=OPERATOR, organisation=LIMITED).accepted()
    asked.when(GrantApproval("price", "799"), by=MANAGER).accepted()
