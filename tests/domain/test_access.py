"""Who may do what, and see what, as a table. Rule 13."""

from itertools import product
from typing import get_args

import msgspec
import pytest

from domain.access import (
    EVERYTHING,
    NO_DEAL,
    NOTHING,
    PUBLIC_ONLY,
    TABLE,
    Action,
    DealScope,
    Principal,
    Role,
    Sensitivity,
    acting,
    may,
    may_somewhere,
    require,
)
from domain.deal import COMMAND_TYPES
from domain.history import Fact
from domain.organisation import AnyOrganisationCommand
from domain.rates import PublishRates
from domain.refusals import NotAllowed
from domain.targets import SetTarget

# A deal of somebody in a unit of west, one whose team one is on, one that is both, and none yet.
SCOPES = {
    "other": DealScope(frozenset({"bo"}), frozenset({"east", "all"})),
    "unit": DealScope(frozenset({"bo"}), frozenset({"west", "all"})),
    "own": DealScope(frozenset({"bo", "eve"}), frozenset({"east", "all"})),
    "both": DealScope(frozenset({"bo", "eve"}), frozenset({"west", "all"})),
    "new": NO_DEAL,
}

# R read, C record, O override a gate, P approve, W withdraw, E erase, A audit, S set up.
RIGHTS = """
         | other    | unit     | own      | both     | new
operator | RCOPWEAS | RCOPWEAS | RCOPWEAS | RCOPWEAS | RCOPWEAS
manager  |          | RCOPW    | RCW      | RCOPW    | C
seller   |          |          | RCW      | RCW      | C
analyst  | R        | R        | R        | R        | R
auditor  | RA       | RA       | RA       | RA       | RA
admin    | ES       | ES       | ES       | ES       | ES
"""
LETTERS = {
    "R": Action.READ,
    "C": Action.RECORD,
    "O": Action.OVERRIDE_GATE,
    "P": Action.APPROVE,
    "W": Action.WITHDRAW,
    "E": Action.ERASE,
    "A": Action.AUDIT,
    "S": Action.CONFIGURE,
}
VISIBLE = {Role.ANALYST: PUBLIC_ONLY, Role.ADMIN: NOTHING}


def rights() -> dict[tuple[Role, str], set[Action]]:
    header, *lines = RIGHTS.strip("\n").splitlines()
    scopes = [cell.strip() for cell in header.split("|")][1:]
    table = {}
    for line in lines:
        role, *cells = (cell.strip() for cell in line.split("|"))
        for scope, cell in zip(scopes, cells, strict=True):
            table[Role(role), scope] = {LETTERS[letter] for letter in cell}
    return table


def eve(*roles: Role) -> Principal:
    """Somebody who holds these roles, that of a manager in west."""
    units = frozenset({"west"}) if Role.MANAGER in roles else frozenset[str]()
    return Principal("eve", frozenset(roles), units)


@pytest.mark.parametrize(("role", "scope", "action"), list(product(Role, SCOPES, Action)))
def test_the_table_of_rights(role: Role, scope: str, action: Action) -> None:
    answer = may(eve(role), action, SCOPES[scope])
    assert answer.allowed is (action in rights()[role, scope])
    assert answer.visible == (VISIBLE.get(role, EVERYTHING) if answer.allowed else NOTHING)
    assert action.value in answer.reason


def test_the_table_names_every_role_scope_and_action() -> None:
    assert set(rights()) == set(product(Role, SCOPES))
    assert set(LETTERS.values()) == set(Action)
    assert {right.role for right in TABLE} == set(Role)


@pytest.mark.parametrize(("scope", "action"), list(product(SCOPES, Action)))
def test_who_has_no_role_may_nothing(scope: str, action: Action) -> None:
    answer = may(eve(), action, SCOPES[scope])
    assert (answer.allowed, answer.visible) == (False, NOTHING)
    assert answer.reason == f"eve (no role) may not {action} here"


def test_units_mean_nothing_to_other_roles() -> None:
    seller = Principal("eve", frozenset({Role.SELLER}), frozenset({"west"}))
    in_west = SCOPES["unit"]
    assert may(eve(Role.MANAGER), Action.READ, in_west).allowed
    assert not may(seller, Action.READ, in_west).allowed


def test_a_manager_without_a_unit_manages_nothing() -> None:
    nowhere = Principal("eve", frozenset({Role.MANAGER}))
    assert not may(nowhere, Action.READ, SCOPES["unit"]).allowed
    assert may(nowhere, Action.READ, SCOPES["own"]).allowed


def test_roles_add_up_and_the_reason_names_the_one_that_allows() -> None:
    both = eve(Role.SELLER, Role.ANALYST)
    assert may(both, Action.READ, SCOPES["other"]).visible == PUBLIC_ONLY
    assert may(both, Action.READ, SCOPES["own"]).visible == EVERYTHING
    assert may(both, Action.RECORD, SCOPES["own"]).reason == (
        "seller may record on deals of their own"
    )
    assert may(eve(Role.AUDITOR, Role.SELLER), Action.AUDIT, NO_DEAL).reason == "auditor may audit"
    denied = may(both, Action.RECORD, SCOPES["other"])
    assert denied.reason == "eve (analyst, seller) may not record here"


def test_a_refusal_says_who_may() -> None:
    with pytest.raises(NotAllowed) as refused:
        require(eve(Role.SELLER), Action.APPROVE, SCOPES["own"])
    assert refused.value.message == "eve (seller) may not approve here"
    assert refused.value.satisfied_by == "Allowed to: manager on deals of their units, operator."


def test_showing_more_than_one_may_see_is_refused() -> None:
    asked = (Action.READ, SCOPES["own"])
    assert require(eve(Role.ANALYST), *asked, shows=PUBLIC_ONLY).visible == PUBLIC_ONLY
    with pytest.raises(NotAllowed) as refused:
        require(eve(Role.ANALYST), *asked, shows=EVERYTHING)
    assert refused.value.message == ("eve (analyst) may not see what is personal or secret here")
    assert "analyst" not in refused.value.satisfied_by
    assert "auditor" in refused.value.satisfied_by


@pytest.mark.parametrize(
    ("roles", "scope", "acts_as"),
    [
        ({Role.SELLER}, "own", {Role.SELLER}),
        ({Role.SELLER}, "unit", set()),
        ({Role.MANAGER}, "unit", {Role.MANAGER}),
        ({Role.MANAGER}, "own", {Role.SELLER}),
        ({Role.MANAGER}, "both", {Role.MANAGER, Role.SELLER}),
        ({Role.MANAGER}, "other", set()),
        ({Role.OPERATOR, Role.MANAGER}, "other", {Role.OPERATOR}),
        ({Role.ANALYST, Role.SELLER}, "own", {Role.SELLER}),
    ],
)
def test_a_manager_outside_of_their_units_acts_as_a_seller(
    roles: set[Role], scope: str, acts_as: set[Role]
) -> None:
    someone = eve(*roles)
    there = acting(someone, SCOPES[scope])
    assert there.roles == acts_as
    assert (there.id, there.units) == (someone.id, someone.units)


def test_every_command_takes_a_right_that_somebody_holds() -> None:
    held = {action for right in TABLE for action in right.actions}
    configuring = {*get_args(AnyOrganisationCommand), PublishRates, SetTarget}
    commands = {*COMMAND_TYPES, *configuring}
    assert {command for command in commands if command.right not in held} == set()
    assert {command.right for command in configuring} == {Action.CONFIGURE}


def test_facts_declare_what_is_more_than_public() -> None:
    declared = {one.value for one in Sensitivity if hasattr(Fact, one.value)}
    assert declared == {one.value for one in Sensitivity} - {Sensitivity.PUBLIC}


# Keys that are good for less.


def limited(principal: Principal, *actions: Action) -> Principal:
    return msgspec.structs.replace(principal, limited_to=frozenset(actions))


@pytest.mark.parametrize(("role", "scope", "action"), list(product(Role, SCOPES, Action)))
def test_a_key_is_good_for_what_its_user_may_do_and_it_names(
    role: Role, scope: str, action: Action
) -> None:
    full = may(eve(role), action, SCOPES[scope])
    assert may(limited(eve(role), action), action, SCOPES[scope]) == full
    others = set(Action) - {action}
    refused = may(limited(eve(role), *others), action, SCOPES[scope])
    assert (refused.allowed, refused.visible) == (False, NOTHING)
    assert refused.reason == f"the API key of eve ({role}) is not good to {action}"


@pytest.mark.parametrize(("role", "action"), list(product(Role, Action)))
def test_somewhere_is_any_deal(role: Role, action: Action) -> None:
    anywhere = any(may(eve(role), action, scope).allowed for scope in SCOPES.values())
    assert may_somewhere(eve(role), action) is anywhere
    assert may_somewhere(limited(eve(role), action), action) is anywhere
    assert not may_somewhere(limited(eve(role), *set(Action) - {action}), action)
    assert not may_somewhere(eve(), action)
