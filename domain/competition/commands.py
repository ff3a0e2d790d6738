"""Competition: what can be asked for. Each command leads to the fact of its name."""

from typing import ClassVar

from domain.competition.facts import (
    CompetitorKind,
    Rank,
)
from domain.intent import Command
from domain.values import Identifier, Label, Text


class CompetitionCommand(Command, frozen=True):
    """Base of the commands of competition."""


class IdentifyCompetitor(CompetitionCommand, tag="identify-competitor", frozen=True):
    """Say what we know of a competitor. Said again, it replaces."""

    replaces: ClassVar[bool] = True

    id: Identifier
    name: Label
    kind: CompetitorKind = CompetitorKind.VENDOR
    background: Text | None = None
    products: Text | None = None
    terms_and_price: Text | None = None
    sales_ability: Text | None = None
    customers_view: Text | None = None
    supporters: tuple[Identifier, ...] = ()


class RecordCompetitorMove(CompetitionCommand, tag="record-competitor-move", frozen=True):
    """Record what a competitor did, and what we did against it."""

    replaces: ClassVar[bool] = False

    competitor: Identifier
    move: Text
    our_counter: Text | None = None
    told_by: Identifier | None = None


class AssessPosition(CompetitionCommand, tag="assess-position", frozen=True):
    """Say how we stand against the competitors."""

    replaces: ClassVar[bool] = True

    rank: Rank
    basis: Text | None = None
    against: tuple[Identifier, ...] = ()


AnyCompetitionCommand = IdentifyCompetitor | RecordCompetitorMove | AssessPosition
