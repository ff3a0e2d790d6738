"""Predicates over needs, requirements, confirmed values, concerns and what we were told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from domain.buying.facts import BudgetObserved, BudgetStatus
from domain.needs.facts import (
    CheckResult,
    ConcernAccepted,
    ConcernAssigned,
    ConcernKind,
    ConcernRaised,
    ConcernResolved,
    FactChecked,
    FactRecorded,
    NeedDeveloped,
    NeedKind,
    NeedUncovered,
    RequirementKind,
    RequirementStated,
    Topic,
    ValueConfirmed,
)
from domain.people.facts import StakeholderIdentified
from domain.stages.facts import ForecastRevised
from tests.domain.gates.judged import judged
from tests.scenario import opened, usd

if TYPE_CHECKING:
    from domain.deal import DealFact
    from domain.gates.evidence import Versions
    from tests.domain.gates.judged import Shown

OPENED = opened()
LI = StakeholderIdentified("li", "Li")
NEED = NeedUncovered("speed", "Too slow")
EXPLICIT = NeedUncovered("safety", "Wants it safe", NeedKind.EXPLICIT)
RISK = ConcernRaised("risk", ConcernKind.CONCERN, "Will it run?")
OWNED = ConcernRaised("delay", ConcernKind.OBJECTION, "Late", owner="ann")
TOLD = FactRecorded("f-1", Topic.REASON_TO_BUY, "The old press breaks", source="fair")
YES = FactChecked("f-1", CheckResult.CONFIRMS, source="plant")
ALSO = FactChecked("f-1", CheckResult.CONFIRMS, source="works council")
NO = FactChecked("f-1", CheckResult.CONTRADICTS, source="rival")
SIZE = FactRecorded("f-1", Topic.SCALE, "Two lines", source="fair")

SHOWN: list[Shown] = [
    ("need-known", (OPENED,), None),
    ("need-known", (OPENED, NEED, EXPLICIT), (2, 3)),
    ("explicit-need-known", (OPENED, NEED), None),
    ("explicit-need-known", (OPENED, NEED, EXPLICIT), (3,)),
    ("explicit-need-known", (OPENED, NEED, NeedDeveloped("speed")), (2, 3)),
    ("reason-to-buy-known", (OPENED, NEED), None),
    ("reason-to-buy-known", (OPENED, EXPLICIT), (2,)),
    ("reason-to-buy-known", (OPENED, NeedUncovered("n", "Slow", cause="Wear")), (2,)),
    ("reason-to-buy-known", (OPENED, NeedUncovered("n", "Slow", consequence="Fines")), (2,)),
    ("reason-to-buy-known", (OPENED, SIZE), None),
    ("reason-to-buy-known", (OPENED, TOLD, YES), (2,)),
    ("reason-to-buy-known", (OPENED, TOLD, NO), None),
    ("reason-to-buy-known", (OPENED, TOLD, NO, YES), (2,)),
    ("scale-known", (OPENED,), None),
    ("scale-known", (OPENED, ForecastRevised(amount=usd("5"))), (2,)),
    ("scale-known", (OPENED, ForecastRevised(amount=usd("5")), ForecastRevised(amount=None)), None),
    ("scale-known", (OPENED, BudgetObserved(BudgetStatus.APPLIED_FOR)), None),
    ("scale-known", (OPENED, BudgetObserved(BudgetStatus.APPROVED, usd("9"))), (2,)),
    ("scale-known", (OPENED, RequirementStated("r", "Two", RequirementKind.TECHNICAL)), None),
    ("scale-known", (OPENED, RequirementStated("r", "Two", RequirementKind.SCALE), SIZE), (2, 3)),
    ("scale-known", (OPENED, SIZE, NO), None),
    ("technical-requirement-known", (OPENED, RequirementStated("r", "Two")), None),
    (
        "technical-requirement-known",
        (
            OPENED,
            RequirementStated("r", "Two"),
            RequirementStated("r", "Two bar", RequirementKind.TECHNICAL),
        ),
        (3,),
    ),
    ("verified-by-second-source", (OPENED, TOLD), None),
    ("verified-by-second-source", (OPENED, TOLD, NO), None),
    ("verified-by-second-source", (OPENED, TOLD, YES), (2, 3)),
    ("verified-by-second-source", (OPENED, TOLD, YES, ALSO), (2, 3, 4)),
    ("verified-by-second-source", (OPENED, TOLD, YES, NO), None),
    ("verified-by-second-source", (OPENED, TOLD, YES, NO, ALSO), (2, 5)),
    ("value-confirmed", (OPENED, LI), None),
    ("value-confirmed", (OPENED, LI, ValueConfirmed("v", "Faster", "li")), (3,)),
    ("concerns-have-owners", (OPENED,), ()),
    ("concerns-have-owners", (OPENED, OWNED, RISK), None),
    ("concerns-have-owners", (OPENED, OWNED, RISK, ConcernAssigned("risk", "bo")), (2, 4)),
    ("concerns-have-owners", (OPENED, RISK, ConcernResolved("risk", "Shown")), ()),
    ("concerns-closed", (OPENED,), ()),
    ("concerns-closed", (OPENED, OWNED), None),
    (
        "concerns-closed",
        (OPENED, OWNED, RISK, ConcernResolved("risk", "Shown"), ConcernAccepted("delay")),
        (4, 5),
    ),
    ("concerns-closed", (OPENED, OWNED, RISK, ConcernResolved("risk", "Shown")), None),
]


@pytest.mark.parametrize(("name", "facts", "versions"), SHOWN)
def test_it_is_met_by_exactly_these_events(
    name: str, facts: tuple[DealFact, ...], versions: Versions | None
) -> None:
    assert judged(name, *facts) == versions
