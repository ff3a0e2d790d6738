"""The portfolio of a store: decided deals from its read models, histories from its log."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import cast

from sqlalchemy import Connection, func, literal, select

from domain.deal import DealEvent
from domain.history import StreamKind, stream_of
from domain.lifecycle import Status
from domain.process import ProcessBook
from projections.cohort.portfolio import Decided
from projections.instants import micros
from projections.tables import FROM_UNDATED_IMPORTS, deal_periods, deals, entries
from store.tail import Tail

_BATCH_DEALS = 200
_DEALS = f"{StreamKind.DEAL}:"


class StoredPortfolio:
    """The deals of one store, as far as they are public, as `connection` sees its read models.

    Deals that a read model could not take in are left out, and events that cannot be read.
    """

    def __init__(self, connection: Connection, tail: Tail) -> None:
        self._connection = connection
        self._tail = tail
        [[head]] = connection.execute(select(func.max(entries.c.position)))
        self._head: int = head or 0
        self._processes = tail.processes()

    @property
    def processes(self) -> ProcessBook:
        return self._processes

    def decided(self, limit: datetime) -> list[Decided]:
        period, at = deal_periods.c, micros(limit)
        statement = select(period.deal_id, period.status, period.closed_at).where(
            period.occurred_from <= at,
            period.occurred_until > at,
            period.known_from <= at,
            period.known_until > at,
            period.status.in_((Status.WON.value, Status.LOST.value)),
        )
        found = self._connection.execute(statement)
        return [Decided(deal_id, status == Status.WON, at) for deal_id, status, at in found]

    def marks(self, limit: datetime) -> Mapping[str, str]:
        entry = entries.c
        statement = (
            select(entry.stream, func.count(), func.max(entry.position))
            .where(
                entry.stream >= _DEALS,
                entry.stream < f"{StreamKind.DEAL};",
                entry.known_at <= micros(limit),
            )
            .group_by(entry.stream)
        )
        found = self._connection.execute(statement)
        return {stream.removeprefix(_DEALS): f"{many}:{last}" for stream, many, last in found}

    def histories(self, deal_ids: Iterable[str]) -> Iterator[tuple[str, Sequence[DealEvent]]]:
        ids = list(deal_ids)
        for start in range(0, len(ids), _BATCH_DEALS):
            some = ids[start : start + _BATCH_DEALS]
            names = [stream_of(StreamKind.DEAL, deal_id) for deal_id in some]
            read = {one.name: one.events for one in self._tail.streams(names, self._head)}
            for deal_id, name in zip(some, names, strict=True):
                yield deal_id, cast("Sequence[DealEvent]", read.get(name, ()))

    def head(self) -> int:
        return self._head

    def named(self, position: int) -> str | None:
        return self._tail.name_at(position) if 0 < position <= self._head else None

    def learned_since(self, position: int, limit: datetime) -> bool:
        entry = entries.c
        some = select(literal(1)).where(entry.position > position, entry.known_at <= micros(limit))
        return self._connection.execute(some.limit(1)).first() is not None


def all_deals(connection: Connection) -> list[str]:
    """The id of every deal, in order."""
    return list(connection.execute(select(deals.c.deal_id).order_by(deals.c.deal_id)).scalars())


def undated_events(connection: Connection) -> int:
    """How many events of imports do not say when they were known."""
    statement = select(func.count()).select_from(entries).where(FROM_UNDATED_IMPORTS)
    return connection.execute(statement).scalar_one()
