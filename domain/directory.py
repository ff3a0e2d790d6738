"""The directory: who the opaque ids in events stand for, which units there are, who is in them.

Streams `user:<id>`, which hold a user's memberships too, and `unit:<id>`.
"""

from collections.abc import Iterable, Mapping
from typing import ClassVar

import msgspec

from domain.access import Principal, Role
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


AnyDirectoryFact = UserRegistered | UnitRegistered | MembershipGranted | MembershipEnded


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


class Directory(msgspec.Struct, frozen=True):
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

    def principal(self, user_id: str) -> Principal:
        """Who a user acts as: their roles now; none for an unknown user."""
        user = self.users.get(user_id, User(user_id))
        managed = {m.unit for m in user.memberships if m.role is Role.MANAGER and m.unit}
        roles = frozenset(membership.role for membership in user.memberships)
        return Principal(user_id, roles, frozenset(managed))


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
