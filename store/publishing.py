"""Rates of many days at once, as a file of published rates brings them.

Theory of operation. Whoever follows the rates of a day knows them at its end, so that
is when they were known, whenever they are imported; also where somebody has set such a
rate since, which counts from when it was set. A correction of what was on record by then
is known when it is recorded: until then, everybody reckoned with the other rate.
"""

from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

import msgspec

from domain.history import Draft, Fact
from domain.intent import Intent
from domain.rates import (
    ExchangeRatesPublished,
    PublishRates,
    Quote,
    RateBook,
    published_at,
    sound_quotes,
    stream_of_base,
)
from store.events.writing import Batch
from store.log import DealLog


class News(msgspec.Struct, frozen=True):
    """How many rates were on record already, and how many were not."""

    added: int = 0
    corrected: int = 0
    """On record with another value by the end of that day."""
    unchanged: int = 0

    def __add__(self, other: "News") -> "News":
        return News(
            self.added + other.added,
            self.corrected + other.corrected,
            self.unchanged + other.unchanged,
        )


class Publication(msgspec.Struct, frozen=True):
    """Rates of a day, and under which command they are recorded."""

    command: PublishRates
    intent: Intent


def news_of(book: RateBook, days: Sequence[Publication], zone: ZoneInfo) -> News:
    """What of these days is news beside what is on record. Raises Refusal."""
    return sum((_counted(day, *_news(day, book, zone)) for day in days), News())


def publish_days(
    log: DealLog, days: Sequence[Publication], zone: ZoneInfo, *, dry_run: bool = False
) -> News:
    """Record what is news of all these days, in one transaction, decided inside of it.

    None of them is of the same base and day as another. Raises Refusal, and records
    nothing, where one is refused; StoreError.
    """
    if dry_run:
        return news_of(log.rates(), days, zone)
    found = News()

    def decided() -> Sequence[Batch]:
        nonlocal found
        found, book = News(), log.rates()
        drafts: dict[str, list[Draft[Fact]]] = {}
        for day in days:
            added, corrected = _news(day, book, zone)
            found += _counted(day, added, corrected)
            stream = drafts.setdefault(stream_of_base(day.command.base), [])
            stream += _drafts(day, added, corrected, zone)
        version = log.records.version
        return [Batch(stream, version(stream), news) for stream, news in drafts.items() if news]

    log.append_alone(decided)
    return found


Quotes = tuple[Quote, ...]


def _news(day: Publication, book: RateBook, zone: ZoneInfo) -> tuple[Quotes, Quotes]:
    """What was not on record by the end of that day, and what was, with another value.

    What was on record by then, or is now, with that value is neither.
    """
    command, intent = day.command, day.intent
    quotes = sound_quotes(command, intent, zone)
    published = published_at(command.day, intent.now, zone)
    then = book.quoted(command.base, command.day, published)
    now = book.quoted(command.base, command.day)
    added = tuple(one for one in quotes if one.currency not in then)
    others = (one for one in quotes if then.get(one.currency, one.rate) != one.rate)
    return added, tuple(one for one in others if now[one.currency] != one.rate)


def _counted(day: Publication, added: Quotes, corrected: Quotes) -> News:
    given = len(day.command.rates)
    return News(len(added), len(corrected), given - len(added) - len(corrected))


def _drafts(
    day: Publication, added: Quotes, corrected: Quotes, zone: ZoneInfo
) -> Iterator[Draft[Fact]]:
    command, intent = day.command, day.intent
    published = published_at(command.day, intent.now, zone)
    for quotes, known_at in ((added, published), (corrected, None)):
        if quotes:
            told = msgspec.structs.replace(intent, occurred_at=published, known_at=known_at)
            yield told.draft(ExchangeRatesPublished(command.base, command.day, quotes))
