"""Deciding on needs and value: what acts, what is refused, what changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import pytest

from domain.deal import admissible
from domain.lifecycle.facts import LostOutcome, OpportunityLost, OpportunityWon
from domain.needs.commands import (
    AcceptConcern,
    AcceptPositioning,
    AnyNeedsCommand,
    AssignConcern,
    CheckFact,
    ConfirmValue,
    DevelopNeed,
    RaiseConcern,
    RecordFact,
    ResolveConcern,
    StateRequirement,
    UncoverNeed,
)
from domain.needs.facts import (
    AnyNeedsFact,
    CheckResult,
    ConcernAccepted,
    ConcernAssigned,
    ConcernCause,
    ConcernKind,
    ConcernRaised,
    ConcernResolved,
    FactChecked,
    FactRecorded,
    NeedDeveloped,
    NeedDimension,
    NeedKind,
    NeedUncovered,
    Positioning,
    PositioningAccepted,
    RequirementKind,
    RequirementResponse,
    RequirementStated,
    Topic,
    ValueConfirmed,
)
from domain.refusals import (
    CurrencyMismatch,
    DealClosed,
    IdTaken,
    OutOfRange,
    Refusal,
    SecondSourceMissing,
    UnknownReference,
)
from domain.values import Money
from tests.domain.needs.asked import (
    AFTER_ANY_OUTCOME,
    AFTER_WINNING,
    ASKED,
    BUDGET,
    LATE,
    LI,
    STOPS,
    VISIT,
    WANG,
)
from tests.scenario import BOOK, day, given, on, opened, usd

if TYPE_CHECKING:
    from domain.deal import DealCommand, DealFact

CONCERN, OBJECTION = ConcernKind.CONCERN, ConcernKind.OBJECTION
CONFIRMS, CONTRADICTS = CheckResult.CONFIRMS, CheckResult.CONTRADICTS
KNOWN = (WANG, LI, VISIT, STOPS)
EXPLICIT = NeedUncovered(
    "scrap",
    "Halve the scrap",
    NeedKind.EXPLICIT,
    consequence="Lost orders",
    cost=usd("90"),
)
SPARE = RequirementStated("spare", "A spare drive", by="wang", need="stops")
HOURS = ValueConfirmed("hours", "Forty hours a year", "wang")
RESOLVED = ConcernResolved("late", "Shown the plan")
WEBSITE = FactRecorded("plant", Topic.PROJECT, "They build a plant", source="Their website")
HIGH, CHEAP = Positioning.HIGH_VALUE, Positioning.CHEAP_AND_GOOD
CHECKED = FactChecked("budget", CONFIRMS, told_by="li")

ACTS: list[tuple[tuple[DealFact, ...], AnyNeedsCommand, AnyNeedsFact]] = [
    ((), UncoverNeed("stops", "The line stops"), NeedUncovered("stops", "The line stops")),
    (
        (WANG,),
        UncoverNeed(
            "praise",
            "To be seen as modern",
            NeedKind.EXPLICIT,
            NeedDimension.PERSONAL,
            whose="wang",
            cause="Passed over",
            consequence="Leaves",
            cost=usd("5"),
            solvable_by_us=True,
            their_rank=1,
        ),
        NeedUncovered(
            "praise",
            "To be seen as modern",
            NeedKind.EXPLICIT,
            NeedDimension.PERSONAL,
            whose="wang",
            cause="Passed over",
            consequence="Leaves",
            cost=usd("5"),
            solvable_by_us=True,
            their_rank=1,
        ),
    ),
    ((), UncoverNeed("n", "N", their_rank=100), NeedUncovered("n", "N", their_rank=100)),
    (KNOWN, DevelopNeed("stops"), NeedDeveloped("stops")),
    (
        KNOWN,
        DevelopNeed("stops", "Never stop", "Uptime", "Lost orders", usd("7"), "visit"),
        NeedDeveloped("stops", "Never stop", "Uptime", "Lost orders", usd("7"), "visit"),
    ),
    ((EXPLICIT,), DevelopNeed("scrap", kpi="Scrap"), NeedDeveloped("scrap", kpi="Scrap")),
    ((EXPLICIT,), DevelopNeed("scrap", cost=usd("91")), NeedDeveloped("scrap", cost=usd("91"))),
    (
        (EXPLICIT,),
        DevelopNeed("scrap", "Less of it"),
        NeedDeveloped("scrap", "Less of it"),
    ),
    (
        (EXPLICIT,),
        DevelopNeed("scrap", consequence="Fines"),
        NeedDeveloped("scrap", consequence="Fines"),
    ),
    (
        (WANG, VISIT, EXPLICIT),
        DevelopNeed("scrap", contact="visit"),
        NeedDeveloped("scrap", contact="visit"),
    ),
    (
        (EXPLICIT, NeedDeveloped("scrap", "Less"), NeedDeveloped("scrap", "Half")),
        DevelopNeed("scrap", "Less"),
        NeedDeveloped("scrap", "Less"),
    ),
    (
        KNOWN,
        StateRequirement(
            "spare",
            "A spare drive",
            RequirementKind.TECHNICAL,
            "wang",
            "stops",
            "It broke twice",
            "By June",
            RequirementResponse.ACCEPTED,
        ),
        RequirementStated(
            "spare",
            "A spare drive",
            RequirementKind.TECHNICAL,
            "wang",
            "stops",
            "It broke twice",
            "By June",
            RequirementResponse.ACCEPTED,
        ),
    ),
    (
        (*KNOWN, SPARE),
        StateRequirement("spare", "Two spare drives"),
        RequirementStated("spare", "Two spare drives"),
    ),
    (
        KNOWN,
        ConfirmValue("hours", "Forty hours", "wang", usd("4000"), "stops", "visit"),
        ValueConfirmed("hours", "Forty hours", "wang", usd("4000"), "stops", "visit"),
    ),
    ((), AcceptPositioning(HIGH), PositioningAccepted(HIGH)),
    (
        (WANG, PositioningAccepted(HIGH)),
        AcceptPositioning(HIGH, "wang"),
        PositioningAccepted(HIGH, "wang"),
    ),
    (
        (PositioningAccepted(HIGH), PositioningAccepted(CHEAP)),
        AcceptPositioning(HIGH),
        PositioningAccepted(HIGH),
    ),
    (
        (WANG,),
        RaiseConcern("dear", OBJECTION, "Dear", ConcernCause.OVER_BUDGET, "wang", "ann"),
        ConcernRaised("dear", OBJECTION, "Dear", ConcernCause.OVER_BUDGET, "wang", "ann"),
    ),
    (
        (LATE, RESOLVED),
        RaiseConcern("late-2", CONCERN, "It comes too late"),
        ConcernRaised("late-2", CONCERN, "It comes too late"),
    ),
    ((LATE,), AssignConcern("late", "bo"), ConcernAssigned("late", "bo")),
    (
        (LATE, ConcernAssigned("late", "bo")),
        AssignConcern("late", "ann"),
        ConcernAssigned("late", "ann"),
    ),
    ((LATE,), ResolveConcern("late", "Shown"), ConcernResolved("late", "Shown")),
    (
        (WANG, LATE),
        AcceptConcern("late", "wang", "They can wait"),
        ConcernAccepted("late", "wang", "They can wait"),
    ),
    (
        (WANG, VISIT),
        RecordFact("budget", Topic.BUDGET, "Approved", "wang", "Aside", "visit"),
        FactRecorded("budget", Topic.BUDGET, "Approved", "wang", "Aside", "visit"),
    ),
    ((), RecordFact("x", Topic.OTHER, "X"), FactRecorded("x", Topic.OTHER, "X")),
    (
        (*KNOWN, BUDGET),
        CheckFact("budget", CONTRADICTS, told_by="li", source="Aside", note="In June"),
        FactChecked("budget", CONTRADICTS, told_by="li", source="Aside", note="In June"),
    ),
    (
        (*KNOWN, BUDGET),
        CheckFact("budget", CONFIRMS, source="Press"),
        FactChecked("budget", CONFIRMS, source="Press"),
    ),
    (
        (WANG, WEBSITE),
        CheckFact("plant", CONFIRMS, told_by="wang", source="Their website"),
        FactChecked("plant", CONFIRMS, told_by="wang", source="Their website"),
    ),
    (
        (WANG, FactRecorded("x", Topic.OTHER, "X")),
        CheckFact("x", CONFIRMS, told_by="wang"),
        FactChecked("x", CONFIRMS, told_by="wang"),
    ),
    (
        (*KNOWN, BUDGET, CHECKED, FactChecked("budget", CONTRADICTS, told_by="li")),
        CheckFact("budget", CONFIRMS, told_by="li"),
        CHECKED,
    ),
]

STAYS_QUIET: list[tuple[tuple[DealFact, ...], AnyNeedsCommand]] = [
    (KNOWN, UncoverNeed("stops", "The line stops twice a week", whose="wang")),
    (
        (*KNOWN, NeedDeveloped("stops", kpi="Uptime")),
        UncoverNeed("stops", "The line stops twice a week", whose="wang"),
    ),
    ((EXPLICIT,), DevelopNeed("scrap")),
    ((EXPLICIT,), DevelopNeed("scrap", "Halve the scrap", None, "Lost orders", usd("90"))),
    (
        (
            *KNOWN,
            NeedDeveloped("stops", kpi="Uptime", contact="visit"),
            NeedDeveloped("stops", "S"),
        ),
        DevelopNeed("stops", "S", "Uptime", contact="visit"),
    ),
    ((*KNOWN, SPARE), StateRequirement("spare", "A spare drive", by="wang", need="stops")),
    ((WANG, HOURS), ConfirmValue("hours", "Forty hours a year", "wang")),
    ((PositioningAccepted(HIGH),), AcceptPositioning(HIGH)),
    (
        (WANG, PositioningAccepted(HIGH, "wang"), PositioningAccepted(CHEAP)),
        AcceptPositioning(HIGH, "wang"),
    ),
    ((LATE,), RaiseConcern("late", CONCERN, "It comes too late")),
    (
        (LATE, ConcernAssigned("late", "bo")),
        RaiseConcern("late", CONCERN, "It comes too late"),
    ),
    ((LATE, ConcernAssigned("late", "bo")), AssignConcern("late", "bo")),
    (
        (ConcernRaised("dear", OBJECTION, "Dear", owner="ann"),),
        AssignConcern("dear", "ann"),
    ),
    ((LATE, RESOLVED), ResolveConcern("late", "Shown the plan")),
    ((LATE, ConcernAccepted("late")), AcceptConcern("late")),
    ((WANG, BUDGET), RecordFact("budget", Topic.BUDGET, "Approved in May", told_by="wang")),
    ((*KNOWN, BUDGET, CHECKED), CheckFact("budget", CONFIRMS, told_by="li")),
]

REFUSES: list[tuple[tuple[DealFact, ...], AnyNeedsCommand, type[Refusal], str]] = [
    (KNOWN, UncoverNeed("stops", "Other", whose="wang"), IdTaken, "a need 'stops' already"),
    ((), UncoverNeed("n", "N", whose="wang"), UnknownReference, "no stakeholder 'wang'"),
    ((), UncoverNeed("n", "N", their_rank=0), OutOfRange, "their_rank is 0"),
    ((), UncoverNeed("n", "N", their_rank=101), OutOfRange, "from 1 to 100"),
    ((), UncoverNeed("n", "N", cost=Money.parse("1", "EUR")), CurrencyMismatch, "cost is in EUR"),
    (KNOWN, DevelopNeed("other"), UnknownReference, "There are: stops."),
    (KNOWN, DevelopNeed("stops", contact="call"), UnknownReference, "no contact 'call'"),
    ((), StateRequirement("r", "R", by="wang"), UnknownReference, "no stakeholder 'wang'"),
    ((), StateRequirement("r", "R", need="stops"), UnknownReference, "no need 'stops'"),
    ((WANG, HOURS), ConfirmValue("hours", "Fifty", "wang"), IdTaken, "a confirmed value 'hours'"),
    ((), ConfirmValue("v", "V", "wang"), UnknownReference, "no stakeholder 'wang'"),
    ((WANG,), ConfirmValue("v", "V", "wang", need="n"), UnknownReference, "no need 'n'"),
    ((WANG,), ConfirmValue("v", "V", "wang", contact="c"), UnknownReference, "no contact 'c'"),
    ((), AcceptPositioning(HIGH, "wang"), UnknownReference, "no stakeholder 'wang'"),
    ((LATE,), RaiseConcern("late", CONCERN, "Other"), IdTaken, "a concern 'late' already"),
    (
        (LATE, RESOLVED),
        RaiseConcern("late", CONCERN, "It comes too late"),
        IdTaken,
        "Give the new one a new id",
    ),
    ((), RaiseConcern("c", CONCERN, "C", by="wang"), UnknownReference, "no stakeholder 'wang'"),
    ((), AssignConcern("late", "bo"), UnknownReference, "no concern 'late'"),
    ((LATE, RESOLVED), AssignConcern("late", "bo"), UnknownReference, "'late' is closed"),
    (
        (LATE, ConcernAssigned("late", "bo"), RESOLVED),
        AssignConcern("late", "bo"),
        UnknownReference,
        "under a new id",
    ),
    ((LATE,), ResolveConcern("other", "How"), UnknownReference, "raise-concern"),
    ((LATE, RESOLVED), ResolveConcern("late", "Other"), UnknownReference, "'late' is closed"),
    ((), AcceptConcern("late"), UnknownReference, "no concern 'late'"),
    ((LATE, RESOLVED), AcceptConcern("late"), UnknownReference, "'late' is closed"),
    ((LATE,), AcceptConcern("late", "wang"), UnknownReference, "no stakeholder 'wang'"),
    ((WANG, BUDGET), RecordFact("budget", Topic.BUDGET, "No"), IdTaken, "a fact 'budget' already"),
    ((), RecordFact("f", Topic.OTHER, "F", "wang"), UnknownReference, "no stakeholder 'wang'"),
    ((), RecordFact("f", Topic.OTHER, "F", contact="c"), UnknownReference, "no contact 'c'"),
    ((), CheckFact("f", CONFIRMS, source="Press"), UnknownReference, "no fact 'f'"),
    ((WANG, BUDGET), CheckFact("budget", CONFIRMS), SecondSourceMissing, "told_by"),
    (
        (WANG, BUDGET),
        CheckFact("budget", CONFIRMS, told_by="wang", source="Another day"),
        SecondSourceMissing,
        "from 'wang' itself",
    ),
    (
        (WEBSITE,),
        CheckFact("plant", CONFIRMS, source="Their website"),
        SecondSourceMissing,
        "from 'Their website' itself",
    ),
    (
        (WANG, BUDGET),
        CheckFact("budget", CONFIRMS, told_by="li"),
        UnknownReference,
        "no stakeholder 'li'",
    ),
]


@pytest.mark.parametrize(("facts", "command", "fact"), ACTS)
def test_acts(facts: tuple[DealFact, ...], command: AnyNeedsCommand, fact: AnyNeedsFact) -> None:
    before = given(opened(), *facts)
    after = before.when(command).then(fact)
    assert after.deal != before.deal
    after.when(command).nothing()


@pytest.mark.parametrize(("facts", "command"), STAYS_QUIET)
def test_stays_quiet(facts: tuple[DealFact, ...], command: AnyNeedsCommand) -> None:
    given(opened(), *facts).when(command).nothing()


@pytest.mark.parametrize(("facts", "command", "refusal", "words"), REFUSES)
def test_refuses(
    facts: tuple[DealFact, ...], command: AnyNeedsCommand, refusal: type[Refusal], words: str
) -> None:
    given(opened(), *facts).when(command).refused(refusal, words)


@pytest.mark.parametrize("table", [ACTS, STAYS_QUIET, REFUSES, ASKED])
def test_every_command_is_tried(table: list[tuple[Any, ...]]) -> None:
    assert {type(row[1]) for row in table} == set(get_args(AnyNeedsCommand))


def test_every_fact_comes_of_a_command() -> None:
    assert {type(fact) for _, _, fact in ACTS} == set(get_args(AnyNeedsFact))


@pytest.mark.parametrize(("facts", "command"), ASKED)
@pytest.mark.parametrize(
    ("outcome", "allowed"),
    [
        (OpportunityWon(), AFTER_WINNING),
        (OpportunityLost(LostOutcome.NO_DECISION), AFTER_ANY_OUTCOME),
    ],
)
def test_after_winning_concerns_alone_follow(
    outcome: DealFact, allowed: set[type], facts: tuple[DealFact, ...], command: DealCommand
) -> None:
    answer = given(opened(), *facts, outcome).when(command)
    if type(command) in allowed:
        answer.accepted()
    else:
        answer.refused(DealClosed)


@pytest.mark.parametrize(
    ("facts", "fact", "refusal"),
    [
        ((STOPS,), STOPS, IdTaken),
        ((HOURS,), HOURS, IdTaken),
        ((LATE,), LATE, IdTaken),
        ((BUDGET,), BUDGET, IdTaken),
        ((LATE, RESOLVED), RESOLVED, UnknownReference),
        ((LATE, RESOLVED), ConcernAccepted("late"), UnknownReference),
        ((), NeedDeveloped("stops"), UnknownReference),
        ((BUDGET,), FactChecked("budget", CONFIRMS, told_by="wang"), SecondSourceMissing),
    ],
)
def test_structure_holds_for_imported_histories_too(
    facts: tuple[DealFact, ...], fact: DealFact, refusal: type[Refusal]
) -> None:
    with pytest.raises(refusal):
        admissible(fact, given(opened(), WANG, *facts).deal, BOOK)


def test_a_concern_can_be_told_late_and_not_after_it_was_closed() -> None:
    deal = given(opened(), on(1, LATE), on(5, RESOLVED))
    deal.when(AssignConcern("late", "bo"), at=day(3), now=day(9)).accepted()
    deal.when(AssignConcern("late", "bo"), at=day(6), now=day(9)).refused(UnknownReference)


def test_a_source_without_a_name_is_another_than_the_first() -> None:
    told = given(opened(), FactRecorded("scale", Topic.SCALE, "Two lines", source="The plan"))
    told.when(CheckFact("scale", CONFIRMS, source="The tender")).accepted()
    told.when(CheckFact("scale", CONFIRMS, source="The plan")).refused(SecondSourceMissing)


def test_a_source_that_stands_by_its_word_after_others_disagreed_is_news() -> None:
    disputed = given(
        *(opened(), WANG, LI, BUDGET, CHECKED),
        FactChecked("budget", CONTRADICTS, source="Press"),
    )
    again = disputed.when(CheckFact("budget", CONFIRMS, told_by="li")).accepted()
    again.when(CheckFact("budget", CONFIRMS, told_by="li")).nothing()
    agreed = given(
        *(opened(), WANG, LI, BUDGET, CHECKED), FactChecked("budget", CONFIRMS, source="P")
    )
    agreed.when(CheckFact("budget", CONFIRMS, told_by="li")).nothing()


def test_case_and_blanks_make_no_second_source() -> None:
    told = given(opened(), FactRecorded("scale", Topic.SCALE, "Two lines", source="The Plan"))
    told.when(CheckFact("scale", CONFIRMS, source=" the  plan")).refused(SecondSourceMissing)


def test_a_need_is_developed_after_it_was_uncovered() -> None:
    later = given(opened(), on(5, STOPS_OF_NOBODY))
    later.when(DevelopNeed("stops", kpi="Uptime"), at=day(3), now=day(9)).refused(
        UnknownReference, "later than this"
    )


STOPS_OF_NOBODY = NeedUncovered("stops", "The line stops")
