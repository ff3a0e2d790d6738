"""Predicates over what is negotiated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from domain.negotiation.facts import (
    ApprovalGranted,
    ApprovalRefused,
    ApprovalRequested,
    NegotiationConcluded,
    NegotiationOpened,
    NegotiationResult,
    OfferAnswered,
    OfferMade,
    OfferReply,
    Term,
    TermAgreed,
    TermReopened,
)
from domain.values import Party
from tests.domain.gates.judged import judged
from tests.domain.negotiation.table import COLOUR, PRICE, US, made, terms
from tests.scenario import opened

if TYPE_CHECKING:
    from domain.deal import DealFact
    from domain.gates.evidence import Versions
    from tests.domain.gates.judged import Shown

TALKS = (
    opened(),
    NegotiationOpened("main", (PRICE, COLOUR), walk_aways=(Term("price", "900"),)),
)
AGREED = (
    *TALKS,
    made("o-1", US, price=950, colour="red"),
    OfferAnswered("o-1", OfferReply.ACCEPTED),
    TermAgreed("price", "950"),
    TermAgreed("colour", "red"),
)
LOW = (*TALKS, made("o-1", US, price=1000), made("o-2", US, price=890))


def concluded(result: NegotiationResult) -> NegotiationConcluded:
    return NegotiationConcluded("main", result)


def again(*facts: DealFact) -> tuple[DealFact, ...]:
    """A second negotiation of the price alone."""
    return (NegotiationOpened("again", (PRICE,)), *facts)


AGAIN_AGREED = again(
    OfferMade("o-9", "again", Party.US, 1, terms(price=940)),
    OfferAnswered("o-9", OfferReply.ACCEPTED),
    TermAgreed("price", "940"),
)
IMPASSE, BROKEN_OFF = NegotiationResult.IMPASSE, NegotiationResult.BROKEN_OFF

SHOWN: list[Shown] = [
    ("issues-agreed", (opened(),), ()),
    ("issues-agreed", TALKS, None),
    ("issues-agreed", AGREED[:-1], None),
    ("issues-agreed", AGREED, (5, 6)),
    ("issues-agreed", (*AGREED, TermReopened("price")), None),
    ("issues-agreed", (*TALKS, concluded(IMPASSE)), None),
    ("issues-agreed", (*TALKS, concluded(BROKEN_OFF)), None),
    ("issues-agreed", (*AGREED[:-1], concluded(IMPASSE), *AGAIN_AGREED), None),
    (
        "issues-agreed",
        (opened(), NegotiationOpened("main", (PRICE,)), concluded(IMPASSE), *AGAIN_AGREED),
        (7,),
    ),
    (
        "issues-agreed",
        (*AGREED, concluded(NegotiationResult.AGREED), *again()),
        None,
    ),
    ("terms-agreed", (opened(),), None),
    ("terms-agreed", (*TALKS, concluded(BROKEN_OFF)), None),
    ("terms-agreed", AGREED[:-1], None),
    ("terms-agreed", AGREED, (5, 6)),
    ("approvals-granted", (opened(),), ()),
    ("approvals-granted", TALKS, ()),
    ("approvals-granted", (*TALKS, made("o-1", US, price=900)), ()),
    ("approvals-granted", LOW, ()),
    ("approvals-granted", (*LOW, ApprovalGranted("price", "889")), ()),
    ("approvals-granted", (*LOW, ApprovalGranted("price", "890")), (5,)),
    (
        "approvals-granted",
        (*LOW, ApprovalGranted("price", "890"), ApprovalRefused("price", "890")),
        None,
    ),
    (
        # Within the walk-away, but somebody found it needed leave.
        "approvals-granted",
        (*TALKS, made("o-1", US, price=950), ApprovalRequested("price", "950")),
        None,
    ),
    (
        "approvals-granted",
        (
            *TALKS,
            made("o-1", US, price=950),
            ApprovalRequested("price", "950"),
            ApprovalGranted("price", "950"),
        ),
        (5,),
    ),
    ("approvals-granted", (*LOW, made("o-3", US, price=910)), ()),
    ("approvals-granted", (*TALKS, made("o-1", US, colour="red")), ()),
    ("approvals-granted", (*LOW, concluded(BROKEN_OFF)), ()),
]


@pytest.mark.parametrize(("name", "facts", "versions"), SHOWN)
def test_it_is_met_by_exactly_these_events(
    name: str, facts: tuple[DealFact, ...], versions: Versions | None
) -> None:
    assert judged(name, *facts) == versions
