"""The directory: who the opaque ids in events stand for, which units there are, who is in them.

Streams `user:<id>`, which hold a user's memberships too, and `unit:<id>`.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from functools import cached_property
from typing import ClassVar

import msgspec

from domain.access import Action, Principal, Role
from domain.history import Fact, Recorded, Whose, in_fold_order
from domain.values import Identifier, Label, Value


class UserRegistered(Fact, tag="user-registered", frozen=True):
    """A user became known, or is known under a new name."""

    personal: ClassVar[Whose] = {"name": ("user",), "reference": ("user",)}

    user: Identifier
    name: Label
    reference: Identifier | None = None
    """Id or name of the user in the system they were imported from."""


class UnitRegistered(Fact, tag="unit-registered", frozen=True):
    """A unit became known, has a new name, or stands under another unit."""

    unit: Identifier
    """Names the unit."""
    name: Label
    parent: Identifier | None = None
    """The unit above; null: at the top."""


class MembershipGranted(Fact, tag="membership-granted", frozen=True):
    """A user holds a role from now on."""

    user: Identifier
    role: Role
    unit: Identifier | None = None
    """The unit that a manager manages, or that a seller sells for."""


class MembershipEnded(Fact, tag="membership-ended", frozen=True):
    """A user holds a role no longer."""

    user: Identifier
    role: Role
    unit: Identifier | None = None
    """The unit in which the role was held, where it was held in one."""


class ApiKeyIssued(Fact, tag="api-key-issued", frozen=True):
    """A program may act as a user from now on, by a key of which the log has the hash alone."""

    personal: ClassVar[Whose] = {"name": ("user",)}

    user: Identifier
    key: Identifier
    """Names the key. It is part of what the program sends, and no secret."""
    digest: Identifier
    """SHA-256 of the secret, in hexadecimal digits. The secret is 256 random bits, so that
    nobody finds it by trying."""
    name: Label
    """What it is for."""
    actions: tuple[Action, ...] = ()
    """What it is good for, of what the user may do; none given: all of it."""
    last_day: date | None = None
    """The last day, in UTC, on which it is good; null: until it is revoked."""


class ApiKeyRevoked(Fact, tag="api-key-revoked", frozen=True):
    """A key is good for nothing any more."""

    user: Identifier
    key: Identifier
    """Names the key. No other one ever gets its id."""


AnyDirectoryFact = (
    UserRegistered
    | UnitRegistered
    | MembershipGranted
    | MembershipEnded
    | ApiKeyIssued
    | ApiKeyRevoked
)


class Membership(Value, frozen=True):
    """A role, and the unit it is held in."""

    role: Role
    unit: str | None = None

    def __str__(self) -> str:
        return self.role.value if self.unit is None else f"{self.role} of {self.unit}"


class User(msgspec.Struct, frozen=True):
    """What the directory knows of a user."""

    id: str
    registered: UserRegistered | None = None
    memberships: tuple[Membership, ...] = ()
    """Held now, the oldest first."""
    ended: frozenset[Membership] = frozenset()
    """Held once, and now no longer."""
    keys: tuple[ApiKeyIssued, ...] = ()
    """Good now but for their last day, the oldest first."""
    revoked: frozenset[str] = frozenset()
    """Ids of keys that are good no longer."""


class Directory(msgspec.Struct, frozen=True, dict=True):
    """Users and units by id, as they are now."""

    users: Mapping[str, User] = {}
    units: Mapping[str, UnitRegistered] = {}

    @classmethod
    def of(cls, streams: Iterable[Iterable[Recorded[Fact]]]) -> "Directory":
        """The fold of the streams of users and units, in whichever order they come."""
        users: dict[str, User] = {}
        units: dict[str, UnitRegistered] = {}
        for stream in streams:
            for event in in_fold_order(stream):
                match event.fact:
                    case UnitRegistered(unit=unit) as fact:
                        units[unit] = fact
                    case UserRegistered() | MembershipGranted() | MembershipEnded() as fact:
                        users[fact.user] = _evolve(users.get(fact.user, User(fact.user)), fact)
                    case ApiKeyIssued() | ApiKeyRevoked() as fact:
                        users[fact.user] = _with_key(users.get(fact.user, User(fact.user)), fact)
                    case _:
                        pass
        return cls(users, units)

    def with_above(self, unit: str) -> frozenset[str]:
        """The unit and all units above it. Ends where a loop would begin."""
        found = [unit]
        while True:
            registered = self.units.get(found[-1])
            if registered is None or registered.parent is None or registered.parent in found:
                return frozenset(found)
            found.append(registered.parent)

    def units_of(self, user_id: str | None) -> frozenset[str]:
        """The units in which a user holds a role, with all units above them."""
        user = self.users.get(user_id or "")
        held = user.memberships if user else ()
        units = (self.with_above(membership.unit) for membership in held if membership.unit)
        return frozenset[str]().union(*units)

    def users_below(self, units: frozenset[str]) -> frozenset[str]:
        """The users who hold a role in one of these units, or in one below them."""
        held = [(user.id, m.unit) for user in self.users.values() for m in user.memberships]
        below = {
            unit
            for unit in {unit for _, unit in held if unit}
            if not self.with_above(unit).isdisjoint(units)
        }
        return frozenset(user_id for user_id, unit in held if unit in below)

    def key(self, key_id: str) -> ApiKeyIssued | None:
        """The key of that id, where it was issued and not revoked; its last day may be over."""
        return self._keys.get(key_id)

    def has_had(self, key_id: str) -> bool:
        """Whether a key of that id was ever issued."""
        return key_id in self._keys or any(key_id in user.revoked for user in self.users.values())

    @cached_property
    def _keys(self) -> Mapping[str, ApiKeyIssued]:
        return {key.key: key for user in self.users.values() for key in user.keys}

    def principal(self, user_id: str) -> Principal:
        """Who a user acts as: their roles now; none for an unknown user."""
        user = self.users.get(user_id, User(user_id))
        managed = {m.unit for m in user.memberships if m.role is Role.MANAGER and m.unit}
        roles = frozenset(membership.role for membership in user.memberships)
        return Principal(user_id, roles, frozenset(managed))


def _with_key(user: User, fact: ApiKeyIssued | ApiKeyRevoked) -> User:
    """The user after a key was issued or revoked. Total.

    A revoked key stays revoked, also where a clock that was set back dates its end first.
    """
    if fact.key in user.revoked:
        return user
    others = tuple(key for key in user.keys if key.key != fact.key)
    if isinstance(fact, ApiKeyRevoked):
        return msgspec.structs.replace(user, keys=others, revoked=user.revoked | {fact.key})
    return msgspec.structs.replace(user, keys=(*others, fact))


def _evolve(user: User, fact: UserRegistered | MembershipGranted | MembershipEnded) -> User:
    """The user after `fact`. Total."""
    if isinstance(fact, UserRegistered):
        return msgspec.structs.replace(user, registered=fact)
    membership = Membership(fact.role, fact.unit)
    others = tuple(held for held in user.memberships if held != membership)
    if isinstance(fact, MembershipGranted):
        held, ended = (*others, membership), user.ended - {membership}
    else:
        held, ended = others, user.ended | {membership}
    return msgspec.structs.replace(user, memberships=held, ended=ended)
