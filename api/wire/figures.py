"""Operating figures by period and group."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import msgspec

from api.wire.groups import TeamUnit
from api.wire.numbers import money, ratio
from api.wire.values import Amount, Instant, User, same
from store.times import written

if TYPE_CHECKING:
    from api.wire.groups import GroupNames
    from projections.calendar import Period
    from projections.operating import figures as projected
    from projections.operating.asking import Question


class Share(msgspec.Struct, frozen=True):
    """So many of so many."""

    part: int
    of: int
    ratio: str | None
    """part ÷ of with four digits; null: of none."""

    @classmethod
    def told(cls, found: projected.Ratio) -> Share:
        return cls(int(found.part), int(found.whole), ratio(found.value))


class Average(msgspec.Struct, frozen=True):
    """A mean over deals."""

    total: int
    deals: int
    mean: str | None
    """total ÷ deals with four digits; null: of none."""

    @classmethod
    def told(cls, found: projected.Ratio) -> Average:
        return cls(int(found.part), int(found.whole), ratio(found.value))


class MoneyFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Figures in one currency."""

    currency: str
    won: int
    """Won deals with an amount in this currency, or with one that was converted into it."""
    won_amount: Amount
    average_won: Amount | None
    """won_amount ÷ won, to the minor unit."""
    open: int
    """Deals that were open at the end of the period, with an amount or without."""
    velocity_per_day: Amount | None
    """open × average_won × win rate ÷ mean cycle days of won deals, to the minor unit; null: one
    of them is not there. The first two are of this currency, the win rate and the cycle days of
    all decided deals of the group, whatever their currency."""
    quoted_deals: int
    """Won deals whose newest quote has list prices."""
    listed: Amount
    """What those quotes come to at list prices."""
    quoted: Amount
    """What they come to as they were quoted."""
    discount: str | None
    """(listed - quoted) ÷ listed, with four digits."""

    @classmethod
    def of(cls, found: projected.MoneyFigures) -> MoneyFigures:
        code = found.currency
        return cls(
            currency=code,
            won=found.won,
            won_amount=money(found.won_amount, code),
            average_won=None if found.average_won is None else money(found.average_won, code),
            open=found.open,
            velocity_per_day=None if found.velocity is None else money(found.velocity, code),
            quoted_deals=found.quoted_deals,
            listed=money(found.listed, code),
            quoted=money(found.quoted, code),
            discount=ratio(found.discount.value),
        )


class StageFigures(msgspec.Struct, frozen=True, kw_only=True):
    """How often deals left a stage in the period, and for where."""

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
    conversion: str | None
    """forward ÷ left, with four digits."""

    @classmethod
    def of(cls, found: projected.StageFigures) -> StageFigures:
        names = ("process", "stage", "left", "forward", "back", "ended", "elsewhere")
        return cls(**same(found, names), conversion=ratio(found.conversion.value))


class FigurePeriod(msgspec.Struct, frozen=True):
    """Whole days of the business time zone, the first and the last included."""

    label: str
    first: date
    last: date

    @classmethod
    def of(cls, period: Period) -> FigurePeriod:
        return cls(period.label, period.first, period.last)


class GroupFigures(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of one group in one period, counted as it stands at (as of, known at)."""

    period: FigurePeriod
    group: dict[str, str | User | list[TeamUnit] | None]
    """Value of each dimension; null: without one. Empty in a total. A team is the list of the
    units that somebody sells in, in order of name: mostly one."""
    new: int
    """Deals that were opened in the period."""
    won: int
    lost: int
    """Voided deals are not among them."""
    voided: int
    lost_to_competitor: int
    win_rate: Share
    """Of the deals won or lost in the period, those won."""
    win_rate_against_competitors: Share
    """Of the deals won, or lost to a competitor, those won."""
    win_rate_of_cohort: Share
    """Of the deals opened in the period that are won or lost by now, those won."""
    cohort_open: int
    """Deals opened in the period that are neither won, lost nor voided."""
    cohort_voided: int
    won_without_amount: int
    cycle_days_won: Average
    """Calendar days of the business time zone from the opening to the outcome."""
    cycle_days_decided: Average
    """The same over deals won or lost."""
    open: int
    """Deals that were open at the end of the period, or at the as-of instant in it."""
    slip_rate: Share
    """Of the deals that were expected to close in the period at some moment of it, those that
    were pushed out beyond its end."""
    pushes_per_deal: Average
    """How often the expected close moved to a later day in the period, over the deals that were
    open or suspended at some moment of it."""
    quoted: Share
    """Of the won deals, those whose newest quote has list prices."""
    money: list[MoneyFigures]
    """By currency; no deal is in two of them."""
    stages: list[StageFigures]

    @classmethod
    def of(cls, found: projected.Figures, names: GroupNames) -> GroupFigures:
        counts = (
            "new",
            "won",
            "lost",
            "voided",
            "lost_to_competitor",
            "won_without_amount",
            "open",
        )
        shares = (
            "win_rate",
            "win_rate_against_competitors",
            "win_rate_of_cohort",
            "slip_rate",
            "quoted",
        )
        means = ("cycle_days_won", "cycle_days_decided", "pushes_per_deal")
        ratios: dict[str, Any] = {name: Share.told(getattr(found, name)) for name in shares}
        ratios.update({name: Average.told(getattr(found, name)) for name in means})
        return cls(
            period=FigurePeriod.of(found.period),
            group={name: names.value(name, value) for name, value in found.group.items()},
            cohort_open=found.cohort_open,
            cohort_voided=found.cohort_voided,
            money=[MoneyFigures.of(one) for one in found.money],
            stages=[StageFigures.of(one) for one in found.stages],
            **same(found, counts),
            **ratios,
        )


class FigureReport(msgspec.Struct, frozen=True, kw_only=True):
    """The operating figures at (as of, known at)."""

    as_of: Instant
    known_at: Instant
    reporting_currency: str | None
    """Into which amounts are converted, at the rate of the day of the outcome; null: into none."""
    group_by: list[str]
    rows: list[GroupFigures]
    totals: list[GroupFigures]
    """One for each period."""
    caveats: list[str]
    """What limits the answer."""

    @classmethod
    def of(
        cls,
        found: projected.OperatingFigures,
        question: Question,
        currency: str | None,
        names: GroupNames,
        caveats: list[str],
    ) -> FigureReport:
        return cls(
            as_of=written(question.as_of),
            known_at=written(question.known_at),
            reporting_currency=currency,
            group_by=list(question.by),
            rows=[GroupFigures.of(row, names) for row in found.rows],
            totals=[GroupFigures.of(row, names) for row in found.totals],
            caveats=caveats,
        )


class CountedDeal(msgspec.Struct, frozen=True, kw_only=True):
    """A deal that is counted, and the events that make it count, as in deal:d-1@7."""

    id: str
    name: str | None
    reference: str | None
    amount: Amount | None
    """As it stands at (as of, known at); null: unknown."""
    opened_by: str | None
    ended_by: str | None
    """Null: the deal is open or suspended."""
    pushed_by: list[str]
    """The moves of the expected close to a later day in the period."""


class CountedDeals(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the deals behind a count, in order of id."""

    as_of: Instant
    known_at: Instant
    period: FigurePeriod
    count: str
    matching: int
    """How many deals there are on all pages together."""
    deals: list[CountedDeal]
    cursor: str | None
    """Behind which the next page of this count goes on; null at the end."""
    caveats: list[str]
