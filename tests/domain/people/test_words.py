"""The customer's people told in words, one phrase for each fact."""

from typing import get_args

import pytest

from domain.people import People, describe
from domain.people.facts import (
    AnyPeopleFact,
    Attitude,
    BuyingRole,
    ContactKind,
    ContactMade,
    ContactOutcome,
    Focus,
    LeaningObserved,
    Level,
    MinutesSent,
    Power,
    RelationKind,
    RelationRecorded,
    StakeholderAssessed,
    StakeholderDeparted,
    StakeholderIdentified,
    StakeholderRevised,
    SubjectErased,
)
from tests.domain.people.asked import MAP, PHONE
from tests.scenario import Scenario, opened

KNOWN = Scenario().and_given(opened(), *MAP, StakeholderAssessed("li", 2))
BEFORE = KNOWN.deal.people

TOLD: list[tuple[AnyPeopleFact, str]] = [
    (StakeholderIdentified("chen", "Chen Jie"), "Chen Jie identified"),
    (
        StakeholderIdentified(
            "chen",
            "Chen Jie",
            "p-7",
            "Buyer",
            "Purchasing",
            Level.MIDDLE,
            (BuyingRole.PURCHASER, BuyingRole.INFLUENCER),
            (Power.BUDGET,),
            "wang",
            (PHONE,),
        ),
        (
            "Chen Jie identified: Buyer, Purchasing, middle level,"
            " purchaser, influencer and power of budget, reports to Wang Wei"
        ),
    ),
    (
        StakeholderRevised("li", title="Chief engineer", reports_to=None),
        "Li Na: title Engineer → Chief engineer; reports to Wang Wei → unknown",
    ),
    (
        StakeholderRevised("zhao", roles=(BuyingRole.USER,), contact_points=(PHONE,)),
        "Zhao Lei: roles user; contact points noted",
    ),
    (
        StakeholderRevised("li", name="Li Na-Ming", contact_points=()),
        "Li Na: name Li Na → Li Na-Ming; contact points unknown again",
    ),
    (StakeholderRevised("li"), "Li Na: as before"),
    (StakeholderRevised("nobody", title="Boss"), "nobody: title Boss"),
    (
        StakeholderAssessed("li", 4, Attitude.SUPPORTER),
        "Li Na assessed: influence 2 → 4; attitude supporter",
    ),
    (
        StakeholderAssessed(
            "li", focus=(Focus.RECEPTIVITY, Focus.POWER), personal_motive="A bonus"
        ),
        "Li Na assessed: focus receptivity and power; personal motive noted",
    ),
    (RelationRecorded("li", "wang", RelationKind.INFLUENCES), "Li Na influences Wang Wei"),
    (RelationRecorded("li", "wang", RelationKind.ALLIED, 4), "Li Na and Wang Wei are allied (4/5)"),
    (RelationRecorded("li", "zhao", RelationKind.RIVAL), "Li Na and Zhao Lei are rivals"),
    (LeaningObserved("li", "us", "Knows us"), "Li Na leans to us: Knows us"),
    (LeaningObserved("li"), "Li Na leans to nobody"),
    (StakeholderDeparted("li"), "Li Na left"),
    (StakeholderDeparted("li", "zhao", "Retired"), "Li Na left, Zhao Lei took over: Retired"),
    (ContactMade("c-2", ContactKind.OTHER, ("li",)), "contact with Li Na"),
    (
        ContactMade(
            "c-2",
            ContactKind.TECHNICAL_EXCHANGE,
            ("li", "wang", "zhao"),
            ("ann", "bo"),
            purpose="Win them",
            summary="Convinced",
            outcome=ContactOutcome.ADVANCE,
        ),
        (
            "technical exchange with Li Na, Wang Wei and Zhao Lei, by ann and bo,"
            " outcome advance: Convinced"
        ),
    ),
    (
        ContactMade("c-2", ContactKind.CALL, ("wang",), ("ann",), purpose="Win him"),
        "call with Wang Wei, by ann: Win him",
    ),
    (MinutesSent("c-1"), "minutes sent: visit with Li Na"),
    (MinutesSent("c-9"), "minutes sent: c-9"),
    (SubjectErased("li", "They asked"), "personal data of li erased: They asked"),
]


@pytest.mark.parametrize(("fact", "words"), TOLD)
def test_each_fact_is_told(fact: AnyPeopleFact, words: str) -> None:
    assert describe(fact, BEFORE) == words


def test_every_fact_is_tried() -> None:
    assert {type(fact) for fact, _ in TOLD} == set(get_args(AnyPeopleFact))


def test_people_nobody_has_heard_of_are_told_of_by_their_id() -> None:
    fact = RelationRecorded("li", "wang", RelationKind.INFLUENCES)
    assert describe(fact, People()) == "li influences wang"


@pytest.mark.parametrize(
    ("fact", "words"),
    [
        (StakeholderRevised("li", name="[erased]"), "[erased]: name [erased] → [erased]"),
        (StakeholderAssessed("li", 3, personal_motive="[erased]"), "influence 2 → 3"),
        (LeaningObserved("li", "us", "[erased]"), "[erased] leans to us: [erased]"),
        (RelationRecorded("zhao", "li", RelationKind.RIVAL), "Zhao Lei and [erased] are rivals"),
        (MinutesSent("c-1"), "minutes sent: visit with [erased]"),
        (SubjectErased("li"), "personal data of li erased"),
    ],
)
def test_an_erased_person_is_told_of_by_no_name(fact: AnyPeopleFact, words: str) -> None:
    assert words in describe(fact, KNOWN.and_given(SubjectErased("li")).deal.people)


def test_whose_name_is_hidden_is_told_of_by_id() -> None:
    hidden = StakeholderIdentified("li", "[hidden]", title="[hidden]")
    assert describe(hidden, People()) == "li identified: [hidden]"
    before = Scenario().and_given(opened(), hidden).deal.people
    assert describe(MinutesSent("c-9"), before) == "minutes sent: c-9"
    assert describe(LeaningObserved("li", "us"), before) == "li leans to us"
