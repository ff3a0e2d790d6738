"""The pipeline snapshot."""

import msgspec

from api.wire.values import Amount, Instant, Names, User, same
from projections import pipeline as projected
from store.times import written


class PipelineFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One group in one currency. Weighted is amount times probability.

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
    def of(cls, row: projected.PipelineRow, names: Names) -> "PipelineFigures":
        return cls(
            group={
                name: names.optional(value) if name == "owner" else value
                for name, value in row.group.items()
            },
            open_amount=Amount.exact(row.open_amount, row.currency),
            open_weighted_amount=Amount.exact(row.open_weighted_amount, row.currency),
            won_amount=Amount.exact(row.won_amount, row.currency),
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
    rows: list[PipelineFigures]
    totals: list[PipelineFigures]
    """One for each currency."""
    caveats: list[str]
    """What limits the answer."""

    @classmethod
    def of(
        cls, snapshot: projected.Pipeline, totals: projected.Pipeline, names: Names
    ) -> "Pipeline":
        return cls(
            as_of=written(snapshot.as_of),
            known_at=written(snapshot.known_at),
            group_by=list(snapshot.by),
            rows=[PipelineFigures.of(row, names) for row in snapshot.rows],
            totals=[PipelineFigures.of(row, names) for row in totals.rows],
            caveats=snapshot.caveats,
        )
