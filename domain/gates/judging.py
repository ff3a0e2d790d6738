"""Judging a gate: which criteria of a stage are met, by which events, and what is missing.

A criterion is met by its predicate over the deal's state (auto) or by an
attestation; an attestation counts for auto criteria too. One that speaks of an
aspect alone does not meet the criterion.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from domain.gates.predicates import PREDICATES
from domain.lifecycle.life import Status
from domain.process import Evidence, ProbabilityHolds
from domain.stages.facts import GateResult, MetCriterion

if TYPE_CHECKING:
    from datetime import datetime

    from domain.deal import Deal
    from domain.process import Criterion, SalesProcess, Stage

ATTEST = "attest-gate-criterion"


class GateState(msgspec.Struct, frozen=True):
    """How the gate of one stage stands."""

    stage: str
    criteria: tuple[Criterion, ...]
    met: tuple[MetCriterion, ...]
    missing: tuple[str, ...]

    def missing_criteria(self) -> list[Criterion]:
        return [criterion for criterion in self.criteria if criterion.id in self.missing]

    def result(self) -> GateResult:
        """The form in which a move keeps it."""
        return GateResult(self.met, self.missing)

    def advice(self) -> str:
        """What would meet each missing criterion, as one text."""
        return "; ".join(f"{one.id}: {what_meets(one)}" for one in self.missing_criteria())


def gate_state(deal: Deal, stage: Stage, at: datetime) -> GateState:
    """How the gate of `stage` stands on `deal` at `at`, the time of whose state `deal` is."""
    judged = [(criterion, _met(criterion, deal, at)) for criterion in stage.gate]
    return GateState(
        stage=stage.id,
        criteria=stage.gate,
        met=tuple(met for _, met in judged if met is not None),
        missing=tuple(criterion.id for criterion, met in judged if met is None),
    )


def _met(criterion: Criterion, deal: Deal, at: datetime) -> MetCriterion | None:
    if criterion.evidence is Evidence.AUTO:
        assert criterion.predicate is not None
        evidence = PREDICATES[criterion.predicate].judge(deal, at)
        if evidence is not None:
            return MetCriterion(criterion.id, evidence)
    attestation = deal.stages.attestation(criterion.id)
    if attestation is None:
        return None
    return MetCriterion(criterion.id, (attestation.version,), attested=True)


def what_meets(criterion: Criterion) -> str:
    """The commands that would meet the criterion; any one of its alternatives does."""
    if criterion.predicate is None:
        return ATTEST
    return f"{PREDICATES[criterion.predicate].satisfied_by}; or {ATTEST}"


def win_probability(deal: Deal, process: SalesProcess, at: datetime) -> int | None:
    """Per cent at `at`: 100 or 0 after the outcome, else the override, else the process's."""
    if deal.life.status.closed:
        return 100 if deal.life.status is Status.WON else 0
    if deal.stages.probability is not None:
        return deal.stages.probability
    position = process.position(deal.stages.stage) if deal.stages.stage else None
    if position is None:
        return None
    stage = process.stages[position]
    reached = (
        process.probability_holds is ProbabilityHolds.ENTRY
        or not gate_state(deal, stage, at).missing
    )
    if reached:
        return stage.probability
    return process.stages[position - 1].probability if position else 0
