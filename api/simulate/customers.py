"""The customers of an office: invented companies, and what each may come to buy."""

from random import Random

import msgspec

from api.simulate.cast import DEALS_PER_OFFICE, identifier
from api.simulate.material import Culture, Industry, Pair, Product, Territory, market
from domain.lifecycle.facts import Account, AccountRelation

_RELATIONS = (AccountRelation.NEW, AccountRelation.EXISTING, AccountRelation.COMPETITORS_CUSTOMER)
_RELATION_WEIGHTS = (50, 35, 15)
_SIZE_WEIGHTS = (5, 3, 2)
_CUSTOMERS_PER_DEAL = 0.6
_LATIN_SHARE = 0.35
"""Share of Chinese companies, many of them joint ventures, that go by a name in Latin letters."""


class Customer(msgspec.Struct, frozen=True):
    """A company that may buy. `short` is what our people call it."""

    account: Account
    short: str
    industry: Industry
    sites: tuple[Pair, ...]


class Project(msgspec.Struct, frozen=True):
    """What one customer may buy for one site: the seed of a deal."""

    territory: Territory
    customer: Customer
    product: Product
    site: Pair
    first: bool
    """Whether it is the first one of this customer."""


def projects(seed: int, office: int) -> tuple[Project, ...]:
    """The projects of one office, one for each of its deals, no two of them the same."""
    rng = Random(f"{seed}/office/{office}/customers")
    found: list[Project] = []
    total = sum(territory.weight for territory in market().territories)
    for territory in market().territories:
        share = DEALS_PER_OFFICE * territory.weight // total
        found += _of_territory(seed, office, territory, share, rng)
    rng.shuffle(found)
    while len(found) < DEALS_PER_OFFICE:
        found += _of_territory(seed, office, rng.choice(market().territories), 1, rng)
    return tuple(found[:DEALS_PER_OFFICE])


def _of_territory(
    seed: int, office: int, territory: Territory, count: int, rng: Random
) -> list[Project]:
    names: set[str] = set()
    wanted = max(1, round(count * _CUSTOMERS_PER_DEAL))
    customers = [_customer(seed, office, territory, rng, names) for _ in range(wanted)]
    open_offers = [_offers(territory, customer, rng) for customer in customers]
    taken = [offers.pop() for offers in open_offers]
    while len(taken) < count:
        offers = rng.choice(open_offers)
        if offers:
            taken.append(msgspec.structs.replace(offers.pop(), first=False))
    return taken


def _offers(territory: Territory, customer: Customer, rng: Random) -> list[Project]:
    """All that a customer may buy, in any order."""
    offers = [
        Project(territory, customer, market().product(product), site, first=True)
        for product in customer.industry.products
        for site in customer.sites
    ]
    rng.shuffle(offers)
    return offers


def _customer(
    seed: int, office: int, territory: Territory, rng: Random, names: set[str]
) -> Customer:
    industry = rng.choice(market().industries)
    culture = market().cultures[territory.culture]
    while True:
        short, name = _name(territory, culture, industry, rng)
        if name not in names:
            names.add(name)
            break
    account = Account(
        name=name,
        id=identifier(seed, "account", office, territory.name, len(names), name),
        industry=industry.name,
        region=territory.region,
        size=rng.choices(market().common.sizes, _SIZE_WEIGHTS)[0],
        relation=rng.choices(_RELATIONS, _RELATION_WEIGHTS)[0],
    )
    return Customer(account, short, industry, _sites(territory, culture, industry, rng))


def _name(
    territory: Territory, culture: Culture, industry: Industry, rng: Random
) -> tuple[str, str]:
    """What our people call the company, and its full name."""
    if territory.culture != "chinese":
        stem = rng.choice(culture.first) + rng.choice(culture.last)
        return stem, f"{stem} {rng.choice(industry.suffixes[territory.culture])}"
    city = rng.randrange(len(culture.cities[territory.name]))
    first, last = rng.randrange(len(culture.first)), rng.randrange(len(culture.last))
    if rng.random() < _LATIN_SHARE:
        stem = culture.latin_first[first] + culture.latin_last[last]
        place = culture.latin_cities[territory.name][city]
        return stem, f"{stem} {rng.choice(industry.suffixes['latin'])} ({place})"
    stem = culture.first[first] + culture.last[last]
    suffix = rng.choice(industry.suffixes["chinese"])
    return stem, f"{culture.cities[territory.name][city]}{stem}{suffix}"


def _sites(
    territory: Territory, culture: Culture, industry: Industry, rng: Random
) -> tuple[Pair, ...]:
    chosen = rng.sample(range(len(culture.sites)), 3)
    if territory.culture == "chinese":
        return tuple(Pair(culture.latin_sites[i], culture.sites[i]) for i in chosen)
    return tuple(Pair(f"the {culture.sites[i]} {industry.place.en}", "") for i in chosen)
