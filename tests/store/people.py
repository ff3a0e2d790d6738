"""Two deals with people on them, and a person who appears on both, for tests of forgetting.

Nadja is person p-nadja: `nadja` on d-1, where she is spoken of in notes and a
contact, and `buyer` on d-2, which was lost. Wang Wei is on d-1 alone, without an
id across deals.
"""

from collections.abc import Sequence
from typing import cast

from domain.deal import DealCommand
from domain.history import Fact
from domain.intent import Command
from domain.lifecycle.commands import AddNote, LoseOpportunity
from domain.lifecycle.facts import LostOutcome
from domain.people.commands import (
    AssessStakeholder,
    IdentifyStakeholder,
    RecordContact,
    ReviseStakeholder,
)
from domain.people.facts import ContactKind, ContactPoint, ContactPointKind
from store.forgetting.appearances import Appearance
from store.location import Location
from store.log import DealLog
from tests.contract.asking import OPEN, Ticking, intent

PERSON = "p-nadja"
NAME = "Nadja 李娜"
NUMBER = "+86 138 0013 8000"
MOTIVE = 'wants to run "Werk Süd" \u00e9'
SUMMARY = "she has promised the budget"
EARLY = f"{NAME} rang before anybody knew who she is"
WAITING = "Everybody waits for Nadja"
ON_LEAVE = "Wang Wei is on leave"

PLACES = (Appearance("d-1", "nadja"), Appearance("d-2", "buyer"))

TOLD: tuple[tuple[str, Command], ...] = (
    ("d-1", OPEN),
    ("d-1", AddNote(EARLY)),
    (
        "d-1",
        IdentifyStakeholder(
            "nadja",
            NAME,
            person=PERSON,
            title="CFO of the works",
            contact_points=(ContactPoint(ContactPointKind.PHONE, NUMBER),),
        ),
    ),
    ("d-1", IdentifyStakeholder("wang", "Wang Wei", title="Engineer")),
    ("d-1", AssessStakeholder("nadja", influence=4, personal_motive=MOTIVE)),
    ("d-1", RecordContact("c-1", ContactKind.CALL, ("nadja", "wang"), summary=SUMMARY)),
    ("d-1", AddNote(ON_LEAVE)),
    ("d-1", AddNote(WAITING)),
    ("d-2", OPEN),
    ("d-2", IdentifyStakeholder("buyer", NAME, person=PERSON)),
    ("d-2", ReviseStakeholder("buyer", title="Head of finance")),
    ("d-2", LoseOpportunity(LostOutcome.NO_DECISION)),
)
GONE = {
    ("d-1", "contact-made", "summary"): 1,
    ("d-1", "note-added", "text"): 1,
    ("d-1", "stakeholder-assessed", "personal_motive"): 1,
    ("d-1", "stakeholder-identified", "contact_points"): 1,
    ("d-1", "stakeholder-identified", "name"): 1,
    ("d-1", "stakeholder-identified", "title"): 1,
    ("d-2", "stakeholder-identified", "name"): 1,
    ("d-2", "stakeholder-revised", "title"): 1,
}
"""What erasing Nadja takes away."""

PERSONAL = (NAME, "Nadja", "李娜", NUMBER, MOTIVE, SUMMARY, WAITING, "CFO of the works")


def tell(log: DealLog, told: Sequence[tuple[str, Command]] = TOLD, name: str = "told") -> None:
    """Record all that."""
    for number, (deal, command) in enumerate(told):
        log.handle(deal, cast("DealCommand", command), intent(f"{name}-{number}"))


def told_log(location: Location) -> DealLog:
    """A new log in which all that was recorded."""
    log = DealLog.create(location, Ticking())
    tell(log)
    return log


def facts(log: DealLog, deal: str) -> list[Fact]:
    """The facts of a deal, in order of version."""
    return [event.fact for event in log.events_in(f"deal:{deal}")]
