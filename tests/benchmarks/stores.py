"""Stores of made-up deals on disk, made once and read by many runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from datetime import datetime
from functools import cached_property
from pathlib import Path
from uuid import UUID

from projections.engine import catch_up
from projections.views import Views
from store.codec import Row, codec
from store.location import Location
from store.log import Batch, DealLog
from tests.benchmarks import floors
from tests.benchmarks.evidence import digest, state_of, stock_state_of
from tests.benchmarks.portfolio import RECORDED_AT, MadeDeal, chunks
from tests.benchmarks.stock import StockDeal, StockDeals, open_stock, stock_events

PER_TRANSACTION = 5_000
"""Events in one transaction of a bulk append, at least; all variants use the same groups."""


def create_log(path: Path) -> DealLog:
    """A new log of ours whose clock stands still."""
    return DealLog.create(Location.beside(path), clock=lambda: RECORDED_AT)


def open_log(path: Path) -> DealLog:
    """A log of ours whose clock stands still."""
    return DealLog.open(Location.beside(path), clock=lambda: RECORDED_AT)


class Stores:
    """The same deals in a log of ours and in one of the stock library, each made when asked for.

    A log is filled deal after deal, as by an import, or in the order in which the
    events of all deals occurred, as in daily use.
    """

    def __init__(
        self, folder: Path, deals: Sequence[MadeDeal], *, deal_by_deal: bool = True
    ) -> None:
        self.folder = folder
        self.deals = deals
        self.deal_by_deal = deal_by_deal
        folder.mkdir()

    @property
    def events(self) -> int:
        return sum(len(deal.drafts) for deal in self.deals)

    @property
    def groups(self) -> list[list[MadeDeal]]:
        """The deals of each transaction of a bulk append."""
        return list(chunks(self.deals, PER_TRANSACTION))

    @cached_property
    def log(self) -> Path:
        path = self.folder / "ours.db"
        with closing(create_log(path)) as log:
            for batches in self._batches():
                log.append(batches)
        return path

    def _batches(self) -> Iterator[list[Batch]]:
        if self.deal_by_deal:
            yield from ([deal.batch for deal in group] for group in self.groups)
        else:
            singly = [batch for deal in self.deals for batch in deal.batches]
            singly.sort(key=_occurred_at)
            for start in range(0, len(singly), PER_TRANSACTION):
                yield singly[start : start + PER_TRANSACTION]

    @cached_property
    def views(self) -> Path:
        """The read models of the log, up to date."""
        path = self.folder / "ours.views.db"
        with closing(open_log(self.log)) as log, closing(Views(path)) as views:
            catch_up(views, log)
        return path

    @cached_property
    def stock(self) -> Path:
        path = self.folder / "stock.db"
        with closing(open_stock(path)) as app:
            for group in self.groups:
                app.save(*(event for deal in group for event in stock_events(deal)))
        return path


def _occurred_at(batch: Batch) -> datetime:
    """Of the first draft; sorting by it keeps the order of versions, as it is stable."""
    return batch.drafts[0].occurred_at


def rows_of(deals: Iterable[MadeDeal]) -> list[Row]:
    """The rows that our log makes of the deals, byte for byte."""
    to_row = codec().to_row
    return [to_row(event) for deal in deals for event in deal.events]


def our_states(path: Path, deals: Iterable[MadeDeal]) -> str:
    """Digest of the states that our log gives."""
    with closing(open_log(path)) as log:
        histories = ((deal.deal_id, log.history(deal.deal_id)) for deal in deals)
        return digest(
            state_of(deal_id, history.version, history.deal) for deal_id, history in histories
        )


def floor_states(path: Path, deals: Iterable[MadeDeal]) -> str:
    """Digest of the states that the floor makes of the rows in a file."""
    with closing(floors.connect(path)) as connection:
        return digest(
            state_of(deal.deal_id, *floors.load(connection, deal.stream)) for deal in deals
        )


def stock_states(path: Path, deals: Iterable[MadeDeal]) -> str:
    """Digest of the states that the stock library gives."""
    with closing(open_stock(path)) as app:
        return digest(stock_state_of(get(app, deal.deal_id)) for deal in deals)


def get(app: StockDeals, deal_id: str) -> StockDeal:
    deal: StockDeal = app.repository.get(UUID(deal_id))
    return deal
