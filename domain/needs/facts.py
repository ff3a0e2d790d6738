"""Needs and value: what is stored.

These types are the stored contract; see `Fact` for what a change of shape needs.
"""

from enum import StrEnum
from typing import Annotated, ClassVar

import msgspec

from domain.history import Fact, Whose
from domain.values import Identifier, Label, Money, Text


class NeedKind(StrEnum):
    """Whether a problem is only felt, or has become a wish to solve it (隐含 明确)."""

    IMPLIED = "implied"
    EXPLICIT = "explicit"


class NeedDimension(StrEnum):
    """Whose good it is about: the business's or the person's (业务 个人)."""

    BUSINESS = "business"
    PERSONAL = "personal"


class RequirementKind(StrEnum):
    """What a requirement is about."""

    TECHNICAL = "technical"
    SCALE = "scale"
    COMMERCIAL = "commercial"
    DELIVERY = "delivery"
    SERVICE = "service"
    COMPLIANCE = "compliance"
    OTHER = "other"


class RequirementResponse(StrEnum):
    """What we said to a requirement."""

    ACCEPTED = "accepted"
    ALTERNATIVE = "alternative"
    DECLINED = "declined"
    OPEN = "open"


class Positioning(StrEnum):
    """As what the customer takes our offer."""

    CHEAP_AND_GOOD = "cheap-and-good"
    BEST_FOR_THE_MONEY = "best-for-the-money"
    HIGH_VALUE = "high-value"


class ConcernKind(StrEnum):
    """An objection to the offer (异议), or the fear of its risk shortly before deciding (疑虑)."""

    OBJECTION = "objection"
    CONCERN = "concern"


class ConcernCause(StrEnum):
    """Where it comes from."""

    NEED_NOT_DEVELOPED = "need-not-developed"
    VALUE_NOT_SEEN = "value-not-seen"
    OVER_BUDGET = "over-budget"
    HABIT = "habit"
    RISK = "risk"
    OTHER = "other"


class Topic(StrEnum):
    """What a piece of information is about."""

    SCALE = "scale"
    REASON_TO_BUY = "reason-to-buy"
    BUDGET = "budget"
    TIMELINE = "timeline"
    TECHNICAL = "technical"
    DECISION_CHAIN = "decision-chain"
    APPROVAL = "approval"
    CRITERIA = "criteria"
    COMPETITION = "competition"
    PROJECT = "project"
    OTHER = "other"


class CheckResult(StrEnum):
    """What a second source said."""

    CONFIRMS = "confirms"
    CONTRADICTS = "contradicts"


class NeedsFact(Fact, frozen=True):
    """Base of the facts of needs and value."""


class NeedUncovered(NeedsFact, tag="need-uncovered", frozen=True):
    """A need of the customer became known."""

    personal: ClassVar[Whose] = {
        "statement": ("whose",),
        "cause": ("whose",),
        "consequence": ("whose",),
    }

    id: Identifier
    statement: Text
    """The problem, in their words."""
    kind: NeedKind = NeedKind.IMPLIED
    dimension: NeedDimension = NeedDimension.BUSINESS
    whose: Identifier | None = None
    """The stakeholder who has it."""
    cause: Text | None = None
    """What it comes from."""
    consequence: Text | None = None
    """What it leads to if nothing is done."""
    cost: Money | None = None
    """What the problem costs the customer."""
    solvable_by_us: bool | None = None
    """Whether what we sell solves it."""
    their_rank: Annotated[int, msgspec.Meta(ge=1, le=100)] | None = None
    """Where the customer puts it among its needs; 1 is first."""


class NeedDeveloped(NeedsFact, tag="need-developed", frozen=True):
    """An implied need became explicit: they want it solved."""

    personal: ClassVar[Whose] = {"statement": ("contact",), "consequence": ("contact",)}

    need: Identifier
    statement: Text | None = None
    """In their words now."""
    kpi: Label | None = None
    """The figure of theirs that it serves."""
    consequence: Text | None = None
    """What it leads to if nothing is done."""
    cost: Money | None = None
    """What the problem costs the customer."""
    contact: Identifier | None = None
    """The contact in which it was said."""


class RequirementStated(NeedsFact, tag="requirement-stated", frozen=True):
    """They ask for something; stated again, it replaces what was said under this id."""

    personal: ClassVar[Whose] = {"text": ("by",), "why": ("by",), "timing": ("by",)}

    id: Identifier
    text: Text
    """What they ask for."""
    kind: RequirementKind = RequirementKind.OTHER
    by: Identifier | None = None
    """The stakeholder who asks."""
    need: Identifier | None = None
    """The need behind it (回溯需求)."""
    why: Text | None = None
    """To which end."""
    timing: Label | None = None
    """Until when, or whether the time is right."""
    response: RequirementResponse | None = None


class ValueConfirmed(NeedsFact, tag="value-confirmed", frozen=True):
    """A named person of the customer confirmed a benefit, with an amount where known."""

    personal: ClassVar[Whose] = {"benefit": ("by", "contact")}

    id: Identifier
    benefit: Text
    """What they gain."""
    by: Identifier
    """The stakeholder who confirmed it."""
    amount: Money | None = None
    """What it is worth to them."""
    need: Identifier | None = None
    """The need that it serves."""
    contact: Identifier | None = None


class PositioningAccepted(NeedsFact, tag="positioning-accepted", frozen=True):
    """The customer takes our offer for this."""

    positioning: Positioning
    by: Identifier | None = None
    """The stakeholder who does; none named: the customer as a whole."""


class ConcernRaised(NeedsFact, tag="concern-raised", frozen=True):
    """The customer objects, or fears a risk."""

    personal: ClassVar[Whose] = {"topic": ("by",)}

    id: Identifier
    kind: ConcernKind
    topic: Text
    """What it is about."""
    cause: ConcernCause | None = None
    by: Identifier | None = None
    """The stakeholder who raised it."""
    owner: Identifier | None = None
    """Who of us deals with it."""


class ConcernAssigned(NeedsFact, tag="concern-assigned", frozen=True):
    """Someone of us took a concern on."""

    concern: Identifier
    owner: Identifier
    """The user who deals with it."""


class ConcernResolved(NeedsFact, tag="concern-resolved", frozen=True):
    """A concern is gone."""

    personal: ClassVar[Whose] = {"how": ()}

    concern: Identifier
    how: Text
    """What took it away."""


class ConcernAccepted(NeedsFact, tag="concern-accepted", frozen=True):
    """A concern stays, and the customer decides in spite of it."""

    personal: ClassVar[Whose] = {"note": ("by",)}

    concern: Identifier
    by: Identifier | None = None
    """The stakeholder who decides so."""
    note: Text | None = None


class FactRecorded(NeedsFact, tag="fact-recorded", frozen=True):
    """A piece of information about the deal, and who told it."""

    personal: ClassVar[Whose] = {"text": ("told_by", "contact"), "source": ("told_by", "contact")}

    id: Identifier
    topic: Topic
    text: Text
    """What is known."""
    told_by: Identifier | None = None
    """A stakeholder."""
    source: Label | None = None
    """Where it comes from when no stakeholder told it."""
    contact: Identifier | None = None


class FactChecked(NeedsFact, tag="fact-checked", frozen=True):
    """A second source confirmed or contradicted a piece of information."""

    personal: ClassVar[Whose] = {"source": ("told_by",), "note": ("told_by",)}

    fact: Identifier
    """The piece of information, by its id."""
    result: CheckResult
    told_by: Identifier | None = None
    """A stakeholder other than who told the fact."""
    source: Label | None = None
    """Where the check comes from when no stakeholder told it."""
    note: Text | None = None


AnyNeedsFact = (
    NeedUncovered
    | NeedDeveloped
    | RequirementStated
    | ValueConfirmed
    | PositioningAccepted
    | ConcernRaised
    | ConcernAssigned
    | ConcernResolved
    | ConcernAccepted
    | FactRecorded
    | FactChecked
)
