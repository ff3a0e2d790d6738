"""The operating figures of a group in a period, from what was counted."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from projections.operating.asking import Question
from projections.operating.counting import Group, Stage, Tally, tallies_of
from projections.operating.worth import Worth, exact, rounded

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection

    from projections.calendar import Period
    from projections.columns import Periods


class Ratio(NamedTuple):
    """So many of so many, or so much of so much."""

    part: Fraction
    whole: Fraction

    @classmethod
    def of(cls, part: int | Fraction, whole: int | Fraction) -> Ratio:
        return cls(Fraction(part), Fraction(whole))

    @property
    def value(self) -> Fraction | None:
        """None: of nothing."""
        return self.part / self.whole if self.whole else None


class MoneyFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Figures in one currency, in its units."""

    currency: str
    won: int
    """Won deals with an amount in it, or with one that was converted into it."""
    won_amount: Decimal
    average_won: Decimal | None
    """won_amount ÷ won, to the minor unit."""
    open: int
    """Deals that were open at the end of the period, with an amount or without."""
    velocity: Decimal | None
    """Per day: open × average_won × win rate ÷ cycle days of won deals, to the minor unit.

    The first two are of this currency, the win rate and the cycle days of all decided deals of
    the group, whatever their currency.
    """
    quoted_deals: int
    """Won deals whose newest quote has list prices."""
    listed: Decimal
    quoted: Decimal
    discount: Ratio
    """What is missing from listed to quoted ÷ listed."""


class StageFigures(msgspec.Struct, frozen=True, kw_only=True):
    """How often deals left a stage, and for where."""

    process: str
    stage: str
    left: int
    forward: int
    """To a later stage of the process, or won."""
    back: int
    ended: int
    """Lost or voided."""
    elsewhere: int
    """To another process."""

    @property
    def conversion(self) -> Ratio:
        return Ratio.of(self.forward, self.left)


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of one group in one period. See docs/operating-figures.md."""

    period: Period
    group: dict[str, str | None]
    new: int
    cohort_won: int
    cohort_lost: int
    cohort_voided: int
    won: int
    lost: int
    voided: int
    lost_to_competitor: int
    won_days: int
    """Sum over the won deals of the days from opening to outcome."""
    decided_days: int
    """The same over won and lost deals."""
    won_without_amount: int
    won_quoted: int
    """Won deals whose newest quote has list prices."""
    active: int
    """Deals that were open or suspended at some moment of the period."""
    expected: int
    """Of them: expected to close in the period at some moment of it."""
    pushed_out: int
    """Of those: put off beyond the end of the period, in it."""
    pushes: int
    open: int
    """At the end of the period, or at the as-of instant in it."""
    money: list[MoneyFigures]
    stages: list[StageFigures]

    @property
    def decided(self) -> int:
        return self.won + self.lost

    @property
    def cohort_decided(self) -> int:
        return self.cohort_won + self.cohort_lost

    @property
    def cohort_open(self) -> int:
        return self.new - self.cohort_decided - self.cohort_voided

    @property
    def win_rate(self) -> Ratio:
        """Won ÷ (won + lost)."""
        return Ratio.of(self.won, self.decided)

    @property
    def win_rate_against_competitors(self) -> Ratio:
        """Won ÷ (won + lost to a competitor)."""
        return Ratio.of(self.won, self.won + self.lost_to_competitor)

    @property
    def win_rate_of_cohort(self) -> Ratio:
        """Of the deals opened in the period: won ÷ (won + lost), whenever that was."""
        return Ratio.of(self.cohort_won, self.cohort_decided)

    @property
    def cycle_days_won(self) -> Ratio:
        return Ratio.of(self.won_days, self.won)

    @property
    def cycle_days_decided(self) -> Ratio:
        return Ratio.of(self.decided_days, self.decided)

    @property
    def quoted(self) -> Ratio:
        """Won deals whose newest quote has list prices ÷ won deals."""
        return Ratio.of(self.won_quoted, self.won)

    @property
    def slip_rate(self) -> Ratio:
        return Ratio.of(self.pushed_out, self.expected)

    @property
    def pushes_per_deal(self) -> Ratio:
        return Ratio.of(self.pushes, self.active)


class OperatingFigures(msgspec.Struct, frozen=True):
    """Rows by period and group, and a total for each period."""

    rows: list[Figures]
    totals: list[Figures]


def operating_figures(
    connection: Connection,
    deal_periods: Periods,
    question: Question,
    worth: Worth,
    team_of: Callable[[str], str | None] = lambda _: None,
    *,
    called: Callable[[str, str], str] = lambda _, value: value,
) -> OperatingFigures:
    """The figures at (as of, known at). `team_of` tells the team of an owner.

    Rows come in order of period and group, groups without a value last; a period without any
    deal has a total alone. `called` tells by what name a value of a dimension is put in order;
    values of one name are rows of their own. Raises ValueError for what cannot be asked.
    """
    question.check()
    counted = deal_periods.ask(
        connection,
        lambda relation: tallies_of(relation, question, worth, team_of),
        question.reach,
    )
    totals: defaultdict[int, Tally] = defaultdict(Tally)
    for (number, _), tally in counted.tallies.items():
        totals[number].add(tally)

    def order(key: tuple[int, Group]) -> list[object]:
        keys: list[object] = [key[0]]
        for name, value in zip(question.by, key[1], strict=True):
            place = counted.stages.get(value or "") if name == "stage" else None
            shown = None if value is None else called(name, value)
            keys.append((value is None, place or ("", 0), shown, value))
        return keys

    periods = question.periods
    return OperatingFigures(
        [
            _figures(periods[key[0]], _named(question.by, key[1]), counted.tallies[key])
            for key in sorted(counted.tallies, key=order)
        ],
        [_figures(period, {}, totals[number]) for number, period in enumerate(periods)],
    )


def _named(by: Sequence[str], group: Group) -> dict[str, str | None]:
    return dict(zip(by, group, strict=True))


def _figures(period: Period, group: dict[str, str | None], tally: Tally) -> Figures:
    counts = tally.counts
    same = (
        *("new", "cohort_won", "cohort_lost", "cohort_voided", "won", "lost", "voided"),
        *("lost_to_competitor", "won_days", "decided_days", "won_quoted"),
        *("active", "expected", "pushed_out", "pushes", "open"),
    )
    return Figures(
        period=period,
        group=group,
        won_without_amount=counts["won"] - counts["won_priced"],
        money=[_money(currency, tally) for currency in sorted(tally.money)],
        stages=[_stage(stage, tally) for stage in sorted(tally.stages) if _left(stage, tally)],
        **{name: counts[name] for name in same},
    )


def _money(currency: str, tally: Tally) -> MoneyFigures:
    sums = tally.money[currency]
    average = sums.won_amount / sums.won if sums.won else None
    return MoneyFigures(
        currency=currency,
        won=sums.won,
        won_amount=exact(sums.won_amount),
        average_won=None if average is None else rounded(average, currency),
        open=sums.open,
        velocity=_velocity(average, sums.open, tally, currency),
        quoted_deals=sums.quoted_deals,
        listed=exact(sums.listed),
        quoted=exact(sums.quoted),
        discount=Ratio(sums.listed - sums.quoted, sums.listed),
    )


def _velocity(average: Fraction | None, deals: int, tally: Tally, currency: str) -> Decimal | None:
    """Deals × average value × win rate ÷ cycle days; None: where one of them is not there."""
    counts = tally.counts
    if average is None or not counts["won_days"]:
        return None
    win_rate = Fraction(counts["won"], counts["won"] + counts["lost"])
    cycle_days = Fraction(counts["won_days"], counts["won"])
    return rounded(deals * average * win_rate / cycle_days, currency)


def _left(stage: Stage, tally: Tally) -> int:
    one = tally.stages[stage]
    return one.forward + one.back + one.ended + one.elsewhere


def _stage(stage: Stage, tally: Tally) -> StageFigures:
    one = tally.stages[stage]
    return StageFigures(
        process=stage.process,
        stage=stage.stage,
        left=_left(stage, tally),
        forward=one.forward,
        back=one.back,
        ended=one.ended,
        elsewhere=one.elsewhere,
    )
