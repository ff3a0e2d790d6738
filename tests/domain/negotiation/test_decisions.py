"""Commands of negotiating: each acts, stays quiet and refuses."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, get_args

import msgspec
import pytest

from domain.lifecycle.facts import LostOutcome, OpportunityLost, OpportunityWon
from domain.negotiation.commands import (
    AgreeTerm,
    AnswerOffer,
    AnyNegotiationCommand,
    ConcludeNegotiation,
    EstimateTheirWalkAway,
    FulfilCondition,
    GrantApproval,
    IssueQuote,
    MakeOffer,
    OpenNegotiation,
    RecordWalkAwayPressed,
    RefuseApproval,
    ReopenTerm,
    RequestApproval,
    ReviseWalkAway,
)
from domain.negotiation.facts import (
    AnyNegotiationFact,
    ApprovalGranted,
    ApprovalRefused,
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
from domain.refusals import (
    ApprovalMissing,
    CurrencyMismatch,
    DealClosed,
    DealNotOpened,
    IdTaken,
    InvalidIssue,
    IssuesOpen,
    NegotiationEnded,
    NotAllowed,
    NotAtThatValue,
    OfferNotOpen,
    OfferOutsideNegotiation,
    OrderMissing,
    OutOfRange,
    Refusal,
    TermSettled,
    UnknownIssue,
    UnknownReference,
    UnknownValue,
)
from domain.values import Money
from tests.domain.negotiation.asked import ASKED
from tests.domain.negotiation.table import (
    COLOUR,
    DAYS,
    NEGOTIATING,
    OPENING,
    PRICE,
    THEM,
    US,
    WANG,
    WAY,
    made,
    offer,
    terms,
)
from tests.scenario import MANAGER, OWNER, day, given, on, opened, usd

if TYPE_CHECKING:
    from domain.deal import DealCommand, DealFact

OPEN = (opened(),)
LINE = QuoteLine("Press", "2", usd("500"))
QUOTED = (*OPEN, QuoteIssued(1, usd("1000"), (LINE,)))
OURS = (*NEGOTIATING, made("o1", US, price=1000, days=30, way="rail"))
BOTH = (*OURS, made("t1", THEM, 2, price=800, days=90))
ASKING = (
    *NEGOTIATING,
    OfferMade("o1", "main", US, 1, terms(price=950), in_return_for="A reference visit"),
)
ACCEPTED = (*BOTH, OfferAnswered("o1", OfferReply.ACCEPTED))
AGREED = (*ACCEPTED, TermAgreed("price", "1000"))
REQUESTED = (*NEGOTIATING, ApprovalRequested("price", "850"))
GRANTED = (*REQUESTED, ApprovalGranted("price", "850"))
IMPASSE = (*BOTH, NegotiationConcluded("main", NegotiationResult.IMPASSE))


def open_it(**changes: Any) -> OpenNegotiation:
    fields = {name: getattr(OPENING, name) for name in OPENING.__struct_fields__}
    return OpenNegotiation(**(fields | changes))


def opened_it(**changes: Any) -> NegotiationOpened:
    return msgspec.structs.replace(OPENING, **changes)


# What happened, what is asked, what comes of it. Each command comes in its shortest form and in
# one with every field, so that a field that is not carried over is noticed.
ACTS: list[tuple[tuple[DealFact, ...], AnyNegotiationCommand, tuple[AnyNegotiationFact, ...]]] = [
    (OPEN, IssueQuote(usd("5")), (QuoteIssued(1, usd("5")),)),
    (QUOTED, IssueQuote(usd("5"), 7), (QuoteIssued(7, usd("5")),)),
    (
        QUOTED,
        IssueQuote(
            usd("1000"),
            lines=(msgspec.structs.replace(LINE, list_price=usd("600"), discount_percent="16.7"),),
            payment_terms="30 days",
            delivery_terms="FCA",
            valid_until=date(2026, 9, 1),
        ),
        (
            QuoteIssued(
                2,
                usd("1000"),
                (msgspec.structs.replace(LINE, list_price=usd("600"), discount_percent="16.7"),),
                "30 days",
                "FCA",
                date(2026, 9, 1),
            ),
        ),
    ),
    (OPEN, OpenNegotiation("main", (COLOUR,)), (NegotiationOpened("main", (COLOUR,)),)),
    (OPEN, open_it(), (OPENING,)),
    (
        OPEN,
        open_it(
            issues=(msgspec.structs.replace(PRICE, our_opening="1e3"), DAYS, WAY),
            targets=(Term("price", "990.0"),),
            walk_aways=(Term("days", "0090"),),
        ),
        (
            opened_it(
                issues=(PRICE, DAYS, WAY),
                targets=(Term("price", "990"),),
                walk_aways=(Term("days", "90"),),
            ),
        ),
    ),
    (
        BOTH,
        OpenNegotiation("extras", (Issue("spares", IssueKind.QUANTITY),)),
        (NegotiationOpened("extras", (Issue("spares", IssueKind.QUANTITY),)),),
    ),
    (IMPASSE, open_it(id="again"), (opened_it(id="again"),)),
    (NEGOTIATING, ReviseWalkAway("price", "880.00"), (WalkAwayRevised("price", "880"),)),
    (
        NEGOTIATING,
        ReviseWalkAway("days", "60", "Cash is short"),
        (WalkAwayRevised("days", "60", "Cash is short"),),
    ),
    (
        NEGOTIATING,
        EstimateTheirWalkAway("price", "9.2E2"),
        (TheirWalkAwayEstimated("price", "920"),),
    ),
    (
        NEGOTIATING,
        EstimateTheirWalkAway("colour", "red", "Their taste"),
        (TheirWalkAwayEstimated("colour", "red", "Their taste"),),
    ),
    (
        (*NEGOTIATING, WalkAwayPressed("price", "850"), WalkAwayPressed("price", "840")),
        RecordWalkAwayPressed("price", "850.0"),
        (WalkAwayPressed("price", "850"),),
    ),
    (
        NEGOTIATING,
        RecordWalkAwayPressed("price", "850", PressureReading.BLUFF),
        (WalkAwayPressed("price", "850", PressureReading.BLUFF),),
    ),
    (NEGOTIATING, offer("o1", US, {"price": "1000.00"}), (made("o1", US, price=1000),)),
    (
        (*OURS, WANG),
        offer(
            "o2",
            US,
            {"price": 950, "days": 30},
            package=True,
            valid_until=date(2026, 9, 1),
            made_by="ann",
            made_to=("wang",),
            in_return_for="Prepayment",
            tactic=Tactic.CONDITION_FOR_CONDITION,
        ),
        (
            OfferMade(
                "o2",
                "main",
                US,
                1,
                terms(price=950, days=30),
                package=True,
                valid_until=date(2026, 9, 1),
                made_by="ann",
                made_to=("wang",),
                in_return_for="Prepayment",
                tactic=Tactic.CONDITION_FOR_CONDITION,
            ),
            ConcessionMade(
                "o2",
                "price",
                US,
                "1000",
                "950",
                conditional=True,
                made_to=("wang",),
                in_return_for="Prepayment",
                tactic=Tactic.CONDITION_FOR_CONDITION,
            ),
        ),
    ),
    (BOTH, AnswerOffer("t1", OfferReply.COUNTERED), (OfferAnswered("t1", OfferReply.COUNTERED),)),
    (
        BOTH,
        AnswerOffer("t1", OfferReply.REJECTED, answered_by="ann"),
        (OfferAnswered("t1", OfferReply.REJECTED, "ann"),),
    ),
    (
        (*NEGOTIATING, WANG),
        offer("t1", THEM, {"price": 700}, made_by="wang", made_to=("ann",)),
        (OfferMade("t1", "main", THEM, 1, terms(price=700), made_by="wang", made_to=("ann",)),),
    ),
    (
        (*OPEN, WANG),
        OpenNegotiation("main", (COLOUR,), ("wang",)),
        (NegotiationOpened("main", (COLOUR,), ("wang",)),),
    ),
    (
        (*BOTH, WANG),
        AnswerOffer("o1", OfferReply.ACCEPTED, "wang", "Fair"),
        (OfferAnswered("o1", OfferReply.ACCEPTED, "wang", "Fair"),),
    ),
    (ASKING, FulfilCondition("o1", "Visited"), (ConditionFulfilled("o1", "Visited"),)),
    (
        (*ASKING, ConditionFulfilled("o1", "Invited")),
        FulfilCondition("o1", "Visited"),
        (ConditionFulfilled("o1", "Visited"),),
    ),
    (NEGOTIATING, RequestApproval("price", "850.0"), (ApprovalRequested("price", "850"),)),
    (
        (*REQUESTED, ApprovalRefused("price", "850")),
        RequestApproval("price", "850", "director", "Last step"),
        (ApprovalRequested("price", "850", "director", "Last step"),),
    ),
    (NEGOTIATING, GrantApproval("price", "8.5e2"), (ApprovalGranted("price", "850"),)),
    (
        REQUESTED,
        GrantApproval("price", "850", "director", "Once"),
        (ApprovalGranted("price", "850", "director", "Once"),),
    ),
    (REQUESTED, RefuseApproval("price", "850.00"), (ApprovalRefused("price", "850"),)),
    (
        GRANTED,
        RefuseApproval("price", "850", "director", "Margin"),
        (ApprovalRefused("price", "850", "director", "Margin"),),
    ),
    (ACCEPTED, AgreeTerm("price"), (TermAgreed("price", "1000"),)),
    (ACCEPTED, AgreeTerm("price", "1000.0"), (TermAgreed("price", "1000"),)),
    (AGREED, ReopenTerm("price"), (TermReopened("price"),)),
    (AGREED, ReopenTerm("price", THEM, "Budget cut"), (TermReopened("price", THEM, "Budget cut"),)),
    (
        BOTH,
        ConcludeNegotiation("main", NegotiationResult.IMPASSE),
        (NegotiationConcluded("main", NegotiationResult.IMPASSE),),
    ),
    (
        BOTH,
        ConcludeNegotiation("main", NegotiationResult.BROKEN_OFF, "No trust"),
        (NegotiationConcluded("main", NegotiationResult.BROKEN_OFF, "No trust"),),
    ),
]

STAYS_QUIET: list[tuple[tuple[DealFact, ...], AnyNegotiationCommand]] = [
    (QUOTED, IssueQuote(usd("1000"), lines=(LINE,))),
    ((*QUOTED, QuoteIssued(2, usd("9"))), IssueQuote(usd("1000"), 1, (LINE,))),
    (NEGOTIATING, open_it()),
    (IMPASSE, open_it()),
    (NEGOTIATING, ReviseWalkAway("price", "900.0", "Still")),
    (
        (*NEGOTIATING, TheirWalkAwayEstimated("price", "920")),
        EstimateTheirWalkAway("price", "920.0"),
    ),
    ((*NEGOTIATING, WalkAwayPressed("price", "850")), RecordWalkAwayPressed("price", "850")),
    (BOTH, offer("o1", US, {"price": "1000.0", "days": 30, "way": "rail"})),
    (IMPASSE, offer("t1", THEM, {"price": 800, "days": 90})),
    (ACCEPTED, AnswerOffer("o1", OfferReply.ACCEPTED)),
    ((*ASKING, ConditionFulfilled("o1", "Visited")), FulfilCondition("o1", "Visited")),
    (REQUESTED, RequestApproval("price", "850")),
    (GRANTED, RequestApproval("price", "850", "director", "Again")),
    (GRANTED, GrantApproval("price", "850")),
    ((*REQUESTED, ApprovalRefused("price", "850")), RefuseApproval("price", "850")),
    (AGREED, AgreeTerm("price", "1000.00")),
    (AGREED, AgreeTerm("price")),
    (AGREED, ReopenTerm("days")),
    (IMPASSE, ConcludeNegotiation("main", NegotiationResult.IMPASSE)),
]

EURO = Money.parse("1", "EUR")
DIRECTED = msgspec.structs.replace(WAY, better_for_us=Better.HIGHER)
HALF = Issue("half", IssueKind.OTHER, options=(Option("a", "1"), Option("b")))
THEIR_HALF = Issue("half", IssueKind.OTHER, options=(Option("a", None, "1"), Option("b")))

REFUSES: list[tuple[tuple[DealFact, ...], AnyNegotiationCommand, type[Refusal], str]] = [
    ((), IssueQuote(usd("5")), DealNotOpened, "open-opportunity"),
    (OPEN, IssueQuote(EURO), CurrencyMismatch, "total is in EUR"),
    (OPEN, IssueQuote(usd("5"), lines=(QuoteLine("Press", "1", EURO),)), CurrencyMismatch, "unit_"),
    (QUOTED, IssueQuote(usd("5"), 1), IdTaken, "next version"),
    (OPEN, IssueQuote(usd("5"), lines=(QuoteLine("Press", "0", usd("5")),)), OutOfRange, "is 0"),
    (OPEN, IssueQuote(usd("5"), lines=(QuoteLine("Press", "-1", usd("5")),)), OutOfRange, "is -1"),
    (OPEN, IssueQuote(usd("5"), lines=(QuoteLine("Press", "1.0", usd("5")),)), OutOfRange, "1.5"),
    *(
        (
            OPEN,
            IssueQuote(usd("5"), lines=(msgspec.structs.replace(LINE, discount_percent=percent),)),
            OutOfRange,
            "from 0 to 100",
        )
        for percent in ("-0.5", "100.1", "5.0")
    ),
    (NEGOTIATING, open_it(issues=(PRICE,)), IdTaken, "under another id"),
    (NEGOTIATING, OpenNegotiation("more", (PRICE,)), IdTaken, "under negotiation already"),
    (OPEN, open_it(issues=(PRICE, DAYS, PRICE)), IdTaken, "stands twice"),
    (OPEN, open_it(issues=(DIRECTED,), targets=(), walk_aways=()), InvalidIssue, "direction"),
    (
        OPEN,
        OpenNegotiation("main", (msgspec.structs.replace(WAY, unit="km"),)),
        InvalidIssue,
        "options have worths",
    ),
    (
        OPEN,
        OpenNegotiation("main", (msgspec.structs.replace(WAY, better_for_them=Better.LOWER),)),
        InvalidIssue,
        "options have worths",
    ),
    (OPEN, OpenNegotiation("main", (HALF,)), InvalidIssue, "of each, or of none"),
    (OPEN, OpenNegotiation("main", (THEIR_HALF,)), InvalidIssue, "of each, or of none"),
    (
        OPEN,
        OpenNegotiation("main", (Issue("x", IssueKind.IP, options=(Option("a", "1.0"),)),)),
        InvalidIssue,
        "'1.0'",
    ),
    (
        OPEN,
        OpenNegotiation("main", (Issue("x", IssueKind.IP, options=(Option("a"), Option("a"))),)),
        IdTaken,
        "options of x",
    ),
    (
        OPEN,
        OpenNegotiation("main", (msgspec.structs.replace(PRICE, unit="EUR"),)),
        CurrencyMismatch,
        "price is in EUR",
    ),
    (
        OPEN,
        OpenNegotiation("main", (msgspec.structs.replace(DAYS, money_per_unit=EURO),)),
        CurrencyMismatch,
        "money_per_unit is in EUR",
    ),
    (
        OPEN,
        OpenNegotiation("main", (msgspec.structs.replace(PRICE, our_opening="dear"),)),
        UnknownValue,
        "'dear'",
    ),
    (OPEN, open_it(counterparts=("wang",)), UnknownReference, "identify-stakeholder"),
    ((*OPEN, WANG), open_it(counterparts=("wang", "li")), UnknownReference, "There are: wang"),
    (
        (*NEGOTIATING, WANG),
        offer("o1", US, {"price": 1000}, made_to=("wang", "li")),
        UnknownReference,
        "no stakeholder 'li'",
    ),
    (NEGOTIATING, offer("t1", THEM, {"price": 1}, made_by="li"), UnknownReference, "'li'"),
    (BOTH, AnswerOffer("o1", OfferReply.REJECTED, "li"), UnknownReference, "'li'"),
    (OPEN, open_it(targets=(Term("colour", "red"),)), OrderMissing, "better_for_us"),
    (OPEN, open_it(walk_aways=(Term("taste", "1"),)), UnknownIssue, "price, days, way, colour"),
    (OPEN, open_it(walk_aways=(Term("way", "sea"),)), UnknownValue, "road, rail, air"),
    (OPEN, open_it(targets=terms(price=1) * 2), IdTaken, "targets"),
    (OPEN, ReviseWalkAway("price", "1"), UnknownIssue, "open one"),
    (NEGOTIATING, ReviseWalkAway("colour", "red"), OrderMissing, "our_worth"),
    (NEGOTIATING, ReviseWalkAway("price", "12.345"), OutOfRange, "has more"),
    (IMPASSE, ReviseWalkAway("price", "1"), UnknownIssue, "'price'"),
    (NEGOTIATING, EstimateTheirWalkAway("way", "sea"), UnknownValue, "'sea'"),
    (NEGOTIATING, EstimateTheirWalkAway("taste", "1"), UnknownIssue, "price, days, way, colour"),
    (NEGOTIATING, RecordWalkAwayPressed("price", "-1"), OutOfRange, "not negative"),
    (NEGOTIATING, RecordWalkAwayPressed("taste", "1"), UnknownIssue, "'taste'"),
    (OPEN, offer("o1", US, {"price": 1}), OfferOutsideNegotiation, "Open one first"),
    (IMPASSE, offer("o2", US, {"price": 1}), OfferOutsideNegotiation, "Open one first"),
    (NEGOTIATING, offer("o1", US, {"taste": 1}), UnknownIssue, "price, days, way, colour"),
    (NEGOTIATING, offer("o1", US, {"price": 999, "taste": 1}), UnknownIssue, "'taste'"),
    (
        (*NEGOTIATING, NegotiationOpened("more", (Issue("spares", IssueKind.QUANTITY),))),
        offer("o1", US, {"price": 999, "spares": 1}),
        UnknownIssue,
        "'main' is not about 'spares'",
    ),
    (NEGOTIATING, offer("o1", US, {}), UnknownIssue, "Under negotiation are: price"),
    (OURS, offer("o1", US, {"price": 999}), IdTaken, "under another id"),
    (OURS, offer("o1", THEM, {"price": 1000, "days": 30, "way": "rail"}), IdTaken, "other content"),
    (NEGOTIATING, MakeOffer("o1", US, terms(price=999) * 2), IdTaken, "offer 'o1'"),
    (NEGOTIATING, offer("o1", US, {"price": "cheap"}), UnknownValue, "0.5"),
    (NEGOTIATING, offer("o1", US, {"price": "NaN"}), UnknownValue, "'NaN'"),
    (NEGOTIATING, offer("o1", US, {"price": "1e400"}), UnknownValue, "1e400"),
    (NEGOTIATING, offer("o1", US, {"price": "999.999"}), OutOfRange, "2 minor digits"),
    (NEGOTIATING, offer("o1", THEM, {"way": "sea"}), UnknownValue, "road, rail, air"),
    (AGREED, offer("o2", US, {"price": 999}), TermSettled, "reopen-term"),
    (NEGOTIATING, offer("o1", US, {"price": "899.99"}), ApprovalMissing, "request-approval"),
    (NEGOTIATING, AnswerOffer("o9", OfferReply.REJECTED), UnknownReference, "'o9'"),
    (ACCEPTED, AnswerOffer("o1", OfferReply.LAPSED), OfferNotOpen, "accepted already"),
    (IMPASSE, AnswerOffer("o1", OfferReply.LAPSED), OfferOutsideNegotiation, "ended"),
    (BOTH, AnswerOffer("t1", OfferReply.ACCEPTED), ApprovalMissing, "price at 800"),
    (
        (*AGREED, made("o2", US, 3, price=1000), made("t2", THEM, 4, price=1000)),
        AnswerOffer("t1", OfferReply.ACCEPTED),
        TermSettled,
        "settled at 1000",
    ),
    (NEGOTIATING, FulfilCondition("o1", "Visited"), UnknownReference, "'o1'"),
    (OURS, FulfilCondition("o1", "Visited"), UnknownReference, "in_return_for"),
    (NEGOTIATING, RequestApproval("taste", "1"), UnknownIssue, "'taste'"),
    (NEGOTIATING, RequestApproval("way", "sea"), UnknownValue, "'sea'"),
    (NEGOTIATING, GrantApproval("taste", "1"), UnknownIssue, "'taste'"),
    (NEGOTIATING, GrantApproval("way", "sea"), UnknownValue, "'sea'"),
    (NEGOTIATING, RefuseApproval("taste", "1"), UnknownIssue, "'taste'"),
    (REQUESTED, RefuseApproval("price", "851"), UnknownReference, "nobody asked"),
    (NEGOTIATING, AgreeTerm("taste"), UnknownIssue, "'taste'"),
    (NEGOTIATING, AgreeTerm("price"), NotAtThatValue, "no value of price"),
    (OURS, AgreeTerm("price"), NotAtThatValue, "they at no value"),
    (BOTH, AgreeTerm("price", "800"), NotAtThatValue, "we stand at 1000, they at 800"),
    (BOTH, AgreeTerm("price"), NotAtThatValue, "not both at 1000"),
    (ACCEPTED, AgreeTerm("price", "999"), NotAtThatValue, "not both at 999"),
    (AGREED, AgreeTerm("price", "999"), TermSettled, "reopen-term"),
    (NEGOTIATING, ReopenTerm("taste"), UnknownIssue, "'taste'"),
    (OPEN, ConcludeNegotiation("main", NegotiationResult.IMPASSE), UnknownReference, "'main'"),
    (
        IMPASSE,
        ConcludeNegotiation("main", NegotiationResult.BROKEN_OFF),
        NegotiationEnded,
        "impasse",
    ),
    (
        AGREED,
        ConcludeNegotiation("main", NegotiationResult.AGREED),
        IssuesOpen,
        "days, way, colour",
    ),
]


@pytest.mark.parametrize(("facts", "command", "come_of_it"), ACTS)
def test_acts(
    facts: tuple[DealFact, ...],
    command: AnyNegotiationCommand,
    come_of_it: tuple[AnyNegotiationFact, ...],
) -> None:
    after = given(*facts).when(command, by=MANAGER).then(*come_of_it)
    assert after.deal != given(*facts).deal


@pytest.mark.parametrize(("facts", "command", "come_of_it"), ACTS)
def test_what_was_done_is_done_once(
    facts: tuple[DealFact, ...],
    command: AnyNegotiationCommand,
    come_of_it: tuple[AnyNegotiationFact, ...],
) -> None:
    given(*facts).when(command, by=MANAGER).then(*come_of_it).when(
        command, by=MANAGER, command_id="again"
    ).nothing()


@pytest.mark.parametrize(("facts", "command"), STAYS_QUIET)
def test_stays_quiet(facts: tuple[DealFact, ...], command: AnyNegotiationCommand) -> None:
    given(*facts).when(command, by=MANAGER).nothing()


@pytest.mark.parametrize(("facts", "command", "refusal", "words"), REFUSES)
def test_refuses(
    facts: tuple[DealFact, ...],
    command: AnyNegotiationCommand,
    refusal: type[Refusal],
    words: str,
) -> None:
    given(*facts).when(command, by=MANAGER).refused(refusal, words)


@pytest.mark.parametrize("ending", [OpportunityWon(), OpportunityLost(LostOutcome.WITHDRAWN)])
@pytest.mark.parametrize(("facts", "command"), [(facts, command) for facts, command, _ in ACTS])
def test_nothing_is_negotiated_after_an_outcome(
    facts: tuple[DealFact, ...], command: AnyNegotiationCommand, ending: DealFact
) -> None:
    given(*facts, ending).when(command, by=MANAGER).refused(DealClosed)


@pytest.mark.parametrize(("facts", "command"), ASKED)
def test_each_command_is_asked_soundly(facts: tuple[DealFact, ...], command: DealCommand) -> None:
    given(opened(), *facts).when(command, by=MANAGER).accepted()


def test_every_command_is_asked() -> None:
    assert {type(command) for _, command in ASKED} == set(get_args(AnyNegotiationCommand))


@pytest.mark.parametrize("table", [ACTS, STAYS_QUIET, REFUSES])
def test_every_command_is_tried(table: list[tuple[Any, ...]]) -> None:
    assert {type(row[1]) for row in table} == set(get_args(AnyNegotiationCommand))


def test_every_fact_comes_of_a_command() -> None:
    made_here = {type(fact) for _, _, facts in ACTS for fact in facts}
    assert made_here == set(get_args(AnyNegotiationFact))


@pytest.mark.parametrize(("quantity", "discount"), [("0.5", "0"), ("1", "0.1"), ("12", "100")])
def test_a_quote_line_has_some_quantity_and_up_to_all_of_it_off(
    quantity: str, discount: str
) -> None:
    line = QuoteLine("Press", quantity, usd("5"), discount_percent=discount)
    given(*OPEN).when(IssueQuote(usd("5"), lines=(line,))).then(QuoteIssued(1, usd("5"), (line,)))


def test_a_refusal_names_twenty_of_many_options() -> None:
    named = {
        count: Issue("x", IssueKind.OTHER, options=tuple(Option(f"<{n}>") for n in range(count)))
        for count in (20, 21)
    }
    for count, issue in named.items():
        asked = given(*OPEN, NegotiationOpened("main", (issue,)))
        refusal = asked.when(offer("o1", US, {"x": "other"})).refused(UnknownValue, "<0>, <1>")
        assert "<19>" in str(refusal)
        assert "<20>" not in str(refusal)
        assert ("…" in str(refusal)) is (count > 20)


@pytest.mark.parametrize("command", [GrantApproval("price", "850"), RefuseApproval("price", "850")])
def test_approving_needs_the_right_to_approve(command: AnyNegotiationCommand) -> None:
    given(*REQUESTED).when(command, by=OWNER).refused(NotAllowed, "approve")
    given(*REQUESTED).when(command, by=MANAGER).accepted()


# Offers and what they concede.


def test_an_offer_concedes_where_its_maker_is_worse_off_by_its_own_order() -> None:
    given(*BOTH).when(offer("t2", THEM, {"price": 850, "days": 60})).then(
        made("t2", THEM, 2, price=850, days=60),
        ConcessionMade("t2", "price", THEM, "800", "850"),
        ConcessionMade("t2", "days", THEM, "90", "60"),
    )


def test_what_another_issue_gains_in_the_same_offer_is_the_condition() -> None:
    given(*BOTH).when(offer("o2", US, {"price": 950, "days": 15})).then(
        made("o2", US, 3, price=950, days=15),
        ConcessionMade("o2", "price", US, "1000", "950", conditional=True),
    )


@pytest.mark.parametrize("days", [30, 45])
def test_an_issue_that_stays_or_loses_as_well_is_no_condition(days: int) -> None:
    after = given(*BOTH).when(offer("o2", US, {"price": 950, "days": days})).accepted()
    facts = [event.fact for event in after.history.events]
    conceded = [fact for fact in facts if isinstance(fact, ConcessionMade)]
    assert len(conceded) == (1 if days == 30 else 2)
    assert not any(fact.conditional for fact in conceded)


def test_an_issue_brought_up_in_the_offer_is_no_condition() -> None:
    before = given(*NEGOTIATING, made("o1", US, price=1000))
    before.when(offer("o2", US, {"price": 950, "days": 1})).then(
        made("o2", US, price=950, days=1), ConcessionMade("o2", "price", US, "1000", "950")
    )


def test_options_go_by_what_they_are_worth_to_the_mover() -> None:
    given(*OURS).when(offer("o2", US, {"way": "road"})).then(
        made("o2", US, way="road"), ConcessionMade("o2", "way", US, "rail", "road")
    )
    road = given(*NEGOTIATING, made("o1", US, way="road"))
    road.when(offer("o2", US, {"way": "rail"})).then(made("o2", US, way="rail"))


def test_without_an_order_of_the_mover_a_change_is_a_move_and_no_concession() -> None:
    theirs = given(*NEGOTIATING, made("t1", THEM, way="rail", colour="red"))
    theirs.when(offer("t2", THEM, {"way": "air", "colour": "blue"})).then(
        made("t2", THEM, way="air", colour="blue")
    )
    ours = given(*NEGOTIATING, made("o1", US, colour="red", price=1000))
    ours.when(offer("o2", US, {"colour": "blue", "price": 990})).then(
        made("o2", US, colour="blue", price=990), ConcessionMade("o2", "price", US, "1000", "990")
    )


def test_a_first_offer_and_one_that_repeats_concede_nothing() -> None:
    given(*NEGOTIATING).when(offer("o1", US, {"price": 905})).then(made("o1", US, price=905))
    given(*OURS).when(offer("o2", US, {"price": "1000.00"})).then(made("o2", US, price=1000))


def test_the_declared_opening_is_no_position() -> None:
    assert given(*NEGOTIATING).deal.negotiations.issue("price").position(US) is None  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("before", "after", "concedes"),
    [("9.5", "10", True), ("10", "9.5", False), ("100", "99", False), ("2", "10", True)],
)
def test_numbers_are_compared_as_numbers(before: str, after: str, *, concedes: bool) -> None:
    lower_is_better = given(*NEGOTIATING, made("o1", US, days=before))
    answer = lower_is_better.when(offer("o2", US, {"days": after}))
    assert answer.refusal is None
    assert (len(answer.facts) == 2) is concedes


# Acceptance.


def test_accepting_moves_the_accepter_and_concedes_nothing() -> None:
    before = given(*BOTH, ApprovalGranted("price", "800"))
    after = before.when(AnswerOffer("t1", OfferReply.ACCEPTED)).then(
        OfferAnswered("t1", OfferReply.ACCEPTED)
    )
    price = after.deal.negotiations.issue("price")
    assert price is not None
    assert (price.position(US), price.position(THEM)) == ("800", "800")
    way = after.deal.negotiations.issue("way")
    assert way is not None
    assert (way.position(US), way.position(THEM)) == ("rail", None)


@pytest.mark.parametrize("reply", [reply for reply in OfferReply if reply != OfferReply.ACCEPTED])
def test_any_other_answer_moves_nobody(reply: OfferReply) -> None:
    after = given(*BOTH).when(AnswerOffer("o1", reply)).accepted()
    price = after.deal.negotiations.issue("price")
    assert price is not None
    assert (price.position(US), price.position(THEM)) == ("1000", "800")


def test_an_earlier_offer_can_be_accepted_and_its_maker_stands_by_it() -> None:
    before = given(*OURS, made("o2", US, price=1100), made("t1", THEM, 2, price=800))
    after = before.when(AnswerOffer("o1", OfferReply.ACCEPTED)).accepted()
    price = after.deal.negotiations.issue("price")
    assert price is not None
    assert (price.position(US), price.position(THEM)) == ("1000", "1000")
    after.when(AgreeTerm("price")).then(TermAgreed("price", "1000"))


def test_sides_that_offer_the_same_value_agree_without_an_acceptance() -> None:
    met = given(*BOTH, made("t2", THEM, 2, price=1000))
    met.when(AgreeTerm("price")).then(TermAgreed("price", "1000"))


# Settled terms.


def test_a_settled_term_may_be_repeated_and_moves_only_once_reopened() -> None:
    settled = given(*AGREED)
    settled.when(offer("o2", US, {"price": 1000, "days": 20})).accepted()
    reopened = settled.and_given(TermReopened("price"))
    reopened.when(offer("o2", US, {"price": 990})).then(
        made("o2", US, 3, price=990), ConcessionMade("o2", "price", US, "1000", "990")
    )


def test_a_term_is_not_agreed_again_where_a_side_has_left_it() -> None:
    left = given(*AGREED, TermReopened("price"), made("o2", US, 3, price=990))
    left.when(AgreeTerm("price")).refused(NotAtThatValue, "we stand at 990, they at 1000")


def test_a_negotiation_is_concluded_with_agreement_once_every_issue_is_agreed() -> None:
    met = given(
        opened(),
        NegotiationOpened("main", (DAYS, COLOUR)),
        made("o1", US, days=30, colour="red"),
        OfferAnswered("o1", OfferReply.ACCEPTED),
        TermAgreed("days", "30"),
    )
    conclude = ConcludeNegotiation("main", NegotiationResult.AGREED)
    met.when(conclude).refused(IssuesOpen, "not agreed yet: colour")
    agreed = met.and_given(TermAgreed("colour", "red"))
    agreed.when(conclude).then(NegotiationConcluded("main", NegotiationResult.AGREED))
    agreed.and_given(TermReopened("days")).when(conclude).refused(IssuesOpen, "days")


def test_an_issue_negotiated_anew_begins_anew() -> None:
    anew = given(
        *AGREED,
        NegotiationConcluded("main", NegotiationResult.BROKEN_OFF),
        NegotiationOpened("again", (PRICE,)),
    )
    price = anew.deal.negotiations.issue("price")
    assert price is not None
    assert (price.position(US), price.position(THEM), price.walk_away) == (None, None, None)
    assert price.agreed is None
    anew.when(offer("o9", US, {"price": 100})).then(
        OfferMade("o9", "again", US, 1, terms(price=100))
    )


# Rule 6: the walk-away. Authority limits are in test_authority.


def test_past_our_walk_away_an_approval_for_that_issue_and_value_is_needed() -> None:
    command = offer("o2", US, {"price": 850})
    given(*OURS).when(command, by=MANAGER).refused(ApprovalMissing, "price at 850")
    for other in (
        ApprovalRequested("price", "850"),
        ApprovalGranted("price", "851"),
        ApprovalGranted("price", "849"),
        ApprovalGranted("days", "850"),
    ):
        given(*OURS, other).when(command).refused(ApprovalMissing)
    taken_back = given(*OURS, ApprovalGranted("price", "850"), ApprovalRefused("price", "850"))
    taken_back.when(command).refused(ApprovalMissing)
    granted = given(*OURS, ApprovalGranted("price", "850"))
    granted.when(command).then(
        made("o2", US, price=850),
        ConcessionMade("o2", "price", US, "1000", "850", approval=granted.history.version),
    )


def test_the_walk_away_itself_may_be_offered_and_the_refusal_does_not_tell_it() -> None:
    given(*OURS).when(offer("o2", US, {"price": 900})).accepted()
    refusal = given(*OURS).when(offer("o2", US, {"price": 850})).refused(ApprovalMissing)
    assert "900" not in str(refusal)


def test_the_walk_away_that_counts_is_the_latest() -> None:
    given(*OURS, WalkAwayRevised("price", "800")).when(offer("o2", US, {"price": 850})).accepted()
    stricter = given(*OURS, WalkAwayRevised("price", "980"))
    stricter.when(offer("o2", US, {"price": 950})).refused(ApprovalMissing)


def test_options_have_a_walk_away_by_their_worth() -> None:
    given(*OURS).when(offer("o2", US, {"way": "road"})).accepted()
    given(*OURS).when(offer("o2", US, {"way": "air"})).refused(ApprovalMissing, "way at air")


def test_a_first_offer_past_the_walk_away_needs_approval_too() -> None:
    given(*NEGOTIATING).when(offer("o1", US, {"price": 899})).refused(ApprovalMissing)


def test_what_is_no_worse_than_where_we_stand_needs_no_approval() -> None:
    past = given(*OURS, ApprovalGranted("price", "850"), made("o2", US, price=850))
    spent = past.and_given(ApprovalRefused("price", "850"))
    spent.when(offer("o3", US, {"price": 850})).accepted()
    spent.when(offer("o3", US, {"price": 870})).accepted()
    spent.when(offer("o3", US, {"price": 840})).refused(ApprovalMissing)


def test_accepting_past_our_walk_away_needs_approval_and_theirs_is_theirs() -> None:
    accept = AnswerOffer("t1", OfferReply.ACCEPTED)
    given(*BOTH).when(accept).refused(ApprovalMissing)
    given(*BOTH, ApprovalGranted("price", "800")).when(accept).accepted()
    given(*BOTH).when(AnswerOffer("t1", OfferReply.REJECTED)).accepted()
    given(*BOTH).when(offer("t2", THEM, {"price": 1})).accepted()
    given(*BOTH).when(AnswerOffer("o1", OfferReply.ACCEPTED)).accepted()


def test_that_the_deal_ended_is_said_before_anything_else() -> None:
    ended = given(*NEGOTIATING, OpportunityLost(LostOutcome.NO_DECISION))
    ended.when(RequestApproval("taste", "5")).refused(DealClosed)


def test_what_they_insist_on_is_news_again_after_a_day() -> None:
    pressed = RecordWalkAwayPressed("price", "800")
    deal = given(*NEGOTIATING).when(pressed).accepted()
    deal.when(pressed, at=deal.last + timedelta(hours=1)).nothing()
    deal.when(pressed, at=deal.last + timedelta(days=2)).accepted()


def test_a_late_quote_takes_a_version_of_its_own() -> None:
    quoted = given(opened(), on(5, QuoteIssued(1, usd("1000"))))
    late = quoted.when(IssueQuote(usd("900")), at=day(3), now=day(9))
    late.then(QuoteIssued(2, usd("900")))


@pytest.mark.parametrize("kind", [IssueKind.PRICE, IssueKind.QUANTITY])
@pytest.mark.parametrize("unit", [None, "usd", "EUR/t"])
def test_a_price_is_not_negative_in_any_unit(kind: IssueKind, unit: str | None) -> None:
    issue = Issue("it", kind, unit=unit, better_for_us=Better.HIGHER)
    deal = given(opened(), NegotiationOpened("main", (issue,)))
    deal.when(offer("o", US, {"it": 0})).accepted()
    deal.when(offer("o", US, {"it": -1})).refused(OutOfRange, "not negative")
