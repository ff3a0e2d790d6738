"""The reported facts of a deal: what pipeline figures are made of.

A deal period is an interval in which all of these stay the same.
"""

from datetime import date, datetime

import msgspec

from domain.deal import Deal
from domain.gates import win_probability
from domain.lifecycle import Status
from domain.process import ProcessBook
from domain.values import ForecastCategory, Money


class Reported(msgspec.Struct, frozen=True):
    """What is reported of a deal at one moment."""

    status: Status
    outcome: str | None
    process: str
    stage: str
    stage_order: int
    """Position of the stage in its process, from 0."""
    amount: Money | None
    currency: str
    expected_close: date | None
    probability: int | None
    """Per cent."""
    forecast_category: str | None
    owner: str
    region: str | None
    industry: str | None
    territory: str | None
    product: str | None
    """The products, joined where there are several."""
    business_type: str | None
    grade: str | None
    opened_at: datetime
    closed_at: datetime | None


def reported(deal: Deal, processes: ProcessBook, at: datetime) -> Reported | None:
    """The reported facts of `deal`; None before it is opened. Raises UnknownProcess.

    `at` is when the last event of the deal occurred. Where a probability holds from
    a milestone, the gate is judged then, and again when something else happens.
    """
    life, stages = deal.life, deal.stages
    if life.status is Status.UNOPENED or life.process is None or life.opened_at is None:
        return None
    process = processes.get(life.process)
    stage = process.stage(stages.stage or "")
    assessment = life.assessment.fact if life.assessment else None
    return Reported(
        status=life.status,
        outcome=life.outcome_name,
        process=str(life.process),
        stage=stages.stage or "",
        stage_order=process.position(stages.stage or "") or 0,
        amount=deal.amount,
        currency=life.currency or "",
        expected_close=stages.expected_close,
        probability=win_probability(deal, process, at),
        forecast_category=_category(deal, stage.forecast if stage else None),
        owner=life.owner or "",
        region=life.region,
        industry=life.account.industry if life.account else None,
        territory=life.territory,
        product=", ".join(life.products) or None,
        business_type=life.business_type,
        grade=assessment.grade if assessment else None,
        opened_at=life.opened_at,
        closed_at=life.closed_at,
    )


def _category(deal: Deal, of_stage: ForecastCategory | None) -> str | None:
    """After the outcome closed or omitted; before it the override, else the stage's."""
    if deal.life.status is Status.WON:
        return ForecastCategory.CLOSED
    if deal.life.status.closed:
        return ForecastCategory.OMITTED
    return deal.stages.category or of_stage
