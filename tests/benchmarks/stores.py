"""Stores of made-up deals on disk, made once and read by many runs."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import cast
from uuid import UUID

from domain.access import EVERYTHING
from domain.deal import Deal, DealEvent, evolve
from projections.engine.keeping_up import catch_up
from projections.views import open_views
from store.events.codec import codec
from store.events.fields import FieldCipher
from store.events.reading import Reading
from store.events.writing import Batch
from store.keys.ring import KeyRing
from store.location import Location
from store.log import DealLog
from store.opening import open_keys
from store.recorder import Row
from store.tail import Tail
from tests.benchmarks import floors
from tests.benchmarks.evidence import digest, state_of, stock_state_of
from tests.benchmarks.plain import PlainLog
from tests.benchmarks.portfolio import RECORDED_AT, MadeDeal, chunks
from tests.benchmarks.stock import StockDeal, StockDeals, open_stock, stock_events

PER_TRANSACTION = 5_000
"""Events in one transaction of a bulk append, at least; all variants use the same groups."""


_SELECT_ROWS = """
SELECT originator_id, originator_version, topic, state FROM stored_events ORDER BY position
"""


def clock() -> datetime:
    """Stands still."""
    return RECORDED_AT


def create_log(path: Path, kind: type[DealLog] = DealLog) -> DealLog:
    """A new log of ours whose clock stands still."""
    return kind.create(Location.beside(path), clock)


def open_log(path: Path, kind: type[DealLog] = DealLog) -> DealLog:
    """A log of ours whose clock stands still."""
    return kind.open(Location.beside(path), clock)


def copy_log(path: Path, folder: Path) -> Path:
    """Copy a log of ours that nobody has open, with its keys; the copy."""
    for file in (path, *path.parent.glob(f"{path.stem}.key*")):
        shutil.copy(file, folder)
    return folder / path.name


class Stores:
    """The same deals in a log of ours and in one of the stock library, each made when asked for.

    A log is filled deal after deal, as by an import, or in the order in which the
    events of all deals occurred, as in daily use. What is there already is used as it
    is, and a log that is half full is filled up.
    """

    def __init__(
        self,
        folder: Path,
        deals: Iterable[MadeDeal],
        *,
        events: int | None = None,
        deal_by_deal: bool = True,
    ) -> None:
        """`deals` may be gone through again and again; they have `events` events together."""
        self.folder = folder
        self._deals = deals
        self._events = events
        self.deal_by_deal = deal_by_deal
        folder.mkdir(exist_ok=True)

    @cached_property
    def deals(self) -> Sequence[MadeDeal]:
        return list(self._deals)

    @cached_property
    def events(self) -> int:
        if self._events is not None:
            return self._events
        return sum(len(deal.drafts) for deal in self._deals)

    @property
    def groups(self) -> list[list[MadeDeal]]:
        """The deals of each transaction of a bulk append."""
        return list(chunks(self.deals, PER_TRANSACTION))

    @cached_property
    def log(self) -> Path:
        return self._filled("ours.db", DealLog)

    @cached_property
    def plain(self) -> Path:
        """The same log with nothing encrypted."""
        return self._filled("plain.db", PlainLog)

    def _filled(self, name: str, kind: type[DealLog]) -> Path:
        path = self.folder / name
        with closing(open_log(path, kind) if path.exists() else create_log(path, kind)) as log:
            self.fill(log)
        return path

    def fill(self, log: DealLog) -> None:
        """Append what is missing in a log that was filled from the same deals."""
        there = log.head()
        if there == self.events:
            return
        for batches in self._batches():
            events = sum(len(batch.drafts) for batch in batches)
            if there:
                there -= events
                assert there >= 0, "the log was filled from other deals"
            else:
                log.append(batches)

    def _batches(self) -> Iterator[list[Batch]]:
        if self.deal_by_deal:
            groups = chunks(self._deals, PER_TRANSACTION)
            yield from ([deal.batch for deal in group] for group in groups)
        else:
            singly = [batch for deal in self.deals for batch in deal.batches]
            singly.sort(key=_occurred_at)
            for start in range(0, len(singly), PER_TRANSACTION):
                yield singly[start : start + PER_TRANSACTION]

    @cached_property
    def views(self) -> Path:
        """The read models of the log, up to date."""
        with closing(open_log(self.log)) as log, closing(open_views(log.location)) as views:
            catch_up(views, Tail(log))
            return log.location.views

    @cached_property
    def stock(self) -> Path:
        path = self.folder / "stock.db"
        with closing(open_stock(path)) as app:
            # All or nothing: what another run left half done is made anew.
            if app.recorder.max_notification_id() == self.events:
                return path
        for left in self.folder.glob("stock.db*"):
            left.unlink()
        with closing(open_stock(path)) as app:
            for group in self.groups:
                app.save(*(event for deal in group for event in stock_events(deal)))
        return path


def _occurred_at(batch: Batch) -> datetime:
    """Of the first draft; sorting by it keeps the order of versions, as it is stable."""
    return batch.drafts[0].occurred_at


def rows_of(path: Path, deals: Sequence[MadeDeal]) -> list[Row]:
    """The rows of the deals, as a log of ours has stored them."""
    with closing(open_log(path)) as log:
        rows = {deal.stream: log.records.rows(deal.stream) for deal in deals}
    return [row for deal in deals for row in rows[deal.stream]]


def keys_of(path: Path) -> KeyRing:
    """The keys of a log of ours."""
    return open_keys(Location.beside(path), clock)


def opened(rows: Iterable[Row], keys: KeyRing) -> Iterator[DealEvent]:
    """The events of stored rows, decrypted."""
    reading, to_event = Reading(FieldCipher(keys), EVERYTHING), codec().to_event
    for row in rows:
        yield cast("DealEvent", to_event(*row, reading))


def stored_rows(path: Path) -> list[Row]:
    """All rows in a file, in order of position."""
    with closing(floors.connect(path)) as connection:
        return connection.execute(_SELECT_ROWS).fetchall()


def opened_digest(path: Path, keys_beside: Path) -> str:
    """Digest of all rows in a file, decrypted with the keys of a log of ours.

    Encrypted bytes differ from run to run, and are compared by what they hold and by their number.
    """
    rows = stored_rows(path)
    with keys_of(keys_beside) as keys:
        return digest(
            (*row[:3], len(row[3]), event)
            for row, event in zip(rows, opened(rows, keys), strict=True)
        )


def our_states(path: Path, deals: Iterable[MadeDeal]) -> str:
    """Digest of the states that our log gives."""
    with closing(open_log(path)) as log:
        histories = ((deal.deal_id, log.history(deal.deal_id)) for deal in deals)
        return digest(
            state_of(deal_id, history.version, history.deal) for deal_id, history in histories
        )


def floor_states(path: Path, deals: Iterable[MadeDeal], keys_beside: Path) -> str:
    """Digest of the states that the rows in a file come to, with the keys of a log of ours."""
    states: dict[str, tuple[int, Deal]] = {}
    with keys_of(keys_beside) as keys:
        for event in opened(stored_rows(path), keys):
            _, deal = states.get(event.stream, (0, Deal()))
            states[event.stream] = (event.version, evolve(deal, event))
    return digest(state_of(deal.deal_id, *states[deal.stream]) for deal in deals)


def stock_states(path: Path, deals: Iterable[MadeDeal]) -> str:
    """Digest of the states that the stock library gives."""
    with closing(open_stock(path)) as app:
        return digest(stock_state_of(get(app, deal.deal_id)) for deal in deals)


def get(app: StockDeals, deal_id: str) -> StockDeal:
    deal: StockDeal = app.repository.get(UUID(deal_id))
    return deal
