"""Folding the customer's people: what each fact leaves behind."""

import pytest

from domain.deal import DealFact
from domain.history import ERASED, Recorded
from domain.people import People
from domain.people.facts import (
    Attitude,
    BuyingRole,
    ContactKind,
    ContactMade,
    Focus,
    LeaningObserved,
    Level,
    MinutesSent,
    RelationKind,
    RelationRecorded,
    Relationship,
    StakeholderAssessed,
    StakeholderDeparted,
    StakeholderIdentified,
    StakeholderRevised,
    SubjectErased,
)
from domain.people.people import Stakeholder
from tests.domain.people.asked import LI, MAP, PHONE, VISIT, WANG
from tests.scenario import Scenario, given, opened

SECRETS = ("Li Na", "Engineer", "555", "the press", "Knows us", "Ill", "A bonus", "Speed")


def people_after(*facts: DealFact) -> People:
    """Behind an opening, the first fact is version 2."""
    return Scenario().and_given(opened(), *facts).deal.people


def one_after(stakeholder: str, *facts: DealFact) -> Stakeholder:
    found = people_after(*facts).stakeholder(stakeholder)
    assert found is not None
    return found


def test_nobody_is_known_at_first() -> None:
    assert given(opened()).deal.people == People()
    assert (People().stakeholder("li"), People().contact("c-1")) == (None, None)


def test_somebody_identified_is_known_with_where_each_fact_is_from() -> None:
    li = one_after("li", WANG, LI)
    assert (li.id, li.name, li.title, li.department) == ("li", "Li Na", "Engineer", "Production")
    assert (li.level, li.reports_to, li.person) == (Level.FRONT_LINE, "wang", None)
    assert (li.roles, li.powers) == ((BuyingRole.USER, BuyingRole.RECOMMENDER), ())
    assert li.contact_points == (PHONE,)
    given_at_first = {"name", "title", "department", "level", "roles", "reports_to"}
    assert li.set_by == dict.fromkeys(given_at_first | {"contact_points"}, 3)
    assert (li.leaning, li.departed, li.erased, li.present) == (None, None, None, True)
    assert (li.attitude, li.focus, li.influence) == (None, (), None)


def test_who_is_identified_again_under_an_id_replaces() -> None:
    again = people_after(LI, StakeholderIdentified("li", "Li Ning"))
    assert [(one.name, one.title, one.set_by) for one in again.stakeholders] == [
        ("Li Ning", None, {"name": 3})
    ]


def test_what_is_revised_changes_and_the_rest_stays() -> None:
    li = one_after("li", LI, StakeholderRevised("li", title=None, name="Li Na-Ming"))
    assert (li.name, li.title, li.department) == ("Li Na-Ming", None, "Production")
    assert (li.set_by["name"], li.set_by["department"]) == (3, 2)
    assert "title" not in li.set_by


def test_an_assessment_builds_on_the_one_before() -> None:
    li = one_after(
        "li",
        LI,
        StakeholderAssessed("li", 4, Attitude.SUPPORTER, focus=(Focus.POWER,)),
        StakeholderAssessed("li", None, relationship=Relationship.ALLY),
    )
    assert (li.influence, li.attitude, li.relationship) == (
        None,
        Attitude.SUPPORTER,
        Relationship.ALLY,
    )
    assert (li.set_by["attitude"], li.set_by["relationship"]) == (3, 4)
    assert "influence" not in li.set_by


@pytest.mark.parametrize(
    "fact",
    [
        StakeholderRevised("nobody", title="Boss"),
        StakeholderAssessed("nobody", 3),
        LeaningObserved("nobody", "us"),
        StakeholderDeparted("nobody"),
        MinutesSent("c-9"),
        SubjectErased("nobody"),
    ],
)
def test_what_speaks_of_nobody_known_changes_nothing(fact: DealFact) -> None:
    assert people_after(*MAP, fact) == people_after(*MAP)


def test_of_each_thread_the_latest_counts() -> None:
    def thread(one: str, other: str, kind: RelationKind, strength: int) -> RelationRecorded:
        return RelationRecorded(one, other, kind, strength)

    influences, rival = RelationKind.INFLUENCES, RelationKind.RIVAL
    people = people_after(
        *MAP,
        thread("li", "wang", influences, 1),
        thread("wang", "li", influences, 2),
        thread("li", "wang", rival, 3),
        thread("wang", "li", rival, 4),
        thread("li", "wang", influences, 5),
        thread("li", "zhao", rival, 1),
    )
    assert [one.fact for one in people.relations] == [
        thread("wang", "li", influences, 2),
        thread("wang", "li", rival, 4),
        thread("li", "wang", influences, 5),
        thread("li", "zhao", rival, 1),
    ]


def test_the_latest_leaning_counts() -> None:
    li = one_after("li", *MAP, LeaningObserved("li", "globex"), LeaningObserved("li"))
    assert li.leaning is not None
    assert li.leaning.fact == LeaningObserved("li")


def test_who_left_holds_no_role_any_more() -> None:
    before = people_after(*MAP)
    after = people_after(*MAP, StakeholderDeparted("li", "zhao"))
    role = BuyingRole.USER
    assert [one.id for one in before.present] == ["wang", "li", "zhao"]
    assert [one.id for one in after.present] == ["wang", "zhao"]
    assert [one.id for one in before.with_role(role)] == ["li"]
    assert after.with_role(role) == ()
    assert len(after.stakeholders) == 3


def test_minutes_belong_to_their_contact() -> None:
    call = ContactMade("c-2", ContactKind.CALL, ("wang",))
    people = people_after(*MAP, call, MinutesSent("c-2"))
    assert [(one.id, one.minutes is not None) for one in people.contacts] == [
        ("c-1", False),
        ("c-2", True),
    ]


ALL_OF_LI: tuple[DealFact, ...] = (
    *MAP,
    StakeholderAssessed(
        "li", 4, Attitude.SUPPORTER, business_motive="Speed", personal_motive="A bonus"
    ),
    LeaningObserved("li", "us", "Knows us"),
    StakeholderDeparted("li", reason="Ill"),
)


def test_erasing_hides_what_is_personal_and_keeps_the_place_on_the_map() -> None:
    before = people_after(*ALL_OF_LI)
    after = people_after(*ALL_OF_LI, SubjectErased("li"))
    assert [secret for secret in SECRETS if secret not in repr(before)] == []
    assert [secret for secret in SECRETS if secret in repr(after)] == []
    li = after.stakeholder("li")
    assert li is not None
    assert (li.name, li.title, li.contact_points) == (ERASED, None, ())
    assert (li.business_motive, li.personal_motive) == (None, None)
    assert (li.level, li.reports_to, li.influence) == (Level.FRONT_LINE, "wang", 4)
    assert li.leaning is not None
    assert li.leaning.fact == LeaningObserved("li", "us")
    assert li.departed is not None
    assert li.departed.fact == StakeholderDeparted("li")
    assert isinstance(li.erased, Recorded)
    assert after.stakeholder("wang") == before.stakeholder("wang")


def test_what_was_said_in_a_contact_goes_with_any_of_those_who_took_part() -> None:
    both = ContactMade("c-2", ContactKind.CALL, ("li", "wang"), purpose="P", summary="S")
    other = ContactMade("c-3", ContactKind.CALL, ("wang",), purpose="P", summary="S")
    people = people_after(*MAP, both, other, SubjectErased("li"))
    said = [(one.made.fact.purpose, one.made.fact.summary) for one in people.contacts]
    assert said == [(None, None), (None, None), ("P", "S")]
    assert VISIT.summary == "Liked the press"


def test_what_an_unsound_history_says_of_an_erased_person_shows_nothing_personal() -> None:
    late = (
        StakeholderRevised("li", name="Li Na", title="Boss", level=Level.TOP),
        StakeholderAssessed("li", 2, personal_motive="A bonus"),
    )
    li = one_after("li", *MAP, SubjectErased("li"), *late)
    assert (li.name, li.title, li.personal_motive) == (ERASED, None, None)
    assert (li.level, li.influence) == (Level.TOP, 2)


@pytest.mark.parametrize(
    ("scale", "points"), [(Attitude, [-2, -1, 0, 1, 2]), (Relationship, [0, 1, 2, 3, 4])]
)
def test_the_scales_in_points(scale: type[Attitude | Relationship], points: list[int]) -> None:
    assert [step.points for step in scale] == points
