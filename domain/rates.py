"""Exchange rates, as they were published: what one unit of a base currency was worth, by day.

Theory of operation. Rates are facts of streams `rates:<base>`, one event for what was
published of a day; a later event for the same day corrects the currencies it names. A
rate holds from its day on until the next one of its currency. Two times count: the day
that a rate is of, and since when it was known. When the event occurred does not.

`RateBook` answers what one currency was worth in another on a day, with the knowledge of
a moment: by a direct quote, the inverse of one, or two quotes of a common base.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated, ClassVar

import msgspec

from domain.access import NO_DEAL, Action, require
from domain.currencies import MINOR_DIGITS
from domain.history import Fact, StreamKind, stream_of
from domain.intent import Command
from domain.refusals import InTheFuture, InvalidQuotes, InvalidRate, UnknownCurrency
from domain.values import END_OF_TIME, Identifier, Value, end_of_day

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import tzinfo
    from zoneinfo import ZoneInfo

    from domain.history import Recorded
    from domain.intent import Intent

DIGITS = 12
"""Significant digits of a rate, given or worked out."""

RateText = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^([1-9][0-9]{0,11}(\.[0-9]{0,10}[1-9])?|0\.0{0,11}([1-9]|[1-9][0-9]{0,10}[1-9]))$(?!\n)"
    ),
]
"""A rate in its one written form (`rate_text`): positive, without an exponent or needless zeros."""


class Quote(Value, frozen=True):
    """One unit of the base is worth `rate` units of `currency`."""

    currency: Identifier
    """ISO 4217 code."""
    rate: RateText
    """Of at most twelve significant digits."""


class ExchangeRatesPublished(Fact, tag="exchange-rates-published", frozen=True):
    """What one unit of a currency was worth in others, from a day on."""

    base: Identifier
    """ISO 4217 code of the currency that is quoted."""
    day: date
    """The first day on which they hold."""
    rates: tuple[Quote, ...]
    """Of currencies whose rate of this day was not on record, or was another."""


class PublishRates(Command, tag="publish-rates", frozen=True):
    """Make rates of a day known, or correct them. They hold until the next ones."""

    right: ClassVar[Action] = Action.CONFIGURE
    replaces: ClassVar[bool] = False

    base: Identifier
    day: date
    rates: tuple[Quote, ...]
    """Of one or more other currencies, each once."""


class Rate(msgspec.Struct, frozen=True):
    """What one unit of a currency is worth in another."""

    value: Decimal
    """Exact where it was quoted, else rounded half to even to twelve significant digits."""
    day: date
    """The day that the quote is of; of two quotes, the older one."""


class Known(msgspec.Struct, frozen=True, gc=False):
    """A quote on record."""

    day: date
    known_at: datetime
    version: int
    """Of the event in the stream of its base."""
    rate: str


class RateBook:
    """All rates on record, as known at a moment."""

    __slots__ = ("_bases", "_dated", "_known_at", "_quotes")

    def __init__(
        self,
        quotes: Mapping[tuple[str, str], Sequence[Known]] | None = None,
        known_at: datetime = END_OF_TIME,
    ) -> None:
        """`quotes` by base and currency, in order of (day, known_at, version)."""
        self._quotes = quotes or {}
        self._bases = sorted({base for base, _ in self._quotes})
        self._known_at = known_at
        self._dated: dict[tuple[str, str], tuple[list[date], list[str]]] = {}

    @classmethod
    def of(cls, events: Iterable[Recorded[Fact]]) -> RateBook:
        """The fold of the streams of rates, in whichever order their events come. Total."""
        quotes: dict[tuple[str, str], list[Known]] = {}
        for event in events:
            fact = event.fact
            if isinstance(fact, ExchangeRatesPublished):
                for quote in fact.rates:
                    known = Known(fact.day, event.known_at, event.version, quote.rate)
                    quotes.setdefault((fact.base, quote.currency), []).append(known)
        for series in quotes.values():
            series.sort(key=_order)
        return cls(quotes)

    def as_known(self, known_at: datetime | None) -> RateBook:
        """The rates that were on record at a moment; None: all."""
        return RateBook(self._quotes, END_OF_TIME if known_at is None else known_at)

    @property
    def currencies(self) -> list[str]:
        """All currencies with a rate on record, as base or quoted, in order."""
        return sorted({currency for pair in self._quotes for currency in pair})

    def quotes(self, base: str | None = None, currency: str | None = None) -> Iterator[Quoted]:
        """Every quote that counts, in order of base, currency and day."""
        for pair in sorted(self._quotes):
            if base in {None, pair[0]} and currency in {None, pair[1]}:
                days, rates = self._series(pair)
                for day, rate in zip(days, rates, strict=True):
                    yield Quoted(*pair, day, rate)

    def quoted(self, base: str, day: date, known_at: datetime = END_OF_TIME) -> dict[str, str]:
        """What was quoted for that very day, as known at a moment, by currency."""
        sought = (day, min(known_at, self._known_at))
        found = {}
        for (own, currency), series in self._quotes.items():
            if own == base:
                place = bisect_right(series, sought, key=_when) - 1
                if place >= 0 and series[place].day == day:
                    found[currency] = series[place].rate
        return found

    def rate(self, source: str, target: str, day: date) -> Rate | None:
        """What one `source` was worth in `target` on a day; None where no quotes tell.

        The newest quote on or before the day counts: a direct one, else the inverse of
        one, else two of a common base, of which the one whose older quote is newest
        counts, and of equals the first by code.
        """
        if source == target:
            return Rate(Decimal(1), day)
        if direct := self._quote(source, target, day):
            return Rate(Decimal(direct[1]), direct[0])
        if inverse := self._quote(target, source, day):
            return Rate(_ROUNDING.divide(Decimal(1), Decimal(inverse[1])), inverse[0])
        return self._crossed(source, target, day)

    def _crossed(self, source: str, target: str, day: date) -> Rate | None:
        best: tuple[date, str, str] | None = None
        for base in self._bases:
            ours, theirs = self._quote(base, source, day), self._quote(base, target, day)
            if ours and theirs and (best is None or min(ours[0], theirs[0]) > best[0]):
                best = (min(ours[0], theirs[0]), ours[1], theirs[1])
        if best is None:
            return None
        older, per_source, per_target = best
        return Rate(_ROUNDING.divide(Decimal(per_target), Decimal(per_source)), older)

    def _quote(self, base: str, currency: str, day: date) -> tuple[date, str] | None:
        """The newest quote on or before a day: its day and its rate."""
        days, rates = self._series((base, currency))
        place = bisect_right(days, day) - 1
        return (days[place], rates[place]) if place >= 0 else None

    def _series(self, pair: tuple[str, str]) -> tuple[list[date], list[str]]:
        """The days with a quote of a pair, in order, and what counts of each."""
        found = self._dated.get(pair)
        if found is None:
            known = self._known_at
            by_day = {
                one.day: one.rate for one in self._quotes.get(pair, ()) if one.known_at <= known
            }
            found = self._dated[pair] = (list(by_day), list(by_day.values()))
        return found


class Quoted(msgspec.Struct, frozen=True):
    """A rate as it was quoted: from `day` on one `base` was worth `rate` units of `currency`."""

    base: str
    currency: str
    day: date
    rate: str


_ROUNDING = Context(prec=DIGITS, rounding=ROUND_HALF_EVEN)


def _order(known: Known) -> tuple[date, datetime, int]:
    return (known.day, known.known_at, known.version)


def _when(known: Known) -> tuple[date, datetime]:
    return (known.day, known.known_at)


def rate_text(number: str) -> str:
    """The one written form of a rate: `1.08` of `1.080`. See `RateText`.

    Raises InvalidRate for what is not a number over nought with at most twelve
    significant digits, at most twelve of them before the point and eleven zeros behind it.
    """
    try:
        if "_" in number or not number.isascii():
            raise InvalidOperation
        value = Decimal(number.strip())
    except InvalidOperation:
        raise InvalidRate(f"{number!r} is not a number", _A_RATE) from None
    if not value.is_finite() or value <= 0:
        raise InvalidRate(f"{number!r} is not a finite number over 0", _A_RATE)
    if not -DIGITS <= value.adjusted() < DIGITS:
        raise InvalidRate(f"{number!r} is out of all proportion", _A_RATE)
    text = format(value, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    if len(text.replace(".", "").strip("0")) > DIGITS:
        raise InvalidRate(f"{number!r} has more than {DIGITS} significant digits", _A_RATE)
    return text


_A_RATE = (
    "Give a number over 0 with at most twelve significant digits, from 0.000000000001"
    " to 999999999999."
)


def stream_of_base(base: str) -> str:
    """The stream of the rates of a base currency."""
    return stream_of(StreamKind.RATES, base)


def decide_rates(
    command: PublishRates, book: RateBook, intent: Intent, zone: ZoneInfo | tzinfo = UTC
) -> tuple[ExchangeRatesPublished, ...]:
    """The rates that are news; none where all are on record already. Raises Refusal.

    `zone` tells which day it is.
    """
    quotes = sound_quotes(command, intent, zone)
    known = book.quoted(command.base, command.day)
    news = tuple(quote for quote in quotes if known.get(quote.currency) != quote.rate)
    return (ExchangeRatesPublished(command.base, command.day, news),) if news else ()


def sound_quotes(
    command: PublishRates, intent: Intent, zone: ZoneInfo | tzinfo = UTC
) -> tuple[Quote, ...]:
    """The rates of a command in order of currency, if they may be published. Raises Refusal."""
    intent.require_past()
    require(intent.principal, command.right, NO_DEAL)
    require_currency(command.base)
    if command.day > intent.now.astimezone(zone).date():
        raise InTheFuture(
            f"{command.day} lies in the future", "Publish rates once their day has come."
        )
    return _sound(command)


def _sound(command: PublishRates) -> tuple[Quote, ...]:
    """The quotes in order of currency, each in its one written form."""
    if not command.rates:
        raise InvalidQuotes("no rate is given", "Give one or more.")
    found: dict[str, Quote] = {}
    for quote in command.rates:
        currency = require_currency(quote.currency)
        if currency == command.base:
            raise InvalidQuotes(
                f"{currency} is quoted in {currency} itself", "Leave out the rate of the base."
            )
        if currency in found:
            raise InvalidQuotes(f"{currency} is quoted twice", "Quote each currency once.")
        found[currency] = Quote(currency, rate_text(quote.rate))
    return tuple(found[currency] for currency in sorted(found))


def require_currency(code: str) -> str:
    """The code of a currency that exists. Raises UnknownCurrency."""
    if code not in MINOR_DIGITS:
        raise UnknownCurrency(
            f"{code!r} is not an ISO 4217 currency code", "Give one such as EUR or USD."
        )
    return code


def published_at(day: date, now: datetime, zone: ZoneInfo) -> datetime:
    """When rates of a day were known to whoever follows them: at its end, or now for today."""
    return min(end_of_day(day, zone), now)


def describe(fact: ExchangeRatesPublished) -> str:
    """What happened, in one English phrase."""
    named = ", ".join(f"{quote.rate} {quote.currency}" for quote in fact.rates[:3])
    more = f" and {len(fact.rates) - 3} more" if len(fact.rates) > 3 else ""
    return f"published exchange rates of {fact.day}: 1 {fact.base} = {named}{more}"
