"""The directory: who is in which role and unit, now, and what follows for rights."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.access import Action, Principal, Role
from domain.directory import (
    ApiKeyIssued,
    ApiKeyRevoked,
    Directory,
    Membership,
    MembershipEnded,
    MembershipGranted,
    UnitRegistered,
    UserRegistered,
)
from domain.history import Draft, Fact, Recorded

START = datetime(2026, 3, 2, tzinfo=UTC)


def stream(name: str, *facts: Fact, days: tuple[int, ...] = ()) -> list[Recorded[Fact]]:
    """Events of one stream, each a day after the one before, or on `days`."""
    return [
        Draft(
            fact, START + timedelta(days=days[index] if days else index), "op", "cli", "c", "c"
        ).recorded(name, index + 1, START)
        for index, fact in enumerate(facts)
    ]


def unit(name: str, parent: str | None = None) -> list[Recorded[Fact]]:
    return stream(f"unit:{name}", UnitRegistered(name, name.title(), parent))


def ann(*facts: Fact, days: tuple[int, ...] = ()) -> list[Recorded[Fact]]:
    return stream("user:ann", *facts, days=days)


SELLS = MembershipGranted("ann", Role.SELLER, "town")
MANAGES = MembershipGranted("ann", Role.MANAGER, "west")
HELD = (Role.AUDITOR, None)
AUDITS = MembershipGranted("ann", Role.AUDITOR)
UNITS = (unit("world"), unit("west", "world"), unit("town", "west"), unit("east", "world"))


@pytest.mark.parametrize(
    ("name", "units"),
    [
        ("town", {"town", "west", "world"}),
        ("world", {"world"}),
        ("nowhere", {"nowhere"}),
    ],
)
def test_a_unit_with_those_above_it(name: str, units: set[str]) -> None:
    assert Directory.of(UNITS).with_above(name) == units


def test_a_unit_stands_where_it_was_put_last() -> None:
    moved = stream(
        "unit:town", UnitRegistered("town", "Town", "west"), UnitRegistered("town", "T", "east")
    )
    directory = Directory.of((*UNITS[:2], moved, UNITS[3]))
    assert directory.with_above("town") == {"town", "east", "world"}
    assert directory.units["town"].name == "T"


def test_a_loop_of_units_ends() -> None:
    loop = Directory.of((unit("a", "b"), unit("b", "c"), unit("c", "a")))
    assert loop.with_above("a") == {"a", "b", "c"}


def test_the_units_of_a_user_are_those_of_all_their_roles_and_above() -> None:
    sells = Directory.of((*UNITS, ann(SELLS, AUDITS)))
    assert sells.units_of("ann") == {"town", "west", "world"}
    both = Directory.of((*UNITS, ann(SELLS, MembershipGranted("ann", Role.SELLER, "east"))))
    assert both.units_of("ann") == {"town", "west", "world", "east"}


@pytest.mark.parametrize("user", ["bo", None, ""])
def test_who_is_not_in_the_directory_is_in_no_unit(user: str | None) -> None:
    assert Directory.of((*UNITS, ann(SELLS))).units_of(user) == set()


@pytest.mark.parametrize(
    ("facts", "principal"),
    [
        ((), Principal("ann")),
        ((SELLS,), Principal("ann", frozenset({Role.SELLER}))),
        ((AUDITS,), Principal("ann", frozenset({Role.AUDITOR}))),
        ((MANAGES,), Principal("ann", frozenset({Role.MANAGER}), frozenset({"west"}))),
        (
            (SELLS, MANAGES),
            Principal("ann", frozenset({Role.SELLER, Role.MANAGER}), frozenset({"west"})),
        ),
        ((MANAGES, MembershipEnded("ann", Role.MANAGER, "west")), Principal("ann")),
        (
            (MANAGES, MembershipEnded("ann", Role.MANAGER, "east")),
            Principal("ann", frozenset({Role.MANAGER}), frozenset({"west"})),
        ),
        (
            (SELLS, MembershipEnded("ann", Role.SELLER, "town"), SELLS),
            Principal("ann", frozenset({Role.SELLER})),
        ),
    ],
)
def test_a_user_acts_in_the_roles_they_hold_now(
    facts: tuple[Fact, ...], principal: Principal
) -> None:
    assert Directory.of((*UNITS, ann(UserRegistered("ann", "Ann"), *facts))).principal("ann") == (
        principal
    )


def test_memberships_count_in_the_order_in_which_they_occurred() -> None:
    """The end is entered first, but dated after the grant."""
    ended = MembershipEnded("ann", Role.AUDITOR)
    assert Directory.of([ann(ended, AUDITS, days=(5, 1))]).principal("ann").roles == set()
    assert Directory.of([ann(ended, AUDITS, days=(1, 5))]).principal("ann").roles == {Role.AUDITOR}


def test_a_user_remembers_what_they_hold_and_held() -> None:
    facts = (UserRegistered("ann", "Ann"), SELLS, AUDITS, SELLS, MembershipEnded("ann", *HELD))
    user = Directory.of([ann(*facts)]).users["ann"]
    assert user.memberships == (Membership(Role.SELLER, "town"),)
    assert user.ended == {Membership(*HELD)}


def test_the_last_registration_names_a_user_and_leaves_their_roles() -> None:
    renamed = UserRegistered("ann", "Ann Lee", "0057")
    user = Directory.of([ann(UserRegistered("ann", "Ann"), SELLS, renamed)]).users["ann"]
    assert user.registered == renamed
    assert user.memberships == (Membership(Role.SELLER, "town"),)


def test_a_membership_is_told_with_its_unit() -> None:
    assert str(Membership(Role.SELLER, "town")) == "seller of town"
    assert str(Membership(Role.ADMIN)) == "admin"


# Keys.

KEY = ApiKeyIssued("ann", "k-1", "ab" * 32, "export", (Action.READ,))
OTHER_KEY = ApiKeyIssued("ann", "k-2", "cd" * 32, "laptop")
REVOKED = ApiKeyRevoked("ann", "k-1")


def test_a_key_is_found_by_its_id_until_it_is_revoked() -> None:
    issued = Directory.of([ann(KEY, OTHER_KEY)])
    assert (issued.key("k-1"), issued.key("k-2"), issued.key("k-3")) == (KEY, OTHER_KEY, None)
    assert issued.users["ann"].keys == (KEY, OTHER_KEY)
    revoked = Directory.of([ann(KEY, OTHER_KEY, REVOKED)])
    assert (revoked.key("k-1"), revoked.key("k-2")) == (None, OTHER_KEY)
    assert [revoked.has_had(key) for key in ("k-1", "k-2", "k-3")] == [True, True, False]


def test_a_key_stays_revoked_whatever_the_clock_said() -> None:
    """The clock was set back between its issue and its end, so the end seems to come first."""
    assert Directory.of([ann(KEY, REVOKED, days=(5, 1))]).key("k-1") is None
    assert Directory.of([ann(KEY, REVOKED, KEY)]).key("k-1") is None


def test_a_key_gives_no_role() -> None:
    assert Directory.of([ann(KEY)]).principal("ann") == Principal("ann")
