"""What is planned beside simulated deals: rates and targets, drawn apart from the deals."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from api.simulate import UNTIL, simulate
from api.simulate.chronicle import SOURCE
from api.simulate.material import market
from api.simulate.planning import rates_of, targets_of
from api.simulate.portfolio import PER_EURO, period
from domain.access import Principal, Role
from domain.history import StreamKind
from domain.intent import Intent
from domain.lifecycle.facts import OpportunityOpened
from domain.rates import PublishRates, Quote
from domain.targets import SetTarget
from domain.values import Money
from store.location import Location
from store.log import DealLog

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
ADMIN = Principal("ada", frozenset({Role.ADMIN}))


@pytest.fixture
def log(tmp_path: Path) -> Iterator[DealLog]:
    log = DealLog.create(Location.beside(tmp_path / "deals.db"), clock=lambda: NOW)
    yield log
    log.close()


def test_there_is_a_rate_for_every_deal_at_its_opening_as_it_was_known_then(log: DealLog) -> None:
    simulate(log, 40, 1)
    currencies = set()
    for stream in log.streams(StreamKind.DEAL):
        opening = log.events_in(stream)[0]
        assert isinstance(opening.fact, OpportunityOpened)
        currencies.add(opening.fact.currency)
        book = log.rates().as_known(opening.occurred_at)
        for base in ("EUR", "USD", "CNY"):
            day = opening.occurred_at.date()
            assert book.rate(opening.fact.currency, base, day) is not None
    assert currencies == {"EUR", "USD", "CNY"}


def test_rates_are_monthly_and_near_what_amounts_are_drawn_with() -> None:
    made = [fact for _, fact in rates_of(1, period(24, UNTIL))]
    assert {fact.day.day for fact in made} == {1}
    assert len(made) == len({fact.day for fact in made}) == 26
    assert max(fact.day for fact in made) <= UNTIL
    seen = set()
    for fact in made:
        for quote in fact.rates:
            seen.add(quote.rate)
            ratio = float(Decimal(quote.rate)) / PER_EURO[quote.currency]
            assert 0.85 < ratio < 1.15
    assert len(seen) > 40


def test_a_month_has_the_same_rates_whatever_the_period_and_others_with_another_seed() -> None:
    short = dict(rates_of(1, period(6, UNTIL)))
    long = dict(rates_of(1, period(24, UNTIL)))
    assert short.items() <= long.items()
    assert dict(rates_of(2, period(6, UNTIL))) != short


def test_targets_are_set_ahead_for_territories_and_for_sellers_who_are_there(log: DealLog) -> None:
    simulate(log, 300, 1)
    targets = log.targets()
    territories = {one.name: one.currency for one in market().territories}
    assert {one.territory for one in targets.all if one.territory} == set(territories)
    assert {one.amount.currency for one in targets.all if one.territory == "Nordics"} == {"EUR"}
    for event in targets.events:
        assert event.source == SOURCE
        first = date.fromisoformat(event.identifier.partition("..")[0])
        assert event.known_at == event.occurred_at
        assert timedelta(0) < first - event.known_at.date() < timedelta(15)
    quarters = {(one.first, one.last) for one in targets.all}
    assert len(quarters) == 8
    directory = log.organisation().directory
    assert all(one.owner in directory.users for one in targets.all if one.owner)


def test_targets_are_plausible_to_what_is_won(log: DealLog) -> None:
    """Over all quarters and territories, between a quarter of what is won and four times that."""
    simulate(log, 150, 1)
    book = log.rates()

    def euros(money: Money, day: date) -> Decimal:
        rate = book.rate(money.currency, "EUR", day)
        assert rate is not None
        return money.amount * rate.value

    aimed = sum(euros(one.amount, one.first) for one in log.targets().all if one.territory)
    won = Decimal(0)
    for stream in log.streams(StreamKind.DEAL):
        deal = log.history(stream.removeprefix("deal:")).deal
        if deal.life.status.value == "won" and deal.amount:
            won += euros(deal.amount, UNTIL)
    assert won / 4 < aimed < won * 4
    of_sellers = sum(euros(one.amount, one.first) for one in log.targets().all if one.owner)
    assert aimed * Decimal("0.8") < of_sellers < aimed * Decimal("1.2")


def test_the_same_portfolio_again_adds_neither(log: DealLog) -> None:
    first = simulate(log, 20, 1)
    assert (first.rates_added, first.targets_added > 20) == (26, True)
    again = simulate(log, 20, 1)
    assert (again.rates_added, again.targets_added) == (0, 0)


def test_a_later_period_adds_its_months_and_quarters(log: DealLog) -> None:
    simulate(log, 5, 1, 6, date(2025, 12, 31))
    later = simulate(log, 5, 2, 12, UNTIL)
    assert later.rates_added == 6
    days = [one.day for one in log.rates().quotes("EUR", "USD")]
    assert len(days) == len(set(days)) == 14


def test_rates_and_targets_that_are_there_stay(log: DealLog) -> None:
    for number, day in enumerate((date(2024, 1, 5), date(2026, 6, 30))):
        log.publish_rates(
            PublishRates("EUR", day, (Quote("USD", "2"),)),
            Intent(f"c-{number}", ADMIN, "cli", NOW, NOW),
        )
    own = SetTarget(date(2026, 4, 1), date(2026, 6, 30), Money.parse("7", "EUR"), territory="DACH")
    log.set_target(own, Intent("c-9", ADMIN, "cli", NOW, NOW))
    assert simulate(log, 20, 1).rates_added == 0
    standing = [
        one for one in log.targets().of_period(own.first, own.last) if one.territory == "DACH"
    ]
    assert [one.amount for one in standing] == [own.amount]


def test_the_same_parameters_give_the_same_targets() -> None:
    assert list(targets_of(40, 3, 12, UNTIL)) == list(targets_of(40, 3, 12, UNTIL))
