"""What portfolios are made of: the market and the phrases, read from the files in `material/`."""

import tomllib
from functools import cache
from importlib import resources
from typing import Any

import msgspec


class Pair(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The same in English and in Chinese."""

    en: str
    zh: str


class Material(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of what the files hold."""


class Territory(Material, frozen=True):
    """Where a group of sellers works. `months` weigh the openings, `weight` the share of deals."""

    name: str
    region: str
    culture: str
    zone: str
    currency: str
    sellers: int
    weight: int
    months: tuple[int, ...]
    process: str


class Culture(Material, frozen=True):
    """How people and places of a culture are named.

    `given` and `family` are for our people, `their_…` for the customer's. `latin_…` is the form in
    Latin letters, `native_…` the one in the script of the culture.
    """

    given: tuple[str, ...]
    family: tuple[str, ...]
    first: tuple[str, ...]
    last: tuple[str, ...]
    sites: tuple[str, ...]
    their_given: tuple[str, ...]
    their_family: tuple[str, ...]
    native_given: tuple[str, ...] = ()
    native_family: tuple[str, ...] = ()
    latin_first: tuple[str, ...] = ()
    latin_last: tuple[str, ...] = ()
    latin_sites: tuple[str, ...] = ()
    cities: dict[str, tuple[str, ...]] = {}
    latin_cities: dict[str, tuple[str, ...]] = {}


class Industry(Material, frozen=True):
    """A trade: what it buys, and who decides there. `public`: bound to tenders."""

    name: str
    products: tuple[str, ...]
    suffixes: dict[str, tuple[str, ...]]
    place: Pair
    deciders: tuple[Pair, ...]
    managers: tuple[Pair, ...]
    users: tuple[Pair, ...]
    operations: Pair
    """The department that uses what is bought."""
    public: bool = False


class Product(Material, frozen=True):
    """What we sell. `factor`: size against the average, in per cent."""

    id: str
    name: Pair
    factor: int
    needs: tuple[Pair, ...]
    specs: tuple[Pair, ...]
    scales: tuple[Pair, ...]
    values: tuple[Pair, ...]
    fears: tuple[Pair, ...]
    motives: tuple[Pair, ...]
    service: bool = False


class Rival(Material, frozen=True):
    """A competitor, and how strong it is in each region, 0 to 1."""

    name: Pair
    strength: dict[str, float]


class Common(Material, frozen=True):
    """What is the same in every trade."""

    buyers: tuple[Pair, ...]
    public_buyers: tuple[Pair, ...]
    bodies: tuple[Pair, ...]
    public_bodies: tuple[Pair, ...]
    informants: tuple[Pair, ...]
    engineers: tuple[Pair, ...]
    controllers: tuple[Pair, ...]
    departments: dict[str, Pair]
    ours: dict[str, Pair]
    lead_sources: tuple[str, ...]
    routes: tuple[str, ...]
    sizes: tuple[str, ...]


class Membership(Material, frozen=True):
    """A role on the deal team."""

    role: str
    level: str


class Market(Material, frozen=True):
    """The made-up market."""

    territories: tuple[Territory, ...]
    cultures: dict[str, Culture]
    industries: tuple[Industry, ...]
    products: tuple[Product, ...]
    rivals: tuple[Rival, ...]
    common: Common
    team: dict[str, Membership]

    def product(self, product_id: str) -> Product:
        return next(product for product in self.products if product.id == product_id)


class Phrase(Material, frozen=True):
    """Templates for one kind of remark. Without Chinese ones the English are used."""

    en: tuple[str, ...]
    zh: tuple[str, ...] = ()


class StepPhrases(Material, frozen=True):
    """A kind of next step: what is done, to which end, what comes of it."""

    what: Phrase
    objective: Phrase
    result: Phrase


class Phrases(Material, frozen=True):
    """Remarks by key, such as `slip.customer`, and steps by phase of the customer's decision."""

    remarks: dict[str, Phrase]
    steps: dict[str, tuple[StepPhrases, ...]]


REMARKS = (
    "gates",
    "forecast",
    "course",
    "outcome",
    "people",
    "needs",
    "buying",
    "competition",
    "negotiation",
)
"""The files of remarks, one for each concern."""


@cache
def market() -> Market:
    return msgspec.convert(_toml("market.toml"), Market)


@cache
def phrases() -> Phrases:
    remarks: dict[str, Phrase] = {}
    for name in REMARKS:
        _collect(_toml(f"phrases/{name}.toml"), "", remarks)
    steps = msgspec.convert(_toml("phrases/steps.toml")["step"], dict[str, tuple[StepPhrases, ...]])
    return Phrases(remarks, steps)


def _collect(table: dict[str, Any], path: str, remarks: dict[str, Phrase]) -> None:
    """Gather the phrases of nested tables under their dotted keys."""
    own = {key: value for key, value in table.items() if isinstance(value, list)}
    if own:
        remarks[path] = msgspec.convert(own, Phrase)
    for key, value in table.items():
        if isinstance(value, dict):
            _collect(value, f"{path}.{key}" if path else key, remarks)


def _toml(name: str) -> dict[str, Any]:
    folder = resources.files("api.simulate").joinpath("material")
    return tomllib.loads(folder.joinpath(name).read_text("utf-8"))
