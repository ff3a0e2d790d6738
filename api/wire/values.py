"""The leaves of every answer: amounts, times, people."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import msgspec

from domain.values import Money
from store.times import written

Instant = Annotated[
    str,
    msgspec.Meta(
        description="A moment in UTC, always with six digits and a Z.",
        examples=["2026-11-21T22:05:00.000000Z"],
        extra_json_schema={"format": "date-time"},
    ),
]


class Amount(msgspec.Struct, frozen=True):
    """Money. `amount` is a decimal number as text, with the currency's minor digits.

    Weighted amounts, which are amounts times per cent, have two digits more.
    """

    amount: str
    currency: str

    @classmethod
    def of(cls, money: Money | None) -> "Amount | None":
        return None if money is None else cls(str(money.amount), money.currency)

    @classmethod
    def exact(cls, amount: Decimal, currency: str) -> "Amount":
        return cls(f"{amount:f}", currency)


class User(msgspec.Struct, frozen=True):
    """Someone of ours. `name` is null for a user who is not in the directory."""

    id: str
    name: str | None


class Names(msgspec.Struct, frozen=True):
    """The directory: user id to name."""

    by_id: Mapping[str, str]

    def user(self, user_id: str) -> User:
        return User(user_id, self.by_id.get(user_id))

    def optional(self, user_id: str | None) -> User | None:
        return None if user_id is None else self.user(user_id)


def same(source: object, names: Iterable[str]) -> dict[str, Any]:
    """The fields that an answer takes over as they are, from a row or an object."""
    if isinstance(source, Mapping):
        return {name: source[name] for name in names}
    return {name: getattr(source, name) for name in names}


def optional_instant(moment: datetime | None) -> str | None:
    return None if moment is None else written(moment)
