"""How far the targets of a period are covered."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import msgspec

from api.wire.figures import FigurePeriod, Share
from api.wire.numbers import money, ratio
from api.wire.values import Amount, Instant, User
from projections.operating.figures import Ratio
from projections.operating.worth import exact, rounded
from store.times import written

if TYPE_CHECKING:
    from collections.abc import Mapping

    from api.wire.values import Names
    from projections.operating import coverage as projected


class DealSum(msgspec.Struct, frozen=True):
    """Deals, and what they come to."""

    deals: int
    without_amount: int
    """Deals whose amount is unknown; they add nothing."""
    amounts: list[Amount]
    """By currency; beside a target, those that have no rate into its currency stand apart."""

    @classmethod
    def of(cls, found: projected.Sum, apart_from: str | None = None) -> DealSum:
        return cls(
            found.deals,
            found.without_amount,
            [
                money(exact(amount), currency)
                for currency, amount in sorted(found.amounts.items())
                if currency != apart_from
            ],
        )


class TargetCoverage(msgspec.Struct, frozen=True, kw_only=True):
    """A target, and how far it is covered, in the currency of the target.

    An amount of another currency is converted: what was won at the rate of the day of the
    outcome, what is open at that of the as-of instant.
    """

    owner: User | None
    """Without owner, territory and unit, the target is for all deals."""
    territory: str | None
    unit: str | None
    unit_name: str | None
    target: Amount
    won: Amount
    """What was won in the period so far."""
    won_deals: DealSum
    """All of them; its amounts are those without a rate, which `won` leaves out."""
    remaining: Amount
    """target - won; below zero where more was won."""
    pipeline: Amount
    """What is open at the as-of instant, and expected to close in the period."""
    weighted_pipeline: Amount
    """The same, amount times probability."""
    pipeline_deals: DealSum
    """All of them; its amounts are those without a rate, which `pipeline` leaves out."""
    coverage: str | None
    """pipeline ÷ remaining with four digits; null: nothing remains."""
    win_rate: Share
    """Won of those won or lost in the twelve months before the as-of instant, by count. Its
    ratio is null where these are too few: fewer than 30."""
    needed_pipeline: Amount | None
    """remaining ÷ win rate, to the minor unit; null: there is no win rate."""
    needed_new_pipeline: Amount | None
    """What is needed beyond the pipeline there is."""

    @classmethod
    def of(
        cls, found: projected.TargetCoverage, names: Names, units: Mapping[str, str]
    ) -> TargetCoverage:
        target, covered = found.target, found.covered
        code = target.amount.currency

        def told(value: Fraction) -> Amount:
            return money(exact(value), code)

        def near(value: Fraction | None) -> Amount | None:
            return None if value is None else money(rounded(value, code), code)

        return cls(
            owner=names.optional(target.owner),
            territory=target.territory,
            unit=target.unit,
            unit_name=None if target.unit is None else units.get(target.unit),
            target=told(found.amount),
            won=told(found.won),
            won_deals=DealSum.of(covered.won, code),
            remaining=told(found.remaining),
            pipeline=told(found.pipeline),
            weighted_pipeline=told(found.weighted),
            pipeline_deals=DealSum.of(covered.pipeline, code),
            coverage=ratio(found.coverage),
            win_rate=_win_rate(covered),
            needed_pipeline=near(found.needed),
            needed_new_pipeline=near(found.needed_new),
        )


class Untargeted(msgspec.Struct, frozen=True):
    """The deals that none of the targets is for, each amount in its own currency."""

    won: DealSum
    pipeline: DealSum
    weighted_pipeline: DealSum
    win_rate: Share

    @classmethod
    def of(cls, found: projected.Covered) -> Untargeted:
        return cls(
            DealSum.of(found.won),
            DealSum.of(found.pipeline),
            DealSum.of(found.weighted),
            _win_rate(found),
        )


def _win_rate(found: projected.Covered) -> Share:
    told = Share.told(Ratio.of(found.decided_won, found.decided))
    return Share(told.part, told.of, ratio(found.win_rate))


class CoverageReport(msgspec.Struct, frozen=True, kw_only=True):
    """The targets of a period at (as of, known at), and how far they are covered."""

    as_of: Instant
    known_at: Instant
    """Of deals, rates and targets alike."""
    period: FigurePeriod
    targets: list[TargetCoverage]
    untargeted: Untargeted
    caveats: list[str]
    """What limits the answer."""

    @classmethod
    def of(
        cls,
        found: projected.Coverage,
        question: projected.CoverageQuestion,
        names: Names,
        units: Mapping[str, str],
        caveats: list[str],
    ) -> CoverageReport:
        return cls(
            as_of=written(question.as_of),
            known_at=written(question.known_at),
            period=FigurePeriod.of(question.period),
            targets=[TargetCoverage.of(one, names, units) for one in found.targets],
            untargeted=Untargeted.of(found.untargeted),
            caveats=caveats,
        )
