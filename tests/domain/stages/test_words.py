"""Stages and forecast told in words, one phrase for each fact."""

from datetime import date
from typing import get_args

import pytest

from domain.stages import describe
from domain.stages.facts import (
    AnyStagesFact,
    ForecastRevised,
    GateCriterionAttested,
    GateCriterionRevoked,
    GateResult,
    MetCriterion,
    Override,
    StageAdvanced,
    StageRegressed,
)
from domain.stages.standing import Stages
from domain.values import ForecastCategory, Side
from tests.scenario import usd

BEFORE = Stages(amount=usd("1000"), expected_close=date(2026, 6, 30))
MET = GateResult((MetCriterion("plan", (2,)), MetCriterion("need-confirmed", (3,))))

TOLD: list[tuple[AnyStagesFact, str]] = [
    (StageAdvanced("contact", "proposal"), "advanced from contact to proposal"),
    (
        StageAdvanced("contact", "proposal", gate=MET),
        "advanced from contact to proposal, gate met (2 criteria)",
    ),
    (StageAdvanced("contact", "proposal", gate=GateResult()), "advanced from contact to proposal"),
    (
        StageAdvanced(
            "contact",
            "closing",
            ("proposal",),
            GateResult((), ("plan",)),
            Override("mei", "In a hurry"),
        ),
        (
            "advanced from contact to closing, skipping proposal,"
            " gate overridden (1 missing): In a hurry"
        ),
    ),
    (StageRegressed("closing", "contact"), "back from closing to contact"),
    (
        StageRegressed("closing", "contact", "New buyer", Side.CUSTOMER),
        "back from closing to contact, driven by customer: New buyer",
    ),
    (GateCriterionAttested("plan", "Seen"), "plan attested: Seen"),
    (GateCriterionAttested("plan", "By law", False), "plan attested as not applying: By law"),
    (
        GateCriterionAttested("plan", "None", False, contact="visit", aspect="user"),
        "user of plan attested as not applying (contact visit): None",
    ),
    (GateCriterionRevoked("plan", "Lost"), "attestation of plan revoked: Lost"),
    (GateCriterionRevoked("plan", "Lost", "user"), "attestation of user of plan revoked: Lost"),
    (
        ForecastRevised(probability=65, told_by="li", reason="Sure"),
        "probability set to 65 %, told by li: Sure",
    ),
    (ForecastRevised(amount=usd("2000")), "amount 1,000.00 USD → 2,000.00 USD"),
    (
        ForecastRevised(amount=None, expected_close=None, reason="Cold"),
        "amount 1,000.00 USD → unknown; close date 2026-06-30 → unknown: Cold",
    ),
    (
        ForecastRevised(expected_close=date(2026, 7, 10)),
        "close date 2026-06-30 → 2026-07-10 (slipped 10 days)",
    ),
    (
        ForecastRevised(expected_close=date(2026, 7, 1)),
        "close date 2026-06-30 → 2026-07-01 (slipped 1 day)",
    ),
    (ForecastRevised(), "forecast as before"),
    (ForecastRevised(expected_close=date(2026, 6, 30)), "close date 2026-06-30, as before"),
    (
        ForecastRevised(expected_close=date(2026, 6, 1)),
        "close date 2026-06-30 → 2026-06-01 (pulled in 29 days)",
    ),
    (
        ForecastRevised(probability=65, category=ForecastCategory.COMMIT),
        "probability set to 65 %; forecast category set to commit",
    ),
    (
        ForecastRevised(probability=None, category=None),
        "probability back to the stage's; forecast category back to the stage's",
    ),
]


@pytest.mark.parametrize(("fact", "words"), TOLD)
def test_each_fact_is_told(fact: AnyStagesFact, words: str) -> None:
    assert describe(fact, BEFORE) == words


def test_every_fact_is_tried() -> None:
    assert {type(fact) for fact, _ in TOLD} == set(get_args(AnyStagesFact))


def test_a_first_forecast_comes_from_unknown() -> None:
    first = ForecastRevised(amount=usd("5"), expected_close=date(2026, 6, 30))
    assert describe(first, Stages()) == "amount unknown → 5.00 USD; close date unknown → 2026-06-30"
