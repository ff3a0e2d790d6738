"""Imports a file of exchange rates: the one entry for the command line and for programs."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from api.exchange.identity import Identity
from api.exchange.rates.reading import read_rates
from api.exchange.report import ImportFailure
from api.exchange.tables import Table, TableReport
from domain.access import EVERYTHING
from domain.currencies import MINOR_DIGITS
from domain.intent import Intent
from domain.rates import PublishRates, stream_of_base
from store.publishing import News, Publication, publish_days

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from api.exchange.rates.reading import Days
    from api.workspace import Workspace
    from domain.access import Principal

DAYS_PER_TRANSACTION = 1_000
SOURCE = "rates"


def import_rates(
    store: Workspace,
    path: Path,
    principal: Principal,
    *,
    base: str | None = None,
    encoding: str = "utf-8",
    delimiter: str | None = None,
    dry_run: bool = False,
    begun: Intent | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> TableReport:
    """Publish the rates of a file that are news, and tell what came of it.

    `base` counts where the file names none, the euro for the wide form without it.
    `begun` is what it was begun with, by that principal: under its command id it has one effect,
    and is told alike, however often it is asked for.
    `on_progress` is told how many days are dealt with, and of how many. Raises
    ImportFailure where the file cannot be used at all, Refusal without the right, StoreError.
    """
    if base is not None and base not in MINOR_DIGITS:
        raise ImportFailure(f"{base!r} is no currency code", "Give one of ISO 4217, such as EUR.")
    report = TableReport("exchange rates", path.name, dry_run)
    now = begun.now if begun else store.now()
    today = now.astimezone(store.zone).date()
    with closing(Table(path, encoding, delimiter)) as table:
        days = read_rates(table, base, store.zone, today, report)
    publications = _publications(days, principal, now, begun)
    begun_at = begun.now if begun else None
    news = News()
    for start in range(0, len(publications), DAYS_PER_TRANSACTION):
        chunk = publications[start : start + DAYS_PER_TRANSACTION]
        news += publish_days(store.log, chunk, store.zone, dry_run=dry_run, begun_at=begun_at)
        if on_progress is not None:
            on_progress(start + len(chunk), len(publications))
    report.counts = {"new": news.added, "corrected": news.corrected, "unchanged": news.unchanged}
    if begun is not None:
        for stream, version in _recorded(store, publications):
            report.tell_recorded(stream, version)
    return report


def _recorded(store: Workspace, publications: list[Publication]) -> Iterator[tuple[str, int]]:
    """The events that these publications have led to, by stream and version."""
    asked = {(one.intent.principal.id, one.intent.command_id) for one in publications}
    streams = {stream_of_base(one.command.base) for one in publications}
    for stream, events in store.log.events_of(streams, EVERYTHING).items():
        for event in events:
            if (event.actor, event.command_id) in asked:
                yield stream, event.version


def _publications(
    days: Days, principal: Principal, now: datetime, begun: Intent | None
) -> list[Publication]:
    identity = Identity(SOURCE)
    asked = f"@{begun.command_id}" if begun else ""
    found = []
    for (base, day), quotes in days.items():
        told = ",".join(f"{quote.currency}={quote.rate}" for quote in quotes.values())
        intent = Intent(
            command_id=identity.command(f"{base}/{day}", told + asked),
            principal=principal,
            source=identity.stamp,
            now=now,
            occurred_at=now,
        )
        found.append(Publication(PublishRates(base, day, tuple(quotes.values())), intent))
    return found
