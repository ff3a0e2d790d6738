"""Whose deals are those of a team, at any moment of both axes."""

from datetime import datetime, timedelta

from domain.access import Role
from domain.directory import (
    AnyDirectoryFact,
    Directory,
    MembershipEnded,
    MembershipGranted,
    UnitRegistered,
    UserRegistered,
)
from domain.history import Draft, Recorded
from domain.values import END_OF_TIME
from projections.operating.teams import directory_at, name_of, owners_in, team_of, units_in
from tests.projections.histories import EPOCH, RECORDED_AT


def day(number: int) -> datetime:
    return EPOCH + timedelta(days=number)


def streams(
    *told: tuple[AnyDirectoryFact, int, int],
) -> list[list[Recorded[AnyDirectoryFact]]]:
    """Facts with the days on which they occurred and were known, in a stream each."""
    return [
        [
            Draft(fact, day(occurred), "op", "cli", "c", "c", day(known)).recorded(
                f"unit:{number}", number, RECORDED_AT
            )
        ]
        for number, (fact, occurred, known) in enumerate(told, start=1)
    ]


SALES = (
    (UnitRegistered("sales", "Sales"), 0, 0),
    (UnitRegistered("north", "Sales North", "sales"), 0, 0),
    (UnitRegistered("south", "Sales South", "sales"), 0, 0),
    (UserRegistered("ann", "Ann"), 0, 0),
    (MembershipGranted("ann", Role.SELLER, "north"), 1, 1),
    (MembershipGranted("ann", Role.MANAGER, "sales"), 1, 1),
    (MembershipEnded("ann", Role.SELLER, "north"), 5, 7),
    (MembershipGranted("ann", Role.SELLER, "south"), 5, 7),
    (MembershipGranted("bo", Role.MANAGER, "north"), 1, 1),
    (MembershipGranted("mei", Role.SELLER, "north"), 1, 1),
    (MembershipGranted("mei", Role.SELLER, "south"), 1, 1),
    (MembershipGranted("kim", Role.SELLER), 1, 1),
)


def team(directory: Directory, owner: str) -> list[str] | None:
    """The units of the team of somebody."""
    key = team_of(directory, owner)
    return None if key is None else units_in(key)


def test_the_team_is_where_somebody_sells_else_what_they_manage() -> None:
    now = directory_at(streams(*SALES), END_OF_TIME, END_OF_TIME)
    assert team(now, "ann") == ["south"]
    assert team(now, "bo") == ["north"]
    assert team(now, "kim") is None
    assert team(now, "nobody") is None


def test_who_sells_in_several_units_is_in_a_team_of_all_of_them() -> None:
    now = directory_at(streams(*SALES), END_OF_TIME, END_OF_TIME)
    assert team(now, "mei") == ["north", "south"]


def test_units_of_one_name_are_teams_of_their_own() -> None:
    units = [("t-1", "Sales"), ("t-2", "Sales"), ("a", "A"), ("b", "B"), ("ab", "A + B")]
    sellers = [("one", "t-1"), ("two", "t-2"), ("both", "a"), ("both", "b"), ("joined", "ab")]
    told = streams(
        *((UnitRegistered(*unit), 0, 0) for unit in units),
        *((MembershipGranted(who, Role.SELLER, unit), 0, 0) for who, unit in sellers),
    )
    now = directory_at(told, END_OF_TIME, END_OF_TIME)
    assert len({team_of(now, who) for who, _ in sellers}) == 4
    assert (name_of(now, "t-1"), name_of(now, "ab"), name_of(now, "gone")) == (
        *("Sales", "A + B"),
        None,
    )


def test_the_team_is_that_of_the_moment_on_both_axes() -> None:
    told = streams(*SALES)
    assert team(directory_at(told, day(0), END_OF_TIME), "ann") is None
    assert team(directory_at(told, day(4), END_OF_TIME), "ann") == ["north"]
    assert team(directory_at(told, day(6), END_OF_TIME), "ann") == ["south"]
    assert team(directory_at(told, day(6), day(6)), "ann") == ["north"]


def test_a_unit_has_the_owners_of_the_units_below() -> None:
    now = directory_at(streams(*SALES), END_OF_TIME, END_OF_TIME)
    assert owners_in(now, "sales") == {"ann", "bo", "mei"}
    assert owners_in(now, "north") == {"bo", "mei"}
    assert owners_in(now, "elsewhere") == frozenset()
