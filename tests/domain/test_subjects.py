"""Whose data the fields of a fact hold: the keys that a field is encrypted under."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.directory import UserRegistered
from domain.history import Fact
from domain.lifecycle.facts import (
    NextStepPlanned,
    NoteAdded,
    OpportunityAssessed,
    OpportunityResumed,
    OpportunityWon,
    OutcomeReasonRecorded,
    ReasonDriver,
    SuccessFactor,
    Teller,
)
from domain.negotiation.facts import (
    NegotiationOpened,
    OfferMade,
    Term,
    WalkAwayPressed,
    WalkAwayRevised,
)
from domain.people.facts import (
    ContactKind,
    ContactMade,
    ContactPoint,
    ContactPointKind,
    LeaningObserved,
    MinutesSent,
    StakeholderIdentified,
    StakeholderRevised,
    SubjectErased,
)
from domain.subjects import EncryptedField, Subjects, encrypted_fields
from domain.values import Party
from tests.domain.negotiation.table import PRICE
from tests.strategies import facts, facts_of

DEAL = "deal:d-1"
TELLING = (StakeholderIdentified, StakeholderRevised, ContactMade)
LI = "person:p-1"
WANG = "stakeholder:d-1/wang"
ZHAO = "stakeholder:d-1/zhao"


def known(*told: Fact) -> Subjects:
    subjects = Subjects()
    for fact in told:
        subjects = subjects.after(fact)
    return subjects


PEOPLE = known(
    StakeholderIdentified("li", "Li Na", "p-1"),
    StakeholderIdentified("wang", "王伟"),
    StakeholderIdentified("zhao", "Zhao Lei"),
    ContactMade("visit", ContactKind.VISIT, ("li", "wang")),
)


def keys(fact: Fact, subjects: Subjects = PEOPLE, stream: str = DEAL) -> dict[str, tuple[str, ...]]:
    """By field: its outer keys, then a bar, then its inner ones."""
    return {
        field.name: (*field.outer, "|", *field.inner)
        for field in encrypted_fields(fact, stream, subjects)
    }


PHONE = ContactPoint(ContactPointKind.PHONE, "+86 10 1")

WHOSE: list[tuple[Fact, dict[str, tuple[str, ...]]]] = [
    (MinutesSent("visit"), {}),
    (NoteAdded("Good"), {"text": (DEAL, "|")}),
    (OpportunityResumed(), {}),
    (
        StakeholderIdentified("chen", "Chen Jie", "p-2", title="Buyer", contact_points=(PHONE,)),
        {
            "name": ("person:p-2", "|"),
            "title": ("person:p-2", "|"),
            "contact_points": ("person:p-2", "|"),
        },
    ),
    (StakeholderIdentified("chen", "Chen Jie"), {"name": ("stakeholder:d-1/chen", "|")}),
    (StakeholderRevised("wang", person="p-3", title=None), {"title": ("person:p-3", "|")}),
    (StakeholderRevised("li", person=None, title="X"), {"title": ("stakeholder:d-1/li", "|")}),
    (StakeholderRevised("nobody", name="Nobody"), {"name": (DEAL, "|")}),
    (
        ContactMade("call", ContactKind.CALL, ("wang", "li"), ("zhao-of-ours",), summary="Fine"),
        {"summary": (LI, WANG, "|")},
    ),
    (
        OutcomeReasonRecorded(Teller.BUYER, ReasonDriver.PRICE, "Dear", contact="visit"),
        {"text": (LI, WANG, "|")},
    ),
    (OutcomeReasonRecorded(Teller.SELLER, ReasonDriver.PRICE, "Dear"), {"text": (DEAL, "|")}),
    (LeaningObserved("zhao", "us", "Zhao saw it with 王伟"), {"reason": (ZHAO, "|", WANG)}),
    (
        OfferMade(
            "o", "main", Party.CUSTOMER, 1, (), made_by="li", made_to=("ann",), in_return_for="1"
        ),
        {"in_return_for": (LI, "|")},
    ),
    (NextStepPlanned("s", "Call Li Na", "ann"), {"what": (DEAL, "|", LI)}),
    (SubjectErased("li", "By mail"), {"reason": (DEAL, "|")}),
    (OpportunityWon(reasons=("Price", "王伟")), {"reasons": (DEAL, "|", WANG)}),
    (
        OpportunityAssessed(3, 3, success_factors=(SuccessFactor("Zhao", have=True),)),
        {"success_factors": (DEAL, "|", ZHAO)},
    ),
    (
        NegotiationOpened("main", (PRICE,), targets=(Term("price", "90"),)),
        {"targets": (DEAL, "|"), "walk_aways": (DEAL, "|")},
    ),
    (WalkAwayPressed("price", "90"), {"reading": (DEAL, "|")}),
    (
        WalkAwayRevised("price", "90", "Li Na said so"),
        {"walk_away": (DEAL, "|"), "reason": (DEAL, "|", LI)},
    ),
]


@pytest.mark.parametrize(("fact", "expected"), WHOSE)
def test_a_field_is_under_the_keys_of_whom_it_speaks_of(
    fact: Fact, expected: dict[str, tuple[str, ...]]
) -> None:
    assert keys(fact) == expected
    assert list(keys(fact)) == list(expected)


def test_a_user_has_a_key_of_their_own() -> None:
    fact = UserRegistered("ann", "Ann Zhao", "0051")
    assert keys(fact, Subjects(), "user:ann") == {
        "name": ("user:ann", "|"),
        "reference": ("user:ann", "|"),
    }


@pytest.mark.parametrize(
    ("name", "text", "meant"),
    [
        ("Li Na", "Li Na came", True),
        ("Li Na", "与Li Na讨论", True),
        ("Li Na", "Na and Li", False),
        ("Li Na 李娜", "Li Na came", True),
        ("李娜 (Li Na)", "问李娜", True),
        ("李娜 (Li Na)", "Ask Li Na.", True),
        ("Zhao Lei", "Zhao's plan", True),
        ("Zhao Lei", "与Zhao讨论", True),
        ("Zhao Lei", "(Lei)", True),
        ("Zhao Lei", "zhao", False),
        ("Zhao Lei", "Zhaoxing", False),
        ("Jean-Luc d'Orsay", "Luc agrees", True),
        ("José", "Jose\N{COMBINING ACUTE ACCENT} agrees", True),
        ("Bo", "Bo.", True),
        ("Bo", "Bob", False),
        ("Bo.", "Bo said", True),
        ("X", "X", False),
        ("王伟", "和王伟经理谈", True),
        ("王伟", "王 伟", False),
        ("王", "王", False),
        ("王伟 (Wang Wei)", "王伟", True),
        ("王伟 (Wang Wei)", "Wang", True),
        ("김철수", "김철수가 왔다", True),
        ("[erased]", "erased [erased]", False),
        ("[hidden]", "hidden [hidden]", False),
    ],
)
def test_who_is_named_in_a_text(name: str, text: str, meant: bool) -> None:
    subjects = known(StakeholderIdentified("one", name))
    inner = ("stakeholder:d-1/one",) if meant else ()
    assert keys(NoteAdded(text), subjects) == {"text": (DEAL, "|", *inner)}


def test_a_name_is_its_bearers_alone() -> None:
    wei = StakeholderIdentified("wei", "Zhao Wei", title="Aide of Zhao Lei")
    own = "stakeholder:d-1/wei"
    assert keys(wei) == {"name": (own, "|"), "title": (own, "|", ZHAO)}
    assert keys(NoteAdded("Zhao"), PEOPLE.after(wei)) == {"text": (DEAL, "|", own, ZHAO)}


def test_every_name_they_ever_had_counts() -> None:
    renamed = PEOPLE.after(StakeholderRevised("zhao", name="Qian Lei"))
    assert keys(NoteAdded("Zhao"), renamed) == {"text": (DEAL, "|", ZHAO)}
    assert keys(NoteAdded("Qian"), renamed) == {"text": (DEAL, "|", ZHAO)}
    erased = renamed.after(StakeholderRevised("zhao", name="[erased]"))
    assert erased == renamed


def test_an_erasure_finds_all_keys_and_all_stakeholders() -> None:
    taken = PEOPLE.after(StakeholderRevised("li", person="p-9"))
    taken = taken.after(StakeholderIdentified("li-2", "Li Na", "p-1"))
    assert taken.keys_of("li", DEAL) == (LI, "person:p-9", "stakeholder:d-1/li")
    assert taken.keys_of("wang", DEAL) == (WANG,)
    assert taken.keys_of("nobody", DEAL) == ("stakeholder:d-1/nobody",)
    assert taken.stakeholders_of("p-1") == ("li", "li-2")
    assert taken.stakeholders_of("p-9") == ("li",)
    assert taken.stakeholders_of("p-0") == ()


ids = st.text("ab/%", min_size=1, max_size=5)


@given(st.tuples(ids, ids), st.tuples(ids, ids))
def test_no_two_stakeholders_share_a_key(one: tuple[str, str], other: tuple[str, str]) -> None:
    (key,), (other_key,) = (Subjects().keys_of(who, f"deal:{deal}") for deal, who in (one, other))
    assert (key == other_key) is (one == other)


def test_a_key_of_a_deal_with_a_slash_in_its_id() -> None:
    assert Subjects().keys_of("b/c", "deal:a") == ("stakeholder:a/b/c",)
    assert Subjects().keys_of("c", "deal:a/b") == ("stakeholder:a%2Fb/c",)


def test_whoever_took_part_by_any_account_took_part() -> None:
    again = PEOPLE.after(ContactMade("visit", ContactKind.VISIT, ("zhao", "li")))
    fact = OutcomeReasonRecorded(Teller.BUYER, ReasonDriver.PRICE, "Dear", contact="visit")
    assert keys(fact, again) == {"text": (LI, WANG, ZHAO, "|")}


@given(facts(), st.lists(facts(), max_size=5))
def test_outer_keys_are_sorted_and_inner_ones_are_others(fact: Fact, earlier: list[Fact]) -> None:
    subjects = known(*earlier)
    fields = encrypted_fields(fact, DEAL, subjects)
    assert [field.name for field in fields] == [
        name for name in fact.__struct_fields__ if name in {one.name for one in fields}
    ]
    for field in fields:
        assert field.outer
        for names in (field.outer, field.inner):
            assert list(names) == sorted(set(names))
        assert not set(field.outer) & set(field.inner)
        if field.name in fact.secret:
            assert field.outer == (DEAL,)
    assert set(fact.secret) <= {field.name for field in fields}
    # A fact that counted before it is asked of changes nothing.
    assert encrypted_fields(fact, DEAL, subjects.after(fact)) == fields


def test_a_field_of_the_public_part_is_not_encrypted() -> None:
    assert encrypted_fields(NoteAdded("Good"), DEAL, Subjects()) == (
        EncryptedField("text", (DEAL,)),
    )


@given(st.lists(facts(), max_size=6), st.one_of(facts(), *map(facts_of, TELLING)))
def test_what_is_known_with_a_fact_is_the_same_when_it_is_told_again(
    before: list[Fact], fact: Fact
) -> None:
    """So the fields of a fact are the same, whether it counts itself or was counted already."""
    with_it = known(*before, fact)
    assert with_it.after(fact) == with_it
    found = encrypted_fields(fact, DEAL, known(*before))
    assert encrypted_fields(fact, DEAL, with_it) == found
