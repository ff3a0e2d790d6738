"""Commands of the customer's people: each acts, stays quiet and refuses. Rules 2 and 4."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import pytest

from domain.access import Action
from domain.corrections import WithdrawEvent
from domain.lifecycle.facts import LostOutcome, OpportunityLost, OpportunityWon
from domain.people.commands import (
    AnyPeopleCommand,
    AssessStakeholder,
    EraseSubject,
    IdentifyStakeholder,
    ObserveLeaning,
    RecordContact,
    RecordDeparture,
    RecordRelation,
    ReviseStakeholder,
    SendMinutes,
)
from domain.people.facts import (
    AnyPeopleFact,
    Attitude,
    BuyingRole,
    Channel,
    ContactKind,
    ContactMade,
    ContactOutcome,
    Focus,
    LeaningObserved,
    Level,
    MinutesSent,
    Openness,
    Power,
    RelationKind,
    RelationRecorded,
    Relationship,
    StakeholderAssessed,
    StakeholderDeparted,
    StakeholderIdentified,
    StakeholderRevised,
    SubjectErased,
)
from domain.refusals import (
    BreaksLaterHistory,
    CannotWithdraw,
    DealClosed,
    DealNotOpened,
    IdTaken,
    NotAllowed,
    OutOfRange,
    PersonErased,
    Refusal,
    ReportingLoop,
    SamePerson,
    UnknownReference,
)
from domain.values import Party
from tests.domain.people.asked import (
    AFTER_ANY_OUTCOME,
    AFTER_WINNING,
    ASKED,
    MAP,
    PHONE,
    VISIT,
)
from tests.scenario import MANAGER, OPERATOR, OWNER, day, given, on, opened

if TYPE_CHECKING:
    from domain.deal import DealCommand, DealFact

OPEN = (opened(), *MAP)
ASSESSED = StakeholderAssessed(
    "li", 4, Attitude.SUPPORTER, Relationship.TRUSTED, focus=(Focus.RECEPTIVITY, Focus.POWER)
)
ALLIED = RelationRecorded("li", "wang", RelationKind.ALLIED, 3)
INFLUENCES = RelationRecorded("li", "wang", RelationKind.INFLUENCES, 3)
ERASED = (*OPEN, SubjectErased("li"))

ACTS: list[tuple[tuple[DealFact, ...], AnyPeopleCommand, AnyPeopleFact]] = [
    (
        OPEN,
        IdentifyStakeholder(
            "chen",
            "Chen Jie",
            "p-7",
            "Buyer",
            "Purchasing",
            Level.MIDDLE,
            (BuyingRole.PURCHASER,),
            (Power.BUDGET,),
            "wang",
            (PHONE,),
        ),
        StakeholderIdentified(
            "chen",
            "Chen Jie",
            "p-7",
            "Buyer",
            "Purchasing",
            Level.MIDDLE,
            (BuyingRole.PURCHASER,),
            (Power.BUDGET,),
            "wang",
            (PHONE,),
        ),
    ),
    (
        OPEN,
        ReviseStakeholder("li", title="Chief engineer", department="Production", reports_to=None),
        StakeholderRevised("li", title="Chief engineer", reports_to=None),
    ),
    (
        OPEN,
        ReviseStakeholder("zhao", reports_to="wang"),
        StakeholderRevised("zhao", reports_to="wang"),
    ),
    (OPEN, ReviseStakeholder("li", roles=()), StakeholderRevised("li", roles=())),
    (
        OPEN,
        AssessStakeholder("li", 5, openness=Openness.PRAGMATIST, personal_motive="A promotion"),
        StakeholderAssessed("li", 5, openness=Openness.PRAGMATIST, personal_motive="A promotion"),
    ),
    (
        (*OPEN, ASSESSED),
        AssessStakeholder("li", 4, Attitude.CHAMPION, None, focus=(Focus.POWER,)),
        StakeholderAssessed(
            "li", attitude=Attitude.CHAMPION, relationship=None, focus=(Focus.POWER,)
        ),
    ),
    (
        OPEN,
        RecordRelation("li", "wang", RelationKind.RIVAL),
        RelationRecorded("li", "wang", RelationKind.RIVAL),
    ),
    (
        (*OPEN, ALLIED),
        RecordRelation("li", "wang", RelationKind.ALLIED, 5),
        RelationRecorded("li", "wang", RelationKind.ALLIED, 5),
    ),
    (
        (*OPEN, INFLUENCES),
        RecordRelation("wang", "li", RelationKind.INFLUENCES, 3),
        RelationRecorded("wang", "li", RelationKind.INFLUENCES, 3),
    ),
    (OPEN, ObserveLeaning("li", "us", "Knows us"), LeaningObserved("li", "us", "Knows us")),
    (OPEN, ObserveLeaning("li", "globex"), LeaningObserved("li", "globex")),
    ((*OPEN, LeaningObserved("li", "us")), ObserveLeaning("li"), LeaningObserved("li")),
    (OPEN, RecordDeparture("li", "zhao", "Retired"), StakeholderDeparted("li", "zhao", "Retired")),
    (
        (*OPEN, StakeholderDeparted("li", reason="Retired")),
        RecordDeparture("li", "zhao"),
        StakeholderDeparted("li", "zhao"),
    ),
    (ERASED, RecordDeparture("li", "zhao"), StakeholderDeparted("li", "zhao")),
    (
        OPEN,
        RecordContact(
            "c-2",
            ContactKind.DEMO,
            ("li", "wang"),
            ("ann", "bo"),
            Channel.VIDEO,
            Party.CUSTOMER,
            "Show it",
            "They liked it",
            ContactOutcome.ADVANCE,
        ),
        ContactMade(
            "c-2",
            ContactKind.DEMO,
            ("li", "wang"),
            ("ann", "bo"),
            Channel.VIDEO,
            Party.CUSTOMER,
            "Show it",
            "They liked it",
            ContactOutcome.ADVANCE,
        ),
    ),
    (
        (*OPEN, StakeholderDeparted("li")),
        RecordContact("c-2", ContactKind.CALL, ("li",)),
        ContactMade("c-2", ContactKind.CALL, ("li",)),
    ),
    ((*OPEN, StakeholderDeparted("li")), AssessStakeholder("li", 1), StakeholderAssessed("li", 1)),
    (OPEN, SendMinutes("c-1"), MinutesSent("c-1")),
    (OPEN, EraseSubject("li", "They asked"), SubjectErased("li", "They asked")),
]

STAYS_QUIET: list[tuple[tuple[DealFact, ...], AnyPeopleCommand]] = [
    (OPEN, IdentifyStakeholder("zhao", "Zhao Lei", reports_to="li")),
    (
        (*OPEN, StakeholderRevised("zhao", title="Clerk")),
        IdentifyStakeholder("zhao", "Zhao Lei", reports_to="li"),
    ),
    (OPEN, ReviseStakeholder("li")),
    (OPEN, ReviseStakeholder("li", name="Li Na", title="Engineer", reports_to="wang")),
    (OPEN, ReviseStakeholder("li", roles=(BuyingRole.RECOMMENDER, BuyingRole.USER))),
    (OPEN, ReviseStakeholder("zhao", title=None, level=None, powers=())),
    (OPEN, AssessStakeholder("li", None, focus=())),
    ((*OPEN, ASSESSED), AssessStakeholder("li", 4, focus=(Focus.POWER, Focus.RECEPTIVITY))),
    ((*OPEN, ALLIED), RecordRelation("li", "wang", RelationKind.ALLIED, 3)),
    ((*OPEN, ALLIED), RecordRelation("wang", "li", RelationKind.ALLIED, 3)),
    ((*OPEN, LeaningObserved("li", "us")), ObserveLeaning("li", "us")),
    ((*OPEN, StakeholderDeparted("li", "zhao", "Retired")), RecordDeparture("li")),
    (
        (*OPEN, StakeholderDeparted("li", "zhao", "Retired")),
        RecordDeparture("li", "zhao", "Retired"),
    ),
    (OPEN, RecordContact("c-1", ContactKind.VISIT, ("li",), ("ann",), summary="Liked the press")),
    ((*OPEN, MinutesSent("c-1")), SendMinutes("c-1")),
    (ERASED, EraseSubject("li", "Once more")),
]

REFUSES: list[tuple[tuple[DealFact, ...], AnyPeopleCommand, type[Refusal], str]] = [
    (OPEN, IdentifyStakeholder("li", "Li Ning"), IdTaken, "revise-stakeholder"),
    (OPEN, IdentifyStakeholder("chen", "Chen", reports_to="nobody"), UnknownReference, "wang, li"),
    (OPEN, IdentifyStakeholder("chen", "Chen", reports_to="chen"), ReportingLoop, "chen → chen"),
    (ERASED, IdentifyStakeholder("li", "Li Na"), IdTaken, "another id"),
    (OPEN, ReviseStakeholder("nobody", title="Boss"), UnknownReference, "'nobody'"),
    (OPEN, ReviseStakeholder("li", reports_to="nobody"), UnknownReference, "'nobody'"),
    (OPEN, ReviseStakeholder("wang", reports_to="wang"), ReportingLoop, "wang → wang"),
    (OPEN, ReviseStakeholder("wang", reports_to="li"), ReportingLoop, "wang → li → wang"),
    (OPEN, ReviseStakeholder("wang", reports_to="zhao"), ReportingLoop, "wang → zhao → li → wang"),
    (ERASED, ReviseStakeholder("li", name="Li Na"), PersonErased, "'li'"),
    (OPEN, AssessStakeholder("nobody", 3), UnknownReference, "identify-stakeholder"),
    (OPEN, AssessStakeholder("li", 6), OutOfRange, "influence is 6"),
    (ERASED, AssessStakeholder("li", 3), PersonErased, "'li'"),
    (OPEN, RecordRelation("li", "li", RelationKind.ALLIED), SamePerson, "both ends are 'li'"),
    (OPEN, RecordRelation("nobody", "li", RelationKind.ALLIED), UnknownReference, "'nobody'"),
    (OPEN, RecordRelation("li", "nobody", RelationKind.ALLIED), UnknownReference, "'nobody'"),
    (OPEN, RecordRelation("li", "wang", RelationKind.ALLIED, 0), OutOfRange, "strength is 0"),
    (OPEN, ObserveLeaning("nobody"), UnknownReference, "'nobody'"),
    (OPEN, ObserveLeaning("li", "acme"), UnknownReference, "identify-competitor"),
    (ERASED, ObserveLeaning("li", "us"), PersonErased, "'li'"),
    (OPEN, RecordDeparture("nobody"), UnknownReference, "'nobody'"),
    (OPEN, RecordDeparture("li", "nobody"), UnknownReference, "'nobody'"),
    (OPEN, RecordDeparture("li", "li"), SamePerson, "follow on themselves"),
    (ERASED, RecordDeparture("li", reason="Ill"), PersonErased, "'li'"),
    (OPEN, RecordContact("c-1", ContactKind.CALL, ("li",)), IdTaken, "'c-1'"),
    (OPEN, RecordContact("c-2", ContactKind.CALL, ()), UnknownReference, "names nobody"),
    (OPEN, RecordContact("c-2", ContactKind.CALL, ("li", "chen")), UnknownReference, "'chen'"),
    (OPEN, RecordContact("c-2", ContactKind.CALL, ("li", "li")), SamePerson, "their people"),
    (OPEN, RecordContact("c-2", ContactKind.CALL, ("li",), ("a", "a")), SamePerson, "our people"),
    (OPEN, SendMinutes("c-9"), UnknownReference, "record-contact"),
    (OPEN, EraseSubject("nobody"), UnknownReference, "'nobody'"),
]


@pytest.mark.parametrize(("facts", "command", "fact"), ACTS)
def test_acts(facts: tuple[DealFact, ...], command: AnyPeopleCommand, fact: DealFact) -> None:
    after = given(*facts).when(command, by=OPERATOR).then(fact)
    assert after.deal != given(*facts).deal


@pytest.mark.parametrize(("facts", "command"), STAYS_QUIET)
def test_stays_quiet(facts: tuple[DealFact, ...], command: AnyPeopleCommand) -> None:
    given(*facts).when(command, by=OPERATOR).nothing()


@pytest.mark.parametrize(("facts", "command", "refusal", "words"), REFUSES)
def test_refuses(
    facts: tuple[DealFact, ...], command: AnyPeopleCommand, refusal: type[Refusal], words: str
) -> None:
    given(*facts).when(command, by=OPERATOR).refused(refusal, words)


@pytest.mark.parametrize("table", [ACTS, STAYS_QUIET, REFUSES])
def test_every_command_is_tried(table: list[tuple[Any, ...]]) -> None:
    assert {type(row[1]) for row in table} == set(get_args(AnyPeopleCommand))


def test_every_fact_comes_of_a_command() -> None:
    assert {type(fact) for _, _, fact in ACTS} == set(get_args(AnyPeopleFact))


@pytest.mark.parametrize(("facts", "command"), ASKED)
def test_a_command_repeated_right_away_is_quiet(
    facts: tuple[DealFact, ...], command: DealCommand
) -> None:
    given(opened(), *facts).when(command, by=OPERATOR).accepted().when(
        command, by=OPERATOR
    ).nothing()


@pytest.mark.parametrize(("facts", "command"), ASKED)
def test_each_needs_an_open_deal(facts: tuple[DealFact, ...], command: DealCommand) -> None:
    given().when(command, by=OPERATOR).refused(DealNotOpened)


def test_everything_may_be_asked() -> None:
    assert [type(command) for _, command in ASKED] == list(get_args(AnyPeopleCommand))


@pytest.mark.parametrize(
    ("outcome", "allowed"),
    [
        (OpportunityWon(), AFTER_WINNING),
        (OpportunityLost(LostOutcome.NO_DECISION), AFTER_ANY_OUTCOME),
        (OpportunityLost(LostOutcome.VOIDED), AFTER_ANY_OUTCOME),
    ],
)
@pytest.mark.parametrize("command", [command for _, command in ASKED])
def test_after_an_outcome(outcome: DealFact, allowed: set[type], command: DealCommand) -> None:
    answer = given(*OPEN, outcome).when(command, by=OPERATOR)
    if type(command) in allowed:
        answer.accepted()
    else:
        answer.refused(DealClosed)


@pytest.mark.parametrize("who", [OWNER, MANAGER])
def test_erasing_needs_the_right_to_it(who: Any) -> None:
    assert EraseSubject.right is Action.ERASE
    given(*OPEN).when(EraseSubject("li"), by=who).refused(NotAllowed, "erase")


def test_an_erasure_stands() -> None:
    erased = given(*ERASED)
    asked = erased.when(WithdrawEvent(erased.history.version, "By mistake"), by=OPERATOR)
    asked.refused(CannotWithdraw, "subject-erased stands")


def test_somebody_whom_later_events_speak_of_cannot_be_withdrawn() -> None:
    met = given(opened(), StakeholderIdentified("li", "Li Na"), VISIT)
    met.when(WithdrawEvent(2, "Of another deal")).refused(BreaksLaterHistory, "contact-made")


def test_a_late_line_of_reporting_closes_no_circle_with_a_later_one() -> None:
    turned = given(
        *OPEN,
        on(10, StakeholderRevised("li", reports_to=None)),
        on(11, StakeholderRevised("wang", reports_to="li")),
    )
    late = ReviseStakeholder("li", reports_to="zhao")
    turned.when(late, at=day(9), now=day(12)).refused(ReportingLoop, "li → zhao → li")
    turned.when(ReviseStakeholder("zhao", reports_to="wang"), at=day(12)).accepted()
    turned.when(IdentifyStakeholder("zhao", "Zhao"), at=day(2), now=day(12)).refused(
        BreaksLaterHistory, "stakeholder-identified"
    )


def test_a_contact_of_long_ago_may_be_with_somebody_who_has_left() -> None:
    left = given(*OPEN, on(20, StakeholderDeparted("zhao")))
    told = ContactMade("c-2", ContactKind.CALL, ("zhao",))
    asked = left.when(RecordContact("c-2", ContactKind.CALL, ("zhao",)), at=day(10), now=day(30))
    asked.then(told)
