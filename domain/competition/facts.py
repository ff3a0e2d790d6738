"""Competition: what is stored.

These types are the stored contract; see `Fact` for what a change of shape needs.
"""

from enum import StrEnum
from typing import ClassVar

from domain.history import Fact, Whose
from domain.values import Identifier, Label, Text


class CompetitorKind(StrEnum):
    """Against whom we sell: another vendor, the customer's own people, or leaving it as it is."""

    VENDOR = "vendor"
    IN_HOUSE = "in-house"
    DOING_NOTHING = "doing-nothing"


class Rank(StrEnum):
    """How we stand against the named competitors."""

    LEADING = "leading"
    LEVEL = "level"
    LAGGING = "lagging"
    UNKNOWN = "unknown"


class CompetitionFact(Fact, frozen=True):
    """Base of the facts of competition."""


class CompetitorIdentified(CompetitionFact, tag="competitor-identified", frozen=True):
    """What we know of a competitor; said again, it replaces what was said under this id."""

    personal: ClassVar[Whose] = {
        "background": (),
        "products": (),
        "terms_and_price": (),
        "sales_ability": (),
        "customers_view": (),
    }

    id: Identifier
    """Not `us`, which names our side among the vendors."""
    name: Label
    kind: CompetitorKind = CompetitorKind.VENDOR
    background: Text | None = None
    """Who they are, and who stands behind them."""
    products: Text | None = None
    """What they offer here."""
    terms_and_price: Text | None = None
    """On which terms, at which price."""
    sales_ability: Text | None = None
    """How well they sell."""
    customers_view: Text | None = None
    """What the customer thinks of them."""
    supporters: tuple[Identifier, ...] = ()
    """Stakeholders on their side."""


class CompetitorMoved(CompetitionFact, tag="competitor-moved", frozen=True):
    """A competitor did something, and what we did against it."""

    personal: ClassVar[Whose] = {"move": ("told_by",), "our_counter": ()}

    competitor: Identifier
    move: Text
    """What they did."""
    our_counter: Text | None = None
    """What we did against it."""
    told_by: Identifier | None = None
    """The stakeholder who told us."""


class PositionAssessed(CompetitionFact, tag="position-assessed", frozen=True):
    """How we stand against the competitors."""

    personal: ClassVar[Whose] = {"basis": ()}

    rank: Rank
    basis: Text | None = None
    """What the judgement rests on."""
    against: tuple[Identifier, ...] = ()
    """The competitors compared with; none named: all."""


AnyCompetitionFact = CompetitorIdentified | CompetitorMoved | PositionAssessed
