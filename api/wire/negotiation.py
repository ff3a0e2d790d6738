"""The negotiation ledger: who stood where, who gave up what, and what came of it."""

from datetime import date, datetime

import msgspec

from api.wire.concessions import ConcessionEntry, Crossing, NegotiationFigures
from api.wire.deals import Deal
from api.wire.marks import NegotiationSecrets
from api.wire.quotes import Quote
from api.wire.values import Amount, Instant, Names, User, same
from domain.deal import Deal as DealState
from domain.history import Recorded
from domain.negotiation.facts import (
    ApprovalGranted,
    ApprovalRefused,
    ApprovalRequested,
    Better,
    IssueKind,
    NegotiationResult,
    OfferReply,
    Option,
    Tactic,
    Term,
)
from domain.negotiation.positions import ApprovalFact, IssueState, Offer
from domain.organisation import Organisation
from domain.values import Party
from projections import negotiation as projected
from store.times import written


class TablePersonal(msgspec.Struct, frozen=True):
    """What speaks of someone as a person."""

    name: str
    title: str | None


class TablePerson(msgspec.Struct, frozen=True):
    """One of the customer's people whom the negotiations speak of."""

    id: str
    roles: list[str]
    personal: TablePersonal


class AgreedTerm(msgspec.Struct, frozen=True):
    """Where an issue is settled."""

    value: str
    agreed_at: Instant
    version: int


class Reopening(msgspec.Struct, frozen=True):
    """A settled issue that was negotiated again."""

    reopened_at: Instant
    reopened_by: Party | None
    reason: str | None
    version: int


class NegotiatedIssue(msgspec.Struct, frozen=True, kw_only=True):
    """What is negotiated, and where both sides stand."""

    id: str
    kind: IssueKind
    unit: str | None
    better_for_us: Better | None
    better_for_them: Better | None
    options: list[Option]
    our_opening: str | None
    weight: int | None
    """How much of the whole it is to us, per cent."""
    money_per_unit: Amount | None
    their_priority: int | None
    our_position: str | None
    their_position: str | None
    agreed: AgreedTerm | None
    reopenings: list[Reopening]

    @classmethod
    def of(cls, state: IssueState) -> "NegotiatedIssue":
        issue, agreed = state.issue, state.agreed
        return cls(
            options=list(issue.options),
            money_per_unit=Amount.of(issue.money_per_unit),
            our_position=state.position(Party.US),
            their_position=state.position(Party.CUSTOMER),
            agreed=AgreedTerm(agreed.fact.value, written(agreed.occurred_at), agreed.version)
            if agreed
            else None,
            reopenings=[
                Reopening(
                    written(event.occurred_at),
                    event.fact.reopened_by,
                    event.fact.reason,
                    event.version,
                )
                for event in state.reopenings
            ],
            **same(issue, _AS_IN_THE_ISSUE),
        )


_AS_IN_THE_ISSUE = (
    "id",
    "kind",
    "unit",
    "better_for_us",
    "better_for_them",
    "our_opening",
    "weight",
    "their_priority",
)


class OfferReplied(msgspec.Struct, frozen=True):
    """What became of an offer."""

    reply: OfferReply
    replied_at: Instant
    answered_by: str | None
    """Id of a stakeholder for an offer of ours, of a user for one of theirs."""
    reason: str | None
    version: int


class NegotiationOffer(msgspec.Struct, frozen=True, kw_only=True):
    """An offer of either side, in the order in which they were made."""

    id: str
    round: int
    side: Party
    made_at: Instant
    version: int
    terms: list[Term]
    package: bool
    valid_until: date | None
    made_by: str | None
    made_to: list[str]
    in_return_for: str | None
    tactic: Tactic | None
    came_back: list[str]
    answer: OfferReplied | None

    @classmethod
    def of(cls, offer: Offer) -> "NegotiationOffer":
        made, answer = offer.made, offer.answer
        return cls(
            id=made.fact.id,
            round=offer.round,
            side=made.fact.side,
            made_at=written(made.occurred_at),
            version=made.version,
            terms=list(made.fact.terms),
            package=made.fact.package,
            valid_until=made.fact.valid_until,
            made_by=made.fact.made_by,
            made_to=list(made.fact.made_to),
            in_return_for=made.fact.in_return_for,
            tactic=made.fact.tactic,
            came_back=[event.fact.what for event in offer.fulfilled],
            answer=OfferReplied(
                answer.fact.reply,
                written(answer.occurred_at),
                answer.fact.answered_by,
                answer.fact.reason,
                answer.version,
            )
            if answer
            else None,
        )


class PositionsAtEnd(msgspec.Struct, frozen=True):
    """Where both sides stood on an issue when a round was over."""

    round: int
    issue: str
    ours: str | None
    theirs: str | None


class ApprovalEntry(msgspec.Struct, frozen=True):
    """What was asked, granted or refused."""

    issue: str
    value: str
    what: str
    """`requested`, `granted` or `refused`."""
    at: Instant
    by: User
    authority: str | None
    words: str | None
    version: int

    @classmethod
    def of(cls, event: Recorded[ApprovalFact], names: Names) -> "ApprovalEntry":
        fact = event.fact
        match fact:
            case ApprovalRequested(reason=words):
                what = "requested"
            case ApprovalGranted(note=words):
                what = "granted"
            case ApprovalRefused(reason=words):
                what = "refused"
        return cls(
            fact.issue,
            fact.value,
            what,
            written(event.occurred_at),
            names.user(event.actor),
            fact.authority,
            words,
            event.version,
        )


class Pressure(msgspec.Struct, frozen=True):
    """A value at which we would walk away, and on which they insisted."""

    issue: str
    value: str
    pressed_at: Instant
    version: int


class Conclusion(msgspec.Struct, frozen=True):
    """How a negotiation ended."""

    result: NegotiationResult
    concluded_at: Instant
    reason: str | None
    version: int


class NegotiationLedger(msgspec.Struct, frozen=True, kw_only=True):
    """One negotiation: its issues, the offers by rounds, what was conceded, and the figures."""

    id: str
    version: int
    opened_at: Instant
    counterparts: list[str]
    issues: list[NegotiatedIssue]
    offers: list[NegotiationOffer]
    positions: list[PositionsAtEnd]
    concessions: list[ConcessionEntry]
    figures: NegotiationFigures
    approvals: list[ApprovalEntry]
    pressures: list[Pressure]
    authority_breaches: list[Crossing]
    """Steps past somebody's authority without an approval."""
    conclusion: Conclusion | None
    secrets: NegotiationSecrets | None
    """Null for who may not see them."""

    @classmethod
    def of(
        cls, found: projected.Ledger, currency: str, names: Names, *, secrets_shown: bool
    ) -> "NegotiationLedger":
        negotiation = found.negotiation
        states = {state.issue.id: state for state in negotiation.issues}
        return cls(
            id=negotiation.id,
            version=negotiation.opened.version,
            opened_at=written(negotiation.opened.occurred_at),
            counterparts=list(negotiation.opened.fact.counterparts),
            issues=[NegotiatedIssue.of(state) for state in negotiation.issues],
            offers=[NegotiationOffer.of(offer) for offer in negotiation.offers],
            positions=[
                PositionsAtEnd(one.round, one.issue, one.ours, one.theirs)
                for one in found.positions
            ],
            concessions=[
                ConcessionEntry.of(one, states[one.move.issue], currency, names)
                for one in found.concessions
            ],
            figures=NegotiationFigures.of(found.figures, currency),
            approvals=_approvals(found, names),
            pressures=_pressures(found),
            authority_breaches=[Crossing.of(one, names) for one in found.authority_breaches],
            conclusion=_conclusion(found),
            secrets=NegotiationSecrets.of(projected.secrets(negotiation), names)
            if secrets_shown
            else None,
        )


def _approvals(found: projected.Ledger, names: Names) -> list[ApprovalEntry]:
    events = [event for state in found.negotiation.issues for event in state.approvals]
    events.sort(key=lambda event: (event.occurred_at, event.version))
    return [ApprovalEntry.of(event, names) for event in events]


def _pressures(found: projected.Ledger) -> list[Pressure]:
    return [
        Pressure(event.fact.issue, event.fact.value, written(event.occurred_at), event.version)
        for state in found.negotiation.issues
        for event in state.pressures
    ]


def _conclusion(found: projected.Ledger) -> Conclusion | None:
    ended = found.negotiation.concluded
    if ended is None:
        return None
    return Conclusion(
        ended.fact.result,
        written(ended.occurred_at),
        ended.fact.reason,
        ended.version,
    )


class DealNegotiations(msgspec.Struct, frozen=True, kw_only=True):
    """What was quoted and negotiated on one deal, as it stood at (as of, known at)."""

    as_of: Instant
    known_at: Instant
    deal: Deal
    quotes: list[Quote]
    negotiations: list[NegotiationLedger]
    people: list[TablePerson]
    """The customer's people whom the negotiations speak of, by the ids used there."""
    users: list[User]
    """Ours whom they speak of as making, taking or answering offers."""

    @classmethod
    def of(
        cls,
        deal: Deal,
        state: DealState,
        organisation: Organisation,
        names: Names,
        *,
        secrets_shown: bool,
        as_of: datetime,
        known_at: datetime,
    ) -> "DealNegotiations":
        """From the state folded up to that moment, from what may be seen of the events."""
        return cls(
            as_of=written(as_of),
            known_at=written(known_at),
            deal=deal,
            quotes=[Quote.of(event, names) for event in state.negotiations.quotes],
            negotiations=[
                NegotiationLedger.of(found, deal.currency, names, secrets_shown=secrets_shown)
                for found in projected.ledgers(state, organisation)
            ],
            people=_people(state),
            users=[names.user(one) for one in sorted(_named(state, Party.US))],
        )


def _people(state: DealState) -> list[TablePerson]:
    spoken_of = _named(state, Party.CUSTOMER)
    return [
        TablePerson(one.id, list(one.roles), TablePersonal(one.name, one.title))
        for one in state.people.stakeholders
        if one.id in spoken_of
    ]


def _named(state: DealState, side: Party) -> set[str]:
    """Ids of the people of a side whom the negotiations speak of."""
    named: set[str | None] = set()
    for negotiation in state.negotiations.opened:
        if side is Party.CUSTOMER:
            named.update(negotiation.opened.fact.counterparts)
        for offer in negotiation.offers:
            made, answer = offer.made.fact, offer.answer
            if made.side is side:
                named.add(made.made_by)
            else:
                named.update(made.made_to)
                named.add(answer.fact.answered_by if answer else None)
                named.update(one for event in offer.concessions for one in event.fact.made_to)
    return {one for one in named if one is not None}
