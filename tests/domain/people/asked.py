"""People to try things on, and one sound command of every type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.competition.facts import CompetitorIdentified
from domain.people.commands import (
    AssessStakeholder,
    EraseSubject,
    IdentifyStakeholder,
    ObserveLeaning,
    PeopleCommand,
    RecordContact,
    RecordDeparture,
    RecordRelation,
    ReviseStakeholder,
    SendMinutes,
)
from domain.people.facts import (
    Attitude,
    BuyingRole,
    ContactKind,
    ContactMade,
    ContactPoint,
    ContactPointKind,
    Level,
    RelationKind,
    StakeholderIdentified,
)

if TYPE_CHECKING:
    from domain.deal import DealCommand, DealFact
    from domain.intent import Command

PHONE = ContactPoint(ContactPointKind.PHONE, "+86 10 5555")
WANG = StakeholderIdentified(
    "wang", "Wang Wei", title="Director", level=Level.TOP, roles=(BuyingRole.DECISION_MAKER,)
)
LI = StakeholderIdentified(
    "li",
    "Li Na",
    title="Engineer",
    department="Production",
    level=Level.FRONT_LINE,
    roles=(BuyingRole.USER, BuyingRole.RECOMMENDER),
    reports_to="wang",
    contact_points=(PHONE,),
)
ZHAO = StakeholderIdentified("zhao", "Zhao Lei", reports_to="li")
RIVAL = CompetitorIdentified("globex", "Globex")
VISIT = ContactMade("c-1", ContactKind.VISIT, ("li",), ("ann",), summary="Liked the press")

MAP: tuple[DealFact, ...] = (WANG, LI, ZHAO, RIVAL, VISIT)

ASKED: list[tuple[tuple[DealFact, ...], DealCommand]] = [
    ((), IdentifyStakeholder("chen", "Chen Jie")),
    (MAP, ReviseStakeholder("li", title="Chief engineer")),
    (MAP, AssessStakeholder("li", influence=4, attitude=Attitude.SUPPORTER)),
    (MAP, RecordRelation("wang", "li", RelationKind.INFLUENCES)),
    (MAP, ObserveLeaning("li", "us")),
    (MAP, RecordDeparture("li", "zhao")),
    (MAP, RecordContact("c-2", ContactKind.CALL, ("wang",))),
    (MAP, SendMinutes("c-1")),
    (MAP, EraseSubject("li")),
]
"""Facts that have to come before (behind the opening), and a command that then acts."""

AFTER_WINNING: set[type[Command]] = set(PeopleCommand.__subclasses__())
AFTER_ANY_OUTCOME: set[type[Command]] = {EraseSubject}
