"""Needs and value told in words, one phrase for each fact."""

from typing import get_args

import pytest

from domain.needs import Needs, describe
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
    RequirementResponse,
    RequirementStated,
    Topic,
    ValueConfirmed,
)
from tests.domain.needs.asked import BUDGET, LATE, STOPS, WANG
from tests.scenario import given, opened, usd

BEFORE = given(
    opened(),
    WANG,
    STOPS,
    NeedUncovered("scrap", "Halve the scrap", NeedKind.EXPLICIT),
    RequirementStated("spare", "A spare drive"),
    LATE,
    ConcernRaised("dear", ConcernKind.OBJECTION, "Too dear"),
    BUDGET,
).deal.needs

TOLD: list[tuple[AnyNeedsFact, str]] = [
    (NeedUncovered("n", "It stops"), "implied need: It stops"),
    (
        NeedUncovered("n", "It stops", NeedKind.EXPLICIT, whose="wang", cost=usd("5000")),
        "explicit need of wang: It stops, costs them 5,000.00 USD",
    ),
    (
        NeedUncovered("n", "To be seen", dimension=NeedDimension.PERSONAL, whose="wang"),
        "implied personal need of wang: To be seen",
    ),
    (NeedDeveloped("stops"), "need became explicit: The line stops twice a week"),
    (
        NeedDeveloped("stops", "Never stop", "uptime", "Late orders", usd("7")),
        (
            "need became explicit: Never stop, serves uptime, costs them 7.00 USD;"
            " it leads to: Late orders"
        ),
    ),
    (
        NeedDeveloped("scrap", kpi="scrap rate"),
        "explicit need: Halve the scrap, serves scrap rate",
    ),
    (NeedDeveloped("other"), "need became explicit: other"),
    (RequirementStated("r", "A ramp"), "they ask for: A ramp"),
    (
        RequirementStated(
            "r", "A ramp", by="wang", why="Forklifts", response=RequirementResponse.ACCEPTED
        ),
        "wang asks for: A ramp, because: Forklifts (accepted)",
    ),
    (RequirementStated("spare", "Two drives"), "they now ask for: Two drives"),
    (RequirementStated("spare", "Two drives", by="wang"), "wang now asks for: Two drives"),
    (ValueConfirmed("v", "Forty hours", "wang"), "wang confirmed the value: Forty hours"),
    (
        ValueConfirmed("v", "Forty hours", "wang", usd("4000")),
        "wang confirmed the value: Forty hours (4,000.00 USD)",
    ),
    (PositioningAccepted(Positioning.HIGH_VALUE), "they take our offer as high value"),
    (
        PositioningAccepted(Positioning.BEST_FOR_THE_MONEY, "wang"),
        "wang takes our offer as best for the money",
    ),
    (ConcernRaised("c", ConcernKind.CONCERN, "New to us"), "concern: New to us"),
    (
        ConcernRaised("c", ConcernKind.OBJECTION, "Dear", ConcernCause.OVER_BUDGET, "wang", "ann"),
        "objection of wang: Dear (over budget); ann deals with it",
    ),
    (ConcernAssigned("dear", "bo"), "bo deals with objection 'Too dear'"),
    (ConcernAssigned("other", "bo"), "bo deals with concern other"),
    (ConcernResolved("late", "Shown"), "concern 'It comes too late' resolved: Shown"),
    (ConcernAccepted("late"), "they decide in spite of concern 'It comes too late'"),
    (
        ConcernAccepted("late", "wang", "Can wait"),
        "wang decides in spite of concern 'It comes too late': Can wait",
    ),
    (
        FactRecorded("f", Topic.DECISION_CHAIN, "Li decides"),
        "learned about decision chain: Li decides",
    ),
    (
        FactRecorded("f", Topic.PROJECT, "A plant", source="the web"),
        "learned from the web about project: A plant",
    ),
    (FactRecorded("f", Topic.BUDGET, "2 m", "wang"), "told by wang about budget: 2 m"),
    (
        FactRecorded("f", Topic.BUDGET, "2 m", "wang", "aside"),
        "told by wang (aside) about budget: 2 m",
    ),
    (
        FactChecked("budget", CheckResult.CONFIRMS, told_by="li"),
        "confirmed by li: Approved in May",
    ),
    (
        FactChecked("budget", CheckResult.CONTRADICTS, "li", "aside", "In June"),
        "contradicted by li, aside: Approved in May: In June",
    ),
    (FactChecked("other", CheckResult.CONFIRMS, source="Press"), "confirmed by Press: fact other"),
]


@pytest.mark.parametrize(("fact", "words"), TOLD)
def test_each_fact_is_told(fact: AnyNeedsFact, words: str) -> None:
    assert describe(fact, BEFORE) == words


def test_every_fact_is_tried() -> None:
    assert {type(fact) for fact, _ in TOLD} == set(get_args(AnyNeedsFact))


def test_a_developed_need_is_told_in_the_words_of_today() -> None:
    needs = given(opened(), WANG, STOPS, NeedDeveloped("stops", "Never stop")).deal.needs
    assert (
        describe(NeedDeveloped("stops", kpi="Up"), needs) == "explicit need: Never stop, serves Up"
    )
    assert describe(NeedDeveloped("stops"), Needs()) == "need became explicit: stops"
