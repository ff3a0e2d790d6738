"""Sales processes."""

import msgspec

from api.wire.gates import Bilingual
from domain.process import (
    BuyingPhase,
    Criterion,
    Evidence,
    Origin,
    ProbabilityHolds,
    PurchaseStep,
    SalesProcess,
    Stage,
    Words,
)
from domain.values import ForecastCategory


class ProcessCriterion(msgspec.Struct, frozen=True):
    """One exit criterion of a stage."""

    id: str
    text: Bilingual
    origin: Origin
    evidence: Evidence
    predicate: str | None

    @classmethod
    def of(cls, criterion: Criterion) -> "ProcessCriterion":
        return cls(
            criterion.id,
            Bilingual.of(criterion.text),
            criterion.origin,
            criterion.evidence,
            criterion.predicate,
        )


class ProcessStage(msgspec.Struct, frozen=True, kw_only=True):
    """One stage. Probability in per cent, expected days in days."""

    id: str
    name: Bilingual
    probability: int
    forecast_category: ForecastCategory
    expected_days: int
    decision_phase: BuyingPhase | None
    activity: Bilingual | None
    customer_sign: Bilingual | None
    our_sign: Bilingual | None
    milestone: Bilingual | None
    self_check: list[Bilingual]
    after_win: bool
    """Entered only after winning."""
    gate: list[ProcessCriterion]

    @classmethod
    def of(cls, stage: Stage) -> "ProcessStage":
        return cls(
            id=stage.id,
            name=Bilingual.of(stage.name),
            probability=stage.probability,
            forecast_category=stage.forecast,
            expected_days=stage.expected_days,
            decision_phase=stage.decision_phase,
            activity=_optional(stage.activity),
            customer_sign=_optional(stage.customer_sign),
            our_sign=_optional(stage.our_sign),
            milestone=_optional(stage.milestone),
            self_check=[Bilingual.of(words) for words in stage.self_check],
            after_win=stage.after_win,
            gate=[ProcessCriterion.of(criterion) for criterion in stage.gate],
        )


def _optional(words: Words | None) -> Bilingual | None:
    return None if words is None else Bilingual.of(words)


class ProcessPurchaseStep(msgspec.Struct, frozen=True):
    """One of the customer's own steps of buying, and the phase of deciding it belongs to."""

    id: str
    name: Bilingual
    phase: BuyingPhase | None

    @classmethod
    def of(cls, step: PurchaseStep) -> "ProcessPurchaseStep":
        return cls(step.id, Bilingual.of(step.name), step.phase)


class Process(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a sales process, its stages in order."""

    id: str
    version: int
    name: Bilingual
    description: Bilingual | None
    built_in: bool
    probability_holds: ProbabilityHolds
    stages: list[ProcessStage]
    purchase_steps: list[ProcessPurchaseStep]
    """In order; empty where the process lists none."""

    @classmethod
    def of(cls, process: SalesProcess, built_in: bool) -> "Process":
        return cls(
            id=process.id,
            version=process.version,
            name=Bilingual.of(process.name),
            description=_optional(process.description),
            built_in=built_in,
            probability_holds=process.probability_holds,
            stages=[ProcessStage.of(stage) for stage in process.stages],
            purchase_steps=[ProcessPurchaseStep.of(step) for step in process.purchase_steps],
        )


class ProcessSummary(msgspec.Struct, frozen=True):
    """One version of a sales process, in a line."""

    id: str
    version: int
    name: Bilingual
    stages: int
    criteria: int
    built_in: bool

    @classmethod
    def of(cls, process: SalesProcess, built_in: bool) -> "ProcessSummary":
        return cls(
            process.id,
            process.version,
            Bilingual.of(process.name),
            len(process.stages),
            sum(len(stage.gate) for stage in process.stages),
            built_in,
        )


class ProcessList(msgspec.Struct, frozen=True):
    """Every version of every process that deals can run under."""

    processes: list[ProcessSummary]
