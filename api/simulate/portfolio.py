"""A portfolio of made-up deals: a pure function of its seed, its months and its last day.

Deal number n is the same whatever the number of deals, so a larger portfolio contains the smaller.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from functools import lru_cache
from itertools import accumulate
from random import Random

import msgspec

from api.simulate.cast import DEALS_PER_OFFICE, Period, Team, User, hire, identifier
from api.simulate.causes import Fate
from api.simulate.customers import Customer, Project, projects
from api.simulate.material import Pair, Rival, Territory, market
from api.simulate.plot import Plot, Premise, rounded
from api.simulate.story import tell
from api.simulate.workdays import months_before, workdays
from domain.deal import DealFact, History
from domain.directory import UnitRegistered
from domain.history import Draft
from domain.lifecycle.facts import AccountRelation
from domain.process import ProcessBook
from domain.process_files import built_in_processes
from domain.values import BusinessType, ProcessRef

UNTIL = date(2026, 6, 30)
"""The last day of a portfolio, unless another is asked for."""

_TAKEN_OVER = 0.08
"""Share of deals that run already when the period begins."""

_MEDIAN_AMOUNT = {"mid-size": 55_000, "large": 140_000, "group": 380_000}
"""In euros, for a product of average size."""

PER_EURO = {"EUR": 1.0, "USD": 1.1, "CNY": 7.2}
"""What a euro is worth where amounts are drawn."""
_TEMPO = {"mid-size": 0.92, "large": 1.06, "group": 1.28}


class SimulatedDeal(msgspec.Struct, frozen=True):
    """One deal of the portfolio: what to append to its stream, and what that folds to."""

    number: int
    stream: str
    drafts: Sequence[Draft[DealFact]]
    history: History


def period(months: int, until: date) -> Period:
    return Period(months_before(until, months) + timedelta(days=1), until)


def deals(
    count: int,
    seed: int,
    months: int,
    until: date,
    first: int = 0,
    *,
    causes: Sequence[str] | None = None,
) -> Iterator[SimulatedDeal]:
    """The deals from number `first` on, `count` in all from number 0."""
    processes = built_in_processes()
    for number in range(first, count):
        yield simulated(seed, number, period(months, until), processes, causes)


def simulated(
    seed: int,
    number: int,
    period: Period,
    processes: ProcessBook,
    causes: Sequence[str] | None = None,
) -> SimulatedDeal:
    """Deal `number`, told and decided.

    `causes` are those of `PLANTABLE` that alone have to do with losing; None: as usual,
    everything has.
    """
    key = f"{seed}/{number}"
    fate = None if causes is None else Fate(causes, key)
    plot = Plot(premise(seed, number, period), processes, key, fate)
    plot.chronicle.write(tell(plot))
    chronicle = plot.chronicle
    return SimulatedDeal(plot.premise.number, chronicle.stream, chronicle.drafts, chronicle.history)


def deal_id(seed: int, number: int) -> str:
    return identifier(seed, number)


def users(count: int, seed: int, months: int, until: date) -> dict[str, User]:
    """Everyone who works on the first `count` deals, by id."""
    offices = range((count + DEALS_PER_OFFICE - 1) // DEALS_PER_OFFICE)
    return {
        user.id: user
        for office in offices
        for team in _teams(seed, office, period(months, until)).values()
        for user in team.users
    }


def units_of(count: int, seed: int, months: int, until: date) -> dict[str, UnitRegistered]:
    """The units in which everyone who works on the first `count` deals has their role, by id."""
    offices = range((count + DEALS_PER_OFFICE - 1) // DEALS_PER_OFFICE)
    return {
        unit.unit: unit
        for office in offices
        for team in _teams(seed, office, period(months, until)).values()
        for unit in team.units
    }


@lru_cache(maxsize=4)
def _teams(seed: int, office: int, period: Period) -> dict[str, Team]:
    return hire(seed, office, period)


@lru_cache(maxsize=4)
def _projects(seed: int, office: int) -> tuple[Project, ...]:
    return projects(seed, office)


def premise(seed: int, number: int, period: Period) -> Premise:
    """What is settled about deal `number` before its story begins."""
    rng = Random(f"{seed}/{number}/premise")
    office, place = divmod(number, DEALS_PER_OFFICE)
    project = _projects(seed, office)[place]
    territory, account = project.territory, project.customer.account
    team = _teams(seed, office, period)[territory.name]
    taken_over = rng.random() < _TAKEN_OVER
    opened_on = _opening_day(period, territory, taken_over, rng)
    rival, other = _rivals(territory, rng)
    industry, size = project.customer.industry, account.size or "large"
    tender = rng.random() < (0.85 if industry.public else 0.3)
    contested = tender or rng.random() < 0.85
    process = ProcessRef(territory.process if rng.random() < 0.94 else "key-account", 1)
    stage = 0
    if taken_over:
        stage = 1 if process.id == "four-phase" else rng.choice((1, 2, 2, 3, 4))
    median = _MEDIAN_AMOUNT[size] * project.product.factor / 80
    amount = median * rng.lognormvariate(0.0, 0.45) * PER_EURO[territory.currency]
    return Premise(
        number=number,
        deal_id=deal_id(seed, number),
        reference=f"S{seed}-{number + 1:04d}",
        project=project,
        team=team,
        seller=_seller(team, opened_on, rng),
        period=period,
        opened_at=workdays(territory.culture, territory.zone).meeting(opened_on, rng),
        name=_deal_name(project),
        business_type=_business_type(project, rng),
        amount=rounded(amount, 3, territory.currency),
        process=process,
        stage=stage,
        lead_source=_lead_source(project, tender, rng),
        route=rng.choice(market().common.routes),
        tender=tender,
        contested=contested,
        fit=_fit(project, rival, rng),
        tempo=_TEMPO[size] * rng.lognormvariate(0.0, 0.22) * _process_tempo(process),
        duplicate_of=_duplicate_of(seed, office, place, rng),
        facts=_facts(project, rival, other, _neighbours(seed, office, project, rng), rng),
    )


_DUPLICATES = 0.03


def _duplicate_of(seed: int, office: int, place: int, rng: Random) -> str | None:
    """The id of an earlier deal with the same customer that this one repeats, in a few deals."""
    all_projects = _projects(seed, office)
    customer = all_projects[place].customer
    earlier = [n for n in range(place) if all_projects[n].customer == customer]
    if not earlier or rng.random() > _DUPLICATES:
        return None
    return deal_id(seed, office * DEALS_PER_OFFICE + earlier[-1])


def _process_tempo(process: ProcessRef) -> float:
    """Fewer stages take longer each than their process expects."""
    return 1.5 if process.id == "four-phase" else 1.0


def _lead_source(project: Project, tender: bool, rng: Random) -> str | None:
    """None: the seller did not say."""
    if rng.random() < 0.05:
        return None
    existing = project.customer.account.relation is AccountRelation.EXISTING
    impossible = set() if tender else {"tender notice"}
    if not existing:
        impossible.add("existing customer")
    elif rng.random() < 0.5:
        return "existing customer"
    return rng.choice([s for s in market().common.lead_sources if s not in impossible])


def _opening_day(period: Period, territory: Territory, taken_over: bool, rng: Random) -> date:
    hours = workdays(territory.culture, territory.zone)
    if taken_over:
        offset = rng.randrange(min(15, max(1, period.days)))
        return hours.from_day(period.start + timedelta(days=offset))
    days, weights = _calendar(period, territory.name)
    return rng.choices(days, cum_weights=weights)[0]


@lru_cache(maxsize=32)
def _calendar(period: Period, territory_name: str) -> tuple[list[date], list[float]]:
    """The working days of a period, and how likely an opening is up to each; business grows."""
    territory = next(t for t in market().territories if t.name == territory_name)
    hours = workdays(territory.culture, territory.zone)
    every = [period.start + timedelta(days=offset) for offset in range(period.days + 1)]
    days = [day for day in every if hours.works(day)]
    growing = [
        territory.months[day.month - 1] * (1 + 0.6 * (day - period.start).days / 365)
        for day in days
    ]
    return days, list(accumulate(growing))


def _seller(team: Team, day: date, rng: Random) -> User:
    soon = day + timedelta(days=20)
    return rng.choice([s for s in team.sellers if s.here_on(day) and s.here_on(soon)])


def _business_type(project: Project, rng: Random) -> BusinessType:
    if project.customer.account.relation is not AccountRelation.EXISTING:
        return BusinessType.NEW if project.first else BusinessType.CROSS_SELL
    if project.product.service:
        return rng.choice((BusinessType.RENEWAL, BusinessType.RENEWAL, BusinessType.ADD_ON))
    return rng.choice((BusinessType.ADD_ON, BusinessType.CROSS_SELL, BusinessType.UPSELL))


_FIT_OF_RELATION = {
    AccountRelation.NEW: -0.05,
    AccountRelation.EXISTING: 0.40,
    AccountRelation.COMPETITORS_CUSTOMER: -0.45,
}


def _fit(project: Project, rival: Rival, rng: Random) -> float:
    account = project.customer.account
    relation = _FIT_OF_RELATION[account.relation or AccountRelation.NEW]
    strength = rival.strength[project.territory.region]
    return relation - 0.5 * strength + 0.3 + rng.gauss(0.0, 0.65)


def _rivals(territory: Territory, rng: Random) -> tuple[Rival, Rival]:
    """The competitor to fear, and another one."""
    present = [r for r in market().rivals if r.strength[territory.region] > 0]
    weights = [0.2 + r.strength[territory.region] for r in present]
    first = rng.choices(present, weights)[0]
    return first, rng.choice([rival for rival in present if rival != first])


def _deal_name(project: Project) -> str:
    customer, product, site = project.customer, project.product, project.site
    if not customer.account.name.isascii() and site.zh:
        return f"{customer.account.name} {product.name.zh}（{site.zh}）"
    return f"{customer.account.name}: {product.name.en}, {site.en.removeprefix('the ')}"


def _neighbours(seed: int, office: int, project: Project, rng: Random) -> tuple[Customer, Customer]:
    """Another customer of ours nearby, as a reference, and one more."""
    others = [
        p.customer
        for p in _projects(seed, office)
        if p.territory == project.territory and p.customer != project.customer
    ]
    existing = [c for c in others if c.account.relation is AccountRelation.EXISTING]
    return rng.choice(existing or others), rng.choice(others)


def _facts(
    project: Project,
    rival: Rival,
    other: Rival,
    neighbours: tuple[Customer, Customer],
    rng: Random,
) -> dict[str, Pair]:
    """The people and facts of one deal, by the name under which templates speak of them."""
    industry, product, common = project.customer.industry, project.product, market().common
    numbers = {
        "p": str(rng.randint(4, 14)),
        "k": str(rng.randint(2, 6)),
        "h": str(rng.randrange(60, 420, 10)),
    }

    def one(pairs: Sequence[Pair]) -> Pair:
        pair = rng.choice(pairs)
        return Pair(pair.en.format(**numbers), pair.zh.format(**numbers))

    def same(name: str) -> Pair:
        return Pair(name, name)

    def two(name: str, pairs: Sequence[Pair]) -> dict[str, Pair]:
        """Two that differ, or the same twice where there is but one."""
        drawn = list(dict.fromkeys((rng.choice(pairs), *pairs)))[:2]
        first, second = (one([pair]) for pair in (drawn[0], drawn[-1]))
        return {name: first, f"{name}2": second}

    decider = one(industry.deciders)
    lower = product.name.en[0].lower() + product.name.en[1:]
    return {
        "company": same(project.customer.short),
        "ref": same(neighbours[0].short),
        "other_company": same(neighbours[1].short),
        "product": product.name,
        "product_lower": Pair(lower, product.name.zh),
        "site": project.site,
        "place": industry.place,
        "dm": decider,
        "dm_bare": Pair(decider.en.removeprefix("the "), decider.zh),
        "mid": one(industry.managers),
        "user": one(industry.users),
        "eng": one(common.engineers),
        "buyer": one(common.public_buyers if industry.public else common.buyers),
        "fin": one(common.controllers),
        "body": one(common.public_bodies if industry.public else common.bodies),
        "source": one(common.informants),
        "rival": rival.name,
        "other": other.name,
        **two("need", product.needs),
        **two("spec", product.specs),
        "scale": one(product.scales),
        **two("value", product.values),
        **two("fear", product.fears),
        "motive": one(product.motives),
        **common.ours,
    }
