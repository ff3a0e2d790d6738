"""What the sides of a negotiation gave up: concessions, their figures, and lines crossed."""

import msgspec

from api.wire.numbers import amount, money, number, ratio
from api.wire.values import Amount, Instant, Names, User, same
from domain.negotiation import figures as reckoned
from domain.negotiation import ledger
from domain.negotiation.facts import Tactic
from domain.negotiation.figures import DiscountBase
from domain.negotiation.positions import IssueState
from domain.values import Party
from store.times import written


class ConcessionEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A move by offer that worsened its maker's position."""

    issue: str
    side: Party
    round: int
    offer: str
    made_at: Instant
    version: int
    """Of the offer."""
    from_: str = msgspec.field(name="from")
    to: str
    size: str
    """In units of the issue, for options in points of worth to the maker."""
    cost: Amount | None
    """Size × money per unit; null where that is not known."""
    conditional: bool
    fulfilled: bool | None
    """Whether the condition was met; null where there was none."""
    in_return_for: str | None
    improved: list[str]
    """The issues that the same offer improved for its maker."""
    came_back: list[str]
    made_to: list[str]
    tactic: Tactic | None
    approval: int | None
    """Version of the event that granted it."""
    approved_by: User | None

    @classmethod
    def of(
        cls, conceded: ledger.Concession, state: IssueState, currency: str, names: Names
    ) -> "ConcessionEntry":
        move = conceded.move
        granted = {event.version: event.actor for event in state.approvals}
        approver = granted.get(conceded.approval or 0)
        return cls(
            made_at=written(move.at),
            size=number(conceded.size) or "0",
            cost=amount(conceded.cost, currency),
            in_return_for=conceded.in_return_for,
            improved=list(conceded.improved),
            came_back=list(conceded.came_back),
            made_to=list(conceded.made_to),
            approved_by=names.user(approver) if approver else None,
            **same(move, ("issue", "side", "round", "offer", "version", "from_", "to")),
            **same(conceded, ("conditional", "fulfilled", "tactic", "approval")),
        )


class SideFigures(msgspec.Struct, frozen=True):
    """What one side gave up. Shares are of 1."""

    concessions: int
    cost: Amount | None
    """Of the concessions together; null where the cost of one is not known."""
    known_cost: Amount
    """Of those whose cost is known."""
    without_cost: int
    """How many have no known cost."""
    unilateral_share: str | None
    cost_of_accepting: Amount | None
    """What accepting offers of the other side cost, which is no concession."""

    @classmethod
    def of(cls, side: reckoned.SideFigures, currency: str) -> "SideFigures":
        return cls(
            side.concessions,
            amount(side.cost, currency),
            money(side.known_cost, currency),
            side.without_cost,
            ratio(side.unilateral_share),
            amount(side.cost_of_accepting, currency),
        )


class Shrinking(msgspec.Struct, frozen=True):
    """Each concession of a side on an issue over the one before it."""

    ratios: list[str]
    always: bool | None
    """Whether every ratio is below 1; null without any."""

    @classmethod
    def of(cls, shrinking: reckoned.Shrinking) -> "Shrinking":
        ratios = [ratio(one) for one in shrinking.ratios]
        return cls([one for one in ratios if one is not None], shrinking.always)


class PriceDiscount(msgspec.Struct, frozen=True):
    """What was taken off a price: the share of 1, and of what."""

    share: str
    base: DiscountBase


class IssueFigures(msgspec.Struct, frozen=True):
    """The figures of one issue."""

    issue: str
    ours: SideFigures
    theirs: SideFigures
    our_shrinking: Shrinking
    their_shrinking: Shrinking
    discount: PriceDiscount | None

    @classmethod
    def of(cls, issue: reckoned.IssueFigures, currency: str) -> "IssueFigures":
        discount = issue.discount
        return cls(
            issue.issue,
            SideFigures.of(issue.ours, currency),
            SideFigures.of(issue.theirs, currency),
            Shrinking.of(issue.our_shrinking),
            Shrinking.of(issue.their_shrinking),
            PriceDiscount(ratio(discount.share) or "", discount.base) if discount else None,
        )


class NegotiationFigures(msgspec.Struct, frozen=True):
    """The figures of one negotiation."""

    rounds: int
    ours: SideFigures
    theirs: SideFigures
    reciprocity: str | None
    """Cost of our concessions over that of theirs."""
    issues: list[IssueFigures]

    @classmethod
    def of(cls, figures: reckoned.Figures, currency: str) -> "NegotiationFigures":
        return cls(
            figures.rounds,
            SideFigures.of(figures.ours, currency),
            SideFigures.of(figures.theirs, currency),
            ratio(figures.reciprocity),
            [IssueFigures.of(one, currency) for one in figures.issues],
        )


class Crossing(msgspec.Struct, frozen=True):
    """A step of ours past a line."""

    issue: str
    value: str
    offer: str
    by_acceptance: bool
    at: Instant
    by: User
    version: int
    approval: int | None
    """Version of the event that had granted exactly this value."""

    @classmethod
    def of(cls, crossing: reckoned.Crossing, names: Names) -> "Crossing":
        return cls(
            crossing.issue,
            crossing.value,
            crossing.offer,
            crossing.by_acceptance,
            written(crossing.at),
            names.user(crossing.actor),
            crossing.version,
            crossing.approval,
        )
