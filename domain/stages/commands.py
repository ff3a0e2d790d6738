"""Stages and forecast: what can be asked for."""

from datetime import date

from msgspec import UNSET, UnsetType

from domain.intent import Command
from domain.stages.facts import RevisionCause
from domain.values import ForecastCategory, Identifier, Label, Money, Percent, Side, Text


class StagesCommand(Command, frozen=True):
    """Base of the commands of stages and forecast."""


class AdvanceStage(StagesCommand, tag="advance-stage", frozen=True):
    """Move forward, to the next stage or to `to`. `override_reason` passes a gate by right."""

    to: Identifier | None = None
    override_reason: Text | None = None


class RegressStage(StagesCommand, tag="regress-stage", frozen=True):
    """Move back to an earlier stage."""

    to: Identifier
    reason: Text
    driven_by: Side | None = None


class AttestGateCriterion(StagesCommand, tag="attest-gate-criterion", frozen=True):
    """Confirm a criterion of the process; `applies: false` says that it does not apply."""

    criterion: Identifier
    note: Text
    applies: bool = True


class RevokeGateCriterion(StagesCommand, tag="revoke-gate-criterion", frozen=True):
    """Take an attestation back."""

    criterion: Identifier
    reason: Text


class ReviseForecast(StagesCommand, tag="revise-forecast", frozen=True):
    """Change the amount, the close date, the probability or the category. Leave out what stays."""

    amount: Money | None | UnsetType = UNSET
    expected_close: date | None | UnsetType = UNSET
    probability: Percent | None | UnsetType = UNSET
    category: ForecastCategory | None | UnsetType = UNSET
    told_by: Label | None = None
    cause: RevisionCause | None = None
    reason: Text | None = None


AnyStagesCommand = (
    AdvanceStage | RegressStage | AttestGateCriterion | RevokeGateCriterion | ReviseForecast
)
