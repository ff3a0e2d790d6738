"""Entries in another order than things happened, and who may take back what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.corrections import WithdrawEvent
from domain.negotiation.facts import (
    ApprovalGranted,
    ApprovalRefused,
    Better,
    Issue,
    IssueKind,
    NegotiationOpened,
)
from domain.people.commands import (
    AssessStakeholder,
    ObserveLeaning,
    RecordContact,
    ReviseStakeholder,
    SendMinutes,
)
from domain.people.facts import ContactKind, ContactMade, StakeholderIdentified, SubjectErased
from domain.refusals import BreaksLaterHistory, NotAllowed, PersonErased, UnknownReference
from domain.stages.facts import Override, StageAdvanced
from tests.scenario import MANAGER, day, given, on, opened

if TYPE_CHECKING:
    from domain.deal import DealFact

# --- late entries of what was put on record in another order ------------------------------------

MET = RecordContact("c-1", ContactKind.VISIT, ("li",))


def test_somebody_may_be_met_before_they_are_on_the_map() -> None:
    mapped = given(opened(), on(5, StakeholderIdentified("li", "Li Na")))
    mapped.when(MET, at=day(3), now=day(9)).accepted()
    given(opened()).when(MET).refused(UnknownReference, "no stakeholder 'li'")


def test_what_changes_somebody_needs_them_on_the_map_by_then() -> None:
    mapped = given(opened(), on(5, StakeholderIdentified("li", "Li Na")))
    assessed = AssessStakeholder("li", influence=4)
    mapped.when(assessed, at=day(3), now=day(9)).refused(UnknownReference, "later than this")
    mapped.when(assessed, at=day(6), now=day(9)).accepted()


def test_what_others_mention_cannot_be_withdrawn() -> None:
    met = given(opened(), StakeholderIdentified("li", "Li Na")).when(MET).accepted()
    met.when(WithdrawEvent(2, "Wrong")).refused(BreaksLaterHistory, "no stakeholder 'li'")


# --- the right to withdraw ----------------------------------------------------------------------

OVERRIDDEN = StageAdvanced("contact", "closing", ("proposal",), override=Override("mei", "Haste"))


def test_withdrawing_takes_the_right_that_recording_took() -> None:
    talks = (*talks_in_which_80_was_approved(), ApprovalRefused("price", "80"))
    refused = given(opened(), *talks)
    version = refused.history.version
    refused.when(WithdrawEvent(version, "Oops")).refused(NotAllowed, "may not approve")
    refused.when(WithdrawEvent(version, "Oops"), by=MANAGER).accepted()
    moved = given(opened(), OVERRIDDEN)
    moved.when(WithdrawEvent(2, "Oops")).refused(NotAllowed, "may not override-gate")
    moved.when(WithdrawEvent(2, "Oops"), by=MANAGER).accepted()


def talks_in_which_80_was_approved() -> tuple[DealFact, ...]:
    price = Issue("price", IssueKind.PRICE, better_for_us=Better.HIGHER)
    return (NegotiationOpened("main", (price,)), ApprovalGranted("price", "80"))


def test_nothing_personal_is_entered_late_of_who_was_erased() -> None:
    li = StakeholderIdentified("li", "Li Na")
    erased = given(opened(), li, on(5, SubjectErased("li")))
    for command in (
        ReviseStakeholder("li", title="Boss"),
        AssessStakeholder("li", personal_motive="A bonus"),
        ObserveLeaning("li", reason="Friends"),
    ):
        erased.when(command, at=day(3), now=day(9)).refused(PersonErased)
    erased.when(MET, at=day(3), now=day(9)).accepted()


def test_minutes_go_out_after_the_contact() -> None:
    met = given(opened(), StakeholderIdentified("li", "Li Na"), on(5, VISIT))
    met.when(SendMinutes("c-1"), at=day(4), now=day(9)).refused(
        UnknownReference, "contact 'c-1' was made later than this", "after a contact"
    )
    met.when(SendMinutes("c-1"), at=day(6), now=day(9)).accepted()


VISIT = ContactMade("c-1", ContactKind.VISIT, ("li",))
