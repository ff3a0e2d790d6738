"""The organisation: users and their roles, units, authority limits."""

import msgspec

from domain.access import Action, Role
from domain.directory import ApiKeyIssued, Membership, User
from domain.negotiation import AuthorityLimits, RoleLimits, TermLimit
from domain.negotiation.facts import IssueKind
from domain.organisation import Organisation


class HeldRole(msgspec.Struct, frozen=True):
    """A role that someone holds now. `unit` is null where it is held in no unit."""

    role: Role
    unit: str | None

    @classmethod
    def of(cls, membership: Membership) -> "HeldRole":
        return cls(membership.role, membership.unit)


class RegisteredUser(msgspec.Struct, frozen=True):
    """A user of the directory. `reference` is their id in the system they were imported from."""

    id: str
    name: str | None
    reference: str | None
    roles: list[HeldRole]

    @classmethod
    def of(cls, user: User) -> "RegisteredUser":
        registered = user.registered
        return cls(
            user.id,
            registered.name if registered else None,
            registered.reference if registered else None,
            [HeldRole.of(membership) for membership in user.memberships],
        )


class UserList(msgspec.Struct, frozen=True):
    """Every user, by id."""

    users: list[RegisteredUser]

    @classmethod
    def of(cls, organisation: Organisation) -> "UserList":
        users = organisation.directory.users
        return cls([RegisteredUser.of(users[user_id]) for user_id in sorted(users)])


class ApiKey(msgspec.Struct, frozen=True):
    """A key by which a program acts as a user. The key itself is not kept, only its hash."""

    id: str
    user: str
    name: str
    """What it is for."""
    actions: list[Action]
    """What it is good for, of what the user may do; none: all of it."""
    last_day: str | None
    """The last day, in UTC, on which it is good; null: until it is revoked."""
    good: bool
    """Whether it lets anybody in now."""

    @classmethod
    def of(cls, key: ApiKeyIssued, *, good: bool) -> "ApiKey":
        last_day = key.last_day.isoformat() if key.last_day else None
        return cls(key.key, key.user, key.name, list(key.actions), last_day, good)


class ApiKeyList(msgspec.Struct, frozen=True):
    """Every key that was not revoked, by user, the oldest first."""

    keys: list[ApiKey]


class IssuedApiKey(msgspec.Struct, frozen=True):
    """A key just issued, and what a program has to send. It is told this once."""

    key: ApiKey
    token: str


class Unit(msgspec.Struct, frozen=True):
    """A unit. `parent` is the unit above, null at the top; members are user ids."""

    id: str
    name: str
    parent: str | None
    managers: list[str]
    sellers: list[str]


class UnitList(msgspec.Struct, frozen=True):
    """Every unit, by id."""

    units: list[Unit]

    @classmethod
    def of(cls, organisation: Organisation) -> "UnitList":
        directory = organisation.directory

        def members(role: Role, unit: str) -> list[str]:
            held = Membership(role, unit)
            return sorted(user.id for user in directory.users.values() if held in user.memberships)

        return cls(
            [
                Unit(
                    unit.unit,
                    unit.name,
                    unit.parent,
                    members(Role.MANAGER, unit.unit),
                    members(Role.SELLER, unit.unit),
                )
                for _, unit in sorted(directory.units.items())
            ]
        )


class FurthestTerm(msgspec.Struct, frozen=True):
    """The value to which a role may go alone on issues of a kind; of numbers, in `unit`."""

    kind: IssueKind
    furthest: str
    unit: str | None

    @classmethod
    def of(cls, limit: TermLimit) -> "FurthestTerm":
        return cls(limit.kind, limit.furthest, limit.unit)


class LimitsOfRole(msgspec.Struct, frozen=True):
    """How far a role may go alone. `discount_percent` is null where prices are not limited."""

    role: Role
    discount_percent: str | None
    terms: list[FurthestTerm]

    @classmethod
    def of(cls, limits: RoleLimits) -> "LimitsOfRole":
        terms = [FurthestTerm.of(limit) for limit in limits.terms]
        return cls(limits.role, limits.discount_percent, terms)


class Limits(msgspec.Struct, frozen=True):
    """The authority limits in force. Roles that are not listed are not limited."""

    roles: list[LimitsOfRole]

    @classmethod
    def of(cls, limits: AuthorityLimits) -> "Limits":
        return cls([LimitsOfRole.of(one) for one in limits.roles])
