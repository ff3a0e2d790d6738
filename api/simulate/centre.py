"""The customer's people in one deal: who they are, and what they think of us in truth.

What our side knows of them is in the deal; what is here nobody of ours can see. The same function
of the same account is filled by the same person in every deal of a portfolio.
"""

from random import Random

import msgspec

from api.simulate.cast import identifier
from api.simulate.customers import Project
from api.simulate.material import Pair, market
from domain.people.facts import BuyingRole, ContactPoint, ContactPointKind, Level, Openness, Power

KEYS = ("user", "mid", "eng", "buyer", "dm", "fin")
"""User, manager, engineer, purchaser, decision maker, controller: the functions in a purchase."""

_ROLES: dict[str, tuple[BuyingRole, ...]] = {
    "user": (BuyingRole.USER,),
    "mid": (BuyingRole.RECOMMENDER,),
    "eng": (BuyingRole.IMPLEMENTER,),
    "buyer": (BuyingRole.PURCHASER,),
    "dm": (BuyingRole.DECISION_MAKER,),
    "fin": (BuyingRole.INFLUENCER,),
}
_POWERS: dict[str, tuple[Power, ...]] = {
    "eng": (Power.TECHNICAL_VETO,),
    "buyer": (Power.COMMERCIAL,),
    "dm": (Power.BUDGET, Power.SIGNATURE),
}
_LEVELS = {
    "user": Level.FRONT_LINE,
    "mid": Level.MIDDLE,
    "eng": Level.FRONT_LINE,
    "buyer": Level.MIDDLE,
    "dm": Level.TOP,
    "fin": Level.MIDDLE,
}
_INFLUENCE = {"user": 2, "mid": 4, "eng": 3, "buyer": 3, "dm": 5, "fin": 2}
_WARMTH = {"user": 0.35, "mid": 0.3, "eng": 0.0, "buyer": -0.25, "dm": 0.0, "fin": -0.3}


class Person(msgspec.Struct, frozen=True):
    """One of the customer's people. `id` names them on the deal, `person` everywhere."""

    key: str
    id: str
    person: str
    name: str
    title: str
    department: str
    level: Level
    roles: tuple[BuyingRole, ...]
    powers: tuple[Power, ...]
    contact_points: tuple[ContactPoint, ...]
    influence: int
    openness: Openness
    warmth: float
    """How they take to us before anybody has done anything; most lie between -1 and 1."""


class Centre:
    """The buying centre: who fills each function now, and how often we met them."""

    def __init__(
        self, project: Project, functions: dict[str, Pair], fit: float, rng: Random
    ) -> None:
        self._project = project
        self._functions = functions
        self._fit = fit
        self._rng = rng
        self._generation = dict.fromkeys(KEYS, 0)
        self._people: dict[str, Person] = {}
        self.met: dict[str, int] = {}
        """Contacts by the id of the person."""
        self.turned: set[str] = set()
        """Ids of those whom something has turned against us."""
        for key in KEYS:
            self._people[key] = self._someone(key)

    def __getitem__(self, key: str) -> Person:
        return self._people[key]

    @property
    def people(self) -> list[Person]:
        return [self._people[key] for key in KEYS]

    def meet(self, key: str) -> None:
        person = self._people[key]
        self.met[person.id] = self.met.get(person.id, 0) + 1

    def contacts_with(self, key: str) -> int:
        return self.met.get(self._people[key].id, 0)

    def succeed(self, key: str, warmth: float) -> Person:
        """Somebody else fills a function from now on."""
        self._generation[key] += 1
        self._people[key] = msgspec.structs.replace(self._someone(key), warmth=warmth)
        return self._people[key]

    def _someone(self, key: str) -> Person:
        function, generation = self._functions[key], self._generation[key]
        bare = function.en.removeprefix("the ").removeprefix("their ")
        number = f"-{generation + 1}" if generation else ""
        chinese = not self._project.customer.account.name.isascii() and bool(self._project.site.zh)
        identity = f"{self._project.customer.account.id}/{bare}/{generation}"
        name = self._name(function, generation, chinese)
        points = self._points(identity, _slug(bare))
        return Person(
            key=key,
            id=_slug(bare) + number,
            person=identifier(0, "person", identity),
            name=name,
            title=function.zh if chinese else bare[0].upper() + bare[1:],
            department=self._department(key, chinese),
            level=_LEVELS[key],
            roles=_ROLES[key],
            powers=_POWERS.get(key, ()),
            contact_points=points,
            influence=min(5, max(1, _INFLUENCE[key] + self._rng.choice((-1, 0, 0, 0, 1)))),
            openness=self._rng.choice(
                (
                    Openness.INNOVATOR,
                    Openness.PRAGMATIST,
                    Openness.PRAGMATIST,
                    Openness.CONSERVATIVE,
                    Openness.LAGGARD,
                )
            ),
            warmth=_WARMTH[key] + 0.35 * self._fit + self._rng.gauss(0, 0.6),
        )

    def _department(self, key: str, chinese: bool) -> str:
        at_work = key in ("user", "mid")
        industry = self._project.customer.industry
        pair = industry.operations if at_work else market().common.departments[key]
        return pair.zh if chinese else pair.en

    def _name(self, function: Pair, generation: int, chinese: bool) -> str:
        """The same for the same function of the same account, and different for any two of them."""
        industry, common = self._project.customer.industry, market().common
        functions = [
            *(*industry.users, *industry.managers, *industry.deciders, *common.engineers),
            *(*common.buyers, *common.public_buyers, *common.controllers),
        ]
        culture = market().cultures[self._project.territory.culture]
        rng = Random(self._project.customer.account.id)
        given = rng.sample(range(len(culture.their_given)), len(culture.their_given))
        family = rng.sample(range(len(culture.their_family)), len(culture.their_family))
        place = functions.index(function)
        first = given[(place + 7 * generation) % len(given)]
        last = family[(place + 4 * generation) % len(family)]
        if self._project.territory.culture != "chinese":
            return f"{culture.their_given[first]} {culture.their_family[last]}"
        if chinese:
            return culture.native_family[last] + culture.native_given[first]
        return f"{culture.their_family[last]} {culture.their_given[first]}"

    def _points(self, identity: str, function: str) -> tuple[ContactPoint, ...]:
        """How to reach them, by numbers and addresses that nobody has."""
        rng = Random(identity)
        phone = ContactPoint(ContactPointKind.PHONE, f"+00 555 {rng.randint(10_000, 99_999)}")
        address = f"{function}.{rng.randint(100, 999)}@customer.example"
        mail = ContactPoint(ContactPointKind.MAIL, address)
        messenger = ContactPoint(ContactPointKind.MESSENGER, f"wx-{rng.randint(10_000, 99_999)}")
        if self._project.territory.culture == "chinese":
            return rng.choice(((phone, messenger), (messenger,), (phone,)))
        return rng.choice(((phone,), (phone, mail), (mail,)))


def _slug(text: str) -> str:
    """Letters, digits and hyphens alone."""
    kept = "".join(letter if letter.isalnum() else "-" for letter in text.lower())
    return "-".join(part for part in kept.split("-") if part)
