"""Customer organisations, across their deals."""

from decimal import Decimal
from fractions import Fraction

import msgspec

from api.wire.conversions import UsedRate
from api.wire.numbers import money, ratio
from api.wire.values import Amount, Instant
from projections import accounts as projected
from projections.conversion import Conversion, total
from store.times import written


class AccountMoney(msgspec.Struct, frozen=True):
    """What an account comes to in one currency. A deal without an amount adds nothing."""

    currency: str
    won: Amount
    """Contract value of the won deals, over the whole time that the account is known."""
    won_without_amount: int
    open: Amount
    open_without_amount: int


class CustomerAccount(msgspec.Struct, frozen=True, kw_only=True):
    """One customer organisation, as its deals stand now."""

    key: str
    """Its id; its name, where its deals have no id for it."""
    name: str
    deals: int
    """Without those that were merged into another one."""
    open: int
    suspended: int
    won: int
    lost: int
    voided: int
    win_rate: str | None
    """Won ÷ (won + lost), from 0 to 1; null where none was decided."""
    business_types: list[str]
    money: list[AccountMoney]
    """By currency; what has no rate into the currency asked for stands in its own."""
    first_opened_at: Instant
    last_occurred_at: Instant

    @classmethod
    def of(cls, account: projected.Account, conversion: Conversion | None) -> "CustomerAccount":
        decided = account.won + account.lost
        return cls(
            key=account.key,
            name=account.name,
            deals=account.deals,
            open=account.open,
            suspended=account.suspended,
            won=account.won,
            lost=account.lost,
            voided=account.voided,
            win_rate=ratio(Fraction(account.won, decided)) if decided else None,
            business_types=list(account.business_types),
            money=_reported(account.money, conversion),
            first_opened_at=written(account.first_opened_at),
            last_occurred_at=written(account.last_occurred_at),
        )


def _reported(
    given: tuple[projected.AccountMoney, ...], conversion: Conversion | None
) -> list[AccountMoney]:
    """One for each currency that is listed, the one asked for first."""
    by_currency: dict[str, list[projected.AccountMoney]] = {}
    for one in given:
        currency = conversion.reported_in(one.currency) if conversion else one.currency
        by_currency.setdefault(currency, []).append(one)

    def amount(value: Decimal, currency: str) -> Decimal:
        return conversion.amount(value, currency) if conversion else value

    target = conversion.target if conversion else None
    return [
        AccountMoney(
            currency,
            money(total(amount(one.won, one.currency) for one in some), currency),
            sum(one.won_without_amount for one in some),
            money(total(amount(one.open, one.currency) for one in some), currency),
            sum(one.open_without_amount for one in some),
        )
        for currency, some in sorted(
            by_currency.items(), key=lambda item: (item[0] != target, item[0])
        )
    ]


class AccountList(msgspec.Struct, frozen=True, kw_only=True):
    """Accounts, a page of them."""

    reporting_currency: str | None
    rates: list[UsedRate]
    currencies_without_rate: list[str]
    matching: int
    accounts: list[CustomerAccount]
    cursor: str | None
    """Asks for those that follow; null at the end."""
    caveats: list[str]


class PersonMet(msgspec.Struct, frozen=True):
    """Somebody of the customer who was met in a deal."""

    person: str | None
    """Stable across deals; null where the deals do not say."""
    name: str
    title: str | None
    deals: list[str]
    """Ids of the deals in which they were met."""
    contacts: int
    last_met: Instant


class AccountDeal(msgspec.Struct, frozen=True):
    """A deal of an account."""

    deal_id: str
    name: str
    reference: str | None
    status: str
    outcome: str | None
    amount: Amount | None
    opened_at: Instant
    closed_at: Instant | None


class AccountDetail(msgspec.Struct, frozen=True, kw_only=True):
    """One account with its deals that the caller may read, and whom we met there in any of them."""

    reporting_currency: str | None
    rates: list[UsedRate]
    currencies_without_rate: list[str]
    account: CustomerAccount
    deals: list[AccountDeal]
    """Those that the caller may read, the newest first."""
    people_met: list[PersonMet]
    """Who was met last first."""
    caveats: list[str]
