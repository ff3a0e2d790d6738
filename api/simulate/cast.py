"""Our people: an office of sellers, their managers and engineers, each with habits of their own."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec

from api.simulate.material import Territory, market
from domain.access import Role
from domain.directory import Directory, Membership, UnitRegistered
from domain.directory import User as Member
from domain.negotiation.authority import AuthorityLimits, RoleLimits, TermLimit
from domain.negotiation.facts import IssueKind
from domain.organisation import Organisation

DEALS_PER_OFFICE = 300
"""Deals are worked by offices of this many, so a portfolio grows without changing its start."""


class Habits(msgspec.Struct, frozen=True):
    """How someone works, each from 0 to 1."""

    discipline: float
    """How much of a gate is done before the deal moves on."""
    diligence: float
    """How promptly things are entered and next steps planned."""
    optimism: float
    """How much is promised: early close dates, high probabilities."""
    chinese: float = 0.0
    """Share of remarks written in Chinese."""


SELLERS = (
    Habits(discipline=0.93, diligence=0.90, optimism=0.15),
    Habits(discipline=0.30, diligence=0.40, optimism=0.95),
    Habits(discipline=0.75, diligence=0.80, optimism=0.35),
    Habits(discipline=0.45, diligence=0.70, optimism=0.75),
    Habits(discipline=0.85, diligence=0.60, optimism=0.30),
    Habits(discipline=0.60, diligence=0.45, optimism=0.55),
)
"""From the one who does the homework to the one who hopes."""

MANAGERS = (
    Habits(discipline=0.80, diligence=0.8, optimism=0.3),
    Habits(discipline=0.45, diligence=0.6, optimism=0.6),
    Habits(discipline=0.65, diligence=0.7, optimism=0.4),
)
COLLEAGUE = Habits(discipline=0.8, diligence=0.7, optimism=0.4)


LIMITS = AuthorityLimits(
    (
        RoleLimits(
            Role.SELLER,
            discount_percent="5",
            terms=(
                TermLimit(IssueKind.PAYMENT_TIME, "60", "days"),
                TermLimit(IssueKind.SERVICE_FREE, "24", "months"),
                TermLimit(IssueKind.PENALTY, "1", "% a week"),
            ),
        ),
        RoleLimits(Role.MANAGER, discount_percent="15"),
    )
)
"""How far sellers and their managers may go alone in a negotiation."""


class User(msgspec.Struct, frozen=True):
    """One of our people."""

    id: str
    name: str
    role: Role
    territory: str
    habits: Habits
    joins_on: date
    leaves_on: date | None = None
    unit: str | None = None
    """Where the role is held: sellers in a territory, managers in a region."""

    @property
    def membership(self) -> Membership:
        return Membership(self.role, self.unit)

    def here_on(self, day: date) -> bool:
        return self.joins_on <= day and (self.leaves_on is None or day < self.leaves_on)


class Team(msgspec.Struct, frozen=True):
    """Who works in a territory."""

    sellers: tuple[User, ...]
    manager: User
    sponsor: User
    engineers: tuple[User, ...]
    delivery: User
    officer: User
    """Whoever sees to it that people who ask for it are forgotten."""
    units: tuple[UnitRegistered, ...]
    """The unit of the territory, and that of its region above it."""

    @property
    def users(self) -> tuple[User, ...]:
        return (
            *self.sellers,
            self.manager,
            self.sponsor,
            *self.engineers,
            self.delivery,
            self.officer,
        )

    @property
    def organisation(self) -> Organisation:
        return organisation_of(self.users, self.units)


def organisation_of(users: Iterable[User], units: Iterable[UnitRegistered]) -> Organisation:
    """These users, each with their role in their unit, and how far they may go."""
    members = {user.id: Member(user.id, None, (user.membership,)) for user in users}
    return Organisation(Directory(members, {unit.unit: unit for unit in units}), LIMITS)


class Period(msgspec.Struct, frozen=True):
    """The days on which deals are opened and worked, both included, and their last moment."""

    start: date
    end: date

    @property
    def days(self) -> int:
        return (self.end - self.start).days

    @property
    def last_moment(self) -> datetime:
        return datetime.combine(self.end, time.max, tzinfo=UTC)


def identifier(seed: int, *parts: object) -> str:
    """The id of something made up, the same for the same seed: of a deal, a user, an account."""
    name = "/".join(map(str, (seed, *parts)))
    return str(uuid5(_NAMESPACE, name))


_NAMESPACE: UUID = uuid5(NAMESPACE_URL, "dealstate:simulate")


def hire(seed: int, office: int, period: Period) -> dict[str, Team]:
    """The teams of one office, by territory. Managers look after a whole region."""
    return _Hiring(seed, office, period).teams()


class _Hiring:
    def __init__(self, seed: int, office: int, period: Period) -> None:
        self._seed = seed
        self._office = office
        self._period = period
        self._rng = Random(f"{seed}/office/{office}/people")
        self._names: set[str] = set()
        self._regional: dict[str, tuple[User, User, User, User]] = {}
        self._habits = list(SELLERS)

    def teams(self) -> dict[str, Team]:
        territories = market().territories
        leaving = self._rng.choice([t.name for t in territories if t.sellers > 2])
        return {place.name: self._team(place, place.name == leaving) for place in territories}

    def _team(self, place: Territory, someone_leaves: bool) -> Team:
        manager, sponsor, delivery, officer = self._leaders(place)
        engineers = tuple(
            self._user(place, Role.SELLER, _varied(COLLEAGUE, self._rng)) for _ in range(2)
        )
        region = UnitRegistered(self._unit(place.region), f"Sales {place.region}")
        here = UnitRegistered(self._unit(place.name), f"Sales {place.name}", region.unit)
        sellers = self._sellers(place, someone_leaves)
        return Team(sellers, manager, sponsor, engineers, delivery, officer, (region, here))

    def _leaders(self, place: Territory) -> tuple[User, User, User, User]:
        if place.region not in self._regional:
            habits = MANAGERS[len(self._regional) % len(MANAGERS)]
            self._regional[place.region] = (
                self._user(place, Role.MANAGER, _varied(habits, self._rng)),
                self._user(place, Role.MANAGER, _varied(COLLEAGUE, self._rng)),
                self._user(place, Role.SELLER, _varied(COLLEAGUE, self._rng)),
                self._user(place, Role.ADMIN, _varied(COLLEAGUE, self._rng)),
            )
        return self._regional[place.region]

    def _sellers(self, place: Territory, someone_leaves: bool) -> tuple[User, ...]:
        sellers = [
            self._user(place, Role.SELLER, self._next_habits()) for _ in range(place.sellers)
        ]
        if not someone_leaves:
            return tuple(sellers)
        days = round(self._period.days * self._rng.uniform(0.4, 0.75))
        leaves_on = self._period.start + timedelta(days=days)
        sellers[-1] = msgspec.structs.replace(sellers[-1], leaves_on=leaves_on)
        successor = self._user(place, Role.SELLER, self._next_habits())
        joins_on = leaves_on + timedelta(days=self._rng.randint(20, 45))
        return (*sellers, msgspec.structs.replace(successor, joins_on=joins_on))

    def _next_habits(self) -> Habits:
        """Sellers of all kinds, in a different order in each office."""
        if not self._habits:
            self._habits = list(SELLERS)
        habits = self._habits.pop(self._rng.randrange(len(self._habits)))
        return _varied(habits, self._rng)

    def _user(self, place: Territory, role: Role, habits: Habits) -> User:
        if place.culture == "chinese":
            habits = msgspec.structs.replace(habits, chinese=self._rng.uniform(0.1, 0.5))
        name = self._name(place.culture)
        return User(
            id=identifier(self._seed, "user", self._office, len(self._names)),
            name=name,
            role=role,
            territory=place.name,
            habits=habits,
            joins_on=self._period.start - timedelta(days=30),
            unit=self._place_of(role, place),
        )

    def _unit(self, name: str) -> str:
        return identifier(self._seed, "unit", self._office, name)

    def _place_of(self, role: Role, place: Territory) -> str | None:
        match role:
            case Role.MANAGER:
                return self._unit(place.region)
            case Role.SELLER:
                return self._unit(place.name)
            case _:
                return None

    def _name(self, culture: str) -> str:
        names = market().cultures[culture]
        while True:
            given, family = self._rng.choice(names.given), self._rng.choice(names.family)
            name = f"{family} {given}" if culture == "chinese" else f"{given} {family}"
            if name not in self._names:
                self._names.add(name)
                return name


def _varied(habits: Habits, rng: Random) -> Habits:
    def near(value: float) -> float:
        return min(1.0, max(0.0, value + rng.uniform(-0.06, 0.06)))

    return Habits(near(habits.discipline), near(habits.diligence), near(habits.optimism))
