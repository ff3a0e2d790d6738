"""People: what is stored.

These types are the stored contract; see `Fact` for what a change of shape needs.
A stakeholder is one of the customer's people on one deal; `person` is the same
human being across deals.
"""

from enum import StrEnum
from typing import Annotated, ClassVar

import msgspec
from msgspec import UNSET, UnsetType

from domain.history import Fact, Whose
from domain.values import Identifier, Label, Party, Score, Text, Value


class BuyingRole(StrEnum):
    """The part someone plays in the purchase (决策者 建议者 采购者 实施者 使用者 影响者)."""

    DECISION_MAKER = "decision-maker"
    RECOMMENDER = "recommender"
    PURCHASER = "purchaser"
    IMPLEMENTER = "implementer"
    USER = "user"
    INFLUENCER = "influencer"


class Power(StrEnum):
    """What someone can do beside their role: grant money, stop on technical grounds, sign."""

    BUDGET = "budget"
    TECHNICAL_VETO = "technical-veto"
    COMMERCIAL = "commercial"
    SIGNATURE = "signature"


class Level(StrEnum):
    """How high someone stands in the customer's organisation (基层 中层 高层)."""

    FRONT_LINE = "front-line"
    MIDDLE = "middle"
    TOP = "top"


class Attitude(StrEnum):
    """How someone stands to our solution, from -2 (opponent) to 2 (champion)."""

    OPPONENT = "opponent"
    SCEPTIC = "sceptic"
    NEUTRAL = "neutral"
    SUPPORTER = "supporter"
    CHAMPION = "champion"

    @property
    def points(self) -> int:
        """-2, -1, 0, 1 or 2."""
        return _ATTITUDES.index(self) - 2


_ATTITUDES = tuple(Attitude)


class Relationship(StrEnum):
    """How close someone is to us, from 0 (none) to 4 (ally)."""

    NONE = "none"
    ACQUAINTED = "acquainted"
    INTERACTING = "interacting"
    TRUSTED = "trusted"
    ALLY = "ally"

    @property
    def points(self) -> int:
        """0, 1, 2, 3 or 4."""
        return _RELATIONSHIPS.index(self)


_RELATIONSHIPS = tuple(Relationship)


class Openness(StrEnum):
    """How someone takes what is new."""

    INNOVATOR = "innovator"
    PRAGMATIST = "pragmatist"
    CONSERVATIVE = "conservative"
    LAGGARD = "laggard"


class Focus(StrEnum):
    """A way into the buying centre: who listens, who suffers, who decides (接纳 不满 权力)."""

    RECEPTIVITY = "receptivity"
    DISSATISFACTION = "dissatisfaction"
    POWER = "power"


class RelationKind(StrEnum):
    """A thread of the web between the customer's people (渔网图)."""

    INFLUENCES = "influences"
    ALLIED = "allied"
    RIVAL = "rival"


class Channel(StrEnum):
    """By which means people met."""

    IN_PERSON = "in-person"
    PHONE = "phone"
    VIDEO = "video"
    MAIL = "mail"
    MESSAGE = "message"
    OTHER = "other"


class ContactKind(StrEnum):
    """What a contact was."""

    VISIT = "visit"
    CALL = "call"
    MAIL = "mail"
    DEMO = "demo"
    PITCH = "pitch"
    TECHNICAL_EXCHANGE = "technical-exchange"
    TOP_EXCHANGE = "top-exchange"
    REFERENCE_VISIT = "reference-visit"
    WORKSHOP = "workshop"
    NEGOTIATION = "negotiation"
    SOCIAL = "social"
    OTHER = "other"


class ContactOutcome(StrEnum):
    """What a contact led to, as Neil Rackham's SPIN Selling (1988) sorts the ends of a call."""

    ORDER = "order"
    """They bought."""
    ADVANCE = "advance"
    """They agreed to a step that takes the deal on."""
    CONTINUATION = "continuation"
    """Friendly, and without a step."""
    NO_SALE = "no-sale"
    """They said no."""


class ContactPointKind(StrEnum):
    """A way to reach someone."""

    PHONE = "phone"
    MAIL = "mail"
    MESSENGER = "messenger"
    ADDRESS = "address"
    OTHER = "other"


class ContactPoint(Value, frozen=True):
    """Where someone can be reached."""

    kind: ContactPointKind
    value: Label
    """The number or the address."""


class PeopleFact(Fact, frozen=True):
    """Base of the facts of the customer's people."""


class StakeholderIdentified(PeopleFact, tag="stakeholder-identified", frozen=True):
    """One of the customer's people who matters to the deal became known."""

    personal: ClassVar[Whose] = {"name": ("id",), "title": ("id",), "contact_points": ("id",)}

    id: Identifier
    """Names the stakeholder on this deal; every other fact refers to it."""
    name: Label
    person: Identifier | None = None
    """The same human being on every deal; without it, known on this deal alone."""
    title: Label | None = None
    """Their position, as on their card."""
    department: Label | None = None
    level: Level | None = None
    roles: tuple[BuyingRole, ...] = ()
    powers: tuple[Power, ...] = ()
    reports_to: Identifier | None = None
    """The stakeholder above in the line of reporting."""
    contact_points: tuple[ContactPoint, ...] = ()


class StakeholderRevised(PeopleFact, tag="stakeholder-revised", frozen=True):
    """Facts of a stakeholder changed. Absent: as before; null: no longer known."""

    personal: ClassVar[Whose] = {
        "name": ("stakeholder",),
        "title": ("stakeholder",),
        "contact_points": ("stakeholder",),
    }

    stakeholder: Identifier
    name: Label | UnsetType = UNSET
    person: Identifier | None | UnsetType = UNSET
    """The same human being on every deal."""
    title: Label | None | UnsetType = UNSET
    department: Label | None | UnsetType = UNSET
    level: Level | None | UnsetType = UNSET
    roles: tuple[BuyingRole, ...] | UnsetType = UNSET
    powers: tuple[Power, ...] | UnsetType = UNSET
    reports_to: Identifier | None | UnsetType = UNSET
    """The stakeholder above in the line of reporting."""
    contact_points: tuple[ContactPoint, ...] | UnsetType = UNSET


class StakeholderAssessed(PeopleFact, tag="stakeholder-assessed", frozen=True):
    """How someone stands to us and to the deal. Absent: as before; null: not known."""

    personal: ClassVar[Whose] = {
        "business_motive": ("stakeholder",),
        "personal_motive": ("stakeholder",),
    }

    stakeholder: Identifier
    influence: Score | None | UnsetType = UNSET
    """On this decision: 1 is little, 5 is decisive."""
    attitude: Attitude | None | UnsetType = UNSET
    relationship: Relationship | None | UnsetType = UNSET
    openness: Openness | None | UnsetType = UNSET
    focus: tuple[Focus, ...] | UnsetType = UNSET
    business_motive: Text | None | UnsetType = UNSET
    """What they want for the business."""
    personal_motive: Text | None | UnsetType = UNSET
    """What they want for themselves."""


class RelationRecorded(PeopleFact, tag="relation-recorded", frozen=True):
    """How two of the customer's people stand to each other; `influences` runs from one to other."""

    from_: Identifier = msgspec.field(name="from")
    """One stakeholder."""
    to: Identifier
    """The other."""
    kind: RelationKind
    strength: Score | None = None
    """1 is weak, 5 is strong."""


class LeaningObserved(PeopleFact, tag="leaning-observed", frozen=True):
    """Whose offer someone prefers."""

    personal: ClassVar[Whose] = {"reason": ("stakeholder",)}

    stakeholder: Identifier
    vendor: Identifier | None = None
    """A competitor's id, `us`, or null for nobody."""
    reason: Text | None = None


class StakeholderDeparted(PeopleFact, tag="stakeholder-departed", frozen=True):
    """Someone left, or has no part in the purchase any more."""

    personal: ClassVar[Whose] = {"reason": ("stakeholder",)}

    stakeholder: Identifier
    successor: Identifier | None = None
    """The stakeholder who took over."""
    reason: Text | None = None


class ContactMade(PeopleFact, tag="contact-made", frozen=True):
    """We and the customer's people were in touch."""

    personal: ClassVar[Whose] = {"purpose": ("their_people",), "summary": ("their_people",)}

    id: Identifier
    kind: ContactKind
    their_people: Annotated[tuple[Identifier, ...], msgspec.Meta(min_length=1)]
    """Stakeholders who took part."""
    our_people: tuple[Identifier, ...] = ()
    """Users who took part."""
    channel: Channel | None = None
    initiated_by: Party | None = None
    purpose: Text | None = None
    """What we wanted from it."""
    summary: Text | None = None
    """What was said."""
    outcome: ContactOutcome | None = None


class MinutesSent(PeopleFact, tag="minutes-sent", frozen=True):
    """What a contact agreed went to the customer in writing."""

    contact: Identifier


class SubjectErased(PeopleFact, tag="subject-erased", frozen=True):
    """Someone asked to be forgotten: from now on nothing personal of theirs is shown."""

    personal: ClassVar[Whose] = {"reason": ()}

    stakeholder: Identifier
    reason: Text | None = None


AnyPeopleFact = (
    StakeholderIdentified
    | StakeholderRevised
    | StakeholderAssessed
    | RelationRecorded
    | LeaningObserved
    | StakeholderDeparted
    | ContactMade
    | MinutesSent
    | SubjectErased
)
