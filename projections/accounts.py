"""Accounts: the customer organisations, across their deals, as the deals stand now.

An account is known by the id that its deals give it, or by its name where they give none. Nothing
is stored for it: the deals are read once, and summed in the database.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from domain.lifecycle import Status
from projections.conversion import total, units
from projections.instants import instant_of
from projections.readable import ALL, Readable, of_readable
from projections.search import fold
from projections.sums import halves, whole
from projections.tables import deals


class AccountNotFound(LookupError):
    """No account has that id or name."""

    def __init__(self, wanted: str) -> None:
        super().__init__(f"there is no account {wanted!r}. Name it by its id or its whole name.")


class AccountMoney(msgspec.Struct, frozen=True):
    """What an account comes to in one currency. A deal without an amount adds nothing."""

    currency: str
    won: Decimal
    """Contract value of the won deals, over the whole time that the account is known."""
    won_without_amount: int
    open: Decimal
    open_without_amount: int


class Account(msgspec.Struct, frozen=True):
    """One customer organisation. A deal that was merged into another one counts nowhere."""

    key: str
    """Its id, or its name where its deals have no id for it."""
    name: str
    """As the deal has it in which something happened last."""
    open: int
    suspended: int
    won: int
    lost: int
    voided: int
    business_types: tuple[str, ...]
    """Those of its deals, in order."""
    money: tuple[AccountMoney, ...]
    """By currency, in order."""
    first_opened_at: datetime
    last_occurred_at: datetime

    @property
    def deals(self) -> int:
        return self.open + self.suspended + self.won + self.lost + self.voided


class AccountDeal(msgspec.Struct, frozen=True):
    """A deal of an account."""

    deal_id: str
    name: str
    reference: str | None
    status: str
    outcome: str | None
    amount_minor: int | None
    currency: str
    opened_at: datetime
    closed_at: datetime | None


def _key() -> ColumnElement[str]:
    return func.coalesce(deals.c.account_id, deals.c.account)


def _has_key(key: str) -> ColumnElement[bool]:
    return and_(or_(deals.c.account_id == key, deals.c.account == key), _key() == key)


def accounts(
    connection: Connection, search: str = "", key: str | None = None, readable: Readable = ALL
) -> list[Account]:
    """The accounts whose name or id holds a text, whatever its case, or the one with a key.

    Over the deals that somebody may read: others make no account. In order of their names.
    """
    row = deals.c
    names = (_key(), row.account, row.status, row.business_type, row.currency)
    statement = (
        select(
            *names,
            func.count(),
            func.count(row.amount_minor),
            *halves(row.amount_minor),
            func.min(row.opened_at),
            func.max(row.last_occurred_at),
        )
        .where(_key().is_not(None), row.status != Status.MERGED.value)
        .where(of_readable(connection, readable, row.deal_id))
        .group_by(*names)
    )
    if key is not None:
        statement = statement.where(_has_key(key))
    found: defaultdict[str, list[Sequence[Any]]] = defaultdict(list)
    for one in connection.execute(statement):
        found[one[0]].append(tuple(one))
    every = (_account(each, rows) for each, rows in found.items())
    wanted = fold(search)
    matching = [one for one in every if wanted in fold(one.name) or wanted in fold(one.key)]
    return sorted(matching, key=lambda one: (fold(one.name), one.key))


def deals_of(connection: Connection, key: str, readable: Readable = ALL) -> list[AccountDeal]:
    """The deals of an account that somebody may read, the newest first, without merged ones."""
    row = deals.c
    statement = select(
        row.deal_id,
        row.name,
        row.reference,
        row.status,
        row.outcome,
        row.amount_minor,
        row.currency,
        row.opened_at,
        row.closed_at,
    ).where(
        _has_key(key),
        row.status != Status.MERGED.value,
        of_readable(connection, readable, row.deal_id),
    )
    found = [
        AccountDeal(*one[:7], instant_of(one[7]), None if one[8] is None else instant_of(one[8]))
        for one in connection.execute(statement)
    ]
    return sorted(found, key=lambda one: (one.opened_at, one.deal_id), reverse=True)


def _account(key: str, rows: Sequence[Sequence[Any]]) -> Account:
    counts = dict.fromkeys(Status, 0)
    for row in rows:
        counts[Status(row[2])] += row[5]
    newest = max(rows, key=lambda row: (row[10], row[1] or ""))
    return Account(
        key=key,
        name=newest[1] or key,
        open=counts[Status.OPEN],
        suspended=counts[Status.SUSPENDED],
        won=counts[Status.WON],
        lost=counts[Status.LOST],
        voided=counts[Status.VOIDED],
        business_types=tuple(sorted({row[3] for row in rows if row[3]})),
        money=tuple(_money(rows, currency) for currency in sorted({row[4] for row in rows})),
        first_opened_at=instant_of(min(row[9] for row in rows)),
        last_occurred_at=instant_of(newest[10]),
    )


def _money(rows: Sequence[Sequence[Any]], currency: str) -> AccountMoney:
    won, open_ = (
        [row for row in rows if row[4] == currency and row[2] == status.value]
        for status in (Status.WON, Status.OPEN)
    )
    return AccountMoney(
        currency,
        *(_sum(won, currency), sum(row[5] - row[6] for row in won)),
        *(_sum(open_, currency), sum(row[5] - row[6] for row in open_)),
    )


def _sum(rows: Sequence[Sequence[Any]], currency: str) -> Decimal:
    return total(units(whole(row[7:9]), currency) for row in rows)
