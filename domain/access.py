"""Who may do what: one pure function of (principal, action, deal). Deny by default."""

from collections.abc import Collection
from enum import StrEnum

import msgspec


class Role(StrEnum):
    """What a principal is in the organisation."""

    OPERATOR = "operator"
    """Whoever holds the files of an embedded store: may do everything."""
    SELLER = "seller"
    MANAGER = "manager"
    ANALYST = "analyst"
    AUDITOR = "auditor"
    ADMIN = "admin"


class Action(StrEnum):
    """What can be asked for."""

    READ = "read"
    RECORD = "record"
    OVERRIDE_GATE = "override-gate"
    WITHDRAW = "withdraw"
    APPROVE = "approve"
    """Let a negotiation go further than whoever leads it may go alone."""
    ERASE = "erase"
    """Have a person forgotten."""
    AUDIT = "audit"


class Principal(msgspec.Struct, frozen=True):
    """Someone who acts: an opaque user id and the roles it holds now."""

    id: str
    roles: frozenset[Role] = frozenset()


class Answer(msgspec.Struct, frozen=True):
    """Allowed or not, and why."""

    allowed: bool
    reason: str


_EVERYWHERE: dict[Role, frozenset[Action]] = {
    Role.OPERATOR: frozenset(Action),
    Role.MANAGER: frozenset(
        {Action.READ, Action.RECORD, Action.OVERRIDE_GATE, Action.WITHDRAW, Action.APPROVE}
    ),
    Role.ANALYST: frozenset({Action.READ}),
    Role.AUDITOR: frozenset({Action.READ, Action.AUDIT}),
}
_ON_OWN_DEALS: dict[Role, frozenset[Action]] = {
    Role.SELLER: frozenset({Action.READ, Action.RECORD, Action.WITHDRAW}),
}


def may(principal: Principal, action: Action, deal_team: Collection[str]) -> Answer:
    """Whether `principal` may do `action` on a deal whose owner and members are `deal_team`.

    An empty team is a deal that does not exist yet: a seller may open it.
    """
    for role in sorted(principal.roles):
        if action in _EVERYWHERE.get(role, ()):
            return Answer(True, f"{role} may {action}")
        on_team = principal.id in deal_team or not deal_team
        if on_team and action in _ON_OWN_DEALS.get(role, ()):
            return Answer(True, f"{role} may {action} on deals of their own")
    roles = ", ".join(sorted(principal.roles)) or "no role"
    return Answer(False, f"{principal.id} ({roles}) may not {action} here")
