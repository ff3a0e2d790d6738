"""The forecast: the open deals by category and month, what became of them, and how it came."""

from collections.abc import Mapping, Sequence
from datetime import date

import msgspec

from api.wire.conversions import UsedRate
from api.wire.numbers import amount, money
from api.wire.values import Amount, Instant, Names, User
from projections.conversion import Conversion
from projections.forecast import happened, history, ledger, rollup
from projections.forecast.facts import ForecastFacts
from store.times import written


class ForecastSum(msgspec.Struct, frozen=True, kw_only=True):
    """So many open deals, and what they come to. Weighted is amount times probability."""

    deals: int
    amount: Amount
    weighted_amount: Amount
    unknown_amounts: int
    """Deals without an amount; they add nothing."""

    @classmethod
    def of(cls, found: rollup.ForecastSum, currency: str) -> "ForecastSum":
        return cls(
            deals=found.deals,
            amount=money(found.amount, currency),
            weighted_amount=money(found.weighted, currency),
            unknown_amounts=found.unknown_amounts,
        )


class ForecastTally(msgspec.Struct, frozen=True):
    """So many deals, and what they are worth: the contract value of those that are won."""

    deals: int
    amount: Amount
    unknown_amounts: int

    @classmethod
    def of(cls, found: happened.Tally, currency: str) -> "ForecastTally":
        return cls(found.deals, money(found.amount, currency), found.unknown_amounts)

    @classmethod
    def each(cls, found: Mapping[str, happened.Tally], currency: str) -> "dict[str, ForecastTally]":
        return {name: cls.of(one, currency) for name, one in found.items()}


class ForecastOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What some deals of a forecast had come to. The counts of all parts add up to the deals."""

    won: ForecastTally
    """In the month that they were forecast for; none of overdue and undated ones is."""
    won_in: dict[str, ForecastTally]
    """In other months, by month."""
    lost: dict[str, ForecastTally]
    """By how they were lost."""
    voided: ForecastTally
    open_for: dict[str, ForecastTally]
    """Still open, by the month that they are forecast for now, or `undated`."""
    suspended: ForecastTally
    merged: ForecastTally
    """Into another deal."""
    gone: ForecastTally
    """Their opening was withdrawn."""
    error: Amount | None
    """What was forecast, weighted, less what was won of it in its month; null until that is over,
    and of overdue and undated deals."""

    @classmethod
    def of(cls, found: ledger.RowResult) -> "ForecastOutcome":
        currency = found.row.currency
        return cls(
            won=ForecastTally.of(found.won, currency),
            won_in=ForecastTally.each(found.won_in, currency),
            lost=ForecastTally.each(found.lost, currency),
            voided=ForecastTally.of(found.voided, currency),
            open_for=ForecastTally.each(found.open_for, currency),
            suspended=ForecastTally.of(found.suspended, currency),
            merged=ForecastTally.of(found.merged, currency),
            gone=ForecastTally.of(found.gone, currency),
            error=amount(found.error, currency),
        )


class ForecastRow(msgspec.Struct, frozen=True, kw_only=True):
    """The open deals of one group, month and category, in the currency that they are told in."""

    group: dict[str, str | User | None]
    """Value of each dimension; null: without one. Empty in totals."""
    close: str
    """The month in which they are expected to close, `2026-04`; or `overdue`: before the day of
    the forecast; or `undated`."""
    category: str | None
    currency: str
    sum: ForecastSum
    outcome: ForecastOutcome | None
    """What became of them; null where that was not asked for, and in totals."""

    @classmethod
    def of(
        cls, row: rollup.ForecastRow, names: Names, result: ledger.RowResult | None = None
    ) -> "ForecastRow":
        return cls(
            group={
                name: names.optional(value) if name == "owner" else value
                for name, value in row.group.items()
            },
            close=row.close,
            category=row.category,
            currency=row.currency,
            sum=ForecastSum.of(row.sum, row.currency),
            outcome=ForecastOutcome.of(result) if result else None,
        )


class ForecastMonth(msgspec.Struct, frozen=True, kw_only=True):
    """A month in one currency: what was forecast for it, and everything that was won in it."""

    month: str
    currency: str
    forecast: ForecastSum
    won: ForecastTally
    """All that was won in it; the five that follow add up to it."""
    as_forecast: ForecastTally
    """Of the deals forecast for it."""
    forecast_otherwise: ForecastTally
    """Of those forecast for another month, overdue or undated."""
    new: ForecastTally
    """Of deals that were not on record at the forecast."""
    taken_up: ForecastTally
    """Of deals that were not open then: lost, voided, suspended or merged."""
    already: ForecastTally
    """Won before the forecast was made."""
    error: Amount | None
    """What was forecast, weighted, less what was won since; null until the month is over."""

    @classmethod
    def of(cls, found: ledger.MonthResult) -> "ForecastMonth":
        def tally(one: happened.Tally) -> ForecastTally:
            return ForecastTally.of(one, found.currency)

        return cls(
            month=found.month,
            currency=found.currency,
            forecast=ForecastSum.of(found.forecast, found.currency),
            won=tally(found.won),
            as_forecast=tally(found.as_forecast),
            forecast_otherwise=tally(found.forecast_otherwise),
            new=tally(found.new),
            taken_up=tally(found.taken_up),
            already=tally(found.already),
            error=amount(found.error, found.currency),
        )


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """The open deals at (as of, known at), by month and category, and what became of them.

    Deals stand in the group, month and category of their forecast; deals that were won without
    having been in it stand in the group that they have at the later moment.
    """

    as_of: Instant
    known_at: Instant
    against_as_of: Instant | None
    """The later moment at which their outcome is told; null: not asked for."""
    against_known_at: Instant | None
    group_by: list[str]
    reporting_currency: str | None
    """In which all amounts are given that have a rate; null: each in its own currency."""
    rates: list[UsedRate]
    """With which amounts were converted: first those of the day of `as_of`, as known at `known_at`;
    then, by currency and day, those of the later day and of the days on which deals closed."""
    rates_left_out: int
    """How many more were used than are named."""
    currencies_without_rate: list[str]
    """Amounts without a rate stay in these, their own currencies."""
    rows: list[ForecastRow]
    totals: list[ForecastRow]
    """By month and category over all groups; empty without groups."""
    sums: list[ForecastSum]
    """Of everything, one for each currency."""
    months: list[ForecastMonth]
    """Each month beside everything that was won in it; empty where that was not asked for."""
    caveats: list[str]
    """What limits the answer."""


class ForecastDeal(msgspec.Struct, frozen=True, kw_only=True):
    """An open deal, with the facts that its forecast rests on."""

    id: str
    name: str | None
    """As it is called now; null where the listing of deals could not take it in."""
    reference: str | None
    """Id of the deal in the system it came from, as it stands now."""
    owner: User
    close: str
    """The month of the forecast, `overdue` or `undated`."""
    category: str | None
    process: str
    stage: str
    expected_close: date | None
    amount: Amount | None
    """Null: unknown."""
    reported_amount: Amount | None
    """In the reporting currency; null without one, without a rate, or if unknown."""
    probability: int | None
    """Per cent."""
    events: dict[str, str]
    """The event that last changed each of the four facts, as in deal:d-1@7. A fact that no
    event gave a value has none."""

    @classmethod
    def of(
        cls,
        facts: ForecastFacts,
        called: tuple[str | None, str | None],
        names: Names,
        conversion: Conversion | None,
        set_by: Mapping[str, int],
    ) -> "ForecastDeal":
        return cls(
            id=facts.deal_id,
            name=called[0],
            reference=called[1],
            owner=names.user(facts.owner),
            close=facts.close,
            category=facts.category,
            process=facts.process,
            stage=facts.stage,
            expected_close=facts.expected_close,
            amount=amount(facts.amount, facts.currency),
            reported_amount=_reported(facts, conversion),
            probability=facts.probability,
            events=_events(facts.deal_id, set_by),
        )


def _reported(facts: ForecastFacts, conversion: Conversion | None) -> Amount | None:
    if facts.amount is None or conversion is None or conversion.rate(facts.currency) is None:
        return None
    return money(conversion.amount(facts.amount, facts.currency), conversion.target)


FOUR_FACTS = ("stage", "expected_close", "amount", "probability")


def _events(deal_id: str, set_by: Mapping[str, int]) -> dict[str, str]:
    return {fact: f"deal:{deal_id}@{set_by[fact]}" for fact in FOUR_FACTS if fact in set_by}


class ForecastDeals(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the deals in a forecast, those that should close first at the front."""

    as_of: Instant
    known_at: Instant
    reporting_currency: str | None
    rates: list[UsedRate]
    """With which the amounts of this page were converted: of the day of `as_of`, as known at
    `known_at`."""
    currencies_without_rate: list[str]
    """Of this page; their amounts are in their own currency alone."""
    deals: list[ForecastDeal]
    cursor: str | None
    """Leads to the deals that follow; null at the end."""
    caveats: list[str]


class ForecastStanding(msgspec.Struct, frozen=True, kw_only=True):
    """What a month looked like at the end of a day, with the knowledge of that day."""

    at: Instant
    currency: str
    categories: dict[str, ForecastSum]
    """The open deals expected to close in the month, by category; `none`: without one."""
    open: ForecastSum
    """Of all categories."""
    won: ForecastTally
    """Won in the month by then."""

    @classmethod
    def of(cls, found: history.Standing) -> "ForecastStanding":
        return cls(
            at=written(found.at),
            currency=found.currency,
            categories={
                name or "none": ForecastSum.of(one, found.currency)
                for name, one in found.categories.items()
            },
            open=ForecastSum.of(found.open, found.currency),
            won=ForecastTally.of(found.won, found.currency),
        )


class ForecastHistory(msgspec.Struct, frozen=True, kw_only=True):
    """How the forecast of a month stood as it came nearer, beside what was won in it."""

    month: str
    as_of: Instant
    """Of the result, as `known_at` is."""
    known_at: Instant
    over: bool
    """Whether the month had ended by then, on both axes of time, and by now."""
    reporting_currency: str | None
    rates: list[UsedRate]
    """With which amounts were converted, of all days, by currency and day."""
    rates_left_out: int
    """How many more were used than are named."""
    currencies_without_rate: list[str]
    """Of which some amounts, or all, had no rate and stay in their own currency."""
    standings: list[ForecastStanding]
    """By day, then by currency."""
    result: list[ForecastTally]
    """Won in the month, one for each currency."""
    caveats: list[str]

    @classmethod
    def of(
        cls,
        found: history.MonthHistory,
        *,
        over: bool,
        reporting_currency: str | None,
        rates: list[UsedRate],
        rates_left_out: int,
        caveats: Sequence[str],
    ) -> "ForecastHistory":
        return cls(
            month=found.month,
            as_of=written(found.result_at.as_of),
            known_at=written(found.result_at.known_at),
            over=over,
            reporting_currency=reporting_currency,
            rates=rates,
            rates_left_out=rates_left_out,
            currencies_without_rate=list(found.used.lacking),
            standings=[ForecastStanding.of(one) for one in found.standings],
            result=[ForecastTally.of(one, currency) for currency, one in found.result.items()],
            caveats=list(caveats),
        )
