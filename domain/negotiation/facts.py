"""Negotiation: what is stored.

These types are the stored contract; see `Fact` for what a change of shape needs.
Values of issues are text: a number in its one written form (`decimal_text`), or
the name of an option. What only our side may know (targets, walk-aways, the
estimate of theirs, how we read them) stands in fields of its own.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated, ClassVar

import msgspec

from domain.history import Fact, Whose
from domain.values import DecimalText, Identifier, Label, Money, Party, Percent, Score, Text, Value

Version = Annotated[int, msgspec.Meta(ge=1)]


class IssueKind(StrEnum):
    """What an issue is about."""

    PRICE = "price"
    QUANTITY = "quantity"
    PAYMENT_TIME = "payment-time"
    PAYMENT_METHOD = "payment-method"
    DELIVERY = "delivery"
    ACCEPTANCE = "acceptance"
    SERVICE_PAID = "service-paid"
    SERVICE_FREE = "service-free"
    RISK = "risk"
    IP = "ip"
    PENALTY = "penalty"
    OTHER = "other"


class Better(StrEnum):
    """In which direction a side prefers a number."""

    HIGHER = "higher"
    LOWER = "lower"


class Tactic(StrEnum):
    """How an offer was argued or extracted."""

    # Ours: 价值守价 锚定报价 条件交换 递减让步 打包议价 减项降价 以条款换价格 有限授权.
    VALUE_DEFENCE = "value-defence"
    ANCHOR = "anchor"
    CONDITION_FOR_CONDITION = "condition-for-condition"
    DIMINISHING_STEPS = "diminishing-steps"
    PACKAGE = "package"
    SCOPE_REDUCTION = "scope-reduction"
    TERM_SWAP = "term-swap"
    LIMITED_AUTHORITY = "limited-authority"
    # Theirs: 竞品压价 预算上限 限期 最后通牒 红白脸 蚕食 诈底 上级不批.
    RIVAL_QUOTE = "rival-quote"
    BUDGET_CAP = "budget-cap"
    DEADLINE = "deadline"
    ULTIMATUM = "ultimatum"
    GOOD_AND_BAD_COP = "good-and-bad-cop"
    NIBBLE = "nibble"
    BLUFF = "bluff"
    HIGHER_AUTHORITY = "higher-authority"
    # Of nobody in particular.
    NONE = "none"
    OTHER = "other"


class PressureReading(StrEnum):
    """What we take it for when they press us to our walk-away."""

    NO_ZONE = "no-zone"
    BLUFF = "bluff"
    NOT_BUYING = "not-buying"


class OfferReply(StrEnum):
    """What became of an offer."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    COUNTERED = "countered"
    LAPSED = "lapsed"


class NegotiationResult(StrEnum):
    """How a negotiation ended."""

    AGREED = "agreed"
    IMPASSE = "impasse"
    BROKEN_OFF = "broken-off"


class QuoteLine(Value, frozen=True):
    """One product of a quote. `unit_price` is what it costs after the discount."""

    product: Label
    quantity: DecimalText
    unit_price: Money
    """Of one, after the discount."""
    list_price: Money | None = None
    """Of one, before the discount."""
    discount_percent: DecimalText | None = None
    """Off the list price."""


class Option(Value, frozen=True):
    """One value of an issue that is not a number, with its worth to each side that declared it."""

    name: Label
    our_worth: DecimalText | None = None
    """To us, on a scale of our own."""
    their_worth: DecimalText | None = None
    """To them, on a scale of their own."""


class Issue(Value, frozen=True):
    """What is negotiated: a number, or one of `options`.

    Each side's order may be declared: for a number the better direction, for
    options what each is worth to that side, on a scale of its own.
    """

    id: Identifier
    kind: IssueKind
    unit: Label | None = None
    """Of a number: `days`, `%`, or a currency code, which makes it money."""
    better_for_us: Better | None = None
    better_for_them: Better | None = None
    options: tuple[Option, ...] = ()
    our_opening: Label | None = None
    """The value we mean to begin with. It is not a position: only an offer is."""
    weight: Percent | None = None
    """How much of the whole this issue is to us."""
    money_per_unit: Money | None = None
    """What one unit, or one point of an option's worth, costs."""
    their_priority: Score | None = None
    """How much it matters to them: 1 is little, 5 is most."""


class Term(Value, frozen=True):
    """A value of one issue."""

    issue: Identifier
    value: Label
    """A number, or the name of an option."""


class NegotiationFact(Fact, frozen=True):
    """Base of the facts of negotiating."""


class QuoteIssued(NegotiationFact, tag="quote-issued", frozen=True):
    """We named our prices. A quote is no position: only an offer is."""

    personal: ClassVar[Whose] = {"payment_terms": (), "delivery_terms": ()}

    version: Version
    """Counted from 1 on the deal."""
    total: Money
    """What all lines cost together."""
    lines: tuple[QuoteLine, ...] = ()
    payment_terms: Text | None = None
    delivery_terms: Text | None = None
    valid_until: date | None = None


class NegotiationOpened(NegotiationFact, tag="negotiation-opened", frozen=True):
    """The two sides began to negotiate these issues."""

    secret: ClassVar[tuple[str, ...]] = ("targets", "walk_aways")

    id: Identifier
    issues: Annotated[tuple[Issue, ...], msgspec.Meta(min_length=1)]
    counterparts: tuple[Identifier, ...] = ()
    """The customer's people at the table."""
    targets: tuple[Term, ...] = ()
    """The values we aim for."""
    walk_aways: tuple[Term, ...] = ()
    """The worst values we accept."""


class WalkAwayRevised(NegotiationFact, tag="walk-away-revised", frozen=True):
    """The worst value we accept on an issue is another one now."""

    secret: ClassVar[tuple[str, ...]] = ("walk_away", "reason")

    issue: Identifier
    walk_away: Label
    """The worst value that we accept."""
    reason: Text | None = None


class TheirWalkAwayEstimated(NegotiationFact, tag="their-walk-away-estimated", frozen=True):
    """What we take to be the worst value that they accept."""

    secret: ClassVar[tuple[str, ...]] = ("walk_away", "basis")

    issue: Identifier
    walk_away: Label
    """The worst value that they accept."""
    basis: Text | None = None
    """What the estimate rests on."""


class WalkAwayPressed(NegotiationFact, tag="walk-away-pressed", frozen=True):
    """They insisted on a value at which we would walk away."""

    secret: ClassVar[tuple[str, ...]] = ("reading",)

    issue: Identifier
    value: Label
    """At which they insist."""
    reading: PressureReading | None = None


class OfferMade(NegotiationFact, tag="offer-made", frozen=True):
    """A side put itself at these values; on other issues it stays where it was."""

    personal: ClassVar[Whose] = {"in_return_for": ("made_by", "made_to")}

    id: Identifier
    negotiation: Identifier
    """The open negotiation that it belongs to."""
    side: Party
    round: Version
    """As counted when the offer was recorded; a round ends when the offering side changes."""
    terms: Annotated[tuple[Term, ...], msgspec.Meta(min_length=1)]
    package: bool = False
    """The terms hold only together."""
    valid_until: date | None = None
    made_by: Identifier | None = None
    """One of ours, or one of the customer's people."""
    made_to: tuple[Identifier, ...] = ()
    in_return_for: Text | None = None
    """What the offer asks in return."""
    tactic: Tactic | None = None


class OfferAnswered(NegotiationFact, tag="offer-answered", frozen=True):
    """The other side answered an offer. Accepting puts it at the values of that offer."""

    personal: ClassVar[Whose] = {"reason": ("answered_by",)}

    offer: Identifier
    reply: OfferReply
    answered_by: Identifier | None = None
    """One of ours, or one of the customer's people."""
    reason: Text | None = None


class ConcessionMade(NegotiationFact, tag="concession-made", frozen=True):
    """An offer worsened its maker's position on one issue, by the maker's own order."""

    personal: ClassVar[Whose] = {"in_return_for": ("made_to",)}

    offer: Identifier
    issue: Identifier
    side: Party
    from_: Label = msgspec.field(name="from")
    """Where its maker stood."""
    to: Label
    """Where the offer puts its maker."""
    conditional: bool = False
    """A return was stated, or the same offer improved another issue for its maker."""
    made_to: tuple[Identifier, ...] = ()
    in_return_for: Text | None = None
    """What the offer asks in return."""
    tactic: Tactic | None = None
    approval: Version | None = None
    """Version of the event that granted it."""


class ConditionFulfilled(NegotiationFact, tag="condition-fulfilled", frozen=True):
    """What an offer asked in return came back, or a part of it."""

    personal: ClassVar[Whose] = {"what": ()}

    offer: Identifier
    what: Text
    """What came back."""


class ApprovalRequested(NegotiationFact, tag="approval-requested", frozen=True):
    """Someone asked to be allowed to go to this value."""

    personal: ClassVar[Whose] = {"authority": (), "reason": ()}

    issue: Identifier
    value: Label
    """How far."""
    authority: Label | None = None
    """Who is asked: a role, a committee."""
    reason: Text | None = None


class ApprovalGranted(NegotiationFact, tag="approval-granted", frozen=True):
    """We may go to this value on this issue."""

    personal: ClassVar[Whose] = {"authority": (), "note": ()}

    issue: Identifier
    value: Label
    """How far."""
    authority: Label | None = None
    """On whose authority."""
    note: Text | None = None


class ApprovalRefused(NegotiationFact, tag="approval-refused", frozen=True):
    """We may not go to this value on this issue, or no longer."""

    personal: ClassVar[Whose] = {"authority": (), "reason": ()}

    issue: Identifier
    value: Label
    """How far."""
    authority: Label | None = None
    """On whose authority."""
    reason: Text | None = None


class TermAgreed(NegotiationFact, tag="term-agreed", frozen=True):
    """Both sides stand at this value, and it is settled."""

    issue: Identifier
    value: Label
    """Where both sides stand."""


class TermReopened(NegotiationFact, tag="term-reopened", frozen=True):
    """A settled issue is negotiated again. Positions stay where they are."""

    personal: ClassVar[Whose] = {"reason": ()}

    issue: Identifier
    reopened_by: Party | None = None
    reason: Text | None = None


class NegotiationConcluded(NegotiationFact, tag="negotiation-concluded", frozen=True):
    """The negotiation ended."""

    personal: ClassVar[Whose] = {"reason": ()}

    id: Identifier
    """The negotiation that was opened."""
    result: NegotiationResult
    reason: Text | None = None


AnyNegotiationFact = (
    QuoteIssued
    | NegotiationOpened
    | WalkAwayRevised
    | TheirWalkAwayEstimated
    | WalkAwayPressed
    | OfferMade
    | OfferAnswered
    | ConcessionMade
    | ConditionFulfilled
    | ApprovalRequested
    | ApprovalGranted
    | ApprovalRefused
    | TermAgreed
    | TermReopened
    | NegotiationConcluded
)
