"""Folding needs and value: what the customer needs, asks for, values and fears."""

from domain.needs.facts import (
    CheckResult,
    ConcernAccepted,
    ConcernAssigned,
    ConcernKind,
    ConcernRaised,
    ConcernResolved,
    FactChecked,
    FactRecorded,
    NeedDeveloped,
    NeedKind,
    NeedUncovered,
    Positioning,
    PositioningAccepted,
    RequirementStated,
    Topic,
    ValueConfirmed,
)
from domain.needs.needs import Need, Needs
from tests.domain.needs.asked import BUDGET, LATE, LI, STOPS, WANG
from tests.scenario import Scenario, given, on, opened, usd


def the_need(needs: Needs, need_id: str = "stops") -> Need:
    need = needs.need(need_id)
    assert need is not None
    return need


def test_nothing_is_known_at_first() -> None:
    needs = given(opened()).deal.needs
    assert needs == Needs()
    assert needs.need("stops") is None
    assert needs.requirement("spare") is None
    assert needs.value("hours") is None
    assert needs.positioning(None) is None
    assert needs.concern("late") is None
    assert needs.fact("budget") is None


def test_a_need_is_implied_until_it_is_developed() -> None:
    deal = given(opened(), WANG, STOPS)
    need = the_need(deal.deal.needs)
    assert (need.explicit, need.made_explicit) == (False, None)
    developed = deal.and_given(NeedDeveloped("stops"), NeedDeveloped("stops", kpi="Uptime"))
    made = the_need(developed.deal.needs).made_explicit
    assert made is not None
    assert made.version == 4


def test_a_need_can_be_explicit_from_the_start() -> None:
    need = the_need(
        given(
            opened(),
            NeedUncovered("stops", "Never stop", NeedKind.EXPLICIT),
            NeedDeveloped("stops", kpi="Uptime"),
        ).deal.needs
    )
    assert need.explicit
    assert need.made_explicit == need.uncovered


def test_a_need_keeps_what_was_said_of_it_last() -> None:
    uncovered = NeedUncovered("stops", "It stops", consequence="Late orders", cost=usd("5"))
    deal = given(opened(), uncovered)
    need = the_need(deal.deal.needs)
    assert (need.statement, need.kpi, need.consequence, need.cost) == (
        "It stops",
        None,
        "Late orders",
        usd("5"),
    )
    after = deal.and_given(
        NeedDeveloped("stops", "Never stop", "Uptime", "Fines", usd("7")),
        NeedDeveloped("stops", kpi="Hours"),
        NeedDeveloped("stops", cost=usd("8")),
    )
    need = the_need(after.deal.needs)
    assert (need.statement, need.kpi, need.consequence, need.cost) == (
        "Never stop",
        "Hours",
        "Fines",
        usd("8"),
    )


def test_what_is_developed_is_the_need_that_is_named() -> None:
    needs = given(
        opened(), NeedUncovered("a", "A"), NeedUncovered("b", "B"), NeedDeveloped("b")
    ).deal.needs
    assert [(need.id, need.explicit) for need in needs.needs] == [("a", False), ("b", True)]


def test_a_requirement_stated_again_replaces() -> None:
    needs = given(
        opened(),
        RequirementStated("r", "One", why="W"),
        RequirementStated("s", "S"),
        RequirementStated("r", "Two"),
    ).deal.needs
    assert [event.fact for event in needs.requirements] == [
        RequirementStated("s", "S"),
        RequirementStated("r", "Two"),
    ]
    latest = needs.requirement("r")
    assert latest is not None
    assert latest.version == 4


def test_confirmed_values_are_kept_side_by_side() -> None:
    needs = given(
        opened(), WANG, ValueConfirmed("a", "A", "wang", usd("5")), ValueConfirmed("b", "B", "wang")
    ).deal.needs
    assert [event.fact.id for event in needs.values] == ["a", "b"]
    found = needs.value("b")
    assert found is not None
    assert found.fact.benefit == "B"


def test_the_latest_positioning_of_each_person_counts() -> None:
    needs = given(
        opened(),
        WANG,
        PositioningAccepted(Positioning.CHEAP_AND_GOOD, "wang"),
        PositioningAccepted(Positioning.BEST_FOR_THE_MONEY),
        PositioningAccepted(Positioning.HIGH_VALUE, "wang"),
    ).deal.needs
    assert [event.fact for event in needs.positionings] == [
        PositioningAccepted(Positioning.BEST_FOR_THE_MONEY),
        PositioningAccepted(Positioning.HIGH_VALUE, "wang"),
    ]
    of_wang = needs.positioning("wang")
    assert of_wang is not None
    assert (of_wang.fact.positioning, of_wang.version) == (Positioning.HIGH_VALUE, 5)


def test_a_concern_has_an_owner_and_an_end() -> None:
    raised = given(
        opened(),
        LATE,
        ConcernRaised("dear", ConcernKind.OBJECTION, "Dear", owner="ann"),
        ConcernRaised("new", ConcernKind.CONCERN, "New to us"),
    )
    assert [(one.id, one.owner) for one in raised.deal.needs.open_concerns] == [
        ("late", None),
        ("dear", "ann"),
        ("new", None),
    ]
    closed = raised.and_given(
        ConcernAssigned("dear", "bo"),
        ConcernResolved("late", "Shown"),
        ConcernAccepted("new"),
    ).deal.needs
    assert [(one.id, one.owner, one.open) for one in closed.concerns] == [
        ("late", None, False),
        ("dear", "bo", True),
        ("new", None, False),
    ]
    late = closed.concern("late")
    assert late is not None
    assert late.closed is not None
    assert late.closed.fact == ConcernResolved("late", "Shown")


def test_checks_stay_with_the_fact_they_are_about() -> None:
    needs = given(
        opened(),
        WANG,
        LI,
        BUDGET,
        FactChecked("budget", CheckResult.CONFIRMS, told_by="li"),
        FactChecked("budget", CheckResult.CONTRADICTS, source="Press"),
    ).deal.needs
    known = needs.fact("budget")
    assert known is not None
    assert [check.fact.result for check in known.checks] == ["confirms", "contradicts"]


def test_what_names_nothing_known_changes_nothing() -> None:
    stray = Scenario().and_given(
        opened(),
        on(1, NeedDeveloped("n")),
        on(2, ConcernAssigned("c", "bo")),
        on(3, ConcernResolved("c", "How")),
        on(4, ConcernAccepted("c")),
        on(5, FactChecked("f", CheckResult.CONFIRMS)),
    )
    assert stray.deal.needs == Needs()


def test_a_check_is_of_the_fact_that_it_names() -> None:
    needs = given(
        opened(),
        WANG,
        BUDGET,
        FactRecorded("scale", Topic.SCALE, "Two lines", source="The plan"),
        FactChecked("scale", CheckResult.CONFIRMS, source="The tender"),
    ).deal.needs
    assert [(one.id, len(one.checks)) for one in needs.information] == [("budget", 0), ("scale", 1)]
