"""Needs and value: what can be asked for. Each command leads to the fact of its name."""

from typing import Annotated, ClassVar

import msgspec

from domain.intent import Command
from domain.needs.facts import (
    CheckResult,
    ConcernCause,
    ConcernKind,
    NeedDimension,
    NeedKind,
    Positioning,
    RequirementKind,
    RequirementResponse,
    Topic,
)
from domain.values import Identifier, Label, Money, Text


class NeedsCommand(Command, frozen=True):
    """Base of the commands of needs and value."""


class UncoverNeed(NeedsCommand, tag="uncover-need", frozen=True):
    """Record a need of the customer."""

    replaces: ClassVar[bool] = False

    id: Identifier
    statement: Text
    kind: NeedKind = NeedKind.IMPLIED
    dimension: NeedDimension = NeedDimension.BUSINESS
    whose: Identifier | None = None
    cause: Text | None = None
    consequence: Text | None = None
    cost: Money | None = None
    solvable_by_us: bool | None = None
    their_rank: Annotated[int, msgspec.Meta(ge=1, le=100)] | None = None


class DevelopNeed(NeedsCommand, tag="develop-need", frozen=True):
    """Record that an implied need has become explicit."""

    replaces: ClassVar[bool] = False

    need: Identifier
    statement: Text | None = None
    kpi: Label | None = None
    consequence: Text | None = None
    cost: Money | None = None
    contact: Identifier | None = None


class StateRequirement(NeedsCommand, tag="state-requirement", frozen=True):
    """Record what they ask for, and the need behind it. Stated again, it replaces."""

    replaces: ClassVar[bool] = True

    id: Identifier
    text: Text
    kind: RequirementKind = RequirementKind.OTHER
    by: Identifier | None = None
    need: Identifier | None = None
    why: Text | None = None
    timing: Label | None = None
    response: RequirementResponse | None = None


class ConfirmValue(NeedsCommand, tag="confirm-value", frozen=True):
    """Record a benefit that a named person of the customer confirmed."""

    replaces: ClassVar[bool] = False

    id: Identifier
    benefit: Text
    by: Identifier
    amount: Money | None = None
    need: Identifier | None = None
    contact: Identifier | None = None


class AcceptPositioning(NeedsCommand, tag="accept-positioning", frozen=True):
    """Record as what the customer takes our offer."""

    replaces: ClassVar[bool] = False

    positioning: Positioning
    by: Identifier | None = None


class RaiseConcern(NeedsCommand, tag="raise-concern", frozen=True):
    """Record an objection, or a fear of risk."""

    replaces: ClassVar[bool] = False

    id: Identifier
    kind: ConcernKind
    topic: Text
    cause: ConcernCause | None = None
    by: Identifier | None = None
    owner: Identifier | None = None


class AssignConcern(NeedsCommand, tag="assign-concern", frozen=True):
    """Say who of us deals with a concern."""

    replaces: ClassVar[bool] = True

    concern: Identifier
    owner: Identifier


class ResolveConcern(NeedsCommand, tag="resolve-concern", frozen=True):
    """Record that a concern is gone, and how."""

    replaces: ClassVar[bool] = False

    concern: Identifier
    how: Text


class AcceptConcern(NeedsCommand, tag="accept-concern", frozen=True):
    """Record that the customer decides in spite of a concern."""

    replaces: ClassVar[bool] = False

    concern: Identifier
    by: Identifier | None = None
    note: Text | None = None


class RecordFact(NeedsCommand, tag="record-fact", frozen=True):
    """Record a piece of information, and who told it."""

    replaces: ClassVar[bool] = False

    id: Identifier
    topic: Topic
    text: Text
    told_by: Identifier | None = None
    source: Label | None = None
    contact: Identifier | None = None


class CheckFact(NeedsCommand, tag="check-fact", frozen=True):
    """Record what a second source said to a piece of information."""

    replaces: ClassVar[bool] = False

    fact: Identifier
    result: CheckResult
    told_by: Identifier | None = None
    source: Label | None = None
    note: Text | None = None


AnyNeedsCommand = (
    UncoverNeed
    | DevelopNeed
    | StateRequirement
    | ConfirmValue
    | AcceptPositioning
    | RaiseConcern
    | AssignConcern
    | ResolveConcern
    | AcceptConcern
    | RecordFact
    | CheckFact
)
