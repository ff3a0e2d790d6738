"""Targets of periods."""

import msgspec

from api.wire.values import Amount, Names, User
from domain import targets


class Target(msgspec.Struct, frozen=True):
    """What is to be won in a period, by a user, in a territory, in a unit, or by all."""

    period: str
    """As it is called, or its days: `2026-Q1`, `2026-01-15..2026-02-14`."""
    first: str
    last: str
    """Both days are part of the period."""
    owner: User | None
    territory: str | None
    unit: str | None
    """Id of the unit. Without owner, territory and unit the target is for all."""
    amount: Amount

    @classmethod
    def of(cls, one: targets.Target, period: str, names: Names) -> "Target":
        return cls(
            period,
            one.first.isoformat(),
            one.last.isoformat(),
            names.optional(one.owner),
            one.territory,
            one.unit,
            Amount(str(one.amount.amount), one.amount.currency),
        )


class TargetList(msgspec.Struct, frozen=True):
    """The targets that count, in order of period, whose they are and currency."""

    targets: list[Target]
