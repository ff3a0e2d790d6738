"""Law: an account is the sum over its deals, each folded by itself, and no deal is in two."""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal

from hypothesis import given

from domain.deal import Deal, DealEvent, replay
from domain.lifecycle import Status
from domain.values import END_OF_TIME
from projections.accounts import AccountMoney, accounts, deals_of
from projections.views import Views
from tests.laws.test_pipeline import amount_of, is_there, portfolios
from tests.projections.stores import project


def key_of(deal: Deal) -> str | None:
    account = deal.life.account
    return None if account is None else account.id or account.name


def money_of(deals: Sequence[Deal], currency: str) -> AccountMoney:
    won, open_ = (
        [amount_of(d) for d in deals if d.life.status is status and d.life.currency == currency]
        for status in (Status.WON, Status.OPEN)
    )
    return AccountMoney(
        currency,
        sum((one for one in won if one is not None), Decimal(0)),
        won.count(None),
        sum((one for one in open_ if one is not None), Decimal(0)),
        open_.count(None),
    )


@given(portfolio=portfolios())
def test_an_account_is_the_sum_over_its_deals(
    views: Views, portfolio: Sequence[Sequence[DealEvent]]
) -> None:
    by_key: dict[str, dict[str, Deal]] = defaultdict(dict)
    for events in portfolio:
        deal = replay(events, END_OF_TIME, END_OF_TIME)
        key = key_of(deal)
        if is_there(deal) and key is not None:
            by_key[key][events[0].identifier] = deal
    project(views, portfolio)

    with views.reading() as connection:
        found = accounts(connection)
        for key, by_id in by_key.items():
            assert {one.deal_id for one in deals_of(connection, key)} == set(by_id)
            assert accounts(connection, key=key) == [one for one in found if one.key == key]
    assert {one.key for one in found} == set(by_key)
    for one in found:
        deals = list(by_key[one.key].values())
        counts = {s: sum(d.life.status is s for d in deals) for s in Status}
        assert (one.open, one.won, one.lost) == (
            counts[Status.OPEN],
            counts[Status.WON],
            counts[Status.LOST],
        )
        assert (one.suspended, one.voided) == (counts[Status.SUSPENDED], counts[Status.VOIDED])
        assert one.deals == len(deals)
        types = {d.life.business_type.value for d in deals if d.life.business_type}
        assert one.business_types == tuple(sorted(types))
        currencies = sorted({d.life.currency or "" for d in deals})
        assert one.money == tuple(money_of(deals, currency) for currency in currencies)
        assert one.name in {d.life.account.name for d in deals if d.life.account}
        assert one.first_opened_at == min(d.life.opened_at for d in deals if d.life.opened_at)
