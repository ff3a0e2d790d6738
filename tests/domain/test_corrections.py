"""Withdrawal of a whole command, which every fold then skips; and the end of a duplicate."""

import pytest

from domain.competition.commands import IdentifyCompetitor
from domain.corrections import (
    AnyCorrectionsFact,
    DealMerged,
    EventWithdrawn,
    MergeDeal,
    WithdrawEvent,
    describe,
    standing,
    withdrawn_versions,
)
from domain.deal import DealCommand, DealFact, admissible, replay
from domain.history import Draft
from domain.lifecycle.commands import (
    AddNote,
    RecordDebrief,
    RecordOutcomeReason,
    ReopenOpportunity,
    SetWinPlan,
    WinOpportunity,
)
from domain.lifecycle.facts import (
    LostOutcome,
    NextStepCompleted,
    NextStepPlanned,
    NoteAdded,
    OpportunityLost,
    OpportunityReopened,
    OpportunityResumed,
    OpportunitySuspended,
    OpportunityWon,
    OwnerChanged,
    ReasonDriver,
    Teller,
    WinPlanSet,
)
from domain.lifecycle.life import Status
from domain.people.commands import RecordContact
from domain.people.facts import ContactKind, StakeholderIdentified
from domain.refusals import (
    BreaksLaterHistory,
    CannotWithdraw,
    DealClosed,
    DealNotOpened,
    NotAllowed,
    Refusal,
    UnknownReference,
)
from domain.stages.commands import AdvanceStage, AttestGateCriterion
from domain.stages.facts import ForecastRevised, StageAdvanced
from tests.scenario import COLLEAGUE, MANAGER, Scenario, day, given, on, opened, usd

WITHDRAW = "Entered on the wrong deal"


def test_a_withdrawn_event_no_longer_counts() -> None:
    note = given(opened(), NoteAdded("Wrong"), NoteAdded("Right"))
    after = note.when(WithdrawEvent(2, WITHDRAW)).then(EventWithdrawn((2,), WITHDRAW))
    assert [event.fact.text for event in after.deal.life.notes] == ["Right"]
    assert after.history.version == 4


def test_a_command_is_withdrawn_whole() -> None:
    together = given(
        opened(),
        on(1, NoteAdded("One"), command_id="both"),
        on(2, NoteAdded("Between")),
        on(3, NoteAdded("Two"), command_id="both"),
    )
    for version in (2, 4):
        asked = together.when(WithdrawEvent(version, WITHDRAW))
        after = asked.then(EventWithdrawn((2, 4), WITHDRAW))
        assert [event.fact.text for event in after.deal.life.notes] == ["Between"]


def test_the_same_command_id_of_someone_else_is_another_command() -> None:
    two = given(
        opened(),
        on(1, NoteAdded("Mine"), command_id="c-1"),
        on(2, NoteAdded("Theirs"), command_id="c-1", by="bo"),
    )
    two.when(WithdrawEvent(2, WITHDRAW)).then(EventWithdrawn((2,), WITHDRAW))
    two.when(WithdrawEvent(3, WITHDRAW)).then(EventWithdrawn((3,), WITHDRAW))


def test_what_is_withdrawn_already_stays_so_quietly() -> None:
    withdrawn = given(opened(), NoteAdded("Wrong"), EventWithdrawn((2,), WITHDRAW))
    withdrawn.when(WithdrawEvent(2, "Once more")).nothing()


@pytest.mark.parametrize("version", [-1, 0, 4, 99])
def test_a_version_that_is_not_there_is_refused(version: int) -> None:
    deal = given(opened(), NoteAdded("One"), NoteAdded("Two"))
    deal.when(WithdrawEvent(version, WITHDRAW)).refused(UnknownReference, "1 to 3")


def test_openings_and_withdrawals_stand() -> None:
    deal = given(opened(), NoteAdded("Wrong"), EventWithdrawn((2,), WITHDRAW))
    deal.when(WithdrawEvent(1, WITHDRAW)).refused(CannotWithdraw, "opportunity-opened stands")
    deal.when(WithdrawEvent(3, WITHDRAW)).refused(CannotWithdraw, "event-withdrawn stands")


def test_what_came_in_with_the_opening_stands_with_it() -> None:
    imported = given(
        on(0, opened(), command_id="row-1"), on(0, NoteAdded("Wrong"), command_id="row-1")
    )
    imported.when(WithdrawEvent(2, WITHDRAW)).refused(CannotWithdraw, "opportunity-opened stands")


def test_a_deal_that_was_never_opened_has_nothing_to_withdraw() -> None:
    given().when(WithdrawEvent(1, WITHDRAW)).refused(DealNotOpened)


def test_who_may_withdraw() -> None:
    deal = given(opened(), NoteAdded("Wrong"))
    deal.when(WithdrawEvent(2, WITHDRAW), by=COLLEAGUE).refused(NotAllowed, "may not withdraw")
    deal.when(WithdrawEvent(2, WITHDRAW), by=MANAGER).accepted()


@pytest.mark.parametrize(
    ("fact", "refusal"),
    [
        (EventWithdrawn((9,), WITHDRAW), UnknownReference),
        (EventWithdrawn((0,), WITHDRAW), UnknownReference),
        (EventWithdrawn((1,), WITHDRAW), CannotWithdraw),
        (EventWithdrawn((2,), WITHDRAW), CannotWithdraw),
        (EventWithdrawn((2, 3, 4), WITHDRAW), CannotWithdraw),
    ],
)
def test_a_stored_withdrawal_has_to_be_sound(fact: EventWithdrawn, refusal: type[Refusal]) -> None:
    deal = given(
        opened(),
        on(1, NoteAdded("One"), command_id="both"),
        on(2, NoteAdded("Two"), command_id="both"),
        NoteAdded("Three"),
    )
    events = deal.history.events
    admissible(EventWithdrawn((2, 3), WITHDRAW), deal.deal, deal.processes, events)
    with pytest.raises(refusal):
        admissible(fact, deal.deal, deal.processes, events)


# --- what is withdrawn, and what then could not have happened -----------------------------


def test_a_withdrawn_outcome_leaves_the_deal_open() -> None:
    lost = given(opened(), OpportunityLost(LostOutcome.UNKNOWN))
    after = lost.when(WithdrawEvent(2, WITHDRAW)).accepted()
    assert (after.deal.life.status, after.deal.life.closed_at) == ("open", None)


def test_a_withdrawn_forecast_brings_back_the_one_before() -> None:
    deal = given(opened(), ForecastRevised(amount=usd("1")), ForecastRevised(amount=usd("2")))
    after = deal.when(WithdrawEvent(3, WITHDRAW)).accepted()
    assert (after.deal.amount, after.deal.stages.amount_set_by) == (usd("1"), 2)


@pytest.mark.parametrize(
    ("facts", "version", "words"),
    [
        (
            (StageAdvanced("contact", "proposal"), StageAdvanced("proposal", "closing")),
            2,
            "version 3, stage-advanced",
        ),
        (
            (OpportunityWon(), OpportunityReopened("contact", "Cancelled")),
            2,
            "version 3, opportunity-reopened",
        ),
        (
            (
                OpportunityLost(LostOutcome.UNKNOWN),
                OpportunityReopened("contact", "Back"),
                WinPlanSet("Win"),
            ),
            3,
            "version 4, win-plan-set",
        ),
        ((OpportunitySuspended("Rest"), OpportunityResumed()), 2, "opportunity-resumed"),
        ((NextStepPlanned("s", "S", "ann"), NextStepCompleted("s")), 2, "next-step-completed"),
    ],
)
def test_later_events_that_rest_on_it_hold_it_back(
    facts: tuple[OpportunityWon, ...], version: int, words: str
) -> None:
    deal = given(opened(), *facts)
    answer = deal.when(WithdrawEvent(version, WITHDRAW))
    answer.refused(BreaksLaterHistory, words, "Withdraw or correct the later events first")


def test_from_the_last_to_the_first_all_can_be_withdrawn() -> None:
    deal = given(
        opened(), StageAdvanced("contact", "proposal"), StageAdvanced("proposal", "closing")
    )
    once = deal.when(WithdrawEvent(3, WITHDRAW), command_id="w-1").accepted()
    twice = once.when(WithdrawEvent(2, WITHDRAW), command_id="w-2").accepted()
    assert twice.deal.stages == given(opened()).deal.stages
    twice.when(AdvanceStage("proposal")).accepted()


def test_a_withdrawn_handover_gives_the_deal_back() -> None:
    handed = given(opened(), OwnerChanged("bo"))
    handed.when(WithdrawEvent(2, WITHDRAW)).refused(NotAllowed)
    back = handed.when(WithdrawEvent(2, WITHDRAW), by=COLLEAGUE).accepted()
    assert back.deal.life.owner == "ann"


# --- merging ------------------------------------------------------------------------------

MERGE = MergeDeal("d-2", "Entered twice")
MERGED = DealMerged("d-2", "Entered twice")


def test_a_duplicate_ends_and_keeps_its_history() -> None:
    deal = given(opened(), ForecastRevised(amount=usd("5")))
    after = deal.when(MERGE, at=day(4)).then(MERGED)
    life = after.deal.life
    assert (life.status, life.outcome_name, life.merged_into) == ("merged", "merged", "d-2")
    assert (life.status.closed, life.closed_at) == (True, day(4))
    assert (after.deal.amount, len(after.history.events)) == (usd("5"), 3)


@pytest.mark.parametrize(
    "before",
    [
        (),
        (OpportunitySuspended("Rest"),),
        (OpportunityWon(usd("5")),),
        (OpportunityLost(LostOutcome.UNKNOWN),),
    ],
)
def test_a_withdrawn_merge_leaves_the_deal_as_before(before: tuple[DealFact, ...]) -> None:
    deal = given(opened(), *before)
    merged = deal.when(MERGE, command_id="merge").then(MERGED)
    assert (merged.deal.life.status, merged.deal.life.suspension) == ("merged", None)
    back = merged.when(WithdrawEvent(len(before) + 2, WITHDRAW)).accepted()
    assert back.deal == deal.deal


def test_merging_again_changes_nothing_and_elsewhere_is_refused() -> None:
    merged = given(opened(), MERGED)
    merged.when(MergeDeal("d-2", "Once more")).nothing()
    merged.when(MergeDeal("d-3", "No, there")).refused(DealClosed, "into d-2", "withdraw-event")


def test_a_deal_is_not_merged_into_itself() -> None:
    given(opened()).when(MergeDeal("d-1", "Twice")).refused(UnknownReference, "into itself")


@pytest.mark.parametrize("command", [AddNote("Same plant"), RecordDebrief(("Search first",))])
def test_notes_and_lessons_follow_a_merge(command: DealCommand) -> None:
    given(opened(), MERGED).when(command).accepted()


@pytest.mark.parametrize(
    "command",
    [
        SetWinPlan("Win"),
        ReopenOpportunity("It was none"),
        RecordOutcomeReason(Teller.BUYER, ReasonDriver.PRICE, "Dear"),
        WinOpportunity(),
        AdvanceStage("proposal"),
        AttestGateCriterion("plan", "Seen"),
        RecordContact("visit", ContactKind.VISIT, ("li",)),
        IdentifyCompetitor("acme", "Acme"),
    ],
)
def test_nothing_else_follows_a_merge(command: DealCommand) -> None:
    merged = given(opened(), StakeholderIdentified("li", "Li"), MERGED)
    merged.when(command).refused(DealClosed, "was merged into d-2", "Record it on d-2")


def test_a_merge_leaves_later_events_legal() -> None:
    deal = given(opened(), on(5, WinPlanSet("Win")))
    deal.when(MERGE, at=day(3)).refused(BreaksLaterHistory, "version 2, win-plan-set")
    given(opened(), on(5, NoteAdded("N"))).when(MERGE, at=day(3)).accepted()


def test_who_may_merge() -> None:
    given(opened()).when(MERGE, by=COLLEAGUE).refused(NotAllowed)


@pytest.mark.parametrize(
    ("fact", "words"),
    [
        (MERGED, "merged into deal d-2: Entered twice"),
        (EventWithdrawn((3,), "Wrong"), "withdrew event 3: Wrong"),
        (EventWithdrawn((3, 4), "Wrong"), "withdrew events 3, 4: Wrong"),
    ],
)
def test_each_correction_is_told(fact: AnyCorrectionsFact, words: str) -> None:
    assert describe(fact) == words


# --- both axes ----------------------------------------------------------------------------


def withdrawn_on_day_9(occurred: float) -> Scenario:
    """A note of day 1, withdrawn as known on day 9; the withdrawal is dated otherwise."""
    return Scenario().and_given(
        opened(),
        NoteAdded("Wrong"),
        on(occurred, EventWithdrawn((2,), WITHDRAW), known_at=day(9)),
    )


@pytest.mark.parametrize("occurred", [-5, 0, 1, 5, 9, 99])
def test_a_withdrawal_counts_from_when_it_was_known(occurred: float) -> None:
    events = withdrawn_on_day_9(occurred).history.events

    def notes(as_of: float, known: float) -> int:
        return len(replay(events, day(as_of), day(known)).life.notes)

    assert notes(2, 8.999) == 1
    assert notes(2, 9) == 0
    assert notes(0.5, 9) == 0
    assert len(replay(events).life.notes) == 0
    assert len(replay(events, known_at=day(8)).life.notes) == 1
    assert len(replay(events, as_of=day(2)).life.notes) == 0


def test_standing_events_are_in_fold_order_within_both_limits_inclusive() -> None:
    events = (
        Scenario()
        .and_given(
            opened(),
            on(5, NoteAdded("five")),
            on(3, NoteAdded("three"), known_at=day(6)),
            on(5, NoteAdded("five again")),
        )
        .history.events
    )

    def versions(as_of: float | None = None, known: float | None = None) -> list[int]:
        return [
            event.version
            for event in standing(
                events,
                None if as_of is None else day(as_of),
                None if known is None else day(known),
            )
        ]

    assert versions() == [1, 3, 2, 4]
    assert versions(as_of=3) == [1, 3]
    assert versions(as_of=2.9) == [1]
    assert versions(known=5) == [1, 2, 4]
    assert versions(known=6) == [1, 3, 2, 4]
    assert versions(as_of=5, known=5.5) == [1, 2, 4]
    assert versions(as_of=-1) == []


def test_all_withdrawals_take_out_their_versions() -> None:
    events = (
        given(
            opened(),
            NoteAdded("One"),
            NoteAdded("Two"),
            EventWithdrawn((2,), WITHDRAW),
            EventWithdrawn((3,), WITHDRAW),
        )
    ).history.events
    assert withdrawn_versions(events) == {2, 3}


def test_a_late_note_can_be_withdrawn_at_any_time() -> None:
    late = Draft(
        fact=NoteAdded("Late"),
        occurred_at=day(1),
        actor="ann",
        source="cli",
        command_id="late",
        correlation_id="late",
        known_at=day(7),
    )
    deal = given(opened(), on(5, NoteAdded("Then")), late)
    after = deal.when(WithdrawEvent(3, WITHDRAW), at=day(2), now=day(8)).accepted()
    assert [event.fact.text for event in after.deal.life.notes] == ["Then"]


def test_a_duplicate_that_had_ended_has_no_outcome_of_its_own() -> None:
    lost = given(opened(), OpportunityLost(LostOutcome.NO_DECISION))
    merged = lost.when(MergeDeal("d-2", "Entered twice"), command_id="m").accepted()
    assert (merged.deal.life.status, merged.deal.life.outcome) == (Status.MERGED, None)
    apart = merged.when(WithdrawEvent(3, "They are two")).accepted()
    assert (apart.deal.life.status, apart.deal.life.outcome_name) == (Status.LOST, "no-decision")
