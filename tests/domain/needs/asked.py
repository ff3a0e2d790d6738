"""One sound command of every type, with what has to have happened before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.needs.commands import (
    AcceptConcern,
    AcceptPositioning,
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
    CheckResult,
    ConcernKind,
    ConcernRaised,
    FactRecorded,
    NeedUncovered,
    Positioning,
    Topic,
)
from domain.people.facts import ContactKind, ContactMade, StakeholderIdentified
from domain.values import Money

if TYPE_CHECKING:
    from domain.deal import DealCommand, DealFact
    from domain.intent import Command

WANG = StakeholderIdentified("wang", "Wang Fang")
LI = StakeholderIdentified("li", "Li Na")
VISIT = ContactMade("visit", ContactKind.VISIT, ("wang",))
STOPS = NeedUncovered("stops", "The line stops twice a week", whose="wang")
LATE = ConcernRaised("late", ConcernKind.CONCERN, "It comes too late")
BUDGET = FactRecorded("budget", Topic.BUDGET, "Approved in May", told_by="wang")
COST = Money.parse("40000", "USD")

ASKED: list[tuple[tuple[DealFact, ...], DealCommand]] = [
    ((WANG,), UncoverNeed("stops", "The line stops twice a week", whose="wang", cost=COST)),
    ((WANG, STOPS), DevelopNeed("stops", kpi="Hours of standstill", cost=COST)),
    ((WANG, STOPS), StateRequirement("spare", "A spare drive", by="wang", need="stops")),
    ((WANG,), ConfirmValue("hours", "Forty hours a year", "wang", COST)),
    ((WANG,), AcceptPositioning(Positioning.HIGH_VALUE, "wang")),
    ((), RaiseConcern("late", ConcernKind.CONCERN, "It comes too late")),
    ((LATE,), AssignConcern("late", "bo")),
    ((LATE,), ResolveConcern("late", "Shown the delivery plan")),
    ((LATE,), AcceptConcern("late")),
    ((WANG,), RecordFact("budget", Topic.BUDGET, "Approved in May", told_by="wang")),
    ((WANG, LI, BUDGET), CheckFact("budget", CheckResult.CONFIRMS, told_by="li")),
]
AFTER_ANY_OUTCOME: set[type[Command]] = set()
AFTER_WINNING: set[type[Command]] = {RaiseConcern, AssignConcern, ResolveConcern, AcceptConcern}
