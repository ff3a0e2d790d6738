"""Who may do what, and see what: one pure function over one table. Deny by default.

A role holds somewhere: everywhere, on deals whose team one is on, on deals of
the units one manages. Rights are those of today, also for what is entered late.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import assert_never

import msgspec

from domain.refusals import NotAllowed


class Role(StrEnum):
    """What a principal is in the organisation."""

    OPERATOR = "operator"
    """Whoever holds the files of an embedded store: may do everything."""
    SELLER = "seller"
    """Sells: works on the deals of their own."""
    MANAGER = "manager"
    """Leads the sellers of a unit, and decides what goes beyond them."""
    ANALYST = "analyst"
    """Reads figures, without what is personal or secret."""
    AUDITOR = "auditor"
    """Reads everything, and who did it."""
    ADMIN = "admin"
    """Runs the organisation, and sees no deal."""


class Action(StrEnum):
    """What can be asked for."""

    READ = "read"
    """See a deal."""
    RECORD = "record"
    """Record what happened to a deal, and open one."""
    OVERRIDE_GATE = "override-gate"
    """Advance a deal whose gate is not met, or skip stages."""
    WITHDRAW = "withdraw"
    """Take back what was recorded in error."""
    APPROVE = "approve"
    """Let a negotiation go further than whoever leads it may go alone."""
    ERASE = "erase"
    """Have a person forgotten."""
    AUDIT = "audit"
    """See who did what, over all deals."""
    CONFIGURE = "configure"
    """Say who belongs to the organisation, in which role, and how far they may go."""


class Sensitivity(StrEnum):
    """How far a field may be shown; the types of fact say it in `personal` and `secret`."""

    PUBLIC = "public"
    PERSONAL = "personal"
    SECRET = "secret"  # noqa: S105 (a word, not a password)


EVERYTHING = frozenset(Sensitivity)
PUBLIC_ONLY = frozenset({Sensitivity.PUBLIC})
NOTHING: frozenset[Sensitivity] = frozenset()


class Principal(msgspec.Struct, frozen=True):
    """Someone who acts: an opaque user id, the roles it holds now, and the units it manages."""

    id: str
    roles: frozenset[Role] = frozenset()
    units: frozenset[str] = frozenset()
    """Where the role of manager holds, with all units below. No other role looks at it."""
    limited_to: frozenset[Action] | None = None
    """What it may do at most: an API key can be good for less than its user. None: no limit."""


class DealScope(msgspec.Struct, frozen=True):
    """Whose a deal is."""

    team: frozenset[str] = frozenset()
    """User ids of the owner and the members; empty for a deal that does not exist yet."""
    units: frozenset[str] = frozenset()
    """The units of the owner, with all units above them."""


NO_DEAL = DealScope()
"""Scope of what concerns no deal, or one that does not exist yet."""


class Reach(StrEnum):
    """Where a right holds."""

    EVERYWHERE = "everywhere"
    OWN = "on deals of their own"
    UNITS = "on deals of their units"
    NEW = "on new deals"


class Right(msgspec.Struct, frozen=True):
    """A row of the table: who holds `role` may do `actions` there, and sees that much."""

    role: Role
    reach: Reach
    actions: frozenset[Action]
    visible: frozenset[Sensitivity]
    acts_as: Role | None = None
    """The role whose authority counts there, where it is another."""


_SELLING = frozenset({Action.READ, Action.RECORD, Action.WITHDRAW})
_MANAGING = _SELLING | {Action.OVERRIDE_GATE, Action.APPROVE}
_OPENING = frozenset({Action.RECORD})
_RUNNING = frozenset({Action.CONFIGURE, Action.ERASE})

TABLE: tuple[Right, ...] = (
    Right(Role.SELLER, Reach.OWN, _SELLING, EVERYTHING),
    Right(Role.SELLER, Reach.NEW, _OPENING, EVERYTHING),
    Right(Role.MANAGER, Reach.UNITS, _MANAGING, EVERYTHING),
    Right(Role.MANAGER, Reach.OWN, _SELLING, EVERYTHING, acts_as=Role.SELLER),
    Right(Role.MANAGER, Reach.NEW, _OPENING, EVERYTHING, acts_as=Role.SELLER),
    Right(Role.ANALYST, Reach.EVERYWHERE, frozenset({Action.READ}), PUBLIC_ONLY),
    Right(Role.AUDITOR, Reach.EVERYWHERE, frozenset({Action.READ, Action.AUDIT}), EVERYTHING),
    Right(Role.ADMIN, Reach.EVERYWHERE, _RUNNING, NOTHING),
    Right(Role.OPERATOR, Reach.EVERYWHERE, frozenset(Action), EVERYTHING),
)
"""All rights there are."""


class Answer(msgspec.Struct, frozen=True):
    """Allowed or not, why, and how much may be seen in doing so."""

    allowed: bool
    reason: str
    visible: frozenset[Sensitivity] = NOTHING


def may(principal: Principal, action: Action, scope: DealScope) -> Answer:
    """Whether `principal` may do `action` on a deal of that scope. Several roles add up."""
    if principal.limited_to is not None and action not in principal.limited_to:
        return Answer(False, f"the API key of {_named(principal)} is not good to {action}")
    rights = [right for right in _held(principal, scope) if action in right.actions]
    if not rights:
        return Answer(False, f"{_named(principal)} may not {action} here")
    first = rights[0]
    where = "" if first.reach is Reach.EVERYWHERE else f" {first.reach}"
    visible = frozenset[Sensitivity]().union(*(right.visible for right in rights))
    return Answer(True, f"{first.role} may {action}{where}", visible)


def require(
    principal: Principal,
    action: Action,
    scope: DealScope,
    shows: frozenset[Sensitivity] = NOTHING,
) -> Answer:
    """The answer of `may`, where it allows the action and what the action `shows`.

    Raises NotAllowed, with who may.
    """
    answer = may(principal, action, scope)
    if not answer.allowed:
        raise NotAllowed(answer.reason, _who(right for right in TABLE if action in right.actions))
    hidden = shows - answer.visible
    if hidden:
        raise NotAllowed(
            f"{_named(principal)} may not see what is {' or '.join(sorted(hidden))} here",
            _who(r for r in TABLE if action in r.actions and hidden <= r.visible),
        )
    return answer


def require_within_limit(principal: Principal, handed_on: frozenset[Action], purpose: str) -> None:
    """Raise NotAllowed where an API key would hand on more than it is good for itself.

    `purpose` says what for, as a phrase behind "is not good to".
    """
    limit = principal.limited_to
    if limit is not None and not handed_on <= limit:
        raise NotAllowed(
            f"the API key of {_named(principal)} is not good to {purpose}",
            f"It hands on at most what it is good for: {', '.join(sorted(limit))}.",
        )


def actions_of(role: Role) -> frozenset[Action]:
    """All that somebody in a role may do, wherever that is."""
    return frozenset[Action]().union(*(right.actions for right in TABLE if right.role is role))


def may_somewhere(principal: Principal, action: Action) -> bool:
    """Whether there can be a deal on which `principal` may do `action`, or none is needed."""
    if principal.limited_to is not None and action not in principal.limited_to:
        return False
    return any(right.role in principal.roles and action in right.actions for right in TABLE)


def acting(principal: Principal, scope: DealScope) -> Principal:
    """The principal with the roles that let it record there, which say how far it may go alone."""
    roles = frozenset(
        right.acts_as or right.role
        for right in _held(principal, scope)
        if Action.RECORD in right.actions
    )
    return msgspec.structs.replace(principal, roles=roles)


def _held(principal: Principal, scope: DealScope) -> list[Right]:
    return [
        right
        for right in TABLE
        if right.role in principal.roles and _reaches(right.reach, principal, scope)
    ]


def _reaches(reach: Reach, principal: Principal, scope: DealScope) -> bool:
    match reach:
        case Reach.EVERYWHERE:
            return True
        case Reach.OWN:
            return principal.id in scope.team
        case Reach.UNITS:
            return not principal.units.isdisjoint(scope.units)
        case Reach.NEW:
            return not scope.team
        case _:
            assert_never(reach)


def _named(principal: Principal) -> str:
    roles = ", ".join(sorted(principal.roles)) or "no role"
    return f"{principal.id} ({roles})"


def _who(rights: Iterable[Right]) -> str:
    told = dict.fromkeys(
        right.role if right.reach is Reach.EVERYWHERE else f"{right.role} {right.reach}"
        for right in rights
    )
    return f"Allowed to: {', '.join(told)}."
