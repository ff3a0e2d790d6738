"""The pipeline snapshot."""

from decimal import Decimal

import msgspec

from api.wire.conversions import UsedRate
from api.wire.numbers import money
from api.wire.values import Amount, Instant, Names, User, same
from projections import pipeline as projected
from store.times import written


class PipelineFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One group in one currency. Weighted is amount times probability.

    In a reporting currency a group has one row, and one more for each of its currencies without
    a rate, behind the rows of all groups. Converted amounts have as many digits as they need.
    Suspended deals are not among the open ones; a deal without an amount is
    counted, and counted once more as unknown, and adds nothing to the amounts.
    """

    group: dict[str, str | User | None]
    """Value of each dimension; null: without one. Empty in a total."""
    currency: str
    open: int
    open_amount: Amount
    open_weighted_amount: Amount
    open_unknown_amount: int
    open_average_age_days: float | None
    suspended: int
    won: int
    won_amount: Amount
    won_unknown_amount: int
    lost: int
    voided: int

    @classmethod
    def of(
        cls, row: projected.PipelineRow, names: Names, *, converted: bool = False
    ) -> "PipelineFigures":
        def amount(value: Decimal) -> Amount:
            exact = money if converted else Amount.exact
            return exact(value, row.currency)

        return cls(
            group={
                name: names.optional(value) if name == "owner" else value
                for name, value in row.group.items()
            },
            open_amount=amount(row.open_amount),
            open_weighted_amount=amount(row.open_weighted_amount),
            won_amount=amount(row.won_amount),
            **same(row, _AS_IN_THE_ROW),
        )


_AS_IN_THE_ROW = (
    "currency",
    "open",
    "open_unknown_amount",
    "open_average_age_days",
    "suspended",
    "won",
    "won_unknown_amount",
    "lost",
    "voided",
)


class Pipeline(msgspec.Struct, frozen=True, kw_only=True):
    """What was open, won and lost at (as of, known at)."""

    as_of: Instant
    known_at: Instant
    group_by: list[str]
    reporting_currency: str | None
    """In which all amounts are given that have a rate; null: each in its own currency."""
    rates: list[UsedRate]
    """With which amounts were converted: of the day of `as_of`, as known at `known_at`."""
    currencies_without_rate: list[str]
    """Their amounts stay in their own currency."""
    rows: list[PipelineFigures]
    totals: list[PipelineFigures]
    """One for each currency."""
    caveats: list[str]
    """What limits the answer."""

    @classmethod
    def of(
        cls,
        snapshot: projected.Pipeline,
        totals: projected.Pipeline,
        names: Names,
        reporting_currency: str | None = None,
    ) -> "Pipeline":
        converted = reporting_currency is not None
        return cls(
            as_of=written(snapshot.as_of),
            known_at=written(snapshot.known_at),
            group_by=list(snapshot.by),
            reporting_currency=reporting_currency,
            rates=UsedRate.all_of(snapshot.rates),
            currencies_without_rate=list(snapshot.lacking),
            rows=[PipelineFigures.of(row, names, converted=converted) for row in snapshot.rows],
            totals=[PipelineFigures.of(row, names, converted=converted) for row in totals.rows],
            caveats=snapshot.caveats,
        )
