"""A store with one deal, N-1: a price, payment and delivery negotiated, and training begun.

`make` takes the marks as arguments, so that two stores can differ in secrets alone.
"""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import msgspec

from domain.access import Role
from domain.deal import DealFact
from domain.directory import MembershipGranted, UnitRegistered, UserRegistered
from domain.history import Draft, Fact
from domain.lifecycle.facts import OpportunityOpened
from domain.negotiation.authority import AuthorityLimits, RoleLimits
from domain.negotiation.facts import (
    ApprovalGranted,
    ApprovalRequested,
    Better,
    ConcessionMade,
    ConditionFulfilled,
    Issue,
    IssueKind,
    NegotiationConcluded,
    NegotiationOpened,
    NegotiationResult,
    OfferAnswered,
    OfferMade,
    OfferReply,
    Option,
    PressureReading,
    QuoteIssued,
    QuoteLine,
    Tactic,
    Term,
    TermAgreed,
    TermReopened,
    TheirWalkAwayEstimated,
    WalkAwayPressed,
    WalkAwayRevised,
)
from domain.organisation import LIMITS_STREAM, AuthorityLimitsSet
from domain.people.facts import BuyingRole, StakeholderIdentified
from domain.values import Party, ProcessRef
from store.events.writing import Batch
from store.location import Location
from store.log import DealLog
from tests.api.small_store import RECORDED_AT, at, on, usd

US, THEM = Party.US, Party.CUSTOMER


class Marks(msgspec.Struct, frozen=True):
    """What only our side knows."""

    target: str = "980"
    walk_away: str = "900"
    revised: str = "880"
    reason: str = "The plant is idle."
    estimate: str = "960"
    basis: str = "Their budget."
    reading: PressureReading | None = PressureReading.BLUFF


ISSUES = (
    Issue(
        "price",
        IssueKind.PRICE,
        unit="USD",
        better_for_us=Better.HIGHER,
        better_for_them=Better.LOWER,
        our_opening="1000",
        weight=60,
        money_per_unit=usd("1"),
    ),
    Issue(
        "days",
        IssueKind.PAYMENT_TIME,
        unit="days",
        better_for_us=Better.LOWER,
        better_for_them=Better.HIGHER,
        money_per_unit=usd("2.50"),
    ),
    Issue("way", IssueKind.DELIVERY, options=(Option("rail", "1"), Option("road", "0.5"))),
)


TRAINING = Issue("training", IssueKind.SERVICE_FREE, unit="days", better_for_us=Better.LOWER)


def terms(**values: object) -> tuple[Term, ...]:
    return tuple(Term(issue, str(value)) for issue, value in values.items())


def facts(marks: Marks) -> Sequence[DealFact]:
    """One a day from 2 March 2026 on."""
    return (*_opened(marks), *_offered(marks), *_settled())


def _opened(marks: Marks) -> Sequence[DealFact]:
    return (
        OpportunityOpened(
            name="Press line",
            process=ProcessRef("key-account", 1),
            stage="P5",
            currency="USD",
            owner="u-anna",
            reference="N-1",
        ),
        StakeholderIdentified("wang", "Wang Fang", title="Buyer", roles=(BuyingRole.PURCHASER,)),
        QuoteIssued(
            1,
            usd("1000"),
            (QuoteLine("Press", "2", usd("500"), list_price=usd("625")),),
            payment_terms="30 days",
            valid_until=date(2026, 6, 30),
        ),
        NegotiationOpened(
            "main",
            ISSUES,
            counterparts=("wang",),
            targets=terms(price=marks.target),
            walk_aways=terms(price=marks.walk_away),
        ),
    )


def _offered(marks: Marks) -> Sequence[DealFact]:
    return (
        OfferMade("o1", "main", US, 1, terms(price=1000, days=30, way="rail"), made_to=("wang",)),
        OfferMade("t1", "main", THEM, 2, terms(price=800, days=90), made_by="wang"),
        TheirWalkAwayEstimated("price", marks.estimate, marks.basis),
        OfferMade(
            "o2",
            "main",
            US,
            3,
            terms(price=940, days=45),
            made_to=("wang",),
            tactic=Tactic.DIMINISHING_STEPS,
        ),
        ConcessionMade("o2", "price", US, "1000", "940", made_to=("wang",)),
        ConcessionMade("o2", "days", US, "30", "45", made_to=("wang",)),
        WalkAwayPressed("price", "870", marks.reading),
        OfferMade("t2", "main", THEM, 4, terms(price=870), made_by="wang"),
        ConcessionMade("t2", "price", THEM, "800", "870"),
        OfferAnswered("t2", OfferReply.COUNTERED, "u-anna"),
        ApprovalRequested("price", "890", "director"),
        ApprovalGranted("price", "890", "director", "Last step."),
        WalkAwayRevised("price", marks.revised, marks.reason),
        OfferMade(
            "o3",
            "main",
            US,
            5,
            terms(price=890),
            made_to=("wang",),
            in_return_for="Prepayment",
            tactic=Tactic.CONDITION_FOR_CONDITION,
        ),
        ConcessionMade(
            "o3",
            "price",
            US,
            "940",
            "890",
            conditional=True,
            made_to=("wang",),
            in_return_for="Prepayment",
            approval=16,
        ),
    )


def _settled() -> Sequence[DealFact]:
    return (
        OfferAnswered("o3", OfferReply.ACCEPTED, "wang", "Fair."),
        TermAgreed("price", "890"),
        TermReopened("price", THEM, "A new buyer."),
        TermAgreed("price", "890"),
        ConditionFulfilled("o3", "30 per cent paid"),
        NegotiationConcluded("main", NegotiationResult.BROKEN_OFF, "No way to deliver."),
        NegotiationOpened("extras", (TRAINING,)),
        OfferMade("o4", "extras", US, 1, terms(training=2)),
        OfferMade("o5", "extras", US, 1, terms(training=3)),
        ConcessionMade("o5", "training", US, "2", "3"),
    )


def make(folder: Path, marks: Marks | None = None) -> str:
    """Make the store in `folder`. Answers with its URL."""
    location = Location.beside(folder / "talks.db")
    log = DealLog.create(location, lambda: RECORDED_AT)
    log.append(
        [
            Batch("unit:emea", 0, [_configured(UnitRegistered("emea", "EMEA"), "emea")]),
            _user("u-anna", "Anna Lee", Role.SELLER, "emea"),
            _user("u-ben", "Ben Ito", Role.SELLER, "emea"),
            _user("u-mei", "梅芳", Role.MANAGER, "emea"),
            _user("u-ann", "Ann Ames", Role.ANALYST),
            _user("u-aud", "Aud Moe", Role.AUDITOR),
            Batch(
                LIMITS_STREAM,
                0,
                [
                    _configured(
                        AuthorityLimitsSet(AuthorityLimits((RoleLimits(Role.SELLER, "5"),))),
                        "limits",
                    )
                ],
            ),
        ]
    )
    drafts = [
        on(f"2026-03-{day:02}", fact, by=_recorder(fact), command_id=f"c-{day}")
        for day, fact in enumerate(facts(marks or Marks()), start=2)
    ]
    log.append([Batch("deal:d-talks", 0, drafts)])
    log.close()
    return str(location)


def _recorder(fact: DealFact) -> str:
    return "u-mei" if isinstance(fact, ApprovalGranted) else "u-anna"


def _user(user: str, name: str, role: Role, unit: str | None = None) -> Batch:
    drafts = [
        _configured(UserRegistered(user, name), user),
        _configured(MembershipGranted(user, role, unit), f"{user}-{role}"),
    ]
    return Batch(f"user:{user}", 0, drafts)


def _configured(fact: Fact, name: str) -> Draft[Fact]:
    return Draft(
        fact=fact,
        occurred_at=at("2026-01-01"),
        known_at=at("2026-01-01"),
        actor="system",
        source="system",
        command_id=f"configure-{name}",
        correlation_id=f"configure-{name}",
    )
