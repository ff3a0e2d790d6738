"""Customer organisations across deals, and whom we met there."""

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from api.cursors import CursorError, packed, unpacked
from api.queries.conversions import conversion_at
from api.queries.parked import left_out_of_pipeline
from api.queries.views import readable_by, view_of_readable
from api.wire import accounts as wire
from api.wire.conversions import UsedRate
from api.wire.values import Amount, optional_instant
from api.workspace import Workspace
from domain.access import Principal
from domain.deal import Deal, replay
from domain.people.people import Contact, Stakeholder
from domain.values import Money
from projections import accounts as projected
from projections.conversion import Conversion
from store.times import written


class AccountOrder(StrEnum):
    """What accounts are listed by: names from A, numbers from the largest."""

    NAME = "name"
    DEALS = "deals"
    WON = "won"
    OPEN = "open"


class AmountsNeedACurrency(ValueError):
    """Amounts in several currencies have no order."""

    def __init__(self) -> None:
        super().__init__("amounts are compared in one currency: say in which to report")


class AccountQuery(msgspec.Struct, frozen=True):
    """Which accounts, in which order."""

    search: str = ""
    sort: AccountOrder = AccountOrder.NAME
    reporting_currency: str | None = None
    limit: int = 50
    cursor: str | None = None


class _Cursor(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Behind which account, in which order."""

    sort: AccountOrder
    key: str


def list_accounts(store: Workspace, principal: Principal, query: AccountQuery) -> wire.AccountList:
    """The accounts whose name or id holds a text, as the deals they may read stand now.

    Raises AmountsNeedACurrency, UnknownCurrency, CursorError, NotAllowed for who reads no deal.
    """
    readable = readable_by(store, principal)
    now = store.now()
    conversion = conversion_at(store, query.reporting_currency, now, now)
    if conversion is None and query.sort in (AccountOrder.WON, AccountOrder.OPEN):
        raise AmountsNeedACurrency
    with store.fresh() as connection:
        found = projected.accounts(connection, query.search, readable=readable)
        caveats = left_out_of_pipeline(store, connection, readable)
    found.sort(key=lambda one: _size(one, query.sort, conversion), reverse=True)
    start = 0 if query.cursor is None else _behind(query.cursor, query.sort, found)
    page = found[start : start + query.limit]
    has_more = len(found) > start + query.limit
    used, lacking = _rates(page, conversion)
    return wire.AccountList(
        reporting_currency=query.reporting_currency,
        rates=used,
        currencies_without_rate=lacking,
        matching=len(found),
        accounts=[wire.CustomerAccount.of(one, conversion) for one in page],
        cursor=packed(_Cursor(query.sort, page[-1].key)) if has_more else None,
        caveats=caveats,
    )


def _size(
    account: projected.Account, sort: AccountOrder, conversion: Conversion | None
) -> tuple[bool, object]:
    """Sorted by it, those without an amount in the currency of the answer come last."""
    match sort:
        case AccountOrder.NAME:
            return True, 0
        case AccountOrder.DEALS:
            return True, account.deals
        case AccountOrder.WON | AccountOrder.OPEN:
            assert conversion is not None
            amounts = [
                conversion.amount(getattr(one, sort.value), one.currency)
                for one in account.money
                if conversion.rate(one.currency)
            ]
            return bool(amounts), sum(amounts)


def _behind(cursor: str, sort: AccountOrder, found: list[projected.Account]) -> int:
    at = unpacked(cursor, _Cursor)
    if at.sort is not sort:
        raise CursorError("the cursor is of a list in another order; keep that as it was")
    places = [number for number, one in enumerate(found, start=1) if one.key == at.key]
    if not places:
        raise CursorError("the account that the cursor stands at is not in the list any more")
    return places[0]


def _rates(
    found: Iterable[projected.Account], conversion: Conversion | None
) -> tuple[list[UsedRate], list[str]]:
    if conversion is None:
        return [], []
    currencies = {one.currency for account in found for one in account.money}
    return UsedRate.all_of(conversion.used(currencies)), conversion.lacking(currencies)


def show_account(
    store: Workspace, principal: Principal, wanted: str, currency: str | None = None
) -> wire.AccountDetail:
    """An account, by its id or its name, with its deals and whom we met in any of them.

    Deals that the principal may not read count nowhere.

    Raises AccountNotFound, UnknownCurrency, NotAllowed for who reads no deal.
    """
    readable = readable_by(store, principal)
    now = store.now()
    conversion = conversion_at(store, currency, now, now)
    with store.fresh() as connection:
        found = projected.accounts(connection, key=wanted, readable=readable)
        if not found:
            named = projected.accounts(connection, wanted, readable=readable)
            same = [one for one in named if one.name == wanted]
            found = same if len(same) == 1 else []
        if not found:
            raise projected.AccountNotFound(wanted)
        account = found[0]
        deals = projected.deals_of(connection, account.key, readable)
        caveats = left_out_of_pipeline(store, connection, readable)
    people = _people_met(store, principal, [deal.deal_id for deal in deals])
    used, lacking = _rates([account], conversion)
    return wire.AccountDetail(
        reporting_currency=currency,
        rates=used,
        currencies_without_rate=lacking,
        account=wire.CustomerAccount.of(account, conversion),
        deals=[_deal(deal) for deal in deals],
        people_met=people,
        caveats=caveats,
    )


def _deal(deal: projected.AccountDeal) -> wire.AccountDeal:
    minor = deal.amount_minor
    amount = None if minor is None else Money.from_minor(minor, deal.currency)
    return wire.AccountDeal(
        deal.deal_id,
        deal.name,
        deal.reference,
        deal.status,
        deal.outcome,
        Amount.of(amount),
        written(deal.opened_at),
        optional_instant(deal.closed_at),
    )


Met = tuple[str, Stakeholder, list[Contact]]
"""The deal, who it was there, and our contacts with them in it."""


def _people_met(
    store: Workspace, principal: Principal, deal_ids: Iterable[str]
) -> list[wire.PersonMet]:
    """Whom we met in the deals, as far as the principal may see."""
    found: dict[str, list[Met]] = {}
    for deal_id in deal_ids:
        view = view_of_readable(store, principal, deal_id)
        if view is None:
            continue
        for met in _met_in(deal_id, replay(view.events())):
            found.setdefault(met[1].person or f"{deal_id}/{met[1].id}", []).append(met)
    people = [_person(some) for some in found.values()]
    return sorted(people, key=lambda one: (one.last_met, one.name), reverse=True)


def _met_in(deal_id: str, deal: Deal) -> Iterable[Met]:
    for one in deal.people.stakeholders:
        contacts = [c for c in deal.people.contacts if one.id in c.made.fact.their_people]
        if contacts:
            yield deal_id, one, contacts


def _person(some: list[Met]) -> wire.PersonMet:
    """One person, as the deal knows them in which they were met last."""
    contacts = [(c.made.occurred_at, one) for _, one, theirs in some for c in theirs]
    last_met, known = max(contacts, key=lambda pair: pair[0])
    return wire.PersonMet(
        person=known.person,
        name=known.name,
        title=known.title,
        deals=[deal_id for deal_id, _, _ in some],
        contacts=len(contacts),
        last_met=written(last_met),
    )
