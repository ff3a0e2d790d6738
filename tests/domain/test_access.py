"""Who may do what, as a table. Rule 13."""

from itertools import product

import pytest

from domain.access import Action, Principal, Role, may

TEAM = frozenset({"ann", "bo"})

# R read, C record, O override a gate, P approve, W withdraw, A audit; on any deal, on one's own.
RIGHTS = """
operator | RCOPWA | RCOPWA
manager  | RCOPW  | RCOPW
seller   |       | RCW
analyst  | R     | R
auditor  | RA    | RA
admin    |       |
"""
LETTERS = {
    "R": Action.READ,
    "C": Action.RECORD,
    "O": Action.OVERRIDE_GATE,
    "P": Action.APPROVE,
    "W": Action.WITHDRAW,
    "A": Action.AUDIT,
}


def rights() -> dict[tuple[Role, bool], set[Action]]:
    table = {}
    for line in RIGHTS.strip().splitlines():
        role, anywhere, own = (cell.strip() for cell in line.split("|"))
        table[Role(role), False] = {LETTERS[letter] for letter in anywhere}
        table[Role(role), True] = {LETTERS[letter] for letter in own}
    return table


@pytest.mark.parametrize(("role", "own", "action"), list(product(Role, [False, True], Action)))
def test_the_table_of_rights(role: Role, own: bool, action: Action) -> None:
    someone = Principal("ann" if own else "eve", frozenset({role}))
    answer = may(someone, action, TEAM)
    assert answer.allowed is (action in rights()[role, own])
    assert action.value in answer.reason


def test_the_table_names_every_role_and_action() -> None:
    assert {role for role, _ in rights()} == set(Role)
    assert set(LETTERS.values()) == set(Action)


@pytest.mark.parametrize("action", Action)
def test_who_has_no_role_may_nothing_even_on_a_deal_of_their_own(action: Action) -> None:
    answer = may(Principal("ann"), action, TEAM)
    assert not answer.allowed
    assert answer.reason == f"ann (no role) may not {action} here"


def test_a_seller_may_open_a_deal_that_is_nobodys_yet() -> None:
    assert may(Principal("eve", frozenset({Role.SELLER})), Action.RECORD, ()).allowed
    assert not may(Principal("eve", frozenset({Role.ANALYST})), Action.RECORD, ()).allowed


def test_roles_add_up_and_the_reason_names_the_one_that_allows() -> None:
    both = Principal("eve", frozenset({Role.SELLER, Role.AUDITOR}))
    assert may(both, Action.AUDIT, TEAM).reason == "auditor may audit"
    denied = may(both, Action.RECORD, TEAM)
    assert not denied.allowed
    assert denied.reason == "eve (auditor, seller) may not record here"
    own = may(Principal("ann", both.roles), Action.RECORD, TEAM)
    assert own.reason == "seller may record on deals of their own"
