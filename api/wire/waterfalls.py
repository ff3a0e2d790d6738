"""The waterfall: what took the pipeline from one moment to another."""

from datetime import date

import msgspec

from api.wire.conversions import UsedRate
from api.wire.numbers import money
from api.wire.values import Amount, Instant, Names, User
from domain.history import StreamKind, stream_of
from projections.waterfall import bridge
from projections.waterfall.asking import Question
from projections.waterfall.deals import Entry
from store.times import written


class WaterfallStand(msgspec.Struct, frozen=True):
    """The pipeline of a group at the start or at the end."""

    deals: int
    amount: Amount
    unknown_amount: int
    """How many of the deals have no amount on record; they add nothing to it."""

    @classmethod
    def of(cls, stand: bridge.Stand, currency: str) -> "WaterfallStand":
        return cls(stand.deals, money(stand.amount, currency), stand.unpriced)


class WaterfallLine(msgspec.Struct, frozen=True):
    """What one line adds to a group, or takes from it."""

    line: str
    kind: str | None
    """Which of the lines of this name it is; null: the only one. Lines of a name add up."""
    deals: int
    """With its sign; 0 where only amounts change."""
    amount: Amount
    """With its sign."""
    times: int
    """How often it happened. The same deal may do so several times."""

    @classmethod
    def of(cls, moved: bridge.Moved, currency: str) -> "WaterfallLine":
        amount = money(moved.amount, currency)
        return cls(moved.line.name, moved.line.kind, moved.deals, amount, moved.times)


class WaterfallFigures(msgspec.Struct, frozen=True):
    """One group in one currency: start and all lines add up to end, in deals and in amount."""

    group: dict[str, str | User | None]
    """Value of each dimension; null: without one. Empty in a total."""
    currency: str
    start: WaterfallStand
    lines: list[WaterfallLine]
    """Always the same lines in the same order, those included that nothing happened on."""
    end: WaterfallStand

    @classmethod
    def of(cls, found: bridge.Bridge, names: Names) -> "WaterfallFigures":
        return cls(
            _named(found.group, names),
            found.currency,
            WaterfallStand.of(found.start, found.currency),
            [WaterfallLine.of(one, found.currency) for one in found.lines],
            WaterfallStand.of(found.end, found.currency),
        )


def _named(group: dict[str, str | None], names: Names) -> dict[str, str | User | None]:
    return {
        name: names.optional(value) if name == "owner" else value for name, value in group.items()
    }


class DayRange(msgspec.Struct, frozen=True):
    """Days, the first and the last included."""

    first: date
    last: date


class Waterfall(msgspec.Struct, frozen=True, kw_only=True):
    """What took the pipeline from one moment to another, by group."""

    since: Instant
    until: Instant
    known_at: Instant | None
    """What was known then; null: each moment is seen with the knowledge of its own."""
    closing: DayRange | None
    """The expected closes that count; null: any, and none."""
    group_by: list[str]
    reporting_currency: str | None
    """In which all amounts are given that have a rate; null: each in its own currency."""
    start_rates: list[UsedRate]
    """Of the day of `since`: what the start is converted with."""
    end_rates: list[UsedRate]
    """Of the day of `until`: what all else is converted with."""
    currencies_without_rate: list[str]
    """They lack a rate of one of the days; their amounts stay in their own currency."""
    rows: list[WaterfallFigures]
    totals: list[WaterfallFigures]
    """One for each currency: the sums of the rows."""
    caveats: list[str]
    """What limits the answer."""

    @classmethod
    def of(
        cls,
        found: bridge.Waterfall,
        question: Question,
        currency: str | None,
        names: Names,
        caveats: list[str],
    ) -> "Waterfall":
        return cls(
            since=written(question.since),
            until=written(question.until),
            known_at=None if question.as_believed else written(question.known_at),
            closing=None if question.closing is None else DayRange(*question.closing),
            group_by=list(question.by),
            reporting_currency=currency,
            start_rates=UsedRate.all_of(found.start_rates),
            end_rates=UsedRate.all_of(found.end_rates),
            currencies_without_rate=found.lacking,
            rows=[WaterfallFigures.of(one, names) for one in found.rows],
            totals=[WaterfallFigures.of(one, names) for one in found.totals],
            caveats=caveats,
        )


class WaterfallEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A deal behind a line, and what it adds to it."""

    id: str
    name: str | None
    """As it is called now; null where the listing of deals could not take it in."""
    reference: str | None
    """Id of the deal in the system it came from, as it stands now."""
    at: Instant
    """When it happened; of a deal that stands or is corrected, the moment that is looked at."""
    line: str
    kind: str | None
    group: dict[str, str | User | None]
    deals: int
    """With its sign; 0 where only the amount changes."""
    amount: Amount
    """With its sign."""
    unknown_amount: bool
    """Whether it stands at the start or the end without an amount on record."""
    events: list[str]
    """The events that did it, as in deal:d-1@7; of a deal that stands, the one that last made it
    what it is."""

    @classmethod
    def of(
        cls,
        entry: Entry,
        called: tuple[str | None, str | None],
        versions: list[int],
        names: Names,
    ) -> "WaterfallEntry":
        stream = stream_of(StreamKind.DEAL, entry.deal_id)
        return cls(
            id=entry.deal_id,
            name=called[0],
            reference=called[1],
            at=written(entry.moment),
            line=entry.line.name,
            kind=entry.line.kind,
            group=_named(entry.group, names),
            deals=entry.deals,
            amount=money(entry.amount, entry.currency),
            unknown_amount=entry.unpriced,
            events=[f"{stream}@{one}" for one in versions],
        )


class WaterfallDeals(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the deals behind a line, by time and id. Over all pages they add up to it."""

    since: Instant
    until: Instant
    known_at: Instant | None
    """As in the waterfall."""
    line: str
    reporting_currency: str | None
    entries: list[WaterfallEntry]
    cursor: str | None
    """Leads to the entries that follow; null at the end."""
    caveats: list[str]
    """What limits the answer."""
