"""The organisation: who is in it, in which role, and how far each role may go alone.

Theory of operation. The organisation is configuration beside the deals: small
streams of users, units and limits, folded into one `Organisation`. Its commands
are decided here as those of a deal are in `deal`; all of them take the right to
configure. Rights on a deal follow from its owner's units and its team, as they
are now.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar, assert_never

import msgspec

from domain.access import (
    NO_DEAL,
    Action,
    DealScope,
    Principal,
    Role,
    actions_of,
    require,
    require_within_limit,
)
from domain.deciding import mirrored, require_legible
from domain.directory import (
    AnyDirectoryFact,
    ApiKeyIssued,
    ApiKeyRevoked,
    Directory,
    Membership,
    MembershipEnded,
    MembershipGranted,
    UnitRegistered,
    User,
    UserRegistered,
)
from domain.history import Fact, Recorded, StreamKind, in_fold_order, stream_of
from domain.intent import Command
from domain.negotiation import AuthorityLimits
from domain.refusals import IdTaken, InvalidOrganisation, OutOfRange, UnknownReference
from domain.values import Identifier, Label

if TYPE_CHECKING:
    from collections.abc import Iterable

    from domain.intent import Intent

_SHA256 = re.compile("[0-9a-f]{64}", re.ASCII)

LIMITS_STREAM = stream_of(StreamKind.AUTHORITY, "limits")
IN_A_UNIT = frozenset({Role.SELLER, Role.MANAGER})
"""Roles that are held in a unit: a manager's always, a seller's where they belong to one."""


class AuthorityLimitsSet(Fact, tag="authority-limits-set", frozen=True):
    """How far each role may go alone in a negotiation; replaces the limits before."""

    limits: AuthorityLimits


AnyOrganisationFact = AnyDirectoryFact | AuthorityLimitsSet


class OrganisationCommand(Command, frozen=True):
    """Base of the commands that change the organisation."""

    right: ClassVar[Action] = Action.CONFIGURE
    replaces: ClassVar[bool] = False


class RegisterUser(OrganisationCommand, tag="register-user", frozen=True):
    """Make a user known, or known under a new name."""

    user: Identifier
    name: Label


class RegisterUnit(OrganisationCommand, tag="register-unit", frozen=True):
    """Make a unit known, rename it, or move it under another unit."""

    unit: Identifier
    name: Label
    parent: Identifier | None = None
    """The unit above; None: at the top."""


class GrantMembership(OrganisationCommand, tag="grant-membership", frozen=True):
    """Give a user a role: of a manager always in a unit, of a seller in one or in none."""

    user: Identifier
    role: Role
    unit: Identifier | None = None


class EndMembership(OrganisationCommand, tag="end-membership", frozen=True):
    """Take a role from a user."""

    user: Identifier
    role: Role
    unit: Identifier | None = None


class SetAuthorityLimits(OrganisationCommand, tag="set-authority-limits", frozen=True):
    """Say how far each role may go alone in a negotiation. Replaces all limits."""

    replaces: ClassVar[bool] = True

    limits: AuthorityLimits


class IssueApiKey(OrganisationCommand, tag="issue-api-key", frozen=True):
    """Let a program act as a user, by a key whose secret is made outside and not stored."""

    user: Identifier
    key: Identifier
    """Names the key, as no other one was ever named."""
    digest: Identifier
    """SHA-256 of the secret, in 64 hexadecimal digits, small letters."""
    name: Label
    actions: tuple[Action, ...] = ()
    last_day: date | None = None


class RevokeApiKey(OrganisationCommand, tag="revoke-api-key", frozen=True):
    """Let a key of a user be good for nothing any more."""

    user: Identifier
    key: Identifier
    """Names the key."""


AnyOrganisationCommand = (
    RegisterUser
    | RegisterUnit
    | GrantMembership
    | EndMembership
    | SetAuthorityLimits
    | IssueApiKey
    | RevokeApiKey
)


class Organisation(msgspec.Struct, frozen=True):
    """Who is in the organisation, and how far its roles may go, now."""

    directory: Directory = Directory()
    limits: AuthorityLimits = AuthorityLimits()

    @classmethod
    def of(cls, streams: Iterable[Iterable[Recorded[Fact]]]) -> Organisation:
        """The fold of all streams of users, units and limits."""
        kept = [list(stream) for stream in streams]
        limits = AuthorityLimits()
        for event in in_fold_order(event for stream in kept for event in stream):
            if isinstance(event.fact, AuthorityLimitsSet):
                limits = event.fact.limits
        return cls(Directory.of(kept), limits)

    def scope(self, owner: str | None, team: frozenset[str]) -> DealScope:
        """Whose a deal is that has this owner, and these users on its team."""
        return DealScope(team, self.directory.units_of(owner))


def stream_for(command: AnyOrganisationCommand) -> str:
    """The stream that a command writes to."""
    match command:
        case RegisterUnit(unit=unit):
            return stream_of(StreamKind.UNIT, unit)
        case (
            RegisterUser(user=user)
            | GrantMembership(user=user)
            | EndMembership(user=user)
            | IssueApiKey(user=user)
            | RevokeApiKey(user=user)
        ):
            return stream_of(StreamKind.USER, user)
        case SetAuthorityLimits():
            return LIMITS_STREAM
        case _:
            assert_never(command)


def decide(
    command: AnyOrganisationCommand, organisation: Organisation, intent: Intent
) -> tuple[AnyOrganisationFact, ...]:
    """The facts that `command` leads to; none where it changes nothing. Raises Refusal."""
    intent.require_past()
    require_may_configure(command, intent.principal)
    require_legible(command)
    directory = organisation.directory
    match command:
        case RegisterUser():
            return _register_user(command, directory)
        case RegisterUnit():
            _require_place(command, directory)
            unit = mirrored(command, UnitRegistered)
            return () if directory.units.get(command.unit) == unit else (unit,)
        case GrantMembership():
            return _grant(command, _registered(command.user, directory), directory)
        case EndMembership():
            return _end(command, _registered(command.user, directory))
        case IssueApiKey():
            return _issue_key(command, _registered(command.user, directory), directory, intent)
        case RevokeApiKey():
            return _revoke_key(command, _registered(command.user, directory))
        case SetAuthorityLimits(limits=limits):
            _require_sound(limits)
            return () if limits == organisation.limits else (AuthorityLimitsSet(limits),)
        case _:
            assert_never(command)


def require_may_configure(command: AnyOrganisationCommand, principal: Principal) -> None:
    """Raise NotAllowed unless the principal has the right for the command, as of now.

    A limited API key lifts no limit: not by a key that is good for more, nor by a role.
    """
    require(principal, command.right, NO_DEAL)
    match command:
        case IssueApiKey(actions=actions):
            purpose = "issue a key that is good for more"
            require_within_limit(principal, frozenset(actions or Action), purpose)
        case GrantMembership(user=user, role=role):
            own = user == principal.id
            handed_on = frozenset(Action) if own else actions_of(role)
            require_within_limit(principal, handed_on, f"make {user} {role}")
        case _:
            pass


def _register_user(command: RegisterUser, directory: Directory) -> tuple[UserRegistered, ...]:
    """A new name leaves the reference of an imported user as it is."""
    known = directory.users.get(command.user)
    earlier = known.registered if known else None
    reference = earlier.reference if earlier else None
    fact = UserRegistered(command.user, command.name, reference)
    return () if fact == earlier else (fact,)


def _require_place(command: RegisterUnit, directory: Directory) -> None:
    parent = command.parent
    if parent is None:
        return
    if parent == command.unit or command.unit in directory.with_above(parent):
        raise InvalidOrganisation(
            f"{parent} is {command.unit} itself or stands below it",
            "Put the unit under one that stands outside of it.",
        )
    _require_unit(parent, directory)


def _require_unit(unit: str, directory: Directory) -> None:
    if unit not in directory.units:
        known = ", ".join(sorted(directory.units)) or "none"
        raise UnknownReference(f"there is no unit {unit!r}", f"Register it first; known: {known}.")


def _registered(user_id: str, directory: Directory) -> User:
    user = directory.users.get(user_id)
    if user is None or user.registered is None:
        raise UnknownReference(f"there is no user {user_id!r}", "Register them first.")
    return user


def _grant(
    command: GrantMembership, user: User, directory: Directory
) -> tuple[MembershipGranted, ...]:
    role, unit = command.role, command.unit
    if role is Role.OPERATOR:
        raise InvalidOrganisation(
            "operator is nobody's role: it is whoever holds the files of the store",
            "Grant one of the other roles.",
        )
    if role is Role.MANAGER and unit is None:
        raise InvalidOrganisation("a manager manages a unit", "Name the unit.")
    if unit is not None and role not in IN_A_UNIT:
        raise InvalidOrganisation(f"{role} holds everywhere, not in a unit", "Leave out the unit.")
    if unit is not None:
        _require_unit(unit, directory)
    held = Membership(role, unit) in user.memberships
    return () if held else (mirrored(command, MembershipGranted),)


def _end(command: EndMembership, user: User) -> tuple[MembershipEnded, ...]:
    membership = Membership(command.role, command.unit)
    if membership in user.memberships:
        return (mirrored(command, MembershipEnded),)
    if membership in user.ended:
        return ()
    held = ", ".join(map(str, user.memberships)) or "nothing"
    raise UnknownReference(f"{user.id} was never {membership}", f"Held now: {held}.")


def _issue_key(
    command: IssueApiKey, user: User, directory: Directory, intent: Intent
) -> tuple[ApiKeyIssued, ...]:
    fact = mirrored(command, ApiKeyIssued)
    if fact in user.keys:
        return ()
    if directory.has_had(command.key):
        raise IdTaken(f"there is, or was, a key {command.key!r}", "Give the new one another id.")
    if not _SHA256.fullmatch(command.digest):
        raise OutOfRange(
            "the digest of a key is a SHA-256 in hexadecimal digits",
            "Give the 64 digits, with small letters.",
        )
    if command.last_day is not None and command.last_day < intent.now.date():
        raise OutOfRange(f"the last day {command.last_day} is over", "Give a day to come, or none.")
    return (fact,)


def _revoke_key(command: RevokeApiKey, user: User) -> tuple[ApiKeyRevoked, ...]:
    if command.key in user.revoked:
        return ()
    held = [key.key for key in user.keys]
    if command.key not in held:
        raise UnknownReference(
            f"{user.id} has no key {command.key!r}", f"Keys now: {', '.join(held) or 'none'}."
        )
    return (mirrored(command, ApiKeyRevoked),)


def _require_sound(limits: AuthorityLimits) -> None:
    for role, times in Counter(one.role for one in limits.roles).items():
        if times > 1:
            raise InvalidOrganisation(
                f"the limits of {role} are given {times} times", "Give them once for each role."
            )
    for one in limits.roles:
        percent = one.discount_percent
        if percent is not None and not 0 <= Decimal(percent) <= 100:
            raise OutOfRange(
                f"the discount of {one.role} is {percent} %", "Give a number from 0 to 100."
            )


def describe(fact: AnyOrganisationFact) -> str:
    """What happened, in one English phrase."""
    match fact:
        case UserRegistered(user=user, name=name):
            return f"registered {user} as {name!r}"
        case UnitRegistered(unit=unit, name=name, parent=parent):
            place = f" under {parent}" if parent else ""
            return f"registered the unit {unit} as {name!r}{place}"
        case MembershipGranted(user=user, role=role, unit=unit):
            return f"made {user} {Membership(role, unit)}"
        case MembershipEnded(user=user, role=role, unit=unit):
            return f"{user} is no longer {Membership(role, unit)}"
        case ApiKeyIssued(user=user, key=key, name=name, last_day=last_day):
            until = f", good until {last_day}" if last_day else ""
            return f"issued {user} the API key {key} for {name!r}{until}"
        case ApiKeyRevoked(user=user, key=key):
            return f"revoked the API key {key} of {user}"
        case AuthorityLimitsSet(limits=limits):
            roles = ", ".join(one.role for one in limits.roles) or "none"
            return f"set the authority limits (roles limited: {roles})"
        case _:
            assert_never(fact)


__all__ = [
    "IN_A_UNIT",
    "LIMITS_STREAM",
    "AnyOrganisationCommand",
    "AnyOrganisationFact",
    "AuthorityLimitsSet",
    "EndMembership",
    "GrantMembership",
    "IssueApiKey",
    "Organisation",
    "RegisterUnit",
    "RegisterUser",
    "RevokeApiKey",
    "SetAuthorityLimits",
    "decide",
    "describe",
    "require_may_configure",
    "stream_for",
]
