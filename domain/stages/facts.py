"""Stages and forecast: what is stored.

These types are the stored contract; see `Fact` for what a change of shape needs.
A gate result inside `stage-advanced` is the decision as it was taken; whoever
judges it later judges anew.
"""

from datetime import date
from enum import StrEnum

import msgspec
from msgspec import UNSET, UnsetType

from domain.history import Fact
from domain.values import ForecastCategory, Identifier, Label, Money, Percent, Side, Text, Value


class RevisionCause(StrEnum):
    """What made the forecast change."""

    US = "us"
    CUSTOMER = "customer"
    TENDER = "tender"
    CORRECTION = "correction"
    UNKNOWN = "unknown"


class MetCriterion(Value, frozen=True):
    """A criterion that was met, and the events (versions of the deal) that show it."""

    criterion: Identifier
    evidence: tuple[int, ...]
    attested: bool = False


class GateResult(Value, frozen=True):
    """How the gate of the stage left stood when the move was decided."""

    met: tuple[MetCriterion, ...] = ()
    missing: tuple[Identifier, ...] = ()


class Override(Value, frozen=True):
    """Who let a move pass that its gate did not, and why."""

    by: Identifier
    reason: Text


class StagesFact(Fact, frozen=True):
    """Base of the facts of stages and forecast."""


class StageAdvanced(StagesFact, tag="stage-advanced", frozen=True):
    """The deal moved forward. Imported moves carry no gate: nobody here decided them."""

    from_: Identifier = msgspec.field(name="from")
    to: Identifier
    skipped: tuple[Identifier, ...] = ()
    gate: GateResult | None = None
    override: Override | None = None


class StageRegressed(StagesFact, tag="stage-regressed", frozen=True):
    """The deal moved back."""

    from_: Identifier = msgspec.field(name="from")
    to: Identifier
    reason: Text | None = None
    driven_by: Side | None = None


class GateCriterionAttested(StagesFact, tag="gate-criterion-attested", frozen=True):
    """Someone confirmed a criterion, or that it does not apply, with the reason in the note."""

    criterion: Identifier
    note: Text
    applies: bool = True


class GateCriterionRevoked(StagesFact, tag="gate-criterion-revoked", frozen=True):
    """An attestation no longer holds."""

    criterion: Identifier
    reason: Text


class ForecastRevised(StagesFact, tag="forecast-revised", frozen=True):
    """Parts of the forecast changed. Absent: as before; null: not known, or not overridden."""

    amount: Money | None | UnsetType = UNSET
    expected_close: date | None | UnsetType = UNSET
    probability: Percent | None | UnsetType = UNSET
    """Overrides the stage's probability."""
    category: ForecastCategory | None | UnsetType = UNSET
    """Overrides the stage's forecast category."""
    told_by: Label | None = None
    cause: RevisionCause | None = None
    reason: Text | None = None


AnyStagesFact = (
    StageAdvanced | StageRegressed | GateCriterionAttested | GateCriterionRevoked | ForecastRevised
)
