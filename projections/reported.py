"""The reported facts of a deal: what pipeline figures are made of.

A deal period is an interval in which all of these stay the same.
"""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TypeAlias

import msgspec

from domain.buying import BuyingFact
from domain.competition import CompetitionFact
from domain.currencies import MINOR_DIGITS
from domain.deal import FACT_TYPES, Deal, DealEvent
from domain.gates import win_probability
from domain.history import Fact, fold_order
from domain.lifecycle import Status
from domain.lifecycle.facts import (
    DebriefRecorded,
    DeliveryMilestoneReached,
    ExpansionIdentified,
    LeadQualified,
    NextStepCompleted,
    NextStepPlanned,
    NoteAdded,
    OpportunityOpened,
    OutcomeReasonRecorded,
    ProcessChanged,
    SatisfactionMeasured,
    StrategyChosen,
    WinPlanSet,
)
from domain.needs import NeedsFact
from domain.negotiation import NegotiationFact
from domain.negotiation.facts import QuoteIssued
from domain.negotiation.orders import is_canonical, product, total
from domain.people import PeopleFact
from domain.process import ProbabilityHolds, ProcessBook, SalesProcess
from domain.stages.facts import GateCriterionAttested, GateCriterionRevoked
from domain.values import ForecastCategory, Money

_OTHER_PARTS = (BuyingFact, PeopleFact, NeedsFact, CompetitionFact, NegotiationFact)

UNREPORTED: frozenset[type[Fact]] = frozenset(
    fact for fact in FACT_TYPES if issubclass(fact, _OTHER_PARTS) and fact is not QuoteIssued
) | {
    DebriefRecorded,
    DeliveryMilestoneReached,
    ExpansionIdentified,
    GateCriterionAttested,
    GateCriterionRevoked,
    LeadQualified,
    NextStepCompleted,
    NextStepPlanned,
    NoteAdded,
    OutcomeReasonRecorded,
    SatisfactionMeasured,
    StrategyChosen,
    WinPlanSet,
}
"""Facts that change nothing of what is reported of a deal, or its row shows, unless by a gate."""

LARGEST_MINOR = 10**18 - 1
"""No amount of money has more minor units."""

Quoted: TypeAlias = tuple[int | None, int | None]
"""The newest quote at list prices, and as it was quoted, as in `Reported`."""

Forecast: TypeAlias = tuple[str, int, Money | None, date | None, int | None, str | None]
"""Stage, its order, amount, expected close, probability and category, as in `Reported`."""


class Reported(msgspec.Struct, frozen=True, gc=False):
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
    lead_source: str | None
    listed_minor: int | None
    """What the lines of the newest quote that have list prices cost by these, in minor units."""
    quoted_minor: int | None
    """What the same lines were quoted at, in minor units; None where `listed_minor` is."""


def reported(deal: Deal, processes: ProcessBook, at: datetime) -> Reported | None:
    """The reported facts of `deal`; None before it is opened. Raises UnknownProcess.

    `at` is when the last event of the deal occurred. Where a probability holds from
    a milestone, the gate is judged then, and again when something else happens.
    """
    life = deal.life
    if life.status is Status.UNOPENED or life.process is None or life.opened_at is None:
        return None
    stage, order, amount, close, probability, category = forecast(
        deal, processes.get(life.process), at
    )
    assessment = life.assessment.fact if life.assessment else None
    listed, quoted_total = quoted(deal)
    return Reported(
        status=life.status,
        outcome=life.outcome_name,
        process=str(life.process),
        stage=stage,
        stage_order=order,
        amount=amount,
        currency=life.currency or "",
        expected_close=close,
        probability=probability,
        forecast_category=category,
        owner=life.owner or "",
        region=life.region,
        industry=life.account.industry if life.account else None,
        territory=life.territory,
        product=", ".join(life.products) or None,
        business_type=life.business_type,
        grade=assessment.grade if assessment else None,
        opened_at=life.opened_at,
        closed_at=life.closed_at,
        lead_source=life.lead_source,
        listed_minor=listed,
        quoted_minor=quoted_total,
    )


def forecast(deal: Deal, process: SalesProcess, at: datetime) -> Forecast:
    """Those of the reported facts that may change while the life of the deal stays as it is."""
    stages = deal.stages
    stage = stages.stage or ""
    position = process.position(stage)
    return (
        stage,
        position or 0,
        deal.amount,
        stages.expected_close,
        win_probability(deal, process, at),
        _category(deal, None if position is None else process.stages[position].forecast),
    )


def quoted(deal: Deal) -> Quoted:
    """What the newest quote takes off list prices, in the deal's currency and its minor units.

    Lines without a list price are left out of both sums.
    """
    newest = max(deal.negotiations.quotes, key=fold_order, default=None)
    if newest is None or newest.fact.total.currency != deal.life.currency:
        return None, None
    lines = [
        (Decimal(line.quantity), line.list_price.amount, line.unit_price.amount)
        for line in newest.fact.lines
        if line.list_price is not None and is_canonical(line.quantity)
    ]
    digits = MINOR_DIGITS[newest.fact.total.currency]
    listed = _minor([(quantity, price) for quantity, price, _ in lines], digits)
    after = _minor([(quantity, price) for quantity, _, price in lines], digits)
    return (listed, after) if listed and after is not None else (None, None)


def _minor(parts: Iterable[tuple[Decimal, Decimal]], digits: int) -> int | None:
    """The sum of quantities at prices, half to even; None beyond all amounts of money."""
    found = total([product(quantity, price) for quantity, price in parts]).scaleb(digits)
    if found > LARGEST_MINOR:
        return None
    return int(found.quantize(Decimal(1), ROUND_HALF_EVEN))


def gate_decides(events: Iterable[DealEvent], processes: ProcessBook) -> bool:
    """Whether the deal ever goes by a process whose probabilities hold from a milestone.

    Any event may then change the probability, and so may the time at which it occurred.
    """
    return any(
        event.fact.process in processes and by_milestone(processes.get(event.fact.process))
        for event in events
        if isinstance(event.fact, OpportunityOpened | ProcessChanged)
    )


def by_milestone(process: SalesProcess) -> bool:
    """Whether a stage's probability counts once its gate is met."""
    return process.probability_holds is ProbabilityHolds.MILESTONE


def _category(deal: Deal, of_stage: ForecastCategory | None) -> str | None:
    """After the outcome closed or omitted; before it the override, else the stage's."""
    if deal.life.status is Status.WON:
        return ForecastCategory.CLOSED
    if deal.life.status.closed:
        return ForecastCategory.OMITTED
    return deal.stages.category or of_stage
