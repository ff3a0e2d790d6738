"""The rules that hold for every command: time, outcomes, rights, money, names."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from msgspec import inspect

from domain import (
    buying,
    competition,
    corrections,
    lifecycle,
    needs,
    negotiation,
    people,
    stages,
)
from domain.access import Action, Principal, Role
from domain.corrections import EventWithdrawn, MergeDeal, WithdrawEvent
from domain.deal import (
    COMMAND_TYPES,
    FACT_TYPES,
    Deal,
    History,
    admissible,
    describe,
    evolve,
    replay,
    violations,
)
from domain.history import Fact, stored_name
from domain.intent import CLOCK_TOLERANCE, Command, command_name
from domain.lifecycle.commands import (
    AddNote,
    AssessOpportunity,
    AssignTeamMember,
    ChangeOwner,
    ChangeProcess,
    ChooseStrategy,
    CompleteNextStep,
    IdentifyExpansion,
    LoseOpportunity,
    MeasureSatisfaction,
    OpenOpportunity,
    PlanNextStep,
    QualifyLead,
    ReachDeliveryMilestone,
    RecordDebrief,
    RecordOutcomeReason,
    ReleaseTeamMember,
    ReopenOpportunity,
    ResumeOpportunity,
    ReviseOpportunity,
    SetWinPlan,
    SuspendOpportunity,
    WinOpportunity,
)
from domain.lifecycle.facts import (
    DeliveryMilestone,
    LostOutcome,
    NextStepPlanned,
    NoteAdded,
    OpportunityLost,
    OpportunityReopened,
    OpportunityResumed,
    OpportunitySuspended,
    OpportunityWon,
    OwnerChanged,
    QualificationLevel,
    ReasonDriver,
    SatisfactionMeasure,
    Strategy,
    TeamMemberAssigned,
    TeamMemberReleased,
    Teller,
    WinPlanSet,
)
from domain.refusals import (
    BeforeOpening,
    BreaksLaterHistory,
    CurrencyMismatch,
    DealAlreadyOpened,
    DealClosed,
    DealNotOpened,
    DealNotSuspended,
    GateNotMet,
    InTheFuture,
    NotAllowed,
    NotWon,
    Refusal,
    TextNotLegible,
    UnknownProcess,
    UnknownReference,
    UnknownStage,
)
from domain.stages.commands import (
    AdvanceStage,
    AttestGateCriterion,
    RegressStage,
    ReviseForecast,
    RevokeGateCriterion,
)
from domain.stages.facts import (
    ForecastRevised,
    GateCriterionAttested,
    GateCriterionRevoked,
    StageAdvanced,
    StageRegressed,
)
from domain.values import Money, ProcessRef
from tests.domain.buying import asked as of_buying
from tests.domain.competition import asked as of_competition
from tests.domain.needs import asked as of_needs
from tests.domain.negotiation import asked as of_negotiation
from tests.domain.people import asked as of_people
from tests.scenario import (
    BOOK,
    COLLEAGUE,
    LONGER,
    MANAGER,
    OPERATOR,
    OWNER,
    SHORT,
    Scenario,
    day,
    given,
    on,
    opened,
    usd,
)

if TYPE_CHECKING:
    from domain.deal import DealCommand, DealFact

# --- names --------------------------------------------------------------------------------

STORED_NAMES = """
opportunity-opened opportunity-revised process-changed owner-changed team-member-assigned
team-member-released lead-qualified opportunity-assessed win-plan-set strategy-chosen
next-step-planned next-step-completed opportunity-suspended opportunity-resumed opportunity-won
opportunity-lost outcome-reason-recorded opportunity-reopened delivery-milestone-reached
satisfaction-measured expansion-identified debrief-recorded note-added
stage-advanced stage-regressed gate-criterion-attested gate-criterion-revoked forecast-revised
buying-phase-observed project-approved approval-step-recorded budget-observed
purchase-mode-declared decision-criterion-set decision-criterion-dropped criteria-status-observed
criterion-scored our-part-observed proposal-submitted bid-reviewed bid-opened vendor-status-changed
commitment-recorded commitment-kept commitment-broken customer-event-observed
stakeholder-identified stakeholder-revised stakeholder-assessed relation-recorded leaning-observed
stakeholder-departed contact-made minutes-sent subject-erased
need-uncovered need-developed requirement-stated value-confirmed positioning-accepted
concern-raised concern-assigned
concern-resolved concern-accepted fact-recorded fact-checked
competitor-identified competitor-moved position-assessed
quote-issued negotiation-opened walk-away-revised their-walk-away-estimated walk-away-pressed
offer-made offer-answered concession-made condition-fulfilled approval-requested approval-granted
approval-refused term-agreed term-reopened negotiation-concluded
event-withdrawn deal-merged
"""
KEBAB_CASE = re.compile(r"[a-z]+(-[a-z]+)*")
IRREGULAR = ("won", "lost", "set", "chosen", "withdrawn", "made", "sent", "kept", "broken")


def leaves(base: type) -> set[type]:
    """The classes of a deal's families below `base` that have no subclasses."""
    below: list[type] = base.__subclasses__()
    return {leaf for cls in below for leaf in leaves(cls)} if below else {base}


ROOMS = (buying, competition, corrections, lifecycle, needs, negotiation, people, stages)


def of_families(classes: set[type]) -> set[type]:
    rooms = tuple(room.__name__ for room in ROOMS)
    return {cls for cls in classes if cls.__module__.startswith(rooms)}


def test_facts_are_stored_under_the_names_of_the_trade() -> None:
    assert sorted(map(stored_name, FACT_TYPES)) == sorted(STORED_NAMES.split())


def test_no_fact_and_no_command_is_forgotten() -> None:
    assert set(FACT_TYPES) == of_families(leaves(Fact))
    assert set(COMMAND_TYPES) == of_families(leaves(Command))


@pytest.mark.parametrize("fact_type", FACT_TYPES)
def test_facts_are_named_in_the_past_tense(fact_type: type[Fact]) -> None:
    name = stored_name(fact_type)
    assert KEBAB_CASE.fullmatch(name)
    assert name.endswith(("ed", *(f"-{word}" for word in IRREGULAR)))


@pytest.mark.parametrize("command_type", COMMAND_TYPES)
def test_commands_are_named_in_the_imperative_after_their_class(
    command_type: type[Command],
) -> None:
    name = command_name(command_type)
    assert name == re.sub(r"(?<!^)(?=[A-Z])", "-", command_type.__name__).lower()
    assert not name.split("-")[0].endswith("ed")


def test_names_are_unique() -> None:
    assert len(set(map(stored_name, FACT_TYPES))) == len(FACT_TYPES)
    assert len(set(map(command_name, COMMAND_TYPES))) == len(COMMAND_TYPES)


@pytest.mark.parametrize("cls", [*FACT_TYPES, *COMMAND_TYPES])
def test_every_fact_and_command_is_documented(cls: type) -> None:
    assert cls.__doc__
    assert cls.__doc__ != cls.__base__.__doc__


# --- one sound command of every type, with what has to have happened before ---------------

VISIT = NextStepPlanned("visit", "Visit", "ann")
LOST = OpportunityLost(LostOutcome.NO_DECISION)
ASKED: list[tuple[tuple[DealFact, ...], DealCommand]] = [
    ((), ReviseOpportunity(name="Other")),
    ((), ChangeProcess(LONGER.ref)),
    ((), ChangeOwner("bo")),
    ((), AssignTeamMember("bo", "engineer")),
    ((TeamMemberAssigned("cy", "lawyer"),), ReleaseTeamMember("cy", "lawyer")),
    ((), QualifyLead(QualificationLevel.LEAD)),
    ((), AssessOpportunity(3, 3)),
    ((), SetWinPlan("Win")),
    ((), ChooseStrategy(Strategy.DEEPEN)),
    ((), PlanNextStep("call", "Call", "ann")),
    ((VISIT,), CompleteNextStep("visit")),
    ((), SuspendOpportunity("Rest")),
    ((OpportunitySuspended("Rest"),), ResumeOpportunity()),
    ((), WinOpportunity()),
    ((), LoseOpportunity(LostOutcome.UNKNOWN)),
    ((LOST,), RecordOutcomeReason(Teller.BUYER, ReasonDriver.PRICE, "Dear")),
    ((LOST,), ReopenOpportunity("They called")),
    ((OpportunityWon(),), ReachDeliveryMilestone(DeliveryMilestone.STARTED)),
    ((OpportunityWon(),), MeasureSatisfaction(SatisfactionMeasure.NPS, 9)),
    ((), IdentifyExpansion("More")),
    ((), RecordDebrief(("Ask",))),
    ((), AddNote("Friendly")),
    ((), AdvanceStage("proposal")),
    ((StageAdvanced("contact", "proposal"),), RegressStage("contact", "Back")),
    ((), AttestGateCriterion("plan", "Seen")),
    ((GateCriterionAttested("plan", "Seen"),), RevokeGateCriterion("plan", "Lost")),
    ((), ReviseForecast(probability=50)),
    ((NoteAdded("Wrong"),), WithdrawEvent(2, "Wrong deal")),
    ((), MergeDeal("d-2", "Entered twice")),
]
OF_FAMILIES = [
    *of_buying.ASKED,
    *of_people.ASKED,
    *of_needs.ASKED,
    *of_competition.ASKED,
    *of_negotiation.ASKED,
]
ASKED += OF_FAMILIES
OPEN_IT = OpenOpportunity("Press line", "ann", "USD", SHORT.ref)
COMMANDS = [OPEN_IT, *(command for _, command in ASKED)]


def test_the_list_has_every_command() -> None:
    assert {type(command) for command in COMMANDS} == set(COMMAND_TYPES)


@pytest.mark.parametrize(("facts", "command"), ASKED)
def test_each_acts(facts: tuple[DealFact, ...], command: DealCommand) -> None:
    given(opened(), *facts).when(command, by=asker(command)).accepted()


def asker(command: DealCommand) -> Principal:
    """Who may give it: the owner, unless it takes another right."""
    return {Action.ERASE: OPERATOR, Action.APPROVE: MANAGER}.get(command.right, OWNER)


@pytest.mark.parametrize("command", [command for _, command in ASKED])
def test_each_refuses_a_deal_that_is_not_open(command: DealCommand) -> None:
    given().when(command).refused(DealNotOpened, "open-opportunity")


# --- rule 7: time ------------------------------------------------------------------------

MOMENT = timedelta(microseconds=1)


@pytest.mark.parametrize("command", COMMANDS)
def test_nothing_occurs_in_the_future(command: DealCommand) -> None:
    now = day(5)
    answer = given(opened()).when(command, at=now + CLOCK_TOLERANCE + MOMENT, now=now)
    answer.refused(InTheFuture, "lies in the future")


def test_clocks_may_differ_by_two_minutes() -> None:
    assert timedelta(minutes=2) == CLOCK_TOLERANCE
    given(opened()).when(AddNote("N"), at=day(5) + CLOCK_TOLERANCE, now=day(5)).accepted()
    given().when(OPEN_IT, at=day(5) + CLOCK_TOLERANCE, now=day(5)).accepted()
    given().when(OPEN_IT, at=day(6), now=day(5)).refused(InTheFuture)


@pytest.mark.parametrize(("facts", "command"), ASKED)
def test_nothing_occurs_before_the_opening(
    facts: tuple[DealFact, ...], command: DealCommand
) -> None:
    deal = given(opened(), *facts)
    deal.when(command, at=day(0) - MOMENT, now=day(99)).refused(BeforeOpening, "2026-03-02 09:00")


def test_something_may_occur_at_the_moment_of_the_opening() -> None:
    given(opened()).when(AddNote("N"), at=day(0), now=day(9)).accepted()


def test_a_deal_may_be_opened_late() -> None:
    assert given().when(OPEN_IT, at=day(-400), now=day(9)).accepted().deal.life.opened_at == day(
        -400
    )


def test_an_opening_repeated_with_an_earlier_time_is_still_a_repetition() -> None:
    given(opened()).when(OPEN_IT, at=day(-1), now=day(9)).nothing()


LATER = (
    StageAdvanced("contact", "proposal"),
    ForecastRevised(amount=usd("100"), expected_close=date(2026, 6, 30)),
    LOST,
)
"""Of days 1, 2 and 3."""


def test_a_late_entry_stands_at_its_true_time() -> None:
    late = (
        given(opened(), *LATER)
        .when(ReviseForecast(amount=usd("50")), at=day(1.5), now=day(9))
        .then(ForecastRevised(amount=usd("50")))
    )
    assert late.history.at(as_of=day(1.4)).amount is None
    assert late.history.at(as_of=day(1.5)).amount == usd("50")
    assert late.history.at(as_of=day(2)).amount == usd("100")
    assert late.history.at(as_of=day(1.5), known_at=day(8)).amount is None
    assert late.deal.amount == usd("100")


def test_a_late_entry_meets_the_state_of_its_time() -> None:
    deal = given(opened(), ForecastRevised(amount=usd("1")), ForecastRevised(amount=usd("2")))
    deal.when(ReviseForecast(amount=usd("2")), at=day(1.5), now=day(9)).accepted()
    deal.when(ReviseForecast(amount=usd("1")), at=day(1.5), now=day(9)).nothing()


def test_a_late_entry_before_an_outcome_is_taken_and_after_it_refused() -> None:
    deal = given(opened(), *LATER)
    deal.when(SetWinPlan("Win"), at=day(2.9), now=day(9)).accepted()
    deal.when(SetWinPlan("Win"), at=day(3), now=day(9)).refused(DealClosed)
    deal.when(SetWinPlan("Win"), at=day(4), now=day(9)).refused(DealClosed)


def test_a_gate_is_judged_by_what_was_so_at_the_time() -> None:
    deal = given(
        opened(stage="proposal"),
        on(1, GateCriterionAttested("need-confirmed", "By Li")),
        on(5, WinPlanSet("Win")),
    )
    deal.when(AdvanceStage("closing"), at=day(4), now=day(9)).refused(GateNotMet, "plan")
    deal.when(AdvanceStage("closing"), at=day(5), now=day(9)).accepted()


@pytest.mark.parametrize(
    ("later", "command", "words"),
    [
        (LATER, AdvanceStage("proposal"), "version 2, stage-advanced"),
        (LATER, WinOpportunity(), "version 2, stage-advanced"),
        (LATER[1:], LoseOpportunity(LostOutcome.VOIDED), "version 2, forecast-revised"),
        (LATER, SuspendOpportunity("Rest"), "version 2, stage-advanced"),
        ((OpportunitySuspended("Rest"),), SuspendOpportunity("Rest"), "opportunity-suspended"),
        ((LOST, OpportunityReopened("contact", "R")), WinOpportunity(), "opportunity-lost"),
    ],
)
def test_what_follows_a_late_entry_has_to_stay_legal(
    later: tuple[DealFact, ...], command: DealCommand, words: str
) -> None:
    answer = given(opened(), *later).when(command, at=day(0.5), now=day(9))
    answer.refused(BreaksLaterHistory, words, "could then not have happened")


def test_a_move_that_was_forgotten_fits_between_those_that_stand() -> None:
    deal = given(opened(), on(1, StageAdvanced("contact", "proposal")), on(5, NoteAdded("N")))
    late = deal.when(RegressStage("contact", "Back"), at=day(3), now=day(9)).accepted()
    assert late.deal.stages.stage == "contact"
    assert late.history.at(as_of=day(2)).stages.stage == "proposal"


def test_an_outcome_and_its_reopening_can_be_entered_late_when_nothing_comes_between() -> None:
    deal = given(opened(), on(1, NoteAdded("Before")), on(9, NoteAdded("After")))
    lost = deal.when(LoseOpportunity(LostOutcome.NO_DECISION), at=day(2), now=day(10)).accepted()
    open_again = lost.when(ReopenOpportunity("Back"), at=day(4), now=day(10)).accepted()
    assert open_again.history.at(as_of=day(3)).life.status == "lost"
    assert open_again.deal.life.status == "open"


def test_what_was_unsound_before_holds_no_late_entry_back() -> None:
    imported = Scenario().and_given(
        opened(), on(3, OpportunityResumed()), on(4, StageAdvanced("proposal", "closing"))
    )
    assert [version for version, _ in violations(imported.history.events, BOOK)] == [2, 3]
    imported.when(AddNote("Late"), at=day(1), now=day(9)).accepted()


# --- rule 2: outcomes --------------------------------------------------------------------

AFTER_ANY_OUTCOME = {
    RecordOutcomeReason,
    RecordDebrief,
    AddNote,
    ReopenOpportunity,
    WithdrawEvent,
    MergeDeal,
}
AFTER_WINNING = AFTER_ANY_OUTCOME | {
    AdvanceStage,
    AttestGateCriterion,
    RevokeGateCriterion,
    ReachDeliveryMilestone,
    MeasureSatisfaction,
    IdentifyExpansion,
}
BEFORE: tuple[DealFact, ...] = (
    opened(stage="closing"),
    VISIT,
    TeamMemberAssigned("cy", "lawyer"),
    GateCriterionAttested("plan", "Heard of"),
)
ASKED_OF_THE_DEAL = [
    (facts, command)
    for facts, command in ASKED[: -len(OF_FAMILIES)]
    if type(command) not in {AdvanceStage, WinOpportunity}
]
CLOSED_COMMANDS = [
    *(command for _, command in ASKED_OF_THE_DEAL),
    AdvanceStage("delivery"),
    WinOpportunity(usd("1")),
]


@pytest.mark.parametrize("command", CLOSED_COMMANDS)
@pytest.mark.parametrize(
    ("outcome", "allowed"),
    [
        (OpportunityWon(), AFTER_WINNING),
        (LOST, AFTER_ANY_OUTCOME),
        (OpportunityLost(LostOutcome.VOIDED), AFTER_ANY_OUTCOME),
    ],
)
def test_what_may_follow_an_outcome(
    outcome: DealFact, allowed: set[type], command: DealCommand
) -> None:
    answer = given(*BEFORE, outcome).when(command)
    if type(command) in allowed:
        answer.accepted()
    else:
        answer.refused(DealClosed, "reopen the deal")


def test_the_outcomes_are_tried_with_every_command() -> None:
    tried = (OPEN_IT, *CLOSED_COMMANDS, *(command for _, command in OF_FAMILIES))
    assert {type(command) for command in tried} == set(COMMAND_TYPES)


FAMILIES_AFTER_ANY_OUTCOME = set().union(
    *(one.AFTER_ANY_OUTCOME for one in (of_buying, of_people, of_needs, of_competition)),
    of_negotiation.AFTER_ANY_OUTCOME,
)
FAMILIES_AFTER_WINNING = FAMILIES_AFTER_ANY_OUTCOME.union(
    *(one.AFTER_WINNING for one in (of_buying, of_people, of_needs, of_competition)),
    of_negotiation.AFTER_WINNING,
)


@pytest.mark.parametrize(("facts", "command"), OF_FAMILIES)
@pytest.mark.parametrize(
    ("outcome", "allowed"),
    [
        (OpportunityWon(), FAMILIES_AFTER_WINNING),
        (LOST, FAMILIES_AFTER_ANY_OUTCOME),
    ],
)
def test_what_of_the_families_may_follow_an_outcome(
    outcome: DealFact,
    allowed: set[type],
    facts: tuple[DealFact, ...],
    command: DealCommand,
) -> None:
    answer = given(opened(), *facts, outcome).when(command, by=asker(command))
    if type(command) in allowed:
        answer.accepted()
    else:
        answer.refused(DealClosed, "reopen the deal")


def test_a_reopened_deal_goes_on() -> None:
    lost = given(opened(), LOST)
    again = lost.when(ReopenOpportunity("They called")).accepted()
    again.when(AdvanceStage("proposal")).accepted().and_given(OpportunityWon(usd("5")))


# --- rule 3: money ------------------------------------------------------------------------


EUROS = Money.parse("5", "EUR")


def with_euros(value: Any) -> Any:
    """The same with all money, also inside of values, in another currency."""
    match value:
        case Money():
            return EUROS
        case tuple():
            return tuple(map(with_euros, value))
        case msgspec.Struct():
            changed = {n: with_euros(getattr(value, n)) for n in value.__struct_fields__}
            return msgspec.structs.replace(value, **changed)
        case _:
            return value


DEAR = [
    ((), ReviseForecast(amount=EUROS)),
    ((), WinOpportunity(EUROS)),
    ((), IdentifyExpansion("More", amount=EUROS)),
    *((facts, dear) for facts, command in OF_FAMILIES if (dear := with_euros(command)) != command),
]


@pytest.mark.parametrize(("facts", "command"), DEAR)
def test_money_on_a_deal_is_in_its_currency(
    facts: tuple[DealFact, ...], command: DealCommand
) -> None:
    given(opened(), *facts).when(command).refused(CurrencyMismatch, "in EUR, the deal in USD")


@pytest.mark.parametrize("text", [" ", "\n\t", "a\0b"])
def test_texts_say_something_and_can_be_kept(text: str) -> None:
    deal = given(opened(), WinPlanSet("Visit"))
    for command in (AddNote(text), WithdrawEvent(2, text), ReviseOpportunity(products=("x", text))):
        deal.when(command).refused(TextNotLegible)
    deal.when(AddNote("今年")).accepted()


def test_every_command_with_money_is_tried() -> None:
    with_money = {cls for cls in COMMAND_TYPES if holds_money(inspect.type_info(cls))}
    assert with_money == {type(command) for _, command in DEAR}


def holds_money(kind: inspect.Type) -> bool:
    match kind:
        case inspect.StructType(cls=cls, fields=fields):
            return cls is Money or any(holds_money(field.type) for field in fields)
        case inspect.UnionType(types=types):
            return any(map(holds_money, types))
        case inspect.VarTupleType(item_type=item):
            return holds_money(item)
        case _:
            return False


# --- rule 13: rights ---------------------------------------------------------------------


@pytest.mark.parametrize(("facts", "command"), ASKED)
def test_who_has_no_part_in_the_deal_may_not(
    facts: tuple[DealFact, ...], command: DealCommand
) -> None:
    deal = given(opened(), *facts)
    deal.when(command, by=COLLEAGUE).refused(NotAllowed, "bo (seller) may not")
    deal.when(command, by=Principal("ann")).refused(NotAllowed, "no role")


def test_who_may_open_a_deal() -> None:
    given().when(OPEN_IT, by=COLLEAGUE).accepted()
    given().when(OPEN_IT, by=MANAGER).accepted()
    given().when(OPEN_IT, by=Principal("al", frozenset({Role.ANALYST}))).refused(NotAllowed)


def test_members_of_the_team_may_until_they_are_released() -> None:
    joined = given(opened(), TeamMemberAssigned("bo", "engineer"))
    joined.when(AddNote("N"), by=COLLEAGUE).accepted()
    left = joined.and_given(TeamMemberReleased("bo", "engineer"))
    left.when(AddNote("N"), by=COLLEAGUE).refused(NotAllowed)


def test_rights_are_those_of_today_also_for_what_happened_earlier() -> None:
    handed = given(opened(), on(5, OwnerChanged("bo")))
    handed.when(AddNote("N"), at=day(2), now=day(9), by=COLLEAGUE).accepted()
    handed.when(AddNote("N"), at=day(2), now=day(9), by=OWNER).refused(NotAllowed)


# --- rules 10 and 12: what every history obeys, and how it folds --------------------------


def test_imported_moves_may_break_gates_and_skip_stages() -> None:
    deal = given(opened(stage="proposal")).deal
    admissible(StageAdvanced("proposal", "closing"), deal, BOOK)
    given(opened(), StageAdvanced("contact", "closing"), StageRegressed("closing", "contact"))


OPENED, ENDED, RESTING = (
    given(opened()),
    given(opened(), LOST),
    given(opened(), OpportunitySuspended("R")),
)


@pytest.mark.parametrize(
    ("before", "fact", "refusal"),
    [
        (given(), NoteAdded("N"), DealNotOpened),
        (given(), EventWithdrawn((1,), "R"), DealNotOpened),
        (given(), opened(process=ProcessRef("short", 7)), UnknownProcess),
        (OPENED, opened(), DealAlreadyOpened),
        (ENDED, opened(), DealAlreadyOpened),
        (ENDED, ForecastRevised(probability=1), DealClosed),
        (OPENED, OpportunityResumed(), DealNotSuspended),
        (OPENED, StageAdvanced("proposal", "closing"), UnknownStage),
        (OPENED, StageAdvanced("contact", "nowhere"), UnknownStage),
        (OPENED, StageAdvanced("contact", "contact"), UnknownStage),
        (OPENED, StageAdvanced("contact", "delivery"), NotWon),
        (OPENED, StageRegressed("contact", "proposal"), UnknownStage),
        (OPENED, StageRegressed("contact", "contact"), UnknownStage),
        (given(opened(stage="closing")), StageAdvanced("closing", "contact"), UnknownStage),
        (RESTING, StageAdvanced("contact", "proposal"), Refusal),
        (OPENED, TeamMemberReleased("bo", "engineer"), UnknownReference),
        (OPENED, GateCriterionRevoked("plan", "R"), UnknownReference),
        (
            given(opened(), TeamMemberAssigned("bo", "engineer")),
            TeamMemberReleased("bo", "lawyer"),
            UnknownReference,
        ),
    ],
)
def test_structure_holds_for_imported_histories_too(
    before: Scenario, fact: DealFact, refusal: type[Refusal]
) -> None:
    with pytest.raises(refusal):
        admissible(fact, before.deal, BOOK, before.history.events)


def test_a_deal_begins_with_its_opening_in_order_of_occurrence() -> None:
    unsound = Scenario().and_given(opened(), on(-1, NoteAdded("Too early"))).history.events
    ((version, refusal),) = violations(unsound, BOOK)
    assert (version, type(refusal)) == (2, DealNotOpened)


def test_without_its_opening_nothing_of_a_history_is_sound() -> None:
    headless = Scenario().and_given(
        OpportunityResumed(), StageAdvanced("contact", "proposal"), LOST, opened(), NoteAdded("N")
    )
    found = violations(headless.history.events, BOOK)
    assert [(version, type(refusal)) for version, refusal in found] == [
        (1, DealNotOpened),
        (2, DealNotOpened),
        (3, DealNotOpened),
    ]
    unopened = Scenario().and_given(OpportunityResumed())
    unopened.when(AddNote("N")).refused(DealNotOpened)


def test_withdrawn_events_break_no_rule() -> None:
    unsound = Scenario().and_given(opened(), OpportunityResumed())
    assert len(violations(unsound.history.events, BOOK)) == 1
    withdrawn = unsound.when(WithdrawEvent(2, "Wrong")).accepted()
    assert violations(withdrawn.history.events, BOOK) == []


def test_a_history_grows_event_by_event_to_the_same_state() -> None:
    events = given(opened(), *LATER, on(1.5, NoteAdded("Late"))).history.events
    grown = History(events[0].stream)
    assert (grown.version, grown.deal) == (0, Deal())
    for event in events:
        grown = grown.extended([event])
    assert grown == History.of(events[0].stream, events)
    assert grown.version == 5
    assert grown.extended([]) == grown


def test_a_late_event_and_a_withdrawal_refold() -> None:
    deal = given(opened(), ForecastRevised(amount=usd("2")))
    late = deal.and_given(on(0.5, ForecastRevised(amount=usd("1"), probability=30)))
    grown = deal.history.extended(late.history.events[2:])
    assert (grown.deal.amount, grown.deal.stages.probability) == (usd("2"), 30)
    withdrawn = late.and_given(EventWithdrawn((2,), "Wrong"))
    grown = late.history.extended(withdrawn.history.events[3:])
    assert grown.deal.amount == usd("1")


def test_several_new_events_fold_in_their_own_order() -> None:
    deal = given(opened())
    pair = deal.and_given(
        on(4, ForecastRevised(amount=usd("4"))), on(3, ForecastRevised(amount=usd("3")))
    )
    assert deal.history.extended(pair.history.events[1:]).deal.amount == usd("4")


def test_events_of_one_moment_fold_in_order_of_version() -> None:
    tied = given(
        opened(),
        on(1, ForecastRevised(amount=usd("1"))),
        on(1, ForecastRevised(amount=usd("2"))),
    )
    assert tied.deal.amount == usd("2")
    assert replay(reversed(tied.history.events)).amount == usd("2")


def test_a_stored_event_that_makes_no_sense_is_folded_all_the_same() -> None:
    deal = Deal()
    for event in (
        Scenario().and_given(LOST, opened(), opened(), OpportunityReopened("x", "R")).history.events
    ):
        deal = evolve(deal, event)
    assert deal.life.status == "open"


def test_the_families_tell_what_happened() -> None:
    events = given(opened(), LATER[0], EventWithdrawn((2,), "Wrong deal")).history.events
    told = [describe(event, Deal()) for event in events]
    assert told == [
        "opened 'Press line' in contact of short/1",
        "advanced from contact to proposal",
        "withdrew event 2: Wrong deal",
    ]
