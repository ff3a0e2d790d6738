"""The stakeholder map: who stands where, and the figures of coverage by their formulas."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from domain.people.facts import (
    Attitude,
    BuyingRole,
    ContactKind,
    ContactMade,
    Focus,
    Level,
    RelationKind,
    RelationRecorded,
    StakeholderAssessed,
    StakeholderDeparted,
    StakeholderIdentified,
    StakeholderRevised,
)
from projections.people import (
    RECENT,
    Coverage,
    LevelFigures,
    StakeholderMap,
    Way,
    stakeholder_map,
)
from tests.scenario import Scenario, day, on, opened

if TYPE_CHECKING:
    from datetime import datetime

    from tests.scenario import Given

DECIDES, USES, BUYS = BuyingRole.DECISION_MAKER, BuyingRole.USER, BuyingRole.PURCHASER
MOMENT = timedelta(microseconds=1)


def mapped(*facts: Given, at: datetime) -> StakeholderMap:
    return stakeholder_map(Scenario().and_given(opened(), *facts).deal, at)


def covered(*facts: Given, at: datetime | None = None) -> Coverage:
    return mapped(*facts, at=at or day(100)).coverage


def person(name: str, *roles: BuyingRole, level: Level | None = None) -> StakeholderIdentified:
    return StakeholderIdentified(name, name.title(), roles=roles, level=level)


def met(number: float, *people: str) -> Given:
    return on(number, ContactMade(f"c-{number}", ContactKind.VISIT, people))


def lines(*reports: tuple[str, str | None]) -> list[tuple[str, int]]:
    people = [StakeholderIdentified(one, one, reports_to=above) for one, above in reports]
    return [(placed.stakeholder.id, placed.depth) for placed in mapped(*people, at=day(100)).people]


def test_of_nobody_there_is_nothing_to_say() -> None:
    empty = mapped(at=day(1))
    assert (empty.people, empty.relations) == ((), ())
    assert empty.coverage == Coverage(
        roles_filled=(),
        roles_missing=tuple(BuyingRole),
        contacted_lately=(),
        levels=tuple(LevelFigures(level, 0, 0) for level in (*reversed(Level), None)),
        support=0,
        unassessed=0,
        busiest=None,
        busiest_share=None,
        days_since_decision_maker_met=None,
        entry_path=(),
    )


def test_everybody_stands_behind_whom_they_report_to() -> None:
    found = lines(("c", "b"), ("a", None), ("b", "a"), ("z", None), ("d", "a"), ("e", "c"))
    assert found == [("a", 0), ("b", 1), ("c", 2), ("e", 3), ("d", 1), ("z", 0)]


def test_whoever_reports_to_nobody_known_stands_on_top() -> None:
    assert lines(("a", "ghost"), ("b", "a")) == [("a", 0), ("b", 1)]


def test_a_circle_of_an_unsound_history_is_cut_and_loses_nobody() -> None:
    assert lines(("a", "c"), ("b", "a"), ("c", "b"), ("d", "b"), ("e", None)) == [
        ("e", 0),
        ("a", 0),
        ("b", 1),
        ("c", 2),
        ("d", 2),
    ]
    assert lines(("a", "a")) == [("a", 0)]


def test_a_person_comes_with_their_contacts_and_when_they_were_last_met() -> None:
    found = mapped(person("li"), person("bo"), met(9, "li"), met(4, "li", "bo"), at=day(20))
    li, bo = found.people
    assert [contact.id for contact in li.contacts] == ["c-4", "c-9"]
    assert (li.last_met, bo.last_met) == (day(9), day(4))
    assert mapped(person("li"), at=day(20)).people[0].last_met is None


def test_the_threads_are_on_the_map() -> None:
    allied = RelationRecorded("li", "bo", RelationKind.ALLIED)
    found = mapped(person("li"), person("bo"), allied, at=day(9))
    assert [event.fact for event in found.relations] == [allied]


def test_roles_are_filled_by_those_who_still_have_a_part() -> None:
    found = covered(
        person("li", USES, DECIDES),
        person("bo", USES),
        person("wu", BUYS),
        StakeholderDeparted("wu"),
    )
    assert found.roles_filled == (DECIDES, USES)
    assert len(found.roles_missing) == 4
    assert BUYS in found.roles_missing


def test_who_was_contacted_in_the_last_thirty_days_is_counted_once() -> None:
    people = (person("li"), person("bo"), person("wu"), person("al"), StakeholderDeparted("al"))
    contacts = (met(10, "li", "al"), met(20, "li"), met(5, "bo"))
    assert timedelta(days=30) == RECENT
    assert covered(*people, *contacts, at=day(35)).contacted_lately == ("li", "bo")
    assert covered(*people, *contacts, at=day(35) + MOMENT).contacted_lately == ("li",)
    assert covered(*people, *contacts, at=day(51)).contacted_lately == ()


@pytest.mark.parametrize(
    ("contacts", "busiest", "share"),
    [
        ([("li",)], "li", 100),
        ([("bo", "li"), ("bo",)], "bo", 100),
        ([("li",), ("bo",)], "li", 50),
        ([("li",), ("bo",), ("bo",)], "bo", 67),
        ([("li",), ("bo",), ("wu",)], "li", 33),
        ([("li",)] * 3 + [("bo",)] * 5, "bo", 63),
    ],
)
def test_the_busiest_takes_part_in_a_share_of_all_contacts(
    contacts: list[tuple[str, ...]], busiest: str, share: int
) -> None:
    made = [met(10 + number, *people) for number, people in enumerate(contacts)]
    found = covered(person("li"), person("bo"), person("wu"), *made)
    assert (found.busiest, found.busiest_share) == (busiest, share)


def test_days_are_counted_since_a_decision_maker_was_last_met() -> None:
    people = (person("li", DECIDES), person("bo", DECIDES), person("wu"))
    assert covered(*people, at=day(40)).days_since_decision_maker_met is None
    contacts = (met(10, "li"), met(12, "bo", "wu"), met(20, "wu"))
    assert covered(*people, *contacts, at=day(40)).days_since_decision_maker_met == 28
    assert covered(*people, *contacts, at=day(12)).days_since_decision_maker_met == 0
    gone = (*people, *contacts, StakeholderDeparted("bo"))
    assert covered(*gone, at=day(40)).days_since_decision_maker_met == 30
    named_later = (person("li"), met(10, "li"), StakeholderRevised("li", roles=(DECIDES,)))
    assert covered(*named_later, at=day(40)).days_since_decision_maker_met == 30


def test_support_is_attitude_times_influence_by_level() -> None:
    found = covered(
        person("top", level=Level.TOP),
        person("one", level=Level.MIDDLE),
        person("two", level=Level.MIDDLE),
        person("low"),
        person("gone", level=Level.TOP),
        person("half", level=Level.FRONT_LINE),
        StakeholderAssessed("top", 5, Attitude.SCEPTIC),
        StakeholderAssessed("one", 3, Attitude.CHAMPION),
        StakeholderAssessed("two", 2, Attitude.OPPONENT),
        StakeholderAssessed("low", 4, Attitude.SUPPORTER),
        StakeholderAssessed("gone", 5, Attitude.CHAMPION),
        StakeholderAssessed("half", attitude=Attitude.CHAMPION),
        StakeholderDeparted("gone"),
    )
    assert found.levels == (
        LevelFigures(Level.TOP, 1, -5),
        LevelFigures(Level.MIDDLE, 2, 2),
        LevelFigures(Level.FRONT_LINE, 1, 0),
        LevelFigures(None, 1, 4),
    )
    assert (found.support, found.unassessed) == (1, 1)


def test_the_entry_path_tells_the_foci_in_the_order_in_which_they_were_reached() -> None:
    people = (
        person("li"),
        person("bo"),
        person("wu"),
        StakeholderAssessed("li", focus=(Focus.RECEPTIVITY,)),
        StakeholderAssessed("bo", focus=(Focus.POWER,)),
    )
    path = covered(*people, met(30, "li"), met(20, "bo"), met(40, "bo")).entry_path
    assert path == (
        Way(Focus.POWER, ("bo",), day(20)),
        Way(Focus.RECEPTIVITY, ("li",), day(30)),
    )
    unmet = covered(
        *people, StakeholderAssessed("wu", focus=(Focus.DISSATISFACTION,)), met(20, "bo")
    )
    assert [(way.focus, way.reached_at) for way in unmet.entry_path] == [
        (Focus.POWER, day(20)),
        (Focus.RECEPTIVITY, None),
        (Focus.DISSATISFACTION, None),
    ]


def test_one_contact_may_reach_two_foci() -> None:
    path = covered(
        person("li"),
        person("bo"),
        StakeholderAssessed("li", focus=(Focus.POWER,)),
        StakeholderAssessed("bo", focus=(Focus.RECEPTIVITY, Focus.POWER)),
        met(20, "bo", "li"),
    ).entry_path
    assert path == (
        Way(Focus.RECEPTIVITY, ("bo",), day(20)),
        Way(Focus.POWER, ("li", "bo"), day(20)),
    )


def test_whoever_opened_the_way_opened_it_also_when_they_have_left() -> None:
    focus = StakeholderAssessed("li", focus=(Focus.RECEPTIVITY,))
    path = covered(person("li"), focus, met(20, "li"), StakeholderDeparted("li")).entry_path
    assert path == (Way(Focus.RECEPTIVITY, ("li",), day(20)),)
