"""Names in what is told: people and vendors are called as they are known on the deal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from domain.buying.facts import BudgetObserved, BudgetStatus, VendorStatus, VendorStatusChanged
from domain.competition.facts import CompetitorIdentified, CompetitorMoved
from domain.deal import describe
from domain.history import HIDDEN, LOST
from domain.lifecycle.facts import LostOutcome, OpportunityLost, WinPlanSet
from domain.naming import BY_ID, Naming
from domain.needs.facts import NeedUncovered
from domain.negotiation.facts import NegotiationOpened, TermReopened
from domain.people.facts import LeaningObserved, StakeholderIdentified, SubjectErased
from domain.stages.facts import ForecastRevised
from tests.domain.negotiation.table import PRICE
from tests.scenario import given, opened, usd

if TYPE_CHECKING:
    from domain.deal import DealFact

LI = StakeholderIdentified("li", "Li Na")
ACME = CompetitorIdentified("acme", "Acme Drives")
TALKS = NegotiationOpened("main", (PRICE,))

TOLD: list[tuple[DealFact, str]] = [
    (
        OpportunityLost(LostOutcome.LOST_TO_COMPETITOR, "acme"),
        "lost, lost-to-competitor (Acme Drives)",
    ),
    (WinPlanSet("Two"), "win plan set"),
    (
        ForecastRevised(amount=usd("5"), told_by="li"),
        "amount unknown → 5.00 USD, told by Li Na",
    ),
    (BudgetObserved(BudgetStatus.APPROVED, told_by="li"), "budget approved (told by Li Na)"),
    (VendorStatusChanged("acme", VendorStatus.OUT), "Acme Drives is out"),
    (LeaningObserved("li", "acme"), "Li Na leans to Acme Drives"),
    (NeedUncovered("n", "Speed", whose="li"), "implied need of Li Na: Speed"),
    (
        CompetitorMoved("acme", "A pilot", told_by="li"),
        "Acme Drives moved: A pilot (told by Li Na)",
    ),
    (TermReopened("price"), "price reopened"),
]


@pytest.mark.parametrize(("fact", "words"), TOLD)
def test_people_and_vendors_are_told_by_their_names(fact: DealFact, words: str) -> None:
    before = given(opened(), LI, ACME, TALKS)
    after = before.and_given(fact)
    assert describe(after.history.events[-1], before.deal) == words


def test_who_has_no_name_is_told_by_id() -> None:
    assert (BY_ID.person("li"), BY_ID.vendor("acme")) == ("li", "acme")
    names = Naming.on(given(opened(), LI, ACME).deal)
    assert (names.person("li"), names.vendor("acme")) == ("Li Na", "Acme Drives")
    assert (names.person("wang"), names.vendor("us")) == ("wang", "us")


@pytest.mark.parametrize("word", [HIDDEN, LOST])
def test_whose_name_cannot_be_read_is_told_by_id(word: str) -> None:
    known = given(opened(), StakeholderIdentified("li", word)).deal
    assert Naming.on(known).person("li") == "li"


def test_who_was_erased_is_told_by_no_name() -> None:
    assert Naming.on(given(opened(), LI, SubjectErased("li")).deal).person("li") == "[erased]"
