"""Stages and forecast: what is stored.

These types are the stored contract; see `Fact` for what a change of shape needs.
A gate result inside `stage-advanced` is the decision as it was taken; whoever
judges it later judges anew.
"""

from datetime import date
from enum import StrEnum
from typing import ClassVar

import msgspec
from msgspec import UNSET, UnsetType

from domain.history import Fact, Whose
from domain.values import ForecastCategory, Identifier, Money, Percent, Side, Text, Value


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
    """Versions of the events that show it."""
    attested: bool = False
    """A person confirmed it; else the state of the deal shows it."""


class GateResult(Value, frozen=True):
    """How the gate of the stage left stood when the move was decided."""

    met: tuple[MetCriterion, ...] = ()
    missing: tuple[Identifier, ...] = ()
    """Criteria that were not met."""


class Override(Value, frozen=True):
    """Who let a move pass that its gate did not, and why."""

    by: Identifier
    """The user with the right to it."""
    reason: Text


class StagesFact(Fact, frozen=True):
    """Base of the facts of stages and forecast."""


class StageAdvanced(StagesFact, tag="stage-advanced", frozen=True):
    """The deal moved forward. Imported moves carry no gate: nobody here decided them."""

    personal: ClassVar[Whose] = {"override": ()}

    from_: Identifier = msgspec.field(name="from")
    """The stage left."""
    to: Identifier
    """The stage entered."""
    skipped: tuple[Identifier, ...] = ()
    """The stages between, which were not entered."""
    gate: GateResult | None = None
    override: Override | None = None


class StageRegressed(StagesFact, tag="stage-regressed", frozen=True):
    """The deal moved back."""

    personal: ClassVar[Whose] = {"reason": ()}

    from_: Identifier = msgspec.field(name="from")
    """The stage left."""
    to: Identifier
    """The earlier stage entered."""
    reason: Text | None = None
    driven_by: Side | None = None


class GateCriterionAttested(StagesFact, tag="gate-criterion-attested", frozen=True):
    """Someone confirmed a criterion, or that it does not apply, with the reason in the note."""

    personal: ClassVar[Whose] = {"note": ("contact",)}

    criterion: Identifier
    note: Text
    applies: bool = True
    """False: it does not apply to this deal."""
    contact: Identifier | None = None
    """The contact it rests on."""
    aspect: Identifier | None = None
    """The part of the criterion it speaks of, such as a buying role; null: the whole criterion."""


class GateCriterionRevoked(StagesFact, tag="gate-criterion-revoked", frozen=True):
    """An attestation no longer holds."""

    personal: ClassVar[Whose] = {"reason": ()}

    criterion: Identifier
    reason: Text
    aspect: Identifier | None = None
    """Of the attestation of this part; null: of that of the whole criterion."""


class ForecastRevised(StagesFact, tag="forecast-revised", frozen=True):
    """Parts of the forecast changed. Absent: as before; null: not known, or not overridden."""

    personal: ClassVar[Whose] = {"reason": ("told_by",)}

    amount: Money | None | UnsetType = UNSET
    """What the deal is expected to bring."""
    expected_close: date | None | UnsetType = UNSET
    """The day on which it is expected to be signed."""
    probability: Percent | None | UnsetType = UNSET
    """Overrides the stage's probability."""
    category: ForecastCategory | None | UnsetType = UNSET
    """Overrides the stage's forecast category."""
    told_by: Identifier | None = None
    """The stakeholder who told us."""
    cause: RevisionCause | None = None
    reason: Text | None = None


AnyStagesFact = (
    StageAdvanced | StageRegressed | GateCriterionAttested | GateCriterionRevoked | ForecastRevised
)
