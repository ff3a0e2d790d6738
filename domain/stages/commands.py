"""Stages and forecast: what can be asked for."""

from datetime import date
from typing import ClassVar

from msgspec import UNSET, UnsetType

from domain.intent import Command
from domain.stages.facts import RevisionCause
from domain.values import ForecastCategory, Identifier, Money, Percent, Side, Text


class StagesCommand(Command, frozen=True):
    """Base of the commands of stages and forecast."""


class AdvanceStage(StagesCommand, tag="advance-stage", frozen=True):
    """Move forward. `override_reason` passes a gate by right."""

    replaces: ClassVar[bool] = False

    to: Identifier
    """The stage to enter. One past the next needs an override."""
    override_reason: Text | None = None
    """Why to go on without the gate met, or past other stages."""


class RegressStage(StagesCommand, tag="regress-stage", frozen=True):
    """Move back to an earlier stage."""

    replaces: ClassVar[bool] = False

    to: Identifier
    reason: Text
    driven_by: Side | None = None


class AttestGateCriterion(StagesCommand, tag="attest-gate-criterion", frozen=True):
    """Confirm a criterion; `applies: false` says that it, or an aspect of it, does not apply.

    `contact` is the contact it rests on. With `aspect` it speaks of a part of the
    criterion alone, such as a buying role that nobody holds, and does not meet it.
    """

    replaces: ClassVar[bool] = False

    criterion: Identifier
    note: Text
    applies: bool = True
    contact: Identifier | None = None
    aspect: Identifier | None = None


class RevokeGateCriterion(StagesCommand, tag="revoke-gate-criterion", frozen=True):
    """Take an attestation back; with `aspect` that of a part of the criterion."""

    replaces: ClassVar[bool] = False

    criterion: Identifier
    reason: Text
    aspect: Identifier | None = None


class ReviseForecast(StagesCommand, tag="revise-forecast", frozen=True):
    """Change the amount, the close date, the probability or the category. Leave out what stays.

    `told_by` is the stakeholder who told us.
    """

    replaces: ClassVar[bool] = True

    amount: Money | None | UnsetType = UNSET
    expected_close: date | None | UnsetType = UNSET
    probability: Percent | None | UnsetType = UNSET
    category: ForecastCategory | None | UnsetType = UNSET
    told_by: Identifier | None = None
    cause: RevisionCause | None = None
    reason: Text | None = None


AnyStagesCommand = (
    AdvanceStage | RegressStage | AttestGateCriterion | RevokeGateCriterion | ReviseForecast
)
