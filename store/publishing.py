"""Rates of many days at once, as a file of published rates brings them.

Theory of operation. Whoever follows the rates of a day knows them at its end, so that
is when they were known, whenever they are imported. A correction of what was on record is
known when it is recorded: until then, everybody reckoned with the other rate. Where somebody
has set a rate after its day and a file with another one comes later, both hold: its rate was
known at the end of the day, and is known again from when it is imported. So what a file says
is on record once it is imported, whatever came between.

An import that can be asked for again tells when it was begun. What is news is then decided
beside what was on record at that moment, and what it has recorded since, it does not record
again; so it has one effect, also where others have corrected it since.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from domain.access import EVERYTHING
from domain.history import Draft, Fact, StreamKind
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
    """On record with another value."""
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


def publish_days(
    log: DealLog,
    days: Sequence[Publication],
    zone: ZoneInfo,
    *,
    dry_run: bool = False,
    begun_at: datetime | None = None,
) -> News:
    """Record what is news of all these days, in one transaction, decided inside of it.

    None of them is of the same base and day as another. With `begun_at`, what was news then,
    without what was recorded since by the same user under the same command ids. Raises Refusal,
    and records nothing, where one is refused; StoreError.
    """
    if dry_run:
        book = log.rates()
        return sum((_counted(day, *_news(day, book, zone)) for day in days), News())
    found = News()

    def decided() -> Sequence[Batch]:
        nonlocal found
        found, (book, done) = News(), _on_record(log, begun_at)
        drafts: dict[str, list[Draft[Fact]]] = {}
        for day in days:
            early, corrected = _news(day, book, zone)
            found += _counted(day, early, corrected)
            if (day.intent.principal.id, day.intent.command_id) not in done:
                stream = drafts.setdefault(stream_of_base(day.command.base), [])
                stream += _drafts(day, early, corrected, zone)
        version = log.records.version
        return [Batch(stream, version(stream), news) for stream, news in drafts.items() if news]

    log.append_alone(decided)
    return found


def _on_record(log: DealLog, begun_at: datetime | None) -> tuple[RateBook, set[tuple[str, str]]]:
    """The rates as they were recorded before a moment; by whom and under which ids any were since.

    None: all of them.
    """
    if begun_at is None:
        return log.rates(), set()
    streams = log.events_of(log.streams(StreamKind.RATES), EVERYTHING)
    events = [event for stream in streams.values() for event in stream]
    before = RateBook.of(event for event in events if event.recorded_at < begun_at)
    since = (event for event in events if event.recorded_at >= begun_at)
    return before, {(event.actor, event.command_id) for event in since}


Quotes = tuple[Quote, ...]


def _news(day: Publication, book: RateBook, zone: ZoneInfo) -> tuple[Quotes, Quotes]:
    """What was not on record by the end of that day, and what is on record with another value.

    A rate may be both, where another one was set after its day.
    """
    command, intent = day.command, day.intent
    quotes = sound_quotes(command, intent, zone)
    published = published_at(command.day, intent.now, zone)
    then = book.quoted(command.base, command.day, published)
    now = book.quoted(command.base, command.day)
    early = tuple(one for one in quotes if one.currency not in then)
    return early, tuple(one for one in quotes if now.get(one.currency, one.rate) != one.rate)


def _counted(day: Publication, early: Quotes, corrected: Quotes) -> News:
    added = len({one.currency for one in early} - {one.currency for one in corrected})
    return News(added, len(corrected), len(day.command.rates) - added - len(corrected))


def _drafts(
    day: Publication, early: Quotes, corrected: Quotes, zone: ZoneInfo
) -> Iterator[Draft[Fact]]:
    command, intent = day.command, day.intent
    published = published_at(command.day, intent.now, zone)
    for quotes, known_at in ((early, published), (corrected, None)):
        if quotes:
            told = msgspec.structs.replace(intent, occurred_at=published, known_at=known_at)
            yield told.draft(ExchangeRatesPublished(command.base, command.day, quotes))
