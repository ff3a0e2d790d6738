"""What is planned beside the deals: made-up exchange rates by month, and targets by quarter.

They are drawn apart from the deals, whose stories stay as they are. Rates of a month are the
same whatever the period; targets follow from the deals that a portfolio brings.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from math import pi, sin
from random import Random
from zoneinfo import ZoneInfo

from api.simulate.cast import Period, User
from api.simulate.material import market
from api.simulate.plot import rounded
from api.simulate.portfolio import PER_EURO, period, premise
from domain.rates import ExchangeRatesPublished, Quote, rate_text
from domain.targets import TargetSet
from domain.values import Money, end_of_day
from projections.calendar import Calendar, Grain
from projections.calendar import Period as Quarter

BASE = "EUR"

_CALENDAR = Calendar(ZoneInfo("UTC"))

_SWING, _NOISE, _MONTHS_A_SWING = 0.05, 0.012, 37
_SHARE_AIMED_FOR = 0.2
"""Of the amounts of all deals opened. Somewhat more than is won of them."""
_GROWTH = 1.02
"""From one quarter to the next."""
_DAYS_AHEAD = 10
"""Targets are set so long before their quarter."""


def rates_of(seed: int, span: Period) -> Iterator[tuple[datetime, ExchangeRatesPublished]]:
    """Rates of the first of each month, from before the period to its end, and when known."""
    currencies = sorted({one.currency for one in market().territories} - {BASE})
    month = (span.start - timedelta(days=60)).replace(day=1)
    while month <= span.end:
        quotes = tuple(Quote(one, _rate(seed, one, month)) for one in currencies)
        yield end_of_day(month, _CALENDAR.zone), ExchangeRatesPublished(BASE, month, quotes)
        month = (month + timedelta(days=31)).replace(day=1)


def _rate(seed: int, currency: str, month: date) -> str:
    """A slow swing about what prices are reckoned with, and some noise."""
    phase = Random(f"{seed}/rates/{currency}").random()
    count = month.year * 12 + month.month
    noise = Random(f"{seed}/rates/{currency}/{count}").gauss(0.0, _NOISE)
    swing = _SWING * sin(2 * pi * (count / _MONTHS_A_SWING + phase))
    return rate_text(f"{PER_EURO[currency] * (1 + swing + noise):.4f}")


def targets_of(
    deals: int, seed: int, months: int, until: date
) -> Iterator[tuple[datetime, TargetSet]]:
    """Targets of each territory and of each seller, for the quarters of the period; and when set.

    They are reckoned from the amounts of the first `deals` deals at their opening.
    """
    span = period(months, until)
    quarters = list(_CALENDAR.covering(span.start, span.end, Grain.QUARTER))
    currencies = {one.name: one.currency for one in market().territories}
    territories, sellers = _opened(deals, seed, span)
    for number, quarter in enumerate(quarters):
        at = datetime.combine(quarter.first - timedelta(days=_DAYS_AHEAD), time(8), tzinfo=UTC)
        for name, total in territories.items():
            amount = _aimed_for(total, len(quarters), number, currencies[name])
            yield at, TargetSet(quarter.first, quarter.last, amount, territory=name)
        for seller, total in sellers.values():
            worked = [one for one in quarters if _works(seller, one)]
            if quarter in worked:
                currency = currencies[seller.territory]
                amount = _aimed_for(total, len(worked), worked.index(quarter), currency)
                yield at, TargetSet(quarter.first, quarter.last, amount, owner=seller.id)


def _opened(
    deals: int, seed: int, span: Period
) -> tuple[dict[str, float], dict[str, tuple[User, float]]]:
    """The amounts of all deals at their opening, by territory, and by seller."""
    territories: defaultdict[str, float] = defaultdict(float)
    sellers: dict[str, tuple[User, float]] = {}
    for number in range(deals):
        deal = premise(seed, number, span)
        amount = float(deal.amount.amount)
        territories[deal.project.territory.name] += amount
        _, before = sellers.get(deal.seller.id, (deal.seller, 0.0))
        sellers[deal.seller.id] = (deal.seller, before + amount)
    return dict(sorted(territories.items())), dict(sorted(sellers.items()))


def _works(seller: User, quarter: Quarter) -> bool:
    """Whether they are there when the quarter begins, or join in its course."""
    return seller.joins_on <= quarter.last and (
        seller.leaves_on is None or quarter.first < seller.leaves_on
    )


def _aimed_for(total: float, quarters: int, number: int, currency: str) -> Money:
    mean = total * _SHARE_AIMED_FOR / quarters
    return rounded(mean * _GROWTH ** (number - (quarters - 1) / 2), 2, currency)
