"""Negotiation: what can be asked for."""

from datetime import date
from typing import Annotated, ClassVar

import msgspec

from domain.access import Action
from domain.intent import Command
from domain.negotiation.facts import (
    Issue,
    NegotiationResult,
    OfferReply,
    PressureReading,
    QuoteLine,
    Tactic,
    Term,
    Version,
)
from domain.values import Identifier, Label, Money, Party, Text


class NegotiationCommand(Command, frozen=True):
    """Base of the commands of negotiating."""


class IssueQuote(NegotiationCommand, tag="issue-quote", frozen=True):
    """Name our prices. Without `version` it is the next one."""

    replaces: ClassVar[bool] = False

    total: Money
    version: Version | None = None
    """Counted from 1 on the deal; null: the next one."""
    lines: tuple[QuoteLine, ...] = ()
    payment_terms: Text | None = None
    delivery_terms: Text | None = None
    valid_until: date | None = None


class OpenNegotiation(NegotiationCommand, tag="open-negotiation", frozen=True):
    """Begin to negotiate. Issues that come up later are opened as a negotiation beside it."""

    replaces: ClassVar[bool] = False

    id: Identifier
    issues: Annotated[tuple[Issue, ...], msgspec.Meta(min_length=1)]
    counterparts: tuple[Identifier, ...] = ()
    targets: tuple[Term, ...] = ()
    walk_aways: tuple[Term, ...] = ()


class ReviseWalkAway(NegotiationCommand, tag="revise-walk-away", frozen=True):
    """Set the worst value that we accept on an issue."""

    replaces: ClassVar[bool] = True

    issue: Identifier
    walk_away: Label
    reason: Text | None = None


class EstimateTheirWalkAway(NegotiationCommand, tag="estimate-their-walk-away", frozen=True):
    """Say what we take to be the worst value that they accept."""

    replaces: ClassVar[bool] = True

    issue: Identifier
    walk_away: Label
    basis: Text | None = None


class RecordWalkAwayPressed(NegotiationCommand, tag="record-walk-away-pressed", frozen=True):
    """Record that they insist on a value at which we would walk away, and how we read it."""

    replaces: ClassVar[bool] = False

    issue: Identifier
    value: Label
    reading: PressureReading | None = None


class MakeOffer(NegotiationCommand, tag="make-offer", frozen=True):
    """Record an offer of either side; what it concedes is worked out from the declared orders."""

    replaces: ClassVar[bool] = False

    id: Identifier
    side: Party
    terms: Annotated[tuple[Term, ...], msgspec.Meta(min_length=1)]
    package: bool = False
    valid_until: date | None = None
    made_by: Identifier | None = None
    made_to: tuple[Identifier, ...] = ()
    in_return_for: Text | None = None
    tactic: Tactic | None = None


class AnswerOffer(NegotiationCommand, tag="answer-offer", frozen=True):
    """Record the other side's answer to an offer, or that the offer lapsed."""

    replaces: ClassVar[bool] = False

    offer: Identifier
    reply: OfferReply
    answered_by: Identifier | None = None
    reason: Text | None = None


class FulfilCondition(NegotiationCommand, tag="fulfil-condition", frozen=True):
    """Record that what an offer asked in return came back, or a part of it."""

    replaces: ClassVar[bool] = False

    offer: Identifier
    what: Text


class RequestApproval(NegotiationCommand, tag="request-approval", frozen=True):
    """Ask to be allowed to go to a value."""

    replaces: ClassVar[bool] = False

    issue: Identifier
    value: Label
    authority: Label | None = None
    reason: Text | None = None


class GrantApproval(NegotiationCommand, tag="grant-approval", frozen=True):
    """Allow our side to go to a value, asked or not. Needs the right to approve."""

    right: ClassVar[Action] = Action.APPROVE
    replaces: ClassVar[bool] = False

    issue: Identifier
    value: Label
    authority: Label | None = None
    note: Text | None = None


class RefuseApproval(NegotiationCommand, tag="refuse-approval", frozen=True):
    """Refuse what was asked, or take a grant back. Needs the right to approve."""

    right: ClassVar[Action] = Action.APPROVE
    replaces: ClassVar[bool] = False

    issue: Identifier
    value: Label
    authority: Label | None = None
    reason: Text | None = None


class AgreeTerm(NegotiationCommand, tag="agree-term", frozen=True):
    """Settle an issue where both sides stand. `value`, if given, has to be that value."""

    replaces: ClassVar[bool] = False

    issue: Identifier
    value: Label | None = None
    """Where both sides stand; null: wherever they do."""


class ReopenTerm(NegotiationCommand, tag="reopen-term", frozen=True):
    """Negotiate a settled issue again."""

    replaces: ClassVar[bool] = False

    issue: Identifier
    reopened_by: Party | None = None
    reason: Text | None = None


class ConcludeNegotiation(NegotiationCommand, tag="conclude-negotiation", frozen=True):
    """End a negotiation."""

    replaces: ClassVar[bool] = False

    id: Identifier
    result: NegotiationResult
    reason: Text | None = None


AnyNegotiationCommand = (
    IssueQuote
    | OpenNegotiation
    | ReviseWalkAway
    | EstimateTheirWalkAway
    | RecordWalkAwayPressed
    | MakeOffer
    | AnswerOffer
    | FulfilCondition
    | RequestApproval
    | GrantApproval
    | RefuseApproval
    | AgreeTerm
    | ReopenTerm
    | ConcludeNegotiation
)
