"""Stages and forecast: what a command leads to, and which facts can follow which state."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from msgspec import UNSET

from domain.deciding import mirrored, unless_current
from domain.lifecycle.decisions import require_not_ended
from domain.lifecycle.life import Status
from domain.references import require_contacts, require_stakeholders
from domain.refusals import (
    DealSuspended,
    GateNotMet,
    NotWon,
    ReasonMissing,
    StagesSkipped,
    UnknownCriterion,
    UnknownReference,
    UnknownStage,
    require_range,
)
from domain.stages.commands import (
    AdvanceStage,
    AnyStagesCommand,
    AttestGateCriterion,
    RegressStage,
    ReviseForecast,
    RevokeGateCriterion,
)
from domain.stages.facts import (
    AnyStagesFact,
    ForecastRevised,
    GateCriterionAttested,
    GateCriterionRevoked,
    Override,
    StageAdvanced,
    StageRegressed,
    StagesFact,
)
from domain.stages.standing import FORECAST_FIELDS, Stages

if TYPE_CHECKING:
    from collections.abc import Callable

    from domain.deal import Deal
    from domain.gates import GateState
    from domain.process import ProcessBook, SalesProcess

AFTER_WINNING: tuple[type[StagesFact], ...] = (
    StageAdvanced,
    GateCriterionAttested,
    GateCriterionRevoked,
)

Facts = tuple[AnyStagesFact, ...]


def decide(
    command: AnyStagesCommand,
    deal: Deal,
    process: SalesProcess,
    judge_gate: Callable[[], GateState],
    override_by: str | None,
) -> Facts:
    """The facts that `command` leads to on `deal`. Raises Refusal.

    `judge_gate` tells how the current stage's gate stands; `override_by` the principal
    if it has the right to override one.
    """
    match command:
        case AdvanceStage():
            return _advance(command, deal, process, judge_gate, override_by)
        case RegressStage():
            return _regress(command, deal, process)
        case AttestGateCriterion(criterion=criterion, aspect=aspect):
            standing = deal.stages.attestation(criterion, aspect)
            return unless_current(mirrored(command, GateCriterionAttested), standing)
        case RevokeGateCriterion(criterion=criterion, aspect=aspect):
            if deal.stages.attestation(criterion, aspect) is None:
                return ()
            return (mirrored(command, GateCriterionRevoked),)
        case ReviseForecast():
            return _revise_forecast(command, deal.stages)
        case _:
            assert_never(command)


def _advance(
    command: AdvanceStage,
    deal: Deal,
    process: SalesProcess,
    judge_gate: Callable[[], GateState],
    override_by: str | None,
) -> Facts:
    here = _position(process, deal.stages.stage)
    there = _position(process, command.to)
    if there == here:
        return ()
    if there < here:
        raise UnknownStage(
            f"{command.to!r} lies before {deal.stages.stage!r}", "Use regress-stage to move back."
        )
    # A gate may be overridden, these rules may not: they come first.
    if deal.life.status is not Status.WON:
        require_not_ended(deal.life)
    _moves_from(process.stages[here].id, deal)
    _enterable(process, process.stages[there].id, deal)
    skipped = tuple(stage.id for stage in process.stages[here + 1 : there])
    override = None
    gate = judge_gate()
    if gate.missing or skipped:
        override = _override(command, gate, skipped, override_by)
    return (
        StageAdvanced(
            from_=process.stages[here].id,
            to=process.stages[there].id,
            skipped=skipped,
            gate=gate.result(),
            override=override,
        ),
    )


def _override(
    command: AdvanceStage, gate: GateState, skipped: tuple[str, ...], override_by: str | None
) -> Override:
    if command.override_reason is not None and override_by is not None:
        if not command.override_reason.strip():
            raise ReasonMissing("an override needs a reason", "Give `override_reason`.")
        return Override(override_by, command.override_reason)
    by_right = "or have someone with the right to it override, with override_reason."
    if skipped:
        raise StagesSkipped(
            f"the move skips {', '.join(skipped)}", f"Move stage by stage, {by_right}"
        )
    wanting = "; ".join(f"{c.id}: {c.text.en}" for c in gate.missing_criteria())
    raise GateNotMet(
        f"the gate of {gate.stage} is not met, missing are {wanting}",
        f"Meet or attest each criterion, {by_right} What meets them: {gate.advice()}.",
    )


def _regress(command: RegressStage, deal: Deal, process: SalesProcess) -> Facts:
    here = _position(process, deal.stages.stage)
    there = _position(process, command.to)
    if there == here:
        return ()
    if there > here:
        raise UnknownStage(
            f"{command.to!r} lies after {deal.stages.stage!r}", "Use advance-stage to move forward."
        )
    if not command.reason.strip():
        raise ReasonMissing("moving back needs a reason", "Give `reason`.")
    return (
        StageRegressed(
            from_=process.stages[here].id,
            to=command.to,
            reason=command.reason,
            driven_by=command.driven_by,
        ),
    )


def _revise_forecast(command: ReviseForecast, stages: Stages) -> Facts:
    changed = {
        name: value
        for name in FORECAST_FIELDS
        if (value := getattr(command, name)) is not UNSET and value != getattr(stages, name)
    }
    if not changed:
        return ()
    return (
        ForecastRevised(
            **changed, told_by=command.told_by, cause=command.cause, reason=command.reason
        ),
    )


def _position(process: SalesProcess, stage_id: str | None) -> int:
    position = None if stage_id is None else process.position(stage_id)
    if position is None:
        known = ", ".join(stage.id for stage in process.stages)
        raise UnknownStage(f"{process.ref} has no stage {stage_id!r}", f"Its stages are: {known}.")
    return position


def admissible(fact: AnyStagesFact, deal: Deal, processes: ProcessBook) -> None:
    """Raise the refusal of the structural rule that `fact` would break on `deal`."""
    assert deal.life.process is not None
    process = processes.get(deal.life.process)
    match fact:
        case StageAdvanced(from_=origin, to=to):
            _moves_from(origin, deal)
            if _position(process, to) <= _position(process, origin):
                raise UnknownStage(f"{to!r} is not after {origin!r}", "An advance goes forward.")
            _enterable(process, to, deal)
        case StageRegressed(from_=origin, to=to):
            _moves_from(origin, deal)
            if _position(process, to) >= _position(process, origin):
                raise UnknownStage(f"{to!r} is not before {origin!r}", "A regression goes back.")
        case GateCriterionAttested(criterion=criterion, contact=contact):
            require_contacts(deal, contact)
            known = [c.id for stage in process.stages for c in stage.gate]
            if criterion not in known:
                raise UnknownCriterion(
                    f"{process.ref} has no criterion {criterion!r}",
                    f"Its criteria are: {', '.join(known) or 'none'}.",
                )
        case GateCriterionRevoked(criterion=criterion, aspect=aspect):
            if deal.stages.attestation(criterion, aspect) is None:
                what = f"{aspect!r} of {criterion!r}" if aspect else repr(criterion)
                raise UnknownReference(f"{what} is not attested", "Nothing is to revoke.")
        case ForecastRevised(probability=probability, told_by=told_by):
            require_stakeholders(deal, told_by)
            if probability is not UNSET and probability is not None:
                require_range("probability", probability, 0, 100)
        case _:
            assert_never(fact)


def _moves_from(origin: str, deal: Deal) -> None:
    if origin != deal.stages.stage:
        raise UnknownStage(
            f"the deal stands in {deal.stages.stage!r}, not in {origin!r}",
            "A move starts where the deal stands.",
        )
    if deal.life.status is Status.SUSPENDED:
        raise DealSuspended("the deal is suspended", "Resume it before it moves.")


def _enterable(process: SalesProcess, stage_id: str, deal: Deal) -> None:
    """Stages after the signature only after winning, and after winning only those."""
    stage = process.stage(stage_id)
    assert stage is not None
    won = deal.life.status is Status.WON
    if stage.after_win and not won:
        raise NotWon(f"{stage_id} comes after winning", "Record the win first.")
    if won and not stage.after_win:
        raise UnknownStage(
            f"the deal is won, {stage_id} is a selling stage",
            "Advance to a stage after the signature, or reopen the deal to sell on.",
        )


def allowed_after_outcome(fact: StagesFact, status: Status) -> bool:
    """Rule 2: what may follow an outcome."""
    return status is Status.WON and isinstance(fact, AFTER_WINNING)
