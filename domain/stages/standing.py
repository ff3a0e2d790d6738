"""Stages and forecast: the part of the state, and how facts change it. Folding never fails."""

from datetime import date, datetime
from typing import Any, assert_never, cast

import msgspec
from msgspec import UNSET

from domain.history import Fact, Recorded
from domain.lifecycle.facts import OpportunityOpened, OpportunityReopened, ProcessChanged
from domain.stages.facts import (
    AnyStagesFact,
    ForecastRevised,
    GateCriterionAttested,
    GateCriterionRevoked,
    StageAdvanced,
    StageRegressed,
)
from domain.values import ForecastCategory, Money


class Visit(msgspec.Struct, frozen=True, gc=False):
    """One stay in a stage, from the event that entered it."""

    stage: str
    entered_at: datetime
    version: int


class Stages(msgspec.Struct, frozen=True, gc=False):
    """Where the deal stands, and what is forecast."""

    visits: tuple[Visit, ...] = ()
    attestations: tuple[Recorded[GateCriterionAttested], ...] = ()
    """The latest of each criterion and aspect."""
    amount: Money | None = None
    amount_set_by: int | None = None
    """Version of the event that last gave the amount."""
    expected_close: date | None = None
    expected_close_set_by: int | None = None
    probability: int | None = None
    """Override of the stage's probability, in per cent."""
    category: ForecastCategory | None = None
    """Override of the stage's forecast category."""

    @property
    def stage(self) -> str | None:
        return self.visits[-1].stage if self.visits else None

    @property
    def entered_at(self) -> datetime | None:
        """When the current stage was entered."""
        return self.visits[-1].entered_at if self.visits else None

    def attestation(
        self, criterion: str, aspect: str | None = None
    ) -> Recorded[GateCriterionAttested] | None:
        """That of the criterion's aspect; without one, that of the whole criterion."""
        for event in self.attestations:
            if (event.fact.criterion, event.fact.aspect) == (criterion, aspect):
                return event
        return None


FORECAST_FIELDS = ("amount", "expected_close", "probability", "category")


def evolve(stages: Stages, event: Recorded[AnyStagesFact]) -> Stages:
    """The part after `event`."""
    match event.fact:
        case StageAdvanced(to=to) | StageRegressed(to=to):
            return _entered(stages, to, event)
        case GateCriterionAttested():
            attested = cast("Recorded[GateCriterionAttested]", event)
            return msgspec.structs.replace(
                stages, attestations=(*_others(stages, event.fact), attested)
            )
        case GateCriterionRevoked():
            return msgspec.structs.replace(stages, attestations=_others(stages, event.fact))
        case ForecastRevised():
            return _forecast(stages, event.fact, event.version)
        case _:
            assert_never(event.fact)


def evolve_placed(
    stages: Stages,
    fact: OpportunityOpened | ProcessChanged | OpportunityReopened,
    event: Recorded[Fact],
) -> Stages:
    """The part after a fact of the deal's life that puts the deal into a stage."""
    return stages if fact.stage == stages.stage else _entered(stages, fact.stage, event)


def _entered(stages: Stages, stage: str, event: Recorded[Fact]) -> Stages:
    visit = Visit(stage, event.occurred_at, event.version)
    return msgspec.structs.replace(stages, visits=(*stages.visits, visit))


def _others(
    stages: Stages, fact: GateCriterionAttested | GateCriterionRevoked
) -> tuple[Recorded[GateCriterionAttested], ...]:
    of_fact = (fact.criterion, fact.aspect)
    return tuple(e for e in stages.attestations if (e.fact.criterion, e.fact.aspect) != of_fact)


def _forecast(stages: Stages, fact: ForecastRevised, version: int) -> Stages:
    changes: dict[str, Any] = {}
    if fact.amount is not UNSET:
        changes["amount"] = fact.amount
        changes["amount_set_by"] = None if fact.amount is None else version
    if fact.expected_close is not UNSET:
        changes["expected_close"] = fact.expected_close
        changes["expected_close_set_by"] = None if fact.expected_close is None else version
    if fact.probability is not UNSET:
        changes["probability"] = fact.probability
    if fact.category is not UNSET:
        changes["category"] = fact.category
    return msgspec.structs.replace(stages, **changes)
