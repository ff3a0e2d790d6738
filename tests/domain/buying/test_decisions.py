"""Commands of the customer's process: each acts, stays quiet and refuses."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, get_args

import pytest

from domain.buying.commands import (
    AnyBuyingCommand,
    ApproveProject,
    BreakCommitment,
    ChangeVendorStatus,
    DeclarePurchaseMode,
    DropDecisionCriterion,
    KeepCommitment,
    ObserveBudget,
    ObserveBuyingPhase,
    ObserveCriteriaStatus,
    ObserveCustomerEvent,
    ObserveOurPart,
    OpenBids,
    RecordApprovalStep,
    RecordCommitment,
    ReviewBid,
    ScoreCriterion,
    SetDecisionCriterion,
    SubmitProposal,
)
from domain.buying.facts import (
    AnyBuyingFact,
    ApprovalResult,
    ApprovalStepKind,
    ApprovalStepRecorded,
    BidOpened,
    BidReviewed,
    BudgetObserved,
    BudgetStatus,
    BuyingPhaseObserved,
    CommitmentBroken,
    CommitmentKept,
    CommitmentRecorded,
    CriteriaStatus,
    CriteriaStatusObserved,
    CriterionScored,
    CustomerEventKind,
    CustomerEventObserved,
    DecisionCriterionDropped,
    DecisionCriterionSet,
    OurPart,
    OurPartObserved,
    PriceForm,
    ProjectApproved,
    ProposalKind,
    ProposalSubmitted,
    PurchaseMethod,
    PurchaseModeDeclared,
    VendorBid,
    VendorStatus,
    VendorStatusChanged,
    Vocabulary,
)
from domain.deal import admissible, violations
from domain.lifecycle.facts import LostOutcome, OpportunityLost, OpportunityWon, ProcessChanged
from domain.people.facts import SubjectErased
from domain.refusals import (
    BreaksLaterHistory,
    CurrencyMismatch,
    DealClosed,
    IdTaken,
    OutOfRange,
    PersonErased,
    Refusal,
    UnknownReference,
)
from domain.values import Money, Party, ProcessRef, Side
from tests.domain.buying.asked import (
    ACME,
    AFTER_ANY_OUTCOME,
    AFTER_WINNING,
    AROUND,
    ASKED,
    PLAN,
    UPTIME,
)
from tests.scenario import BOOK, Scenario, day, given, on, opened, usd

if TYPE_CHECKING:
    from domain.deal import DealCommand, DealFact

CYCLE, STEPS = Vocabulary.DECISION_CYCLE, Vocabulary.PURCHASE_STEPS
BOARD = ApprovalStepRecorded("board", ApprovalStepKind.APPROVAL, ("Board",))
BOARD_PASSED = ApprovalStepRecorded(
    "board", ApprovalStepKind.APPROVAL, ("Board",), ApprovalResult.PASSED, "Of nine, eight"
)
SCORED = CriterionScored("uptime", "acme", 70, "li")
FORMAL = ProposalSubmitted(ProposalKind.FORMAL, 1, usd("450"))
BIDS = (VendorBid("us", usd("450"), 2, "81.5"), VendorBid("acme", usd("440"), 1))
CLEAN = PurchaseModeDeclared(
    PurchaseMethod.OPEN_TENDER, PriceForm.SEALED, 2, True, date(2026, 5, 1), "acme", "wang"
)
KEPT, BROKEN = CommitmentKept("plan", "By mail"), CommitmentBroken("plan", "Forgotten")
TRIGGER = CustomerEventObserved(CustomerEventKind.TRIGGER, "The old press broke")
TENDERING = opened(process=ProcessRef("key-account", 1), stage="P4")

Row = tuple[tuple["DealFact", ...], AnyBuyingCommand, AnyBuyingFact]
ACTS: list[Row] = [
    ((), ObserveBuyingPhase("criteria"), BuyingPhaseObserved("criteria")),
    (
        (BuyingPhaseObserved("criteria", stakeholder="li"),),
        ObserveBuyingPhase("criteria", CYCLE, "li", Side.US, "Asked for a score sheet", "visit-1"),
        BuyingPhaseObserved("criteria", CYCLE, "li", Side.US, "Asked for a score sheet", "visit-1"),
    ),
    (
        (BuyingPhaseObserved("criteria", stakeholder="li"),),
        ObserveBuyingPhase("criteria", stakeholder="wang"),
        BuyingPhaseObserved("criteria", stakeholder="wang"),
    ),
    (
        (BuyingPhaseObserved("criteria"), BuyingPhaseObserved("decision")),
        ObserveBuyingPhase("criteria"),
        BuyingPhaseObserved("criteria"),
    ),
    (
        (),
        ApproveProject("li", "Investment committee", "Unanimous"),
        ProjectApproved("li", "Investment committee", "Unanimous"),
    ),
    ((), RecordApprovalStep("board", ApprovalStepKind.APPROVAL, ("Board",)), BOARD),
    (
        (BOARD,),
        RecordApprovalStep(
            "board", ApprovalStepKind.APPROVAL, ("Board",), ApprovalResult.PASSED, "Of nine, eight"
        ),
        BOARD_PASSED,
    ),
    (
        (BudgetObserved(BudgetStatus.ESTIMATED, usd("500"), "li"),),
        ObserveBudget(BudgetStatus.APPROVED, usd("500"), "li"),
        BudgetObserved(BudgetStatus.APPROVED, usd("500"), "li"),
    ),
    (
        (),
        DeclarePurchaseMode(
            PurchaseMethod.OPEN_TENDER, PriceForm.SEALED, 2, True, date(2026, 5, 1), "acme", "wang"
        ),
        CLEAN,
    ),
    (
        (),
        DeclarePurchaseMode(PurchaseMethod.SINGLE_SOURCE, pre_selected="us"),
        PurchaseModeDeclared(PurchaseMethod.SINGLE_SOURCE, pre_selected="us"),
    ),
    (
        (UPTIME,),
        SetDecisionCriterion("price", "Price", 40, True, Side.COMPETITOR, "speed"),
        DecisionCriterionSet("price", "Price", 40, True, Side.COMPETITOR, "speed"),
    ),
    (
        (UPTIME,),
        SetDecisionCriterion("uptime", "Hours between failures", 100),
        DecisionCriterionSet("uptime", "Hours between failures", 100),
    ),
    (
        (UPTIME, DecisionCriterionDropped("uptime")),
        SetDecisionCriterion("uptime", "Hours between failures", 60),
        UPTIME,
    ),
    (
        (UPTIME,),
        DropDecisionCriterion("uptime", "Nobody measures it"),
        DecisionCriterionDropped("uptime", "Nobody measures it"),
    ),
    (
        (),
        ObserveCriteriaStatus(CriteriaStatus.WITH_COMPETITOR, "acme", "wang"),
        CriteriaStatusObserved(CriteriaStatus.WITH_COMPETITOR, "acme", "wang"),
    ),
    ((UPTIME,), ScoreCriterion("uptime", "acme", 70, "li"), SCORED),
    ((UPTIME, SCORED), ScoreCriterion("uptime", "us", 0), CriterionScored("uptime", "us", 0)),
    (
        (UPTIME, SCORED, CriterionScored("uptime", "acme", 60)),
        ScoreCriterion("uptime", "acme", 70, "li"),
        SCORED,
    ),
    (
        (OurPartObserved(OurPart.CONTENDER),),
        ObserveOurPart(OurPart.PRICE_LEVER, "No time for us", "wang"),
        OurPartObserved(OurPart.PRICE_LEVER, "No time for us", "wang"),
    ),
    ((), SubmitProposal(ProposalKind.FORMAL, amount=usd("450")), FORMAL),
    (
        (FORMAL,),
        SubmitProposal(ProposalKind.FORMAL, amount=usd("430"), note="Without spares"),
        ProposalSubmitted(ProposalKind.FORMAL, 2, usd("430"), "Without spares"),
    ),
    (
        (FORMAL,),
        SubmitProposal(ProposalKind.BID, amount=usd("450")),
        ProposalSubmitted(ProposalKind.BID, 1, usd("450")),
    ),
    (
        (ProposalSubmitted(ProposalKind.FORMAL, 3), FORMAL),
        SubmitProposal(ProposalKind.FORMAL, amount=usd("450")),
        ProposalSubmitted(ProposalKind.FORMAL, 4, usd("450")),
    ),
    (
        (FORMAL,),
        SubmitProposal(ProposalKind.FORMAL, 2, usd("450")),
        ProposalSubmitted(ProposalKind.FORMAL, 2, usd("450")),
    ),
    (
        (BidReviewed(True, True, False),),
        ReviewBid(True, True, True, "Sealed"),
        BidReviewed(True, True, True, "Sealed"),
    ),
    ((), OpenBids(BIDS), BidOpened(BIDS)),
    (
        (VendorStatusChanged("us", VendorStatus.SHORTLISTED),),
        ChangeVendorStatus("us", VendorStatus.OUT, "wang", "Too late"),
        VendorStatusChanged("us", VendorStatus.OUT, "wang", "Too late"),
    ),
    (
        (PLAN,),
        RecordCommitment("visit", "See our plant", Party.CUSTOMER, "visit", "li", date(2026, 4, 1)),
        CommitmentRecorded(
            "visit", "See our plant", Party.CUSTOMER, "visit", "li", date(2026, 4, 1)
        ),
    ),
    (
        (),
        RecordCommitment("layout", "Draw it", Party.US, by="ann"),
        CommitmentRecorded("layout", "Draw it", Party.US, by="ann"),
    ),
    ((PLAN,), KeepCommitment("plan", "By mail"), KEPT),
    ((PLAN,), BreakCommitment("plan", "Forgotten"), BROKEN),
    (
        (TRIGGER,),
        ObserveCustomerEvent(CustomerEventKind.BUDGET, "Cut", date(2026, 6, 30)),
        CustomerEventObserved(CustomerEventKind.BUDGET, "Cut", date(2026, 6, 30)),
    ),
]

STAYS_QUIET: list[tuple[tuple[DealFact, ...], AnyBuyingCommand]] = [
    (
        (BuyingPhaseObserved("criteria"), BuyingPhaseObserved("decision", stakeholder="li")),
        ObserveBuyingPhase("decision", stakeholder="li"),
    ),
    ((ProjectApproved("li"),), ApproveProject("li")),
    ((BOARD,), RecordApprovalStep("board", ApprovalStepKind.APPROVAL, ("Board",))),
    (
        (BudgetObserved(BudgetStatus.NONE), OurPartObserved(OurPart.BACKUP)),
        ObserveBudget(BudgetStatus.NONE),
    ),
    (
        (PurchaseModeDeclared(PurchaseMethod.DIRECT),),
        DeclarePurchaseMode(PurchaseMethod.DIRECT),
    ),
    ((UPTIME, SCORED), SetDecisionCriterion("uptime", "Hours between failures", 60)),
    ((UPTIME, DecisionCriterionDropped("uptime")), DropDecisionCriterion("uptime")),
    (
        (CriteriaStatusObserved(CriteriaStatus.FORMING),),
        ObserveCriteriaStatus(CriteriaStatus.FORMING),
    ),
    (
        (UPTIME, SCORED, CriterionScored("uptime", "us", 80)),
        ScoreCriterion("uptime", "acme", 70, "li"),
    ),
    ((OurPartObserved(OurPart.BACKUP),), ObserveOurPart(OurPart.BACKUP)),
    ((FORMAL,), SubmitProposal(ProposalKind.FORMAL, amount=usd("450"))),
    (
        (FORMAL, ProposalSubmitted(ProposalKind.FORMAL, 2)),
        SubmitProposal(ProposalKind.FORMAL, 1, usd("450")),
    ),
    ((BidReviewed(True, True, True),), ReviewBid(True, True, True)),
    ((BidOpened(BIDS),), OpenBids(BIDS)),
    (
        (
            VendorStatusChanged("acme", VendorStatus.OUT),
            VendorStatusChanged("us", VendorStatus.OUT),
        ),
        ChangeVendorStatus("acme", VendorStatus.OUT),
    ),
    (
        (PLAN, KEPT),
        RecordCommitment("plan", "Send the layout", Party.US, due=date(2026, 3, 20)),
    ),
    ((PLAN, KEPT), KeepCommitment("plan", "By mail")),
    ((PLAN, BROKEN), BreakCommitment("plan", "Forgotten")),
    ((TRIGGER,), ObserveCustomerEvent(CustomerEventKind.TRIGGER, "The old press broke")),
]

NOBODY = "the deal has no stakeholder 'zhao'. There are: li, wang."
GHOST = "the deal has no competitor 'ghost'. There are: acme."
EUROS = Money.parse("5", "EUR")
WON, LOST = OpportunityWon(), OpportunityLost(LostOutcome.NO_DECISION)


def _words(message: str) -> tuple[str, ...]:
    """What is wrong, and what to do, of a refusal written as its two sentences."""
    return tuple(message.split(". ", 1))


REFUSES: list[tuple[tuple[DealFact, ...], AnyBuyingCommand, type[Refusal], str]] = [
    (
        (),
        ObserveBuyingPhase("buying"),
        UnknownReference,
        "the decision cycle has no phase 'buying'",
    ),
    (
        (),
        ObserveBuyingPhase("buying"),
        UnknownReference,
        "There are: satisfaction, acknowledgement",
    ),
    (
        (),
        ObserveBuyingPhase("bids-opened", STEPS),
        UnknownReference,
        "short/1 has no purchase step 'bids-opened'. Tell the phase in the words of the decision",
    ),
    ((), ObserveBuyingPhase("criteria", stakeholder="zhao"), UnknownReference, NOBODY),
    (
        (),
        ObserveBuyingPhase("criteria", contact="visit-9"),
        UnknownReference,
        "no contact 'visit-9'. There are: visit-1.",
    ),
    (
        (SubjectErased("li"),),
        ObserveBuyingPhase("criteria", stakeholder="li", evidence="Said so"),
        PersonErased,
        "without `evidence`",
    ),
    ((LOST,), ObserveBuyingPhase("criteria"), DealClosed, "no-decision"),
    ((), ApproveProject(by="zhao"), UnknownReference, NOBODY),
    ((WON,), RecordApprovalStep("board", ApprovalStepKind.APPROVAL), DealClosed, "won"),
    ((), ObserveBudget(BudgetStatus.NONE, told_by="zhao"), UnknownReference, NOBODY),
    ((), ObserveBudget(BudgetStatus.APPROVED, EUROS), CurrencyMismatch, "amount is in EUR"),
    (
        (),
        DeclarePurchaseMode(PurchaseMethod.DIRECT, pre_selected="ghost"),
        UnknownReference,
        GHOST,
    ),
    ((), DeclarePurchaseMode(PurchaseMethod.DIRECT, told_by="zhao"), UnknownReference, NOBODY),
    (
        (),
        DeclarePurchaseMode(PurchaseMethod.OPEN_TENDER, envelopes=0),
        OutOfRange,
        "envelopes is 0. Give a number from 1 to 3",
    ),
    ((), DeclarePurchaseMode(PurchaseMethod.OPEN_TENDER, envelopes=4), OutOfRange, "is 4"),
    (
        (),
        SetDecisionCriterion("price", "Price", need="pride"),
        UnknownReference,
        "no need 'pride'. There are: speed.",
    ),
    ((), SetDecisionCriterion("price", "Price", 101), OutOfRange, "price at 101"),
    ((), SetDecisionCriterion("price", "Price", -1), OutOfRange, "weight is -1"),
    (
        (UPTIME,),
        SetDecisionCriterion("price", "Price", 41),
        OutOfRange,
        "with price at 41 the criteria weigh 101 per cent together. Give up to 40, or lower",
    ),
    (
        (),
        DropDecisionCriterion("price"),
        UnknownReference,
        "scores on no criterion 'price'. Set it first with set-decision-criterion.",
    ),
    ((UPTIME,), DropDecisionCriterion("price"), UnknownReference, "There are: uptime. Set it"),
    (
        (UPTIME, DecisionCriterionDropped("uptime")),
        DropDecisionCriterion("uptime", "Said otherwise"),
        UnknownReference,
        "no criterion 'uptime'",
    ),
    (
        (),
        ObserveCriteriaStatus(CriteriaStatus.WITH_US, "acme"),
        UnknownReference,
        "criteria that are with-us are with no competitor, 'acme' is named. Leave `competitor`",
    ),
    (
        (),
        ObserveCriteriaStatus(CriteriaStatus.WITH_COMPETITOR, "ghost"),
        UnknownReference,
        GHOST,
    ),
    (
        (),
        ObserveCriteriaStatus(CriteriaStatus.WITH_COMPETITOR, "us"),
        UnknownReference,
        "no competitor 'us'",
    ),
    ((), ObserveCriteriaStatus(CriteriaStatus.NONE, told_by="zhao"), UnknownReference, NOBODY),
    ((), ScoreCriterion("uptime", "us", 70), UnknownReference, "no criterion 'uptime'"),
    ((UPTIME,), ScoreCriterion("uptime", "ghost", 70), UnknownReference, GHOST),
    ((UPTIME,), ScoreCriterion("uptime", "us", 70, "zhao"), UnknownReference, NOBODY),
    ((UPTIME,), ScoreCriterion("uptime", "us", 101), OutOfRange, "score is 101"),
    ((), ObserveOurPart(OurPart.BACKUP, told_by="zhao"), UnknownReference, NOBODY),
    (
        (FORMAL, ProposalSubmitted(ProposalKind.FORMAL, 2)),
        SubmitProposal(ProposalKind.FORMAL, 1, usd("430")),
        IdTaken,
        "version 1 of the formal proposal was submitted with other content. Submit it as version 3",
    ),
    ((), SubmitProposal(ProposalKind.BID, amount=EUROS), CurrencyMismatch, "amount is in EUR"),
    ((), SubmitProposal(ProposalKind.BID, -1), OutOfRange, "version is -1"),
    ((WON,), ReviewBid(True, True, True), DealClosed, "won"),
    ((), OpenBids((*BIDS, VendorBid("us"))), IdTaken, "'us' stands twice among the bids"),
    (
        (),
        OpenBids((VendorBid("us", rank=1), VendorBid("acme", rank=1))),
        IdTaken,
        "'1' stands twice among the ranks",
    ),
    ((), OpenBids((VendorBid("us", rank=0),)), OutOfRange, "rank of us is 0"),
    ((), OpenBids((VendorBid("ghost"),)), UnknownReference, GHOST),
    ((), OpenBids((VendorBid("us", EUROS),)), CurrencyMismatch, "price is in EUR"),
    ((), ChangeVendorStatus("ghost", VendorStatus.OUT), UnknownReference, GHOST),
    ((), ChangeVendorStatus("us", VendorStatus.OUT, "zhao"), UnknownReference, NOBODY),
    (
        (PLAN,),
        RecordCommitment("plan", "Send the drawing", Party.US),
        IdTaken,
        "'plan' was recorded with other content",
    ),
    ((), RecordCommitment("c", "Sign", Party.CUSTOMER, by="ann"), UnknownReference, "'ann'"),
    (
        (),
        KeepCommitment("plan"),
        UnknownReference,
        "there is no open commitment 'plan'. Record it first with record-commitment.",
    ),
    ((PLAN,), KeepCommitment("visit"), UnknownReference, "There are: plan. Record"),
    ((PLAN, KEPT), KeepCommitment("plan", "By hand"), UnknownReference, "no open commitment"),
    ((PLAN, BROKEN), KeepCommitment("plan"), UnknownReference, "no open commitment 'plan'"),
    ((), BreakCommitment("plan"), UnknownReference, "no open commitment 'plan'"),
    ((PLAN, KEPT), BreakCommitment("plan"), UnknownReference, "no open commitment 'plan'"),
    ((WON,), ObserveCustomerEvent(CustomerEventKind.BUDGET, "Cut"), DealClosed, "won"),
]


@pytest.mark.parametrize(("facts", "command", "fact"), ACTS)
def test_acts(facts: tuple[DealFact, ...], command: AnyBuyingCommand, fact: DealFact) -> None:
    before = given(opened(), *AROUND, *facts)
    after = before.when(command).then(fact)
    assert after.deal.purchase != before.deal.purchase
    after.when(command).nothing()


@pytest.mark.parametrize(("facts", "command"), STAYS_QUIET)
def test_stays_quiet(facts: tuple[DealFact, ...], command: AnyBuyingCommand) -> None:
    given(opened(), *AROUND, *facts).when(command).nothing()


@pytest.mark.parametrize(("facts", "command", "refusal", "words"), REFUSES)
def test_refuses(
    facts: tuple[DealFact, ...], command: AnyBuyingCommand, refusal: type[Refusal], words: str
) -> None:
    given(opened(), *AROUND, *facts).when(command).refused(refusal, *_words(words))


@pytest.mark.parametrize("table", [ACTS, STAYS_QUIET, REFUSES, [(0, row[1]) for row in ASKED]])
def test_every_command_is_tried(table: list[tuple[Any, ...]]) -> None:
    assert {type(row[1]) for row in table} == set(get_args(AnyBuyingCommand))


def test_every_fact_comes_of_a_command() -> None:
    assert {type(fact) for _, _, fact in ACTS} == set(get_args(AnyBuyingFact))


@pytest.mark.parametrize(("facts", "command"), ASKED)
def test_one_sound_command_of_every_type(facts: tuple[DealFact, ...], command: DealCommand) -> None:
    given(opened(), *facts).when(command).accepted().when(command).nothing()


@pytest.mark.parametrize(("facts", "command"), ASKED)
@pytest.mark.parametrize(
    ("outcome", "allowed"), [(WON, AFTER_ANY_OUTCOME | AFTER_WINNING), (LOST, AFTER_ANY_OUTCOME)]
)
def test_what_may_follow_an_outcome(
    facts: tuple[DealFact, ...], command: DealCommand, outcome: DealFact, allowed: set[type]
) -> None:
    answer = given(opened(), *facts, outcome).when(command)
    if type(command) in allowed:
        answer.accepted()
    else:
        answer.refused(DealClosed, "reopen the deal")


def test_the_phase_of_an_erased_person_is_recorded_without_evidence() -> None:
    erased = given(opened(), *AROUND, SubjectErased("li"))
    erased.when(ObserveBuyingPhase("criteria", stakeholder="li")).accepted()


# --- observations go stale --------------------------------------------------------------------

SEEN = given(opened(), *AROUND, on(10, BuyingPhaseObserved("criteria", stakeholder="li")))
BROKE = given(opened(), on(10, TRIGGER))
MOMENT = timedelta(microseconds=1)
AGAIN: list[tuple[Scenario, AnyBuyingCommand]] = [
    (SEEN, ObserveBuyingPhase("criteria", stakeholder="li")),
    (BROKE, ObserveCustomerEvent(CustomerEventKind.TRIGGER, "The old press broke")),
]


@pytest.mark.parametrize(("scenario", "command"), AGAIN)
def test_the_same_seen_again_within_a_day_is_no_news(
    scenario: Scenario, command: AnyBuyingCommand
) -> None:
    scenario.when(command, at=day(10)).nothing()
    scenario.when(command, at=day(11)).nothing()


@pytest.mark.parametrize(("scenario", "command"), AGAIN)
def test_the_same_seen_again_later_is_news(scenario: Scenario, command: AnyBuyingCommand) -> None:
    scenario.when(command, at=day(11) + MOMENT).accepted().when(command).nothing()
    scenario.when(command, at=day(50)).accepted().when(command, at=day(51)).nothing()


@pytest.mark.parametrize(("scenario", "command"), AGAIN)
def test_the_same_seen_earlier_is_entered_late(
    scenario: Scenario, command: AnyBuyingCommand
) -> None:
    scenario.when(command, at=day(9), now=day(20)).accepted()


# --- purchase steps -----------------------------------------------------------------------------


def test_a_purchase_step_is_one_of_the_deals_process() -> None:
    deal = given(TENDERING)
    deal.when(ObserveBuyingPhase("bids-opened", STEPS)).accepted()
    deal.when(ObserveBuyingPhase("bids-opened")).refused(UnknownReference, "decision cycle")
    answer = deal.when(ObserveBuyingPhase("investigation", STEPS))
    answer.refused(
        UnknownReference, "key-account/1 has no purchase step 'investigation'", "awarded"
    )


def test_a_step_seen_under_an_earlier_process_stands() -> None:
    seen = given(TENDERING, BuyingPhaseObserved("bids-in", STEPS))
    moved = seen.and_given(ProcessChanged(ProcessRef("short", 1), "proposal"))
    assert violations(moved.history.events, BOOK) == []
    moved.when(ObserveBuyingPhase("bids-in", STEPS), at=day(9)).refused(UnknownReference)


# --- weights ------------------------------------------------------------------------------------


def test_an_imported_table_may_weigh_more_than_a_whole() -> None:
    heavy = DecisionCriterionSet("price", "Price", 70)
    admissible(heavy, given(opened(), UPTIME).deal, BOOK)


def test_a_sum_that_is_too_high_can_be_lowered_and_not_raised() -> None:
    heavy = given(opened(), UPTIME, DecisionCriterionSet("price", "Price", 70))
    heavy.when(SetDecisionCriterion("price", "Price", 71)).refused(OutOfRange, "Give up to 40")
    heavy.when(SetDecisionCriterion("price", "Price per year", 70)).accepted()
    heavy.when(SetDecisionCriterion("price", "Price", 69)).accepted()
    heavy.when(SetDecisionCriterion("colour", "Colour", 1)).refused(OutOfRange, "Give up to 0")
    heavy.when(SetDecisionCriterion("colour", "Colour")).accepted()


def test_a_criterion_without_a_weight_weighs_nothing() -> None:
    unweighed = given(opened(), DecisionCriterionSet("colour", "Colour"))
    unweighed.when(SetDecisionCriterion("price", "Price", 100)).accepted()
    admissible(DecisionCriterionSet("price", "Price", 100), unweighed.deal, BOOK)
    with pytest.raises(OutOfRange):
        admissible(DecisionCriterionSet("price", "Price", 101), unweighed.deal, BOOK)


def test_a_dropped_criterion_weighs_nothing() -> None:
    dropped = given(opened(), UPTIME, DecisionCriterionDropped("uptime"))
    dropped.when(SetDecisionCriterion("price", "Price", 100)).accepted()


# --- late entries -------------------------------------------------------------------------------


def test_a_second_envelope_is_opened_after_the_first() -> None:
    technical = (VendorBid("us", score="84"), VendorBid("acme", score="81.5"))
    first = given(opened(), ACME, BidOpened(technical))
    both = first.when(OpenBids(BIDS)).accepted()
    both.when(OpenBids(BIDS)).nothing()
    assert [event.version for event in both.deal.purchase.openings] == [3, 4]
    first.when(OpenBids(BIDS[:1]), at=day(2), now=day(9)).accepted()


def test_a_criterion_cannot_be_dropped_before_it_was_scored() -> None:
    scored = given(opened(), UPTIME, on(5, CriterionScored("uptime", "us", 50)))
    late = scored.when(DropDecisionCriterion("uptime"), at=day(3), now=day(9))
    late.refused(BreaksLaterHistory, "criterion-scored")


def test_a_late_proposal_takes_a_version_of_its_own() -> None:
    formal = ProposalSubmitted(ProposalKind.FORMAL, 1, usd("9"))
    submitted = given(opened(), on(5, formal))
    late = submitted.when(
        SubmitProposal(ProposalKind.FORMAL, amount=usd("8")), at=day(3), now=day(9)
    )
    late.then(ProposalSubmitted(ProposalKind.FORMAL, 2, usd("8")))
