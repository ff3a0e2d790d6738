"""Gates: which criteria of a stage are met, by which events, and what is missing.

A criterion is met by its predicate over the deal's state (auto) or by an
attestation; an attestation counts for auto criteria too. A predicate answers
with the versions of the events that show it, or with nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from domain.lifecycle.facts import BantStatus, DeliveryMilestone
from domain.lifecycle.life import Status
from domain.process import Evidence, ProbabilityHolds
from domain.stages.facts import GateResult, MetCriterion

if TYPE_CHECKING:
    from collections.abc import Callable

    from domain.deal import Deal
    from domain.process import Criterion, SalesProcess, Stage


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


def gate_state(deal: Deal, stage: Stage) -> GateState:
    """How the gate of `stage` stands on `deal` now."""
    judged = [(criterion, _met(criterion, deal)) for criterion in stage.gate]
    return GateState(
        stage=stage.id,
        criteria=stage.gate,
        met=tuple(met for _, met in judged if met is not None),
        missing=tuple(criterion.id for criterion, met in judged if met is None),
    )


def _met(criterion: Criterion, deal: Deal) -> MetCriterion | None:
    if criterion.evidence is Evidence.AUTO:
        assert criterion.predicate is not None
        evidence = PREDICATES[criterion.predicate](deal)
        if evidence:
            return MetCriterion(criterion.id, evidence)
    attestation = deal.stages.attestation(criterion.id)
    if attestation is None:
        return None
    return MetCriterion(criterion.id, (attestation.version,), attested=True)


def win_probability(deal: Deal, process: SalesProcess) -> int | None:
    """Per cent: 100 or 0 after the outcome, else the override, else the process's."""
    if deal.life.status.closed:
        return 100 if deal.life.status is Status.WON else 0
    if deal.stages.probability is not None:
        return deal.stages.probability
    position = process.position(deal.stages.stage) if deal.stages.stage else None
    if position is None:
        return None
    stage = process.stages[position]
    reached = (
        process.probability_holds is ProbabilityHolds.ENTRY or not gate_state(deal, stage).missing
    )
    if reached:
        return stage.probability
    return process.stages[position - 1].probability if position else 0


Versions = tuple[int, ...]


def _account_and_source(deal: Deal) -> Versions:
    account, source = deal.life.account_set_by, deal.life.lead_source_set_by
    return () if account is None or source is None else tuple(sorted({account, source}))


def _go_no_go(deal: Deal) -> Versions:
    assessment = deal.life.assessment
    return (assessment.version,) if assessment and assessment.fact.decision else ()


def _next_step(deal: Deal) -> Versions:
    return tuple(
        step.planned.version
        for step in deal.life.next_steps
        if step.completed is None and step.planned.fact.objective
    )


def _team_of_two_roles(deal: Deal) -> Versions:
    roles = {event.fact.role for event in deal.life.team}
    return tuple(event.version for event in deal.life.team) if len(roles) >= 2 else ()


def _win_plan(deal: Deal) -> Versions:
    return (deal.life.win_plan.version,) if deal.life.win_plan else ()


def _close_date_and_amount(deal: Deal) -> Versions:
    amount, close = deal.stages.amount_set_by, deal.stages.expected_close_set_by
    return () if amount is None or close is None else tuple(sorted({amount, close}))


def _won(deal: Deal) -> Versions:
    won = deal.life.status is Status.WON and deal.life.outcome is not None
    return (deal.life.outcome.version,) if won and deal.life.outcome else ()


def _accepted(deal: Deal) -> Versions:
    return tuple(
        event.version
        for event in deal.life.delivery
        if event.fact.milestone is DeliveryMilestone.ACCEPTED
    )


def _satisfaction(deal: Deal) -> Versions:
    return tuple(event.version for event in deal.life.satisfaction)


def _expansion(deal: Deal) -> Versions:
    return tuple(event.version for event in deal.life.expansions)


def _qualified(deal: Deal) -> Versions:
    return (deal.life.qualification.version,) if deal.life.qualification else ()


def _bant_confirmed(deal: Deal) -> Versions:
    qualification = deal.life.qualification
    if qualification is None:
        return ()
    fact = qualification.fact
    confirmed = {fact.budget, fact.authority, fact.need, fact.timeline} == {BantStatus.CONFIRMED}
    return (qualification.version,) if confirmed else ()


PREDICATES: dict[str, Callable[[Deal], Versions]] = {
    "account-and-source-recorded": _account_and_source,
    "go-no-go-decided": _go_no_go,
    "next-step-planned": _next_step,
    "deal-team-of-two-roles": _team_of_two_roles,
    "win-plan-set": _win_plan,
    "close-date-and-amount-forecast": _close_date_and_amount,
    "won": _won,
    "delivery-accepted": _accepted,
    "satisfaction-measured": _satisfaction,
    "expansion-identified": _expansion,
    "qualified": _qualified,
    "bant-confirmed": _bant_confirmed,
}
"""Predicates that auto criteria may name. Never renamed: published processes use them."""
