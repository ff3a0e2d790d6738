"""One sound command of every type of the family, and the facts that have to come before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.negotiation.commands import (
    AgreeTerm,
    AnswerOffer,
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
    ApprovalRequested,
    NegotiationResult,
    OfferAnswered,
    OfferMade,
    OfferReply,
    TermAgreed,
)
from tests.domain.negotiation.table import OPENING, PRICE, US, WANG, made, terms
from tests.scenario import usd

if TYPE_CHECKING:
    from domain.deal import DealCommand, DealFact
    from domain.intent import Command

_OFFERED = (WANG, OPENING, made("o1", US, price=1000))
_ACCEPTED = (*_OFFERED, OfferAnswered("o1", OfferReply.ACCEPTED, "wang"))

ASKED: list[tuple[tuple[DealFact, ...], DealCommand]] = [
    ((), IssueQuote(usd("1000"))),
    ((WANG,), OpenNegotiation("main", (PRICE,), counterparts=("wang",))),
    ((OPENING,), ReviseWalkAway("price", "880")),
    ((OPENING,), EstimateTheirWalkAway("price", "950")),
    ((OPENING,), RecordWalkAwayPressed("price", "850")),
    (_OFFERED, MakeOffer("o2", US, terms(price=950), made_to=("wang",))),
    (_OFFERED, AnswerOffer("o1", OfferReply.REJECTED, "wang")),
    (
        (OPENING, OfferMade("o1", "main", US, 1, terms(price=950), in_return_for="A visit")),
        FulfilCondition("o1", "Visited"),
    ),
    ((OPENING,), RequestApproval("price", "850")),
    ((OPENING,), GrantApproval("price", "850")),
    ((OPENING, ApprovalRequested("price", "850")), RefuseApproval("price", "850")),
    (_ACCEPTED, AgreeTerm("price")),
    ((*_ACCEPTED, TermAgreed("price", "1000")), ReopenTerm("price")),
    ((OPENING,), ConcludeNegotiation("main", NegotiationResult.IMPASSE)),
]

AFTER_WINNING: set[type[Command]] = set()
"""What may still be recorded of the family after winning: nothing."""

AFTER_ANY_OUTCOME: set[type[Command]] = set()
"""What may still be recorded of the family after any outcome: nothing."""
