"""What every history of negotiating obeys: facts that come without a command, late or withdrawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from domain.corrections import WithdrawEvent
from domain.deal import violations
from domain.negotiation import ledger
from domain.negotiation.commands import AgreeTerm, AnswerOffer, FulfilCondition
from domain.negotiation.facts import (
    ApprovalGranted,
    ApprovalRefused,
    ApprovalRequested,
    ConcessionMade,
    NegotiationConcluded,
    NegotiationFact,
    NegotiationResult,
    OfferAnswered,
    OfferMade,
    OfferReply,
    TermAgreed,
    TermReopened,
)
from domain.refusals import (
    ApprovalMissing,
    BreaksLaterHistory,
    IdTaken,
    NotAConcession,
    NotAtThatValue,
    OfferOutsideNegotiation,
    Refusal,
    TermSettled,
    UnknownIssue,
    UnknownReference,
    UnknownValue,
)
from tests.domain.negotiation.table import NEGOTIATING, THEM, US, WANG, made, offer, terms
from tests.scenario import MANAGER, Scenario, day, given

if TYPE_CHECKING:
    from domain.deal import DealFact

FROM, TO = made("o1", US, price=1000, colour="red"), made("o2", US, price=950)
OFFERED = (*NEGOTIATING, FROM, TO)
CONCESSION = ConcessionMade("o2", "price", US, "1000", "950")
ENDED = NegotiationConcluded("main", NegotiationResult.IMPASSE)
SETTLED = (
    *NEGOTIATING,
    FROM,
    OfferAnswered("o1", OfferReply.ACCEPTED),
    TermAgreed("price", "1000"),
)


def but(**changes: object) -> ConcessionMade:
    return msgspec.structs.replace(CONCESSION, **changes)


UNSOUND: list[tuple[tuple[DealFact, ...], NegotiationFact, type[Refusal]]] = [
    (OFFERED, but(offer="o9"), UnknownReference),
    (OFFERED, but(issue="taste"), UnknownIssue),
    (OFFERED, but(issue="days", from_="30", to="60"), NotAConcession),
    (OFFERED, but(from_="990"), NotAConcession),
    (OFFERED, but(to="940"), NotAConcession),
    (OFFERED, but(side=THEM), NotAConcession),
    (OFFERED, but(offer="o1"), NotAConcession),
    (OFFERED, but(offer="o1", to="1000"), NotAConcession),
    (OFFERED, but(approval=3), UnknownReference),
    (OFFERED, but(made_to=("wang",)), UnknownReference),
    ((*OFFERED, CONCESSION), CONCESSION, IdTaken),
    ((*OFFERED, ENDED), CONCESSION, OfferOutsideNegotiation),
    ((*OFFERED, made("t1", THEM, 2, price=990)), but(offer="t1", side=THEM), NotAConcession),
    ((*OFFERED, OfferAnswered("o1", OfferReply.ACCEPTED)), CONCESSION, NotAConcession),
    (
        (*OFFERED, made("o3", US, price=960)),
        but(offer="o3", from_="950", to="960"),
        NotAConcession,
    ),
    (
        (*OFFERED, made("o3", US, price=950)),
        but(offer="o3", from_="950", to="950"),
        NotAConcession,
    ),
    (
        (*OFFERED, made("o3", US, colour="blue")),
        but(offer="o3", issue="colour", from_="red", to="blue"),
        NotAConcession,
    ),
    ((*NEGOTIATING, ApprovalGranted("price", "951"), FROM, TO), but(approval=3), UnknownReference),
    (
        (*NEGOTIATING, ApprovalRequested("price", "950"), FROM, TO),
        but(approval=3),
        UnknownReference,
    ),
    (NEGOTIATING, OfferMade("o1", "other", US, 1, terms(price=1)), OfferOutsideNegotiation),
    (NEGOTIATING, made("o1", US, price="1.0"), UnknownValue),
    (OFFERED, made("o1", US, 1, price=1000, colour="red"), IdTaken),
    ((*OFFERED, ENDED), made("o3", US, price=1), OfferOutsideNegotiation),
    (SETTLED, made("o3", US, price=1), TermSettled),
    (SETTLED, TermAgreed("price", "1000"), TermSettled),
    (NEGOTIATING, TermReopened("price"), UnknownReference),
    (NEGOTIATING, ApprovalRefused("price", "1"), UnknownReference),
    ((*OFFERED, ENDED), ENDED, Refusal),
]


def broken_by(facts: tuple[DealFact, ...], fact: NegotiationFact) -> Refusal | None:
    """What the last fact breaks, in a history that is sound without it."""
    scenario = given(*facts).and_given(fact)  # type: ignore[arg-type]
    found = violations(scenario.history.events, scenario.processes)
    assert [version for version, _ in found] in ([], [len(facts) + 1])
    return found[0][1] if found else None


@pytest.mark.parametrize(("facts", "fact", "refusal"), UNSOUND)
def test_an_unsound_fact_is_found(
    facts: tuple[DealFact, ...], fact: NegotiationFact, refusal: type[Refusal]
) -> None:
    assert isinstance(broken_by(facts, fact), refusal)


@pytest.mark.parametrize(
    ("facts", "fact"),
    [
        (OFFERED, CONCESSION),
        ((*NEGOTIATING, ApprovalGranted("price", "950"), FROM, TO), but(approval=3)),
        ((*NEGOTIATING, WANG, FROM, TO), but(made_to=("wang",))),
        ((*OFFERED, made("t1", THEM, 2, price=900)), CONCESSION),
        (NEGOTIATING, made("o1", US, price=1)),
        (OFFERED, made("o3", US, price=1)),
        ((*OFFERED, made("t1", THEM, 2, price=1)), OfferAnswered("t1", OfferReply.ACCEPTED)),
    ],
)
def test_what_happened_without_an_approval_is_sound_in_structure(
    facts: tuple[DealFact, ...], fact: NegotiationFact
) -> None:
    """Imported history is not refused for passing a limit: it happened."""
    assert broken_by(facts, fact) is None


def test_a_late_offer_between_an_offer_and_its_concession_moves_the_positions() -> None:
    conceding = given(*NEGOTIATING, FROM).when(offer("o2", US, {"price": 950})).accepted()
    first = day(2)
    late = conceding.when(offer("late", US, {"price": 980}), at=first).accepted()
    (negotiation,) = late.deal.negotiations.opened
    reckoned = [(one.move.from_, one.move.to) for one in ledger.concessions(negotiation)]
    assert reckoned == [("1000", "980"), ("980", "950")]
    conceding.when(offer("late", THEM, {"price": 700}), at=first).accepted()


def test_a_late_offer_from_which_a_settled_term_was_not_reached_is_refused() -> None:
    settled = given(*SETTLED)
    settled.when(offer("late", THEM, {"price": 700}), at=day(3.5)).refused(
        BreaksLaterHistory, "they at 700"
    )


def test_an_offer_is_withdrawn_with_its_concessions() -> None:
    conceding = given(*NEGOTIATING, FROM).when(offer("o2", US, {"price": 950})).accepted()
    last = conceding.history.version
    after = conceding.when(WithdrawEvent(last, "Typing error"), by=MANAGER).accepted()
    price = after.deal.negotiations.issue("price")
    assert price is not None
    assert price.position(US) == "1000"
    assert after.deal.negotiations.of_offer("o2") is None


def test_what_a_settled_term_rests_on_is_not_withdrawn() -> None:
    settled = given(*SETTLED)
    settled.when(WithdrawEvent(4, "Error"), by=MANAGER).refused(BreaksLaterHistory)
    reopened = settled.and_given(TermReopened("price"))
    reopened.when(WithdrawEvent(4, "Error"), by=MANAGER).refused(BreaksLaterHistory, "term-agreed")


def test_the_return_may_be_stated_beside_the_concession_alone() -> None:
    stated = given(*OFFERED, but(conditional=True, in_return_for="A visit"))
    stated.when(FulfilCondition("o2", "Visited")).accepted()
    given(*OFFERED, CONCESSION).when(FulfilCondition("o2", "Visited")).refused(UnknownReference)


def test_asking_again_takes_no_grant_back() -> None:
    granted = (*NEGOTIATING, ApprovalGranted("price", "850"), ApprovalRequested("price", "850"))
    given(*granted).when(offer("o1", US, {"price": 850})).accepted()
    given(*granted, ApprovalRefused("price", "850")).when(offer("o1", US, {"price": 850})).refused(
        ApprovalMissing
    )


def test_a_condition_may_come_back_after_the_negotiation_ended() -> None:
    asking = OfferMade("o1", "main", US, 1, terms(price=950), in_return_for="A visit")
    ended = given(*NEGOTIATING, asking, ENDED)
    ended.when(FulfilCondition("o1", "Visited")).accepted()
    ended.when(AnswerOffer("o1", OfferReply.ACCEPTED)).refused(OfferOutsideNegotiation)
    ended.when(AgreeTerm("price")).refused(UnknownIssue)


def test_a_command_of_the_past_meets_the_positions_of_its_day() -> None:
    scenario: Scenario = given(*NEGOTIATING, FROM, made("t1", THEM, 2, price=1000))
    scenario.when(AgreeTerm("price"), at=day(2.5)).refused(NotAtThatValue, "they at no value")
    scenario.when(AgreeTerm("price")).accepted()
