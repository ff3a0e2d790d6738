"""Commands of stages and forecast: each acts, stays quiet and refuses. Rule 1."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, get_args

import pytest

from domain.access import Principal, Role
from domain.lifecycle.facts import (
    LostOutcome,
    OpportunityLost,
    OpportunitySuspended,
    OpportunityWon,
    WinPlanSet,
)
from domain.people.facts import ContactKind, ContactMade, StakeholderIdentified
from domain.refusals import (
    CurrencyMismatch,
    DealClosed,
    DealSuspended,
    GateNotMet,
    NotWon,
    OutOfRange,
    ReasonMissing,
    Refusal,
    StagesSkipped,
    UnknownCriterion,
    UnknownReference,
    UnknownStage,
)
from domain.stages.commands import (
    AdvanceStage,
    AnyStagesCommand,
    AttestGateCriterion,
    RegressStage,
    ReviseForecast,
    RevokeGateCriterion,
)
from domain.stages.facts import (
    AnyStagesFact,
    ForecastRevised,
    GateCriterionAttested,
    GateCriterionRevoked,
    GateResult,
    MetCriterion,
    Override,
    RevisionCause,
    StageAdvanced,
    StageRegressed,
)
from domain.values import ForecastCategory, Money, Side
from tests.scenario import MANAGER, OPERATOR, OWNER, given, opened, usd

if TYPE_CHECKING:
    from domain.deal import DealFact

CONTACT = (opened(),)
PROPOSAL = (opened(stage="proposal"),)
LI = StakeholderIdentified("li", "Li")
VISIT = ContactMade("visit", ContactKind.VISIT, ("li",))
READY = (*PROPOSAL, GateCriterionAttested("need-confirmed", "Told by Li"), WinPlanSet("Win"))
CLOSING = (opened(stage="closing"),)
RESTING = (*PROPOSAL, OpportunitySuspended("Budget frozen"))
LOST = OpportunityLost(LostOutcome.NO_DECISION)
FORECAST = ForecastRevised(
    amount=usd("100"),
    expected_close=date(2026, 6, 30),
    probability=55,
    category=ForecastCategory.COMMIT,
)
MET = GateResult(
    (MetCriterion("need-confirmed", (2,), attested=True), MetCriterion("plan", (3,))), ()
)
MISSING = GateResult((), ("need-confirmed", "plan"))

ACTS: list[tuple[tuple[DealFact, ...], AnyStagesCommand, AnyStagesFact]] = [
    (CONTACT, AdvanceStage("proposal"), StageAdvanced("contact", "proposal", gate=GateResult())),
    (READY, AdvanceStage("closing"), StageAdvanced("proposal", "closing", gate=MET)),
    (
        READY,
        AdvanceStage("closing", override_reason="Not needed"),
        StageAdvanced("proposal", "closing", gate=MET),
    ),
    (
        PROPOSAL,
        AdvanceStage("closing", override_reason="The customer is in a hurry"),
        StageAdvanced(
            "proposal",
            "closing",
            gate=MISSING,
            override=Override("mei", "The customer is in a hurry"),
        ),
    ),
    (
        CONTACT,
        AdvanceStage("closing", "They bought before"),
        StageAdvanced(
            "contact",
            "closing",
            ("proposal",),
            GateResult(),
            Override("mei", "They bought before"),
        ),
    ),
    (
        (*CLOSING, OpportunityWon()),
        AdvanceStage("delivery"),
        StageAdvanced("closing", "delivery", gate=GateResult((MetCriterion("signed", (2,)),))),
    ),
    (
        (*PROPOSAL, OpportunityWon()),
        AdvanceStage("delivery", "Signed early"),
        StageAdvanced(
            "proposal", "delivery", ("closing",), MISSING, Override("mei", "Signed early")
        ),
    ),
    (
        CLOSING,
        RegressStage("contact", "Another buyer"),
        StageRegressed("closing", "contact", "Another buyer"),
    ),
    (
        CLOSING,
        RegressStage("proposal", "New wishes", Side.CUSTOMER),
        StageRegressed("closing", "proposal", "New wishes", Side.CUSTOMER),
    ),
    (
        CONTACT,
        AttestGateCriterion("need-confirmed", "Told by Li"),
        GateCriterionAttested("need-confirmed", "Told by Li"),
    ),
    (
        READY,
        AttestGateCriterion("need-confirmed", "One buyer only", applies=False),
        GateCriterionAttested("need-confirmed", "One buyer only", applies=False),
    ),
    (
        (*CLOSING, OpportunityWon()),
        AttestGateCriterion("accepted", "By mail"),
        GateCriterionAttested("accepted", "By mail"),
    ),
    (
        READY,
        RevokeGateCriterion("need-confirmed", "Li left"),
        GateCriterionRevoked("need-confirmed", "Li left"),
    ),
    (
        (*CONTACT, LI, VISIT),
        AttestGateCriterion("plan", "Nobody", applies=False, contact="visit", aspect="user"),
        GateCriterionAttested("plan", "Nobody", applies=False, contact="visit", aspect="user"),
    ),
    (
        # Of a part and of the whole are two attestations.
        (*READY, LI, VISIT),
        AttestGateCriterion("need-confirmed", "Told by Li", aspect="user"),
        GateCriterionAttested("need-confirmed", "Told by Li", aspect="user"),
    ),
    (
        READY,
        AttestGateCriterion("need-confirmed", "Told by Li", applies=False),
        GateCriterionAttested("need-confirmed", "Told by Li", applies=False),
    ),
    (
        (*READY, GateCriterionAttested("need-confirmed", "Nobody", False, aspect="user")),
        RevokeGateCriterion("need-confirmed", "Zhao came", "user"),
        GateCriterionRevoked("need-confirmed", "Zhao came", "user"),
    ),
    (CONTACT, ReviseForecast(amount=usd("9.5")), ForecastRevised(amount=usd("9.50"))),
    (
        (*CONTACT, LI, ForecastRevised(amount=usd("100"), probability=55)),
        ReviseForecast(
            amount=usd("120"),
            expected_close=date(2026, 6, 30),
            probability=55,
            category=ForecastCategory.OMITTED,
            told_by="li",
            cause=RevisionCause.TENDER,
            reason="Postponed",
        ),
        ForecastRevised(
            amount=usd("120"),
            expected_close=date(2026, 6, 30),
            category=ForecastCategory.OMITTED,
            told_by="li",
            cause=RevisionCause.TENDER,
            reason="Postponed",
        ),
    ),
    (
        (*CONTACT, FORECAST),
        ReviseForecast(amount=None, expected_close=None, probability=None, category=None),
        ForecastRevised(amount=None, expected_close=None, probability=None, category=None),
    ),
    (CONTACT, ReviseForecast(probability=0), ForecastRevised(probability=0)),
    (CONTACT, ReviseForecast(probability=100), ForecastRevised(probability=100)),
]

STAYS_QUIET: list[tuple[tuple[DealFact, ...], AnyStagesCommand]] = [
    (CLOSING, AdvanceStage("closing")),
    (CLOSING, RegressStage("closing", "Already there")),
    (READY, AttestGateCriterion("need-confirmed", "Told by Li")),
    (CONTACT, RevokeGateCriterion("need-confirmed", "Never attested")),
    (READY, RevokeGateCriterion("need-confirmed", "Never attested of that", "user")),
    (CONTACT, ReviseForecast()),
    (CONTACT, ReviseForecast(amount=None, probability=None, reason="Asked again")),
    (
        (*CONTACT, FORECAST),
        ReviseForecast(
            amount=usd("100.0"),
            expected_close=date(2026, 6, 30),
            probability=55,
            category=ForecastCategory.COMMIT,
            cause=RevisionCause.US,
        ),
    ),
]

REFUSES: list[tuple[tuple[DealFact, ...], AnyStagesCommand, type[Refusal], str]] = [
    (
        PROPOSAL,
        AdvanceStage("closing"),
        GateNotMet,
        "need-confirmed: need-confirmed is met; plan: plan",
    ),
    ((*READY[:2],), AdvanceStage("closing"), GateNotMet, "missing are plan"),
    (PROPOSAL, AdvanceStage("closing"), GateNotMet, "plan: set-win-plan; or attest-gate-criterion"),
    (CONTACT, AdvanceStage("closing"), StagesSkipped, "skips proposal"),
    (PROPOSAL, AdvanceStage("closing", override_reason=" "), ReasonMissing, "override_reason"),
    (CONTACT, AdvanceStage("nowhere"), UnknownStage, "contact, proposal, closing, delivery"),
    (CLOSING, AdvanceStage("contact"), UnknownStage, "Use regress-stage"),
    (CLOSING, AdvanceStage("delivery"), NotWon, "delivery comes after winning"),
    (CLOSING, AdvanceStage("delivery", "Soon"), NotWon, "Record the win"),
    ((*CONTACT, OpportunityWon()), AdvanceStage("proposal"), UnknownStage, "a selling stage"),
    ((*PROPOSAL, LOST), AdvanceStage("closing"), DealClosed, "no-decision"),
    ((*CONTACT, LOST), AdvanceStage("proposal", override_reason="Go"), DealClosed, "reopen"),
    (RESTING, AdvanceStage("closing"), DealSuspended, "Resume it"),
    (RESTING, RegressStage("contact", "R"), DealSuspended, "is suspended"),
    (CLOSING, RegressStage("nowhere", "R"), UnknownStage, "'nowhere'"),
    (CONTACT, RegressStage("closing", "R"), UnknownStage, "Use advance-stage"),
    (CLOSING, RegressStage("contact", ""), ReasonMissing, "reason"),
    (CLOSING, RegressStage("contact", " \n"), ReasonMissing, "reason"),
    ((*CLOSING, OpportunityWon()), RegressStage("contact", "R"), DealClosed, "won"),
    ((*CLOSING, LOST), RegressStage("contact", "R"), DealClosed, "no-decision"),
    (CONTACT, AttestGateCriterion("plan", "N", contact="visit"), UnknownReference, "'visit'"),
    ((*CONTACT, LI), ReviseForecast(probability=9, told_by="wang"), UnknownReference, "are: li"),
    (CONTACT, AttestGateCriterion("none", "N"), UnknownCriterion, "need-confirmed, plan, signed"),
    ((*CONTACT, LOST), AttestGateCriterion("plan", "N"), DealClosed, "no-decision"),
    ((*READY, LOST), RevokeGateCriterion("need-confirmed", "R"), DealClosed, "no-decision"),
    (CONTACT, ReviseForecast(amount=Money.parse("1", "EUR")), CurrencyMismatch, "amount is in EUR"),
    (CONTACT, ReviseForecast(probability=101), OutOfRange, "probability is 101"),
    (CONTACT, ReviseForecast(probability=-1), OutOfRange, "from 0 to 100"),
    ((*CONTACT, OpportunityWon()), ReviseForecast(probability=50), DealClosed, "won"),
    ((*CONTACT, LOST), ReviseForecast(amount=usd("1")), DealClosed, "no-decision"),
]


@pytest.mark.parametrize(("facts", "command", "fact"), ACTS)
def test_acts(facts: tuple[DealFact, ...], command: AnyStagesCommand, fact: DealFact) -> None:
    after = given(*facts).when(command, by=MANAGER).then(fact)
    assert after.deal != given(*facts).deal


@pytest.mark.parametrize(("facts", "command"), STAYS_QUIET)
def test_stays_quiet(facts: tuple[DealFact, ...], command: AnyStagesCommand) -> None:
    given(*facts).when(command).nothing()


@pytest.mark.parametrize(("facts", "command", "refusal", "words"), REFUSES)
def test_refuses(
    facts: tuple[DealFact, ...], command: AnyStagesCommand, refusal: type[Refusal], words: str
) -> None:
    given(*facts).when(command, by=MANAGER).refused(refusal, words)


@pytest.mark.parametrize("table", [ACTS, STAYS_QUIET, REFUSES])
def test_every_command_is_tried(table: list[tuple[Any, ...]]) -> None:
    assert {type(row[1]) for row in table} == set(get_args(AnyStagesCommand))


def test_every_fact_comes_of_a_command() -> None:
    assert {type(fact) for _, _, fact in ACTS} == set(get_args(AnyStagesFact))


@pytest.mark.parametrize(
    "by", [MANAGER, OPERATOR, Principal("ann", OWNER.roles | {Role.MANAGER}, MANAGER.units)]
)
def test_who_has_the_right_may_override(by: Principal) -> None:
    after = (
        given(*PROPOSAL)
        .when(AdvanceStage("closing", override_reason="In a hurry"), by=by)
        .accepted()
    )
    (advanced,) = [e.fact for e in after.history.events if isinstance(e.fact, StageAdvanced)]
    assert advanced.override == Override(by.id, "In a hurry")


def test_who_has_not_is_told_who_may() -> None:
    answer = given(*PROPOSAL).when(AdvanceStage("closing", override_reason="In a hurry"), by=OWNER)
    answer.refused(GateNotMet, "someone with the right to it")
    answer = given(*CONTACT).when(AdvanceStage("closing", "In a hurry"), by=OWNER)
    answer.refused(StagesSkipped, "someone with the right to it")


def test_a_criterion_that_does_not_apply_passes_the_gate() -> None:
    deal = given(*PROPOSAL, WinPlanSet("Win"))
    deal.when(AdvanceStage("closing")).refused(GateNotMet)
    attested = deal.when(AttestGateCriterion("need-confirmed", "By law", applies=False)).accepted()
    attested.when(AdvanceStage("closing")).accepted()


def test_a_revoked_attestation_closes_the_gate_again() -> None:
    revoked = given(*READY).when(RevokeGateCriterion("need-confirmed", "Li left")).accepted()
    revoked.when(AdvanceStage("closing")).refused(GateNotMet, "need-confirmed")


def test_stage_by_stage_to_the_end() -> None:
    won = (
        given(*READY).when(AdvanceStage("closing")).accepted().and_given(OpportunityWon(usd("10")))
    )
    assert won.when(AdvanceStage("delivery")).accepted().deal.stages.stage == "delivery"


def test_an_aspect_is_attested_once_and_revoked_apart() -> None:
    said = AttestGateCriterion("need-confirmed", "Nobody", applies=False, aspect="user")
    deal = given(*READY).when(said).accepted()
    deal.when(said).nothing()
    other = AttestGateCriterion("need-confirmed", "Nobody", applies=False, aspect="purchaser")
    deal.when(other).accepted()
    deal.when(RevokeGateCriterion("need-confirmed", "R", "purchaser")).nothing()
    revoked = deal.when(RevokeGateCriterion("need-confirmed", "R", "user")).accepted()
    assert revoked.deal.stages.attestation("need-confirmed") is not None
    assert revoked.deal.stages.attestation("need-confirmed", "user") is None
