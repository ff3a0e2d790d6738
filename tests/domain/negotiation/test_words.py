"""Negotiating told in words, one phrase for each fact, and no secret in any."""

import re
from typing import get_args

import pytest

from domain.negotiation import describe
from domain.negotiation.facts import (
    AnyNegotiationFact,
    ApprovalGranted,
    ApprovalRefused,
    ApprovalRequested,
    ConcessionMade,
    ConditionFulfilled,
    NegotiationConcluded,
    NegotiationResult,
    OfferAnswered,
    OfferMade,
    OfferReply,
    PressureReading,
    QuoteIssued,
    TermAgreed,
    TermReopened,
    TheirWalkAwayEstimated,
    WalkAwayPressed,
    WalkAwayRevised,
)
from domain.negotiation.positions import Negotiations
from tests.domain.negotiation.table import NEGOTIATING, OPENING, THEM, US, made, terms
from tests.scenario import given, usd

BEFORE = given(*NEGOTIATING).deal.negotiations

TOLD: list[tuple[AnyNegotiationFact, str]] = [
    (QuoteIssued(2, usd("1000")), "quote 2 issued: 1,000.00 USD"),
    (OPENING, "negotiation opened on price, days, way, colour"),
    (WalkAwayRevised("price", "7777", "Why"), "our walk-away on price revised"),
    (TheirWalkAwayEstimated("price", "7777", "Why"), "their walk-away on price estimated"),
    (
        WalkAwayPressed("price", "850", PressureReading.BLUFF),
        "they insisted on price at 850 USD",
    ),
    (made("o1", US, price=1000, way="rail"), "we offered price 1000 USD, way rail"),
    (
        OfferMade("t1", "main", THEM, 2, terms(days=90), package=True, in_return_for="Volume"),
        "they offered days 90 days, only together, in return for: Volume",
    ),
    (OfferAnswered("o1", OfferReply.REJECTED, "wang", "Dear"), "offer o1 rejected: Dear"),
    (OfferAnswered("o1", OfferReply.LAPSED), "offer o1 lapsed"),
    (
        ConcessionMade("o2", "price", US, "1000", "950", conditional=True),
        "we conceded price 1000 USD → 950 USD, on condition",
    ),
    (
        ConcessionMade("t2", "days", THEM, "90", "60"),
        "they conceded days 90 days → 60 days, with nothing in return",
    ),
    (ConditionFulfilled("o2", "Prepaid"), "came back for offer o2: Prepaid"),
    (
        ApprovalRequested("price", "850", reason="Last step"),
        "approval asked for price at 850 USD: Last step",
    ),
    (ApprovalGranted("price", "850"), "price at 850 USD approved"),
    (ApprovalRefused("price", "850", reason="Margin"), "price at 850 USD not approved: Margin"),
    (TermAgreed("way", "rail"), "agreed: way rail"),
    (TermReopened("way", THEM, "Strike"), "way reopened, by the customer: Strike"),
    (TermReopened("way", US), "way reopened, by us"),
    (TermReopened("way"), "way reopened"),
    (
        NegotiationConcluded("main", NegotiationResult.BROKEN_OFF, "No trust"),
        "negotiation concluded: broken-off: No trust",
    ),
]


@pytest.mark.parametrize(("fact", "words"), TOLD)
def test_each_fact_is_told(fact: AnyNegotiationFact, words: str) -> None:
    assert describe(fact, BEFORE) == words


@pytest.mark.parametrize(("fact", "words"), TOLD)
def test_where_the_issue_is_not_known_values_are_told_without_unit(
    fact: AnyNegotiationFact, words: str
) -> None:
    bare = words if isinstance(fact, QuoteIssued) else re.sub(r"(\d) (USD|days)", r"\1", words)
    assert describe(fact, Negotiations()) == bare


def test_every_fact_is_told_here() -> None:
    assert {type(fact) for fact, _ in TOLD} == set(get_args(AnyNegotiationFact))
